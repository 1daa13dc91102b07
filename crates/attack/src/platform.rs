//! A platform's own events, read back from a copy of its store: what is true there, so that its answers can be judged.

use std::sync::Arc;

use throng_model::{
    AgeBand, Country, CreatorId, DAY_MS, Day, Device, Entity, Event, EventId, Family, Follower, Gender, Hashtag,
    HourOfWeek, Kind, Region, Source, Timestamp, Traits, VideoId, ViewerId, Zone,
};
use throng_privacy::{Contribution, Policy};
use throng_query::Engine;
use throng_store::{AppendMode, Column, CreatorOrd, Segment, Snapshot, Store, VideoOrd, VideoPeriod};

use crate::AttackError;
use crate::question::Question;
use crate::scene::{Scene, Side};
use crate::truth::Seen;

/// Days between the last sealed day and the one that a target is planted on, so that windows around it are sealed.
const PLANTED_BACK: i64 = 9;

/// Questions about the platform and some of its entities: the largest channels, the smallest, and a video and hashtag of each.
pub(crate) fn sample(store: &Store, policy: &Policy, channels: usize) -> Result<(Side, Vec<Question>), AttackError> {
    let snapshot = store.snapshot();
    let by_size = by_size(&snapshot)?;
    let (large, small) = by_size.split_at(by_size.len().min(channels.div_ceil(2)));
    let mut entities = vec![Entity::Platform];
    for &creator in large.iter().chain(small.iter().rev().take(channels / 2)) {
        for entity in entities_of(&snapshot, creator) {
            if !entities.contains(&entity) {
                entities.push(entity);
            }
        }
    }
    let mut questions = Vec::new();
    for entity in &entities {
        questions.extend(questions_about(&snapshot, entity, policy)?);
    }
    Ok((side(store, &snapshot, entities)?, questions))
}

/// The largest channel.
pub(crate) struct Stage {
    channel: CreatorId<'static>,
    pub(crate) entity: Entity,
    pub(crate) side: Side,
    pub(crate) questions: Vec<Question>,
    /// A view on the day in question by someone like many others, so that the target's cells are shown.
    model: Seen,
    video: Option<VideoId<'static>>,
    sealed: Day,
}

impl Stage {
    /// `None` where the store has no sealed day with views to plant a target in.
    pub(crate) fn of(store: &Store, policy: &Policy) -> Result<Option<Self>, AttackError> {
        let snapshot = store.snapshot();
        let catalogue = snapshot.catalogue();
        let Some(&creator) = by_size(&snapshot)?.first() else { return Ok(None) };
        let channel = catalogue.creator(creator).ok_or(AttackError::World)?.id.clone();
        let entity = Entity::Creator(channel.clone());
        let questions = questions_about(&snapshot, &entity, policy)?;
        let Some(sealed) = snapshot.sealed_through(creator) else { return Ok(None) };
        let side = side(store, &snapshot, vec![entity.clone()])?;
        let day = sealed.saturating_add(-PLANTED_BACK);
        let views = || side.seen(&entity).iter().filter(|seen| seen.day == day && seen.kind == Kind::View);
        let like = |seen: &Seen| (seen.traits.age, seen.traits.gender);
        let Some(model) = views().max_by_key(|seen| views().filter(|other| like(other) == like(seen)).count()).cloned()
        else {
            return Ok(None);
        };
        let video = catalogue.videos_after(creator, None, 1).first().and_then(|&video| catalogue.video(video));
        let video = video.map(|video| video.id.clone());
        Ok(Some(Self { channel, entity, side, questions, model, video, sealed }))
    }

    /// The target's day: on the day in question of another copy, whose sealed days are reopened for it.
    pub(crate) fn plant(&self, copy: &Store) -> Result<Scene, AttackError> {
        copy.append(&self.target(self.model.ts, "the past")?, AppendMode::Reopen)?;
        let with = side(copy, &copy.snapshot(), vec![self.entity.clone()])?;
        Ok(Scene { with, without: self.side.clone(), questions: self.questions.clone() })
    }

    /// The target's day: after the last sealed one, as events come in.
    pub(crate) fn arrive(&self, copy: &Store) -> Result<(), AttackError> {
        let noon = Zone::UTC.day_start(self.sealed.saturating_add(2)).saturating_add_millis(DAY_MS / 2);
        copy.append(&self.target(noon, "today")?, AppendMode::Normal)?;
        Ok(())
    }

    fn target(&self, ts: Timestamp, when: &str) -> Result<[Event<'static>; 2], AttackError> {
        let event = |kind, watch_ms| -> Result<_, AttackError> {
            Ok(Event {
                event_id: EventId::parse(format!("throng attack: {kind:?} {when}"))?,
                ts,
                kind,
                viewer: target()?,
                creator: Some(self.channel.clone()),
                video: self.video.clone(),
                watch_ms,
                source: self.model.source,
                traits: self.model.traits,
            })
        };
        let first = if self.video.is_some() { Kind::View } else { Kind::ProfileView };
        Ok([event(first, if first == Kind::View { self.model.watch_ms } else { 0 })?, event(Kind::Follow, 0)?])
    }
}

