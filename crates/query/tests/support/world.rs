//! Random worlds: a store and the naive engine, fed with the same history.

use std::collections::{BTreeSet, HashSet};

use throng_model::{
    AgeBand, Country, CreatorId, CreatorRow, Day, Device, Event, EventId, Follower, Gender, Hashtag, Kind, Name,
    Region, Source, Timestamp, Traits, VideoId, VideoRow, ViewerId, Zone,
};
use throng_store::{AppendMode, MemoryMap, Options, Outcome, Store};

use super::oracle::{Oracle, Seen};

/// First days of worlds, and a zone whose clock changes, or whose month or year begins, a day or two later: zones with
/// whole, half and quarter hours, daylight saving of an hour and of half an hour.
const TIMES: [(&str, &str); 9] = [
    ("2026-03-28", "Europe/Berlin"),
    ("2025-10-25", "Europe/Berlin"),
    ("2026-03-07", "America/New_York"),
    ("2026-04-04", "Australia/Lord_Howe"),
    ("2025-10-04", "Australia/Lord_Howe"),
    ("2025-09-27", "Pacific/Chatham"),
    ("2025-12-30", "Asia/Kathmandu"),
    ("2025-03-30", "Asia/Kolkata"),
    ("2024-02-28", "UTC"),
];
const CREATORS: [&str; 3] = ["ana", "ben", "cleo"];
const VIDEOS: [&str; 6] = ["v0", "v1", "v2", "v3", "v4", "v5"];
const TAGS: [&str; 3] = ["dance", "food", "cats"];
/// Where these come first, most others lie beyond a video's bound.
const FIRST_TAGS: [&str; 4] = ["fyp", "new", "viral", "art"];
const MINUTE_MS: u64 = 60_000;

/// A world's size and seed: the same shape gives the same world.
#[derive(Debug, Clone)]
pub struct Shape {
    pub seed: u64,
    pub events: usize,
    pub batches: usize,
    pub viewers: u64,
    pub days: u64,
    /// Rows that the store gathers before it makes a segment.
    pub checkpoint_rows: usize,
}

/// splitmix64 (Steele, Lea, Flood 2014).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }

    fn maybe<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        if self.chance(80) { Some(self.pick(from)) } else { None }
    }
}

/// A store and what it must answer.
pub struct World {
    pub store: Store,
    pub oracle: Oracle,
    pub first_day: Day,
    zone: &'static str,
    pub days: u64,
    map: MemoryMap,
    options: Options,
    dice: Dice,
    viewers: u64,
    next_event: u64,
    taken: HashSet<String>,
}

impl World {
    /// Plays a whole history.
    pub fn play(shape: &Shape) -> Self {
        let mut dice = Dice(shape.seed);
        let (first_day, zone) = dice.pick(&TIMES);
        let first_day = Day::parse(first_day).expect("day");
        let options = Options { checkpoint_rows: shape.checkpoint_rows, ..Options::default() };
        let map = MemoryMap::default();
        let store = Store::in_memory(&map, &options).expect("opens");
        let mut world = Self {
            store,
            oracle: Oracle::default(),
            first_day,
            zone,
            days: shape.days,
            map,
            options,
            dice,
            viewers: shape.viewers,
            next_event: 0,
            taken: HashSet::new(),
        };
        world.publish_creators();
        VIDEOS[..4].iter().for_each(|video| world.publish_video(video));
        let mut left = shape.events;
        for batch in (1..=shape.batches.max(1)).rev() {
            let count = left / batch;
            left -= count;
            world.append(count);
            world.change_something();
        }
        if world.dice.chance(85) {
            world.seal(shape.days + 2);
        }
        if world.dice.chance(40) {
            (0..4).for_each(|_| world.publish_some_video());
        }
        if world.dice.chance(20) {
            world.publish_creators();
        }
        if world.dice.chance(30) {
            world.append(shape.events / 20);
        }
        world
    }

    /// Changes the catalogue, seals, restarts, or does nothing of these.
    pub fn change_something(&mut self) {
        if self.dice.chance(30) {
            self.publish_some_video();
        }
        if self.dice.chance(10) {
            self.publish_creators();
        }
        if self.dice.chance(20) {
            let ahead = self.dice.below(self.days);
            self.seal(ahead);
        }
        if self.dice.chance(20) {
            let ahead = self.dice.below(self.days + 2);
            self.seal_one(ahead);
        }
        if self.dice.chance(15) {
            self.store.checkpoint().expect("checkpoint");
        }
        if self.dice.chance(10) {
            self.reopen();
        }
    }

    fn reopen(&mut self) {
        // The map outlives the store, which must be gone before it is opened again.
        let empty = Store::in_memory(&MemoryMap::default(), &self.options).expect("opens");
        drop(std::mem::replace(&mut self.store, empty));
        self.store = Store::in_memory(&self.map, &self.options).expect("opens again");
    }

