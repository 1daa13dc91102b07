//! The gate: the only way from sealed aggregates to answers, and the only opener of [`crate::Raw`].
//!
//! This file holds the gate itself and the facts that pass it unjudged, because they are public; `public` answers for
//! counters, `insight` for audiences.

use std::sync::Arc;

use throng_model::{
    CreatorFacts, CreatorId, Day, DayRange, Entity, Hashtag, PeriodError, Timestamp, VideoFacts, VideoId, VideoOrder,
    Window, WindowKind, Zone,
};

use crate::judge::Judge;
use crate::question::{self, WindowFacts};
use crate::{AskedWindow, Budget, Epoch, NoiseKey, Policy, QuestionError, Released, Source, SourceError};

/// Why the gate gave no answer. Carries no data: only the question and public facts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// The entity is not known.
    #[error("not known")]
    Unknown,
    /// The question is not in the catalogue.
    #[error(transparent)]
    BadQuestion(#[from] QuestionError),
    /// The engine could not answer; it has logged why.
    #[error("the answer is not available now")]
    Unavailable,
}

impl From<SourceError> for GateError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Unknown => Self::Unknown,
            SourceError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<PeriodError> for GateError {
    fn from(error: PeriodError) -> Self {
        Self::BadQuestion(error.into())
    }
}

/// What settled answers stand on: a state of the store and of the calendar.
///
/// Invariant: while two of one gate are equal, a settled answer ([`Released::is_settled`]) and every fact of the catalogue
/// are the same. Open days may have got more events between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    settled_generation: u64,
    /// Days begin at whole quarter hours in every zone of the years that clocks show.
    quarter_hour: i64,
}

const QUARTER_HOUR_MS: i64 = 15 * 60 * 1_000;

/// Judges every answer of an engine under one policy.
pub struct Gate {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) judge: Judge,
    pub(crate) noise_key: NoiseKey,
    pub(crate) budget: Budget,
    policy: Policy,
    policy_version: String,
    clock: fn() -> Timestamp,
}

impl Gate {
    /// A gate before this engine. The key is drawn on only where the policy asks for noise.
    pub fn new(source: Arc<dyn Source>, policy: Policy, noise_key: NoiseKey) -> Self {
        Self::with_clock(source, policy, noise_key, Timestamp::now)
    }