/// The target on a platform.
pub(crate) fn target() -> Result<ViewerId<'static>, AttackError> {
    Ok(ViewerId::parse("throng attack: the target")?)
}

fn side(store: &Store, snapshot: &Snapshot, entities: Vec<Entity>) -> Result<Side, AttackError> {
    let seen: Result<Vec<_>, AttackError> =
        entities.into_iter().map(|entity| Ok((entity.clone(), seen(snapshot, &entity)?))).collect();
    Ok(Side { source: Arc::new(Engine::new(store.clone())), seen: seen? })
}

/// Every channel, the one with the most rows first.
fn by_size(snapshot: &Snapshot) -> Result<Vec<CreatorOrd>, AttackError> {
    let mut channels = Vec::new();
    for creator in snapshot.catalogue().creators_after(None, usize::MAX) {
        let mut rows = snapshot.tail().creator_rows(creator).count() as u64;
        for segment in snapshot.segments() {
            rows += segment.creator_rows(creator)?.map_or(0, |rows| u64::from(rows.end - rows.start));
        }
        channels.push((std::cmp::Reverse(rows), creator));
    }
    channels.sort_unstable();
    Ok(channels.into_iter().map(|(_, creator)| creator).collect())
}

/// A channel, its first video, and the first hashtag of that.
fn entities_of(snapshot: &Snapshot, creator: CreatorOrd) -> Vec<Entity> {
    let catalogue = snapshot.catalogue();
    let video = catalogue.videos_after(creator, None, 1).first().and_then(|&video| catalogue.video(video));
    let channel = catalogue.creator(creator).map(|entry| Entity::Creator(entry.id.clone()));
    let tag = video.and_then(|video| video.hashtags.first()).filter(|tag| counts_everywhere(snapshot, tag));
    let tag = tag.map(|tag| Entity::Hashtag(tag.clone()));
    channel.into_iter().chain(video.map(|video| Entity::Video(video.id.clone()))).chain(tag).collect()
}

/// Whether no video has so many hashtags before this one that it counts for exact numbers alone.
fn counts_everywhere(snapshot: &Snapshot, tag: &Hashtag<'_>) -> bool {
    let catalogue = snapshot.catalogue();
    let videos = catalogue.hashtag_videos_ever(tag.as_str());
    let entries = videos.iter().flat_map(|videos| videos.iter()).filter_map(|video| catalogue.video(VideoOrd(video)));
    let mut places =
        entries.flat_map(|entry| entry.periods()).filter_map(|on| on.hashtags.iter().position(|it| it == tag));
    places.all(|place| place < Contribution::HASHTAGS_PER_VIDEO_MAX)
}

/// Windows of an entity that are sealed and hold a day shortly before the last of them.
fn questions_about(snapshot: &Snapshot, entity: &Entity, policy: &Policy) -> Result<Vec<Question>, AttackError> {
    let catalogue = snapshot.catalogue();
    let (sealed, published) = match entity {
        Entity::Creator(id) => {
            (catalogue.creator_ord(id.as_str()).and_then(|creator| snapshot.sealed_through(creator)), None)
        }
        Entity::Video(id) => {
            let video = catalogue.video_ord(id.as_str()).ok_or(AttackError::World)?;
            let published = catalogue.video(video).and_then(|entry| entry.windows_from(catalogue));
            (snapshot.video_sealed_through(video), published)
        }
        Entity::Hashtag(_) | Entity::Platform => (snapshot.sealed_everywhere(), None),
        Entity::Overlap(_) => return Ok(Vec::new()),
    };
    let Some(sealed) = sealed else { return Ok(Vec::new()) };
    let day = sealed.saturating_add(-PLANTED_BACK);
    let step = policy.rolling_step_days();
    let mut questions = Question::holding(entity, day, published, step, &Family::ALL);
    questions.retain(|question| question.days.last() <= sealed);
    Ok(questions)
}

