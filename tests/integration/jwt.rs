//! JSON Web Tokens: what they open, that all that is wrong with one looks the same, and that what they opened ends with them.

use serde_json::{Value, json};

use crate::client::Response;
use crate::issuer::{Issuer, TAKEN, now, publish};
use crate::platform::{VIEWS, of, small_channel, views};
use crate::server::{Data, Server};
use crate::stream_client::{Events, Socket};

const OFTEN: (&str, &str) = ("THRONG_GRAPHQL_SUBSCRIPTION_INTERVAL_MS", "100");
/// No look at a subscription comes before the tests are over.
const SELDOM: (&str, &str) = ("THRONG_GRAPHQL_SUBSCRIPTION_INTERVAL_MS", "3600000");
const COUNTERS: &str = "subscription { counters(video: \"a\") { views { value } } }";
const STATUS: &str = "{ status { version } }";

fn two_channels(variables: &[(&str, &str)]) -> (Data, Server, Issuer) {
    let data = Data::new();
    let events = data.file("events.ndjson", small_channel() + &views("d", "b", 0..60));
    data.import(&[&events], &["--seal"]);
    let issuer = Issuer::new(1, "one");
    publish(&data, &[&issuer]);
    let server = Server::start_with(&data, &[&TAKEN[..], variables].concat());
    (data, server, issuer)
}

fn ask(server: &Server, token: &str, query: &str) -> Response {
    let bearer = format!("Bearer {token}");
    let headers = [("Content-Type", "application/json"), ("Authorization", bearer.as_str())];
    server.post("/graphql", &headers, json!({ "query": query }).to_string())
}

fn sees(server: &Server, token: &str, creator: &str) -> bool {
    !server.query(Some(token), VIEWS, &of(creator))["creator"].is_null()
}

#[test]
fn a_creator_s_token_sees_the_channel_that_it_names_and_no_other() {
    let (_data, server, issuer) = two_channels(&[]);
    let named = issuer.token(&json!({"sub": "someone", "role": "creator", "creator": "d"}));
    for (token, c, d) in [(issuer.creator("c"), true, false), (named, false, true)] {
        assert_eq!((sees(&server, &token, "c"), sees(&server, &token, "d")), (c, d));
        let table = |id: &str| {
            let bearer = format!("Bearer {token}");
            server.get(&format!("/v1/export/counters.csv?creator={id}&last=7"), &[("Authorization", &bearer)]).status
        };
        assert_eq!((table("c") == 200, table("d") == 200), (c, d));
        assert_eq!(server.ingest("/v1/events", &token, small_channel()).status, 403);
    }
    assert_eq!(ask(&server, &issuer.token(&json!({"sub": "x", "role": "partner"})), STATUS).status, 200);
}

