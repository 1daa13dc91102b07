//! A platform small enough to write down and rich enough to ask everything of, and a query that asks it.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::server::Server;

/// Viewers of [`lines`].
pub(crate) const VIEWERS: u32 = 240;

/// The id of a viewer.
pub(crate) fn viewer(number: u32) -> String {
    format!("needle-viewer-{number}")
}

/// What these viewers did on a day: each watched a video or two of channel `c`, some liked, a few followed.
pub(crate) fn lines(day: &str, viewers: impl Iterator<Item = u32>) -> String {
    let mut lines = String::new();
    for number in viewers {
        let country = ["DE", "FR", "AT"][number as usize % 3];
        let age = ["18-24", "25-34"][number as usize / 7 % 2];
        let source = ["for_you", "search", "profile"][number as usize / 3 % 3];
        let mut event = |hour: u32, kind: &str, video: &str| {
            let watch =
                if kind == "view" { format!(",\"watch_ms\":{}", 1_000 + 100 * (number % 90)) } else { String::new() };
            _ = writeln!(
                lines,
                "{{\"event_id\":\"{day}-{number}-{hour}\",\"ts\":\"{day}T{hour:02}:00:00Z\",\"kind\":\"{kind}\",\"viewer\":\"{}\",\
                 \"creator\":\"c\",\"video\":\"{video}\",\"country\":\"{country}\",\"age\":\"{age}\",\"source\":\"{source}\"{watch}}}",
                viewer(number)
            );
        };
        event(number % 20, "view", "a");
        if number % 2 == 0 {
            event(20, "view", "b");
        }
        if number % 3 == 0 {
            event(21, "like", "a");
        }
        if number % 5 == 0 {
            event(22, "follow", "a");
        }
    }
    lines
}

/// Lengths, and a hashtag on both videos.
pub(crate) const CATALOGUE: &str = "{\"video\":\"a\",\"creator\":\"c\",\"duration_ms\":10000,\"hashtags\":[\"tag\"],\"published_at\":\"2020-01-01T00:00:00Z\"}\n\
     {\"video\":\"b\",\"creator\":\"c\",\"duration_ms\":8000,\"hashtags\":[\"tag\"],\"published_at\":\"2020-01-01T00:00:00Z\"}\n\
     {\"creator\":\"c\",\"handle\":\"see\"}\n";

const NUMBERS: &str = "
    fragment Numbers on Measured {
      counters(range: {from: $from, to: $day}) {
        views { ...M } likes { ...M } followsGained { ...M } watchTime { ...M } completionRate { ...M }
      }
      hours: series(range: {from: $day, to: $day}, granularity: HOUR) { start counters { views { ...M } } }
      days: series(range: {from: $from, to: $day}, granularity: DAY) { date counters { views { ...M } likes { ...M } } }
    }
    fragment M on Measure { value disclosure }";

const INSIGHTS: &str = "
    fragment Insights on Measured { audience(window: {WINDOW}) {
      reach { ...M } newViewers { ...M } returningViewers { ...M } followers { ...M } nonFollowers { ...M }
      countries: breakdown(by: COUNTRY, first: 9) { ...B } regions: breakdown(by: REGION, first: 9) { ...B }
      ages: breakdown(by: AGE, first: 9) { ...B } genders: breakdown(by: GENDER, first: 9) { ...B }
      devices: breakdown(by: DEVICE, first: 9) { ...B } sources: breakdown(by: TRAFFIC_SOURCE, first: 9) { ...B }
      status: breakdown(by: FOLLOWER_STATUS, first: 9) { ...B }
      ageGender { age gender measure { ...M } } activeHours { weekday hour measure { ...M } }
      retention { position measure { ...M } } funnel { stage measure { ...M } } engagementPerReach { ...M }
    } }
    fragment B on Breakdown { total { ...M } rows { key share measure { ...M } } other { ...M } }
    fragment M on Measure { value disclosure marginOfError }";

/// Every number that there is of channel `c`, video `a` and hashtag `tag`: counters from one day to another, and the
/// audiences of the latter and of the newest four weeks.
pub(crate) fn everything(server: &Server, token: &str, from: &str, day: &str) -> Value {
    everything_of(server, token, ["c", "a", "tag"], from, day)
}

/// The same of another channel, video and hashtag.
pub(crate) fn everything_of(server: &Server, token: &str, ids: [&str; 3], from: &str, day: &str) -> Value {
    let [creator, video, tag] = ids;
    let of = |entity: &str, id: &str| {
        // One question of all of it would be refused as too complex.
        let ask = |variables: &str, fragment: &str, fragments: &str| {
            let query = format!("query({variables}) {{ {entity} {{ ...{fragment} }} }} {fragments}");
            let answer = server.query(Some(token), &query, &json!({ "id": id, "from": from, "day": day }));
            let entity = entity.split('(').next().expect("a word");
            assert!(!answer[entity].is_null(), "{query}");
            answer[entity].clone()
        };
        let kind = if entity.starts_with("hashtag") { "String" } else { "ID" };
        let insights = |variables: &str, window: &str| {
            let fragments = INSIGHTS.replace("WINDOW", window);
            ask(&format!("$id: {kind}!{variables}"), "Insights", &fragments)["audience"].clone()
        };
        let numbers = ask(&format!("$id: {kind}!, $from: Date!, $day: Date!"), "Numbers", NUMBERS);
        let day = insights(", $day: Date!", "kind: DAY, date: $day");
        json!({ "numbers": numbers, "day": day, "weeks": insights("", "kind: LAST_28_DAYS") })
    };
    json!({ "creator": of("creator(id: $id)", creator), "video": of("video(id: $id)", video), "hashtag": of("hashtag(name: $id)", tag) })
}

/// Whether any file in a folder holds these bytes.
pub(crate) fn any_file_holds(folder: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").path()).any(|path| {
        if path.is_dir() {
            return any_file_holds(&path, needle);
        }
        std::fs::read(&path).expect("readable").windows(needle.len()).any(|bytes| bytes == needle)
    })
}

/// Where two answers first differ; `None` where they do not.
pub(crate) fn difference(left: &Value, right: &Value) -> Option<String> {
    let below = |key: &str, left: &Value, right: &Value| Some(format!("{key}.{}", difference(left, right)?));
    match (left, right) {
        (Value::Object(left), Value::Object(right)) if left.keys().eq(right.keys()) => {
            left.iter().find_map(|(key, value)| below(key, value, &right[key]))
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let mut pairs = left.iter().zip(right).enumerate();
            pairs.find_map(|(index, (left, right))| below(&index.to_string(), left, right))
        }
        _ => (left != right).then(|| format!(": {left} and {right}")),
    }
}
