//! Erasure: what is left of an erased viewer, when, and where; and copies of a store.

use std::collections::{BTreeSet, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use throng_model::ViewerId;
use throng_store::{AppendMode, CopyError, Options, Outcome, Store, WriteError};

use crate::recovery::copy;
use crate::world::{HOUR_MS, START_MS, content, day, event, options};

const VIEWERS: u32 = 50;

fn viewer(number: u32) -> ViewerId<'static> {
    ViewerId::parse(format!("p{number}")).unwrap()
}

/// Events `from..from + count`, each its own mark, of 50 viewers in turn.
fn fill(store: &Store, from: u32, count: u32) -> Vec<Outcome> {
    let events: Vec<_> = (from..from + count)
        .map(|n| {
            let (creator, video) = (format!("c{}", n % 3), (n % 7 != 0).then(|| format!("v{}", n % 9)));
            let ts = START_MS + i64::from(n % 60) * HOUR_MS;
            event(&format!("e{n}"), n, Some(&creator), video.as_deref(), &format!("p{}", n % VIEWERS), ts)
        })
        .collect();
    store.append(&events, AppendMode::Normal).unwrap()
}

fn marks(store: &Store) -> BTreeSet<u32> {
    content(&store.snapshot()).0.into_iter().map(|fact| fact.mark).collect()
}

/// What a viewer is called in the store: as docs/FORMAT.md says, from the key file.
fn pseudonym(key_file: &Path, viewer: &str) -> [u8; 10] {
    let text = std::fs::read_to_string(key_file).unwrap();
    let digits = text.lines().last().unwrap();
    let key: Vec<u8> = (0..64).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    let derived = blake3::derive_key("throng viewer pseudonym 1", &key);
    *blake3::keyed_hash(&derived, viewer.as_bytes()).as_bytes().first_chunk().unwrap()
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Whether bytes hold a pseudonym, or anything in them that can be unpacked does. Runs code the first eight bytes of their
/// pseudonyms and keep the last two, one viewer's after the other's: so those are looked for among other viewers'.
fn holds(bytes: &[u8], pseudonym: &[u8; 10], ends: &HashSet<[u8; 2]>) -> bool {
    let frames = bytes.windows(4).enumerate().filter(|(_, window)| *window == [0x28, 0xB5, 0x2F, 0xFD]);
    let among_ends = |at: usize| {
        let is_end = |at: usize| bytes.get(at..at + 2).is_some_and(|end| ends.contains(end));
        // With two others, since two alone come about by chance; the first and the last of a run have them on one side.
        [[-4, -2], [-2, 2], [2, 4]].iter().any(|sides| sides.iter().all(|&side| is_end(at.wrapping_add_signed(side))))
    };
    let is_here = |at: usize| bytes[..at].ends_with(&pseudonym[..8]) || among_ends(at);
    bytes.windows(2).enumerate().any(|(at, window)| window == &pseudonym[8..] && is_here(at))
        || frames.into_iter().any(|(at, _)| {
            let mut unpacked = vec![];
            // Stale frames end anywhere: what comes out before the error counts.
            let decoder = zstd::stream::Decoder::new(&bytes[at..]).unwrap().single_frame();
            let _ = decoder.take(1 << 24).read_to_end(&mut unpacked);
            holds(&unpacked, pseudonym, ends)
        })
}

fn files_that_hold(dir: &Path, pseudonym: &[u8; 10], ends: &HashSet<[u8; 2]>) -> Vec<PathBuf> {
    let mut found = vec![];
    files(dir, &mut found);
    found.retain(|path| holds(&std::fs::read(path).unwrap(), pseudonym, ends));
    found
}

#[test]
fn an_erased_viewer_comes_back_as_a_new_one() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let mut store = Store::open(&dir, &options()).unwrap();
    fill(&store, 0, 130);
    let before = content(&store.snapshot()).1;
    let done = store.erase(&[viewer(3), viewer(3), viewer(77)]).unwrap();
    assert_eq!((done.erased, done.pending, done.unknown), (1, 1, 1));
    for restarted in [false, true] {
        if restarted {
            drop(store);
            store = Store::open(&dir, &options()).unwrap();
        }
        assert_eq!(store.pending_erasures(), 1);
        assert_eq!(store.snapshot().epochs(), []);
        let again = event("e3", 3, Some("c0"), Some("v3"), "p3", START_MS);
        assert_eq!(store.append(&[again], AppendMode::Normal).unwrap(), [Outcome::Duplicate]);
    }
    let ids = ["new 1", "new 2"];
    for (mark, id) in (1_000..).zip(ids) {
        store.append(&[event(id, mark, Some("c0"), Some("v3"), "p3", START_MS)], AppendMode::Normal).unwrap();
        store.checkpoint().unwrap();
    }
    let after = content(&store.snapshot()).1;
    assert_eq!(after[&1_000], after[&1_001]);
    assert!(before.values().all(|&ordinal| ordinal < after[&1_000]), "an ordinal was given out twice");
    assert_eq!(after.len(), 132, "rows count until a compaction");
    store.verify().unwrap();
}

