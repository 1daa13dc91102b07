//! An entity as insights see it: by what the catalogue said of the day that a row counts in.
//!
//! An insight over sealed days must not move when somebody edits the catalogue: its noise stays, so the difference of two
//! answers would be exact. Hence a view is judged by the length that its video had on its day, an hour by the zone of that
//! day, and a video is what it was on that day: on that channel, with those hashtags. Rows of a video that came in for
//! another channel count on that channel, but neither for the video nor for its hashtags, and have no length: nothing says
//! when *their* channel is sealed.

use throng_model::{Day, DayRange, Entity, Zone};
use throng_privacy::Contribution;
use throng_store::{Catalogue, CreatorOrd, ReadError, Row, Snapshot, VideoEntry, VideoOrd, VideoPeriod};

use crate::scope::{Asked, Failure, Part, Scope};

/// An entity over a window.
pub(crate) struct Frozen {
    window: DayRange,
    rows: Rows,
    clock_is_utc: bool,
}

/// Which rows are the entity's.
enum Rows {
    Channel(CreatorOrd),
    Stays(Vec<Stay>),
}

/// Days of the window that a video spent on a channel, as part of the entity.
#[derive(Clone, Copy)]
struct Stay {
    video: VideoOrd,
    creator: CreatorOrd,
    days: DayRange,
}

impl Frozen {
    /// A channel.
    pub(crate) fn channel_of(creator: CreatorOrd, window: DayRange) -> Self {
        Self { window, rows: Rows::Channel(creator), clock_is_utc: false }
    }

    /// Looks a channel, video or hashtag up. Where contributions are bounded, a video is only in the first of its hashtags.
    pub(crate) fn find(
        snapshot: &Snapshot,
        entity: &Entity,
        window: DayRange,
        contribution: Contribution,
    ) -> Result<Self, Failure> {
        let catalogue = snapshot.catalogue();
        let found = match entity {
            Entity::Creator(id) => catalogue.creator_ord(id.as_str()).map(Rows::Channel),
            Entity::Video(id) => {
                let video = catalogue.video_ord(id.as_str());
                video.map(|video| Rows::Stays(stays(catalogue, video, window, |_| true).collect()))
            }
            Entity::Hashtag(tag) => catalogue.hashtag_videos_ever(tag.as_str()).map(|videos| {
                let tags_max = match contribution {
                    Contribution::Whole => usize::MAX,
                    Contribution::Bounded => Contribution::HASHTAGS_PER_VIDEO_MAX,
                };
                let carries = |period: &VideoPeriod<'_>| period.hashtags.iter().take(tags_max).any(|each| each == tag);
                let of_video = |video| stays(catalogue, VideoOrd(video), window, carries);
                Rows::Stays(videos.iter().flat_map(of_video).collect())
            }),
            // Their insights go by channel: `platform`, `overlap`.
            Entity::Platform | Entity::Overlap(_) => None,
        };
        let rows = found.ok_or(Failure::Unknown)?;
        Ok(Self { window, rows, clock_is_utc: matches!(entity, Entity::Hashtag(_)) })
    }

    /// The window.
    pub(crate) fn window(&self) -> DayRange {
        self.window
    }

    /// The channel, where the entity is one.
    pub(crate) fn channel(&self) -> Option<CreatorOrd> {
        match self.rows {
            Rows::Channel(creator) => Some(creator),
            Rows::Stays(_) => None,
        }
    }

