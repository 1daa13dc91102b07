//! Released tables as CSV files: the same numbers as over GraphQL, to the same tokens, and nothing else.

use serde_json::{Value, json};

use crate::client::Response;
use crate::server::{Data, Server};
use crate::world::{CATALOGUE, VIEWERS, lines};

const DAY: &str = "2026-03-09";

fn get(server: &Server, token: &str, target: &str) -> Response {
    let bearer = format!("Bearer {token}");
    server.get(&format!("/v1/export/{target}"), &[("Authorization", &bearer)])
}

/// Rows by column; no cell of these files needs quotes.
fn table(response: &Response) -> Vec<Value> {
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let mut lines = response.text().split_terminator("\r\n").map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    let row = |cells: Vec<&str>| {
        assert_eq!(cells.len(), header.len(), "{cells:?}");
        header.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), json!(cell))).collect()
    };
    lines.map(row).map(Value::Object).collect()
}

/// A released number as a file shows it.
fn shown(value: &Value) -> Value {
    json!(value.as_f64().map_or_else(String::new, |value| value.to_string()))
}

/// A day of channel `c`, sealed, and some views of another channel, whose title would be a formula.
fn world() -> (Data, Server, String) {
    let data = Data::new();
    let catalogue = data.file("catalogue.ndjson", CATALOGUE);
    let mut events = lines(DAY, 0..VIEWERS);
    events += &lines(DAY, 0..60)
        .replace("\"creator\":\"c\",\"video\":\"a\"", "\"creator\":\"d\",\"video\":\"=d\"")
        .replace("event_id\":\"", "event_id\":\"d");
    let named = "{\"video\":\"=d\",\"creator\":\"d\",\"title\":\"@a, \\\"b\\\"\"}\n";
    let events = data.file("events.ndjson", events);
    let named = data.file("named.ndjson", named);
    data.import(&[&catalogue, &named, &events], &["--seal"]);
    let token = data.key(&["operator"]);
    let server = Server::start(&data);
    (data, server, token)
}

#[test]
fn files_hold_the_numbers_of_graphql() {
    let (_data, server, token) = world();
    let query = "query($day: Date!) { creator(id: \"c\") {
        series(range: {from: \"2026-03-08\", to: $day}, granularity: DAY) { start counters { views { value disclosure } watchTime { value } } }
        topVideos(range: {from: $day, to: $day}, by: LIKES, first: 5) { video { id } value { value } }
        audience(window: {kind: DAY, date: $day}) { reach { value marginOfError }
          breakdown(by: COUNTRY) { total { value } rows { key share measure { value disclosure } } other { value disclosure } }
          ageGender { age gender measure { value disclosure } } funnel { stage share measure { value } } } } }";
    let asked = server.query(Some(&token), query, &json!({ "day": DAY }))["creator"].clone();

    let response = get(&server, &token, &format!("counters.csv?creator=c&from=2026-03-08&to={DAY}&granularity=day"));
    let rows = table(&response);
    assert_eq!(response.header("content-disposition"), Some("attachment; filename=\"counters.csv\""));
    assert_eq!(response.header("throng-policy-version").map(str::len), Some(12));
    assert_eq!(
        (rows.len(), rows[0]["views"].as_str(), rows[0]["views_disclosure"].as_str()),
        (2, Some(""), Some("WITHHELD"))
    );
    assert_eq!(rows[1]["start"], asked["series"][1]["start"]);
    assert_eq!(rows[1]["views"], shown(&asked["series"][1]["counters"]["views"]["value"]));
    assert_eq!(rows[1]["watch_time"], shown(&asked["series"][1]["counters"]["watchTime"]["value"]));
    assert_eq!((&rows[1]["views_disclosure"], &rows[1]["partial"]), (&json!("EXACT"), &json!("false")));
    // Nobody shared: a true zero.
    assert_eq!(rows[1]["shares"], "0");
    let few = table(&get(&server, &token, "counters.csv?hashtag=%23Tag&last=1&counters=views,likes"));
    assert_eq!(few[0].as_object().map(serde_json::Map::len), Some(7));

    let rows = table(&get(&server, &token, &format!("top-videos.csv?creator=c&from={DAY}&to={DAY}&by=likes&first=5")));
    assert_eq!(rows.len(), asked["topVideos"].as_array().expect("videos").len());
    assert_eq!(rows[0]["video"], asked["topVideos"][0]["video"]["id"]);
    assert_eq!((&rows[0]["rank"], &rows[0]["likes"]), (&json!("1"), &shown(&asked["topVideos"][0]["value"]["value"])));

    let audience = |family: &str| {
        table(&get(&server, &token, &format!("audience.csv?creator=c&window=DAY&date={DAY}&family={family}")))
    };
    let insights = &asked["audience"];
    let reach = audience("reach");
    assert_eq!((reach.len(), &reach[0]["from"]), (1, &json!(DAY)));
    assert_eq!(reach[0]["viewers"], shown(&insights["reach"]["value"]));
    assert_eq!(reach[0]["margin_of_error"], shown(&insights["reach"]["marginOfError"]));
    let country = audience("country");
    let rows = insights["breakdown"]["rows"].as_array().expect("rows");
    assert_eq!(country.len(), rows.len() + 2);
    assert_eq!(
        (&country[0]["part"], &country[0]["viewers"]),
        (&json!("total"), &shown(&insights["breakdown"]["total"]["value"]))
    );
    for (is, must_be) in country[1..].iter().zip(rows) {
        assert_eq!(
            (&is["part"], &is["key"], &is["share"]),
            (&json!("row"), &must_be["key"], &shown(&must_be["share"]))
        );
        assert_eq!(is["viewers"], shown(&must_be["measure"]["value"]));
    }
    assert_eq!(country[country.len() - 1]["disclosure"], insights["breakdown"]["other"]["disclosure"]);
    let cells = audience("age_gender");
    assert_eq!(cells.len(), 32);
    for (is, must_be) in cells.iter().zip(insights["ageGender"].as_array().expect("cells")) {
        assert_eq!((&is["age"], &is["gender"]), (&must_be["age"], &must_be["gender"]));
        assert_eq!(
            (&is["viewers"], &is["disclosure"]),
            (&shown(&must_be["measure"]["value"]), &must_be["measure"]["disclosure"])
        );
    }
    assert!(cells.iter().any(|cell| cell["disclosure"] == "WITHHELD" && cell["viewers"] == ""));
    assert_eq!(audience("funnel").len(), 4);
    for (subject, families) in [("creator=c", 13), ("video=a", 13), ("hashtag=tag", 13)] {
        let all = "reach novelty follower_status country region age gender age_gender device traffic_source active_hours retention funnel";
        assert_eq!(all.split(' ').count(), families);
        for family in all.split(' ') {
            let target = format!("audience.csv?{subject}&window=last_28_days&family={family}");
            assert!(!table(&get(&server, &token, &target)).is_empty(), "{target}");
        }
    }
}

