//! `GET /metrics`: who may read it, and that it says nothing about anyone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::client::Response;
use crate::platform::small_channel;
use crate::server::{Data, Server};
use crate::stream_client::Socket;

/// Labels, and every value that they may have.
fn closed_sets() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let routes = "/graphql /v1/export/counters.csv /v1/export/top-videos.csv /v1/export/audience.csv /v1/export/trending.csv /v1/events /v1/catalog /v1/erase / /assets/{file} /playground /playground/{file:.*} /schema.graphql /healthz \
        /readyz /metrics other";
    let statuses = "101 200 204 206 304 400 401 403 404 405 406 408 409 413 415 422 429 500 501 503 504 507 other";
    let codes = "GRAPHQL_PARSE_FAILED GRAPHQL_VALIDATION_FAILED BAD_USER_INPUT UNAUTHENTICATED FORBIDDEN NOT_FOUND \
        METHOD_NOT_ALLOWED RATE_LIMITED QUERY_TOO_COMPLEX PERSISTED_QUERY_NOT_FOUND TIMEOUT INTERNAL UNAVAILABLE other";
    let bounds = "0.0001 0.00025 0.0005 0.001 0.0025 0.005 0.01 0.05 0.1 0.5 1 10 +Inf";
    [
        ("route", routes),
        ("status", statuses),
        ("code", codes),
        ("le", bounds),
        ("result", "hit miss"),
        ("reason", "points complexity queries subscriptions connections"),
        ("outcome", "accepted late duplicate rejected"),
        ("disclosure", "EXACT NOISY WITHHELD NOT_SEALED NOT_APPLICABLE"),
    ]
    .map(|(label, values)| (label, values.split_whitespace().collect()))
    .into()
}

fn read(server: &Server, token: Option<&str>) -> Response {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let headers: Vec<_> = bearer.as_deref().map(|bearer| ("Authorization", bearer)).into_iter().collect();
    server.get("/metrics", &headers)
}

/// The value of a metric with its labels, as it is written.
fn value(text: &str, metric: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {metric} in {text}")).parse().unwrap()
}

/// Seven viewers, and everything else that a client can write somewhere.
fn tiny_traffic(server: &Server, token: &str) {
    let line = |viewer: u32| {
        format!(
            "{{\"event_id\":\"needle-e{viewer}\",\"ts\":\"2026-03-01T12:00:00Z\",\"kind\":\"view\",\"viewer\":\"needle-{viewer}\",\
             \"creator\":\"needle-c\",\"video\":\"needle-a\",\"watch_ms\":7654321}}\n"
        )
    };
    let lines: String = (0..7).map(line).chain([line(6), "{}\n".to_owned()]).collect();
    assert_eq!(server.ingest("/v1/events", token, lines).status, 200);
    let query = "query needle { video(id: \"needle-a\") { counters(range: {from: \"2026-03-01\", to: \"2026-03-01\"}) {
        views { value } watchTime { value disclosure } } } }";
    server.query(Some(token), query, &json!({}));
    let bearer = format!("Bearer {token}");
    let headers = [("Content-Type", "application/json"), ("Authorization", bearer.as_str()), ("needle", "needle")];
    for query in
        ["{ needle }", "{ needle", "{ video(id: \"needle\") { counters(range: {last: -1}) { views { value } } } }"]
    {
        server.post("/graphql", &headers, json!({ "query": query }).to_string());
    }
    for path in ["/needle", "/playground/needle", "/assets/needle", "/graphql?query=needle", "/v1/needle?needle=needle"]
    {
        server.get(path, &[]);
    }
}

