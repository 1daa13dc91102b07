//! Series in zones whose offset is no whole hour: every step is there, in the zone's own days and hours, and adds up.

#![allow(clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::Arc;

use throng_model::{
    Counter, CreatorId, CreatorRow, Day, DayRange, Entity, Event, EventId, Granularity, Kind, Source, Timestamp,
    Traits, ViewerId, Zone,
};
use throng_privacy::{AUDIENCE_MIN_FLOOR, Gate, NoiseKey, Policy, Protection};
use throng_query::Engine;
use throng_store::{AppendMode, MemoryMap, Options, Store};

/// Viewers of each moment: as many as may be shown.
const VIEWERS: u32 = AUDIENCE_MIN_FLOOR;

fn day(text: &str) -> Day {
    Day::parse(text).expect(text)
}

fn creator() -> CreatorId<'static> {
    CreatorId::parse("c").expect("id")
}

/// A channel of the zone, watched at these moments, asked at some instant.
fn gate(zone: &str, moments: &[&str], clock: fn() -> Timestamp) -> Gate {
    let store = Store::in_memory(&MemoryMap::default(), &Options::default()).expect("opens");
    let row = CreatorRow {
        creator: creator(),
        handle: None,
        time_zone: Zone::parse(zone).expect("zone"),
        overlap_with: vec![],
    };
    store.put_catalogue(Vec::new(), vec![row]).expect("taken");
    let view = |moment: &str, viewer: u32| Event {
        event_id: EventId::parse(format!("{moment} {viewer}")).expect("id"),
        ts: Timestamp::parse(moment).expect("time"),
        kind: Kind::ProfileView,
        viewer: ViewerId::parse(format!("viewer {viewer}")).expect("id"),
        creator: Some(creator()),
        video: None,
        watch_ms: 0,
        source: Source::Other,
        traits: Traits::default(),
    };
    let events: Vec<_> = moments.iter().flat_map(|moment| (0..VIEWERS).map(|viewer| view(moment, viewer))).collect();
    store.append(&events, AppendMode::Normal).expect("appended");
    let policy = Policy::new(AUDIENCE_MIN_FLOOR, Protection::Threshold, 1).expect("policy");
    Gate::with_clock(Arc::new(Engine::new(store)), policy, NoiseKey::from_bytes([7; 32]), clock)
}

/// Start, whether it is partial, and how many moments fall into it: `None` where that is withheld.
type Step = (String, bool, Option<f64>);

fn series(gate: &Gate, from: &str, to: &str, granularity: Granularity) -> Vec<Step> {
    let (entity, days) = (Entity::Creator(creator()), DayRange::new(day(from), day(to)).expect("range"));
    let zone = gate.zone(&entity).expect("known");
    let answer = gate.series(&entity, days, granularity).expect("answered").into_inner();
    let step = |point: &throng_privacy::SeriesPoint| {
        let views = point.counters().get(Counter::ProfileViews).value();
        (zone.format(point.start()), point.partial(), views.map(|views| views / f64::from(VIEWERS)))
    };
    answer.iter().map(step).collect()
}

fn step(start: &str, partial: bool, moments: u32) -> Step {
    (start.to_owned(), partial, (moments > 0).then_some(f64::from(moments)))
}

/// 2026-03-10 06:30 in Kathmandu, 06:15 in Kolkata.
fn clock() -> Timestamp {
    Timestamp::parse("2026-03-10T00:45:00Z").expect("time")
}

#[test]
fn hours_and_days_begin_where_the_zone_says() {
    // A quarter past six in the evening in UTC is midnight in Nepal, a quarter to midnight in India.
    let moments = ["2026-03-09T18:14:59Z", "2026-03-09T18:15:00Z", "2026-03-09T19:14:59Z", "2026-03-10T00:40:00Z"];
    let nepal = gate("Asia/Kathmandu", &moments, clock);
    let hours = series(&nepal, "2026-03-09", "2026-03-10", Granularity::Hour);
    assert_eq!(hours.len(), 48);
    assert_eq!(hours[23], step("2026-03-09T23:00:00+05:45", false, 1));
    assert_eq!(hours[24], step("2026-03-10T00:00:00+05:45", false, 2));
    assert_eq!(hours[25], step("2026-03-10T01:00:00+05:45", false, 0));
    assert_eq!(hours[29], step("2026-03-10T05:00:00+05:45", false, 0));
    assert_eq!(hours[30], step("2026-03-10T06:00:00+05:45", true, 1));
    assert!(hours[31..].iter().all(|(_, partial, moments)| *partial && moments.is_none()));
    let days = [step("2026-03-09T00:00:00+05:45", false, 1), step("2026-03-10T00:00:00+05:45", true, 3)];
    assert_eq!(series(&nepal, "2026-03-09", "2026-03-10", Granularity::Day), days);

    let india = gate("Asia/Kolkata", &moments, clock);
    let hours = series(&india, "2026-03-09", "2026-03-10", Granularity::Hour);
    assert_eq!(hours[23], step("2026-03-09T23:00:00+05:30", false, 2));
    assert_eq!(hours[24], step("2026-03-10T00:00:00+05:30", false, 1));
    let days = [step("2026-03-09T00:00:00+05:30", false, 2), step("2026-03-10T00:00:00+05:30", true, 2)];
    assert_eq!(series(&india, "2026-03-09", "2026-03-10", Granularity::Day), days);
}

#[test]
fn coarse_steps_are_all_there_and_say_which_are_cut() {
    // New Year comes a quarter past six in the evening, and so do the first of February and Monday 2 March.
    let moments = ["2025-12-31T18:15:00Z", "2026-01-31T18:14:00Z", "2026-01-31T18:15:00Z", "2026-03-01T18:15:00Z"];
    let nepal = gate("Asia/Kathmandu", &moments, clock);
    let weeks = series(&nepal, "2026-02-18", "2026-03-10", Granularity::Week);
    let expected = [
        step("2026-02-18T00:00:00+05:45", true, 0),
        step("2026-02-23T00:00:00+05:45", false, 0),
        step("2026-03-02T00:00:00+05:45", false, 1),
        step("2026-03-09T00:00:00+05:45", true, 0),
    ];
    assert_eq!(weeks, expected);
    let months = series(&nepal, "2025-12-01", "2026-03-31", Granularity::Month);
    let expected = [
        step("2025-12-01T00:00:00+05:45", false, 0),
        step("2026-01-01T00:00:00+05:45", false, 2),
        step("2026-02-01T00:00:00+05:45", false, 1),
        step("2026-03-01T00:00:00+05:45", true, 1),
    ];
    assert_eq!(months, expected);
    let quarters = series(&nepal, "2025-07-01", "2026-03-31", Granularity::Quarter);
    let expected = [
        step("2025-07-01T00:00:00+05:45", false, 0),
        step("2025-10-01T00:00:00+05:45", false, 0),
        step("2026-01-01T00:00:00+05:45", true, 4),
    ];
    assert_eq!(quarters, expected);
    let years = series(&nepal, "2024-01-01", "2026-03-09", Granularity::Year);
    let expected = [
        step("2024-01-01T00:00:00+05:45", false, 0),
        step("2025-01-01T00:00:00+05:45", false, 0),
        step("2026-01-01T00:00:00+05:45", true, 4),
    ];
    assert_eq!(years, expected);
}
