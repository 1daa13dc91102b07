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

/// Everyone's view of one hour, each from the source of that hour.
fn views(hour: usize) -> Vec<Event<'static>> {
    let view = |viewer: u32| Event {
        event_id: EventId::parse(format!("{hour} {viewer}")).expect("id"),
        ts: Timestamp::parse(&format!("{}T{hour:02}:30:00Z", day())).expect("time"),
        kind: Kind::View,
        viewer: ViewerId::parse(format!("viewer {viewer}")).expect("id"),
        creator: CreatorId::parse("ana").ok(),
        video: VideoId::parse("v").ok(),
        watch_ms: 5_000,
        source: SOURCES[hour],
        traits: Traits::default(),
    };
    (0..VIEWERS).map(view).collect()
}

/// Which sources and hours of the day are shown, with noise: none that nobody's bounded day holds.
fn shown(places: &[&[usize]], plan: Plan) -> (Vec<Source>, Vec<u8>) {
    let store =
        Store::in_memory(&MemoryMap::default(), &Options { merges: false, ..Options::default() }).expect("opens");
    for (place, hours) in places.iter().enumerate() {
        let events: Vec<_> = hours.iter().flat_map(|&hour| views(hour)).collect();
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

#[test]
fn a_viewers_day_counts_in_its_earliest_sources_and_hours_wherever_it_lies() {
    let expected = (
        SOURCES.into_iter().take(Contribution::SOURCES_PER_DAY_MAX).collect::<Vec<_>>(),
        (0..Contribution::HOURS_PER_DAY_MAX as u8).collect::<Vec<_>>(),
    );
    let layouts: [&[&[usize]]; 5] = [
        // One segment; two, in either order; a segment and rows that are in none yet, in either order.
        &[&[0, 1, 2, 3, 4], &[]],
        &[&[0, 1], &[2, 3, 4], &[]],
        &[&[2, 3, 4], &[0, 1], &[]],
        &[&[0, 1], &[2, 3, 4]],
        &[&[2, 3, 4], &[0, 1]],
    ];
    for layout in layouts {
        for plan in [Plan::Digest, Plan::Auto, Plan::Scan] {
            assert_eq!(shown(layout, plan), expected, "{layout:?} {plan:?}");
        }
    }
}