    /// The entity's parts in segments, each with the days of the window that it is the entity's on.
    pub(crate) fn parts<'s>(&self, snapshot: &'s Snapshot) -> Result<Vec<(Part<'s>, DayRange)>, ReadError> {
        let stays = match &self.rows {
            Rows::Channel(creator) => {
                let asked = Asked { scope: Scope::Channel(*creator), zone: Zone::UTC };
                let parts = asked.parts(snapshot, self.window)?;
                return Ok(parts.into_iter().map(|part| (part, self.window)).collect());
            }
            Rows::Stays(stays) => stays,
        };
        let mut parts = Vec::new();
        for segment in snapshot.segments().iter().filter(|segment| segment.touches(self.window)) {
            for stay in stays {
                for (creator, span) in segment.video_spans(stay.video)? {
                    if creator == stay.creator {
                        parts.push((Part::of_video(segment, span), stay.days));
                    }
                }
            }
        }
        Ok(parts)
    }

    /// The entity's rows in the window that are in no segment yet.
    pub(crate) fn tail<'s>(&self, snapshot: &'s Snapshot) -> Vec<&'s Row> {
        let tail = snapshot.tail();
        let is_stay = |stay: &Stay, row: &Row| row.creator == stay.creator && stay.days.contains(row.day);
        match &self.rows {
            Rows::Channel(creator) => tail.creator_rows(*creator).filter(|row| self.window.contains(row.day)).collect(),
            Rows::Stays(stays) => {
                let of_stay = |stay: &'_ Stay| {
                    let stay = *stay;
                    tail.video_rows(stay.video).filter(move |row| is_stay(&stay, row))
                };
                stays.iter().flat_map(of_stay).collect()
            }
        }
    }

    /// The zones that hours of the week are read in, each with the last day that it holds for.
    pub(crate) fn zones(&self, catalogue: &Catalogue) -> Vec<(Day, Zone)> {
        match &self.rows {
            _ if self.clock_is_utc => vec![(Day::MAX, Zone::UTC)],
            Rows::Channel(creator) => zones(catalogue, *creator, self.window),
            Rows::Stays(stays) => stays.iter().flat_map(|stay| zones(catalogue, stay.creator, stay.days)).collect(),
        }
    }

    /// The channels that the entity's rows are on, with the days.
    pub(crate) fn channels(&self) -> Vec<(CreatorOrd, DayRange)> {
        match &self.rows {
            Rows::Channel(creator) => vec![(*creator, self.window)],
            Rows::Stays(stays) => stays.iter().map(|stay| (stay.creator, stay.days)).collect(),
        }
    }
}

/// A video's stays in the window, of its wanted periods.
fn stays<'s>(
    catalogue: &'s Catalogue,
    video: VideoOrd,
    window: DayRange,
    wanted: impl Fn(&VideoPeriod<'_>) -> bool + 's,
) -> impl Iterator<Item = Stay> + 's {
    let periods = catalogue.video(video).into_iter().flat_map(VideoEntry::periods);
    periods.filter(wanted).filter_map(move |period| {
        let days = DayRange::new(period.first.max(window.first()), period.last.min(window.last())).ok()?;
        Some(Stay { video, creator: period.creator, days })
    })
}

/// The zones of a channel's days, each with the last day that it holds for.
pub(crate) fn zones(catalogue: &Catalogue, creator: CreatorOrd, days: DayRange) -> Vec<(Day, Zone)> {
    let all = catalogue.creator(creator).into_iter().flat_map(|entry| entry.zones());
    let touching = all.filter(|(last, _)| days.first() <= *last);
    let mut zones = Vec::new();
    for (last, zone) in touching {
        zones.push((last.min(days.last()), zone.clone()));
        if days.last() <= last {
            break;
        }
    }
    zones
}

/// How long a video was when a row of it counted.
pub(crate) enum Length<'s> {
    /// On every day.
    Always(Option<u32>),
    /// It depends on the day.
    ByDay(&'s VideoEntry, Option<CreatorOrd>),
}

impl<'s> Length<'s> {
    /// Of a video's rows on a channel; without a channel, of rows that lie where the video was.
    pub(crate) fn of(catalogue: &'s Catalogue, video: Option<VideoOrd>, channel: Option<CreatorOrd>) -> Self {
        match video.and_then(|video| catalogue.video(video)) {
            None => Self::Always(None),
            Some(entry) if entry.is_unchanged() => {
                Self::Always(entry.duration_ms.filter(|_| channel.is_none_or(|channel| channel == entry.creator)))
            }
            Some(entry) => Self::ByDay(entry, channel),
        }
    }

    /// On a day, in ms; `None` where unknown.
    #[inline]
    pub(crate) fn on(&self, day: u32) -> Option<u32> {
        match self {
            Self::Always(duration_ms) => *duration_ms,
            Self::ByDay(entry, channel) => {
                let period = entry.on(Day::from_number(day.into()).ok()?)?;
                period.duration_ms.filter(|_| channel.is_none_or(|channel| channel == period.creator))
            }
        }
    }
}
