//! Opening again: what was acknowledged is there, and what is not whole is refused.

use throng_store::{AppendMode, KeyError, KvError, OpenError, Options, Outcome, ReadError, Store};

use crate::world::{START_MS, content, event, options, video_row};

fn fill(store: &Store, from: u32, count: u32) {
    let events: Vec<_> = (from..from + count)
        .map(|n| event(&format!("e{n}"), n, Some("c"), Some(&format!("v{}", n % 7)), &format!("p{}", n % 50), START_MS))
        .collect();
    let outcomes = store.append(&events, AppendMode::Normal).unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Accepted { .. })));
}

#[test]
fn everything_acknowledged_is_there_after_opening_again() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let mut count = 0;
    for round in 0..6 {
        let store = Store::open(&dir, &options()).unwrap();
        assert_eq!(content(&store.snapshot()).0.len(), count as usize);
        fill(&store, count, 70 + round);
        count += 70 + round;
        if round % 2 == 0 {
            store.checkpoint().unwrap();
        }
        let again = event("e3", 0, Some("c"), Some("v3"), "p3", START_MS);
        assert_eq!(store.append(&[again], AppendMode::Normal).unwrap(), [Outcome::Duplicate]);
        assert_eq!(store.verify().unwrap().events, u64::from(count));
    }
}

#[test]
fn a_second_process_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let store = Store::open(&dir, &options()).unwrap();
    let second = Store::open(&dir, &options());
    assert!(matches!(second, Err(OpenError::Read(ReadError::Kv(KvError::Locked)))));
    drop(store);
    assert!(Store::open(&dir, &options()).is_ok());
}

#[test]
fn a_lost_or_wrong_viewer_key_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let key = scratch.path().join("data.viewer-key");
    drop(Store::open(&dir, &options()).unwrap());
    let right = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    assert!(matches!(Store::open(&dir, &options()), Err(OpenError::Key(KeyError::Lost { .. }))));
    assert!(!key.exists(), "no new key is made for old data");
    for at in 0..right.len() - 1 {
        let mut wrong = right.clone();
        wrong[at] = if wrong[at] == b'0' { b'1' } else { b'0' };
        std::fs::write(&key, &wrong).unwrap();
        assert!(matches!(Store::open(&dir, &options()), Err(OpenError::Key(_))), "byte {at}");
    }
    std::fs::write(&key, &right).unwrap();
    assert!(Store::open(&dir, &options()).is_ok());
}

#[test]
fn lost_files_are_never_taken_for_an_empty_store() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let store = Store::open(&dir, &options()).unwrap();
    fill(&store, 0, 200);
    drop(store);
    let generation = dir.join("generation");
    let kept = scratch.path().join("kept");
    std::fs::rename(&generation, &kept).unwrap();
    assert!(matches!(Store::open(&dir, &options()), Err(OpenError::NoGeneration { .. })));
    std::fs::rename(&kept, &generation).unwrap();
    std::fs::rename(dir.join("db"), scratch.path().join("db")).unwrap();
    assert!(matches!(Store::open(&dir, &options()), Err(OpenError::Gone { .. })));
    // An empty database where data was acknowledged.
    std::fs::create_dir(dir.join("db")).unwrap();
    assert!(matches!(Store::open(&dir, &options()), Err(OpenError::Gone { .. })));
    std::fs::remove_dir_all(dir.join("db")).unwrap();
    std::fs::rename(scratch.path().join("db"), dir.join("db")).unwrap();
    assert_eq!(Store::open(&dir, &options()).unwrap().verify().unwrap().events, 200);
}

#[test]
fn a_crash_while_the_store_is_made_leaves_one_that_opens() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    drop(Store::open(&dir, &options()).unwrap());
    // As if the crash came just before the generation file, and as if before the first commit.
    std::fs::rename(dir.join("generation"), dir.join("generation.new")).unwrap();
    drop(Store::open(&dir, &options()).unwrap());
    assert!(dir.join("generation").exists());
    std::fs::remove_file(dir.join("generation")).unwrap();
    std::fs::remove_dir_all(dir.join("db")).unwrap();
    std::fs::create_dir(dir.join("db")).unwrap();
    assert_eq!(Store::open(&dir, &options()).unwrap().verify().unwrap().events, 0);
}

#[test]
fn an_older_copy_of_the_files_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let store = Store::open(&dir, &options()).unwrap();
    fill(&store, 0, 10);
    drop(store);
    let old = scratch.path().join("old");
    copy(&dir.join("db"), &old);
    let store = Store::open(&dir, &options()).unwrap();
    fill(&store, 10, 10);
    drop(store);
    std::fs::remove_dir_all(dir.join("db")).unwrap();
    copy(&old, &dir.join("db"));
    assert!(matches!(Store::open(&dir, &options()), Err(OpenError::Stale { .. })));
}

#[test]
fn a_disk_without_room_refuses_writes_and_keeps_what_it_has() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let store = Store::open(&dir, &options()).unwrap();
    fill(&store, 0, 100);
    drop(store);
    let full = Options { disk_free_min_bytes: u64::MAX / 2, ..options() };
    let store = Store::open(&dir, &full).unwrap();
    let events = [event("new", 1_000, Some("c"), Some("v1"), "p", START_MS)];
    for _ in 0..3 {
        let refused = store.append(&events, AppendMode::Normal);
        assert!(matches!(refused, Err(throng_store::WriteError::DiskFull { .. })));
        let refused = store.put_catalogue(vec![video_row("v", "c", None)], vec![]);
        assert!(matches!(refused, Err(throng_store::WriteError::DiskFull { .. })));
    }
    assert_eq!(content(&store.snapshot()).0.len(), 100);
    drop(store);
    let store = Store::open(&dir, &options()).unwrap();
    assert_eq!(store.verify().unwrap().events, 100);
    assert!(matches!(store.append(&events, AppendMode::Normal).unwrap()[..], [Outcome::Accepted { .. }]));
}

pub(crate) fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
