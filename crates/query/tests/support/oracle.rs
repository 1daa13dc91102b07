//! A naive engine: plain loops over all accepted events, written from the definitions and from nothing of the engine's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use roaring::RoaringBitmap;
use throng_model::{
    Cell, ChannelPair, CreatorFacts, CreatorId, Day, DayRange, Entity, Family, Granularity, Hashtag, HourOfWeek, Kind,
    Metric, Name, Source as TrafficSource, Stage, Tally, Timestamp, Topic, TopicKind, Traits, VideoFacts, VideoId,
    VideoRow, Zone,
};
use throng_privacy::{
    Best, Contribution, Epoch, Raw, RawAudience, RawRanking, RawTable, RawTopicDay, Rewrites, SeriesStep, Source,
    SourceError,
};

/// An accepted event.
#[derive(Debug, Clone)]
pub struct Seen {
    pub ts: Timestamp,
    pub day: Day,
    pub kind: Kind,
    pub viewer: u32,
    pub creator: String,
    pub video: Option<String>,
    pub watch_ms: u32,
    pub source: TrafficSource,
    pub traits: Traits,
}

/// What a control gets wrong on purpose, so that a test can tell that it would notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mistake {
    #[default]
    None,
    /// Insights follow the catalogue of now.
    ForgetsThePast,
    /// Contributions are never bounded.
    CountsWholeDays,
}

/// Everything that was accepted, and the catalogue as it is now.
#[derive(Debug, Clone, Default)]
pub struct Oracle {
    pub events: Vec<Seen>,
    /// Handle and zone by id.
    pub creators: BTreeMap<String, (Option<Name<'static>>, Zone)>,
    pub videos: BTreeMap<String, VideoRow>,
    /// For every creator.
    pub sealed_through: Option<Day>,
    /// For single creators.
    pub sealed_creators: BTreeMap<String, Day>,
    /// Rows that a video had through a day that was sealed when it got another one, oldest first.
    past_videos: BTreeMap<String, Vec<(Day, VideoRow)>>,
    /// The same for zones.
    past_zones: BTreeMap<String, Vec<(Day, Zone)>>,
    /// Days of publication that were sealed when something changed.
    windows_from: BTreeMap<String, Day>,
    /// How often sealed days got rows.
    pub reopened: BTreeMap<(String, Day), u32>,
    /// Who agrees to share its overlap with whom, and the first day that this is about.
    agreements: BTreeMap<(String, String), Day>,
    mistake: Mistake,
}

/// The first pair that reaches a day, or else what holds now.
fn on_day<T>(past: Option<&Vec<(Day, T)>>, now: T, day: Day) -> T
where
    T: Clone,
{
    past.into_iter().flatten().find(|(through, _)| day <= *through).map_or(now, |(_, then)| then.clone())
}

impl Oracle {
    pub fn zone_of_creator(&self, creator: &str) -> Zone {
        self.creators.get(creator).map_or(Zone::UTC, |(_, zone)| zone.clone())
    }

    pub fn sealed_of(&self, creator: &str) -> Option<Day> {
        self.sealed_through.max(self.sealed_creators.get(creator).copied())
    }

    pub fn with(self, mistake: Mistake) -> Self {
        Self { mistake, ..self }
    }

    pub fn publish_creator(&mut self, id: &str, handle: Option<Name<'static>>, zone: Zone) {
        if self.creators.get(id).is_some_and(|(_, old)| *old != zone) {
            let of_creator = self.videos.iter().filter(|(_, row)| row.creator.as_str() == id);
            for video in of_creator.map(|(video, _)| video.clone()).collect::<Vec<_>>() {
                self.settle_publication(&video);
            }
            let past = self.past_zones.entry(id.to_owned()).or_default();
            let sealed = self.sealed_through.max(self.sealed_creators.get(id).copied());
            if let Some(sealed) = sealed.filter(|&sealed| past.iter().all(|(through, _)| *through < sealed)) {
                past.push((sealed, self.creators[id].1.clone()));
            }
        }
        self.creators.insert(id.to_owned(), (handle, zone));
    }

