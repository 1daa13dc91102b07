//! What the gate asks of an engine: questions in, whole sealed tables out.
//!
//! Facts of the catalogue (names, zones, lengths) are public and come unsealed. Everything that counts events or viewers
//! comes as [`Raw`]. There are no row callbacks, so an engine on other machines can stand behind this trait.

use throng_model::{
    Cell, CreatorFacts, CreatorId, Day, DayRange, Entity, Family, Granularity, Hashtag, Tally, Timestamp, VideoFacts,
    VideoId,
};

use crate::{Raw, RawTable};

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

/// An engine that answers exactly, into sealed values.
pub trait Source: Send + Sync + 'static {
    /// Sums over a range of days. The audience is every viewer with any event of the entity in the range.
    fn counters(&self, entity: &Entity, range: DayRange) -> Result<Raw<Tally>, SourceError>;

    /// The same per step; every step of the range is there, in order. The total covers the range.
    fn series(
        &self,
        entity: &Entity,
        range: DayRange,
        granularity: Granularity,
    ) -> Result<RawTable<SeriesStep, Tally>, SourceError>;

    /// The same per video of a channel that has any event in the range. The total covers all events *with a video*.
    fn videos(
        &self,
        creator: &CreatorId<'_>,
        range: DayRange,
    ) -> Result<RawTable<VideoId<'static>, Tally>, SourceError>;

    /// Audience tables over one window, one per family asked for, in the same order. The total's audience is the family's
    /// whole population; empty rows may be left out.
    fn audience(
        &self,
        entity: &Entity,
        window: DayRange,
        families: &[Family],
    ) -> Result<Vec<RawTable<Cell, ()>>, SourceError>;

    /// The last sealed day of an entity, `None` where no day is sealed.
    fn sealed_through(&self, entity: &Entity) -> Result<Option<Day>, SourceError>;

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
}
