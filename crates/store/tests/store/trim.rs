//! Freed room goes back to the disk, and nothing else goes with it.

use std::num::NonZero;
use std::path::Path;

use tempfile::tempdir;
use throng_store::{AppendMode, Options, Store};

use crate::bulk::lacks_sums;
use crate::world::{START_MS, content, event, options};

const EVENTS: u32 = 120_000;
/// Of a store as small as this one, only what the database needs for itself counts then.
const HARDLY_ANY: NonZero<u64> = NonZero::new(1_000).unwrap();

fn bytes(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries
        .map(|entry| if entry.path().is_dir() { bytes(&entry.path()) } else { entry.metadata().unwrap().len() })
        .sum()
}

/// Names as random as they come, so that the rows take room.
fn name(n: u32) -> String {
    format!("{:08x}", n.wrapping_mul(0x9e37_79b1))
}

#[test]
fn a_store_that_freed_room_gives_it_back_and_keeps_everything() {
    let dir = tempdir().unwrap();
    let data = dir.path().join("data");
    // All is in the log before any of it is in a segment.
    let open = || Store::open(&data, &Options { merges: false, checkpoint_rows: 1 << 19, ..options() }).unwrap();
    let store = open();
    for from in (0..EVENTS).step_by(10_000) {
        let events: Vec<_> = (from..from + 10_000)
            .map(|n| {
                event(&name(n), n, Some("c"), Some(&format!("v{}", n % 900)), &name(n ^ 0x55), START_MS + i64::from(n))
            })
            .collect();
        store.append(&events, AppendMode::Normal).unwrap();
    }
    store.checkpoint().unwrap();
    let before = content(&store.snapshot());
    // The logs are gone, and their room is not.
    let grown = bytes(&data);
    let reader = store.snapshot();
    assert!(store.trim(HARDLY_ANY).unwrap());
    // How much is free depends on how soon the database fills freed room again.
    let trimmed = bytes(&data);
    assert!(trimmed < grown, "{trimmed} of {grown}");
    assert_eq!(content(&store.snapshot()), before);
    assert_eq!(content(&reader), before, "who reads an older snapshot goes on reading it");
    assert!(!store.trim(HARDLY_ANY).unwrap(), "there is nothing left to give back");
    drop((reader, store));
    let again = open();
    assert_eq!(content(&again.snapshot()), before);
    assert_eq!(again.verify().unwrap().events, u64::from(EVENTS));
}

#[test]
fn what_an_import_leaves_to_merge_merges_on_the_way_to_a_fresh_database() {
    let dir = tempdir().unwrap();
    let data = dir.path().join("data");
    let late = Options { bulk_rows: 10_000, checkpoint_rows: 1 << 19, merges_late: true, ..options() };
    let store = Store::open(&data, &late).unwrap();
    for from in (0..EVENTS).step_by(2_000) {
        let one = |n| {
            let (channel, video) = (format!("c{}", n % 11), format!("v{}", n % 770));
            event(&name(n), n, Some(&channel), Some(&video), &name(n ^ 0x55), START_MS + i64::from(n))
        };
        let events: Vec<_> = (from..from + 2_000).map(one).collect();
        store.append_bulk(store.preparer().prepare(&events), AppendMode::Normal).unwrap();
    }
    store.checkpoint().unwrap();
    let (before, reader) = (content(&store.snapshot()), store.snapshot());
    assert!(lacks_sums(&store));
    assert!(store.trim(HARDLY_ANY).unwrap());
    assert!(!lacks_sums(&store));
    let snapshot = store.snapshot();
    let channels = snapshot.segments().iter().map(|segment| segment.creators().unwrap().collect::<Vec<_>>());
    let channels: Vec<_> = channels.collect();
    assert_eq!(channels.len(), 2, "half of the rows in each");
    assert_eq!(channels.concat().len(), 11, "and no channel in both");
    assert!(content(&snapshot) == before && content(&reader) == before);
    drop((snapshot, reader, store));
    let again = Store::open(&data, &Options { merges_late: false, ..late }).unwrap();
    assert_eq!(again.verify().unwrap().events, u64::from(EVENTS));
    assert!(content(&again.snapshot()) == before);
}

#[test]
fn a_store_in_memory_has_no_room_to_give_back() {
    let store = Store::in_memory(&throng_store::MemoryMap::default(), &options()).unwrap();
    assert!(!store.trim(HARDLY_ANY).unwrap());
}