    /// Replaces a creator's agreements.
    pub fn agree(&mut self, id: &str, with: &[CreatorId<'static>]) {
        let first_open = self.sealed_of(id).map_or(Day::MIN, Day::next);
        self.agreements.retain(|(one, other), _| one != id || with.iter().any(|with| with.as_str() == other));
        for with in with {
            self.agreements.entry((id.to_owned(), with.as_str().to_owned())).or_insert(first_open);
        }
    }

    pub fn publish_video(&mut self, row: VideoRow) {
        let id = row.video.as_str().to_owned();
        self.settle_publication(&id);
        if let Some(old) = self.videos.get(&id) {
            let relevant = |row: &VideoRow| (row.creator.clone(), row.duration_ms, row.hashtags.clone());
            let sealed = self.sealed_of(old.creator.as_str()).max(self.sealed_of(row.creator.as_str()));
            let past = self.past_videos.entry(id.clone()).or_default();
            if let Some(sealed) = sealed.filter(|_| relevant(old) != relevant(&row))
                && past.iter().all(|(through, _)| *through < sealed)
            {
                past.push((sealed, old.clone()));
            }
        }
        self.videos.insert(id, row);
    }

    /// Whatever changes next, the day of publication stays where it can have been asked about.
    fn settle_publication(&mut self, video: &str) {
        if let Some(day) = self.publication_day(video).filter(|&day| Some(day) <= self.sealed_of_video(video)) {
            self.windows_from.insert(video.to_owned(), day);
        }
    }

    fn publication_day(&self, video: &str) -> Option<Day> {
        let row = self.videos.get(video)?;
        let now = || Some(self.zone_of_creator(row.creator.as_str()).day_of(row.published_at?));
        self.windows_from.get(video).copied().or_else(now)
    }

    /// What the video was on a day.
    fn video_on(&self, video: &str, day: Day) -> Option<VideoRow> {
        let past = if self.mistake == Mistake::ForgetsThePast { None } else { self.past_videos.get(video) };
        Some(on_day(past, self.videos.get(video)?.clone(), day))
    }

    /// The row of an event's video, if the video was on the event's channel that day.
    fn row_of(&self, event: &Seen) -> Option<VideoRow> {
        self.video_on(event.video.as_deref()?, event.day).filter(|row| row.creator.as_str() == event.creator)
    }

    fn zone_on(&self, creator: &str, day: Day) -> Zone {
        let past = if self.mistake == Mistake::ForgetsThePast { None } else { self.past_zones.get(creator) };
        on_day(past, self.zone_of_creator(creator), day)
    }

    /// The last day that, as all before it, is sealed on the channel that the video was on. It is one on which something
    /// ends: what a row says, or what is sealed.
    fn sealed_of_video(&self, video: &str) -> Option<Day> {
        let ends = self.past_videos.get(video).into_iter().flatten().map(|(through, _)| *through);
        let seals = self.sealed_creators.values().copied().chain(self.sealed_through);
        let days: BTreeSet<Day> = ends.chain(seals).collect();
        let is_sealed = |day: &&Day| {
            let past = self.past_videos.get(video);
            let row = on_day(past, self.videos[video].clone(), **day);
            Some(**day) <= self.sealed_of(row.creator.as_str())
        };
        days.iter().take_while(is_sealed).last().copied()
    }

    fn was_tagged(&self, tag: &str) -> bool {
        let past = self.past_videos.values().flatten().map(|(_, row)| row);
        past.chain(self.videos.values()).any(|row| row.hashtags.iter().any(|each| each.as_str() == tag))
    }

    /// What insights count.
    fn frozen_events_of(&self, entity: &Entity, contribution: Contribution) -> Vec<&Seen> {
        let is_bounded = contribution == Contribution::Bounded && self.mistake != Mistake::CountsWholeDays;
        let tags_max = if is_bounded { 5 } else { usize::MAX };
        let belongs = |event: &&Seen| match entity {
            Entity::Creator(id) => event.creator == id.as_str(),
            Entity::Video(id) => event.video.as_deref() == Some(id.as_str()) && self.row_of(event).is_some(),
            Entity::Hashtag(tag) => {
                self.row_of(event).is_some_and(|row| row.hashtags.iter().take(tags_max).any(|each| each == tag))
            }
            Entity::Platform => true,
            Entity::Overlap(pair) => pair.channels().iter().any(|id| event.creator == id.as_str()),
        };
        self.events.iter().filter(belongs).collect()
    }

    fn tagged(&self, tag: &str) -> BTreeSet<&str> {
        let tagged = self.videos.iter().filter(|(_, row)| row.hashtags.iter().any(|each| each.as_str() == tag));
        tagged.map(|(id, _)| id.as_str()).collect()
    }

    fn zone(&self, entity: &Entity) -> Result<Zone, SourceError> {
        match entity {
            Entity::Creator(id) if self.creators.contains_key(id.as_str()) => Ok(self.zone_of_creator(id.as_str())),
            Entity::Video(id) => {
                let row = self.videos.get(id.as_str()).ok_or(SourceError::Unknown)?;
                Ok(self.zone_of_creator(row.creator.as_str()))
            }
            Entity::Hashtag(tag) if self.was_tagged(tag.as_str()) => Ok(Zone::UTC),
            Entity::Platform => Ok(Zone::UTC),
            Entity::Overlap(pair) if pair.channels().iter().all(|id| self.creators.contains_key(id.as_str())) => {
                Ok(Zone::UTC)
            }
            _ => Err(SourceError::Unknown),
        }
    }

    fn events_of(&self, entity: &Entity) -> Vec<&Seen> {
        let tagged = match entity {
            Entity::Hashtag(tag) => self.tagged(tag.as_str()),
            _ => BTreeSet::new(),
        };
        let belongs = |event: &&Seen| match entity {
            Entity::Creator(id) => event.creator == id.as_str(),
            Entity::Video(id) => event.video.as_deref() == Some(id.as_str()),
            Entity::Hashtag(_) => event.video.as_deref().is_some_and(|video| tagged.contains(video)),
            Entity::Platform => true,
            Entity::Overlap(_) => false,
        };
        self.events.iter().filter(belongs).collect()
    }

    fn duration_ms(&self, event: &Seen) -> Option<u32> {
        self.videos.get(event.video.as_deref()?)?.duration_ms
    }

    fn sum(&self, events: &[&Seen]) -> Raw<Tally> {
        let mut tally = Tally::default();
        for event in events {
            let metric = match event.kind {
                Kind::Impression => Metric::Impressions,
                Kind::View => Metric::Views,
                Kind::Like => Metric::Likes,
                Kind::Unlike => Metric::Unlikes,
                Kind::Comment => Metric::Comments,
                Kind::Share => Metric::Shares,
                Kind::Save => Metric::Saves,
                Kind::Unsave => Metric::Unsaves,
                Kind::Follow => Metric::Follows,
                Kind::Unfollow => Metric::Unfollows,
                Kind::ProfileView => Metric::ProfileViews,
            };
            tally[metric] += 1;
            if event.kind == Kind::View {
                tally[Metric::WatchMs] += u64::from(event.watch_ms);
                if let Some(duration_ms) = self.duration_ms(event) {
                    tally[Metric::TimedViews] += 1;
                    if f64::from(event.watch_ms) / f64::from(duration_ms) >= 0.97 {
                        tally[Metric::CompletedViews] += 1;
                    }
                }
            }
        }
        Raw::seal(tally, everyone(events))
    }

    fn table<K: Ord>(&self, events: &[&Seen], keys: Vec<K>, key_of: impl Fn(&Seen) -> K) -> Vec<(K, Raw<Tally>)> {
        let mut rows: BTreeMap<K, Vec<&Seen>> = keys.into_iter().map(|key| (key, Vec::new())).collect();
        for event in events {
            rows.entry(key_of(event)).or_default().push(event);
        }
        rows.into_iter().map(|(key, events)| (key, self.sum(&events))).collect()
    }

    fn family(
        &self,
        entity: &Entity,
        window: DayRange,
        family: Family,
        contribution: Contribution,
    ) -> RawTable<Cell, ()> {
        let all = self.frozen_events_of(entity, contribution);
        let inside: Vec<&Seen> = all.iter().copied().filter(|event| window.contains(event.day)).collect();
        let mut by_viewer: BTreeMap<u32, Vec<&Seen>> = BTreeMap::new();
        for event in &inside {
            by_viewer.entry(event.viewer).or_default().push(event);
        }
        let mut total = RoaringBitmap::new();
        let mut cells: BTreeMap<Cell, RoaringBitmap> = BTreeMap::new();
        for (viewer, events) in by_viewer {
            let views: Vec<&Seen> = events.iter().copied().filter(|event| event.kind == Kind::View).collect();
            let stands_in = if family == Family::Funnel {
                vec![Cell::Stage(furthest_stage(&events))]
            } else if views.is_empty() {
                continue;
            } else {
                match family {
                    _ if matches!(entity, Entity::Platform | Entity::Overlap(_)) && family != Family::Reach => continue,
                    Family::Reach => vec![],
                    Family::Novelty if !matches!(entity, Entity::Creator(_)) => continue,
                    Family::Novelty => vec![novelty(&all, viewer, &views)],
                    Family::TrafficSource => {
                        let cell = |view: &Seen| Cell::Source(view.source);
                        self.counted(&views, contribution, 2, cell)
                    }
                    Family::ActiveHours => {
                        let cell = |view: &Seen| {
                            let zone = match entity {
                                Entity::Hashtag(_) => Zone::UTC,
                                _ => self.zone_on(&view.creator, view.day),
                            };
                            Cell::Hour(HourOfWeek::new(zone.day_of(view.ts).weekday(), zone.hour_of_day(view.ts)))
                        };
                        self.counted(&views, contribution, 3, cell)
                    }
                    Family::Retention => {
                        let reached = |view: &&Seen| {
                            let duration_ms = self.row_of(view)?.duration_ms?;
                            Some((u64::from(view.watch_ms) * 100 / u64::from(duration_ms)).min(100) as u8)
                        };
                        match views.iter().filter_map(reached).max() {
                            Some(position) => vec![Cell::Position(position)],
                            None => continue,
                        }
                    }
                    _ => vec![trait_cell(family, last(&views))],
                }
            };
            total.insert(viewer);
            for cell in stands_in {
                cells.entry(cell).or_default().insert(viewer);
            }
        }
        let rows = cells.into_iter().map(|(cell, viewers)| (cell, Raw::seal((), viewers))).collect();
        RawTable::seal(Raw::seal((), total), rows)
    }

    /// The cells that a viewer's views count in; where bounded, so many a day.
    fn counted(
        &self,
        views: &[&Seen],
        contribution: Contribution,
        cells_max: usize,
        cell_of: impl Fn(&Seen) -> Cell,
    ) -> Vec<Cell> {
        if contribution == Contribution::Whole || self.mistake == Mistake::CountsWholeDays {
            return views.iter().map(|view| cell_of(view)).collect();
        }
        let mut days: BTreeMap<Day, BTreeSet<(Timestamp, Cell)>> = BTreeMap::new();
        for view in views {
            days.entry(view.day).or_default().insert((view.ts, cell_of(view)));
        }
        let of_day = |views: BTreeSet<(Timestamp, Cell)>| {
            let mut cells: Vec<Cell> = Vec::new();
            for (_, cell) in views {
                if cells.len() < cells_max && !cells.contains(&cell) {
                    cells.push(cell);
                }
            }
            cells
        };
        days.into_values().flat_map(of_day).collect()
    }
}

fn everyone(events: &[&Seen]) -> RoaringBitmap {
    events.iter().map(|event| event.viewer).collect()
}

fn furthest_stage(events: &[&Seen]) -> Stage {
    let stage = |event: &&Seen| match event.kind {
        Kind::Follow => Stage::Followed,
        Kind::Like | Kind::Comment | Kind::Share | Kind::Save => Stage::Engaged,
        Kind::View => Stage::Viewed,
        _ => Stage::Saw,
    };
    events.iter().map(stage).max().expect("at least one event")
}

fn novelty(all: &[&Seen], viewer: u32, views: &[&Seen]) -> Cell {
    let first = views.iter().map(|view| view.day.number()).min().expect("at least one view");
    let earlier = all.iter().any(|event| {
        let day = event.day.number();
        event.viewer == viewer && event.kind == Kind::View && day < first && first - day <= 365
    });
    if earlier { Cell::Returning } else { Cell::New }
}

fn last<'s>(views: &[&'s Seen]) -> &'s Traits {
    let order = |view: &&&Seen| {
        let traits = &view.traits;
        (
            view.ts,
            traits.country.map_or(0, |country| country.ordinal()),
            traits.region.map_or(0, |region| region.suffix()),
            traits.age.map_or(0, |age| age.code()),
            traits.gender.map_or(0, |gender| gender.code()),
            traits.device.map_or(0, |device| device.code()),
            traits.follower.map_or(0, |follower| follower.code()),
        )
    };
    &views.iter().max_by_key(order).expect("at least one view").traits
}

