//! What two channels have in common and what the whole platform counts, from the catalogue's files to the answers.

use serde_json::{Value, json};

use crate::server::{Data, Server};
use crate::world::{VIEWERS, lines};

const DAY: &str = "2026-03-09";
const EXACT: [(&str, &str); 2] = [("THRONG_PRIVACY_PROTECTION", "threshold"), ("THRONG_PRIVACY_AUDIENCE_MIN", "10")];

/// Two channels with 100 viewers in common, each naming the other in a file of another kind.
fn world() -> (Data, Server) {
    let data = Data::new();
    let text = data.file("c.ndjson", "{\"creator\":\"c\",\"overlap_with\":[\"d\"]}\n");
    let table = data.file("d.csv", "creator,time_zone,overlap_with\nd,Europe/London,c|e\n");
    let ours = lines(DAY, 0..VIEWERS);
    let theirs = lines(DAY, 140..400)
        .replace("\"creator\":\"c\",\"video\":\"", "\"creator\":\"d\",\"video\":\"d-")
        .replace("event_id\":\"", "event_id\":\"d");
    let events = data.file("events.ndjson", ours + &theirs);
    data.import(&[&text, &table, &events], &["--seal"]);
    data.json(&["seal", "--through", DAY]);
    let server = Server::start_with(&data, &EXACT);
    (data, server)
}

fn overlap(server: &Server, token: &str) -> Value {
    let query = "query($window: WindowInput!) { overlap(creators: [\"d\", \"c\"], window: $window) {
        reach { value disclosure } shares { creator { id } share } } }";
    server.query(Some(token), query, &json!({"window": {"kind": "DAY", "date": DAY}}))["overlap"].clone()
}

#[test]
fn both_channels_agree_and_either_may_ask() {
    let (data, server) = world();
    let share = |id: &str, share: f64| json!({"creator": {"id": id}, "share": share});
    let (of_c, of_d) = (share("c", 100.0 / 240.0), share("d", 100.0 / 260.0));
    let expected = |shares: Value| json!({"reach": {"value": 100.0, "disclosure": "EXACT"}, "shares": shares});
    assert_eq!(overlap(&server, &data.key(&["operator"])), expected(json!([of_c, of_d])));
    let own = data.key(&["creator", "--creator", "c"]);
    assert_eq!(overlap(&server, &own), expected(json!([of_c])));
    assert_eq!(overlap(&server, &data.key(&["creator", "--creator", "e"])), Value::Null);
    // What one of the two withdraws is gone at once.
    let ingest = data.key(&["ingest"]);
    assert_eq!(server.ingest("/v1/catalog", &ingest, "{\"creator\":\"d\"}\n").status, 200);
    assert_eq!(overlap(&server, &own), Value::Null);
}

#[test]
fn operators_see_the_platform_and_export_it() {
    let (data, server) = world();
    let query = "query($range: DateRangeInput!) { platform {
        counters(range: $range) { views { value } } audiences(kind: DAY, range: $range) { reach { value disclosure } } } }";
    let range = json!({"range": {"from": DAY, "to": DAY}});
    let operator = data.key(&["operator"]);
    let platform = server.query(Some(&operator), query, &range)["platform"].clone();
    // 240 and 260 viewers of one video each, every other one of two.
    assert_eq!(platform["counters"]["views"]["value"], 240.0 + 120.0 + 260.0 + 130.0);
    assert_eq!(platform["audiences"], json!([{"reach": {"value": 400.0, "disclosure": "EXACT"}}]));
    let creator = data.key(&["creator", "--creator", "c"]);
    assert_eq!(server.query(Some(&creator), query, &range)["platform"], Value::Null);

    let file = |token: &str, target: &str| {
        server.get(&format!("/v1/export/{target}"), &[("Authorization", &format!("Bearer {token}"))])
    };
    let counters = format!("counters.csv?platform=all&from={DAY}&to={DAY}&counters=views");
    assert!(file(&operator, &counters).text().contains(",750,EXACT"), "{}", file(&operator, &counters).text());
    let reach = file(&operator, &format!("audience.csv?platform=all&window=day&date={DAY}&family=reach"));
    assert!(reach.text().contains(",400,EXACT"), "{}", reach.text());
    assert_eq!(file(&creator, &counters).status, 404);
}
