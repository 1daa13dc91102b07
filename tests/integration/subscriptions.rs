//! Subscriptions, as server-sent events and over WebSockets: values, errors, limits, and how they end.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::server::{Data, Server};
use crate::stream_client::{Events, Frame, Socket};

/// Looked at often, so that tests are quick.
const OFTEN: (&str, &str) = ("THRONG_GRAPHQL_SUBSCRIPTION_INTERVAL_MS", "100");
const VIEWS: &str =
    "subscription($video: ID!) { counters(video: $video) { range { from to } views { value disclosure } } }";
const OURS: (&str, &str) = ("Sec-WebSocket-Protocol", "graphql-transport-ws");
const STATUS: &str = "{ status { version } }";

fn server(variables: &[(&str, &str)]) -> (Data, Server, String) {
    let data = Data::new();
    let token = data.key(&["operator"]);
    let server = Server::start_with(&data, &[&[OFTEN], variables].concat());
    (data, server, token)
}

/// One view each of a video of channel `c`, a moment ago.
fn watch(server: &Server, token: &str, video: &str, viewers: std::ops::Range<u32>) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let line = |viewer: u32| {
        let event = json!({
            "event_id": format!("{video}-{viewer}"), "ts": now, "kind": "view", "viewer": format!("needle-{viewer}"),
            "creator": "c", "video": video, "watch_ms": 1000,
        });
        format!("{event}\n")
    };
    let response = server.ingest("/v1/events", token, viewers.map(line).collect::<String>());
    assert_eq!(response.status, 200, "{}", response.text());
}

fn question(video: &str) -> Value {
    json!({"query": VIEWS, "variables": {"video": video}})
}

fn views(answer: &Value) -> &Value {
    &answer["data"]["counters"]["views"]
}

fn exactly(views: u32) -> Value {
    json!({"value": f64::from(views), "disclosure": "EXACT"})
}

fn withheld() -> Value {
    json!({"value": null, "disclosure": "WITHHELD"})
}

fn code(errors: &Value) -> &str {
    errors[0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{errors}"))
}

/// What a query answers for the range of a value.
fn polled(server: &Server, token: &str, value: &Value) -> Value {
    let query = "query($from: Date!, $to: Date!) { video(id: \"a\") { counters(range: {from: $from, to: $to}) {
        range { from to } views { value disclosure } } } }";
    server.query(Some(token), query, &value["data"]["counters"]["range"])["video"]["counters"].clone()
}

#[test]
fn events_bring_a_value_at_once_and_again_when_it_has_changed() {
    let (_data, server, token) = server(&[]);
    watch(&server, &token, "a", 0..10);
    let mut events = Events::open(server.address, Some(&token), &question("a")).unwrap();
    assert!(events.headers.contains(&"content-type: text/event-stream; charset=utf-8".to_owned()));
    let first = events.next();
    assert_eq!(*views(&first), withheld());
    assert_eq!(polled(&server, &token, &first), first["data"]["counters"]);
    // Another hidden number is no news: it looks the same.
    watch(&server, &token, "a", 10..40);
    watch(&server, &token, "a", 40..60);
    assert_eq!(*views(&events.next()), exactly(60));
    // Nor are the events of another video.
    watch(&server, &token, "b", 0..60);
    watch(&server, &token, "a", 60..61);
    let last = events.next();
    assert_eq!(*views(&last), exactly(61));
    assert_eq!(polled(&server, &token, &last), last["data"]["counters"]);
}

