//! The public counters against an independent engine: DuckDB reads the same input, `tests/check_duckdb.py` compares.

use std::path::Path;
use std::process::Command;

use crate::real_data::sample;
use crate::server::{Data, Server};

/// The interpreter that has duckdb; `None`, said loudly, where none is named.
fn python() -> Option<String> {
    let python = std::env::var("THRONG_TEST_PYTHON").ok().filter(|python| !python.is_empty());
    if python.is_none() {
        crate::skipped("THRONG_TEST_PYTHON is not set, so nothing was compared with DuckDB");
    }
    python
}

fn compare(python: &str, data: &Data, events: &Path, videos: &Path) {
    data.import(&[videos, events], &["--seal"]);
    let token = data.key(&["operator"]);
    let server = Server::start_with(data, &[("THRONG_PRIVACY_AUDIENCE_MIN", "10")]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_duckdb.py");
    let url = format!("http://{}/graphql", server.address);
    let output =
        Command::new(python).arg(script).arg(url).arg(&token).arg(events).arg(videos).output().expect("python runs");
    let (told, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{wrong}");
    crate::say(&format!("DuckDB agrees:\n{told}"));
}

#[test]
fn every_public_counter_of_a_made_up_platform_is_what_duckdb_counts() {
    let Some(python) = python() else { return };
    let data = Data::new();
    let (events, videos) = made_up();
    let (events, videos) = (data.file("events.ndjson", events), data.file("videos.ndjson", videos));
    compare(&python, &data, &events, &videos);
}

#[test]
fn every_public_counter_of_the_real_sample_is_what_duckdb_counts() {
    let (Some(python), Some((events, videos))) = (python(), sample()) else { return };
    compare(&python, &Data::new(), &events, &videos);
}

/// Twenty thousand events of every kind on channels of every size, in two zones, in no order; and their videos, a third
/// of unknown length.
fn made_up() -> (String, String) {
    const KINDS: [&str; 14] = [
        "view",
        "view",
        "view",
        "view",
        "impression",
        "like",
        "like",
        "unlike",
        "comment",
        "share",
        "save",
        "unsave",
        "follow",
        "profile_view",
    ];
    let mut dice = Dice(2_026);
    let mut videos = String::from("{\"creator\":\"c0\",\"time_zone\":\"Asia/Kathmandu\"}\n");
    for video in 0..60 {
        let duration = if video % 3 == 0 { "null".to_owned() } else { (5_000 + 500 * video).to_string() };
        videos += &format!("{{\"video\":\"v{video}\",\"creator\":\"c{}\",\"duration_ms\":{duration}}}\n", video % 7);
    }
    let mut events = String::new();
    for n in 0..20_000 {
        // Small numbers come up more often, so that some videos have many viewers and some very few.
        let video = dice.below(60) * dice.below(60) / 60;
        let kind = KINDS[dice.below(14) as usize];
        let ts = 1_772_000_000_000_u64 + dice.below(20 * 86_400) * 1_000 + dice.below(1_000);
        let watch = if kind == "view" { format!(",\"watch_ms\":{}", dice.below(40_000)) } else { String::new() };
        events += &format!(
            "{{\"event_id\":\"e{n}\",\"ts\":{ts},\"kind\":\"{kind}\",\"viewer\":\"u{}\",\"video\":\"v{video}\",\"creator\":\"c{}\"{watch}}}\n",
            dice.below(400),
            video % 7,
        );
    }
    (events, videos)
}

/// A fixed sequence: SplitMix64 (Steele, Lea and Flood 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}