fn trait_cell(family: Family, traits: &Traits) -> Cell {
    match family {
        Family::FollowerStatus => Cell::Follower(traits.follower),
        Family::Country => Cell::Country(traits.country),
        Family::Region => Cell::Region(traits.region),
        Family::Age => Cell::Age(traits.age),
        Family::Gender => Cell::Gender(traits.gender),
        Family::AgeGender => Cell::AgeGender(traits.age, traits.gender),
        Family::Device => Cell::Device(traits.device),
        other => panic!("{other:?} is not decided by a trait"),
    }
}

/// The days of a range in steps, by the text of their dates.
fn day_steps(range: DayRange, granularity: Granularity) -> Vec<DayRange> {
    let begins = |day: Day| {
        let text = day.to_string();
        match granularity {
            Granularity::Hour | Granularity::Day => true,
            Granularity::Week => day.weekday() == 0,
            Granularity::Month => text.ends_with("-01"),
            Granularity::Quarter => ["01-01", "04-01", "07-01", "10-01"].iter().any(|first| text.ends_with(first)),
            Granularity::Year => text.ends_with("-01-01"),
        }
    };
    let mut steps: Vec<DayRange> = Vec::new();
    for day in range.iter() {
        match steps.last_mut() {
            Some(step) if !begins(day) => *step = DayRange::new(step.first(), day).expect("in order"),
            _ => steps.push(DayRange::day(day)),
        }
    }
    steps
}

