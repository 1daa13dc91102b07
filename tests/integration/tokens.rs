//! What a token lets its holder ask: how much at a time, and of which channels.

use serde_json::{Value, json};

use crate::client::Response;
use crate::platform::{small_channel, views};
use crate::server::{Data, Server};
use crate::stream_client::Socket;

const STATUS: &str = "{ status { version policyVersion } }";
const SETTLED: &str = "{ creator(id: \"c\") { audience(window: {kind: DAY}) { reach { value } } } }";

/// So slow that nothing to speak of comes back within a test.
fn limited(points: &str) -> [(&'static str, &str); 2] {
    [("THRONG_RATE_POINTS_MAX", points), ("THRONG_RATE_POINTS_PER_SECOND", "1")]
}

fn ask(server: &Server, token: Option<&str>, query: &str) -> Response {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("Content-Type", "application/json"), ("Accept", "application/graphql-response+json")];
    headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
    server.post("/graphql", &headers, json!({ "query": query }).to_string())
}

fn cost(answer: &Response) -> Value {
    answer.json()["extensions"]["cost"].clone()
}

fn two_channels() -> Data {
    let data = Data::new();
    let events = data.file("events.ndjson", small_channel() + &views("d", "b", 0..60));
    data.import(&[&events], &["--seal"]);
    data
}

#[test]
fn every_answer_says_what_it_cost_and_what_is_left() {
    let data = two_channels();
    let token = data.key(&["operator"]);
    let server = Server::start_with(&data, &limited("1000"));
    // creator 1, audience 200, reach 1, value 1. Kept ones cost the same; a quarter hour may begin between two of them.
    for left in [797, 594, 391] {
        let answer = ask(&server, Some(&token), SETTLED);
        assert!(answer.json()["data"]["creator"]["audience"]["reach"].is_object(), "{answer:?}");
        let (cost, expected) = (cost(&answer), json!({"requested": 203, "actual": 203, "restoreRate": 1}));
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(cost[name], *value, "{cost}");
        }
        // Some points may have come back.
        let available = cost["available"].as_u64().unwrap();
        assert!((left..left + 60).contains(&available), "{available}");
        assert_eq!(answer.header("ratelimit-policy"), Some("\"cost\";q=1000;w=1000;qu=\"points\""));
        let head = answer.header("ratelimit").unwrap();
        assert!(head.starts_with(&format!("\"cost\";r={available};t=")), "{head}");
        assert!(answer.json()["extensions"]["policyVersion"].is_string());
    }
    // What is refused as a document costs 1, and says so too.
    for refused in ["{", "{ nobody }"] {
        let answer = ask(&server, Some(&token), refused);
        assert_eq!((answer.status, cost(&answer)["actual"].as_u64()), (400, Some(1)), "{answer:?}");
    }
    let log = server.stop();
    assert!(log.contains("answers_kept=1") || log.contains("answers_kept=2"), "{log}");
}

#[test]
fn a_bucket_without_the_points_answers_429_and_when_to_come_back() {
    let data = two_channels();
    let (token, other) = (data.key(&["operator"]), data.key(&["operator"]));
    let server = Server::start_with(&data, &limited("300"));
    assert_eq!(ask(&server, Some(&token), SETTLED).status, 200);
    let refused = ask(&server, Some(&token), SETTLED);
    assert_eq!((refused.status, refused.code().as_str()), (429, "RATE_LIMITED"));
    assert_eq!(refused.json().get("data"), None);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((50..=110).contains(&wait), "{wait}");
    let beside = refused.json()["errors"][0]["extensions"].clone();
    assert_eq!((&beside["retryAfter"], &beside["requested"]), (&json!(wait), &json!(203)));
    let told = cost(&refused);
    assert_eq!((&told["requested"], &told["actual"]), (&json!(203), &json!(0)));
    assert!(told["available"].as_u64().unwrap() < 203, "{told}");
    assert!(refused.header("ratelimit").is_some() && refused.header("ratelimit-policy").is_some());
    // What is left still buys something, and another key has a bucket of its own.
    assert_eq!(ask(&server, Some(&token), STATUS).status, 200);
    assert_eq!(ask(&server, Some(&other), SETTLED).status, 200);
}

#[test]
fn streams_and_tables_say_when_to_come_back_too() {
    let data = two_channels();
    let token = data.key(&["operator"]);
    let server = Server::start_with(&data, &limited("220"));
    assert_eq!(ask(&server, Some(&token), SETTLED).status, 200);
    let question = "subscription { counters(video: \"a\") { views { value } } }";
    let waits = |seconds: &Value| seconds.as_u64().is_some_and(|seconds| (2..=200).contains(&seconds));
    let mut socket = Socket::admitted(server.address, Some(&token));
    socket.subscribe("s", question, &json!({}));
    let refused = socket.message();
    let beside = &refused["payload"][0]["extensions"];
    assert_eq!((&refused["type"], &beside["code"]), (&json!("error"), &json!("RATE_LIMITED")));
    assert!(waits(&beside["retryAfter"]), "{refused}");
    let bearer = format!("Bearer {token}");
    let headers =
        [("Content-Type", "application/json"), ("Accept", "text/event-stream"), ("Authorization", bearer.as_str())];
    let refused = server.post("/graphql", &headers, json!({ "query": question }).to_string());
    assert_eq!((refused.status, refused.code().as_str()), (429, "RATE_LIMITED"));
    assert!(waits(&json!(refused.header("retry-after").unwrap().parse::<u64>().unwrap())), "{refused:?}");
    assert!(waits(&refused.json()["errors"][0]["extensions"]["retryAfter"]), "{refused:?}");
    let table = server.get("/v1/export/counters.csv?creator=c&last=1", &headers[2..]);
    assert_eq!((table.status, table.code().as_str()), (429, "RATE_LIMITED"));
    assert!(waits(&json!(table.header("retry-after").unwrap().parse::<u64>().unwrap())), "{table:?}");
}

