//! Made worlds: a small platform whose every event is known, and the store that holds it.

use std::collections::BTreeSet;

use throng_model::{
    AgeBand, ChannelPair, CreatorId, CreatorRow, DAY_MS, Day, Device, Entity, Event, EventId, Follower, Gender,
    Hashtag, HourOfWeek, Kind, OVERLAPS_MAX, Region, Source, Timestamp, Traits, VideoId, VideoRow, ViewerId, Zone,
};
use throng_store::{AppendMode, MemoryMap, Options, Store};

use crate::AttackError;
use crate::dice::Dice;
use crate::truth::Seen;

/// A video of a made world.
#[derive(Debug, Clone)]
pub(crate) struct Clip {
    pub(crate) id: &'static str,
    pub(crate) channel: &'static str,
    pub(crate) published: Day,
    pub(crate) duration_ms: Option<u32>,
    pub(crate) tag: Option<&'static str>,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Act {
    pub(crate) viewer: u32,
    pub(crate) day: Day,
    /// Of the day.
    pub(crate) minute: u16,
    pub(crate) kind: Kind,
    /// Index of the clip.
    pub(crate) clip: usize,
    pub(crate) watch_ms: u32,
    pub(crate) source: Source,
    pub(crate) traits: Traits,
}

/// A platform.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) clips: Vec<Clip>,
    pub(crate) acts: Vec<Act>,
    pub(crate) sealed_through: Day,
    /// The zone of every channel. What happens is told in UTC all the same.
    pub(crate) zone: &'static str,
}

impl World {
    /// A store in memory that took all of it in, sealed.
    pub(crate) fn store(&self) -> Result<Store, AttackError> {
        self.store_in(&MemoryMap::default())
    }

    /// The same over a map that outlives it.
    pub(crate) fn store_in(&self, map: &MemoryMap) -> Result<Store, AttackError> {
        let store = Store::in_memory(map, &Options { merges: false, ..Options::default() })?;
        self.put_catalogue(&store)?;
        self.append(&store, AppendMode::Normal)?;
        store.seal_through(self.sealed_through)?;
        store.checkpoint()?;
        Ok(store)
    }

    /// Puts the catalogue alone into a store.
    pub(crate) fn put_catalogue(&self, store: &Store) -> Result<(), AttackError> {
        Ok(store.put_catalogue(self.videos()?, self.creators()?)?)
    }

    /// The same world with another catalogue: other lengths, the hashtag on other videos, and days that begin elsewhere.
    pub(crate) fn edited(&self) -> Self {
        let clips = self.clips.iter().cloned();
        let tag = self.clips.iter().find_map(|clip| clip.tag);
        let edited =
            clips.map(|clip| Clip { duration_ms: Some(90_000), tag: tag.filter(|_| clip.tag.is_none()), ..clip });
        Self { clips: edited.collect(), zone: "America/Los_Angeles", ..self.clone() }
    }

    /// Puts the acts alone into a store.
    pub(crate) fn append(&self, store: &Store, mode: AppendMode) -> Result<(), AttackError> {
        let events: Result<Vec<_>, _> = self.acts.iter().enumerate().map(|(at, act)| self.event(at, act)).collect();
        store.append(&events?, mode)?;
        Ok(())
    }

    /// Everything that happened with an entity.
    pub(crate) fn seen(&self, entity: &Entity) -> Vec<Seen> {
        let of_entity = |act: &&Act| {
            self.clips.get(act.clip).is_some_and(|clip| match entity {
                Entity::Creator(id) => clip.channel == id.as_str(),
                Entity::Video(id) => clip.id == id.as_str(),
                Entity::Hashtag(tag) => clip.tag == Some(tag.as_str()),
                Entity::Platform => true,
                // Two channels' viewers are compared window by window: `Side::tables`.
                Entity::Overlap(_) => false,
            })
        };
        let seen = |act: &Act| Seen {
            day: act.day,
            ts: act.ts(),
            kind: act.kind,
            viewer: act.viewer,
            watch_ms: act.watch_ms,
            duration_ms: self.clips.get(act.clip).and_then(|clip| clip.duration_ms),
            hour: HourOfWeek::new(act.day.weekday(), (act.minute / 60) as u8),
            source: act.source,
            traits: act.traits,
        };
        self.acts.iter().filter(of_entity).map(seen).collect()
    }

    /// The platform, and every channel, video, hashtag and pair of channels, each once.
    pub(crate) fn entities(&self) -> Result<Vec<Entity>, AttackError> {
        let mut entities = vec![Entity::Platform];
        for (at, one) in self.channels().into_iter().enumerate() {
            for other in self.channels().into_iter().skip(at + 1) {
                entities.push(overlap(one, other)?);
            }
        }
        for clip in &self.clips {
            let tag = clip.tag.map(hashtag).transpose()?;
            for entity in [Some(channel(clip.channel)?), Some(video(clip.id)?), tag].into_iter().flatten() {
                if !entities.contains(&entity) {
                    entities.push(entity);
                }
            }
        }
        Ok(entities)
    }

