//! Erasing viewers: afterwards the platform is as if they had never been there.

use serde_json::{Value, json};
use throng_model::{Timestamp, Zone};

use crate::platform::day;
use crate::server::{Data, Server};
use crate::world::{CATALOGUE, VIEWERS, any_file_holds, difference, everything, lines, viewer};

const ERASED: [u32; 6] = [0, 3, 40, 41, 77, 100];

fn survivors() -> impl Iterator<Item = u32> + Clone {
    (0..VIEWERS).filter(|number| !ERASED.contains(number))
}

/// A day of the newest four whole weeks, whichever weekday it is today.
fn earlier() -> String {
    Zone::UTC.day_of(Timestamp::now()).saturating_add(-12).to_string()
}

/// Two days of these viewers.
fn events(viewers: impl Iterator<Item = u32> + Clone) -> String {
    lines(&earlier(), viewers.clone().filter(|number| number % 4 != 0)) + &lines(day(), viewers)
}

fn platform(viewers: impl Iterator<Item = u32> + Clone) -> Data {
    let data = Data::new();
    let (catalogue, events) = (data.file("videos.ndjson", CATALOGUE), data.file("events.ndjson", events(viewers)));
    data.import(&[&catalogue, &events], &["--seal"]);
    data
}

fn erased() -> String {
    ERASED.map(viewer).join("\n")
}

/// Everything that can be asked, exact, from a floor of ten on.
fn exact(data: &Data) -> Value {
    let token = data.key(&["operator"]);
    let exact = [("THRONG_PRIVACY_PROTECTION", "threshold"), ("THRONG_PRIVACY_AUDIENCE_MIN", "10")];
    let server = Server::start_with(data, &exact);
    everything(&server, &token, &earlier(), day())
}

#[test]
fn after_an_erasure_all_answers_are_as_if_the_viewers_had_never_been_there() {
    let (data, never) = (platform(0..VIEWERS), platform(survivors()));
    let before = exact(&data);
    data.file("leavers.txt", erased());
    let report = data.json(&["erase", "--file", "leavers.txt", "no-such-viewer", "--compact"]);
    assert_eq!((&report["requested"], &report["erased"], &report["unknown"]), (&json!(7), &json!(6), &json!(1)));
    assert_eq!((&report["pending"], &report["compacted"]["epoch"]["number"]), (&json!(0), &json!(1)));
    let after = exact(&data);
    assert_eq!(after["creator"]["day"]["reach"]["value"], f64::from(VIEWERS) - 6.0);
    assert!(difference(&after, &before).is_some());
    assert_eq!(difference(&after, &exact(&never)), None);
    assert_eq!(after["creator"]["weeks"]["newViewers"]["disclosure"], "EXACT");

    let (verified, expected) = (data.json(&["verify"]), never.json(&["verify"]));
    for part in ["events", "viewers", "creators", "videos"] {
        assert_eq!(verified[part], expected[part], "{part}");
    }
    let removed = events(0..VIEWERS).lines().count() - events(survivors()).lines().count();
    assert_eq!(report["compacted"]["rows_removed"], removed);
    assert!(!any_file_holds(&data.path(), b"needle-viewer"), "no id is anywhere in the data directory");
}

#[test]
fn events_of_an_erased_viewer_that_come_again_are_duplicates_and_new_ones_begin_a_new_viewer() {
    let data = platform(0..VIEWERS);
    data.file("leavers.txt", erased());
    data.json(&["erase", "--file", "leavers.txt", "--compact"]);
    let again = data.import(&[&data.file("again.ndjson", events(0..VIEWERS))], &[]);
    assert_eq!((&again["accepted"], &again["rejected"]), (&json!(0), &json!([])));
    assert_eq!(again["duplicates"], events(0..VIEWERS).lines().count());
    let viewers = |data: &Data| data.json(&["verify"])["viewers"].as_u64().unwrap();
    let before = viewers(&data);
    let anew = lines(day(), ERASED[..1].iter().copied()).replace(&format!("\"{}", day()), "\"2020-05-05");
    data.import(&[&data.file("new.ndjson", anew)], &[]);
    assert_eq!(viewers(&data), before + 1);
    assert_eq!(data.json(&["erase", &viewer(ERASED[1])])["unknown"], 1, "who is erased is not known any more");
}

#[test]
fn without_compaction_ids_go_at_once_and_rows_wait() {
    let data = platform(0..VIEWERS);
    let (all, one) = (exact(&data), viewer(3));
    let report = data.json(&["erase", &one]);
    assert_eq!((&report["erased"], &report["pending"], &report["compacted"]), (&json!(1), &json!(1), &Value::Null));
    assert_eq!(difference(&exact(&data), &all), None, "rows count until they go");
    let text = String::from_utf8(data.run(&["erase", "--compact"]).stdout).unwrap();
    assert!(text.contains("rows removed") && text.contains("Epoch 1"), "{text}");
    assert!(text.contains("Not reached: backups"), "{text}");
    assert_eq!(data.json(&["erase", "--compact"])["compacted"]["rows_removed"], 0);
    assert!(difference(&exact(&data), &all).is_some());
}

