//! Traces as a collector gets them: what they say, and above all what they never say.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::json;

use crate::issuer::{Issuer, TAKEN, publish};
use crate::platform::day;
use crate::server::{Data, Server};
use crate::stream_client::Socket;

/// Heads and bodies of requests, as they were sent.
type Requests = Vec<(String, Vec<u8>)>;

/// A collector that keeps what it is sent.
struct Collector {
    endpoint: String,
    got: Arc<Mutex<Requests>>,
}

impl Collector {
    fn start(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let endpoint = format!("http://{}/v1/traces", listener.local_addr().expect("bound"));
        let got = Arc::new(Mutex::new(Vec::new()));
        let kept = got.clone();
        // Ends with the tests.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = kept.clone();
                std::thread::spawn(move || while take(&stream, status, &kept).is_some() {});
            }
        });
        Self { endpoint, got }
    }

    fn requests(&self) -> Requests {
        self.got.lock().expect("no test failed here").clone()
    }

    fn spans(&self) -> Vec<Span> {
        let decoded = self.requests().into_iter().map(|(_, body)| {
            let request = ExportTraceServiceRequest::decode(&body[..]).expect("OTLP");
            request.resource_spans.into_iter().flat_map(|of| of.scope_spans).flat_map(|of| of.spans).collect::<Vec<_>>()
        });
        decoded.flatten().collect()
    }
}

/// One request of a connection; `None` at its end.
fn take(mut stream: &TcpStream, status: &str, kept: &Mutex<Requests>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some((_, value)) = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            length = value.trim().parse().expect("a length");
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    kept.lock().expect("no test failed here").push((head, body));
    stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes()).ok()
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let value = attributes.iter().find(|attribute| attribute.key == key)?.value.clone()?.value?;
    Some(match value {
        Any::StringValue(text) => text,
        Any::IntValue(number) => number.to_string(),
        Any::BoolValue(flag) => flag.to_string(),
        other => panic!("{other:?}"),
    })
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

const KEYS: [&str; 8] = [
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "graphql.operation.name",
    "graphql.operation.type",
    "throng.cost",
    "throng.answer.kept",
    "error.type",
];

/// Questions in every way, with a needle in all that a client can write but the name of the operation.
fn traffic(data: &Data, server: &Server, issuer: &Issuer) -> Vec<String> {
    let (key, jwt) = (data.key(&["operator", "--name", "needle-name"]), issuer.creator("needle-c"));
    let day = day();
    let line = |n: u32| {
        format!(
            "{{\"event_id\":\"needle-e{n}\",\"ts\":\"{day}T12:00:00Z\",\"kind\":\"view\",\"viewer\":\"needle-v{n}\",\
             \"creator\":\"needle-c\",\"video\":\"needle-a\",\"watch_ms\":99407}}\n"
        )
    };
    assert_eq!(server.ingest("/v1/events", &key, (0..77).map(line).collect::<String>()).status, 200);
    let bearers = [&key, &jwt].map(|token| format!("Bearer {token}"));
    let query = format!(
        "query Dashboard($id: ID!) {{ creator(id: $id) {{ counters(range: {{from: \"{day}\", to: \"{day}\"}}) {{ watchTime {{ value }} }} }} }}"
    );
    for bearer in &bearers {
        let headers = [
            ("Content-Type", "application/json"),
            ("Authorization", bearer.as_str()),
            ("User-Agent", "needle-agent"),
            ("traceparent", "00-6e6565646c652d74726163652d696421-6e6565646c652d31-01"),
            ("tracestate", "needle=needle"),
            ("baggage", "needle=needle"),
        ];
        for body in [
            json!({"query": query, "variables": {"id": "needle-c"}, "operationName": "Dashboard"}),
            json!({"query": "{ creator(id: \"needle-c\") { videos(first: 1) { edges { node { title } } } } }"}),
            json!({"query": "query Wrong { needleField }"}),
            json!({"query": "{ needle"}),
            json!({"query": "query Bad { creator(id: \"needle-c\") { counters(range: {last: 0}) { views { value } } } }"}),
            json!({"query": format!("query {} {{ status {{ version }} }}", "needle".repeat(20))}),
        ] {
            server.post("/graphql", &headers, body.to_string());
        }
        for path in [
            "/needle",
            "/v1/export/counters.csv?creator=needle-c&last=1",
            "/playground/needle",
            "/graphql?query=needle",
        ] {
            server.get(path, &headers);
        }
    }
    server.get("/graphql", &[("Authorization", "Bearer needle.needle.needle")]);
    let mut socket = Socket::admitted(server.address, Some(&jwt));
    socket.subscribe(
        "needle-id",
        "subscription Live { counters(video: \"needle-a\") { views { value } } }",
        &json!({}),
    );
    socket.message();
    vec![key, jwt]
}

