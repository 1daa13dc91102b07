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

/// A valid event whose names are places in lists of [`Words`], for input that says each name once and means it often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodedEvent<'a> {
    /// As in [`Event`]; a valid [`EventId`].
    pub event_id: &'a str,
    /// As in [`Event`].
    pub ts: Timestamp,
    /// As in [`Event`].
    pub kind: Kind,
    /// The place of its viewer.
    pub viewer: u32,
    /// The place of its channel.
    pub creator: Option<u32>,
    /// The place of its video.
    pub video: Option<u32>,
    /// As in [`Event`].
    pub watch_ms: u32,
    /// As in [`Event`].
    pub source: Source,
    /// As in [`Event`].
    pub traits: Traits,
}

/// Names of one kind, all of them valid: those of a dictionary that many batches of events share, then those of one batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Words<'a> {
    /// Tells the dictionary from all others of this process.
    pub dictionary_number: u64,
    /// What many batches share.
    pub dictionary: Texts<'a>,
    /// What follows it.
    pub own: Texts<'a>,
}

/// What the places of [`CodedEvent`]s stand for.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventNames<'a> {
    /// Valid [`ViewerId`]s.
    pub viewers: Words<'a>,
    /// Valid [`CreatorId`]s.
    pub creators: Words<'a>,
    /// Valid [`VideoId`]s.
    pub videos: Words<'a>,
}

/// Texts that lie one after the other.
#[derive(Debug, Clone, Copy, Default)]
pub struct Texts<'a> {
    /// All of them as one.
    pub all: &'a str,
    /// Where each ends, in bytes.
    pub ends: &'a [usize],
}

impl<'a> Words<'a> {
    /// The name at a place.
    pub fn get(&self, place: u32) -> Option<&'a str> {
        let place = place as usize;
        match place.checked_sub(self.dictionary.ends.len()) {
            None => self.dictionary.get(place),
            Some(own) => self.own.get(own),
        }
    }
}

impl<'a> Texts<'a> {
    /// The text at a place.
    pub fn get(&self, place: usize) -> Option<&'a str> {
        let end = *self.ends.get(place)?;
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.all.get(start..end)
    }
}
