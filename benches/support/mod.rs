//! A made-up platform for the benchmarks: the same events on every run, one channel with a tenth of them all.

#![allow(clippy::expect_used, reason = "a benchmark fails by panicking")]
#![allow(dead_code, reason = "each benchmark uses its part")]

use throng_model::{
    AgeBand, Country, CreatorId, CreatorRow, Day, DayRange, Device, Event, EventId, Gender, Kind, Source, Timestamp,
    Traits, VideoId, VideoRow, ViewerId, Zone,
};
use throng_store::{AppendMode, MemoryMap, Options, Store};

pub(crate) const EVENTS: u64 = 1_000_000;
pub(crate) const HEAD: &str = "c0";
/// Some 1,300 events in 28 days, four in ten of them views.
pub(crate) const MIDDLE: &str = "c50";
const VIEWERS: u64 = 50_000;
const CREATORS: u64 = 500;
const VIDEOS_EACH: u64 = 20;
const DAYS: u64 = 90;
const DAY_MS: u64 = 86_400_000;
const BATCH: usize = 50_000;
const KINDS: [Kind; 10] = [
    Kind::Impression,
    Kind::Impression,
    Kind::Impression,
    Kind::Impression,
    Kind::View,
    Kind::View,
    Kind::View,
    Kind::View,
    Kind::Like,
    Kind::Share,
];

/// The first day of the platform.
fn first_day() -> Day {
    Day::parse("2026-01-01").expect("a day")
}

/// Four whole weeks of it.
pub(crate) fn month() -> DayRange {
    DayRange::new(Day::parse("2026-03-02").expect("a day"), last_day()).expect("a range")
}

/// The Sunday that they end on.
pub(crate) fn last_day() -> Day {
    Day::parse("2026-03-29").expect("a day")
}

/// One output of SplitMix64 (Steele, Lea and Flood 2014): the event's number and the field's make the state.
fn dice(number: u64, field: u64, below: u64) -> u64 {
    let mut mixed = (number * 16 + field).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % below
}

/// An event by its number.
fn event(number: u64) -> Event<'static> {
    let tenth = dice(number, 0, 10) == 0;
    let creator = if tenth { 0 } else { dice(number, 1, CREATORS) * dice(number, 2, CREATORS) / CREATORS };
    let video = creator * VIDEOS_EACH + dice(number, 3, VIDEOS_EACH);
    let viewer = dice(number, 4, VIEWERS) * dice(number, 5, VIEWERS) / VIEWERS;
    let kind = KINDS[dice(number, 6, 10) as usize];
    let start = Zone::UTC.day_start(first_day()).millis();
    Event {
        event_id: EventId::parse(format!("e{number}")).expect("an id"),
        ts: Timestamp::from_millis(start + (number * (DAYS * DAY_MS / EVENTS)) as i64).expect("an instant"),
        kind,
        viewer: ViewerId::parse(format!("u{viewer}")).expect("an id"),
        creator: Some(CreatorId::parse(format!("c{creator}")).expect("an id")),
        video: Some(VideoId::parse(format!("v{video}")).expect("an id")),
        watch_ms: if kind == Kind::View { dice(number, 7, 40_000) as u32 } else { 0 },
        source: Source::ALL[dice(number, 8, 10) as usize],
        traits: Traits {
            country: Country::from_ordinal(1 + dice(viewer, 9, 20) as u8),
            age: AgeBand::from_code(dice(viewer, 10, 8) as u8),
            gender: Gender::from_code(dice(viewer, 11, 4) as u8),
            device: Device::from_code(1 + dice(number, 12, 3) as u8),
            ..Traits::default()
        },
    }
}

/// So many events from this one on, in batches as an import makes them.
pub(crate) fn batches(first: u64, count: u64) -> Vec<Vec<Event<'static>>> {
    let numbers: Vec<u64> = (first..first + count).collect();
    numbers.chunks(BATCH).map(|numbers| numbers.iter().map(|&number| event(number)).collect()).collect()
}

/// An empty store in memory that knows every video's length. The two channels that have names here share their overlap.
pub(crate) fn empty(options: &Options) -> Store {
    let store = Store::in_memory(&MemoryMap::default(), options).expect("opens");
    let rows = (0..CREATORS * VIDEOS_EACH).map(|video| VideoRow {
        video: VideoId::parse(format!("v{video}")).expect("an id"),
        creator: CreatorId::parse(format!("c{}", video / VIDEOS_EACH)).expect("an id"),
        published_at: None,
        duration_ms: Some(5_000 + dice(video, 13, 40_000) as u32),
        hashtags: Vec::new(),
        sound: None,
        title: None,
        language: None,
    });
    let sharing = [[HEAD, MIDDLE], [MIDDLE, HEAD]].map(|ids| {
        let [creator, other] = ids.map(|id| CreatorId::parse(id).expect("an id"));
        CreatorRow { creator, handle: None, time_zone: Zone::UTC, overlap_with: vec![other] }
    });
    store.put_catalogue(rows.collect(), sharing.into()).expect("taken");
    store
}

/// Appends the events, one batch after the other.
pub(crate) fn append(store: &Store, batches: &[Vec<Event<'_>>]) {
    for batch in batches {
        let outcomes = store.append(batch, AppendMode::Normal).expect("appended");
        assert_eq!(outcomes.len(), batch.len());
    }
}

/// The whole platform, its days sealed and its rows in segments.
pub(crate) fn platform(options: &Options) -> Store {
    let store = empty(options);
    append(&store, &batches(0, EVENTS));
    store.seal_through(first_day().saturating_add(DAYS as i64)).expect("sealed");
    store.checkpoint().expect("checkpoint");
    store
}
