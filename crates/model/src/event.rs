//! One thing that one viewer did, as it comes in.

use crate::{CreatorId, EventId, Kind, Source, Timestamp, Traits, VideoId, ViewerId};

/// The longest watch time of one view, in milliseconds: 2³² − 1, about 49 days.
pub const WATCH_MS_MAX: u64 = u32::MAX as u64;

/// A valid event, borrowing from the input it was read from.
///
/// Invariant: at least one of `creator` and `video` is there; `video` is there when the kind needs one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// Unique for ever.
    pub event_id: EventId<'a>,
    /// When it happened.
    pub ts: Timestamp,
    /// What happened.
    pub kind: Kind,
    /// Who did it. Stored only as a keyed pseudonym.
    pub viewer: ViewerId<'a>,
    /// Whose channel; where absent, the catalogue's creator of `video`.
    pub creator: Option<CreatorId<'a>>,
    /// Which video; absent only for kinds that need none.
    pub video: Option<VideoId<'a>>,
    /// Time watched in milliseconds, 0 for every kind but `view`; may exceed the video's length.
    pub watch_ms: u32,
    /// Where the viewer came from.
    pub source: Source,
    /// What is known of the viewer at that moment.
    pub traits: Traits,
}