#[test]
fn a_compaction_leaves_the_store_as_if_the_rows_had_never_been() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let store = Store::open(&dir, &options()).unwrap();
    for part in 0..4 {
        fill(&store, part * 130, 130);
    }
    store.seal_through(day("2026-03-02")).unwrap();
    store.erase(&[viewer(3), viewer(4)]).unwrap();
    let (old, seen) = (store.snapshot(), content(&store.snapshot()));
    let done = store.compact(day("2026-03-20")).unwrap();
    let stay: BTreeSet<u32> = (0..520).filter(|n| ![3, 4].contains(&(n % VIEWERS))).collect();
    assert_eq!((done.viewers, done.rows), (2, 520 - stay.len() as u64));
    let epoch = done.epoch.unwrap();
    assert_eq!((epoch.number, epoch.day), (1, day("2026-03-20")));
    assert_eq!(content(&old), seen, "a reader keeps what it began with");
    drop(old);
    for _ in 0..2 {
        assert_eq!(marks(&store), stay);
        assert_eq!(store.snapshot().epochs(), [epoch]);
        assert_eq!(store.pending_erasures(), 0);
        let report = store.verify().unwrap();
        assert_eq!((report.events, report.viewers), (stay.len() as u64, u64::from(VIEWERS) - 2));
        assert_eq!(store.compact(day("2026-03-21")).unwrap(), Default::default(), "nothing is left to do");
    }
    // Sealed days later than today: they may have been published already.
    store.seal_through(day("2026-04-05")).unwrap();
    store.erase(&[viewer(5), viewer(3)]).unwrap();
    let done = store.compact(day("2026-03-30")).unwrap();
    let next = done.epoch.unwrap();
    assert_eq!((done.viewers, next.number, next.day), (1, 2, day("2026-04-05")));
    assert_ne!(next.nonce, epoch.nonce);
    // Someone without rows is no reason for an epoch.
    assert_eq!(store.erase(&[viewer(3)]).unwrap().unknown, 1);
    assert!(fill(&store, 0, 520).iter().all(|outcome| *outcome == Outcome::Duplicate));
    drop(store);
    let store = Store::open(&dir, &options()).unwrap();
    assert_eq!(store.snapshot().epochs().len(), 2);
    assert!(
        fill(&store, 520, 100).iter().all(|outcome| matches!(outcome, Outcome::Accepted { .. } | Outcome::Late { .. }))
    );
    store.verify().unwrap();
}

