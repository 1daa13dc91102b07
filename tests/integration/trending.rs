//! What trends, from files to answers: over HTTP, as a file, and for each kind of token.

use serde_json::{Value, json};

use crate::server::{Data, Server};

const LAST: &str = "2026-03-09";

/// Ten days of two channels: each has a video that 60 viewers see every day, and 150 on the last but one.
fn world() -> (Data, Server) {
    let data = Data::new();
    let mut lines = String::new();
    for channel in ["ana", "ben"] {
        lines += &format!(
            "{{\"video\":\"of-{channel}\",\"creator\":\"{channel}\",\"hashtags\":[\"Boats\",\"{channel}\"],\"sound\":\"=rain\"}}\n"
        );
    }
    let catalogue = data.file("catalogue.ndjson", lines);
    let mut lines = String::new();
    for (day, viewers) in [(28, 60), (1, 60), (2, 60), (3, 60), (4, 60), (5, 60), (6, 60), (7, 60), (8, 150), (9, 60)] {
        let date = if day == 28 { "2026-02-28".to_owned() } else { format!("2026-03-{day:02}") };
        for channel in ["ana", "ben"] {
            for viewer in 0..viewers {
                lines += &format!(
                    "{{\"event_id\":\"{channel}-{day}-{viewer}\",\"ts\":\"{date}T12:00:00Z\",\"kind\":\"view\",\
                     \"viewer\":\"u{viewer}\",\"video\":\"of-{channel}\",\"watch_ms\":1000}}\n"
                );
            }
        }
    }
    let events = data.file("events.ndjson", lines);
    data.import(&[&catalogue, &events], &["--seal"]);
    data.json(&["seal", "--through", LAST]);
    let server = Server::start(&data);
    (data, server)
}

const QUERY: &str = "query($kind: TrendKind!, $date: Date) { trending(kind: $kind, date: $date, first: 5) {
    hashtag { name counters(range: {from: \"2026-03-08\", to: \"2026-03-08\"}) { views { value } } }
    sound video { id creator { id } } peak views { value disclosure } expected score creators } }";

fn trending(server: &Server, token: &str, kind: &str) -> Value {
    server.query(Some(token), QUERY, &json!({"kind": kind, "date": LAST}))["trending"].clone()
}

#[test]
fn a_rise_trends_and_its_numbers_are_those_of_the_day() {
    let (data, server) = world();
    let token = data.key(&["operator"]);
    let trend = |views: f64, expected: f64, creators: i32| {
        // A day ago, so halved.
        let score = (views - expected) * (views - expected) / expected / 2.0;
        json!({"hashtag": null, "sound": null, "video": null, "peak": "2026-03-08", "expected": expected, "score": score,
               "views": {"value": views, "disclosure": "EXACT"}, "creators": creators})
    };
    let mut boats = trend(300.0, 120.0, 2);
    // No channel's own hashtag is a trend.
    boats["hashtag"] = json!({"name": "boats", "counters": {"views": {"value": 300.0}}});
    assert_eq!(trending(&server, &token, "HASHTAG"), json!([boats]));
    let mut rain = trend(300.0, 120.0, 2);
    rain["sound"] = json!("=rain");
    assert_eq!(trending(&server, &token, "SOUND"), json!([rain]));
    let of = |channel: &str| {
        let mut video = trend(150.0, 60.0, 1);
        video["video"] = json!({"id": format!("of-{channel}"), "creator": {"id": channel}});
        video
    };
    assert_eq!(trending(&server, &token, "VIDEO"), json!([of("ana"), of("ben")]));
    let ben = data.key(&["creator", "--creator", "ben"]);
    assert_eq!(trending(&server, &ben, "VIDEO"), json!([of("ben")]));
    assert_eq!(trending(&server, &ben, "HASHTAG"), json!([boats]));
    // The server was started long after that day and has sealed what was left: nothing trends now.
    let now = server.query(Some(&token), QUERY, &json!({"kind": "HASHTAG"}));
    assert_eq!(now["trending"], json!([]));
}

#[test]
fn trends_come_as_a_file() {
    let (data, server) = world();
    let get = |token: &str, target: &str| {
        server.get(&format!("/v1/export/{target}"), &[("Authorization", &format!("Bearer {token}"))])
    };
    let token = data.key(&["operator"]);
    let file = |kind: &str| get(&token, &format!("trending.csv?kind={kind}&date={LAST}"));
    let header = |kind: &str| format!("rank,{kind},peak,views,disclosure,expected,score,creators\r\n");
    let row = "2026-03-08,300,EXACT,120,135,2\r\n";
    assert_eq!(file("hashtag").text(), header("hashtag") + "1,boats," + row);
    assert_eq!(file("sound").text(), header("sound") + "1,'=rain," + row);
    let rows = "1,of-ana,2026-03-08,150,EXACT,60,67.5,1\r\n2,of-ben,2026-03-08,150,EXACT,60,67.5,1\r\n";
    assert_eq!(file("video").text(), header("video") + rows);
    for wrong in ["trending.csv", "trending.csv?kind=viewer", "trending.csv?kind=video&creator=ana"] {
        assert_eq!(get(&token, wrong).status, 400, "{wrong}");
    }
    // A token that reads nothing sees nothing.
    let ingest = get(&data.key(&["ingest"]), &format!("trending.csv?kind=sound&date={LAST}"));
    assert_eq!((ingest.status, ingest.text()), (200, header("sound").as_str()));
}
