//! The believable platform of `throng demo`: invented creators, videos and viewers, and what they did over some weeks.
//!
//! A world is a pure function of its seed, its last day and its scale: the same on every machine and in every run. It has
//! what real platforms have: a few channels with most of the views and many with few, some below the floor of any
//! disclosure; videos that fade after some days and one that goes viral; days and weeks that follow the viewers' own
//! clocks; audiences that differ from channel to channel; loops, unknown traits, unknown lengths, and a channel whose
//! zone is off by 45 minutes. None of it is about anybody.

mod channels;
mod days;
mod dice;
mod people;
mod places;
mod play;
#[cfg(test)]
mod tests;
mod words;

use throng_model::{CreatorId, CreatorRow, DAY_MS, Day, DayRange, Hashtag, Name, Timestamp, VideoId, VideoRow, Zone};

use channels::{Channel, Clip};
use dice::Dice;
use people::People;
use places::Place;

pub(crate) use days::Events;

/// The seed of the demonstration.
pub(crate) const SEED: u64 = 2_026;

/// How large a world is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scale {
    /// Viewers that exist; nearly all of them come by.
    pub(crate) viewers: u32,
    /// Creators, at least 20.
    pub(crate) creators: u32,
    /// Views, about. All events together are about two and a half times as many.
    pub(crate) views: u32,
    /// Days, at least 14.
    pub(crate) days: u16,
}

impl Scale {
    /// About two million events.
    pub(crate) const DEMO: Self = Self { viewers: 170_000, creators: 420, views: 800_000, days: 90 };
    /// Some tens of thousands of events.
    #[cfg(test)]
    pub(crate) const SMALL: Self = Self { viewers: 4_000, creators: 40, views: 16_000, days: 28 };

    /// Creators with fewer than 50 viewers.
    fn small_creators(&self) -> usize {
        (self.creators as usize / 30).max(3)
    }
}

/// A platform.
#[derive(Debug)]
pub(crate) struct World {
    seed: u64,
    days: DayRange,
    places: Vec<Place>,
    people: People,
    channels: Vec<Channel>,
    clips: Vec<Clip>,
    scale: Scale,
}

impl World {
    /// The world whose last day is `end_day`, in every viewer's own zone: events lie before noon (UTC) of the day after.
    pub(crate) fn new(seed: u64, end_day: Day, scale: Scale) -> Self {
        let scale = Scale { creators: scale.creators.max(20), days: scale.days.max(14), ..scale };
        let first = end_day.saturating_add(1 - i64::from(scale.days));
        let days = DayRange::new(first, end_day).unwrap_or(DayRange::day(end_day));
        let places = places::all();
        let people = People::new(scale.viewers as usize, &places, &mut Dice::new(seed, 0));
        let mut dice = Dice::new(seed, 1);
        let channels = channels::channels(&scale, &places, &mut dice);
        let clips = channels::clips(&channels, days, &places, &mut dice);
        Self { seed, days, places, people, channels, clips, scale }
    }

    /// The newest last day of a world that lies wholly in the past: noon (UTC) of the day after has passed, and with it the
    /// day in every zone. A later one would hold days that are sealed but not over.
    pub(crate) fn newest_end(now: Timestamp) -> Day {
        Zone::UTC.day_of(now.saturating_add_millis(-DAY_MS / 2)).previous()
    }

    /// Its days.
    pub(crate) fn days(&self) -> DayRange {
        self.days
    }

    /// The catalogue's creators, largest first. The largest two agree to share their overlap.
    pub(crate) fn creators(&self) -> Vec<CreatorRow> {
        let id = |channel: &Channel| CreatorId::parse(channel.id.clone()).ok();
        let sharing = self.channels.get(..2).unwrap_or_default();
        let row = |channel: &Channel| {
            let others = sharing.iter().filter(|other| other.id != channel.id);
            let shares = sharing.iter().any(|one| one.id == channel.id);
            Some(CreatorRow {
                creator: id(channel)?,
                handle: Name::parse(channel.handle.clone()).ok(),
                time_zone: self.places.get(channel.place).map(|place| place.zone.clone()).unwrap_or_default(),
                overlap_with: others.filter(|_| shares).filter_map(id).collect(),
            })
        };
        self.channels.iter().filter_map(row).collect()
    }

    /// The catalogue's videos.
    pub(crate) fn videos(&self) -> Vec<VideoRow> {
        let row = |clip: &Clip| {
            let channel = self.channels.get(clip.channel)?;
            let language = self.places.get(channel.place).map_or("en", |place| place.language);
            Some(VideoRow {
                video: VideoId::parse(clip.id.clone()).ok()?,
                creator: CreatorId::parse(channel.id.clone()).ok()?,
                published_at: Some(clip.published_at),
                duration_ms: clip.duration_known.then_some(clip.duration_ms),
                hashtags: clip.hashtags.iter().filter_map(|tag| Hashtag::parse(tag).ok()).collect(),
                sound: clip.sound.clone().and_then(|sound| Name::parse(sound).ok()),
                title: Some(clip.title.clone()),
                language: Name::parse(language).ok(),
            })
        };
        self.clips.iter().filter_map(row).collect()
    }

    /// Everything that happened, in the order of time, a day's worth at once.
    pub(crate) fn events(&self) -> Events<'_> {
        Events::new(self)
    }

    /// The creator to show first: of some size, and owner of the viral video.
    pub(crate) fn featured_creator(&self) -> &str {
        self.channels.get(channels::FEATURED).map_or("", |channel| &channel.id)
    }

    /// The video that went viral.
    #[cfg(test)]
    pub(crate) fn viral_video(&self) -> &str {
        self.clips.iter().find(|clip| clip.viral).map_or("", |clip| &clip.id)
    }

    /// Creators whose whole audience is below the floor of 50 viewers.
    #[cfg(test)]
    pub(crate) fn small_creators(&self) -> impl Iterator<Item = &str> {
        let small = self.scale.small_creators();
        self.channels.iter().rev().take(small).map(|channel| channel.id.as_str())
    }
}