#[test]
fn a_trace_says_what_was_done_and_never_for_whom_or_with_what_result() {
    let collector = Collector::start("200 OK");
    let (data, issuer) = (Data::new(), Issuer::new(1, "needle-kid"));
    publish(&data, &[&issuer]);
    let variables = [
        ("THRONG_TELEMETRY_TRACES_ENDPOINT", collector.endpoint.as_str()),
        ("THRONG_TELEMETRY_SERVICE_NAME", "tested"),
    ];
    let server = Server::start_with(&data, &[&TAKEN[..], &variables].concat());
    let tokens = traffic(&data, &server, &issuer);
    server.stop();

    let (spans, requests) = (collector.spans(), collector.requests());
    assert!(requests.iter().all(|(head, _)| head.starts_with("POST /v1/traces HTTP/1.1\r\n")), "{requests:?}");
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let dashboards = named("query Dashboard");
    let [first, second] = dashboards[..] else { panic!("{spans:?}") };
    for (span, kept) in [(first, "false"), (second, "false")] {
        let said = |key| text(&span.attributes, key);
        assert_eq!(said("graphql.operation.type").as_deref(), Some("query"));
        assert_eq!(said("graphql.operation.name").as_deref(), Some("Dashboard"));
        assert_eq!(said("throng.cost").as_deref(), Some("28"));
        assert_eq!((said("throng.answer.kept").as_deref(), said("error.type")), (Some(kept), None));
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
        // Below the request that brought it.
        let above = spans.iter().find(|above| above.span_id == span.parent_span_id).expect("a parent");
        assert_eq!((above.name.as_str(), &above.trace_id), ("POST /graphql", &span.trace_id));
        assert_eq!(text(&above.attributes, "http.response.status_code").as_deref(), Some("200"));
        assert!(above.parent_span_id.is_empty(), "no trace is continued that a client began");
    }
    let failed = |name: &str| text(&named(name)[0].attributes, "error.type");
    assert_eq!(failed("query Wrong").as_deref(), Some("GRAPHQL_VALIDATION_FAILED"));
    assert_eq!(failed("query Bad").as_deref(), Some("BAD_USER_INPUT"));
    assert_eq!(failed("graphql").as_deref(), Some("GRAPHQL_PARSE_FAILED"));
    assert!(!named("subscription Live").is_empty());
    assert!(!named("POST /v1/events").is_empty() && !named("GET /v1/export/counters.csv").is_empty());
    let keys: BTreeSet<_> = spans.iter().flat_map(|span| &span.attributes).map(|said| said.key.as_str()).collect();
    assert_eq!(keys, KEYS.into(), "nothing but these");
    assert!(spans.iter().all(|span| span.events.is_empty() && span.links.is_empty() && span.trace_state.is_empty()));

    for (head, body) in &requests {
        let decoded = ExportTraceServiceRequest::decode(&body[..]).unwrap();
        for resource in decoded.resource_spans.iter().filter_map(|of| of.resource.as_ref()) {
            let said: BTreeSet<_> = resource.attributes.iter().map(|said| said.key.as_str()).collect();
            assert_eq!(said, ["service.name", "service.version"].into());
            assert_eq!(text(&resource.attributes, "service.name").as_deref(), Some("tested"));
        }
        let all = [head.as_bytes(), body].concat();
        for needle in
            tokens.iter().flat_map(|token| token.split(['_', '.'])).filter(|part| part.len() > 3).chain(["needle"])
        {
            assert!(!holds(&all, needle.as_bytes()), "{needle}");
        }
        // The watch time, in seconds, in every form that a message can have.
        for form in [
            b"7654.339".to_vec(),
            b"7654339".to_vec(),
            7_654.339_f64.to_le_bytes().to_vec(),
            vec![0xc3, 0x97, 0xd3, 0x03],
        ] {
            assert!(!holds(&all, &form), "{form:?}");
        }
    }
}

#[test]
fn nothing_is_sent_unless_it_is_asked_for() {
    let collector = Collector::start("200 OK");
    let data = Data::new();
    let ask = |variables: &[(&str, &str)]| {
        let server = Server::start_with(&data, variables);
        server.query(None, "query Dashboard { status { version } }", &json!({}));
        server.stop();
    };
    ask(&[]);
    let endpoint = ("THRONG_TELEMETRY_TRACES_ENDPOINT", collector.endpoint.as_str());
    ask(&[endpoint, ("THRONG_TELEMETRY_SAMPLE_RATIO", "0")]);
    assert_eq!(collector.requests().len(), 0);
    ask(&[endpoint]);
    assert_eq!(collector.spans().len(), 2);
}

#[test]
fn a_collector_that_takes_nothing_holds_up_nobody() {
    let refusing = Collector::start("400 Bad Request");
    let data = Data::new();
    for endpoint in [refusing.endpoint.as_str(), "http://127.0.0.1:9/v1/traces"] {
        let server = Server::start_with(&data, &[("THRONG_TELEMETRY_TRACES_ENDPOINT", endpoint)]);
        for _ in 0..3 {
            server.query(None, "{ status { version } }", &json!({}));
        }
        let log = server.stop();
        assert_eq!(log.matches("the collector of traces does not take them").count(), 1, "{log}");
    }
}
