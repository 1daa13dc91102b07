//! What two channels have in common: counted exactly, and only for days that were open when both had agreed.

#![allow(clippy::expect_used, reason = "tests")]

use std::ops::Range;
use std::sync::Arc;

use throng_model::{
    ChannelPair, CreatorId, CreatorRow, Day, DayRange, Entity, Event, EventId, Family, Kind, Source, Timestamp, Traits,
    VideoId, ViewerId, WindowKind, Zone,
};
use throng_privacy::{AUDIENCE_MIN_FLOOR, Disclosure, Gate, GateError, Measure, NoiseKey, Policy, Protection};
use throng_query::{Engine, Plan};
use throng_store::{AppendMode, MemoryMap, Options, Store};

const PLANS: [Plan; 5] = [Plan::Auto, Plan::Rollup, Plan::Bitmap, Plan::Digest, Plan::Scan];

fn creator(id: &str) -> CreatorId<'static> {
    CreatorId::parse(id.to_owned()).expect("id")
}

fn pair(one: &str, other: &str) -> Entity {
    Entity::Overlap(ChannelPair::new(creator(one), creator(other)).expect("two"))
}

fn day(number: i64) -> Day {
    Day::parse("2026-03-01").expect("day").saturating_add(number - 1)
}

fn open(map: &MemoryMap) -> Store {
    Store::in_memory(map, &Options { merges: false, ..Options::default() }).expect("opens")
}

/// Says with whom a channel agrees to share its overlap.
fn agree(store: &Store, id: &str, zone: &str, with: &[&str]) {
    let overlap_with = with.iter().map(|id| creator(id)).collect();
    let time_zone = Zone::parse(zone).expect("zone");
    let row = CreatorRow { creator: creator(id), handle: None, time_zone, overlap_with };
    store.put_catalogue(Vec::new(), vec![row]).expect("catalogue");
}

/// Around noon in UTC each viewer opens a channel's profile, and those of the range watch it twice.
fn watch(store: &Store, id: &str, viewers: Range<u32>, on: Day) {
    let event = |viewer: u32, minute: u32, kind: Kind| Event {
        event_id: EventId::parse(format!("{id} {viewer} {on} {minute}")).expect("id"),
        ts: Timestamp::parse(&format!("{on}T12:{minute:02}:00Z")).expect("time"),
        kind,
        viewer: ViewerId::parse(format!("viewer {viewer}")).expect("id"),
        creator: Some(creator(id)),
        video: (kind == Kind::View).then(|| VideoId::parse(format!("{id} video")).expect("id")),
        watch_ms: 0,
        source: Source::Other,
        traits: Traits::default(),
    };
    let views = viewers.flat_map(|viewer| [event(viewer, 1, Kind::View), event(viewer, 2, Kind::View)]);
    let looks = (0..700).map(|viewer| event(viewer, 0, Kind::ProfileView));
    store.append(&looks.chain(views).collect::<Vec<_>>(), AppendMode::Normal).expect("appended");
}

fn ask(gate: &Gate, entity: &Entity, kind: WindowKind, date: Day) -> Result<Measure, GateError> {
    let answer = gate.audience(entity, kind, Some(date), &[Family::Reach])?;
    Ok(answer.get().table(Family::Reach).expect("asked for").total())
}

fn threshold(store: &Store, plan: Plan) -> Gate {
    let policy = Policy::new(AUDIENCE_MIN_FLOOR, Protection::Threshold, 7).expect("policy");
    Gate::new(Arc::new(Engine::with_plan(store.clone(), plan)), policy, NoiseKey::from_bytes([7; 32]))
}

/// By every plan, alike.
fn exact(store: &Store, entity: &Entity, kind: WindowKind, date: Day) -> Result<Measure, GateError> {
    let [first, others @ ..] = PLANS.map(|plan| ask(&threshold(store, plan), entity, kind, date));
    assert!(others.iter().all(|answer| *answer == first), "{first:?} {others:?}");
    first
}

#[test]
fn viewers_of_both_channels_are_counted_once_over_the_days_of_each() {
    let map = MemoryMap::default();
    let store = open(&map);
    agree(&store, "ana", "UTC", &["ben"]);
    agree(&store, "ben", "Asia/Tokyo", &["ana", "cleo"]);
    watch(&store, "ana", 0..100, day(2));
    watch(&store, "ben", 60..200, day(2));
    store.checkpoint().expect("checkpoint");
    watch(&store, "ana", 150..180, day(3));
    watch(&store, "ben", 0..20, day(4));
    store.seal_through(day(31)).expect("sealed");
    let both = pair("ben", "ana");
    assert_eq!(pair("ana", "ben"), both);
    let value = |kind, date| exact(&store, &both, kind, date).expect("answered").value();
    assert_eq!(value(WindowKind::Day, day(2)), Some(40.0));
    // Over the month the two need not be on one day: 60 to 99, 150 to 179, 0 to 19.
    assert_eq!(value(WindowKind::Month, day(1)), Some(90.0));
    assert_eq!(value(WindowKind::Day, day(3)), None);

    let gate = threshold(&store, Plan::Auto);
    let others = gate.audience(&both, WindowKind::Month, Some(day(1)), &Family::ALL).expect("answered");
    let countries = others.get().table(Family::Country).expect("asked for");
    assert_eq!(countries.total().disclosure(), Disclosure::NotApplicable);
    assert!(gate.counters(&both, DayRange::day(day(2)), None).is_err());
}

