//! A server's life, and small platforms for the other tests.

use std::sync::OnceLock;

use serde_json::json;
use throng_model::{Timestamp, Zone};

use crate::server::{Data, Server};

/// The day of the small platforms: it has ended, and servers under test keep it open ([`Server::start`]).
pub(crate) fn day() -> &'static str {
    static DAY: OnceLock<String> = OnceLock::new();
    DAY.get_or_init(|| Zone::UTC.day_of(Timestamp::now()).saturating_add(-3).to_string())
}

/// Sixty viewers who each watched one video of channel `c` on [`day`], one line each.
pub(crate) fn small_channel() -> String {
    views("c", "a", 0..60)
}

/// One view each of these viewers.
pub(crate) fn views(creator: &str, video: &str, viewers: std::ops::Range<u32>) -> String {
    let day = day();
    let line = |n| {
        format!(
            "{{\"event_id\":\"{creator}-{n}\",\"ts\":\"{day}T12:00:00Z\",\"kind\":\"view\",\"viewer\":\"viewer{n}\",\
             \"creator\":\"{creator}\",\"video\":\"{video}\",\"watch_ms\":1000}}\n"
        )
    };
    viewers.map(line).collect()
}

pub(crate) const VIEWS: &str = "query($id: ID!, $from: Date!, $to: Date!) { creator(id: $id) { id sealedThrough \
                         counters(range: {from: $from, to: $to}) { views { value disclosure } watchTime { value } } } }";

/// Variables of [`VIEWS`] for the day of [`small_channel`].
pub(crate) fn of(creator: &str) -> serde_json::Value {
    json!({ "id": creator, "from": day(), "to": day() })
}

#[test]
fn a_server_seals_ended_days_by_itself() {
    let data = Data::new();
    let events = data.file("events.ndjson", small_channel());
    data.import(&[&events], &[]);
    let token = data.key(&["operator"]);
    let server = Server::start_with(&data, &[("THRONG_STORE_LATENESS_MS", "0")]);
    // It does so right after its start, so asking again and again ends soon.
    let sealed = (0..10_000).find_map(|_| {
        let answer = server.query(Some(&token), VIEWS, &of("c"));
        answer["creator"]["sealedThrough"].as_str().map(str::to_owned)
    });
    assert!(sealed.expect("sealed").as_str() >= day());
    server.stop();
}

#[test]
fn stopping_fails_readiness_first_and_loses_nothing() {
    let data = Data::new();
    let token = data.key(&["ingest"]);
    let server = Server::start_with(&data, &[("THRONG_HTTP_DRAIN_MS", "600000")]);
    assert_eq!((server.get("/healthz", &[]).status, server.get("/readyz", &[]).status), (200, 200));
    server.signal("TERM");
    let ready = (0..100_000).map(|_| server.get("/readyz", &[]).status).find(|&status| status != 200);
    assert_eq!(ready, Some(503));
    assert_eq!(server.get("/healthz", &[]).status, 200);
    assert_eq!(server.ingest("/v1/events", &token, small_channel()).json()["accepted"], 60, "it still takes requests");
    // A second signal cuts the waiting short.
    server.signal("TERM");
    let (status, log) = server.wait();
    assert!(status.success() && log.contains("stopped"), "{log}");
    assert_eq!(data.json(&["verify"])["events"], 60);
}

#[test]
fn acknowledged_events_survive_a_kill() {
    let data = Data::new();
    let token = data.key(&["ingest"]);
    let server = Server::start(&data);
    assert_eq!(server.ingest("/v1/events", &token, small_channel()).json()["accepted"], 60);
    server.signal("KILL");
    server.wait();
    assert_eq!(data.json(&["verify"])["events"], 60);
    let server = Server::start(&data);
    assert_eq!(server.ingest("/v1/events", &token, small_channel()).json()["duplicates"], 60);
}

#[test]
fn two_servers_never_share_a_store() {
    let data = Data::new();
    let server = Server::start(&data);
    let second = data.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("the data directory was not opened"));
    assert_eq!(server.get("/healthz", &[]).status, 200);
}

#[test]
fn a_port_that_is_taken_is_told() {
    let (data, other) = (Data::new(), Data::new());
    let server = Server::start(&data);
    let second = other.run(&["serve", "--listen", &server.address.to_string()]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("cannot listen on 127.0.0.1:"));
}
