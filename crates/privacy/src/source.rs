//! What the gate asks of an engine: questions in, whole sealed tables out.
//!
//! Facts of the catalogue (names, zones, lengths) are public and come unsealed. Everything that counts events or viewers
//! comes as [`Raw`]. There are no row callbacks, so an engine on other machines can stand behind this trait.

use std::sync::Arc;

use throng_model::{
    ChannelPair, CreatorFacts, CreatorId, Day, DayRange, Entity, Family, Granularity, Hashtag, Tally, Timestamp, Topic,
    TopicKind, VideoFacts, VideoId, VideoOrder,
};

use crate::{Best, Raw, RawAudience, RawRanking, RawTopicDay};

/// Why an engine gave no answer. Carries no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The entity is not known.
    #[error("not known")]
    Unknown,
    /// The store could not be read; the engine has logged why.
    #[error("the store could not be read")]
    Unavailable,
}

/// One step of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesStep {
    /// First instant of the step.
    pub start: Timestamp,
    /// Its days, cut to the range asked for; an hour's is the day that holds it.
    pub days: DayRange,
}

/// How much of one viewer's day counts in a family whose cells overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Contribution {
    /// All of it.
    Whole,
    /// Of a video's hashtags the first [`Self::HASHTAGS_PER_VIDEO_MAX`], in the order of the catalogue's row: for other
    /// hashtags the video counts in no insight. So a video cannot ask about its audience under ever new names.
    ///
    /// At most [`Self::SOURCES_PER_DAY_MAX`] sources and [`Self::HOURS_PER_DAY_MAX`] hours of the week: those of the viewer's
    /// earliest views that count in that day, by time, then by the code of the source or the index of the hour. A window
    /// holds what its days hold. So a day less takes so many cells away from a viewer at most, and adds none.
    Bounded,
}

impl Contribution {
    /// Traffic sources of one viewer's day that count where contributions are bounded.
    pub const SOURCES_PER_DAY_MAX: usize = 2;
    /// Hashtags of a video in whose insights it counts where contributions are bounded.
    pub const HASHTAGS_PER_VIDEO_MAX: usize = 5;
    /// Hours of the week of one viewer's day that count where contributions are bounded.
    pub const HOURS_PER_DAY_MAX: usize = 3;
}

/// How often what was sealed was rewritten: public facts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rewrites {
    /// Days of the entity's channels that were reopened on purpose, with their generation, which is above 0. In order.
    pub reopened: Vec<(CreatorId<'static>, Day, u32)>,
    /// Erasures since the last of the days asked for was over, oldest first: the nonces of those epochs whose day is not
    /// before it. A nonce is drawn when an erasure runs, so that a copy of the store that erases others draws other noise.
    pub epochs: Vec<u64>,
}

/// A rewriting of the whole store that took erased viewers' rows away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    /// 1, 2, 3 …
    pub number: u32,
    /// The day it ran on, in UTC, or the newest sealed day where that is later. Never goes back.
    pub day: Day,
}