#[test]
fn a_query_is_one_event_and_the_end() {
    let (_data, server, _) = server(&[]);
    let mut events = Events::open(server.address, None, &json!({"query": STATUS})).unwrap();
    assert!(events.next()["data"]["status"]["version"].is_string());
    assert_eq!(events.event().unwrap().0, "complete");
    assert_eq!(events.event(), None);
    let mut events = Events::get(server.address, "query=%7Bstatus%7Bversion%7D%7D").unwrap();
    assert!(events.next()["data"]["status"]["version"].is_string());
    assert_eq!(Events::get(server.address, "query=mutation%7Bx%7D").err(), Some(405));
    let mut invalid = Events::open(server.address, None, &json!({"query": "{ nothing }"})).unwrap();
    let answer = invalid.next();
    assert!(answer.get("data").is_none());
    assert_eq!(code(&answer["errors"]), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!((invalid.event().unwrap().0.as_str(), invalid.event()), ("complete", None));
}

#[test]
fn a_socket_carries_subscriptions_and_queries_side_by_side() {
    let (_data, server, token) = server(&[]);
    watch(&server, &token, "a", 0..60);
    let mut socket = Socket::admitted(server.address, Some(&token));
    assert!(socket.headers.contains(&"sec-websocket-protocol: graphql-transport-ws".to_owned()));
    let variables = json!({"video": "a"});
    socket.subscribe("s", VIEWS, &variables);
    let first = socket.message();
    assert_eq!((&first["id"], &first["type"], views(&first["payload"])), (&json!("s"), &json!("next"), &exactly(60)));
    assert_eq!(polled(&server, &token, &first["payload"]), first["payload"]["data"]["counters"]);
    socket.subscribe("q", STATUS, &json!({}));
    assert!(socket.message()["payload"]["data"]["status"]["version"].is_string());
    assert_eq!(socket.message(), json!({"id": "q", "type": "complete"}));
    watch(&server, &token, "a", 60..70);
    assert_eq!(*views(&socket.message()["payload"]), exactly(70));
    // Ended by the client; the same id may begin anew.
    socket.send(&json!({"id": "s", "type": "complete"}));
    socket.subscribe("s", VIEWS, &variables);
    assert_eq!(*views(&socket.message()["payload"]), exactly(70));
    socket.send(&json!({"type": "ping", "payload": {"a": 1}}));
    assert_eq!(socket.message(), json!({"type": "pong", "payload": {"a": 1}}));
    socket.send_frame(9, b"there?");
    assert_eq!(socket.frame(), Frame::Pong(b"there?".to_vec()));
    socket.send_frame(8, &1000_u16.to_be_bytes());
    assert_eq!(socket.close_code(), 1000);
}

#[test]
fn what_a_token_may_not_see_ends_as_if_it_did_not_exist() {
    let (data, server, token) = server(&[]);
    watch(&server, &token, "a", 0..60);
    let [other, own] = ["d", "c"].map(|creator| data.key(&["creator", "--creator", creator]));
    let ended = |token: Option<&str>, video: &str| {
        let mut socket = Socket::admitted(server.address, token);
        socket.subscribe("s", VIEWS, &json!({ "video": video }));
        let message = socket.message();
        assert_eq!(message["type"], "error");
        let mut events = Events::open(server.address, token, &question(video)).unwrap();
        let answer = events.next();
        assert_eq!((&answer["errors"], answer.get("data")), (&message["payload"], None));
        assert_eq!((events.event().unwrap().0.as_str(), events.event()), ("complete", None));
        message["payload"].clone()
    };
    let hidden = ended(Some(&other), "a");
    assert_eq!(code(&hidden), "NOT_FOUND");
    for (token, video) in [(&other, "nothing"), (&token, "nothing"), (&token, ""), (&data.key(&["ingest"]), "a")] {
        assert_eq!(ended(Some(token), video), hidden, "{video}");
    }
    assert_eq!(code(&ended(None, "a")), "UNAUTHENTICATED");
    let mut events = Events::open(server.address, Some(&own), &question("a")).unwrap();
    assert_eq!(*views(&events.next()), exactly(60));
}

#[test]
fn a_connection_that_breaks_the_protocol_is_closed_with_its_code() {
    let (data, server, token) = server(&[("THRONG_HTTP_QUERY_BODY_BYTES_MAX", "4096")]);
    watch(&server, &token, "a", 0..1);
    let open = |headers: &[(&str, &str)]| Socket::open(server.address, headers).unwrap();
    for protocols in [&[][..], &[("Sec-WebSocket-Protocol", "graphql-ws")]] {
        assert_eq!(open(protocols).close_code(), 4406);
    }
    let ours = || open(&[("Sec-WebSocket-Protocol", "graphql-ws, graphql-transport-ws")]);
    assert_eq!(ours().close_code(), 4408, "nothing was sent");
    let mut early = ours();
    early.subscribe("s", STATUS, &json!({}));
    assert_eq!(early.close_code(), 4401);
    let revoked = data.key(&["operator"]);
    data.json(&["key", "revoke", revoked.split('_').nth(1).unwrap()]);
    for wrong in ["Bearer thr_x_y", "Basic abc", &format!("Bearer {revoked}")] {
        let mut stranger = ours();
        stranger.send(&json!({"type": "connection_init", "payload": {"Authorization": wrong}}));
        assert_eq!(stranger.close_code(), 4403, "{wrong}");
        assert_eq!(Socket::open(server.address, &[OURS, ("Authorization", wrong)]).err(), Some(401));
    }
    let admitted = || Socket::admitted(server.address, Some(&token));
    let mut twice = admitted();
    twice.send(&json!({"type": "connection_init"}));
    assert_eq!(twice.close_code(), 4429);
    let mut same = admitted();
    same.subscribe("s", VIEWS, &json!({"video": "a"}));
    same.subscribe("s", VIEWS, &json!({"video": "a"}));
    assert_eq!(same.close_code(), 4409);
    for text in ["{", "{\"type\":\"unknown\"}", "{\"type\":\"subscribe\",\"id\":\"1\",\"payload\":{\"query\":1}}"] {
        let mut wrong = admitted();
        wrong.send_frame(1, text.as_bytes());
        assert_eq!(wrong.close_code(), 4400, "{text}");
    }
    let mut binary = admitted();
    binary.send_frame(2, b"{}");
    assert_eq!(binary.close_code(), 4400);
    let mut large = admitted();
    large.subscribe("s", &" ".repeat(5000), &json!({}));
    assert_eq!(large.close_code(), 1009);
}

#[test]
fn the_header_of_the_handshake_introduces_too() {
    let (_data, server, token) = server(&[]);
    watch(&server, &token, "a", 0..60);
    let mut socket = Socket::open(server.address, &[OURS, ("Authorization", &format!("Bearer {token}"))]).unwrap();
    socket.send(&json!({"type": "connection_init"}));
    assert_eq!(socket.message()["type"], "connection_ack");
    socket.subscribe("s", VIEWS, &json!({"video": "a"}));
    assert_eq!(*views(&socket.message()["payload"]), exactly(60));
}

#[test]
fn pages_of_other_sites_open_no_connection() {
    let (_data, server, _) = server(&[("THRONG_HTTP_CORS_ORIGINS", "https://studio.example")]);
    for (origin, status) in [
        ("https://studio.example", None),
        ("http://test", None),
        ("https://test", None),
        ("https://evil.example", Some(403)),
        ("https://test.evil.example", Some(403)),
        ("null", Some(403)),
    ] {
        assert_eq!(Socket::open(server.address, &[OURS, ("Origin", origin)]).err(), status, "{origin}");
    }
}

#[test]
fn a_revoked_key_ends_its_streams() {
    let (data, server, token) = server(&[]);
    let own = data.key(&["creator", "--creator", "c"]);
    watch(&server, &token, "a", 0..60);
    let mut events = Events::open(server.address, Some(&own), &question("a")).unwrap();
    let mut socket = Socket::admitted(server.address, Some(&own));
    socket.subscribe("s", VIEWS, &json!({"video": "a"}));
    assert_eq!((views(&events.next()), views(&socket.message()["payload"])), (&exactly(60), &exactly(60)));
    data.json(&["key", "revoke", own.split('_').nth(1).unwrap()]);
    assert_eq!(code(&events.next()["errors"]), "UNAUTHENTICATED");
    assert_eq!((events.event().unwrap().0.as_str(), events.event()), ("complete", None));
    assert_eq!(socket.close_code(), 4403);
}

#[test]
fn streams_keep_to_the_limits() {
    let (data, server, token) = server(&[
        ("THRONG_GRAPHQL_SUBSCRIPTIONS_PER_KEY_MAX", "2"),
        ("THRONG_GRAPHQL_SUBSCRIPTIONS_PER_CONNECTION_MAX", "1"),
        ("THRONG_GRAPHQL_ALIASES_MAX", "1"),
    ]);
    watch(&server, &token, "a", 0..60);
    let mut first = Socket::admitted(server.address, Some(&token));
    for id in ["1", "2"] {
        first.subscribe(id, VIEWS, &json!({"video": "a"}));
    }
    let mut messages = [first.message(), first.message()];
    messages.sort_by_key(|message| message["id"].to_string());
    assert_eq!((&messages[0]["type"], &messages[1]["type"]), (&json!("next"), &json!("error")));
    assert_eq!(code(&messages[1]["payload"]), "RATE_LIMITED");
    let mut second = Events::open(server.address, Some(&token), &question("a")).unwrap();
    second.next();
    assert_eq!(Events::open(server.address, Some(&token), &question("a")).err(), Some(429));
    // Connections are counted too, whether they ask anything or not.
    let _idle = Socket::admitted(server.address, Some(&token));
    let mut third = Socket::open(server.address, &[OURS, ("Authorization", &format!("Bearer {token}"))]).unwrap();
    third.send(&json!({"type": "connection_init"}));
    assert_eq!(third.close_code(), 1013);
    // Another key has places of its own.
    let other = data.key(&["creator", "--creator", "c"]);
    let many = "subscription { counters(video: \"a\") { a: views { value } b: views { value } } }";
    let two = "subscription { counters(video: \"a\") { range { to } } other: counters(video: \"b\") { range { to } } }";
    for (query, expected) in [(many, "QUERY_TOO_COMPLEX"), (two, "GRAPHQL_VALIDATION_FAILED")] {
        let mut events = Events::open(server.address, Some(&other), &json!({ "query": query })).unwrap();
        assert_eq!(code(&events.next()["errors"]), expected, "{query}");
    }
}

#[test]
fn fragments_at_the_root_come_to_one_field_or_are_refused() {
    let (_data, server, token) = server(&[]);
    watch(&server, &token, "a", 0..60);
    let first = |query: &str| {
        let mut events = Events::open(server.address, Some(&token), &json!({ "query": query })).unwrap();
        let first = events.next();
        (first.get("data").cloned(), first)
    };
    let field = "counters(video: \"a\") { views { value } }";
    let likes = "counters(video: \"a\") { likes { value } }";
    let plain = first(&format!("subscription {{ {field} }}")).0;
    assert_eq!(plain, Some(json!({"counters": {"views": {"value": 60.0}}})));
    for same in [
        format!("subscription {{ ...F }} fragment F on Subscription {{ {field} }}"),
        format!("subscription {{ ... {{ ... on Subscription {{ ...F }} }} }} fragment F on Subscription {{ {field} }}"),
        format!("subscription {{ ...F ...F {field} }} fragment F on Subscription {{ {field} }}"),
    ] {
        assert_eq!(first(&same).0, plain, "{same}");
    }
    let both = first(&format!("subscription {{ {field} ...F }} fragment F on Subscription {{ {likes} }}")).0;
    assert_eq!(both, Some(json!({"counters": {"views": {"value": 60.0}, "likes": {"value": 0.0}}})));
    let renamed = first(&format!("subscription {{ ...F }} fragment F on Subscription {{ n: {field} }}")).0;
    assert_eq!(renamed, Some(json!({"n": {"views": {"value": 60.0}}})));
    for wrong in [
        format!("subscription {{ {field} ...F }} fragment F on Subscription {{ other: {likes} }}"),
        format!(
            "subscription {{ {field} ...F }} fragment F on Subscription {{ counters(video: \"b\") {{ range {{ to }} }} }}"
        ),
        format!("subscription {{ ...F @include(if: true) }} fragment F on Subscription {{ {field} }}"),
        "subscription { ...F } fragment F on Subscription { counters(video: \"a\") @skip(if: false) { range { to } } }"
            .to_owned(),
        "subscription { ...F } fragment F on Query { status { version } }".to_owned(),
        "subscription { ...Nothing }".to_owned(),
        format!("subscription {{ {field} ...Nothing }}"),
    ] {
        let (data, answer) = first(&wrong);
        assert_eq!((data, code(&answer["errors"])), (None, "GRAPHQL_VALIDATION_FAILED"), "{wrong}");
    }
}

#[test]
fn with_trusted_documents_streams_answer_no_other() {
    let data = Data::new();
    let path = data.file("trusted/views.graphql", VIEWS);
    let token = data.key(&["operator"]);
    let folder = path.parent().and_then(|folder| folder.to_str()).unwrap();
    let server = Server::start_with(&data, &[OFTEN, ("THRONG_GRAPHQL_TRUSTED_DOCUMENTS", folder)]);
    watch(&server, &token, "a", 0..60);
    let mut events = Events::open(server.address, Some(&token), &question("a")).unwrap();
    assert_eq!(*views(&events.next()), exactly(60));
    assert_eq!(Events::open(server.address, Some(&token), &json!({"query": STATUS})).err(), Some(403));
    let mut socket = Socket::admitted(server.address, Some(&token));
    socket.subscribe("s", STATUS, &json!({}));
    assert_eq!(code(&socket.message()["payload"]), "FORBIDDEN");
}

#[test]
fn a_subscription_needs_a_stream() {
    let (_data, server, token) = server(&[]);
    watch(&server, &token, "a", 0..60);
    // Known as valid, so that nothing but the way decides.
    Events::open(server.address, Some(&token), &question("a")).unwrap().next();
    let bearer = format!("Bearer {token}");
    let headers = [("Content-Type", "application/json"), ("Authorization", bearer.as_str())];
    let response = server.post("/graphql", &headers, question("a").to_string());
    assert_eq!((response.status, response.code().as_str()), (400, "BAD_USER_INPUT"));
    let handshake = server.get("/graphql", &[("Upgrade", "websocket"), ("Connection", "Upgrade")]);
    assert_eq!((handshake.status, handshake.code().as_str()), (400, "BAD_USER_INPUT"));
}

#[test]
fn a_stopping_server_ends_its_streams() {
    let (_data, server, token) = server(&[]);
    watch(&server, &token, "a", 0..60);
    let mut events = Events::open(server.address, Some(&token), &question("a")).unwrap();
    let mut socket = Socket::admitted(server.address, Some(&token));
    socket.subscribe("s", VIEWS, &json!({"video": "a"}));
    assert_eq!((views(&events.next()), views(&socket.message()["payload"])), (&exactly(60), &exactly(60)));
    let mut idle = Socket::admitted(server.address, None);
    server.signal("TERM");
    assert_eq!((events.event().unwrap().0.as_str(), events.event()), ("complete", None));
    assert_eq!((socket.frame(), idle.frame()), (Frame::Close(1001), Frame::Close(1001)));
    let (status, log) = server.wait();
    assert!(status.success() && !log.contains("needle"), "{log}");
}