    fn publish_creators(&mut self) {
        let mut rows = Vec::new();
        for creator in &CREATORS[..2] {
            let zone = if self.dice.chance(70) { self.zone } else { self.dice.pick(&TIMES).1 };
            let row = CreatorRow {
                creator: CreatorId::parse(*creator).expect("id"),
                handle: self.dice.maybe(&["Ana", "Ben"]).map(|name| Name::parse(name).expect("name")),
                time_zone: Zone::parse(zone).expect("zone"),
                overlap_with: CREATORS
                    .iter()
                    .filter(|other| *other != creator && self.dice.chance(80))
                    .map(|id| CreatorId::parse(*id).expect("id"))
                    .collect(),
            };
            // Open days are counted anew by the new zone's clock; what is sealed stays.
            let sealed = self.oracle.sealed_of(creator);
            let open = |day: Day| sealed.is_none_or(|sealed| sealed < day);
            let first_open = sealed.map_or(Day::MIN, Day::next);
            if self.oracle.zone_of_creator(creator) != row.time_zone {
                let moved = self.oracle.events.iter_mut().filter(|event| event.creator == *creator && open(event.day));
                moved.for_each(|event| event.day = row.time_zone.day_of(event.ts).max(first_open));
            }
            self.oracle.publish_creator(creator, row.handle.clone(), row.time_zone.clone());
            self.oracle.agree(creator, &row.overlap_with);
            rows.push(row);
        }
        self.store.put_catalogue(Vec::new(), rows).expect("taken");
    }

    fn publish_some_video(&mut self) {
        let video = self.dice.pick(&VIDEOS);
        self.publish_video(video);
    }

    fn publish_video(&mut self, video: &str) {
        let dice = &mut self.dice;
        let published = self.first_day.saturating_add(dice.below(self.days) as i64);
        let mut hashtags: Vec<_> = TAGS.iter().filter(|_| dice.chance(40)).collect();
        if dice.chance(30) {
            hashtags.splice(0..0, &FIRST_TAGS);
        }
        let row = VideoRow {
            video: VideoId::parse(video.to_owned()).expect("id"),
            creator: CreatorId::parse(dice.pick(&CREATORS[..2])).expect("id"),
            published_at: dice.maybe(&[Zone::UTC.day_start(published)]),
            duration_ms: dice.maybe(&[1, 5_000, 10_000, 33_333]),
            hashtags: hashtags.into_iter().map(|tag| Hashtag::parse(tag).expect("tag")).collect(),
            sound: [Some("a song"), Some("rain"), None][published.number() as usize % 3]
                .map(|it| Name::parse(it).expect("name")),
            title: dice.maybe(&["a title".to_owned()]),
            language: None,
        };
        self.oracle.publish_video(row.clone());
        self.store.put_catalogue(vec![row], Vec::new()).expect("taken");
    }

    fn seal(&mut self, days_ahead: u64) {
        let day = self.first_day.saturating_add(days_ahead as i64);
        self.store.seal_through(day).expect("sealed");
        self.oracle.sealed_through = self.oracle.sealed_through.max(Some(day));
    }

    fn seal_one(&mut self, days_ahead: u64) {
        let day = self.first_day.saturating_add(days_ahead as i64);
        let creator = self.dice.pick(&CREATORS);
        let Some(ordinal) = self.store.snapshot().catalogue().creator_ord(creator) else { return };
        self.store.seal_creators(vec![(ordinal, day)]).expect("sealed");
        let sealed = self.oracle.sealed_creators.entry(creator.to_owned()).or_insert(day);
        *sealed = day.max(*sealed);
    }

    /// Appends so many random events.
    pub fn append(&mut self, count: usize) {
        let reopen = self.dice.chance(15);
        let mode = if reopen { AppendMode::Reopen } else { AppendMode::Normal };
        let events: Vec<Event<'static>> = (0..count).map(|_| self.event()).collect();
        let outcomes = self.store.append(&events, mode).expect("appended");
        assert_eq!(outcomes.len(), events.len());
        let mut reopened = BTreeSet::new();
        for (event, outcome) in events.into_iter().zip(outcomes) {
            reopened.extend(self.take(&event, outcome, reopen));
        }
        for day in reopened {
            *self.oracle.reopened.entry(day).or_default() += 1;
        }
    }

