//! Any sequence of operations leaves the store with just what a plain list of events would hold.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::prelude::*;
use throng_model::{Day, Timestamp, ViewerId, Zone};
use throng_store::{AppendMode, MemoryMap, Outcome, Store};

use crate::world::{Fact, HOUR_MS, START_MS, append_bulk, content, creator_row, day, event, options, video_row};

const ZONES: [&str; 3] = ["UTC", "Asia/Kathmandu", "America/New_York"];

#[derive(Debug, Clone)]
enum Step {
    Append {
        events: Vec<Spec>,
        reopen: bool,
        bulk: bool,
    },
    Video {
        video: u8,
        creator: u8,
        duration_ms: Option<u32>,
    },
    Zone {
        creator: u8,
        zone: u8,
    },
    SealThrough(u8),
    SealClock(u8),
    SealCreator(u8, u8),
    Erase(Vec<u8>),
    /// On so many days after the first.
    Compact(u8),
    Checkpoint,
    Restart,
}

#[derive(Debug, Clone)]
struct Spec {
    id: u16,
    creator: Option<u8>,
    video: Option<u8>,
    viewer: u8,
    hour: u16,
}

fn spec() -> impl Strategy<Value = Spec> {
    (0..400_u16, prop::option::of(0..4_u8), prop::option::of(0..6_u8), 0..12_u8, 0..240_u16).prop_map(
        |(id, creator, video, viewer, hour)| {
            // One of the two is always there: the event type's invariant.
            let creator = if video.is_none() { creator.or(Some(0)) } else { creator };
            Spec { id, creator, video, viewer, hour }
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (prop::collection::vec(spec(), 1..40), prop::bool::weighted(0.2), prop::bool::weighted(0.3))
            .prop_map(|(events, reopen, bulk)| Step::Append { events, reopen, bulk }),
        2 => (0..6_u8, 0..4_u8, prop::option::of(1..90_u32))
            .prop_map(|(video, creator, duration_ms)| Step::Video { video, creator, duration_ms }),
        1 => (0..4_u8, 0..3_u8).prop_map(|(creator, zone)| Step::Zone { creator, zone }),
        1 => (0..9_u8).prop_map(Step::SealThrough),
        1 => (0..9_u8).prop_map(Step::SealClock),
        1 => (0..4_u8, 0..9_u8).prop_map(|(creator, days)| Step::SealCreator(creator, days)),
        2 => prop::collection::vec(0..14_u8, 1..4).prop_map(Step::Erase),
        2 => (0..20_u8).prop_map(Step::Compact),
        1 => Just(Step::Checkpoint),
        2 => Just(Step::Restart),
    ]
}

type Viewer = (u8, u32);

/// The plain list.
#[derive(Default)]
struct Model {
    /// With the viewer, and how often that viewer was erased before.
    rows: Vec<(Fact, Viewer)>,
    /// How often each viewer was erased.
    erased: BTreeMap<u8, u32>,
    pending: BTreeSet<Viewer>,
    known: BTreeSet<Viewer>,
    /// Whose each ordinal is, for ever.
    ordinals: BTreeMap<u32, Viewer>,
    /// Number and day.
    epochs: Vec<(u32, Day)>,
    seen: BTreeSet<u16>,
    creators: HashMap<String, ModelCreator>,
    /// Creator of each video.
    videos: BTreeMap<String, String>,
    through: Option<Day>,
    clock: Option<Timestamp>,
    mark: u32,
}

struct ModelCreator {
    zone: Zone,
    sealed: Option<Day>,
}

impl Default for ModelCreator {
    fn default() -> Self {
        Self { zone: Zone::UTC, sealed: None }
    }
}

impl Model {
    fn sealed(&self, creator: &str) -> Option<Day> {
        let known = self.creators.get(creator)?;
        let by_clock = self.clock.map(|clock| known.zone.day_of(clock).previous());
        known.sealed.max(self.through).max(by_clock)
    }

    fn append(&mut self, spec: &Spec, mark: u32, reopen: bool) -> &'static str {
        let ts = START_MS + i64::from(spec.hour) * HOUR_MS;
        if self.seen.contains(&spec.id) {
            return "duplicate";
        }
        let video = spec.video.map(|video| format!("v{video}"));
        let creator = match spec.creator {
            Some(creator) => format!("c{creator}"),
            None => match video.as_ref().and_then(|video| self.videos.get(video)) {
                Some(creator) => creator.clone(),
                None => return "unknown video",
            },
        };
        self.seen.insert(spec.id);
        self.creators.entry(creator.clone()).or_default();
        if let Some(video) = &video {
            self.videos.entry(video.clone()).or_insert_with(|| creator.clone());
        }
        let own = self.creators[&creator].zone.day_of(Timestamp::from_millis(ts).unwrap());
        let sealed = self.sealed(&creator);
        let late = !reopen && sealed.is_some_and(|sealed| own <= sealed);
        let counted = if late { sealed.unwrap().next() } else { own };
        let whole = event("x", mark, Some(&creator), video.as_deref(), "x", ts);
        let fact = Fact {
            creator,
            video,
            ts,
            kind: whole.kind.code(),
            mark,
            day: counted.number(),
            country: whole.traits.country.unwrap().ordinal(),
        };
        let viewer = self.viewer(spec.viewer);
        self.known.insert(viewer);
        self.rows.push((fact, viewer));
        if late { "late" } else { "accepted" }
    }

    fn viewer(&self, viewer: u8) -> Viewer {
        (viewer, self.erased.get(&viewer).copied().unwrap_or(0))
    }

    /// How many viewers were known.
    fn erase(&mut self, viewers: &[u8]) -> u64 {
        let mut count = 0;
        for &viewer in viewers {
            let known = self.viewer(viewer);
            if self.known.remove(&known) {
                self.pending.insert(known);
                *self.erased.entry(viewer).or_default() += 1;
                count += 1;
            }
        }
        count
    }

    /// How many viewers and rows went.
    fn compact(&mut self, today: Day) -> (u64, u64) {
        let (viewers, before) = (self.pending.len(), self.rows.len());
        let pending = std::mem::take(&mut self.pending);
        self.rows.retain(|(_, viewer)| !pending.contains(viewer));
        if self.rows.len() < before {
            let newest = self.creators.keys().filter_map(|creator| self.sealed(creator)).max();
            let number = self.epochs.len() as u32 + 1;
            self.epochs.push((number, newest.map_or(today, |newest| newest.max(today))));
        }
        (viewers as u64, (before - self.rows.len()) as u64)
    }

    fn set_zone(&mut self, creator: &str, zone: Zone) {
        let sealed = self.sealed(creator);
        let known = self.creators.entry(creator.to_owned()).or_default();
        if known.zone == zone {
            return;
        }
        known.sealed = sealed;
        known.zone = zone;
        let zone = known.zone.clone();
        // A clock that already ran may count one day more as ended in the new zone.
        let sealed_now = self.sealed(creator);
        for (fact, _) in self.rows.iter_mut().filter(|(fact, _)| fact.creator == creator) {
            let counted = Day::from_number(i64::from(fact.day)).unwrap();
            if sealed_now.is_none_or(|sealed| sealed < counted) {
                let own = zone.day_of(Timestamp::from_millis(fact.ts).unwrap());
                fact.day = own.max(sealed_now.map_or(Day::MIN, Day::next)).number();
            }
        }
    }
}