#[test]
fn no_file_holds_an_erased_pseudonym_after_a_compaction() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let calm = Options { checkpoint_rows: 1 << 20, merges: false, ..options() };
    let mut store = Store::open(&dir, &calm).unwrap();
    let key_file = scratch.path().join("data.viewer-key");
    let [erased, other] = ["p3", "p4"].map(|viewer| pseudonym(&key_file, viewer));
    let viewers = (0..VIEWERS).map(|n| format!("p{n}"));
    let ends = viewers.map(|viewer| *pseudonym(&key_file, &viewer).last_chunk().unwrap()).collect();
    let files_that_hold = |pseudonym| files_that_hold(&dir, pseudonym, &ends);
    fill(&store, 0, 100);
    drop(store);
    // In the log.
    assert_ne!(files_that_hold(&erased), Vec::<PathBuf>::new());
    store = Store::open(&dir, &calm).unwrap();
    store.checkpoint().unwrap();
    // In several runs, old ones of which lie in freed room.
    for round in 1..6 {
        fill(&store, round * 1_000, 40);
        store
            .append(
                &[event(&format!("n{round}"), 9_000 + round, Some("c0"), None, &format!("n{round}"), START_MS)],
                AppendMode::Normal,
            )
            .unwrap();
        store.checkpoint().unwrap();
    }
    store.erase(&[viewer(3)]).unwrap();
    drop(store);
    assert_ne!(files_that_hold(&erased), Vec::<PathBuf>::new(), "nothing is promised before the compaction");
    store = Store::open(&dir, &calm).unwrap();
    store.compact(day("2026-03-20")).unwrap();
    assert_eq!(files_that_hold(&erased), Vec::<PathBuf>::new());
    assert_ne!(files_that_hold(&other), Vec::<PathBuf>::new(), "the search finds what is there");
    drop(store);
    assert_eq!(files_that_hold(&erased), Vec::<PathBuf>::new());
}

#[test]
fn a_compaction_that_stopped_half_way_is_as_before_or_done() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let store = Store::open(&dir, &options()).unwrap();
    fill(&store, 0, 300);
    store.erase(&[viewer(3)]).unwrap();
    drop(store);
    let before = scratch.path().join("before");
    copy(&dir.join("db"), &before);
    // Before the fresh database counted: whatever is written of it is nothing.
    copy(&before, &dir.join("db.new"));
    std::fs::write(dir.join("db.new/more"), b"anything").unwrap();
    let store = Store::open(&dir, &options()).unwrap();
    assert!(!dir.join("db.new").exists());
    assert_eq!((marks(&store).len(), store.pending_erasures()), (300, 1));
    store.compact(day("2026-03-20")).unwrap();
    drop(store);
    assert!(!dir.join("db").exists());
    // After it counted, before the old one was gone.
    copy(&before, &dir.join("db"));
    let store = Store::open(&dir, &options()).unwrap();
    assert!(!dir.join("db").exists());
    assert_eq!((marks(&store).len(), store.pending_erasures()), (294, 0));
    store.verify().unwrap();
}

#[test]
fn a_compaction_without_room_changes_nothing_that_is_read() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let store = Store::open(&dir, &options()).unwrap();
    fill(&store, 0, 300);
    store.erase(&[viewer(3)]).unwrap();
    drop(store);
    let store = Store::open(&dir, &Options { disk_free_min_bytes: u64::MAX / 2, ..options() }).unwrap();
    for _ in 0..2 {
        assert!(matches!(store.compact(day("2026-03-20")), Err(WriteError::DiskFull { .. })));
        assert!(matches!(store.erase(&[viewer(4)]), Err(WriteError::DiskFull { .. })));
        assert_eq!((marks(&store).len(), store.pending_erasures()), (300, 1));
    }
    drop(store);
    let store = Store::open(&dir, &options()).unwrap();
    assert_eq!(store.compact(day("2026-03-20")).unwrap().rows, 6);
    store.verify().unwrap();
}

