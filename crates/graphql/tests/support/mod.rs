//! A platform as a plain list of events, answered by counting it again for every question.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::expect_used, clippy::panic, reason = "a broken test world should stop the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use roaring::RoaringBitmap;
use serde_json::Value as Json;
use throng_graphql::{Access, Limits, Request, Schema, Variables, execute, schema};
use throng_model::{
    Cell, ChannelPair, CreatorFacts, CreatorId, Day, DayRange, Entity, Family, Follower, Granularity, Hashtag,
    HourOfWeek, Kind, Name, Source as Traffic, Stage, Tally, Timestamp, Topic, TopicKind, Traits, VideoFacts, VideoId,
    Zone,
};
use throng_privacy::{
    Best, Contribution, Epoch, Gate, NoiseKey, Policy, Protection, Raw, RawAudience, RawRanking, RawTable, RawTopicDay,
    Rewrites, SeriesStep, Source, SourceError,
};

/// One event of the list. All channels report in UTC.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) viewer: u32,
    pub(crate) video: &'static str,
    pub(crate) ts: Timestamp,
    pub(crate) kind: Kind,
    pub(crate) watch_ms: u32,
    pub(crate) source: Traffic,
    pub(crate) traits: Traits,
}

/// Videos by id with their channel and length. One has the id of a channel, which is another's.
const VIDEOS: [(&str, &str, Option<u32>); 5] = [
    ("a1", "ada", Some(10_000)),
    ("a2", "ada", Some(20_000)),
    ("a3", "ada", None),
    ("b1", "bob", Some(10_000)),
    ("bob", "ada", Some(10_000)),
];

pub(crate) struct Platform {
    pub(crate) events: Vec<Event>,
    pub(crate) sealed_through: Option<Day>,
    pub(crate) audience_calls: AtomicUsize,
}

pub(crate) fn day(text: &str) -> Day {
    Day::parse(text).expect(text)
}

pub(crate) fn creator(id: &str) -> CreatorId<'static> {
    CreatorId::parse(id.to_owned()).expect("id")
}

/// A view at noon of a day by a viewer, with the traits that make its number odd or even.
pub(crate) fn view(viewer: u32, video: &'static str, date: &str) -> Event {
    let text = |even: &'static str, odd: &'static str| if viewer.is_multiple_of(2) { even } else { odd };
    Event {
        viewer,
        video,
        ts: Timestamp::parse(&format!("{date}T12:00:00Z")).expect("time"),
        kind: Kind::View,
        watch_ms: 100 * (viewer % 101),
        source: Traffic::ForYou,
        traits: Traits {
            country: throng_model::Country::from_code(text("DE", "FR")),
            age: throng_model::AgeBand::from_name(text("18-24", "25-34")),
            gender: throng_model::Gender::from_name(text("female", "male")),
            follower: Some(if viewer.is_multiple_of(4) { Follower::Yes } else { Follower::No }),
            ..Traits::default()
        },
    }
}

/// Eight weeks to Sunday 2026-03-08: ada's two videos with hundreds of viewers, bob's with a few.
pub(crate) fn platform() -> Platform {
    let mut events = Vec::new();
    for viewer in 0..400 {
        events.push(view(viewer, "a1", "2026-02-20"));
        events.push(Event { kind: Kind::Like, ..view(viewer, "a1", "2026-02-20") });
    }
    for viewer in 300..600 {
        events.push(view(viewer, "a2", "2026-03-01"));
    }
    for viewer in 0..200 {
        events.push(view(viewer, "a1", "2026-01-20"));
    }
    for viewer in 0..20 {
        events.push(view(viewer, "b1", "2026-02-20"));
    }
    Platform::new(events)
}

impl Platform {
    pub(crate) fn new(events: Vec<Event>) -> Self {
        Self { events, sealed_through: Some(day("2026-03-08")), audience_calls: AtomicUsize::new(0) }
    }

    fn of<'a>(&'a self, entity: &'a Entity, range: DayRange) -> impl Iterator<Item = &'a Event> {
        let about = move |event: &Event| match entity {
            Entity::Creator(id) => channel(event.video) == Some(id.as_str()),
            Entity::Video(id) => event.video == id.as_str(),
            Entity::Hashtag(tag) => tag.as_str() == "dance" && channel(event.video) == Some("ada"),
            Entity::Platform => true,
            Entity::Overlap(pair) => pair.channels().iter().any(|id| channel(event.video) == Some(id.as_str())),
        };
        self.events.iter().filter(move |event| range.contains(Zone::UTC.day_of(event.ts)) && about(event))
    }
}

