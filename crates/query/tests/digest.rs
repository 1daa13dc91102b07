//! What counts of a viewer's day where contributions are bounded, from digests: the earliest sources and hours, also
//! where a day lies in several places.

#![allow(clippy::expect_used, reason = "tests")]

use std::sync::Arc;

use throng_model::{
    Cell, CreatorId, Day, Entity, Event, EventId, Family, HourOfWeek, Kind, Source, Timestamp, Traits, VideoId,
    ViewerId, WindowKind,
};
use throng_privacy::{AUDIENCE_MIN_FLOOR, Contribution, Gate, NoiseKey, Policy, Protection, RHO_MAX};
use throng_query::{Engine, Plan};
use throng_store::{AppendMode, MemoryMap, Options, Store};

/// Enough for a digest in each place, and to be shown.
const VIEWERS: u32 = 120;
/// A viewer's views of the day, by hour: more sources and hours than count.
const SOURCES: [Source; 5] = [Source::Sound, Source::ForYou, Source::Search, Source::Following, Source::Profile];

fn day() -> Day {
    Day::parse("2026-03-02").expect("day")
}

/// When everyone's views are: at half of an hour, or all in one minute.
#[derive(Debug, Clone, Copy)]
enum When {
    Hourly,
    InOneMinute,
}

/// Everyone's view by its number, each from the source of that number.
fn views(number: usize, when: When) -> Vec<Event<'static>> {
    let time = match when {
        When::Hourly => format!("{number:02}:30:00"),
        When::InOneMinute => format!("00:30:{number:02}"),
    };
    let view = |viewer: u32| Event {
        event_id: EventId::parse(format!("{number} {viewer}")).expect("id"),
        ts: Timestamp::parse(&format!("{}T{time}Z", day())).expect("time"),
        kind: Kind::View,
        viewer: ViewerId::parse(format!("viewer {viewer}")).expect("id"),
        creator: CreatorId::parse("ana").ok(),
        video: VideoId::parse("v").ok(),
        watch_ms: 5_000,
        source: SOURCES[number],
        traits: Traits::default(),
    };
    (0..VIEWERS).map(view).collect()
}

/// Which sources and hours of the day are shown, with noise: none that nobody's bounded day holds.
fn shown(places: &[&[usize]], when: When, plan: Plan) -> (Vec<Source>, Vec<u8>) {
    let store =
        Store::in_memory(&MemoryMap::default(), &Options { merges: false, ..Options::default() }).expect("opens");
    for (place, numbers) in places.iter().enumerate() {
        let events: Vec<_> = numbers.iter().flat_map(|&number| views(number, when)).collect();
        store.append(&events, AppendMode::Normal).expect("appended");
        if place == 0 || place + 1 < places.len() {
            store.checkpoint().expect("checkpoint");
        }
    }
    store.seal_through(day()).expect("sealed");
    let policy = Policy::new(AUDIENCE_MIN_FLOOR, Protection::Noise, 7).and_then(|policy| policy.with_rho(RHO_MAX));
    let gate =
        Gate::new(Arc::new(Engine::with_plan(store, plan)), policy.expect("policy"), NoiseKey::from_bytes([7; 32]));
    let ana = Entity::Creator(CreatorId::parse("ana").expect("id"));
    let families = [Family::TrafficSource, Family::ActiveHours];
    let answer = gate.audience(&ana, WindowKind::Day, Some(day()), &families).expect("answer").into_inner();
    let is_shown = |family, cell| answer.cell(family, cell).is_some_and(|measure| measure.value().is_some());
    let sources = SOURCES.into_iter().filter(|&source| is_shown(Family::TrafficSource, Cell::Source(source)));
    let hours = (0..24).filter(|&hour| is_shown(Family::ActiveHours, Cell::Hour(HourOfWeek::new(0, hour))));
    (sources.collect(), hours.collect())
}

/// One segment; two or three, in any order and mixed; a segment and rows that are in none yet.
const LAYOUTS: [&[&[usize]]; 8] = [
    &[&[0, 1, 2, 3, 4], &[]],
    &[&[0, 1], &[2, 3, 4], &[]],
    &[&[2, 3, 4], &[0, 1], &[]],
    &[&[0, 2, 4], &[1, 3], &[]],
    &[&[4, 2], &[0, 3], &[1], &[]],
    &[&[0, 1], &[2, 3, 4]],
    &[&[2, 3, 4], &[0, 1]],
    &[&[4], &[0, 2], &[1, 3]],
];

#[test]
fn a_viewers_day_counts_in_its_earliest_sources_and_hours_wherever_it_lies() {
    let expected = (
        SOURCES.into_iter().take(Contribution::SOURCES_PER_DAY_MAX).collect::<Vec<_>>(),
        (0..Contribution::HOURS_PER_DAY_MAX as u8).collect::<Vec<_>>(),
    );
    for layout in LAYOUTS {
        for plan in [Plan::Digest, Plan::Auto, Plan::Scan] {
            assert_eq!(shown(layout, When::Hourly, plan), expected, "{layout:?} {plan:?}");
        }
    }
}

#[test]
fn the_earliest_sources_of_a_minute_count_wherever_its_views_lie() {
    let expected = (SOURCES.into_iter().take(Contribution::SOURCES_PER_DAY_MAX).collect::<Vec<_>>(), vec![0]);
    for layout in LAYOUTS {
        for plan in [Plan::Digest, Plan::Auto, Plan::Scan] {
            assert_eq!(shown(layout, When::InOneMinute, plan), expected, "{layout:?} {plan:?}");
        }
    }
}
