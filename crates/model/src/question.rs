//! What can be asked: entities, families of audience insights, and the cells that a family's table has.

use std::cmp::Ordering;

use crate::{
    AgeBand, Country, CreatorId, Day, DayRange, Device, Follower, Gender, Hashtag, Name, Region, Source, Timestamp,
    VideoId, Zone,
};

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Entity {
    /// A channel: everything that happened on it, with or without a video.
    Creator(CreatorId<'static>),
    /// A video.
    Video(VideoId<'static>),
    /// All videos that carry a hashtag: now for counters, on the day in question for insights.
    Hashtag(Hashtag<'static>),
    /// Everything on every channel.
    Platform,
    /// What two channels have in common: the viewers with a view on each. It has insights only.
    Overlap(ChannelPair),
}

/// Two channels, in no order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChannelPair([CreatorId<'static>; 2]);

impl ChannelPair {
    /// `None` where both are one channel.
    pub fn new(one: CreatorId<'static>, other: CreatorId<'static>) -> Option<Self> {
        match one.cmp(&other) {
            Ordering::Less => Some(Self([one, other])),
            Ordering::Equal => None,
            Ordering::Greater => Some(Self([other, one])),
        }
    }

    /// Both, by id.
    pub fn channels(&self) -> &[CreatorId<'static>; 2] {
        &self.0
    }
}

/// What can trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TopicKind {
    /// Hashtags.
    Hashtag,
    /// Sounds.
    Sound,
    /// Videos.
    Video,
}

/// One thing that can trend. Those of a kind are ordered by their text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// A hashtag: the videos that carried it on the day in question, each among its first few.
    Hashtag(Hashtag<'static>),
    /// A sound, by the platform's name for it: the videos that use it.
    Sound(Name<'static>),
    /// A video.
    Video(VideoId<'static>),
}

/// Order of a channel's videos by when they went public; those of which that is not known come last. Equal ones go by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VideoOrder {
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
}

impl VideoOrder {
    /// Where a video stands: the lower, the earlier.
    pub fn rank(self, published_at: Option<Timestamp>) -> i64 {
        match (self, published_at) {
            (_, None) => i64::MAX,
            (Self::Newest, Some(at)) => -at.millis(),
            (Self::Oldest, Some(at)) => at.millis(),
        }
    }
}

/// A family of audience insights: one table over one entity and window.
///
/// The *reach* of a window is the set of viewers with at least one view in it. Unless said otherwise, a family splits the
/// reach by what the viewer's last view in the window says, so each viewer stands in exactly one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// No rows: the reach alone.
    Reach,
    /// New viewers (no view of this channel in the 365 days before their first view in the window), and returning ones.
    /// Channels only.
    Novelty,
    /// Followers, non-followers, unknown.
    FollowerStatus,
    /// By country.
    Country,
    /// By subdivision of a country.
    Region,
    /// By age band.
    Age,
    /// By gender.
    Gender,
    /// By age band and gender.
    AgeGender,
    /// By device.
    Device,
    /// By traffic source of any view in the window: a viewer stands in every source used.
    TrafficSource,
    /// By hour and weekday, in the reporting zone, of any view in the window: a viewer stands in every hour used.
    ActiveHours,
    /// By furthest playback position over all views of videos of known length. Viewers without such a view are left out,
    /// of the total too.
    Retention,
    /// By furthest stage of [`Stage`] reached; its total is everyone with any event, not the reach.
    Funnel,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 13] = [
        Self::Reach,
        Self::Novelty,
        Self::FollowerStatus,
        Self::Country,
        Self::Region,
        Self::Age,
        Self::Gender,
        Self::AgeGender,
        Self::Device,
        Self::TrafficSource,
        Self::ActiveHours,
        Self::Retention,
        Self::Funnel,
    ];

    /// Whether a viewer can stand in several cells of one table.
    pub fn overlaps(self) -> bool {
        matches!(self, Self::TrafficSource | Self::ActiveHours)
    }

    /// Whether the cells are steps of one way, read from the far end as "at least this far".
    pub fn is_curve(self) -> bool {
        matches!(self, Self::Retention | Self::Funnel)
    }
}

/// How far a viewer went with an entity in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Any event at all.
    Saw,
    /// A view.
    Viewed,
    /// A like, comment, share or save.
    Engaged,
    /// A follow.
    Followed,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 4] = [Self::Saw, Self::Viewed, Self::Engaged, Self::Followed];
}

