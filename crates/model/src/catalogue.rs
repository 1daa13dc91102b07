//! Rows of the catalogue: what the platform publishes about creators and videos. Later rows replace earlier ones.

use crate::{CreatorId, Hashtag, Name, Timestamp, VideoId, Zone};

/// The longest title kept, in bytes of UTF-8.
pub const TITLE_BYTES_MAX: usize = 1_000;

/// The most channels that one shares its overlap with at a time: each overlap costs a part of the channel's privacy budget.
pub const OVERLAPS_MAX: usize = 5;

/// A video as its creator published it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoRow {
    /// The video.
    pub video: VideoId<'static>,
    /// Whose channel it is on.
    pub creator: CreatorId<'static>,
    /// When it went public.
    pub published_at: Option<Timestamp>,
    /// Length in milliseconds, at least 1; `None` where unknown.
    pub duration_ms: Option<u32>,
    /// Hashtags, each once, in the order given.
    pub hashtags: Vec<Hashtag<'static>>,
    /// The sound it uses.
    pub sound: Option<Name<'static>>,
    /// Its title, at most [`TITLE_BYTES_MAX`] bytes.
    pub title: Option<String>,
    /// Its language, as the platform writes it (usually BCP 47).
    pub language: Option<Name<'static>>,
}

/// A creator's channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatorRow {
    /// The creator.
    pub creator: CreatorId<'static>,
    /// The name shown to people.
    pub handle: Option<Name<'static>>,
    /// The reporting zone: it says where this creator's days begin.
    pub time_zone: Zone,
    /// Channels that the creator agrees to share its overlap with, each once, at most [`OVERLAPS_MAX`]. Both must agree.
    pub overlap_with: Vec<CreatorId<'static>>,
}