fn run(steps: &[Step], open: impl Fn() -> Store) {
    let mut store = open();
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Append { events, reopen, bulk } => {
                let mut expected = vec![];
                let mut batch = vec![];
                for spec in events {
                    model.mark += 1;
                    let mark = model.mark;
                    expected.push(model.append(spec, mark, *reopen));
                    let creator = spec.creator.map(|creator| format!("c{creator}"));
                    let video = spec.video.map(|video| format!("v{video}"));
                    let ts = START_MS + i64::from(spec.hour) * HOUR_MS;
                    let (id, viewer) = (format!("e{}", spec.id), format!("viewer {}", spec.viewer));
                    batch.push(event(&id, mark, creator.as_deref(), video.as_deref(), &viewer, ts));
                }
                let mode = if *reopen { AppendMode::Reopen } else { AppendMode::Normal };
                let outcomes =
                    if *bulk { append_bulk(&store, &batch, mode) } else { store.append(&batch, mode).unwrap() };
                let words: Vec<_> = outcomes
                    .iter()
                    .map(|outcome| match outcome {
                        Outcome::Accepted { .. } => "accepted",
                        Outcome::Late { .. } => "late",
                        Outcome::Duplicate => "duplicate",
                        Outcome::UnknownVideo => "unknown video",
                        Outcome::Expired => "expired",
                    })
                    .collect();
                assert_eq!(words, expected);
            }
            Step::Video { video, creator, duration_ms } => {
                let (video, creator) = (format!("v{video}"), format!("c{creator}"));
                store.put_catalogue(vec![video_row(&video, &creator, *duration_ms)], vec![]).unwrap();
                model.creators.entry(creator.clone()).or_default();
                model.videos.insert(video, creator);
            }
            Step::Zone { creator, zone } => {
                let (creator, zone) = (format!("c{creator}"), ZONES[*zone as usize]);
                store.put_catalogue(vec![], vec![creator_row(&creator, zone)]).unwrap();
                model.set_zone(&creator, Zone::parse(zone).unwrap());
            }
            Step::SealThrough(days) => {
                let through = day("2026-02-27").saturating_add(i64::from(*days));
                store.seal_through(through).unwrap();
                model.through = model.through.max(Some(through));
            }
            Step::SealClock(days) => {
                let instant = Timestamp::from_millis(START_MS + i64::from(*days) * 20 * HOUR_MS).unwrap();
                store.seal_ended_by(instant).unwrap();
                model.clock = model.clock.max(Some(instant));
            }
            Step::SealCreator(creator, days) => {
                let creator = format!("c{creator}");
                let through = day("2026-02-27").saturating_add(i64::from(*days));
                if let Some(ordinal) = store.snapshot().catalogue().creator_ord(&creator) {
                    store.seal_creators(vec![(ordinal, through)]).unwrap();
                    let known = model.creators.get_mut(&creator).unwrap();
                    known.sealed = known.sealed.max(Some(through));
                }
            }
            Step::Erase(viewers) => {
                let ids: Vec<_> =
                    viewers.iter().map(|viewer| ViewerId::parse(format!("viewer {viewer}")).unwrap()).collect();
                let done = store.erase(&ids).unwrap();
                assert_eq!(done.erased, model.erase(viewers));
                assert_eq!(done.erased + done.pending + done.unknown, viewers.len() as u64);
            }
            Step::Compact(days) => {
                let today = day("2026-03-01").saturating_add(i64::from(*days));
                let done = store.compact(today).unwrap();
                let before = model.epochs.len();
                assert_eq!((done.viewers, done.rows), model.compact(today));
                assert_eq!(done.epoch.map(|epoch| (epoch.number, epoch.day)).as_ref(), model.epochs.get(before));
                assert_eq!(store.verify().unwrap().viewers, model.known.len() as u64);
            }
            Step::Checkpoint => store.checkpoint().unwrap(),
            Step::Restart => {
                drop(store);
                store = open();
            }
        }
        compare(&store, &mut model);
    }
    let report = store.verify().unwrap();
    assert_eq!(report.events, model.rows.len() as u64);
}

