//! The real sample of a short-video app, where it is at hand: every event is taken once, and answers do not change.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::platform::VIEWS;
use crate::server::{Data, Server};

pub(crate) const EVENTS: u64 = 79_675;

/// The sample's events and videos; `None`, said loudly, where this checkout has none.
pub(crate) fn sample() -> Option<(PathBuf, PathBuf)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let (events, videos) = (folder.join("kuairand.events.ndjson.gz"), folder.join("kuairand.videos.ndjson.gz"));
    if events.exists() && videos.exists() {
        return Some((events, videos));
    }
    crate::skipped("the sample of real data is not at hand, so nothing was checked against it");
    None
}

fn answers(data: &Data, token: &str) -> Vec<Value> {
    let server = Server::start(data);
    let videos = server.query(
        Some(token),
        "{ creator(id: \"unknown\") { videos(first: 100) { edges { node { id } } } } }",
        &json!({}),
    );
    let ids = videos["creator"]["videos"]["edges"].as_array().expect("videos").iter();
    let mut answers = vec![videos.clone()];
    for id in ids.map(|edge| edge["node"]["id"].clone()) {
        let query = "query($id: ID!) { video(id: $id) { counters(range: {from: \"2022-04-01\", to: \"2022-04-30\"}) { \
                     views { value disclosure } likes { value } watchTime { value } completionRate { value } } } }";
        answers.push(server.query(Some(token), query, &json!({ "id": id })));
    }
    let variables = json!({ "id": "unknown", "from": "2022-04-01", "to": "2022-04-30" });
    answers.push(server.query(Some(token), VIEWS, &variables));
    server.stop();
    answers
}

#[test]
fn a_second_import_is_all_duplicates_and_changes_no_answer() {
    let Some((events, videos)) = sample() else { return };
    let data = Data::new();
    let token = data.key(&["operator"]);
    assert_eq!(data.import(&[&videos], &[])["accepted"], 9_359);
    let first = data.import(&[&events], &["--seal"]);
    assert_eq!(first, json!({"accepted": EVENTS, "duplicates": 0, "late": 0, "rejected": []}));
    let before = answers(&data, &token);
    assert!(before.iter().any(|answer| answer.to_string().contains("EXACT")), "something is disclosed");
    let second = data.import(&[&events], &["--seal"]);
    assert_eq!(second, json!({"accepted": 0, "duplicates": EVENTS, "late": 0, "rejected": []}));
    assert_eq!(answers(&data, &token), before);
    let report = data.json(&["verify"]);
    assert_eq!(
        (&report["events"], &report["viewers"], &report["videos"]),
        (&json!(EVENTS), &json!(664), &json!(9_359))
    );
}
