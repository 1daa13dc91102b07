//! Editing the catalogue moves no answer over sealed days, and open days follow it.

#![allow(clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::Arc;

use throng_model::{
    Cell, CreatorId, CreatorRow, Day, DayRange, Entity, Event, EventId, Family, Hashtag, HourOfWeek, Kind, Source,
    Timestamp, Traits, VideoId, VideoRow, ViewerId, WindowKind, Zone,
};
use throng_privacy::{AUDIENCE_MIN_FLOOR, Audience, Epoch, Gate, NoiseKey, Policy, Protection, RHO_MAX, Source as _};
use throng_query::Engine;
use throng_store::{AppendMode, MemoryMap, Options, Store};

const VIEWERS: u32 = 60;
const SEALED: [&str; 5] = ["2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-07"];
const OPEN: [&str; 3] = ["2026-03-08", "2026-03-09", "2026-03-10"];

fn options() -> Options {
    Options { checkpoint_rows: 1 << 20, ..Options::default() }
}

fn day(text: &str) -> Day {
    Day::parse(text).expect("day")
}

fn creator_id(id: &str) -> CreatorId<'static> {
    CreatorId::parse(id.to_owned()).expect("id")
}

fn video_id(id: &str) -> VideoId<'static> {
    VideoId::parse(id.to_owned()).expect("id")
}

fn tag(tag: &str) -> Hashtag<'static> {
    Hashtag::parse(tag).expect("tag").into_owned()
}

fn creator_row(id: &str, zone: &str) -> CreatorRow {
    CreatorRow {
        creator: creator_id(id),
        handle: None,
        time_zone: Zone::parse(zone).expect("zone"),
        overlap_with: vec![],
    }
}

/// Its day of publication is 3 March in Berlin and 2 March in New York.
fn video_row(video: &str, creator: &str, duration_ms: Option<u32>, tags: &[&str]) -> VideoRow {
    VideoRow {
        video: video_id(video),
        creator: creator_id(creator),
        published_at: Timestamp::parse("2026-03-02T23:30:00Z").ok(),
        duration_ms,
        hashtags: tags.iter().map(|each| tag(each)).collect(),
        sound: None,
        title: None,
        language: None,
    }
}

/// Everyone watches both videos at noon UTC: the first one for 2.5 or 5 seconds, the second for 5. Some come again.
fn views(day: &str) -> Vec<Event<'static>> {
    let view = |viewer: u32, video: &str, hour: u32| Event {
        event_id: EventId::parse(format!("{day} {video} {viewer} {hour}")).expect("id"),
        ts: Timestamp::parse(&format!("{day}T{hour}:00:00Z")).expect("time"),
        kind: Kind::View,
        viewer: ViewerId::parse(format!("viewer {viewer}")).expect("id"),
        creator: None,
        video: Some(video_id(video)),
        watch_ms: if video == "half" && viewer >= VIEWERS / 2 { 2_500 } else { 5_000 },
        source: Source::Other,
        traits: Traits::default(),
    };
    let some = (0..VIEWERS / 2).map(|viewer| view(viewer, "half", 14));
    (0..VIEWERS).flat_map(|viewer| [view(viewer, "half", 12), view(viewer, "whole", 12)]).chain(some).collect()
}

fn put(store: &Store, days: &[&str]) {
    for day in days {
        store.append(&views(day), AppendMode::Normal).expect("appended");
        store.checkpoint().expect("checkpoint");
    }
}

/// Both channels, both videos, and a store sealed through the last of the sealed days: the last two for ana alone.
fn store(map: &MemoryMap) -> Store {
    let store = Store::in_memory(map, &Options { merges: false, ..options() }).expect("opens");
    let videos =
        vec![video_row("half", "ana", Some(10_000), &["dance"]), video_row("whole", "ana", Some(5_000), &["food"])];
    let creators = vec![creator_row("ana", "Europe/Berlin"), creator_row("ben", "UTC")];
    store.put_catalogue(videos, creators).expect("taken");
    put(&store, &SEALED);
    store.seal_through(day("2026-03-05")).expect("sealed");
    let ana = store.snapshot().catalogue().creator_ord("ana").expect("known");
    store.seal_creators(vec![(ana, day("2026-03-07"))]).expect("sealed");
    store
}

