//! Freed room goes back to the disk, and nothing else goes with it.

use std::num::NonZero;
use std::path::Path;

use tempfile::tempdir;
use throng_store::{AppendMode, Options, Store};

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

#[test]
fn a_store_that_merged_gives_room_back_and_keeps_everything() {
    let dir = tempdir().unwrap();
    let data = dir.path().join("data");
    let open = || Store::open(&data, &Options { merges: false, ..options() }).unwrap();
    let store = open();
    // Names as random as they come, so that the rows take room.
    let name = |n: u32| format!("{:08x}", n.wrapping_mul(0x9e37_79b1));
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
fn a_store_in_memory_has_no_room_to_give_back() {
    let store = Store::in_memory(&throng_store::MemoryMap::default(), &options()).unwrap();
    assert!(!store.trim(HARDLY_ANY).unwrap());
}
