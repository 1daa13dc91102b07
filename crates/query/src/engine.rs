//! The engine behind the gate: each question looks at one snapshot of the store.

use std::sync::Arc;

use throng_model::{
    ChannelPair, CreatorFacts, CreatorId, Day, DayRange, Entity, Family, Granularity, Hashtag, Tally, Topic, TopicKind,
    VideoFacts, VideoId, VideoOrder,
};
use throng_privacy::{
    Best, Contribution, Epoch, Raw, RawAudience, RawRanking, RawTopicDay, Rewrites, SeriesStep, Source, SourceError,
};
use throng_store::{KvError, ReadError, Snapshot, Store, may_wait};

use crate::counters::Counting;
use crate::frames::Frames;
use crate::kept_sums::KeptSums;
use crate::plan::Plan;
use crate::platform::PlatformViewers;
use crate::scope::{Asked, Failure};
use crate::topics::{self, TopicDays};
use crate::{audience, best, counters, facts};

/// Answers the gate's questions exactly, from a store.
///
/// Counters follow the catalogue of now, insights that of the days they are about; see `frozen`. Days are the days that
/// events count in, each in the zone of its channel. Hours, of the day and of the week, are those
/// of the channel's zone; of a hashtag and of the platform, whose channels may be anywhere, they are UTC. Among a viewer's views at the same
/// millisecond the one with the largest codes of country, region, age, gender, device and follower status, compared in
/// this order, is its last, so answers do not depend on how rows lie.
pub struct Engine {
    store: Store,
    plan: Plan,
    frames: Frames,
    kept: KeptSums,
    platform: PlatformViewers,
    topics: TopicDays,
}

impl Engine {
    /// An engine over a store, which may go on taking events in: each question sees what was acknowledged before it.
    pub fn new(store: Store) -> Self {
        Self::with_plan(store, Plan::Auto)
    }

    /// An engine that is forced to one way of answering.
    pub fn with_plan(store: Store, plan: Plan) -> Self {
        Self {
            store,
            plan,
            frames: Frames::new(),
            kept: KeptSums::new(),
            platform: PlatformViewers::new(),
            topics: TopicDays::new(),
        }
    }

    fn counting<'a>(&'a self, snapshot: &'a Snapshot, enough: u64) -> Counting<'a> {
        Counting { kept: &self.kept, snapshot, plan: self.plan, enough }
    }
}

impl Source for Engine {
    fn counters(&self, entity: &Entity, range: DayRange, enough: u64) -> Result<Raw<Tally>, SourceError> {
        let snapshot = self.store.snapshot();
        let asked = Asked::find(&snapshot, entity)?;
        Ok(counters::counters(&self.counting(&snapshot, enough), &asked, range)?)
    }

    fn series(
        &self,
        entity: &Entity,
        range: DayRange,
        granularity: Granularity,
        enough: u64,
    ) -> Result<Vec<(SeriesStep, Raw<Tally>)>, SourceError> {
        let snapshot = self.store.snapshot();
        let asked = Asked::find(&snapshot, entity)?;
        Ok(counters::series(&self.counting(&snapshot, enough), &asked, range, granularity)?)
    }

    fn videos(&self, creator: &CreatorId<'_>, range: DayRange, asked: Best) -> Result<RawRanking, SourceError> {
        let snapshot = self.store.snapshot();
        let creator = snapshot.catalogue().creator_ord(creator.as_str()).ok_or(Failure::Unknown)?;
        if self.plan.keeps_sums()
            && let Some(ranking) = best::best(&self.kept, &snapshot, creator, range, asked).map_err(Failure::from)?
        {
            return Ok(ranking);
        }
        Ok(RawRanking::of(counters::videos(&snapshot, self.plan, creator, range)?, asked))
    }

    fn topic_days(&self, kind: TopicKind, days: DayRange, enough: u64) -> Result<Vec<Arc<RawTopicDay>>, SourceError> {
        Ok(self.topics.of(&self.store.snapshot(), kind, days, enough).map_err(Failure::from)?)
    }

