//! What an engine keeps of segments never shows: one that has been asked all along answers like a new one that reads rows.

#![allow(clippy::expect_used, reason = "tests")]

use std::sync::Arc;

use throng_model::{
    Counter, CreatorId, Day, DayRange, Entity, Event, EventId, Family, Granularity, Kind, Source, Timestamp, Traits,
    VideoId, VideoRow, ViewerId, WindowKind,
};
use throng_privacy::{AUDIENCE_MIN_FLOOR, Gate, NoiseKey, Policy, Protection};
use throng_query::{Engine, Plan};
use throng_store::{AppendMode, MemoryMap, Options, Store, without_waiting};

fn gate(store: &Store, plan: Plan, floor: u32) -> Gate {
    let policy = Policy::new(floor, Protection::Threshold, 7).expect("policy");
    Gate::new(Arc::new(Engine::with_plan(store.clone(), plan)), policy, NoiseKey::from_bytes([7; 32]))
}

fn ana() -> CreatorId<'static> {
    CreatorId::parse("ana").expect("id")
}

fn day(number: i64) -> Day {
    Day::parse("2026-03-01").expect("day").saturating_add(number - 1)
}

fn event(name: &str, kind: Kind, video: &str, viewer: u32, day: Day, minute: u32) -> Event<'static> {
    Event {
        event_id: EventId::parse(format!("{name} {video} {viewer} {minute}")).expect("id"),
        ts: Timestamp::parse(&format!("{day}T{:02}:{:02}:00Z", minute / 60 % 24, minute % 60)).expect("time"),
        kind,
        viewer: ViewerId::parse(format!("viewer {viewer}")).expect("id"),
        creator: Some(ana()),
        video: VideoId::parse(video.to_owned()).ok(),
        watch_ms: minute * 10,
        source: Source::Other,
        traits: Traits::default(),
    }
}

/// Views and likes of a video by viewers in turn.
fn crowd(name: &str, video: &str, viewers: std::ops::Range<u32>, events: u32, of: Day) -> Vec<Event<'static>> {
    let kind = |n: u32| if n % 5 == 4 { Kind::Like } else { Kind::View };
    viewers.cycle().zip(0..events).map(|(viewer, n)| event(name, kind(n), video, viewer, of, n)).collect()
}

fn length(video: &str, duration_ms: u32) -> VideoRow {
    VideoRow {
        video: VideoId::parse(video.to_owned()).expect("id"),
        creator: ana(),
        published_at: None,
        duration_ms: Some(duration_ms),
        hashtags: Vec::new(),
        sound: None,
        title: None,
        language: None,
    }
}

/// Every public counter of the channel and of the platform, and the latter's reach; gives how many numbers were shown.
fn compare(asked_all_along: &Gate, store: &Store, floor: u32) -> usize {
    let new = gate(store, Plan::Scan, floor);
    let mut shown = 0;
    for (first, last) in [(1, 1), (2, 2), (3, 3), (1, 4), (2, 3), (0, 9)] {
        let range = DayRange::new(day(first), day(last)).expect("range");
        for entity in [Entity::Creator(ana()), Entity::Platform] {
            let counters = new.counters(&entity, range, None);
            assert_eq!(asked_all_along.counters(&entity, range, None), counters, "{range:?}");
            shown += usize::from(counters.expect("answered").get().get(Counter::Views).value().is_some());
            let series = new.series(&entity, range, Granularity::Day);
            assert_eq!(asked_all_along.series(&entity, range, Granularity::Day), series, "{range:?}");
        }
        let reach = |gate: &Gate| gate.audience(&Entity::Platform, WindowKind::Day, Some(day(first)), &[Family::Reach]);
        let day_reach = reach(&new).expect("answered");
        assert_eq!(reach(asked_all_along), Ok(day_reach.clone()), "{range:?}");
        shown += usize::from(day_reach.get().table(Family::Reach).expect("table").total().value().is_some());
        for counter in Counter::ALL {
            let few = new.top_videos(&ana(), range, counter, 2);
            assert_eq!(asked_all_along.top_videos(&ana(), range, counter, 2), few, "{range:?} {counter:?}");
            let all = new.top_videos(&ana(), range, counter, 100);
            assert_eq!(asked_all_along.top_videos(&ana(), range, counter, 100), all, "{range:?} {counter:?}");
            shown += all.expect("answered").get().len();
        }
    }
    shown
}