/// An engine that answers exactly, into sealed values.
pub trait Source: Send + Sync + 'static {
    /// Sums over a range of days. The audience is every viewer with any event of the entity in the range; where that is
    /// `enough` viewers or more, any part of it that is.
    fn counters(&self, entity: &Entity, range: DayRange, enough: u64) -> Result<Raw<Tally>, SourceError>;

    /// The same per step; every step of the range is there, in order. Together they are the range.
    fn series(
        &self,
        entity: &Entity,
        range: DayRange,
        granularity: Granularity,
        enough: u64,
    ) -> Result<Vec<(SeriesStep, Raw<Tally>)>, SourceError>;

    /// The best of a channel's videos with any event in the range.
    fn videos(&self, creator: &CreatorId<'_>, range: DayRange, best: Best) -> Result<RawRanking, SourceError>;

    /// Views of every topic of a kind, a table for each of these days, which are sealed everywhere. Audiences and parts of
    /// them are as in [`Self::counters`]; topics with fewer than `enough` views on a day may be left out of its table.
    ///
    /// What the catalogue said of a day that is sealed counts, as in insights: a video counts on the channel that it was on
    /// and for the first [`Contribution::HASHTAGS_PER_VIDEO_MAX`] of the hashtags that it carried. Sounds are those of now.
    fn topic_days(&self, kind: TopicKind, days: DayRange, enough: u64) -> Result<Vec<Arc<RawTopicDay>>, SourceError>;

    /// How many channels have a video with each of these topics now: a fact of the catalogue. Each is there once.
    fn creators_with(&self, topics: &[&Topic]) -> Result<Vec<u32>, SourceError>;

    /// Audience tables over one window, one per family asked for, in the same order. The total's audience is the family's
    /// whole population; empty rows may be left out.
    fn audience(
        &self,
        entity: &Entity,
        window: DayRange,
        families: &[Family],
        contribution: Contribution,
    ) -> Result<Vec<RawAudience>, SourceError>;

    /// The last sealed day of an entity, `None` where no day is sealed.
    fn sealed_through(&self, entity: &Entity) -> Result<Option<Day>, SourceError>;

    /// A number that stays the same only while nothing changes but events of open days: while it does, so do all facts of
    /// the catalogue, what is sealed, and every answer over days up to [`Self::settled_through`]. `None`: nothing is
    /// promised, so no answer is to be kept.
    fn settled_generation(&self) -> Option<u64> {
        None
    }

    /// The last day of an entity whose *public counters* no event can change any more; `None` where there is none.
    fn settled_through(&self, _entity: &Entity) -> Option<Day> {
        None
    }

    /// How often what was sealed on these days was rewritten.
    fn rewrites(&self, entity: &Entity, days: DayRange) -> Result<Rewrites, SourceError>;

    /// The first day of which both channels agree to share their overlap; `None` where they do not.
    ///
    /// Invariant: of any sealed day of a channel, at most [`throng_model::OVERLAPS_MAX`] others are ever given a day that is
    /// not after it.
    fn overlap_from(&self, pair: &ChannelPair) -> Option<Day>;

    /// Every erasure that took rows away, oldest first.
    fn epochs(&self) -> Vec<Epoch>;

    /// The first day whose rows are kept; `None` where no rows were ever dropped for their age.
    fn rows_from(&self) -> Option<Day>;

    /// A channel that the catalogue or the log knows.
    fn creator(&self, id: &CreatorId<'_>) -> Option<CreatorFacts>;

    /// A video that the catalogue or the log knows.
    fn video(&self, id: &VideoId<'_>) -> Option<VideoFacts>;

    /// Whether any video carries the hashtag.
    fn hashtag_exists(&self, tag: &Hashtag<'_>) -> bool;

    /// Channels in the order of their ids, after one of them.
    fn creators(&self, after: Option<&CreatorId<'_>>, limit: usize) -> Vec<CreatorFacts>;

    /// A channel's videos in the order of their ids, after one of them.
    fn videos_of(&self, creator: &CreatorId<'_>, after: Option<&VideoId<'_>>, limit: usize) -> Vec<VideoFacts>;

    /// The same by when they went public, after the place that a rank ([`VideoOrder::rank`]) and an id name.
    fn videos_by_age(
        &self,
        creator: &CreatorId<'_>,
        order: VideoOrder,
        after: Option<(i64, &VideoId<'_>)>,
        limit: usize,
    ) -> Vec<VideoFacts> {
        let place = |facts: &VideoFacts| (order.rank(facts.published_at), facts.id.clone());
        let after = after.map(|(rank, id)| (rank, id.clone().into_owned()));
        let mut all = self.videos_of(creator, None, usize::MAX);
        all.retain(|facts| after.as_ref().is_none_or(|after| place(facts) > *after));
        all.sort_by_cached_key(place);
        all.truncate(limit);
        all
    }
}
