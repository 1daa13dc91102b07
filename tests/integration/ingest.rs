//! `POST /v1/events` and `POST /v1/catalog`: exact answers, limits, and refusals that lose nothing.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;

use crate::client;
use crate::platform::{VIEWS, day, of, small_channel, views};
use crate::server::{Data, Server};

const NDJSON: (&str, &str) = ("Content-Type", "application/x-ndjson");

fn server() -> (Data, Server, String) {
    let data = Data::new();
    let token = data.key(&["ingest"]);
    let server = Server::start(&data);
    (data, server, token)
}

#[test]
fn an_answer_counts_each_line_once() {
    let (_data, server, token) = server();
    let first = server.ingest("/v1/events", &token, small_channel());
    assert_eq!((first.status, first.header("content-type")), (200, Some("application/json; charset=utf-8")));
    assert_eq!(first.json(), json!({"accepted": 60, "duplicates": 0, "late": 0, "rejected": []}));
    let mixed = small_channel() + &views("c", "a", 60..61) + "\nnot json\n{\"event_id\":\"x\"}\n";
    let answer = server.ingest("/v1/events", &token, mixed).json();
    assert_eq!((&answer["accepted"], &answer["duplicates"], &answer["late"]), (&json!(1), &json!(60), &json!(0)));
    let rejected = answer["rejected"].as_array().unwrap();
    let lines: Vec<_> =
        rejected.iter().map(|error| (error["line"].as_u64().unwrap(), error["code"].as_str().unwrap())).collect();
    assert_eq!(lines, [(63, "malformed_json"), (64, "missing_field")], "the blank line 62 is no error");
    for error in rejected {
        let mut names: Vec<_> = error.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["code", "field", "line", "message"]);
    }
    assert_eq!(
        server.ingest("/v1/events", &token, "").json(),
        json!({"accepted": 0, "duplicates": 0, "late": 0, "rejected": []})
    );
}

#[test]
fn a_duplicate_within_one_body_counts_once() {
    let (_data, server, token) = server();
    let twice = small_channel() + &small_channel();
    let answer = server.ingest("/v1/events", &token, twice).json();
    assert_eq!((&answer["accepted"], &answer["duplicates"]), (&json!(60), &json!(60)));
}

#[test]
fn what_was_acknowledged_is_seen_by_the_next_question() {
    let (data, server, token) = server();
    let reader = data.key(&["operator"]);
    server.ingest("/v1/events", &token, small_channel());
    let answer = server.query(Some(&reader), VIEWS, &of("c"));
    assert_eq!(answer["creator"]["counters"]["views"], json!({"value": 60.0, "disclosure": "EXACT"}));
    server.ingest("/v1/events", &token, views("few", "f", 0..9));
    let answer = server.query(Some(&reader), VIEWS, &of("few"));
    assert_eq!(answer["creator"]["counters"]["views"], json!({"value": null, "disclosure": "WITHHELD"}));
}