/// An hour of the week in the reporting zone: 0 is Monday 00:00 to 01:00, 167 is Sunday 23:00 to 24:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HourOfWeek(u8);

impl HourOfWeek {
    /// From a weekday (0 is Monday) and an hour; both wrap round.
    pub fn new(weekday: u8, hour: u8) -> Self {
        Self(weekday % 7 * 24 + hour % 24)
    }

    /// Every hour of a week, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..168).map(Self)
    }

    /// 0 to 167.
    pub fn index(self) -> u8 {
        self.0
    }

    /// 0 for Monday to 6 for Sunday.
    pub fn weekday(self) -> u8 {
        self.0 / 24
    }

    /// 0 to 23.
    pub fn hour(self) -> u8 {
        self.0 % 24
    }
}

/// The key of one cell of a family's table. `None` is "unknown".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cell {
    /// A new viewer.
    New,
    /// A returning viewer.
    Returning,
    /// Follower status.
    Follower(Option<Follower>),
    /// Country.
    Country(Option<Country>),
    /// Region.
    Region(Option<Region>),
    /// Age band.
    Age(Option<AgeBand>),
    /// Gender.
    Gender(Option<Gender>),
    /// Age band and gender.
    AgeGender(Option<AgeBand>, Option<Gender>),
    /// Device.
    Device(Option<Device>),
    /// Traffic source.
    Source(Source),
    /// Hour of the week.
    Hour(HourOfWeek),
    /// Furthest playback position, in whole percent of the video's length, rounded down: 0 to 100.
    Position(u8),
    /// Furthest stage.
    Stage(Stage),
}

/// What the catalogue and the log say of a channel; nothing about viewers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatorFacts {
    /// The creator.
    pub id: CreatorId<'static>,
    /// The name shown to people.
    pub handle: Option<Name<'static>>,
    /// The reporting zone.
    pub time_zone: Zone,
    /// The last sealed day; `None` where none is.
    pub sealed_through: Option<Day>,
}

/// What the catalogue and the log say of a video; nothing about viewers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoFacts {
    /// The video.
    pub id: VideoId<'static>,
    /// Whose channel it is on.
    pub creator: CreatorId<'static>,
    /// When it went public.
    pub published_at: Option<Timestamp>,
    /// Length in milliseconds.
    pub duration_ms: Option<u32>,
    /// Hashtags, as given.
    pub hashtags: Vec<Hashtag<'static>>,
    /// The sound it uses.
    pub sound: Option<Name<'static>>,
    /// Its title.
    pub title: Option<String>,
    /// Its language.
    pub language: Option<Name<'static>>,
    /// The day from which windows by age count: that of publication in the channel's zone, as it was when it was sealed.
    pub windows_from: Option<Day>,
    /// Lengths that sealed days keep, each with the last day that it holds for, ascending; later days have `duration_ms`.
    pub past_durations_ms: Vec<(Day, Option<u32>)>,
}

impl VideoFacts {
    /// Whether the length is known for any of these days.
    pub fn has_length_in(&self, days: DayRange) -> bool {
        let lengths = self.past_durations_ms.iter().copied().chain([(Day::MAX, self.duration_ms)]);
        let touching = lengths.skip_while(|(through, _)| *through < days.first());
        for (through, length) in touching {
            if length.is_some() || days.last() <= through {
                return length.is_some();
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_known_where_any_day_has_one() {
        let day = |number: i64| Day::from_number(20_000 + number).expect("day");
        let mut facts = VideoFacts {
            id: VideoId::parse("v").expect("id"),
            creator: CreatorId::parse("c").expect("id"),
            published_at: None,
            duration_ms: None,
            hashtags: vec![],
            sound: None,
            title: None,
            language: None,
            windows_from: None,
            past_durations_ms: vec![(day(3), None), (day(6), Some(1)), (day(9), None)],
        };
        let known = |facts: &VideoFacts| {
            [(1, 3), (3, 4), (4, 6), (6, 9), (7, 9), (8, 20), (1, 20)]
                .map(|(first, last)| facts.has_length_in(DayRange::new(day(first), day(last)).expect("range")))
        };
        assert_eq!(known(&facts), [false, true, true, true, false, false, true]);
        facts.duration_ms = Some(1);
        assert_eq!(known(&facts), [false, true, true, true, false, true, true]);
    }
}