fn channel(video: &str) -> Option<&'static str> {
    VIDEOS.iter().find(|(id, ..)| *id == video).map(|(_, channel, _)| *channel)
}

fn duration(video: &str) -> Option<u32> {
    VIDEOS.iter().find(|(id, ..)| *id == video).and_then(|(.., duration)| *duration)
}

/// Everything of a kind that some video has. All carry `dance`, those of ada `ada`; each channel's first uses a sound.
fn topics(kind: TopicKind) -> Vec<Topic> {
    match kind {
        TopicKind::Hashtag => ["dance", "ada"].map(|tag| Topic::Hashtag(Hashtag::parse(tag).expect("tag"))).into(),
        TopicKind::Sound => vec![Topic::Sound(Name::parse("rain").expect("name"))],
        TopicKind::Video => VIDEOS.iter().map(|(id, ..)| Topic::Video(VideoId::parse(*id).expect("id"))).collect(),
    }
}

fn has(video: &str, topic: &Topic) -> bool {
    match topic {
        Topic::Hashtag(tag) => tag.as_str() == "dance" || channel(video) == Some(tag.as_str()),
        Topic::Sound(_) => ["a1", "b1"].contains(&video),
        Topic::Video(id) => id.as_str() == video,
    }
}

fn sum<'a>(events: impl Iterator<Item = &'a Event>) -> Raw<Tally> {
    let (mut tally, mut audience) = (Tally::default(), RoaringBitmap::new());
    for event in events {
        tally.record(event.kind, event.watch_ms, duration(event.video));
        audience.insert(event.viewer);
    }
    Raw::seal(tally, audience)
}

fn family(family: Family, events: &[&Event], before: &[&Event]) -> RawTable<Cell, ()> {
    let mut total = RoaringBitmap::new();
    let mut cells: BTreeMap<Cell, RoaringBitmap> = BTreeMap::new();
    let mut put = |viewer: u32, cell: Option<Cell>| {
        total.insert(viewer);
        if let Some(cell) = cell {
            cells.entry(cell).or_default().insert(viewer);
        }
    };
    let mut by_viewer: BTreeMap<u32, Vec<&Event>> = BTreeMap::new();
    for &event in events {
        by_viewer.entry(event.viewer).or_default().push(event);
    }
    for (viewer, events) in by_viewer {
        let views: Vec<&&Event> = events.iter().filter(|event| event.kind == Kind::View).collect();
        let stage = events.iter().map(|event| match event.kind {
            Kind::View => Stage::Viewed,
            Kind::Like | Kind::Comment | Kind::Share | Kind::Save => Stage::Engaged,
            Kind::Follow => Stage::Followed,
            _ => Stage::Saw,
        });
        if let (Family::Funnel, Some(stage)) = (family, stage.max()) {
            put(viewer, Some(Cell::Stage(stage)));
        }
        let Some(last) = views.iter().max_by_key(|event| event.ts) else { continue };
        let traits = &last.traits;
        match family {
            Family::Funnel => {}
            Family::Reach => put(viewer, None),
            Family::Novelty => {
                let known = before.iter().any(|event| event.viewer == viewer && event.kind == Kind::View);
                put(viewer, Some(if known { Cell::Returning } else { Cell::New }));
            }
            Family::FollowerStatus => put(viewer, Some(Cell::Follower(traits.follower))),
            Family::Country => put(viewer, Some(Cell::Country(traits.country))),
            Family::Region => put(viewer, Some(Cell::Region(traits.region))),
            Family::Age => put(viewer, Some(Cell::Age(traits.age))),
            Family::Gender => put(viewer, Some(Cell::Gender(traits.gender))),
            Family::AgeGender => put(viewer, Some(Cell::AgeGender(traits.age, traits.gender))),
            Family::Device => put(viewer, Some(Cell::Device(traits.device))),
            Family::TrafficSource => views.iter().for_each(|event| put(viewer, Some(Cell::Source(event.source)))),
            Family::ActiveHours => {
                for event in &views {
                    let (day, hour) = (Zone::UTC.day_of(event.ts), Zone::UTC.hour_of_day(event.ts));
                    put(viewer, Some(Cell::Hour(HourOfWeek::new(day.weekday(), hour))));
                }
            }
            Family::Retention => {
                let percent = |event: &Event| Some((event.watch_ms * 100 / duration(event.video)?).min(100));
                if let Some(furthest) = views.iter().filter_map(|event| percent(event)).max() {
                    put(viewer, u8::try_from(furthest).ok().map(Cell::Position));
                }
            }
        }
    }
    let rows = cells.into_iter().map(|(cell, set)| (cell, Raw::seal((), set))).collect();
    RawTable::seal(Raw::seal((), total), rows)
}

