//! Events on their way to the writer: hashed and looked up in the caller's thread, numbered in the writer's.

use throng_model::{Day, Event, Region};

use crate::row::{CreatorOrd, Row, VideoOrd};
use crate::secret::{Fingerprint, Pseudonym, Secret};
use crate::snapshot::Snapshot;

/// What happens to events of sealed days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AppendMode {
    /// They are late: they count in the first open day.
    #[default]
    Normal,
    /// They count in their own day, which gets a new generation.
    Reopen,
}

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Taken, and counts in its own day.
    Accepted {
        /// Whose channel.
        creator: CreatorOrd,
        /// The day it counts in.
        day: Day,
    },
    /// Taken, but its day is sealed: it counts in the first open day.
    Late {
        /// Whose channel.
        creator: CreatorOrd,
        /// The day it counts in.
        day: Day,
    },
    /// An event of this id was taken before; nothing changed.
    Duplicate,
    /// It names no creator, and its video is unknown; nothing changed.
    UnknownVideo,
    /// It would reopen a day whose rows have expired; nothing changed.
    Expired,
}

/// A creator or video as far as the caller's thread could tell.
pub(crate) enum Named<T> {
    Known(T),
    New(Box<str>),
}

impl<T: Copy> Named<T> {
    fn look_up(id: &str, find: impl FnOnce(&str) -> Option<T>) -> Self {
        find(id).map_or_else(|| Self::New(id.into()), Self::Known)
    }

    pub(crate) fn find(&self, find: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        match self {
            Self::Known(ordinal) => Some(*ordinal),
            Self::New(id) => find(id),
        }
    }

    /// The id of a name that was not known.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Known(_) => "",
            Self::New(id) => id,
        }
    }
}

/// An event without its strings. Creator, video, viewer and day of `row` are still to be filled in.
pub(crate) struct Prepared {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) viewer: Pseudonym,
    pub(crate) creator: Option<Named<CreatorOrd>>,
    pub(crate) video: Option<Named<VideoOrd>>,
    pub(crate) row: Row,
}

impl Prepared {
    pub(crate) fn new(event: &Event<'_>, secret: &Secret, snapshot: &Snapshot) -> Self {
        let catalogue = snapshot.catalogue();
        let traits = &event.traits;
        let mut row = Row::blank(CreatorOrd(0), None);
        row.ts = event.ts;
        row.kind = event.kind.code();
        row.watch_ms = event.watch_ms;
        row.source = event.source.code();
        row.country = traits.country.map_or(0, throng_model::Country::ordinal);
        row.region = traits.region.map_or(0, Region::suffix);
        row.age = traits.age.map_or(0, throng_model::AgeBand::code);
        row.gender = traits.gender.map_or(0, throng_model::Gender::code);
        row.device = traits.device.map_or(0, throng_model::Device::code);
        row.follower = traits.follower.map_or(0, throng_model::Follower::code);
        Self {
            fingerprint: secret.fingerprint(event.event_id.as_str()),
            viewer: secret.pseudonym(event.viewer.as_str()),
            creator: event.creator.as_ref().map(|id| Named::look_up(id.as_str(), |id| catalogue.creator_ord(id))),
            video: event.video.as_ref().map(|id| Named::look_up(id.as_str(), |id| catalogue.video_ord(id))),
            row,
        }
    }
}