    /// Takes an event as the store did, after checking what the store said of it. Gives the sealed day that it was put in.
    fn take(&mut self, event: &Event<'static>, outcome: Outcome, reopen: bool) -> Option<(String, Day)> {
        if outcome == Outcome::Duplicate {
            assert!(self.taken.contains(event.event_id.as_str()));
            return None;
        }
        let video = event.video.as_ref().map(|video| video.as_str().to_owned());
        let of_video = video.as_ref().and_then(|video| self.oracle.videos.get(video));
        let creator = match (&event.creator, of_video) {
            (Some(creator), _) => creator.clone(),
            (None, Some(row)) => row.creator.clone(),
            (None, None) => {
                assert_eq!(outcome, Outcome::UnknownVideo);
                return None;
            }
        };
        let (day, late) = match outcome {
            Outcome::Accepted { day, .. } => (day, false),
            Outcome::Late { day, .. } => (day, true),
            Outcome::Expired => {
                assert!(reopen && self.store.snapshot().rows_from().is_some());
                return None;
            }
            other => panic!("{other:?}, though the video or the creator is known"),
        };
        assert!(self.taken.insert(event.event_id.as_str().to_owned()));
        let own_day = self.oracle.zone_of_creator(creator.as_str()).day_of(event.ts);
        let sealed = self.oracle.sealed_of(creator.as_str());
        let is_sealed = sealed.is_some_and(|sealed| own_day <= sealed);
        assert_eq!(late, is_sealed && !reopen);
        let first_open = sealed.map_or(own_day, Day::next);
        assert_eq!(day, if late { first_open } else { own_day });
        self.oracle.creators.entry(creator.as_str().to_owned()).or_insert((None, Zone::UTC));
        if let Some(video) = &video {
            self.oracle.videos.entry(video.clone()).or_insert_with(|| VideoRow {
                video: VideoId::parse(video.clone()).expect("id"),
                creator: creator.clone(),
                published_at: None,
                duration_ms: None,
                hashtags: Vec::new(),
                sound: None,
                title: None,
                language: None,
            });
        }
        let number = event.event_id.as_str().parse().expect("a number");
        self.oracle.events.push(Seen {
            ts: event.ts,
            day,
            kind: event.kind,
            viewer: self.viewer_of(number),
            creator: creator.as_str().to_owned(),
            video,
            watch_ms: event.watch_ms,
            source: event.source,
            traits: event.traits,
        });
        (is_sealed && reopen).then(|| (creator.as_str().to_owned(), day))
    }

    fn event(&mut self) -> Event<'static> {
        // Ids repeat now and then.
        let number = if self.dice.chance(4) { self.dice.below(self.next_event + 1) } else { self.next_event };
        self.next_event = self.next_event.max(number + 1);
        let viewer = self.viewer_of(number);
        let dice = &mut self.dice;
        let kind = if dice.chance(60) { Kind::View } else { dice.pick(Kind::ALL) };
        let video = (kind.needs_video() || dice.chance(30)).then(|| dice.pick(&VIDEOS));
        let creator = (video.is_none() || dice.chance(40)).then(|| dice.pick(&CREATORS));
        let watch_ms = if kind == Kind::View { dice.pick(&[0, 1, 4_849, 4_850, 4_999, 9_700, 40_000]) } else { 0 };
        Event {
            event_id: EventId::parse(number.to_string()).expect("id"),
            ts: self.ts(),
            kind,
            viewer: ViewerId::parse(format!("viewer {viewer}")).expect("id"),
            creator: creator.map(|creator| CreatorId::parse(creator).expect("id")),
            video: video.map(|video| VideoId::parse(video).expect("id")),
            watch_ms,
            source: self.dice.pick(&Source::ALL[..4]),
            traits: self.traits(),
        }
    }

    fn viewer_of(&self, event: u64) -> u32 {
        Dice(event).below(self.viewers) as u32
    }

    fn ts(&mut self) -> Timestamp {
        let dice = &mut self.dice;
        let mut day = self.first_day.saturating_add(dice.below(self.days) as i64);
        if dice.chance(12) {
            // About a year back, where new viewers and returning ones part.
            day = day.saturating_add(-363 - dice.below(5) as i64);
        } else if dice.chance(5) {
            day = day.saturating_add(-(dice.below(400) as i64));
        }
        let mut into_day = dice.below(24 * 60 * MINUTE_MS);
        if dice.chance(60) {
            // Hours in which some clock changes or some day begins, crowded enough to be shown.
            into_day = (dice.pick(&[0, 1, 14, 15, 18]) * 60 + dice.below(60)) * MINUTE_MS;
        }
        if dice.chance(40) {
            // Full hours, so that several views of a viewer fall on one instant.
            into_day -= into_day % (60 * MINUTE_MS);
        }
        Zone::UTC.day_start(day).saturating_add_millis(into_day as i64)
    }

    fn traits(&mut self) -> Traits {
        let dice = &mut self.dice;
        let country = dice.maybe(&["DE", "US"]);
        let region = country.and_then(|country| match country {
            "DE" => dice.maybe(&["DE-BY", "DE-BE"]),
            _ => dice.maybe(&["US-CA"]),
        });
        Traits {
            country: country.and_then(Country::from_code),
            region: region.and_then(Region::from_code),
            age: dice.maybe(&[AgeBand::From18, AgeBand::From25]),
            gender: dice.maybe(&[Gender::Female, Gender::Male]),
            device: dice.maybe(&[Device::Android, Device::Ios]),
            follower: dice.maybe(Follower::ALL),
        }
    }
}