impl Source for Platform {
    fn counters(&self, entity: &Entity, range: DayRange, _: u64) -> Result<Raw<Tally>, SourceError> {
        Ok(sum(self.of(entity, range)))
    }

    fn series(
        &self,
        entity: &Entity,
        range: DayRange,
        granularity: Granularity,
        _: u64,
    ) -> Result<Vec<(SeriesStep, Raw<Tally>)>, SourceError> {
        let steps = range.periods(granularity).map(|days| {
            let step = SeriesStep { start: Zone::UTC.day_start(days.first()), days };
            (step, sum(self.of(entity, days)))
        });
        Ok(steps.collect())
    }

    fn videos(&self, creator: &CreatorId<'_>, range: DayRange, best: Best) -> Result<RawRanking, SourceError> {
        let of = |id: &'static str| VideoId::parse(id).expect("id");
        let own = VIDEOS.iter().filter(|(_, channel, _)| *channel == creator.as_str());
        let rows = own.map(|(id, ..)| (of(id), sum(self.of(&Entity::Video(of(id)), range)))).collect();
        Ok(RawRanking::of(rows, best))
    }

    fn topic_days(&self, kind: TopicKind, days: DayRange, _: u64) -> Result<Vec<Arc<RawTopicDay>>, SourceError> {
        let of_day = |day: Day| {
            let row = |topic: Topic| {
                let about = |event: &&Event| Zone::UTC.day_of(event.ts) == day && has(event.video, &topic);
                let events: Vec<&Event> = self.events.iter().filter(about).collect();
                let views = events.iter().filter(|event| event.kind == Kind::View).count() as u64;
                (topic.clone(), Raw::seal(views, events.iter().map(|event| event.viewer).collect()))
            };
            Arc::new(RawTopicDay::seal(day, topics(kind).into_iter().map(row)))
        };
        Ok(days.iter().map(of_day).collect())
    }

    fn creators_with(&self, topics: &[&Topic]) -> Result<Vec<u32>, SourceError> {
        let creators = |topic: &&Topic| {
            let having = VIDEOS.iter().filter(|(video, ..)| has(video, topic));
            having.map(|(_, channel, _)| channel).collect::<BTreeSet<_>>().len() as u32
        };
        Ok(topics.iter().map(creators).collect())
    }