#[test]
fn one_bad_id_and_nothing_is_erased() {
    let data = platform(0..20);
    let file = data.file("leavers.txt", format!("{}\n\tx\n", viewer(1)));
    let refused = data.run(&["erase", "--file", file.to_str().unwrap(), &viewer(2), ""]);
    assert_eq!(refused.status.code(), Some(1));
    let message = String::from_utf8(refused.stderr).unwrap();
    for part in [
        "nothing was erased",
        "viewer 2 of the command line: must not be empty",
        "leavers.txt, line 2: must not hold control characters",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(!message.contains("needle"), "{message}");
    assert_eq!(data.json(&["erase", "--compact"])["compacted"]["viewers"], 0);
    assert_eq!(data.run(&["erase"]).status.code(), Some(2), "nobody is named");
    let nowhere = Data::new().run(&["erase", "somebody"]);
    assert!(String::from_utf8(nowhere.stderr).unwrap().contains("there is no store"));
}

#[test]
fn an_operator_erases_on_a_running_server_and_the_log_names_nobody() {
    let (data, never) = (platform(0..VIEWERS), platform(survivors()));
    let (token, other) = (data.key(&["operator"]), data.key(&["ingest"]));
    let exact_mode = [
        ("THRONG_PRIVACY_PROTECTION", "threshold"),
        ("THRONG_PRIVACY_AUDIENCE_MIN", "10"),
        ("THRONG_LOG_LEVEL", "debug"),
        ("THRONG_INGEST_BODY_BYTES_MAX", "65536"),
    ];
    let server = Server::start_with(&data, &exact_mode);
    let send = |token: &str, kind: &str, body: &str| {
        let bearer = format!("Bearer {token}");
        server.post("/v1/erase", &[("Authorization", &bearer), ("Content-Type", kind)], body)
    };
    let json = "application/json";
    let body = json!({ "viewers": ERASED.map(viewer), "compact": false }).to_string();
    assert_eq!(server.post("/v1/erase", &[("Content-Type", json)], &body).status, 401);
    assert_eq!((send(&other, json, &body).status, send(&other, json, &body).code().as_str()), (403, "FORBIDDEN"));
    assert_eq!(send(&token, "application/x-ndjson", &body).status, 415);
    let large = send(&token, json, &" ".repeat(70_000));
    assert_eq!((large.status, large.code().as_str()), (413, "BODY_TOO_LARGE"));
    assert_eq!(server.get("/v1/erase", &[]).status, 405);
    for malformed in
        ["", "[]", "{\"viewer\": [\"needle\"]}", "{\"viewers\": \"needle\"}", "{\"viewers\": [\"needle\", \"\"]}"]
    {
        let refused = send(&token, json, malformed);
        assert_eq!((refused.status, refused.code().as_str()), (400, "BAD_USER_INPUT"), "{malformed}");
        assert!(!refused.text().contains("needle"), "{}", refused.text());
    }
    let before = everything(&server, &token, &earlier(), day());
    let report = send(&token, json, &body).json();
    assert_eq!((&report["erased"], &report["pending"]), (&json!(6), &json!(6)), "{report}");
    assert_eq!(difference(&everything(&server, &token, &earlier(), day()), &before), None);
    let report = send(&token, json, "{\"compact\": true}").json();
    assert_eq!(
        (&report["requested"], &report["pending"], &report["compacted"]["viewers"]),
        (&json!(0), &json!(0), &json!(6))
    );
    let after = everything(&server, &token, &earlier(), day());
    assert_eq!(difference(&after, &exact(&never)), None);
    let log = server.stop();
    assert!(log.contains("/v1/erase") && !log.contains("needle"), "{log}");
    assert_eq!(difference(&exact(&data), &after), None, "also after a restart");
}

#[test]
fn a_server_removes_the_rows_of_erased_viewers_when_their_day_has_come() {
    let data = platform(0..VIEWERS);
    data.json(&["erase", &viewer(1)]);
    data.file("data/maintenance.json", "{\"erasures_since\": \"2020-01-01\"}");
    let server = Server::start(&data);
    // It does so right after its start, so asking again and again ends soon.
    let epochs = (0..10_000).find_map(|_| {
        let answer = server.query(None, "{ privacy { generation generations { number } } }", &json!({}));
        Some(answer["privacy"].clone()).filter(|privacy| privacy["generation"] != 0)
    });
    assert_eq!(epochs, Some(json!({ "generation": 1, "generations": [{ "number": 1 }] })));
    server.stop();
    assert_eq!(data.json(&["verify"])["viewers"], VIEWERS - 1);
}
