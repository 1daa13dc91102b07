//! Imports against a store in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use throng_model::{Day, Timestamp};
use throng_store::{MemoryMap, Options, Store};

use super::{End, Interrupt, Plan, import};
use crate::config::Config;
use crate::failure::Failure;
use crate::receipt::Receipt;

fn store() -> Store {
    // Small, so that a file is many commits.
    Store::in_memory(&MemoryMap::default(), &Options { bulk_rows: 7, ..Options::default() }).unwrap()
}

struct Scene {
    folder: tempfile::TempDir,
    store: Store,
    config: Config,
}

impl Scene {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), store: store(), config: Config::default() }
    }

    fn file(&self, name: &str, lines: &[String]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, lines.join("\n")).unwrap();
        path
    }

    fn plan(&self, files: Vec<PathBuf>) -> Plan {
        let errors = Some(self.folder.path().join("errors.ndjson"));
        Plan { files, seal: false, reopen: false, errors, progress: false }
    }

    fn import(&self, plan: &Plan) -> Receipt {
        let (receipt, end) = import(&self.store, &self.config, plan, &Interrupt::default());
        assert!(matches!(end, End::Done), "{end:?}");
        receipt
    }

    fn sealed_through(&self, creator: &str) -> Option<Day> {
        let snapshot = self.store.snapshot();
        snapshot.sealed_through(snapshot.catalogue().creator_ord(creator)?)
    }
}

fn event(id: u32, ts: &str, owner: &str) -> String {
    format!(r#"{{"event_id":"e{id}","ts":"{ts}","kind":"view","viewer":"v{id}",{owner}}}"#)
}

#[test]
fn catalogues_come_first_whatever_the_order_of_the_files() {
    let scene = Scene::new();
    let events: Vec<_> = (0..50).map(|id| event(id, "2026-03-09T12:00:00Z", r#""video":"a""#)).collect();
    let events = scene.file("events.ndjson", &events);
    let videos = scene.file("videos.ndjson", &[r#"{"video":"a","creator":"c"}"#.to_owned()]);
    let receipt = scene.import(&scene.plan(vec![events, videos]));
    assert_eq!((receipt.accepted, receipt.catalogue_rows, receipt.rejected_count()), (51, 1, 0));
}

#[test]
fn bad_lines_stop_no_good_ones_and_are_all_written_down() {
    let mut scene = Scene::new();
    scene.config.ingest.rejected_listed_max = 1;
    let lines = [
        event(1, "2026-03-09T12:00:00Z", r#""creator":"c","video":"a""#),
        "garbage".to_owned(),
        event(2, "2026-03-09T12:00:00Z", r#""video":"unheard of""#),
        event(1, "2026-03-09T12:00:00Z", r#""creator":"c","video":"a""#),
    ];
    let receipt = scene.import(&scene.plan(vec![scene.file("events.ndjson", &lines)]));
    assert_eq!((receipt.accepted, receipt.duplicates, receipt.rejected_count()), (1, 1, 2));
    assert_eq!(
        receipt.codes().iter().collect::<Vec<_>>(),
        [(&"malformed_json".to_owned(), &1), (&"unknown_video".to_owned(), &1)]
    );
    let json = receipt.to_json();
    assert_eq!((json["rejected"].as_array().unwrap().len(), &json["rejected_total"]), (1, &2.into()));
    let errors = fs::read_to_string(scene.folder.path().join("errors.ndjson")).unwrap();
    let lines: Vec<u64> = errors
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [2, 3]);
}

#[test]
fn an_interrupted_import_is_run_again_without_counting_twice() {
    let scene = Scene::new();
    let events: Vec<_> = (0..50).map(|id| event(id, "2026-03-09T12:00:00Z", r#""creator":"c","video":"a""#)).collect();
    let path = scene.file("events.ndjson", &events);
    let half = scene.file("half.ndjson", &events[..20]);
    assert_eq!(scene.import(&scene.plan(vec![half])).accepted, 20);
    let interrupt = Interrupt::default();
    interrupt.set();
    let (receipt, end) = import(&scene.store, &scene.config, &scene.plan(vec![path.clone()]), &interrupt);
    assert!(matches!(end, End::Interrupted));
    assert_eq!(receipt.lines(), 0);
    let receipt = scene.import(&scene.plan(vec![path]));
    assert_eq!((receipt.accepted, receipt.duplicates), (30, 20));
}

#[test]
fn sealing_closes_the_ended_days_that_were_brought_each_in_its_creators_zone() {
    let mut scene = Scene::new();
    // A day that has not ended, even if midnight passes while this test runs.
    scene.config.ingest.future_skew_ms_max = 7 * 86_400_000;
    let open = Timestamp::now().saturating_add_millis(2 * 86_400_000);
    let catalogue = scene.file("c.ndjson", &[r#"{"creator":"k","time_zone":"Pacific/Kiritimati"}"#.to_owned()]);
    let events = scene.file(
        "e.ndjson",
        &[
            event(1, "2026-03-09T12:00:00Z", r#""creator":"c","video":"a""#),
            event(2, &open.to_string(), r#""creator":"c","video":"a""#),
            event(3, "2026-03-09T12:00:00Z", r#""creator":"k","video":"b""#),
            event(4, &open.to_string(), r#""creator":"open","video":"d""#),
        ],
    );
    scene.import(&Plan { seal: true, ..scene.plan(vec![events, catalogue]) });
    assert_eq!(scene.sealed_through("c"), Some(Day::parse("2026-03-09").unwrap()));
    // Noon UTC is two in the next morning there.
    assert_eq!(scene.sealed_through("k"), Some(Day::parse("2026-03-10").unwrap()));
    assert_eq!(scene.sealed_through("open"), None);
}

#[test]
fn history_into_sealed_days_is_late_unless_they_are_reopened() {
    let scene = Scene::new();
    let at = |id| event(id, "2026-03-09T12:00:00Z", r#""creator":"c","video":"a""#);
    let first = scene.file("1.ndjson", &[at(1)]);
    scene.import(&Plan { seal: true, ..scene.plan(vec![first]) });
    let (late, reopened) = (scene.file("2.ndjson", &[at(2)]), scene.file("3.ndjson", &[at(3)]));
    assert_eq!(scene.import(&scene.plan(vec![late])).late, 1);
    assert_eq!(scene.import(&Plan { reopen: true, ..scene.plan(vec![reopened]) }).accepted, 1);
}

#[test]
fn a_file_that_cannot_be_read_fails_before_anything_is_taken() {
    let scene = Scene::new();
    let good = scene.file("good.ndjson", &[event(1, "2026-03-09T12:00:00Z", r#""creator":"c","video":"a""#)]);
    let plan = scene.plan(vec![good, scene.folder.path().join("absent.ndjson")]);
    let (receipt, end) = import(&scene.store, &scene.config, &plan, &Interrupt::default());
    assert!(matches!(end, End::Failed(Failure::Input { .. })), "{end:?}");
    assert_eq!(receipt.lines(), 0);
    assert_eq!(scene.store.snapshot().catalogue().creator_count(), 0);
}