    fn creators_with(&self, topics: &[&Topic]) -> Result<Vec<u32>, SourceError> {
        // Every video of the catalogue is looked at.
        if !may_wait() {
            return Err(Failure::from(ReadError::Kv(KvError::WouldWait)).into());
        }
        Ok(topics::creators_with(self.store.snapshot().catalogue(), topics))
    }

    fn audience(
        &self,
        entity: &Entity,
        window: DayRange,
        families: &[Family],
        contribution: Contribution,
    ) -> Result<Vec<RawAudience>, SourceError> {
        let snapshot = self.store.snapshot();
        let keepers = (&self.frames, &self.platform);
        Ok(audience::tables(&snapshot, self.plan, entity, window, families, contribution, keepers)?)
    }

    fn sealed_through(&self, entity: &Entity) -> Result<Option<Day>, SourceError> {
        Ok(facts::sealed_through(&self.store.snapshot(), entity)?)
    }

    fn settled_generation(&self) -> Option<u64> {
        Some(self.store.settled_generation())
    }

    fn settled_through(&self, entity: &Entity) -> Option<Day> {
        facts::settled_through(&self.store.snapshot(), entity)
    }

    fn rewrites(&self, entity: &Entity, days: DayRange) -> Result<Rewrites, SourceError> {
        Ok(facts::rewrites(&self.store.snapshot(), entity, days)?)
    }

    fn overlap_from(&self, pair: &ChannelPair) -> Option<Day> {
        facts::overlap_from(&self.store.snapshot(), pair)
    }

    fn epochs(&self) -> Vec<Epoch> {
        let epochs = self.store.snapshot().epochs().to_vec();
        epochs.into_iter().map(|epoch| Epoch { number: epoch.number, day: epoch.day }).collect()
    }

    fn rows_from(&self) -> Option<Day> {
        self.store.snapshot().rows_from()
    }

    fn creator(&self, id: &CreatorId<'_>) -> Option<CreatorFacts> {
        let snapshot = self.store.snapshot();
        facts::creator(&snapshot, snapshot.catalogue().creator_ord(id.as_str())?)
    }

    fn video(&self, id: &VideoId<'_>) -> Option<VideoFacts> {
        let snapshot = self.store.snapshot();
        facts::video(&snapshot, snapshot.catalogue().video_ord(id.as_str())?)
    }

    fn hashtag_exists(&self, tag: &Hashtag<'_>) -> bool {
        let snapshot = self.store.snapshot();
        snapshot.catalogue().hashtag_videos_ever(tag.as_str()).is_some()
    }

    fn creators(&self, after: Option<&CreatorId<'_>>, limit: usize) -> Vec<CreatorFacts> {
        let snapshot = self.store.snapshot();
        let found = snapshot.catalogue().creators_after(after.map(CreatorId::as_str), limit);
        found.into_iter().filter_map(|creator| facts::creator(&snapshot, creator)).collect()
    }

    fn videos_of(&self, creator: &CreatorId<'_>, after: Option<&VideoId<'_>>, limit: usize) -> Vec<VideoFacts> {
        let snapshot = self.store.snapshot();
        let catalogue = snapshot.catalogue();
        let Some(creator) = catalogue.creator_ord(creator.as_str()) else { return Vec::new() };
        let found = catalogue.videos_after(creator, after.map(VideoId::as_str), limit);
        found.into_iter().filter_map(|video| facts::video(&snapshot, video)).collect()
    }

    fn videos_by_age(
        &self,
        creator: &CreatorId<'_>,
        order: VideoOrder,
        after: Option<(i64, &VideoId<'_>)>,
        limit: usize,
    ) -> Vec<VideoFacts> {
        let snapshot = self.store.snapshot();
        let catalogue = snapshot.catalogue();
        let Some(creator) = catalogue.creator_ord(creator.as_str()) else { return Vec::new() };
        let after = after.map(|(rank, id)| (rank, id.as_str()));
        let found = catalogue.videos_by_age(creator, order, after, limit);
        found.into_iter().filter_map(|video| facts::video(&snapshot, video)).collect()
    }
}
