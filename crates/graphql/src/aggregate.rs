//! The directive that marks every field which returns numbers about events or viewers.

use async_graphql::{Enum, TypeDirective};
use throng_privacy::AUDIENCE_MIN_FLOOR;

/// What a number is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum AggregateClass {
    /// A public counter: what anyone sees under a video. Counts events, open days included.
    Public,
    /// An audience insight: anything about who watches. Counts distinct viewers, sealed days only.
    Insight,
}

pub(crate) const PUBLIC: AggregateClass = AggregateClass::Public;
pub(crate) const INSIGHT: AggregateClass = AggregateClass::Insight;

/// The least audience that any policy can permit: compiled in, so a part of the schema.
pub(crate) const MIN: i32 = AUDIENCE_MIN_FLOOR as i32;

/// This field returns numbers that were judged under the privacy policy. No configuration discloses one with fewer than
/// `minAudience` distinct viewers behind it; the floor in force, which may be higher, is `Query.privacy.audienceMin`.
#[TypeDirective(location = "FieldDefinition")]
pub(crate) fn aggregate(class: AggregateClass, min_audience: i32) {}