#[test]
fn whatever_is_wrong_with_a_token_looks_the_same_and_the_log_says_why_without_it() {
    let (data, server, issuer) = two_channels(&[("THRONG_LOG_LEVEL", "debug")]);
    let key = data.key(&["operator"]);
    let other_digit = if key.ends_with('0') { '1' } else { '0' };
    let of_key = ask(&server, &format!("{}{other_digit}", &key[..key.len() - 1]), STATUS);
    assert_eq!(of_key.status, 401);
    let needle = |changes: Value| {
        let mut claims = json!({"sub": "needle-subject", "role": "creator"});
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        issuer.token(&claims)
    };
    let good = needle(json!({}));
    let (other, stranger) = (Issuer::new(2, "one"), Issuer::new(1, "two"));
    let wrong = [
        needle(json!({"exp": now() - 1})),
        needle(json!({"exp": now() + 1_000_000})),
        needle(json!({"exp": null})),
        needle(json!({"nbf": now() + 600})),
        needle(json!({"iss": "needle-issuer"})),
        needle(json!({"aud": "needle-audience"})),
        needle(json!({"role": "operator"})),
        needle(json!({"role": "viewer"})),
        needle(json!({"padding": "needle".repeat(1_000)})),
        other.token(&json!({"sub": "needle-subject", "role": "creator"})),
        stranger.token(&json!({"sub": "needle-subject", "role": "creator"})),
        format!("{good}x"),
        good.replace('.', ""),
        "needle".to_owned(),
    ];
    for token in &wrong {
        let refused = ask(&server, token, STATUS);
        assert_eq!((refused.status, refused.text()), (401, of_key.text()), "{token}");
        assert_eq!(refused.header("www-authenticate"), of_key.header("www-authenticate"));
        let mut socket =
            Socket::open(server.address, &[("Sec-WebSocket-Protocol", "graphql-transport-ws")]).expect("101");
        let payload = json!({ "Authorization": format!("Bearer {token}") });
        socket.send(&json!({"type": "connection_init", "payload": payload}));
        assert_eq!(socket.close_code(), 4403);
    }
    assert_eq!(ask(&server, &good, STATUS).status, 200);
    let log = server.stop();
    assert!(log.contains("a JWT was refused") && log.contains("it has expired"), "{log}");
    for token in wrong.iter().chain([&good]) {
        let longest = token.split('.').max_by_key(|part| part.len()).unwrap();
        assert!(!log.contains(longest), "{log}");
    }
    assert!(!log.contains("needle"), "no claim either: {log}");
    assert!(log.contains("key=\"jwt\"") || log.contains("key=jwt"), "{log}");
}

#[test]
fn tokens_of_one_subject_share_a_bucket_and_those_of_others_do_not() {
    let (_data, server, issuer) =
        two_channels(&[("THRONG_RATE_POINTS_MAX", "9"), ("THRONG_RATE_POINTS_PER_SECOND", "1")]);
    let token = |subject: &str, id: u32| {
        issuer.token(&json!({"sub": subject, "role": "creator", "creator": "c", "jti": id.to_string()}))
    };
    // Each costs 2, so the ninth point is the last, were a fresh token a fresh bucket it would never come to that.
    let statuses: Vec<_> = (0..9).map(|id| ask(&server, &token("ada", id), STATUS).status).collect();
    assert_eq!((statuses[0], statuses[8]), (200, 429), "{statuses:?}");
    assert_eq!(ask(&server, &token("bob", 0), STATUS).status, 200);
}