#[test]
fn texts_are_quoted_and_no_formulas() {
    let (_data, server, token) = world();
    let response = get(&server, &token, &format!("top-videos.csv?creator=d&from={DAY}&to={DAY}"));
    let row = response.text().lines().nth(1).expect("a row");
    assert!(row.starts_with("1,'=d,\"'@a, \"\"b\"\"\",,60,EXACT"), "{row}");
}

#[test]
fn files_are_refused_as_json_and_hide_what_the_token_may_not_see() {
    let (data, server, token) = world();
    let own = data.key(&["creator", "--creator", "c"]);
    let targets = [
        "counters.csv?creator=ID&last=7",
        "top-videos.csv?creator=ID&last=7",
        "audience.csv?creator=ID&window=day&family=age",
    ];
    for target in targets {
        let answer = |id: &str| get(&server, &own, &target.replace("ID", id));
        assert_eq!(answer("c").status, 200);
        let (hidden, missing) = (answer("d"), answer("nobody"));
        assert_eq!((hidden.status, hidden.code().as_str()), (404, "NOT_FOUND"));
        assert_eq!(hidden.body, missing.body);
        let anonymous = server.get(&format!("/v1/export/{}", target.replace("ID", "c")), &[]);
        assert_eq!((anonymous.status, anonymous.code().as_str()), (401, "UNAUTHENTICATED"));
        let ingest = get(&server, &data.key(&["ingest"]), &target.replace("ID", "c"));
        assert_eq!((ingest.status, ingest.body), (404, hidden.body));
    }
    for wrong in [
        "counters.csv?creator=c",
        "counters.csv?creator=c&from=2026-02-30&to=2026-03-01",
        "counters.csv?creator=c&last=7&granularity=decade",
        "counters.csv?creator=c&last=7&creator=d",
        "top-videos.csv?creator=c&last=7&first=101",
        "audience.csv?creator=c&window=day&family=people",
        "audience.csv?creator=c&window=last_7_days&date=2026-03-04&family=age",
        "audience.csv?creator=c&window=first_7_days&family=age",
    ] {
        let refused = get(&server, &token, wrong);
        assert_eq!((refused.status, refused.code().as_str()), (400, "BAD_USER_INPUT"), "{wrong}");
    }
    let large = get(&server, &token, "counters.csv?creator=c&last=3660");
    assert_eq!((large.status, large.code().as_str()), (400, "QUERY_TOO_COMPLEX"));
    let posted = server.post("/v1/export/counters.csv", &[], "");
    assert_eq!((posted.status, posted.header("allow")), (405, Some("GET")));
}

#[test]
fn files_cost_what_their_questions_cost() {
    let (data, server, token) = world();
    drop(server);
    let bounds = [("THRONG_RATE_POINTS_MAX", "300"), ("THRONG_RATE_POINTS_PER_SECOND", "1")];
    let server = Server::start_with(&data, &bounds);
    let target = "audience.csv?creator=c&window=day&family=reach";
    assert_eq!(get(&server, &token, target).status, 200);
    let refused = get(&server, &token, target);
    assert_eq!((refused.status, refused.code().as_str()), (429, "RATE_LIMITED"));
    let never = get(&server, &token, "counters.csv?creator=c&last=28");
    assert_eq!((never.status, never.code().as_str()), (400, "QUERY_TOO_COMPLEX"));
}
