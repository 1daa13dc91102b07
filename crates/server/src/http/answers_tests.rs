//! A kept answer is never another one than a fresh one: the cache against the schema without it, over a store that changes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::json;
use throng_graphql::{Access, Grant, Limits, Scopes};
use throng_model::{
    CreatorId, CreatorRow, DAY_MS, Day, Event, EventId, Hashtag, Kind, Name, Source, Timestamp, Traits, VideoId,
    VideoRow, ViewerId, Zone,
};
use throng_privacy::{Gate, NoiseKey, Policy, Protection};
use throng_query::Engine;
use throng_store::{AppendMode, MemoryMap, Options, Store};

use super::Service;
use super::answers::{Answers, Body, Question};
use super::asking::{Way, compute};
use super::negotiate::Media;
use super::rate::Bill;
use crate::authn::Authenticator;
use crate::config::Config;
use crate::keys::KeyRing;
use crate::telemetry::Telemetry;

const VIEWERS: u32 = 20;
const SEALED: &str = "2026-03-04";
const OPEN: &str = "2026-03-05";

/// Everything about sealed days and the catalogue.
const SETTLED: &str = "{
    creator(id: \"c\") {
      handle timeZone sealedThrough
      counters(range: {from: \"2026-03-03\", to: \"2026-03-04\"}, compareTo: PREVIOUS_PERIOD) { views { value change } }
      series(range: {last: 1}, granularity: HOUR) { counters { views { value } } }
      topVideos(range: {last: 1}, by: VIEWS, first: 3) { video { id } value { value } }
      audience(window: {kind: DAY, date: \"2026-03-04\"}) { window { sealed } reach { value disclosure } }
      next: audience(window: {kind: DAY, date: \"2026-03-05\"}) { reach { value disclosure } }
      videos(first: 9) { edges { node { id title hashtags } } }
    }
    creators(first: 9) { edges { node { id } } } hashtag(name: \"new\") { name } privacy { generation eventsKeptFrom }
  }";

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn creator(id: &'static str) -> CreatorId<'static> {
    CreatorId::parse(id).unwrap()
}

/// Each of these viewers watches a video at noon; `what` makes other events of it.
fn views(what: &str, date: &str, creator: &'static str, video: &'static str) -> Vec<Event<'static>> {
    let view = |viewer: u32| Event {
        event_id: EventId::parse(format!("{what} {date} {viewer}")).unwrap(),
        ts: Timestamp::parse(&format!("{date}T12:00:00Z")).unwrap(),
        kind: Kind::View,
        viewer: ViewerId::parse(format!("viewer {viewer}")).unwrap(),
        creator: Some(CreatorId::parse(creator).unwrap()),
        video: Some(VideoId::parse(video).unwrap()),
        watch_ms: 1_000,
        source: Source::Other,
        traits: Traits::default(),
    };
    (0..VIEWERS).map(view).collect()
}

fn append(store: &Store, mode: AppendMode, events: &[Event<'_>]) {
    store.append(events, mode).unwrap();
}

fn edit_creator(store: &Store, handle: &'static str, zone: &str) {
    let (handle, time_zone) = (Some(Name::parse(handle).unwrap()), Zone::parse(zone).unwrap());
    store
        .put_catalogue(Vec::new(), vec![CreatorRow { creator: creator("c"), handle, time_zone, overlap_with: vec![] }])
        .unwrap();
}

fn edit_video(store: &Store, title: &str, tag: &'static str) {
    let row = VideoRow {
        video: VideoId::parse("v").unwrap(),
        creator: creator("c"),
        published_at: None,
        duration_ms: None,
        hashtags: vec![Hashtag::parse(tag).unwrap().into_owned()],
        sound: None,
        title: Some(title.to_owned()),
        language: None,
    };
    store.put_catalogue(vec![row], Vec::new()).unwrap();
}

fn noon() -> Timestamp {
    Timestamp::parse("2026-03-06T12:00:00Z").unwrap()
}

struct World {
    store: Store,
    cached: Service,
    fresh: Service,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl World {
    /// Channel `c` with video `v`, sealed through [`SEALED`]; of channel `d` no day is sealed.
    fn new(clock: fn() -> Timestamp) -> Self {
        let store = Store::in_memory(&MemoryMap::default(), &Options::default()).unwrap();
        edit_video(&store, "first", "old");
        for date in ["2026-03-03", SEALED, OPEN] {
            append(&store, AppendMode::Normal, &views("first", date, "c", "v"));
            append(&store, AppendMode::Normal, &views("other", date, "d", "w"));
        }
        let snapshot = store.snapshot();
        store.seal_creators(vec![(snapshot.catalogue().creator_ord("c").unwrap(), day(SEALED))]).unwrap();
        drop(snapshot);
        let policy = Policy::new(10, Protection::Threshold, 7).unwrap();
        let gate = Gate::with_clock(Arc::new(Engine::new(store.clone())), policy, NoiseKey::from_bytes([7; 32]), clock);
        let schema = throng_graphql::schema(Arc::new(gate), Limits::default());
        let folder = tempfile::tempdir().unwrap();
        let service = |bytes_max| {
            let mut config = Config::default();
            config.graphql.answers_cache_bytes_max = bytes_max;
            let keys = KeyRing::open(folder.path().join("keys.json")).unwrap();
            let authn = Authenticator::new(keys, None);
            let telemetry = Telemetry::start(&config.telemetry).unwrap();
            Service::new(store.clone(), schema.clone(), authn, telemetry, &config).expect("no trusted documents")
        };
        let (cached, fresh) = (service(1 << 20), service(0));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { store, cached, fresh, runtime, _folder: folder }
    }

    /// The answer, which must be the fresh one, and whether it was kept.
    fn ask(&self, access: &Access, query: &str) -> (String, bool) {
        let text = json!({ "query": query }).to_string().into();
        let question = Question { access: access.clone(), by_get: false, text };
        let computed = |service| {
            let (question, bill) = (question.clone(), Bill::of(None));
            compute(service, question, bill, Way::Once(Media::Json), self.runtime.handle()).unwrap().body
        };
        let kept = self.cached.answers.get(&question, self.cached.schema.standing());
        let is_kept = kept.is_some();
        let body = kept.unwrap_or_else(|| computed(&self.cached));
        assert_eq!(body, computed(&self.fresh), "{query}");
        (String::from_utf8(body.open.to_vec()).unwrap(), is_kept)
    }

    /// The answer to a question that is asked for a second time, and whether it was kept.
    fn again(&self, access: &Access, query: &str) -> (String, bool) {
        self.ask(access, query);
        self.ask(access, query)
    }
}

type Change = (&'static str, fn(&Store));

const MOVING: [Change; 12] = [
    ("a new channel", |store| append(store, AppendMode::Normal, &views("new channel", OPEN, "e", "v"))),
    ("a new video", |store| append(store, AppendMode::Normal, &views("new video", OPEN, "c", "x"))),
    ("a reopened day", |store| append(store, AppendMode::Reopen, &views("reopened", SEALED, "c", "v"))),
    ("a title", |store| edit_video(store, "second", "old")),
    ("a hashtag", |store| edit_video(store, "second", "new")),
    ("a handle", |store| edit_creator(store, "see", "UTC")),
    ("a zone", |store| edit_creator(store, "see", "Asia/Kathmandu")),
    ("a channel's seal", |store| {
        let channel = store.snapshot().catalogue().creator_ord("c").unwrap();
        store.seal_creators(vec![(channel, day(OPEN))]).unwrap();
    }),
    ("a seal of all by hand", |store| store.seal_through(day("2026-03-06")).unwrap()),
    ("a seal of all by the clock", |store| {
        store.seal_ended_by(Timestamp::parse("2026-03-09T12:00:00Z").unwrap()).unwrap();
    }),
    ("an erasure", |store| {
        store.erase(&[ViewerId::parse("viewer 3").unwrap()]).unwrap();
        store.compact(day("2026-03-09")).unwrap();
    }),
    ("expiry", |store| {
        store.expire_before(day("2026-03-05")).unwrap();
    }),
];

const STILL: [Change; 2] = [
    ("events of an open day", |store| append(store, AppendMode::Normal, &views("more", OPEN, "c", "v"))),
    ("late events", |store| append(store, AppendMode::Normal, &views("late", SEALED, "c", "v"))),
];

#[test]
fn a_kept_answer_goes_with_what_it_stands_on_and_with_nothing_else() {
    let world = World::new(noon);
    for (name, change) in STILL {
        let (before, _) = world.again(&Access::Operator, SETTLED);
        change(&world.store);
        assert_eq!(world.ask(&Access::Operator, SETTLED), (before, true), "{name}");
    }
    for (name, change) in MOVING {
        let (before, kept) = world.again(&Access::Operator, SETTLED);
        assert!(kept && before.contains("\"views\"") && !before.contains("\"errors\""), "{name}: {before}");
        change(&world.store);
        let (after, kept) = world.ask(&Access::Operator, SETTLED);
        assert!(!kept && after != before, "{name}: {after}");
    }
}

#[test]
fn numbers_over_open_days_are_not_kept() {
    let world = World::new(noon);
    let range = "range: {from: \"2026-03-03\", to: \"2026-03-05\"}";
    let settled = "range: {from: \"2026-03-03\", to: \"2026-03-04\"}";
    let counters = |range: &str| format!("counters({range}) {{ views {{ value }} }}");
    let open = [
        format!("{{ creator(id: \"c\") {{ {} }} }}", counters(range)),
        format!("{{ creator(id: \"d\") {{ {} }} }}", counters(settled)),
        format!("{{ creator(id: \"c\") {{ series({range}, granularity: DAY) {{ date }} }} }}"),
        format!("{{ creator(id: \"c\") {{ topVideos({range}, by: VIEWS, first: 1) {{ value {{ value }} }} }} }}"),
        // Any channel can send events of this video, and any video can carry this hashtag.
        format!("{{ video(id: \"v\") {{ {} }} }}", counters(settled)),
        format!("{{ hashtag(name: \"old\") {{ {} }} }}", counters(settled)),
    ];
    for query in &open {
        assert!(!world.again(&Access::Operator, query).1, "{query}");
    }
    world.store.seal_through(day(OPEN)).unwrap();
    for query in &open {
        assert!(world.again(&Access::Operator, query).1, "{query}");
    }
}

#[test]
fn errors_are_not_kept() {
    let world = World::new(noon);
    for query in ["{ creators(first: 1) { edges { cursor } } }", "{ nothing }", "{", "{ creator { id } }"] {
        assert!(!world.again(&Access::Anonymous, query).1, "{query}");
    }
    assert!(world.again(&Access::Anonymous, "{ status { version } }").1);
}

fn partner(grants: &[(&'static str, Scopes)]) -> Access {
    let grant = |&(id, scopes): &(&'static str, Scopes)| Grant { creator: creator(id), scopes };
    Access::Partner(grants.iter().map(grant).collect())
}

#[test]
fn callers_share_an_answer_only_where_they_see_the_same() {
    let world = World::new(noon);
    let query = "{ creators(first: 9) { edges { node { id } } } }";
    let callers = [
        Access::Operator,
        Access::Ingest,
        Access::Creator(creator("c")),
        Access::Creator(creator("d")),
        partner(&[("c", Scopes::ALL)]),
        partner(&[("c", Scopes::ALL), ("d", Scopes::ALL)]),
        partner(&[("c", Scopes::COUNTERS), ("d", Scopes::ALL)]),
        partner(&[("c", Scopes::INSIGHTS)]),
        partner(&[]),
    ];
    for caller in &callers {
        assert!(!world.ask(caller, query).1, "{caller:?}");
        assert!(world.ask(caller, query).1, "{caller:?}");
    }
}

#[test]
fn the_next_day_has_other_newest_windows() {
    static NOW: AtomicI64 = AtomicI64::new(0);
    NOW.store(noon().millis(), Ordering::Relaxed);
    let world = World::new(|| Timestamp::from_millis(NOW.load(Ordering::Relaxed)).unwrap());
    let query = "{ creator(id: \"d\") { audience(window: {kind: DAY}) { window { from } } } }";
    let (before, kept) = world.again(&Access::Operator, query);
    assert!(kept && before.contains("2026-03-05"), "{before}");
    NOW.fetch_add(DAY_MS / 2, Ordering::Relaxed);
    let (after, kept) = world.ask(&Access::Operator, query);
    assert!(!kept && after.contains("2026-03-06"), "{after}");
}

#[test]
fn what_is_kept_is_bounded() {
    let world = World::new(noon);
    let (standing, body) =
        (world.cached.schema.standing().unwrap(), Body { open: vec![7; 1_000].into(), cost: 1, operation: None });
    let question = |number: u32| {
        let text = number.to_string().into();
        Question { access: Access::Operator, by_get: false, text }
    };
    for (bytes_max, most) in [(0, 0), (100_000, 100)] {
        let answers = Answers::new(bytes_max);
        (0..1_000).for_each(|number| answers.keep(question(number), standing, body.clone()));
        let kept = (0..1_000).filter(|&number| answers.get(&question(number), Some(standing)).is_some()).count();
        assert!(kept <= most && (kept > 0 || most == 0), "{kept} of {bytes_max} bytes");
    }
}