/// The hours of a day, found by looking at the clock every minute.
fn hour_steps(zone: &Zone, day: Day) -> Vec<SeriesStep> {
    let (start, end) = (zone.day_start(day), zone.day_end(day));
    let step = |start| SeriesStep { start, days: DayRange::day(day) };
    let mut steps = vec![step(start)];
    let mut before = zone.hour_of_day(start);
    let mut ts = start.saturating_add_millis(60_000);
    while ts < end {
        let hour = zone.hour_of_day(ts);
        if hour != before || zone.hour_start(ts) == ts {
            steps.push(step(ts));
        }
        before = hour;
        ts = ts.saturating_add_millis(60_000);
    }
    steps
}

impl Source for Oracle {
    fn counters(&self, entity: &Entity, range: DayRange, _: u64) -> Result<Raw<Tally>, SourceError> {
        self.zone(entity)?;
        let events: Vec<_> = self.events_of(entity).into_iter().filter(|event| range.contains(event.day)).collect();
        Ok(self.sum(&events))
    }

    fn series(
        &self,
        entity: &Entity,
        range: DayRange,
        granularity: Granularity,
        _: u64,
    ) -> Result<Vec<(SeriesStep, Raw<Tally>)>, SourceError> {
        let zone = self.zone(entity)?;
        let events: Vec<_> = self.events_of(entity).into_iter().filter(|event| range.contains(event.day)).collect();
        let steps: Vec<SeriesStep> = match granularity {
            Granularity::Hour => range.iter().flat_map(|day| hour_steps(&zone, day)).collect(),
            _ => day_steps(range, granularity)
                .into_iter()
                .map(|days| SeriesStep { start: zone.day_start(days.first()), days })
                .collect(),
        };
        let step_of = |event: &Seen| {
            let mut candidates = steps.iter().filter(|step| step.days.contains(event.day));
            let in_its_day = zone.day_start(event.day) <= event.ts && event.ts < zone.day_end(event.day);
            let found = if granularity == Granularity::Hour && in_its_day {
                candidates.rfind(|step| step.start <= event.ts)
            } else {
                candidates.next()
            };
            *found.expect("every day has a step")
        };
        Ok(self.table(&events, steps.clone(), step_of))
    }

