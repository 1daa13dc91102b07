//! One golden store per format version: each must read, and the newest must still be what is written.
//!
//! `THRONG_BLESS=1` writes the newest one again; do that only together with a new version byte.

use std::path::PathBuf;

use throng_model::ViewerId;
use throng_store::{AppendMode, DamageError, MemoryMap, OpenError, Options, ReadError, Store};

use crate::world::{HOUR_MS, START_MS, content, creator_row, day, event, options, video_row};

/// The version that is written.
const NEWEST: u32 = 4;

fn golden(version: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/store/golden/version-{version}.bin"))
}

/// A store as of version 1, with something of everything: segments, runs, parts and a log.
fn write() -> (MemoryMap, u64) {
    let map = MemoryMap::default();
    let calm = Options { checkpoint_rows: 1 << 20, merges: false, ..options() };
    let store = Store::in_memory(&map, &calm).unwrap();
    store.put_catalogue(vec![video_row("v1", "c1", Some(50))], vec![creator_row("c1", "Asia/Kathmandu")]).unwrap();
    for part in 0..3_u32 {
        let events: Vec<_> = (part * 400..part * 400 + 400)
            .map(|n| {
                let (creator, video) = (format!("c{}", n % 3), (n % 11 != 0).then(|| format!("v{}", n % 5)));
                let (id, viewer) = (format!("e{n}"), format!("p{}", n % 90));
                event(&id, n, Some(&creator), video.as_deref(), &viewer, START_MS + i64::from(n % 100) * HOUR_MS)
            })
            .collect();
        store.append(&events, AppendMode::Normal).unwrap();
        match part {
            0 => store.checkpoint().unwrap(),
            1 => {
                store.seal_through(day("2026-03-02")).unwrap();
                store.checkpoint().unwrap();
            }
            _ => {}
        }
    }
    let late = event("late", 5_000, Some("c1"), Some("v1"), "p1", START_MS);
    store.append(std::slice::from_ref(&late), AppendMode::Normal).unwrap();
    let events = store.verify().unwrap().events;
    drop(store);
    (map, events)
}

/// What version 2 brought: an erasure that is done, one that is pending, expired rows, a catalogue that says another thing
/// of sealed days, and a bound noise key.
fn write_newest() -> (MemoryMap, u64) {
    let (map, _) = write();
    let calm = Options { checkpoint_rows: 1 << 20, merges: false, ..options() };
    let store = Store::in_memory(&map, &calm).unwrap();
    store.erase(&[ViewerId::parse("p7").unwrap()]).unwrap();
    store.compact(day("2026-03-20")).unwrap();
    store.erase(&[ViewerId::parse("p8").unwrap()]).unwrap();
    store.put_catalogue(vec![video_row("v1", "c1", Some(70))], vec![creator_row("c1", "UTC")]).unwrap();
    assert!(store.expire_before(day("2026-03-02")).unwrap().rows > 0);
    store.put_catalogue(vec![video_row("v1", "c1", Some(90))], vec![]).unwrap();
    store.bind_noise_key([9; 16]).unwrap();
    let last = event("last", 5_001, Some("c1"), Some("v1"), "p8", START_MS);
    store.append(std::slice::from_ref(&last), AppendMode::Normal).unwrap();
    let events = store.verify().unwrap().events;
    drop(store);
    (map, events)
}

fn to_bytes(map: &MemoryMap) -> Vec<u8> {
    let mut bytes = vec![];
    for (key, value) in map.entries() {
        for part in [key, value] {
            bytes.extend_from_slice(&(part.len() as u32).to_le_bytes());
            bytes.extend_from_slice(&part);
        }
    }
    bytes
}

fn from_bytes(mut bytes: &[u8]) -> MemoryMap {
    let mut part = || {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (part, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        bytes = rest;
        Some(part.to_vec())
    };
    let mut entries = vec![];
    while let Some(key) = part() {
        entries.push((key, part().unwrap()));
    }
    MemoryMap::from_entries(entries)
}

#[test]
fn the_golden_store_reads_and_is_still_what_is_written() {
    let (map, events) = write_newest();
    if std::env::var("THRONG_BLESS").is_ok() {
        std::fs::write(golden(NEWEST), to_bytes(&map)).unwrap();
    }
    let kept = from_bytes(&std::fs::read(golden(NEWEST)).unwrap());
    let (kept_entries, entries) = (kept.entries(), map.entries());
    // The root holds a random store id; everything else is the same to the byte.
    let without_root = |entries: &[(Vec<u8>, Vec<u8>)]| -> Vec<(Vec<u8>, Vec<u8>)> {
        entries.iter().filter(|(key, _)| key != b"root").cloned().collect()
    };
    assert_eq!(without_root(&kept_entries).len(), without_root(&entries).len());
    assert!(without_root(&kept_entries) == without_root(&entries), "the format changed without a new version");
    let length = |entries: &[(Vec<u8>, Vec<u8>)]| entries.iter().find(|(key, _)| key == b"root").unwrap().1.len();
    assert_eq!(length(&kept_entries), length(&entries));

    let store = Store::in_memory(&kept, &options()).unwrap();
    assert_eq!(store.verify().unwrap().events, events);
    let fresh = Store::in_memory(&map, &options()).unwrap();
    assert_eq!(content(&store.snapshot()), content(&fresh.snapshot()));
    let epochs: Vec<_> = store.snapshot().epochs().iter().map(|epoch| (epoch.number, epoch.day)).collect();
    assert_eq!(epochs, [(1, day("2026-03-20"))]);
    assert_eq!((store.pending_erasures(), store.noise_key_check()), (1, Some([9; 16])));
}

#[test]
fn a_store_of_each_older_version_reads_and_goes_on() {
    for version in 1..NEWEST {
        let (map, events) = if version == 1 { write() } else { write_newest() };
        let expected = content(&Store::in_memory(&map, &options()).unwrap().snapshot());
        let kept = from_bytes(&std::fs::read(golden(version)).unwrap());
        let store = Store::in_memory(&kept, &options()).unwrap();
        assert_eq!(store.verify().unwrap().events, events, "version {version}");
        assert_eq!(content(&store.snapshot()), expected, "version {version}");
        let new = event("new", 6_000, Some("c1"), Some("v1"), "p1", START_MS);
        store.append(std::slice::from_ref(&new), AppendMode::Normal).unwrap();
        store.checkpoint().unwrap();
        drop(store);
        let store = Store::in_memory(&kept, &options()).unwrap();
        assert_eq!(store.verify().unwrap().events, events + 1, "version {version}");
    }
}

#[test]
fn a_store_of_a_newer_version_is_refused_by_name() {
    let (map, _) = write();
    let newer = map.entries().into_iter().map(|(key, mut value)| {
        if key == b"root" {
            value[0] = NEWEST as u8 + 1;
        }
        (key, value)
    });
    let refused = Store::in_memory(&MemoryMap::from_entries(newer), &options());
    let Err(OpenError::Read(ReadError::Damage(DamageError::Newer { found }))) = refused else { panic!("it opened") };
    assert_eq!(u32::from(found), NEWEST + 1);
}