fn compare(store: &Store, model: &mut Model) {
    let snapshot = store.snapshot();
    let (facts, viewers) = content(&snapshot);
    let expected: BTreeSet<Fact> = model.rows.iter().map(|(fact, _)| fact.clone()).collect();
    assert_eq!(facts, expected);
    // Ordinals and viewers are one to one, now and over time.
    for (fact, viewer) in &model.rows {
        let of = model.ordinals.entry(viewers[&fact.mark]).or_insert(*viewer);
        assert_eq!(of, viewer, "an ordinal was given out twice");
    }
    let whose: BTreeSet<&Viewer> = model.ordinals.values().collect();
    assert_eq!(whose.len(), model.ordinals.len(), "a viewer has two ordinals");
    assert_eq!(store.pending_erasures(), model.pending.len() as u64);
    let epochs: Vec<_> = snapshot.epochs().iter().map(|epoch| (epoch.number, epoch.day)).collect();
    assert_eq!(epochs, model.epochs);
    for creator in model.creators.keys() {
        let ordinal = snapshot.catalogue().creator_ord(creator).unwrap();
        assert_eq!(snapshot.sealed_through(ordinal), model.sealed(creator), "{creator}");
    }
    for (video, creator) in &model.videos {
        let catalogue = snapshot.catalogue();
        let entry = catalogue.video(catalogue.video_ord(video).unwrap()).unwrap();
        assert_eq!(catalogue.creator(entry.creator).unwrap().id.as_str(), creator);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_a_list_of_events(steps in prop::collection::vec(step(), 1..40)) {
        let map = MemoryMap::default();
        run(&steps, || Store::in_memory(&map, &options()).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn the_store_on_disk_is_a_list_of_events(steps in prop::collection::vec(step(), 10..30)) {
        let scratch = tempfile::tempdir().unwrap();
        run(&steps, || Store::open(&scratch.path().join("data"), &options()).unwrap());
    }
}
