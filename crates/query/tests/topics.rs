//! What is kept of topics never grows old, and costs a thread that must not wait nothing.

#![allow(clippy::expect_used, reason = "tests")]

use std::sync::Arc;

use throng_model::{
    CreatorId, Day, Entity, Event, EventId, Hashtag, Kind, Name, Source, Timestamp, Topic, TopicKind, Traits, VideoId,
    VideoRow, ViewerId,
};
use throng_privacy::{AUDIENCE_MIN_FLOOR, Gate, NoiseKey, Policy, Protection};
use throng_query::Engine;
use throng_store::{AppendMode, MemoryMap, Options, Store, without_waiting};

const KINDS: [TopicKind; 3] = [TopicKind::Hashtag, TopicKind::Sound, TopicKind::Video];

fn gate(store: &Store, floor: u32) -> Gate {
    let policy = Policy::new(floor, Protection::Threshold, 7).expect("policy");
    Gate::new(Arc::new(Engine::new(store.clone())), policy, NoiseKey::from_bytes([7; 32]))
}

fn day(number: i64) -> Day {
    Day::parse("2026-03-01").expect("day").saturating_add(number - 1)
}

/// One view each, on a day.
fn views(name: &str, video: &str, viewers: std::ops::Range<u32>, of: Day) -> Vec<Event<'static>> {
    let view = |viewer: u32| Event {
        event_id: EventId::parse(format!("{name} {video} {viewer} {of}")).expect("id"),
        ts: Timestamp::parse(&format!("{of}T{:02}:00:00Z", viewer % 24)).expect("time"),
        kind: Kind::View,
        viewer: ViewerId::parse(format!("viewer {viewer}")).expect("id"),
        creator: None,
        video: VideoId::parse(video.to_owned()).ok(),
        watch_ms: 1_000,
        source: Source::Other,
        traits: Traits::default(),
    };
    viewers.map(view).collect()
}

fn video(id: &str, creator: &str, tags: &[&str], sound: Option<&'static str>) -> VideoRow {
    VideoRow {
        video: VideoId::parse(id.to_owned()).expect("id"),
        creator: CreatorId::parse(creator.to_owned()).expect("id"),
        published_at: None,
        duration_ms: None,
        hashtags: tags.iter().map(|tag| Hashtag::parse(tag).expect("tag").into_owned()).collect(),
        sound: sound.map(|sound| Name::parse(sound).expect("name")),
        title: None,
        language: None,
    }
}

/// Views of a kind by day and topic, sorted.
fn ask(gate: &Gate, kind: TopicKind) -> Vec<(Day, Topic, Option<f64>)> {
    let answer = gate.topic_days(kind, None, 5).expect("answered").into_inner();
    let rows =
        answer.iter().flat_map(|of| of.views().iter().map(|(topic, views)| (of.day(), topic.clone(), views.value())));
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    rows
}

fn named(rows: &[(Day, Topic, Option<f64>)]) -> Vec<String> {
    let name = |topic: &Topic| match topic {
        Topic::Hashtag(tag) => tag.as_str().to_owned(),
        Topic::Sound(sound) => sound.as_str().to_owned(),
        Topic::Video(video) => video.as_str().to_owned(),
    };
    rows.iter().map(|(day, topic, views)| format!("{day} {} {}", name(topic), views.unwrap_or(-1.0))).collect()
}