/// Everything that happened with an entity.
fn seen(snapshot: &Snapshot, entity: &Entity) -> Result<Vec<Seen>, AttackError> {
    let catalogue = snapshot.catalogue();
    let mut seen = Vec::new();
    match entity {
        Entity::Creator(id) => {
            let creator = catalogue.creator_ord(id.as_str()).ok_or(AttackError::World)?;
            read(snapshot, creator, |_, _| true, &mut seen)?;
        }
        Entity::Video(id) => {
            let video = catalogue.video_ord(id.as_str()).ok_or(AttackError::World)?;
            read_video(snapshot, video, |_| true, &mut seen)?;
        }
        Entity::Platform => {
            for creator in (0..catalogue.creator_count()).map(CreatorOrd) {
                read(snapshot, creator, |_, _| true, &mut seen)?;
            }
        }
        Entity::Overlap(_) => {}
        Entity::Hashtag(tag) => {
            for video in
                catalogue.hashtag_videos_ever(tag.as_str()).iter().flat_map(|videos| videos.iter()).map(VideoOrd)
            {
                read_video(snapshot, video, |on| on.hashtags.contains(tag), &mut seen)?;
            }
            for each in &mut seen {
                each.hour = hour(&Zone::UTC, each.ts);
            }
        }
    }
    Ok(seen)
}

/// Reads a video's rows of those days on which it was as it is wanted, each on the channel that it was on then.
fn read_video(
    snapshot: &Snapshot,
    video: VideoOrd,
    wanted: impl Fn(VideoPeriod<'_>) -> bool,
    seen: &mut Vec<Seen>,
) -> Result<(), AttackError> {
    let entry = snapshot.catalogue().video(video).ok_or(AttackError::World)?;
    let mut channels: Vec<CreatorOrd> = entry.periods().map(|period| period.creator).collect();
    channels.sort_unstable();
    channels.dedup();
    for channel in channels {
        let then = |day| entry.on(day).is_some_and(|on| on.creator == channel && wanted(on));
        read(snapshot, channel, |of, day| of == Some(video) && then(day), seen)?;
    }
    Ok(())
}

/// Reads a channel's rows that are wanted.
fn read(
    snapshot: &Snapshot,
    creator: CreatorOrd,
    wanted: impl Fn(Option<VideoOrd>, Day) -> bool,
    seen: &mut Vec<Seen>,
) -> Result<(), AttackError> {
    let catalogue = snapshot.catalogue();
    let entry = catalogue.creator(creator).ok_or(AttackError::World)?;
    let zone_on = |day| entry.zones().find(|(through, _)| day <= *through).map_or(&entry.zone, |(_, zone)| zone);
    let mut take = |video: Option<VideoOrd>, ts: Timestamp, codes: [u32; Column::ALL.len()]| {
        let [day, kind, viewer, watch_ms, source, country, region, age, gender, device, follower] = codes;
        let (Ok(day), Some(kind)) = (Day::from_number(i64::from(day)), Kind::from_code(kind as u8)) else { return };
        if !wanted(video, day) {
            return;
        }
        let country = Country::from_ordinal(country as u8);
        seen.push(Seen {
            day,
            ts,
            kind,
            viewer,
            watch_ms,
            duration_ms: video.and_then(|video| catalogue.video(video)?.on(day)?.duration_ms),
            hour: hour(zone_on(day), ts),
            source: Source::from_code(source as u8).unwrap_or(Source::Other),
            traits: Traits {
                country,
                region: country.and_then(|country| Region::from_parts(country, region as u16)),
                age: AgeBand::from_code(age as u8),
                gender: Gender::from_code(gender as u8),
                device: Device::from_code(device as u8),
                follower: Follower::from_code(follower as u8),
            },
        });
    };
    for row in snapshot.tail().creator_rows(creator) {
        let codes = [
            u32::from(row.day.number()),
            u32::from(row.kind),
            row.viewer,
            row.watch_ms,
            u32::from(row.source),
            u32::from(row.country),
            u32::from(row.region),
            u32::from(row.age),
            u32::from(row.gender),
            u32::from(row.device),
            u32::from(row.follower),
        ];
        take(row.video, row.ts, codes);
    }
    for segment in snapshot.segments() {
        read_segment(segment, creator, &mut take)?;
    }
    Ok(())
}

fn read_segment(
    segment: &Segment,
    creator: CreatorOrd,
    take: &mut impl FnMut(Option<VideoOrd>, Timestamp, [u32; Column::ALL.len()]),
) -> Result<(), AttackError> {
    for span in segment.creator_videos(creator)? {
        let mut times = Vec::new();
        segment.read_ts(span.rows.clone(), &mut times)?;
        let mut columns: [Vec<u32>; Column::ALL.len()] = Default::default();
        for (column, values) in Column::ALL.into_iter().zip(&mut columns) {
            segment.read(column, span.rows.clone(), values)?;
        }
        for (at, millis) in times.into_iter().enumerate() {
            let codes = columns.each_ref().map(|values| values.get(at).copied().unwrap_or(0));
            take(span.video, Timestamp::from_millis(millis)?, codes);
        }
    }
    Ok(())
}

fn hour(zone: &Zone, ts: Timestamp) -> HourOfWeek {
    HourOfWeek::new(zone.day_of(ts).weekday(), zone.hour_of_day(ts))
}
