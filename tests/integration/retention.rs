//! Retention: events of old days go, and what anyone sees under a video stays.

use serde_json::{Value, json};
use throng_model::{Timestamp, Zone};

use crate::platform::day;
use crate::server::{Data, Server};
use crate::world::{CATALOGUE, VIEWERS, everything, lines};

const EXACT: [(&str, &str); 2] = [("THRONG_PRIVACY_PROTECTION", "threshold"), ("THRONG_PRIVACY_AUDIENCE_MIN", "10")];

fn old_day() -> String {
    Zone::UTC.day_of(Timestamp::now()).saturating_add(-40).to_string()
}

/// Numbers of the old day and of the new one.
fn both(server: &Server, token: &str) -> [Value; 2] {
    [everything(server, token, &old_day(), &old_day()), everything(server, token, &old_day(), day())]
}

#[test]
fn old_events_go_and_public_counters_stay() {
    let data = Data::new();
    let token = data.key(&["operator"]);
    let (catalogue, events) =
        (data.file("videos.ndjson", CATALOGUE), lines(&old_day(), 0..VIEWERS) + &lines(day(), 0..VIEWERS / 2));
    data.import(&[&catalogue, &data.file("events.ndjson", &events)], &["--seal"]);
    let server = Server::start_with(&data, &EXACT);
    let [old_before, new_before] = both(&server, &token);
    assert_eq!(old_before["creator"]["day"]["reach"]["disclosure"], "EXACT");
    server.stop();

    let keep = [EXACT[0], EXACT[1], ("THRONG_STORE_ROWS_KEPT_DAYS", "30")];
    let server = Server::start_with(&data, &keep);
    // It drops them right after its start, so asking again and again ends soon.
    let from = (0..10_000).find_map(|_| {
        let answer = server.query(None, "{ privacy { eventsKeptFrom } }", &json!({}));
        answer["privacy"]["eventsKeptFrom"].as_str().map(str::to_owned)
    });
    assert!(from.expect("dropped") > old_day());
    let [old, new] = both(&server, &token);
    for entity in ["creator", "video", "hashtag"] {
        for part in ["counters", "days"] {
            assert_eq!(old[entity]["numbers"][part], old_before[entity]["numbers"][part], "{entity} {part}");
            assert_eq!(new[entity]["numbers"][part], new_before[entity]["numbers"][part], "{entity} {part}");
        }
        let hours = old[entity]["numbers"]["hours"].as_array().expect("hours");
        assert!(hours.iter().all(|hour| hour["counters"]["views"]["disclosure"] == "WITHHELD"), "{entity}");
        assert_eq!(old[entity]["day"]["reach"]["disclosure"], "NOT_APPLICABLE", "{entity}");
        assert_eq!(new[entity]["day"]["reach"], new_before[entity]["day"]["reach"], "{entity}");
        assert_eq!(new[entity]["day"]["countries"], new_before[entity]["day"]["countries"], "{entity}");
    }
    assert_eq!(
        new["creator"]["day"]["newViewers"]["disclosure"], "NOT_APPLICABLE",
        "what was seen before is not known"
    );
    server.stop();
    let verified = data.json(&["verify"]);
    assert_eq!(verified["events"], lines(day(), 0..VIEWERS / 2).lines().count());
    assert_eq!(verified["viewers"], VIEWERS / 2, "who only watched back then is forgotten");

    let more = lines(&old_day(), VIEWERS..VIEWERS + 1);
    let refused = data.import(&[&data.file("more.ndjson", &more)], &["--reopen"]);
    assert_eq!((&refused["accepted"], &refused["rejected"][0]["code"]), (&json!(0), &json!("expired")), "{refused}");
    let again = data.import(&[&data.file("again.ndjson", &events)], &[]);
    assert_eq!(again["duplicates"], events.lines().count());
}