    fn event(&self, at: usize, act: &Act) -> Result<Event<'static>, AttackError> {
        let clip = self.clips.get(act.clip).ok_or(AttackError::World)?;
        // The number of the act alone would make acts of two worlds duplicates of each other in one store.
        let id = format!("{at}-{}-{}-{}-{}", act.viewer, act.day.number(), act.minute, act.kind.code());
        Ok(Event {
            event_id: EventId::parse(id)?,
            ts: act.ts(),
            kind: act.kind,
            viewer: viewer(act.viewer)?,
            creator: Some(CreatorId::parse(clip.channel)?),
            video: Some(VideoId::parse(clip.id)?),
            watch_ms: act.watch_ms,
            source: act.source,
            traits: act.traits,
        })
    }

    fn videos(&self) -> Result<Vec<VideoRow>, AttackError> {
        let row = |clip: &Clip| {
            Ok(VideoRow {
                video: VideoId::parse(clip.id)?,
                creator: CreatorId::parse(clip.channel)?,
                published_at: Some(Zone::UTC.day_start(clip.published)),
                duration_ms: clip.duration_ms,
                hashtags: clip.tag.map(Hashtag::parse).into_iter().collect::<Result<_, _>>()?,
                sound: None,
                title: None,
                language: None,
            })
        };
        self.clips.iter().map(row).collect()
    }

    fn channels(&self) -> Vec<&'static str> {
        let channels: BTreeSet<&str> = self.clips.iter().map(|clip| clip.channel).collect();
        channels.into_iter().collect()
    }

    /// All of them share their overlaps; worlds have few channels.
    fn creators(&self) -> Result<Vec<CreatorRow>, AttackError> {
        let channels = self.channels();
        let row = |&id: &&'static str| {
            let others = channels.iter().filter(|other| **other != id).take(OVERLAPS_MAX);
            Ok(CreatorRow {
                creator: CreatorId::parse(id)?,
                handle: None,
                time_zone: Zone::parse(self.zone)?,
                overlap_with: others.map(|&other| CreatorId::parse(other)).collect::<Result<_, _>>()?,
            })
        };
        channels.iter().map(row).collect()
    }
}

impl Act {
    fn ts(&self) -> Timestamp {
        Zone::UTC.day_start(self.day).saturating_add_millis(i64::from(self.minute) * (DAY_MS / 1_440))
    }
}

/// The id of a viewer in a made world.
pub(crate) fn viewer(number: u32) -> Result<ViewerId<'static>, AttackError> {
    Ok(ViewerId::parse(format!("viewer-{number}"))?)
}

/// A channel as an entity.
pub(crate) fn channel(id: &'static str) -> Result<Entity, AttackError> {
    Ok(Entity::Creator(CreatorId::parse(id)?))
}

/// A video as an entity.
pub(crate) fn video(id: &'static str) -> Result<Entity, AttackError> {
    Ok(Entity::Video(VideoId::parse(id)?))
}

/// A hashtag as an entity.
pub(crate) fn hashtag(tag: &'static str) -> Result<Entity, AttackError> {
    Ok(Entity::Hashtag(Hashtag::parse(tag)?))
}

/// Two channels as an entity.
pub(crate) fn overlap(one: &'static str, other: &'static str) -> Result<Entity, AttackError> {
    let pair = ChannelPair::new(CreatorId::parse(one)?, CreatorId::parse(other)?);
    pair.map(Entity::Overlap).ok_or(AttackError::World)
}

/// A day of the made worlds: `0` is Wednesday, 11 June 2025, so that every kind of window holds the days around it.
pub(crate) fn day(offset: i64) -> Day {
    // 20,250 days after 1970-01-01.
    Day::from_number(20_250 + offset).unwrap_or(Day::MIN)
}

/// Traits that differ between two kinds of viewers in every family.
pub(crate) fn traits(first: bool) -> Traits {
    let region = Region::from_code(if first { "DE-BY" } else { "FR-75" });
    Traits {
        country: region.map(Region::country),
        region,
        age: Some(if first { AgeBand::From25 } else { AgeBand::From18 }),
        gender: Some(if first { Gender::Female } else { Gender::Male }),
        device: Some(if first { Device::Android } else { Device::Ios }),
        follower: Some(if first { Follower::Yes } else { Follower::No }),
    }
}

/// Random traits, some of them unknown.
pub(crate) fn random_traits(dice: &mut Dice) -> Traits {
    let region = dice.pick(&["DE-BY", "DE-BE", "FR-75", "AT-9", "US-CA"]).and_then(Region::from_code);
    let known = |dice: &mut Dice| !dice.chance(10);
    Traits {
        country: region.map(Region::country),
        region: region.filter(|_| known(dice)),
        age: dice.pick(AgeBand::ALL).filter(|_| known(dice)),
        gender: dice.pick(Gender::ALL).filter(|_| known(dice)),
        device: dice.pick(Device::ALL),
        follower: dice.pick(Follower::ALL),
    }
}
