//! A dashboard's query to the whole program: the small demo, served by the binary, over one connection that stays open.

#![allow(
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a benchmark fails by panicking, and Criterion's macros write items"
)]

#[path = "../tests/integration/client.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod client;
#[path = "../tests/integration/server.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod server;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};

use server::{Data, Server};

const DASHBOARD: &str = "query($id: ID!) { creator(id: $id) { handle
    counters(range: {last: 28}, compareTo: PREVIOUS_PERIOD) { views { value change } likes { value } watchTime { value } }
    series(range: {last: 28}, granularity: DAY) { date counters { views { value } } }
    audience(window: {kind: LAST_28_DAYS}) { reach { value marginOfError }
      breakdown(by: COUNTRY, first: 10) { rows { key share measure { value disclosure } } other { value } }
      retention { position share } }
    topVideos(range: {last: 28}, by: VIEWS, first: 5) { video { id title } value { value } } } }";

/// One connection of a client that sends one request after the other.
struct Connection {
    stream: BufReader<TcpStream>,
    request: Vec<u8>,
}

impl Connection {
    fn new(server: &Server, token: &str, body: &Value) -> Self {
        let stream = TcpStream::connect(server.address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket");
        let body = body.to_string();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Self { stream: BufReader::new(stream), request: (head + &body).into_bytes() }
    }

    /// Sends the request and reads the answer's body.
    fn ask(&mut self) -> Vec<u8> {
        self.stream.get_mut().write_all(&self.request).expect("sent");
        let (mut line, mut length) = (String::new(), None);
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("a head");
            if line == "\r\n" {
                break;
            }
            let lower = line.to_ascii_lowercase();
            length = lower.strip_prefix("content-length:").map(|n| n.trim().parse().expect("a length")).or(length);
        }
        let mut body = vec![0; length.expect("a body of known length")];
        self.stream.read_exact(&mut body).expect("a body");
        body
    }
}

fn dashboard(criterion: &mut Criterion) {
    let data = Data::new();
    let made = data.json(&["demo", "--small", "--no-serve"]);
    let (creator, token) = (&made["creator"], made["creator_token"].as_str().expect("a token"));
    let mut group = criterion.benchmark_group("http");
    group.throughput(Throughput::Elements(1));
    for (name, cache_bytes_max) in [("dashboard", "0"), ("dashboard, kept", "1000000")] {
        let variables = [("THRONG_GRAPHQL_ANSWERS_CACHE_BYTES_MAX", cache_bytes_max), ("THRONG_RATE_POINTS_MAX", "0")];
        let server = Server::start_with(&data, &variables);
        let mut connection =
            Connection::new(&server, token, &json!({ "query": DASHBOARD, "variables": { "id": creator } }));
        let answer: Value = serde_json::from_slice(&connection.ask()).expect("JSON");
        assert!(answer["data"]["creator"]["audience"]["reach"]["value"].is_number(), "{answer}");
        group.bench_function(name, |bench| bench.iter(|| connection.ask()));
        server.stop();
    }
    group.finish();
}

criterion_group!(benches, dashboard);
criterion_main!(benches);