    fn videos(&self, creator: &CreatorId<'_>, range: DayRange, best: Best) -> Result<RawRanking, SourceError> {
        if !self.creators.contains_key(creator.as_str()) {
            return Err(SourceError::Unknown);
        }
        let wanted =
            |event: &&Seen| event.creator == creator.as_str() && range.contains(event.day) && event.video.is_some();
        let events: Vec<_> = self.events.iter().filter(wanted).collect();
        let video_of = |event: &Seen| VideoId::parse(event.video.clone().expect("has a video")).expect("id");
        Ok(RawRanking::of(self.table(&events, Vec::new(), video_of), best))
    }

    fn topic_days(&self, kind: TopicKind, days: DayRange, _: u64) -> Result<Vec<Arc<RawTopicDay>>, SourceError> {
        let of_day = |day: Day| {
            let mut seen: BTreeMap<Topic, Vec<&Seen>> = BTreeMap::new();
            for event in self.events.iter().filter(|event| event.day == day) {
                let Some(row) = self.row_of(event) else { continue };
                let topics: BTreeSet<Topic> = match kind {
                    TopicKind::Hashtag => row.hashtags.into_iter().take(5).map(Topic::Hashtag).collect(),
                    TopicKind::Sound => {
                        self.videos[row.video.as_str()].sound.clone().map(Topic::Sound).into_iter().collect()
                    }
                    TopicKind::Video => [Topic::Video(row.video)].into(),
                };
                topics.into_iter().for_each(|topic| seen.entry(topic).or_default().push(event));
            }
            let row = |(topic, events): (Topic, Vec<&Seen>)| {
                let views = events.iter().filter(|event| event.kind == Kind::View).count() as u64;
                (topic, Raw::seal(views, everyone(&events)))
            };
            Arc::new(RawTopicDay::seal(day, seen.into_iter().map(row)))
        };
        Ok(days.iter().map(of_day).collect())
    }