/// Each edit changes one fact of what was counted.
fn edits() -> Vec<(&'static str, VideoRow, CreatorRow)> {
    let ana = creator_row("ana", "Europe/Berlin");
    let moved = creator_row("ana", "America/New_York");
    let half = |creator, length, tags: &[&str]| video_row("half", creator, length, tags);
    let earlier = |row: VideoRow| VideoRow { published_at: Timestamp::parse("2026-03-05T10:00:00Z").ok(), ..row };
    vec![
        ("length", half("ana", Some(5_000), &["dance"]), ana.clone()),
        ("no length", half("ana", None, &["dance"]), ana.clone()),
        ("hashtags", half("ana", Some(5_000), &["food"]), ana),
        ("zone", half("ana", Some(5_000), &["food"]), moved.clone()),
        ("publication", earlier(half("ana", Some(5_000), &["food"])), moved.clone()),
        ("channel", earlier(half("ben", Some(5_000), &["food"])), moved),
    ]
}

fn gates(store: &Store) -> Vec<Gate> {
    [Protection::Threshold, Protection::Noise]
        .into_iter()
        .map(|protection| {
            let policy = Policy::new(AUDIENCE_MIN_FLOOR, protection, 1).expect("valid").with_rho(RHO_MAX);
            let key = NoiseKey::from_bytes([3; 32]);
            Gate::new(Arc::new(Engine::new(store.clone())), policy.expect("valid"), key)
        })
        .collect()
}

fn entities() -> Vec<Entity> {
    let creators = ["ana", "ben"].map(|id| Entity::Creator(creator_id(id)));
    let videos = ["half", "whole"].map(|id| Entity::Video(video_id(id)));
    let tags = ["dance", "food"].map(|each| Entity::Hashtag(tag(each)));
    creators.into_iter().chain(videos).chain(tags).collect()
}

fn ask(gate: &Gate, entity: &Entity, kind: WindowKind, date: Option<Day>) -> Option<Audience> {
    let answer = gate.audience(entity, kind, date, &Family::ALL).ok()?.into_inner();
    answer.window().sealed().then_some(answer)
}

/// Every answer over windows whose days are sealed by now, by question.
fn answers(store: &Store) -> Vec<(String, Audience)> {
    let mut answers = Vec::new();
    for (number, gate) in gates(store).iter().enumerate() {
        for entity in entities() {
            for kind in WindowKind::ALL {
                let dates: Vec<Option<Day>> = match kind.age_days() {
                    Some(_) => vec![None],
                    None => SEALED.map(|date| Some(day(date))).to_vec(),
                };
                for date in dates {
                    let answer = ask(gate, &entity, kind, date);
                    answers.extend(answer.map(|answer| (format!("{number} {entity:?} {kind:?} {date:?}"), answer)));
                }
            }
        }
    }
    answers
}

#[track_caller]
fn check(store: &Store, before: &[(String, Audience)], when: &str) {
    let after = answers(store);
    for (question, answer) in before {
        let now = after.iter().find(|(each, _)| each == question).map(|(_, answer)| answer);
        assert!(now == Some(answer), "{when}: {question}\n{answer:?}\n{now:?}");
    }
}

/// Waits for the merger, which has every segment to merge.
fn merged(store: &Store) {
    let began = std::time::Instant::now();
    while store.snapshot().segments().len() > 1 {
        assert!(began.elapsed().as_secs() < 120, "the merger does nothing");
        std::thread::yield_now();
    }
}