#[test]
fn noise_is_the_same_after_a_restart() {
    let map = MemoryMap::default();
    let store = open(&map);
    agree(&store, "ana", "UTC", &["ben"]);
    agree(&store, "ben", "UTC", &["ana"]);
    watch(&store, "ana", 0..300, day(2));
    watch(&store, "ben", 0..300, day(2));
    store.seal_through(day(31)).expect("sealed");
    let noisy = |store: &Store| {
        let policy = Policy::new(20, Protection::Noise, 7).and_then(|policy| policy.with_rho(10.0)).expect("policy");
        let gate = Gate::new(Arc::new(Engine::new(store.clone())), policy, NoiseKey::from_bytes([7; 32]));
        ask(&gate, &pair("ana", "ben"), WindowKind::Month, day(1)).expect("answered")
    };
    let before = noisy(&store);
    assert_eq!(before.disclosure(), Disclosure::Noisy);
    assert!(before.value().is_some_and(|value| (value - 300.0).abs() < 40.0), "{before:?}");
    drop(store);
    let store = open(&map);
    assert_eq!(noisy(&store), before);
    store.checkpoint().expect("checkpoint");
    drop(store);
    assert_eq!(noisy(&open(&map)), before);
}

#[test]
fn few_viewers_besides_are_not_isolated() {
    for (besides, shown) in [(0, true), (AUDIENCE_MIN_FLOOR - 1, false), (AUDIENCE_MIN_FLOOR, true)] {
        let store = open(&MemoryMap::default());
        agree(&store, "ana", "UTC", &["ben"]);
        agree(&store, "ben", "UTC", &["ana"]);
        watch(&store, "ana", 0..100 + besides, day(2));
        watch(&store, "ben", 0..100, day(2));
        watch(&store, "ben", 500..600, day(3));
        store.seal_through(day(31)).expect("sealed");
        let value = exact(&store, &pair("ana", "ben"), WindowKind::Month, day(2)).expect("answered").value();
        assert_eq!(value.is_some(), shown, "{besides}");
    }
}

#[test]
fn only_days_that_were_open_when_both_agreed_are_answered() {
    let map = MemoryMap::default();
    let store = open(&map);
    let both = pair("ana", "ben");
    for number in 1..=8 {
        watch(&store, "ana", 0..60, day(number));
        watch(&store, "ben", 20..90, day(number));
    }
    let of_day = |store: &Store, number| {
        exact(store, &both, WindowKind::Day, day(number)).map(|measure| (measure.disclosure(), measure.value()))
    };
    let shown = Ok((Disclosure::Exact, Some(40.0)));
    let too_early = Ok((Disclosure::NotApplicable, None));
    store.seal_through(day(2)).expect("sealed");
    assert_eq!(of_day(&store, 2), Err(GateError::Unknown));
    agree(&store, "ana", "UTC", &["ben"]);
    assert_eq!(of_day(&store, 2), Err(GateError::Unknown), "one of the two alone");
    store.seal_through(day(4)).expect("sealed");
    agree(&store, "ben", "UTC", &["cleo", "ana"]);
    store.seal_through(day(6)).expect("sealed");
    assert_eq!(of_day(&store, 4), too_early);
    assert_eq!(of_day(&store, 5), shown);
    let week = exact(&store, &both, WindowKind::Last7Days, day(1)).expect("answered");
    assert_eq!(week.disclosure(), Disclosure::NotApplicable, "a window that begins before");
    // Saying it again changes nothing; nor does another zone.
    agree(&store, "ben", "Asia/Tokyo", &["ana"]);
    assert_eq!(of_day(&store, 5), shown);
    drop(store);
    let store = open(&map);
    assert_eq!(of_day(&store, 4), too_early);
    assert_eq!(of_day(&store, 5), shown);
    // Who goes and comes again comes for later days.
    agree(&store, "ben", "Asia/Tokyo", &[]);
    assert_eq!(of_day(&store, 5), Err(GateError::Unknown));
    store.checkpoint().expect("checkpoint");
    drop(store);
    let store = open(&map);
    assert_eq!(of_day(&store, 5), Err(GateError::Unknown));
    agree(&store, "ben", "Asia/Tokyo", &["ana"]);
    assert_eq!(of_day(&store, 6), too_early);
    store.seal_through(day(8)).expect("sealed");
    assert_eq!(of_day(&store, 7), shown);
}
