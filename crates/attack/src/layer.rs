//! A layer between engine and gate that hands on other questions or other answers: how gates are weakened for controls
//! without opening the wall, and how an engine's answers are kept while only the noise key changes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use throng_model::{
    ChannelPair, CreatorFacts, CreatorId, Day, DayRange, Entity, Family, Granularity, Hashtag, Tally, Topic, TopicKind,
    VideoFacts, VideoId, VideoOrder,
};
use throng_privacy::{
    Best, Contribution, Epoch, Raw, RawAudience, RawRanking, RawTable, RawTopicDay, Rewrites, SeriesStep, Source,
    SourceError,
};

use crate::truth::Table;

/// Tables by what was asked.
pub(crate) type Kept = HashMap<(Entity, DayRange, Contribution), BTreeMap<Family, Table>>;

/// An engine and what is changed about it.
pub(crate) struct Layer {
    inner: Arc<dyn Source>,
    /// Answers that are given without asking the engine.
    pub(crate) kept: Kept,
    /// Erasures that are told of, instead of those that were. Either way they have their places for nonces, so that the
    /// same run can be made again.
    pub(crate) epochs: Option<u32>,
    /// How much counts, whatever the gate asks for.
    pub(crate) contribution: Option<Contribution>,
    /// Days that are added to both ends of every window.
    pub(crate) wider_days: i64,
}

impl Layer {
    /// A layer that changes nothing yet.
    pub(crate) fn over(inner: Arc<dyn Source>) -> Self {
        Self { inner, kept: Kept::new(), epochs: None, contribution: None, wider_days: 0 }
    }
}

fn seal(table: &Table) -> RawAudience {
    let rows = table.cells.iter().map(|(&cell, viewers)| (cell, Raw::seal((), viewers.clone())));
    RawTable::seal(Raw::seal((), table.total.clone()), rows.collect()).into()
}

impl Source for Layer {
    fn audience(
        &self,
        entity: &Entity,
        window: DayRange,
        families: &[Family],
        contribution: Contribution,
    ) -> Result<Vec<RawAudience>, SourceError> {
        let contribution = self.contribution.unwrap_or(contribution);
        let (first, last) = (window.first(), window.last());
        let wider = DayRange::new(first.saturating_add(-self.wider_days), last.saturating_add(self.wider_days));
        let window = wider.unwrap_or(window);
        if let Some(kept) = self.kept.get(&(entity.clone(), window, contribution)) {
            let tables: Option<Vec<_>> = families.iter().map(|family| kept.get(family).map(seal)).collect();
            if let Some(tables) = tables {
                return Ok(tables);
            }
        }
        self.inner.audience(entity, window, families, contribution)
    }

    fn rewrites(&self, entity: &Entity, days: DayRange) -> Result<Rewrites, SourceError> {
        let rewrites = self.inner.rewrites(entity, days)?;
        let epochs = self.epochs.map_or(rewrites.epochs.len() as u64, u64::from);
        Ok(Rewrites { epochs: (0..epochs).collect(), ..rewrites })
    }

    fn overlap_from(&self, pair: &ChannelPair) -> Option<Day> {
        self.inner.overlap_from(pair)
    }

    fn epochs(&self) -> Vec<Epoch> {
        self.inner.epochs()
    }

    fn rows_from(&self) -> Option<Day> {
        self.inner.rows_from()
    }

    fn counters(&self, entity: &Entity, range: DayRange, enough: u64) -> Result<Raw<Tally>, SourceError> {
        self.inner.counters(entity, range, enough)
    }

    fn series(
        &self,
        entity: &Entity,
        range: DayRange,
        granularity: Granularity,
        enough: u64,
    ) -> Result<Vec<(SeriesStep, Raw<Tally>)>, SourceError> {
        self.inner.series(entity, range, granularity, enough)
    }

    fn videos(&self, creator: &CreatorId<'_>, range: DayRange, best: Best) -> Result<RawRanking, SourceError> {
        self.inner.videos(creator, range, best)
    }

    fn topic_days(&self, kind: TopicKind, days: DayRange, enough: u64) -> Result<Vec<Arc<RawTopicDay>>, SourceError> {
        self.inner.topic_days(kind, days, enough)
    }

    fn creators_with(&self, topics: &[&Topic]) -> Result<Vec<u32>, SourceError> {
        self.inner.creators_with(topics)
    }

    fn sealed_through(&self, entity: &Entity) -> Result<Option<Day>, SourceError> {
        self.inner.sealed_through(entity)
    }

    fn creator(&self, id: &CreatorId<'_>) -> Option<CreatorFacts> {
        self.inner.creator(id)
    }

    fn video(&self, id: &VideoId<'_>) -> Option<VideoFacts> {
        self.inner.video(id)
    }

    fn hashtag_exists(&self, tag: &Hashtag<'_>) -> bool {
        self.inner.hashtag_exists(tag)
    }

    fn creators(&self, after: Option<&CreatorId<'_>>, limit: usize) -> Vec<CreatorFacts> {
        self.inner.creators(after, limit)
    }

    fn videos_of(&self, creator: &CreatorId<'_>, after: Option<&VideoId<'_>>, limit: usize) -> Vec<VideoFacts> {
        self.inner.videos_of(creator, after, limit)
    }

    fn videos_by_age(
        &self,
        creator: &CreatorId<'_>,
        order: VideoOrder,
        after: Option<(i64, &VideoId<'_>)>,
        limit: usize,
    ) -> Vec<VideoFacts> {
        self.inner.videos_by_age(creator, order, after, limit)
    }
}
