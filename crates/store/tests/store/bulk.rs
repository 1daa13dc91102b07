//! Bulk appends: answered when they are on disk, and never before; few segments however small the imports.

use std::num::NonZero;
use std::thread::yield_now;

use throng_model::Event;
use throng_store::{AppendMode, MemoryMap, Options, Outcome, Store};

use crate::world::{START_MS, append_bulk, content, event, options};

fn events(from: u32, count: u32) -> Vec<Event<'static>> {
    let one =
        |n| event(&format!("e{n}"), n, Some("c"), Some(&format!("v{}", n % 7)), &format!("p{}", n % 50), START_MS);
    (from..from + count).map(one).collect()
}

#[test]
fn rows_wait_until_they_fill_a_segment_and_are_answered_then() {
    let map = MemoryMap::default();
    let open = || Store::in_memory(&map, &Options { bulk_rows: 100, merges: false, ..options() }).unwrap();
    let store = open();
    let first = store.append_bulk(store.preparer().prepare(&events(0, 60)), AppendMode::Normal).unwrap();
    assert!(first.poll().is_none());
    assert!(content(&store.snapshot()).0.is_empty());
    let second = store.append_bulk(store.preparer().prepare(&events(30, 60)), AppendMode::Normal).unwrap();
    let answers = [&first, &second].map(|ticket| {
        loop {
            match ticket.poll() {
                Some(answer) => break answer.unwrap(),
                None => yield_now(),
            }
        }
    });
    let taken = |outcomes: &[Outcome]| outcomes.iter().filter(|it| matches!(it, Outcome::Accepted { .. })).count();
    assert_eq!((taken(&answers[0]), taken(&answers[1])), (60, 30));
    assert!(answers[1][..30].iter().all(|outcome| *outcome == Outcome::Duplicate));
    let snapshot = store.snapshot();
    assert_eq!((snapshot.segments().len(), snapshot.tail().len()), (1, 0));
    drop((snapshot, store));
    assert_eq!(open().verify().unwrap().events, 90);
}

#[test]
fn whatever_must_come_after_a_bulk_comes_after_it() {
    let store = Store::in_memory(&MemoryMap::default(), &options()).unwrap();
    let ticket = store.append_bulk(store.preparer().prepare(&events(0, 10)), AppendMode::Normal).unwrap();
    let after = store.append(&events(5, 10), AppendMode::Normal).unwrap();
    assert!(ticket.poll().unwrap().unwrap().iter().all(|it| matches!(it, Outcome::Accepted { .. })));
    assert!(after[..5].iter().all(|outcome| *outcome == Outcome::Duplicate));
    assert_eq!(store.verify().unwrap().events, 15);
}

#[test]
fn of_equal_ids_the_first_that_can_be_placed_counts() {
    let store = Store::in_memory(&MemoryMap::default(), &options()).unwrap();
    let of = |mark, creator, video| event("same", mark, creator, Some(video), "p", START_MS);
    let batch = [of(1, None, "unheard of"), of(2, Some("c"), "v"), of(3, Some("c"), "v"), of(4, None, "v")];
    let outcomes = append_bulk(&store, &batch, AppendMode::Normal);
    assert!(matches!(
        outcomes[..],
        [Outcome::UnknownVideo, Outcome::Accepted { .. }, Outcome::Duplicate, Outcome::Duplicate]
    ));
    let (facts, _) = content(&store.snapshot());
    assert_eq!(facts.into_iter().map(|fact| fact.mark).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_thousand_small_imports_leave_few_segments() {
    let map = MemoryMap::default();
    let options = Options { checkpoint_rows: 1 << 12, ..options() };
    for import in 0..1_000 {
        // Each opens the store anew, as a program that is run again and again does.
        let store = Store::in_memory(&map, &options).unwrap();
        append_bulk(&store, &events(import * 20, 20), AppendMode::Normal);
    }
    let store = Store::in_memory(&map, &Options { merges: false, ..options }).unwrap();
    assert_eq!(store.verify().unwrap().events, 20_000);
    // Some of each size, and what has piled up since the last merge began.
    let segments = store.snapshot().segments().len();
    assert!(segments < 40, "{segments} segments");
}

#[test]
fn a_long_import_lies_in_few_segments_once_it_is_trimmed() {
    let dir = tempfile::tempdir().unwrap();
    let open = |merges| {
        let options = Options { bulk_rows: 100, checkpoint_rows: 512 * 64, merges, ..options() };
        Store::open(&dir.path().join("data"), &options).unwrap()
    };
    let store = open(true);
    let batches: Vec<_> = (0..21).map(|n| events(n * 90, 100)).collect();
    let mut tickets = Vec::new();
    for batch in &batches {
        let prepared = store.preparer().prepare(batch);
        tickets.push(store.append_bulk(prepared, AppendMode::Normal).unwrap());
    }
    store.checkpoint().unwrap();
    let single = Store::in_memory(&MemoryMap::default(), &options()).unwrap();
    for (batch, ticket) in batches.iter().zip(tickets) {
        assert_eq!(append_bulk(&single, batch, AppendMode::Normal), ticket.poll().unwrap().unwrap());
    }
    single.checkpoint().unwrap();
    store.trim(NonZero::<u64>::MIN).unwrap();
    assert!(store.snapshot().segments().len() < 4, "{} segments", store.snapshot().segments().len());
    assert_eq!(content(&store.snapshot()), content(&single.snapshot()));
    drop(store);
    assert_eq!(open(false).verify().unwrap().events, 21 * 90 + 10);
}

pub(crate) fn lacks_sums(store: &Store) -> bool {
    store.snapshot().segments().iter().any(|segment| segment.day_sums().unwrap().is_empty())
}

#[test]
fn an_import_that_was_cut_off_is_finished_when_the_store_opens() {
    let map = MemoryMap::default();
    let late = Options { bulk_rows: 100, checkpoint_rows: 512 * 64, merges_late: true, ..options() };
    let checked = Options { merges_late: false, merges: false, ..late.clone() };
    let store = Store::in_memory(&map, &late).unwrap();
    // Bulks of a hundred rows on eleven channels.
    for n in 0..1_200 {
        let (channel, video) = (format!("c{}", n % 11), format!("v{}", n % 77));
        let one = event(&format!("e{n}"), n, Some(&channel), Some(&video), &format!("p{}", n % 50), START_MS);
        store.append_bulk(store.preparer().prepare(&[one]), AppendMode::Normal).unwrap();
    }
    store.checkpoint().unwrap();
    assert!(lacks_sums(&store), "what will be merged anyway is written without");
    assert_eq!(store.verify().unwrap().events, 1_200);
    let cut_off = MemoryMap::from_entries(map.entries());
    let again = Store::in_memory(&cut_off, &checked).unwrap();
    assert!(!lacks_sums(&again));
    assert_eq!(again.verify().unwrap().events, 1_200);
    assert_eq!(content(&again.snapshot()), content(&store.snapshot()));
    drop(store);
    let closed = Store::in_memory(&map, &checked).unwrap();
    assert_eq!(content(&again.snapshot()), content(&closed.snapshot()));
}