#[test]
fn events_without_creator_need_the_catalogue() {
    let (_data, server, token) = server();
    let event = format!(r#"{{"event_id":"1","ts":"{}T12:00:00Z","kind":"view","viewer":"v","video":"a"}}"#, day());
    let unknown = server.ingest("/v1/events", &token, &event).json();
    assert_eq!((&unknown["accepted"], &unknown["rejected"][0]["code"]), (&json!(0), &json!("unknown_video")));
    let rows =
        "{\"creator\":\"c\",\"time_zone\":\"Asia/Tokyo\"}\n{\"video\":\"a\",\"creator\":\"c\"}\n{\"video\":\"b\"}\n";
    let answer = server.ingest("/v1/catalog", &token, rows).json();
    assert_eq!(
        (&answer["accepted"], &answer["rejected"][0]["line"], &answer["rejected"][0]["field"]),
        (&json!(2), &json!(3), &json!("creator"))
    );
    assert_eq!(answer.as_object().unwrap().len(), 2, "{answer}");
    assert_eq!(server.ingest("/v1/events", &token, event).json()["accepted"], 1);
}

#[test]
fn events_of_sealed_days_are_late() {
    let (data, server, token) = server();
    server.ingest("/v1/events", &token, small_channel());
    server.stop();
    data.json(&["seal", "--through", day()]);
    let server = Server::start(&data);
    let answer = server.ingest("/v1/events", &token, views("c", "a", 50..70)).json();
    assert_eq!((&answer["accepted"], &answer["duplicates"], &answer["late"]), (&json!(0), &json!(10), &json!(10)));
}

#[test]
fn gzip_and_zstd_are_told_by_their_bytes() {
    let (_data, server, token) = server();
    let bearer = format!("Bearer {token}");
    let gzip = |text: String| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let zstd = |text: String| zstd::encode_all(text.as_bytes(), 3).unwrap();
    let bodies = [
        (Some("gzip"), gzip(views("c", "a", 0..10))),
        (None, gzip(views("c", "a", 10..20))),
        (Some("zstd"), zstd(views("c", "a", 20..30))),
        (None, zstd(views("c", "a", 30..40))),
        (Some("identity"), views("c", "a", 40..50).into_bytes()),
    ];
    for (encoding, body) in bodies {
        let mut headers = vec![("Authorization", bearer.as_str()), NDJSON];
        headers.extend(encoding.map(|encoding| ("Content-Encoding", encoding)));
        assert_eq!(server.post("/v1/events", &headers, body).json()["accepted"], 10, "{encoding:?}");
    }
    let headers = [("Authorization", bearer.as_str()), NDJSON, ("Content-Encoding", "br")];
    assert_eq!(server.post("/v1/events", &headers, small_channel()).status, 415);
}

#[test]
fn refusals_say_why_and_take_nothing() {
    let (data, server, token) = server();
    let bearer = format!("Bearer {token}");
    let creator = format!("Bearer {}", data.key(&["creator", "--creator", "c"]));
    let refused = |headers: &[(&str, &str)]| {
        let response = server.post("/v1/events", headers, small_channel());
        (response.status, response.code())
    };
    assert_eq!(refused(&[NDJSON]), (401, "UNAUTHENTICATED".to_owned()));
    assert_eq!(refused(&[NDJSON, ("Authorization", "Bearer thr_0_0")]), (401, "UNAUTHENTICATED".to_owned()));
    assert_eq!(refused(&[NDJSON, ("Authorization", &creator)]), (403, "FORBIDDEN".to_owned()));
    assert_eq!(refused(&[("Authorization", &bearer)]), (415, "UNSUPPORTED_MEDIA_TYPE".to_owned()));
    assert_eq!(
        refused(&[("Authorization", &bearer), ("Content-Type", "text/html")]),
        (415, "UNSUPPORTED_MEDIA_TYPE".to_owned())
    );
    let get = server.get("/v1/events", &[]);
    assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
    assert!(server.post("/v1/events", &[NDJSON], "").header("www-authenticate").is_some());
    assert_eq!(
        server.ingest("/v1/events", &token, small_channel()).json()["duplicates"],
        0,
        "nothing was taken before"
    );
}

#[test]
fn a_body_over_a_limit_is_413_wherever_the_limit_strikes() {
    let data = Data::new();
    let token = data.key(&["ingest"]);
    let variables = [("THRONG_INGEST_BODY_BYTES_MAX", "100000"), ("THRONG_INGEST_DECOMPRESSED_BYTES_MAX", "200000")];
    let server = Server::start_with(&data, &variables);
    let line = small_channel();
    // Far more than fits any socket buffer, so a server that stopped reading would break the pipe.
    for bytes in [100_001, 50 << 20] {
        let response = server.ingest("/v1/events", &token, line.repeat(bytes / line.len() + 1));
        assert_eq!((response.status, response.code().as_str()), (413, "BODY_TOO_LARGE"));
    }
    let bomb = zstd::encode_all(&vec![b' '; 10 << 20][..], 3).unwrap();
    assert!(bomb.len() < 100_000);
    assert_eq!(server.ingest("/v1/events", &token, bomb).status, 413);
    // A refusal for another reason reads the body too, so that the answer arrives.
    let response = server.post("/v1/events", &[NDJSON], line.repeat((50 << 20) / line.len()));
    assert_eq!(response.status, 401);
    assert_eq!(server.ingest("/v1/events", &token, line).json()["accepted"], 60, "nothing was taken before");
}

#[test]
fn a_line_over_the_limit_costs_only_itself() {
    let (_data, server, token) = server();
    let long = format!("{{\"event_id\":\"{}\"}}\n", "x".repeat(70_000));
    let answer = server.ingest("/v1/events", &token, long + &small_channel()).json();
    assert_eq!((&answer["accepted"], &answer["rejected"][0]["code"]), (&json!(60), &json!("line_too_long")));
}

#[test]
fn the_list_of_rejected_lines_is_capped_and_their_number_is_not() {
    let (_data, server, token) = server();
    let answer = server.ingest("/v1/events", &token, "garbage\n".repeat(1_500) + &small_channel()).json();
    assert_eq!((answer["rejected"].as_array().unwrap().len(), &answer["rejected_total"]), (1_000, &json!(1_500)));
    assert_eq!(answer["accepted"], 60);
}

#[test]
fn overload_is_429_and_takes_nothing() {
    let data = Data::new();
    let token = data.key(&["ingest"]);
    let server = Server::start_with(&data, &[("THRONG_INGEST_BODIES_MAX", "1")]);
    // The only slot goes to a client that has sent half of its body.
    let body = small_channel();
    let (half, rest) = body.split_at(body.len() / 2);
    let mut slow = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/x-ndjson\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).unwrap();
    // It is told to go on once its handler runs, and that takes the slot first of all.
    let mut go_on = [0; 25];
    slow.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    slow.write_all(half.as_bytes()).unwrap();
    let refused = server.ingest("/v1/events", &token, "");
    assert_eq!((refused.status, refused.header("retry-after"), refused.code().as_str()), (429, Some("1"), "BUSY"));
    assert_eq!(server.ingest("/v1/events", &token, small_channel()).status, 429);
    slow.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("\"accepted\":60"),
        "nothing of the others was taken: {answer}"
    );
}