#[test]
fn an_edited_catalogue_moves_no_answer_over_sealed_days() {
    let map = MemoryMap::default();
    let mut store = store(&map);
    let before = answers(&store);
    let shown =
        before.iter().filter(|(_, answer)| answer.table(Family::Reach).is_some_and(|it| it.total().value() > None));
    // Days, weeks, and the first day of two videos, under both gates.
    assert!(shown.count() > 60, "{}", before.len());
    for (fact, video, creator) in edits() {
        store.put_catalogue(vec![video], vec![creator]).expect("taken");
        check(&store, &before, fact);
        drop(store);
        store = Store::in_memory(&map, &Options { merges: false, ..options() }).expect("opens again");
        check(&store, &before, &format!("{fact}, opened again"));
        store.checkpoint().expect("checkpoint");
    }
    put(&store, &OPEN);
    check(&store, &before, "after open days");
    drop(store);
    let store = Store::in_memory(&map, &options()).expect("opens again");
    merged(&store);
    check(&store, &before, "merged");
}

/// Viewers that a cell of a day shows, exactly.
fn shown(store: &Store, entity: &Entity, date: &str, family: Family, cell: Cell) -> Option<f64> {
    let gates = gates(store);
    let answer = ask(gates.first()?, entity, WindowKind::Day, Some(day(date)))?;
    let points =
        answer.curve(family).map(|it| it.points().iter().map(|at| (at.cell(), at.measure().value())).collect());
    let rows = answer.table(family).map(|it| it.rows().iter().map(|row| (row.cell(), row.measure().value())).collect());
    let all: Vec<(Cell, Option<f64>)> = points.or(rows)?;
    all.into_iter().find(|(each, _)| *each == cell)?.1
}

#[test]
fn open_days_follow_the_edited_catalogue() {
    let store = store(&MemoryMap::default());
    let (_, video, creator) = edits().pop().expect("an edit");
    store.put_catalogue(vec![video], vec![creator]).expect("taken");
    put(&store, &OPEN);
    store.seal_through(day("2026-03-10")).expect("sealed");
    let [ana, ben, half, _, dance, food] = <[Entity; 6]>::try_from(entities()).expect("six");
    let (then, now, everyone) = ("2026-03-06", "2026-03-10", Some(f64::from(VIEWERS)));
    // Half of the viewers stopped after 2.5 seconds: a quarter of the old length, half of the new one.
    for (date, position, is_shown) in [(then, 26, true), (then, 51, false), (now, 26, false), (now, 51, true)] {
        let stayed = shown(&store, &half, date, Family::Retention, Cell::Position(position));
        assert_eq!(stayed, is_shown.then_some(f64::from(VIEWERS / 2)), "{position} {date}");
    }
    // Noon in UTC: 13 o'clock in Berlin, 8 o'clock in New York, and on ben's channel noon.
    for (entity, date, hour) in [(&ana, then, 13), (&ana, now, 8), (&half, then, 13), (&half, now, 12)] {
        let cell = Cell::Hour(HourOfWeek::new(day(date).weekday(), hour));
        assert_eq!(shown(&store, entity, date, Family::ActiveHours, cell), everyone, "{entity:?} {date}");
    }
    // Its hashtags and its channel.
    for (entity, date, is_there) in
        [(&dance, then, true), (&dance, now, false), (&food, now, true), (&ben, then, false), (&ben, now, true)]
    {
        let gates = gates(&store);
        let answer =
            gates.first().and_then(|gate| ask(gate, entity, WindowKind::Day, Some(day(date)))).expect("sealed");
        let reach = answer.table(Family::Reach).and_then(|table| table.total().value());
        assert_eq!(reach, everyone.filter(|_| is_there), "{entity:?} {date}");
    }
}

#[test]
fn compactions_count_for_windows_that_were_over() {
    let store = store(&MemoryMap::default());
    let engine = Engine::new(store.clone());
    assert_eq!(engine.epochs(), []);
    store.erase(&[ViewerId::parse("viewer 7").expect("id")]).expect("erased");
    store.compact(day("2026-03-05")).expect("compacted");
    let epoch = Epoch { number: 1, day: day("2026-03-07") };
    assert_eq!(engine.epochs(), [epoch]);
    let epochs = |last: &str| {
        let days = DayRange::new(day("2026-03-01"), day(last)).expect("range");
        engine.rewrites(&Entity::Creator(creator_id("ana")), days).expect("known").epochs.len()
    };
    assert_eq!(["2026-03-06", "2026-03-07", "2026-03-08"].map(epochs), [1, 1, 0]);
}