    /// The same with another wall clock, which says only which days have ended where none is sealed.
    pub fn with_clock(source: Arc<dyn Source>, policy: Policy, noise_key: NoiseKey, clock: fn() -> Timestamp) -> Self {
        let (judge, budget, policy_version) = (Judge::new(&policy), Budget::of(&policy), policy.version());
        Self { source, judge, noise_key, budget, policy, policy_version, clock }
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// [`Policy::version`] of the policy in force.
    pub fn policy_version(&self) -> &str {
        &self.policy_version
    }

    /// How the policy's ρ is spread over the catalogue.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// What settled answers stand on now; `None` where the engine promises nothing. An answer belongs to a standing if it
    /// held before the first question and after the last one.
    pub fn standing(&self) -> Option<Standing> {
        let settled_generation = self.source.settled_generation()?;
        let quarter_hour = (self.clock)().millis().div_euclid(QUARTER_HOUR_MS);
        Some(Standing { settled_generation, quarter_hour })
    }

    /// Every erasure that took rows away, oldest first.
    pub fn epochs(&self) -> Vec<Epoch> {
        self.source.epochs()
    }

    /// The first day whose rows are kept; `None` where none were dropped for their age.
    pub fn rows_from(&self) -> Option<Day> {
        self.source.rows_from()
    }

    /// A channel that the catalogue or the log knows.
    pub fn creator(&self, id: &CreatorId<'_>) -> Option<CreatorFacts> {
        self.source.creator(id)
    }

    /// A video that the catalogue or the log knows.
    pub fn video(&self, id: &VideoId<'_>) -> Option<VideoFacts> {
        self.source.video(id)
    }

    /// Whether any video carries the hashtag.
    pub fn hashtag_exists(&self, tag: &Hashtag<'_>) -> bool {
        self.source.hashtag_exists(tag)
    }

    /// Channels in the order of their ids, after one of them.
    pub fn creators(&self, after: Option<&CreatorId<'_>>, limit: usize) -> Vec<CreatorFacts> {
        self.source.creators(after, limit)
    }

    /// A channel's videos in the order of their ids, after one of them.
    pub fn videos_of(&self, creator: &CreatorId<'_>, after: Option<&VideoId<'_>>, limit: usize) -> Vec<VideoFacts> {
        self.source.videos_of(creator, after, limit)
    }

    /// The same by when they went public, after the place that a rank ([`VideoOrder::rank`]) and an id name.
    pub fn videos_by_age(
        &self,
        creator: &CreatorId<'_>,
        order: VideoOrder,
        after: Option<(i64, &VideoId<'_>)>,
        limit: usize,
    ) -> Vec<VideoFacts> {
        self.source.videos_by_age(creator, order, after, limit)
    }

    /// The zone of an entity's days: the channel's, for a video its channel's, for two channels the one that both have; for
    /// a hashtag, the platform, and channels of several zones UTC.
    pub fn zone(&self, entity: &Entity) -> Result<Zone, GateError> {
        let of_creator = |id| self.source.creator(id).map(|facts| facts.time_zone).ok_or(GateError::Unknown);
        match entity {
            Entity::Creator(id) => of_creator(id),
            Entity::Video(id) => of_creator(&self.source.video(id).ok_or(GateError::Unknown)?.creator),
            Entity::Hashtag(tag) if self.source.hashtag_exists(tag) => Ok(Zone::UTC),
            Entity::Hashtag(_) => Err(GateError::Unknown),
            Entity::Platform => Ok(Zone::UTC),
            Entity::Overlap(pair) => {
                let [one, other] = pair.channels();
                let (one, other) = (of_creator(one)?, of_creator(other)?);
                Ok(if one == other { one } else { Zone::UTC })
            }
        }
    }

    /// The last sealed day of an entity; `None` where no day is sealed.
    pub fn sealed_through(&self, entity: &Entity) -> Result<Option<Day>, GateError> {
        Ok(self.source.sealed_through(entity)?)
    }

    /// So many days that end with the entity's last sealed day, or with yesterday in its zone where none is sealed.
    pub fn last_days(&self, entity: &Entity, days: u32) -> Result<DayRange, GateError> {
        let last = match self.sealed_through(entity)? {
            Some(day) => day,
            None => self.yesterday(entity)?,
        };
        if days == 0 {
            return Err(PeriodError::Reversed.into());
        }
        Ok(DayRange::new(last.saturating_add(1 - i64::from(days)), last)?)
    }

    /// The window that a kind and a date name; without a date the newest whose days are all sealed.
    pub fn window(&self, entity: &Entity, kind: WindowKind, date: Option<Day>) -> Result<AskedWindow, GateError> {
        let published = match entity {
            Entity::Video(id) if kind.age_days().is_some() => {
                Some(self.source.video(id).ok_or(GateError::Unknown)?.windows_from)
            }
            _ => None,
        };
        let sealed_through = self.sealed_through(entity)?;
        let facts = WindowFacts {
            sealed_through,
            newest: sealed_through.map_or_else(|| self.yesterday(entity), Ok)?,
            published,
            step_days: self.policy.rolling_step_days(),
        };
        Ok(question::window(kind, date, &facts)?)
    }

    /// Every window of a kind that ends within a range of days, by its last day, in order.
    pub fn windows(&self, kind: WindowKind, range: DayRange) -> Result<Vec<Day>, GateError> {
        let windows = Window::ending_in(kind, range, self.policy.rolling_step_days()).map_err(QuestionError::from)?;
        Ok(windows.map(|window| window.days.last()).collect())
    }

    /// The wall clock.
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(crate) fn release<T>(&self, value: T) -> Released<T> {
        Released::new(value, self.policy_version.clone())
    }

    /// Whether no event can change public counters over these days any more.
    pub(crate) fn is_settled(&self, entity: &Entity, days: DayRange) -> bool {
        self.source.settled_through(entity).is_some_and(|through| days.last() <= through)
    }

    /// The day that is under way in the entity's zone.
    pub fn today(&self, entity: &Entity) -> Result<Day, GateError> {
        Ok(self.zone(entity)?.day_of((self.clock)()))
    }

    /// The last day that has ended in the entity's zone.
    pub(crate) fn yesterday(&self, entity: &Entity) -> Result<Day, GateError> {
        self.today(entity).map(Day::previous)
    }
}