#[test]
fn a_disk_without_room_refuses_and_answers_go_on() {
    let data = Data::new();
    let events = data.file("events.ndjson", small_channel());
    data.import(&[&events], &[]);
    let (token, reader) = (data.key(&["ingest"]), data.key(&["operator"]));
    // The first start makes a noise key, and the store must remember it before anything is answered.
    Server::start(&data).stop();
    // More than any disk has free, so every write finds too little.
    let server = Server::start_with(&data, &[("THRONG_STORE_DISK_FREE_MIN_BYTES", "1125899906842624")]);
    let refused = server.ingest("/v1/events", &token, views("c", "a", 60..70));
    assert_eq!((refused.status, refused.code().as_str()), (507, "DISK_FULL"));
    let answer = server.query(Some(&reader), VIEWS, &of("c"));
    assert_eq!(answer["creator"]["counters"]["views"]["value"], 60.0);
}

#[test]
fn a_body_that_is_cut_off_takes_nothing() {
    let (data, server, token) = server();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\nContent-Type: application/x-ndjson\r\n\
         Content-Length: 100000\r\n\r\n"
    );
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(format!("{head}{}", small_channel()).as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    // Whether an answer comes to half a request does not matter here.
    _ = stream.read_to_end(&mut rest);
    server.stop();
    assert_eq!(data.json(&["verify"])["events"], 0);
}

#[test]
fn garbage_instead_of_http_gets_an_answer_and_harms_nobody() {
    let (_data, server, _token) = server();
    let response = client::exchange(server.address, b"\x16\x03\x01 this is no HTTP\r\n\r\n");
    assert_eq!(response.status, 400);
    assert_eq!(server.get("/healthz", &[]).status, 200);
}