#[test]
fn merges_beside_a_compaction_bring_no_row_back() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    // A checkpoint with nearly every batch, so that merges are always under way.
    let busy = Options { checkpoint_rows: 30, ..options() };
    let store = Store::open(&dir, &busy).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| (0..60).for_each(|part| drop(fill(&store, part * 40, 40))));
        for number in 0..6 {
            store.erase(&[viewer(number)]).unwrap();
            store.compact(day("2026-03-20")).unwrap();
        }
    });
    store.erase(&(0..6).map(viewer).collect::<Vec<_>>()).unwrap();
    store.compact(day("2026-03-20")).unwrap();
    let stay: BTreeSet<u32> = (0..2_400).filter(|n| n % VIEWERS >= 6).collect();
    assert_eq!(marks(&store), stay);
    store.verify().unwrap();
    drop(store);
    let store = Store::open(&dir, &busy).unwrap();
    assert_eq!(marks(&store), stay);
    store.verify().unwrap();
}

#[test]
fn a_copy_is_a_store_of_its_own() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let store = Store::open(&dir, &options()).unwrap();
    fill(&store, 0, 130);
    store.checkpoint().unwrap();
    fill(&store, 130, 50);
    store.erase(&[viewer(3)]).unwrap();
    store.bind_noise_key([9; 16]).unwrap();
    let expected = content(&store.snapshot());
    let target = scratch.path().join("copy");
    let copied = store.copy_to(&target).unwrap();
    assert_eq!(copied.generation, store.snapshot().generation());
    assert!(matches!(store.copy_to(&target), Err(CopyError::NotEmpty { .. })));
    assert!(matches!(store.copy_to(&dir), Err(CopyError::NotEmpty { .. })));
    fill(&store, 180, 50);
    // Without the viewer key it opens for nobody.
    assert!(Store::open(&target, &options()).is_err());
    let keyed = Options { viewer_key: Some(scratch.path().join("data.viewer-key")), ..options() };
    let copied = Store::open(&target, &keyed).unwrap();
    assert_eq!(content(&copied.snapshot()), expected);
    assert_eq!((copied.pending_erasures(), copied.noise_key_check()), (1, Some([9; 16])));
    copied.verify().unwrap();
    assert!(fill(&copied, 0, 180).iter().all(|outcome| *outcome == Outcome::Duplicate));
    assert!(!fill(&copied, 180, 50).contains(&Outcome::Duplicate));
    assert_eq!(copied.compact(day("2026-03-20")).unwrap().viewers, 1);
    assert_eq!(store.pending_erasures(), 1, "a copy has a life of its own");
}

#[test]
fn a_copy_made_while_events_come_in_is_one_state() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let store = Store::open(&dir, &Options { checkpoint_rows: 30, ..options() }).unwrap();
    fill(&store, 0, 40);
    let keyed = Options { viewer_key: Some(scratch.path().join("data.viewer-key")), ..options() };
    std::thread::scope(|scope| {
        scope.spawn(|| (1..40).for_each(|part| drop(fill(&store, part * 40, 40))));
        for number in 0..3 {
            let target = scratch.path().join(format!("copy {number}"));
            store.copy_to(&target).unwrap();
            let copied = Store::open(&target, &keyed).unwrap();
            let marks = marks(&copied);
            assert!(marks.len() >= 40 && marks.len().is_multiple_of(40), "whole batches");
            assert_eq!(marks, (0..marks.len() as u32).collect());
            copied.verify().unwrap();
        }
    });
    assert_eq!(marks(&store).len(), 1_600);
}

#[test]
fn a_noise_key_is_bound_once_for_ever() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let store = Store::open(&dir, &options()).unwrap();
    assert_eq!(store.noise_key_check(), None);
    store.bind_noise_key([1; 16]).unwrap();
    drop(store);
    let store = Store::open(&dir, &options()).unwrap();
    assert_eq!(store.noise_key_check(), Some([1; 16]));
    store.bind_noise_key([1; 16]).unwrap();
    assert!(matches!(store.bind_noise_key([2; 16]), Err(WriteError::OtherNoiseKey)));
    assert_eq!(store.noise_key_check(), Some([1; 16]));
}