#[test]
fn kept_sums_never_grow_old() {
    let options = Options { merges: false, ..Options::default() };
    let store = Store::in_memory(&MemoryMap::default(), &options).expect("opens");
    let floors = [AUDIENCE_MIN_FLOOR, 40];
    let gates = floors.map(|floor| gate(&store, Plan::Auto, floor));
    let append = |events: &[Event<'_>]| {
        store.append(events, AppendMode::Normal).expect("appended");
    };
    let mut shown = 0;
    let mut check =
        || shown += gates.iter().zip(floors).map(|(gate, floor)| compare(gate, &store, floor)).sum::<usize>();

    store.put_catalogue(vec![length("a", 4_000)], Vec::new()).expect("catalogue");
    append(&crowd("tail", "a", 0..60, 700, day(1)));
    append(&crowd("tail", "b", 0..45, 90, day(1)));
    append(&[crowd("tail", "few", 0..6, 6, day(1)), crowd("tail", "rare", 4..8, 30, day(2))].concat());
    check();
    store.checkpoint().expect("checkpoint");
    check();
    // More of the same videos in the tail, then in a second segment.
    append(&[crowd("more", "a", 30..90, 400, day(2)), crowd("more", "b", 45..50, 300, day(3))].concat());
    check();
    store.checkpoint().expect("checkpoint");
    check();
    // Lengths judge completion by the catalogue of now, there and back.
    store.put_catalogue(vec![length("a", 2_000), length("b", 500)], Vec::new()).expect("catalogue");
    check();
    store.put_catalogue(vec![length("a", 4_000)], Vec::new()).expect("catalogue");
    check();
    // Rows that come late count in the first open day but lie by their time: before all others, and between them.
    store.seal_through(day(2)).expect("sealed");
    let late = |n: u32| event("late", Kind::View, "a", 200 + n, day(1), n * 50);
    append(&(0..14).map(late).collect::<Vec<_>>());
    append(&crowd("open", "a", 0..3, 200, day(3)));
    store.checkpoint().expect("checkpoint");
    check();
    // Erasing viewers writes segments again.
    let erased: Vec<_> = (0..50).map(|n| ViewerId::parse(format!("viewer {n}")).expect("id")).collect();
    store.erase(&erased).expect("erased");
    store.compact(day(4)).expect("compacted");
    check();
    store.expire_before(day(2)).expect("expired");
    check_counters(&gates, &store, floors);
    assert!(shown >= 600, "{shown}");
}

/// Of expired days no rows are left to scan: a new engine is asked the same way.
fn check_counters(gates: &[Gate], store: &Store, floors: [u32; 2]) {
    let range = DayRange::new(day(0), day(9)).expect("range");
    for (asked_all_along, floor) in gates.iter().zip(floors) {
        let new = gate(store, Plan::Auto, floor);
        let channel = Entity::Creator(ana());
        assert_eq!(asked_all_along.counters(&channel, range, None), new.counters(&channel, range, None));
        for counter in Counter::ALL {
            let videos = new.top_videos(&ana(), range, counter, 9);
            assert_eq!(asked_all_along.top_videos(&ana(), range, counter, 9), videos, "{counter:?}");
        }
    }
}

#[test]
fn a_thread_that_must_not_wait_is_answered_from_memory_or_not_at_all() {
    let store = Store::in_memory(&MemoryMap::default(), &Options::default()).expect("opens");
    for number in 1..=8 {
        store
            .append(&crowd(&format!("d{number}"), "a", 0..200, 900, day(number)), AppendMode::Normal)
            .expect("appended");
    }
    store.checkpoint().expect("checkpoint");
    store.seal_through(day(8)).expect("sealed");
    let (gate, channel) = (gate(&store, Plan::Auto, AUDIENCE_MIN_FLOOR), Entity::Creator(ana()));
    let range = DayRange::new(day(1), day(8)).expect("range");
    let audience =
        |gate: &Gate| gate.audience(&channel, WindowKind::Day, Some(day(8)), &[Family::Reach, Family::Country]);
    let asks: [&dyn Fn() -> Option<String>; 4] = [
        &|| gate.counters(&channel, range, None).ok().map(|answer| format!("{answer:?}")),
        &|| gate.series(&channel, range, Granularity::Day).ok().map(|answer| format!("{answer:?}")),
        &|| gate.top_videos(&ana(), range, Counter::Views, 3).ok().map(|answer| format!("{answer:?}")),
        &|| audience(&gate).ok().map(|answer| format!("{answer:?}")),
    ];
    for (number, ask) in asks.into_iter().enumerate() {
        let early = without_waiting(ask);
        let patient = ask().expect("answered");
        assert!(early.is_none_or(|early| early == patient), "{number}");
        assert_eq!(without_waiting(ask), Some(patient), "{number}");
    }
    // Frames are not made meanwhile, though the rows are in memory here.
    let new = self::gate(&store, Plan::Auto, AUDIENCE_MIN_FLOOR);
    let early = without_waiting(|| audience(&new));
    assert!(early.is_err(), "{early:?}");
}

#[test]
fn a_channel_whose_videos_are_all_large_but_one_hides_one_more() {
    let store = Store::in_memory(&MemoryMap::default(), &Options::default()).expect("opens");
    for (video, events) in [("a", 300), ("b", 200), ("c", 100)] {
        store.append(&crowd("all", video, 0..30, events, day(1)), AppendMode::Normal).expect("appended");
    }
    store.append(&crowd("all", "few", 0..3, 400, day(1)), AppendMode::Normal).expect("appended");
    store.checkpoint().expect("checkpoint");
    let gate = gate(&store, Plan::Auto, AUDIENCE_MIN_FLOOR);
    // Asked again, it is known which videos have enough viewers.
    for _ in 0..2 {
        for first in [1, 2, 3, 9] {
            let top = gate.top_videos(&ana(), DayRange::day(day(1)), Counter::Views, first).expect("answered");
            let names: Vec<_> = top.get().iter().map(|video| video.video().as_str()).collect();
            assert_eq!(names, ["a", "b"][..first.min(2)]);
        }
    }
}