    fn audience(
        &self,
        entity: &Entity,
        window: DayRange,
        families: &[Family],
        _contribution: Contribution,
    ) -> Result<Vec<RawAudience>, SourceError> {
        self.audience_calls.fetch_add(1, Ordering::SeqCst);
        let events: Vec<&Event> = self.of(entity, window).collect();
        if let Entity::Overlap(pair) = entity {
            let on = |id: &CreatorId<'static>| -> RoaringBitmap {
                self.of(&Entity::Creator(id.clone()), window).map(|event| event.viewer).collect()
            };
            let [one, other] = pair.channels().each_ref().map(on);
            return Ok(vec![RawAudience::in_both_sets(one, other)]);
        }
        let year = DayRange::new(window.first().saturating_add(-365), window.first().previous()).expect("range");
        let before: Vec<&Event> = self.of(entity, year).collect();
        Ok(families.iter().map(|&each| family(each, &events, &before).into()).collect())
    }

    fn rewrites(&self, _entity: &Entity, _days: DayRange) -> Result<Rewrites, SourceError> {
        Ok(Rewrites::default())
    }

    fn overlap_from(&self, pair: &ChannelPair) -> Option<Day> {
        pair.channels().iter().all(|id| self.creator(id).is_some()).then_some(Day::MIN)
    }

    fn epochs(&self) -> Vec<Epoch> {
        Vec::new()
    }

    fn rows_from(&self) -> Option<Day> {
        None
    }

    fn sealed_through(&self, _: &Entity) -> Result<Option<Day>, SourceError> {
        Ok(self.sealed_through)
    }

    fn creator(&self, id: &CreatorId<'_>) -> Option<CreatorFacts> {
        VIDEOS.iter().any(|(_, channel, _)| *channel == id.as_str()).then(|| CreatorFacts {
            id: id.clone().into_owned(),
            handle: Name::parse(format!("@{}", id.as_str())).ok(),
            time_zone: Zone::UTC,
            sealed_through: self.sealed_through,
        })
    }

    fn video(&self, id: &VideoId<'_>) -> Option<VideoFacts> {
        let (_, channel, duration_ms) = *VIDEOS.iter().find(|(video, ..)| *video == id.as_str())?;
        Some(VideoFacts {
            id: id.clone().into_owned(),
            creator: creator(channel),
            published_at: match id.as_str() {
                "a2" => Timestamp::parse("2026-03-01T09:00:00Z").ok(),
                "a3" => None,
                _ => Timestamp::parse("2026-02-20T09:00:00Z").ok(),
            },
            duration_ms,
            hashtags: vec![Hashtag::parse("dance").expect("tag")],
            sound: None,
            title: Some(format!("Video {}", id.as_str())),
            language: None,
            windows_from: Day::parse("2026-02-20").ok(),
            past_durations_ms: vec![],
        })
    }

    fn hashtag_exists(&self, tag: &Hashtag<'_>) -> bool {
        tag.as_str() == "dance"
    }

    fn creators(&self, after: Option<&CreatorId<'_>>, limit: usize) -> Vec<CreatorFacts> {
        let all = ["ada", "bob"].map(creator);
        let behind = all.iter().filter(|id| after.is_none_or(|after| *id > after));
        behind.filter_map(|id| self.creator(id)).take(limit).collect()
    }

    fn videos_of(&self, creator: &CreatorId<'_>, after: Option<&VideoId<'_>>, limit: usize) -> Vec<VideoFacts> {
        let own = VIDEOS.iter().filter(|(_, channel, _)| *channel == creator.as_str());
        let ids = own.filter_map(|(id, ..)| VideoId::parse(*id).ok());
        ids.filter(|id| after.is_none_or(|after| id > after)).filter_map(|id| self.video(&id)).take(limit).collect()
    }
}

/// Asks a platform behind a gate with exact answers.
pub(crate) async fn ask_as(platform: Arc<Platform>, access: Access, query: &str, variables: Json) -> Json {
    ask_under(Protection::Threshold, platform, access, query, variables).await
}

/// The same under a protection.
pub(crate) async fn ask_under(
    protection: Protection,
    platform: Arc<Platform>,
    access: Access,
    query: &str,
    variables: Json,
) -> Json {
    let request = Request::new(query).variables(Variables::from_json(variables));
    let response = execute(&schema_under(protection, platform), request, access).await;
    serde_json::to_value(&response).expect("json")
}

/// The schema over a platform behind a gate.
pub(crate) fn schema_under(protection: Protection, platform: Arc<Platform>) -> Schema {
    schema_within(Limits::default(), protection, platform)
}

/// The same within other limits.
pub(crate) fn schema_within(limits: Limits, protection: Protection, platform: Arc<Platform>) -> Schema {
    let gate = Gate::with_clock(
        platform,
        Policy::new(50, protection, 7).expect("policy"),
        NoiseKey::from_bytes([7; 32]),
        || Timestamp::parse("2026-03-10T12:00:00Z").expect("time"),
    );
    schema(Arc::new(gate), limits)
}

/// Asks as an operator, and expects no error.
pub(crate) async fn ask(platform: Platform, query: &str) -> Json {
    let answer = ask_as(Arc::new(platform), Access::Operator, query, Json::Null).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    answer["data"].clone()
}

/// The code of the first error.
pub(crate) async fn code(access: Access, query: &str) -> String {
    let answer = ask_as(Arc::new(platform()), access, query, Json::Null).await;
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no code: {answer}")).to_owned()
}