#[test]
fn a_stream_ends_with_the_token_that_opened_it() {
    let (data, server, issuer) = two_channels(&[SELDOM]);
    let operator = data.key(&["operator"]);
    let short = issuer.token(&json!({"sub": "c", "role": "creator", "exp": now() + 3}));
    let question = json!({ "query": COUNTERS });
    let mut events = Events::open(server.address, Some(&short), &question).unwrap();
    assert!(events.next()["data"]["counters"].is_object());
    let mut socket = Socket::admitted(server.address, Some(&short));
    socket.subscribe("s", COUNTERS, &json!({}));
    assert!(socket.message()["payload"]["data"]["counters"].is_object());
    // One that asks nothing, too.
    let mut idle = Socket::admitted(server.address, Some(&short));
    let mut lasting = Socket::admitted(server.address, Some(&operator));
    assert_eq!(events.next()["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(events.event().unwrap().0, "complete");
    assert_eq!((socket.close_code(), idle.close_code()), (4403, 4403));
    assert_eq!(ask(&server, &short, STATUS).status, 401);
    lasting.subscribe("s", COUNTERS, &json!({}));
    assert!(lasting.message()["payload"]["data"]["counters"].is_object());
}

#[test]
fn a_key_ends_its_streams_when_it_expires() {
    let (data, server, _issuer) = two_channels(&[SELDOM]);
    let until = throng_model::Timestamp::now().saturating_add_millis(3_000).to_string();
    let short = data.key(&["creator", "--creator", "c", "--expires", &until]);
    let mut events = Events::open(server.address, Some(&short), &json!({ "query": COUNTERS })).unwrap();
    assert!(events.next()["data"]["counters"].is_object());
    assert_eq!(events.next()["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[test]
fn keys_rotate_under_a_running_server() {
    let (data, server, old) = two_channels(&[OFTEN]);
    let new = Issuer::new(2, "two");
    let (of_old, of_new) = (old.creator("c"), new.creator("c"));
    let status = |token: &str| ask(&server, token, STATUS).status;
    assert_eq!((status(&of_old), status(&of_new)), (200, 401));
    publish(&data, &[&old, &new]);
    assert_eq!((status(&of_old), status(&of_new)), (200, 200));
    let mut events = Events::open(server.address, Some(&of_old), &json!({ "query": COUNTERS })).unwrap();
    assert!(events.next()["data"]["counters"].is_object());
    publish(&data, &[&new]);
    assert_eq!((status(&of_old), status(&of_new)), (401, 200));
    assert_eq!(events.next()["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    // What cannot be read lets nobody in, and says no more than the same of API keys.
    data.file("jwks.json", "{");
    let refused = ask(&server, &of_new, STATUS);
    assert_eq!((refused.status, refused.code().as_str()), (503, "UNAVAILABLE"));
    publish(&data, &[&new]);
    assert_eq!(status(&of_new), 200);
}

#[test]
fn an_operator_s_token_is_taken_only_where_the_configuration_says_so() {
    let claims = json!({"sub": "ops", "role": "operator"});
    let (_data, server, issuer) = two_channels(&[]);
    assert_eq!(ask(&server, &issuer.token(&claims), STATUS).status, 401);
    let (_data, server, issuer) = two_channels(&[("THRONG_JWT_ROLES", "operator")]);
    let token = issuer.token(&claims);
    assert!(sees(&server, &token, "c") && sees(&server, &token, "d"));
    assert_eq!(server.ingest("/v1/events", &token, "").status, 200);
    assert_eq!(server.get("/metrics", &[("Authorization", &format!("Bearer {token}"))]).status, 200);
    assert_eq!(ask(&server, &issuer.creator("c"), STATUS).status, 401);
}

#[test]
fn a_kept_answer_is_shared_by_what_may_be_seen_and_not_by_the_token() {
    let (_data, server, issuer) = two_channels(&[]);
    let settled = "{ creator(id: \"c\") { audience(window: {kind: DAY}) { reach { value } } } }";
    let data_of = |token: &str| ask(&server, token, settled).json()["data"].clone();
    let seen = data_of(&issuer.creator("c"));
    assert!(seen["creator"].is_object());
    assert_eq!(data_of(&issuer.token(&json!({"sub": "other", "role": "creator", "creator": "c"}))), seen);
    assert!(data_of(&issuer.creator("d"))["creator"].is_null());
    let partner = issuer.token(&json!({"sub": "c", "role": "partner"}));
    assert!(data_of(&partner)["creator"].is_null());
}

#[test]
fn a_configuration_that_would_take_too_much_does_not_start() {
    let data = Data::new();
    let issuer = Issuer::new(1, "one");
    publish(&data, &[&issuer]);
    let started = |variables: &[(&str, &str)]| {
        let output = data.command(&["serve", "--listen", "127.0.0.1:0"]).envs(variables.iter().copied()).output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(started(&TAKEN[..1]).contains("jwt.issuer and jwt.audience"));
    assert!(started(&[&TAKEN[..], &[("THRONG_JWT_HS256_FILE", "secret")]].concat()).contains("only one of"));
    data.file("jwks.json", "{\"keys\": []}");
    assert!(started(&TAKEN).contains("none of its keys"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let secret = data.file("secret", "a secret of more than thirty-two bytes");
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(started(&[&TAKEN[1..], &[("THRONG_JWT_HS256_FILE", "secret")]].concat()).contains("chmod 600"));
    }
}

#[test]
fn without_keys_for_them_no_jwt_is_taken() {
    let data = Data::new();
    let server = Server::start(&data);
    assert_eq!(ask(&server, &Issuer::new(1, "one").creator("c"), STATUS).status, 401);
}