#[test]
fn kept_days_never_grow_old() {
    let options = Options { merges: false, ..Options::default() };
    let store = Store::in_memory(&MemoryMap::default(), &options).expect("opens");
    let floors = [AUDIENCE_MIN_FLOOR, 40];
    let gates = floors.map(|floor| gate(&store, floor));
    let mut before: Vec<Vec<String>> = Vec::new();
    // Gives for each kind whether the answer of the lowest floor is another than before.
    let mut check = || {
        for (asked_all_along, floor) in gates.iter().zip(floors) {
            let new = gate(&store, floor);
            for kind in KINDS {
                assert_eq!(ask(asked_all_along, kind), ask(&new, kind), "{kind:?} {floor}");
            }
        }
        let after: Vec<_> = KINDS.iter().map(|&kind| named(&ask(&gates[0], kind))).collect();
        let changed = after.iter().zip(&before).map(|(after, before)| after != before).collect::<Vec<_>>();
        before = after;
        changed
    };
    let append = |events: &[Event<'_>], mode| {
        store.append(events, mode).expect("appended");
    };
    let put = |rows: &[VideoRow]| store.put_catalogue(rows.to_vec(), Vec::new()).expect("catalogue");
    put(&[video("a", "ana", &["x", "y"], Some("rain")), video("b", "ben", &["x"], Some("rain"))]);
    append(&[views("1", "a", 0..30, day(1)), views("1", "b", 20..70, day(1))].concat(), AppendMode::Normal);
    append(&views("2", "a", 0..45, day(2)), AppendMode::Normal);
    check();
    store.seal_through(day(2)).expect("sealed");
    assert_eq!(check(), [true, true, true]);
    assert_eq!(
        named(&ask(&gates[0], TopicKind::Hashtag)),
        ["2026-03-01 x 80", "2026-03-01 y 30", "2026-03-02 x 45", "2026-03-02 y 45"]
    );
    store.checkpoint().expect("checkpoint");
    assert_eq!(check(), [false, false, false]);
    // Hashtags are frozen with the day, sounds are those of now; new videos have no share in old days.
    put(&[video("a", "ana", &["z"], Some("wind")), video("new", "ana", &["x"], Some("rain"))]);
    assert_eq!(check(), [false, true, false]);
    put(&[video("a", "ana", &["z"], Some("rain"))]);
    assert_eq!(check(), [false, true, false]);
    // A channel that a video moves to does not take its sealed days along.
    put(&[video("b", "ana", &["x"], Some("rain"))]);
    assert_eq!(check(), [false, false, false]);
    // An open day says nothing, late events count in it, and a day that seals comes in.
    append(&[views("3", "a", 0..60, day(3)), views("late", "a", 100..115, day(1))].concat(), AppendMode::Normal);
    assert_eq!(check(), [false, false, false]);
    store.seal_through(day(3)).expect("sealed");
    assert_eq!(check(), [true, true, true]);
    let on_third = |rows: Vec<String>| rows.into_iter().filter(|row| row.starts_with("2026-03-03")).collect::<Vec<_>>();
    assert_eq!(on_third(named(&ask(&gates[0], TopicKind::Hashtag))), ["2026-03-03 z 75"]);
    // Reopened days, in the tail and in a segment.
    append(&views("reopened", "a", 200..212, day(2)), AppendMode::Reopen);
    assert_eq!(check(), [true, true, true]);
    store.checkpoint().expect("checkpoint");
    assert_eq!(check(), [false, false, false]);
    // Erasing viewers writes segments again.
    let erased: Vec<_> = (0..10).map(|n| ViewerId::parse(format!("viewer {n}")).expect("id")).collect();
    store.erase(&erased).expect("erased");
    check();
    store.compact(day(4)).expect("compacted");
    check();
    // Of expired days the sums stay, and how many were behind them.
    store.expire_before(day(2)).expect("expired");
    assert_eq!(check(), [false, false, false]);
    let hashtags = named(&ask(&gates[0], TopicKind::Hashtag));
    assert_eq!(&hashtags[..2], ["2026-03-01 x 70", "2026-03-01 y 20"]);
    // The floor of 40 viewers: 50 of one video.
    assert_eq!(named(&ask(&gates[1], TopicKind::Hashtag))[0], "2026-03-01 x 70");
}

#[test]
fn what_one_viewer_does_often_is_not_shown() {
    let store = Store::in_memory(&MemoryMap::default(), &Options::default()).expect("opens");
    store.put_catalogue(vec![video("a", "ana", &["x"], Some("rain"))], Vec::new()).expect("catalogue");
    let again = |n: i64| views(&format!("again {n}"), "a", 0..9, day(1));
    store.append(&(0..20).flat_map(again).collect::<Vec<_>>(), AppendMode::Normal).expect("appended");
    store.seal_through(day(1)).expect("sealed");
    let gate = gate(&store, AUDIENCE_MIN_FLOOR);
    for kind in KINDS {
        assert_eq!(ask(&gate, kind), []);
    }
    store.append(&views("tenth", "a", 9..10, day(1)), AppendMode::Reopen).expect("appended");
    for kind in KINDS {
        assert_eq!(ask(&gate, kind).iter().map(|row| row.2).collect::<Vec<_>>(), [Some(181.0)]);
    }
}

#[test]
fn a_thread_that_must_not_wait_works_nothing_out() {
    let store = Store::in_memory(&MemoryMap::default(), &Options::default()).expect("opens");
    store.put_catalogue(vec![video("a", "ana", &["x"], None)], Vec::new()).expect("catalogue");
    store.append(&views("1", "a", 0..30, day(1)), AppendMode::Normal).expect("appended");
    store.seal_through(day(1)).expect("sealed");
    let gate = gate(&store, AUDIENCE_MIN_FLOOR);
    assert!(without_waiting(|| gate.topic_days(TopicKind::Video, None, 14)).is_err());
    let patient = gate.topic_days(TopicKind::Video, None, 14).expect("answered");
    assert_eq!(without_waiting(|| gate.topic_days(TopicKind::Video, None, 14)), Ok(patient));
    assert!(gate.sealed_through(&Entity::Platform).is_ok_and(|sealed| sealed == Some(day(1))));
}