#[test]
fn labels_come_from_closed_sets_and_nothing_tells_of_anyone() {
    let data = Data::new();
    let token = data.key(&["operator"]);
    let server = Server::start(&data);
    tiny_traffic(&server, &token);
    let response = read(&server, Some(&token));
    assert_eq!(response.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = response.text();
    let sets = closed_sets();
    let mut seen = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (metric, number) = line.rsplit_once(' ').unwrap();
        assert!(number.parse::<f64>().is_ok(), "{line}");
        let (_, labels) = metric.split_once('{').unwrap_or((metric, "}"));
        for label in labels.strip_suffix('}').unwrap().split(',').filter(|label| !label.is_empty()) {
            let (name, value) = label.split_once('=').unwrap();
            let known = sets.get(name).unwrap_or_else(|| panic!("{line}"));
            assert!(known.contains(value.trim_matches('"')), "{line}");
            seen.insert(name);
        }
    }
    assert!(seen.iter().eq(sets.keys()), "{seen:?}");
    for secret in ["needle", "7654", "53580", token.split('_').nth(1).unwrap(), token.split('_').nth(2).unwrap()] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn what_happens_is_counted() {
    let data = Data::new();
    let token = data.key(&["operator"]);
    let server = Server::start(&data);
    tiny_traffic(&server, &token);
    let mut socket = Socket::admitted(server.address, Some(&token));
    socket.subscribe("s", "subscription { counters(video: \"needle-a\") { views { value } } }", &json!({}));
    socket.message();
    let text = read(&server, Some(&token)).text().to_owned();
    for (metric, expected) in [
        ("throng_http_requests_total{route=\"/v1/events\",status=\"200\"}", 1.0),
        ("throng_http_requests_total{route=\"/graphql\",status=\"101\"}", 1.0),
        ("throng_http_requests_total{route=\"other\",status=\"404\"}", 2.0),
        ("throng_http_request_seconds_count{route=\"/v1/events\"}", 1.0),
        ("throng_http_request_seconds_bucket{route=\"/v1/events\",le=\"+Inf\"}", 1.0),
        ("throng_graphql_errors_total{code=\"GRAPHQL_PARSE_FAILED\"}", 2.0),
        ("throng_graphql_errors_total{code=\"GRAPHQL_VALIDATION_FAILED\"}", 1.0),
        ("throng_events_total{outcome=\"late\"}", 7.0),
        ("throng_events_total{outcome=\"duplicate\"}", 1.0),
        ("throng_events_total{outcome=\"rejected\"}", 1.0),
        ("throng_measures_total{disclosure=\"EXACT\"}", 0.0),
        ("throng_measures_total{disclosure=\"WITHHELD\"}", 3.0),
        ("throng_subscriptions_open", 1.0),
        ("throng_queries_under_way", 0.0),
    ] {
        assert_eq!(value(&text, metric), expected, "{metric} in {text}");
    }
    assert!(value(&text, "throng_store_bytes") > 1_000.0);
    assert!(value(&text, "throng_seal_lag_seconds") > 0.0);
}

#[test]
fn a_measure_counts_once_however_often_its_answer_was_tried() {
    let data = Data::new();
    data.import(&[&data.file("events.ndjson", small_channel())], &["--seal"]);
    let token = data.key(&["operator"]);
    let server = Server::start(&data);
    // An answer with an error is never one that was computed where it came in: from the second time on it is tried there first.
    let query = "{ creator(id: \"c\") { counters(range: {last: 1}) { views { value } likes { value } } }
        wrong: creator(id: \"c\") { counters(range: {last: 0}) { views { value } } } }";
    let bearer = format!("Bearer {token}");
    let headers = [("Content-Type", "application/json"), ("Authorization", bearer.as_str())];
    for times in 1..=3_u32 {
        let answer = server.post("/graphql", &headers, json!({ "query": query }).to_string());
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{}", answer.text());
        assert!(answer.json()["data"]["creator"]["counters"]["views"].is_object());
        let text = read(&server, Some(&token)).text().to_owned();
        let counted =
            ["EXACT", "WITHHELD"].map(|name| value(&text, &format!("throng_measures_total{{disclosure=\"{name}\"}}")));
        assert_eq!(counted.iter().sum::<f64>(), f64::from(2 * times), "{text}");
    }
}

#[test]
fn costs_and_what_met_a_limit_are_counted() {
    let data = Data::new();
    let token = data.key(&["operator"]);
    let server = Server::start_with(
        &data,
        &[
            ("THRONG_RATE_POINTS_MAX", "9"),
            ("THRONG_RATE_POINTS_PER_SECOND", "1"),
            ("THRONG_GRAPHQL_ALIASES_MAX", "1"),
            ("THRONG_GRAPHQL_SUBSCRIPTIONS_PER_KEY_MAX", "1"),
        ],
    );
    let ask = |query: &str, key: &str| {
        let bearer = format!("Bearer {key}");
        let headers = [("Content-Type", "application/json"), ("Authorization", bearer.as_str())];
        server.post("/graphql", &headers, json!({ "query": query }).to_string()).status
    };
    let other = data.key(&["operator"]);
    assert_eq!(ask("{ status { version } }", &token), 200);
    assert_eq!(ask("{ rateLimit { limit cost remaining restoreRate resetAt } }", &token), 200);
    assert_eq!(ask("{ rateLimit { limit cost remaining restoreRate resetAt } }", &token), 429);
    assert_eq!(ask("{ creators(first: 100) { edges { cursor } } }", &token), 200, "refused inside the answer");
    assert_eq!(ask("{ a: __typename b: __typename }", &other), 200);
    let _first = Socket::admitted(server.address, Some(&other));
    let mut second = Socket::open(server.address, &[("Sec-WebSocket-Protocol", "graphql-transport-ws")]).expect("101");
    second.send(&json!({"type": "connection_init", "payload": {"Authorization": format!("Bearer {other}")}}));
    assert_eq!(second.close_code(), 1013);
    let text = read(&server, Some(&token)).text().to_owned();
    for (metric, expected) in [
        // 2 and 6, and 1 for the document that was refused.
        ("throng_cost_points_total", 9.0),
        ("throng_refused_total{reason=\"points\"}", 1.0),
        ("throng_refused_total{reason=\"complexity\"}", 2.0),
        ("throng_refused_total{reason=\"connections\"}", 1.0),
        ("throng_refused_total{reason=\"subscriptions\"}", 0.0),
        ("throng_refused_total{reason=\"queries\"}", 0.0),
    ] {
        assert_eq!(value(&text, metric), expected, "{metric} in {text}");
    }
}

#[test]
fn only_who_may_reads_metrics() {
    let data = Data::new();
    let (operator, creator) = (data.key(&["operator"]), data.key(&["creator", "--creator", "c"]));
    let status = |server: &Server| {
        [None, Some(creator.as_str()), Some("thr_x_y"), Some(operator.as_str())].map(|token| read(server, token).status)
    };
    assert_eq!(status(&Server::start(&data)), [401, 403, 401, 200]);
    assert_eq!(status(&Server::start_with(&data, &[("THRONG_HTTP_METRICS", "off")])), [404; 4]);
    let open = Server::start_with(&data, &[("THRONG_HTTP_METRICS", "open")]);
    assert_eq!(status(&open), [200, 403, 401, 200]);
    let (part, whole) = (read(&open, None), read(&open, Some(&operator)));
    for data in ["throng_events_total", "throng_measures_total", "throng_store_", "throng_seal_lag"] {
        assert!(!part.text().contains(data) && whole.text().contains(data), "{data}");
    }
    assert!(part.text().contains("throng_http_requests_total"));
}
