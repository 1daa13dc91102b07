//! What the log says of requests, and above all what it never says.

use serde_json::{Value, json};

use crate::platform::{VIEWS, day, of};
use crate::server::{Data, Server};

/// Everything that can be put into a request, each with a needle of its own; the whole log of the server that got it.
fn log_of_everything(format: &str) -> (String, String) {
    let data = Data::new();
    let token = data.key(&["operator"]);
    let server = Server::start_with(&data, &[("THRONG_LOG_FORMAT", format), ("THRONG_LOG_LEVEL", "debug")]);
    let day = day();
    let line = |n: u32| {
        format!(
            "{{\"event_id\":\"needle-event{n}\",\"ts\":\"{day}T12:00:00Z\",\"kind\":\"view\",\"viewer\":\"needle-viewer{n}\",\
             \"creator\":\"needle-creator\",\"video\":\"needle-video\",\"watch_ms\":99407}}\n"
        )
    };
    let lines: String = (0..77).map(line).collect::<String>() + "needle-garbage\n{\"viewer\": \"needle-viewer\"}\n";
    assert_eq!(server.ingest("/v1/events", &token, lines).json()["accepted"], 77);
    let answer = server.query(Some(&token), VIEWS, &of("needle-creator"));
    assert_eq!(answer["creator"]["counters"]["watchTime"]["value"], 7_654.339);
    let bearer = format!("Bearer {token}");
    for target in ["/graphql?query={needleField}", "/needle-path", "/playground/needle-file", "/healthz?needle-query=1"]
    {
        server
            .get(target, &[("Authorization", &bearer), ("User-Agent", "needle-agent"), ("Cookie", "needle-cookie=1")]);
    }
    server.post("/graphql", &[("Content-Type", "application/json")], "{\"query\": \"{ needleField }\"}");
    server.post(
        "/graphql",
        &[("Content-Type", "application/json"), ("Authorization", "Bearer thr_needle_needle")],
        "needle",
    );
    (server.stop(), token)
}

#[test]
fn a_log_never_holds_a_viewer_a_token_a_query_or_an_answer() {
    for format in ["text", "json"] {
        let (log, token) = log_of_everything(format);
        assert!(!log.contains("needle"), "{log}");
        assert!(!log.contains(token.rsplit('_').next().unwrap()), "{log}");
        assert!(!log.contains("7654.339") && !log.contains("7654339"), "the watch time: {log}");
        assert!(log.contains(token.split('_').nth(1).unwrap()), "the key's public id is there: {log}");
    }
}

#[test]
fn each_request_is_one_line_with_method_route_status_duration_and_key() {
    let (log, token) = log_of_everything("json");
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let requests: Vec<_> =
        lines.iter().filter(|line| line["target"] == "throng::http").map(|line| &line["fields"]).collect();
    let summary: Vec<_> = requests
        .iter()
        .map(|fields| {
            (fields["method"].as_str().unwrap(), fields["path"].as_str().unwrap(), fields["status"].as_u64().unwrap())
        })
        .collect();
    let expected = [
        ("POST", "/v1/events", 200),
        ("POST", "/graphql", 200),
        ("GET", "/graphql", 403),
        ("GET", "-", 404),
        ("GET", "/playground/{file:.*}", 404),
        ("GET", "/healthz", 200),
        ("POST", "/graphql", 200),
        ("POST", "/graphql", 401),
    ];
    assert_eq!(summary, expected);
    assert_eq!(requests[0]["key"], json!(token.split('_').nth(1).unwrap()));
    assert_eq!(requests[6]["key"], "-");
    assert!(requests.iter().all(|fields| fields["duration_us"].is_u64()));
}