#[test]
fn callers_without_a_token_share_one_bucket() {
    let data = Data::new();
    let token = data.key(&["operator"]);
    let server = Server::start_with(&data, &limited("7"));
    let statuses: Vec<_> = (0..5).map(|_| ask(&server, None, STATUS).status).collect();
    assert_eq!(statuses[..2], [200, 200]);
    assert_eq!(statuses.last(), Some(&429));
    assert_eq!(ask(&server, Some(&token), STATUS).status, 200);
}

#[test]
fn what_no_bucket_can_hold_is_too_complex_and_not_a_matter_of_waiting() {
    let data = two_channels();
    let token = data.key(&["operator"]);
    let server = Server::start_with(&data, &limited("202"));
    for _ in 0..2 {
        let refused = ask(&server, Some(&token), SETTLED);
        assert_eq!((refused.status, refused.code().as_str()), (400, "QUERY_TOO_COMPLEX"));
        assert_eq!(refused.header("retry-after"), None);
        let error = refused.json()["errors"][0].clone();
        assert_eq!(error["extensions"], json!({"code": "QUERY_TOO_COMPLEX", "requested": 203, "limit": 202}));
        assert_eq!(error["message"], "this costs 203 points, and a caller can have 202 at all");
    }
}

#[test]
fn a_caller_can_ask_what_it_may_still_spend() {
    let data = Data::new();
    let token = data.key(&["operator"]);
    let server = Server::start_with(&data, &limited("500"));
    let query = "{ rateLimit { limit remaining restoreRate cost resetAt } }";
    let mut before = 501;
    for _ in 0..3 {
        let answer = ask(&server, Some(&token), query);
        let told = &answer.json()["data"]["rateLimit"];
        assert_eq!((&told["limit"], &told["restoreRate"], &told["cost"]), (&json!(500), &json!(1), &json!(6)));
        assert_eq!(told["remaining"], cost(&answer)["available"]);
        // Never kept: each time it is another number.
        let remaining = told["remaining"].as_u64().unwrap();
        assert!(remaining < before && told["resetAt"].as_str().unwrap().ends_with('Z'), "{told}");
        before = remaining;
    }
    server.stop();
    let free = Server::start_with(&data, &[("THRONG_RATE_POINTS_MAX", "0")]);
    let answer = ask(&free, Some(&token), query);
    assert_eq!(answer.json()["data"], json!({"rateLimit": null}));
    assert_eq!(cost(&answer), json!({"requested": 6, "actual": 6}));
    assert_eq!(answer.header("ratelimit"), None);
}

#[test]
fn what_is_done_to_keys_is_noted_for_ever_and_without_tokens() {
    let data = Data::new();
    let token = data.key(&["creator", "--creator", "c"]);
    let id = token.split('_').nth(1).unwrap();
    data.json(&["key", "revoke", id]);
    // Again changes nothing, and what fails is nothing.
    data.json(&["key", "revoke", id]);
    assert!(!data.run(&["key", "revoke", "000000000000"]).status.success());
    let records = data.json(&["key", "audit"])["records"].clone();
    let told: Vec<_> = records.as_array().unwrap().iter().map(|record| (&record["action"], &record["key"])).collect();
    assert_eq!(told, [(&json!("key.create"), &json!(id)), (&json!("key.revoke"), &json!(id))]);
    assert_eq!((&records[0]["role"], &records[0]["creators"]), (&json!("creator"), &json!(["c"])));
    assert!(records[0]["by"].as_str().unwrap().starts_with("cli:") && records[0]["at"].is_string());
    let path = data.path().with_file_name("data.audit.jsonl");
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(!kept.contains(token.rsplit('_').next().unwrap()), "{kept}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_key_is_not_changed_where_that_cannot_be_noted() {
    let data = Data::new();
    std::fs::create_dir_all(data.path().with_file_name("data.audit.jsonl")).unwrap();
    let failed = data.run(&["key", "create", "--role", "operator"]);
    assert!(!failed.status.success() && String::from_utf8_lossy(&failed.stderr).contains("audit log"), "{failed:?}");
    assert_eq!(data.json(&["key", "list"])["keys"], json!([]));
}

#[test]
fn introspection_costs_little() {
    let data = Data::new();
    let server = Server::start(&data);
    let query =
        "{ __schema { types { name description fields { name args { name type { name ofType { name } } } } } } }";
    let answer = ask(&server, None, query);
    assert!(cost(&answer)["actual"].as_u64().unwrap() < 20, "{:?}", cost(&answer));
}
