//! The wall: exact aggregates go in sealed, and only what the policy permits comes out.
//!
//! An engine implements [`Source`] and hands over [`Raw`] values, which nobody outside this crate can read. The [`Gate`]
//! opens them, judges whole tables under the [`Policy`], and returns [`Released`] answers, which nobody outside this
//! crate can make. `docs/PRIVACY.md` says what that proves and what it does not.

mod budget;
mod catalogue;
mod cells;
mod count;
mod crowd;
mod curve;
mod exact;
mod gate;
mod insight;
mod judge;
mod key;
mod linked;
mod masks;
mod noise;
mod noisy;
mod overlap;
mod policy;
mod public;
mod question;
mod ranking;
mod raw;
mod released;
mod sampler;
#[cfg(test)]
mod sensitivity_tests;
mod shapes;
mod shared;
mod source;
mod stairs;
mod sums;
mod suppress;
mod tables;
mod topics;
mod two_way;
mod viewers;

pub use budget::{Allocation, Budget};
pub use catalogue::{CatalogueEntry, EntityKind, catalogue};
pub use crowd::{BitGroup, Coded, Codes, Marked, RawAudience, StageBits};
pub use gate::{Gate, GateError, Standing};
pub use key::NoiseKey;
pub use masks::Masks;
pub use policy::{
    AUDIENCE_MIN_DEFAULT, AUDIENCE_MIN_FLOOR, AUDIENCE_MIN_MAX, DELTA, Policy, PolicyError, Protection, RHO_DEFAULT,
    RHO_MAX, RHO_MIN, ROLLING_STEP_DAYS_DEFAULT, ROLLING_STEP_DAYS_MAX,
};
pub use question::{AskedWindow, Comparison, QuestionError, SERIES_STEPS_MAX};
pub use ranking::{Best, RawRanking};
pub use raw::{Raw, RawTable};
pub use released::{Disclosure, Measure, Released};
#[doc(hidden)]
pub use sampler::sample_for_tests;
pub use shapes::{Audience, AudienceRow, AudienceTable, Counters, Curve, CurvePoint, RankedVideo, SeriesPoint};
pub use shared::Overlap;
pub use source::{Contribution, Epoch, Rewrites, SeriesStep, Source, SourceError};
pub use topics::{RawTopicDay, TopicDay};
pub use viewers::Viewers;