    fn creators_with(&self, topics: &[&Topic]) -> Result<Vec<u32>, SourceError> {
        let has = |row: &VideoRow, topic: &Topic| match topic {
            Topic::Hashtag(tag) => row.hashtags.contains(tag),
            Topic::Sound(sound) => row.sound.as_ref() == Some(sound),
            Topic::Video(video) => row.video == *video,
        };
        let creators = |topic: &&Topic| -> BTreeSet<&CreatorId<'static>> {
            self.videos.values().filter(|row| has(row, topic)).map(|row| &row.creator).collect()
        };
        Ok(topics.iter().map(|topic| creators(topic).len() as u32).collect())
    }

    fn audience(
        &self,
        entity: &Entity,
        window: DayRange,
        families: &[Family],
        contribution: Contribution,
    ) -> Result<Vec<RawAudience>, SourceError> {
        self.zone(entity)?;
        let table = |&family: &Family| match entity {
            Entity::Overlap(pair) if family == Family::Reach => {
                let on = |id: &CreatorId<'_>| {
                    let views =
                        self.events.iter().filter(|event| event.kind == Kind::View && event.creator == id.as_str());
                    views.filter(|event| window.contains(event.day)).map(|event| event.viewer).collect()
                };
                let [one, other] = pair.channels().each_ref().map(on);
                RawAudience::in_both_sets(one, other)
            }
            _ => self.family(entity, window, family, contribution).into(),
        };
        Ok(families.iter().map(table).collect())
    }

    fn rewrites(&self, entity: &Entity, days: DayRange) -> Result<Rewrites, SourceError> {
        self.zone(entity)?;
        let was_on =
            |video: &str, creator: &str, day| self.video_on(video, day).filter(|row| row.creator.as_str() == creator);
        let touches = |creator: &str, day| match entity {
            Entity::Creator(id) => id.as_str() == creator,
            Entity::Video(id) => was_on(id.as_str(), creator, day).is_some(),
            Entity::Hashtag(tag) => {
                let rows = self.videos.keys().filter_map(|video| was_on(video, creator, day));
                rows.into_iter().any(|row| row.hashtags.contains(tag))
            }
            Entity::Platform => true,
            Entity::Overlap(pair) => pair.channels().iter().any(|id| id.as_str() == creator),
        };
        let wanted = self.reopened.iter().filter(|((creator, day), _)| days.contains(*day) && touches(creator, *day));
        let id = |creator: &str| CreatorId::parse(creator.to_owned()).expect("id");
        let reopened = wanted.map(|((creator, day), times)| (id(creator), *day, *times)).collect();
        Ok(Rewrites { reopened, epochs: vec![] })
    }

    fn overlap_from(&self, pair: &ChannelPair) -> Option<Day> {
        let [one, other] = pair.channels().each_ref().map(|id| id.as_str());
        let from = |id: &str, with: &str| self.agreements.get(&(id.to_owned(), with.to_owned())).copied();
        Some(from(one, other)?.max(from(other, one)?))
    }

    fn epochs(&self) -> Vec<Epoch> {
        Vec::new()
    }

    fn rows_from(&self) -> Option<Day> {
        None
    }

    fn sealed_through(&self, entity: &Entity) -> Result<Option<Day>, SourceError> {
        self.zone(entity)?;
        Ok(match entity {
            Entity::Creator(id) => self.sealed_of(id.as_str()),
            Entity::Video(id) => self.sealed_of_video(id.as_str()),
            Entity::Hashtag(_) | Entity::Platform => self.sealed_through,
            Entity::Overlap(pair) => pair.channels().iter().map(|id| self.sealed_of(id.as_str())).min().flatten(),
        })
    }

    fn creator(&self, id: &CreatorId<'_>) -> Option<CreatorFacts> {
        let (handle, zone) = self.creators.get(id.as_str())?;
        Some(CreatorFacts {
            id: id.clone().into_owned(),
            handle: handle.clone(),
            time_zone: zone.clone(),
            sealed_through: self.sealed_of(id.as_str()),
        })
    }

    fn video(&self, id: &VideoId<'_>) -> Option<VideoFacts> {
        let row = self.videos.get(id.as_str())?.clone();
        let past = self.past_videos.get(id.as_str()).into_iter().flatten();
        Some(VideoFacts {
            windows_from: self.publication_day(id.as_str()),
            past_durations_ms: past.map(|(through, row)| (*through, row.duration_ms)).collect(),
            id: row.video,
            creator: row.creator,
            published_at: row.published_at,
            duration_ms: row.duration_ms,
            hashtags: row.hashtags,
            sound: row.sound,
            title: row.title,
            language: row.language,
        })
    }

    fn hashtag_exists(&self, tag: &Hashtag<'_>) -> bool {
        self.was_tagged(tag.as_str())
    }

    fn creators(&self, after: Option<&CreatorId<'_>>, limit: usize) -> Vec<CreatorFacts> {
        let ids = self.creators.keys().filter(|id| after.is_none_or(|after| id.as_str() > after.as_str()));
        ids.take(limit).map(|id| self.creator(&CreatorId::parse(id.as_str()).expect("id")).expect("known")).collect()
    }

    fn videos_of(&self, creator: &CreatorId<'_>, after: Option<&VideoId<'_>>, limit: usize) -> Vec<VideoFacts> {
        let ids = self.videos.iter().filter(|(id, row)| {
            row.creator.as_str() == creator.as_str() && after.is_none_or(|after| id.as_str() > after.as_str())
        });
        ids.take(limit).map(|(_, row)| self.video(&row.video).expect("known")).collect()
    }
}
