//! Events on their way to the writer: hashed and looked up in the caller's thread, numbered in the writer's.

use std::sync::mpsc::{Receiver, TryRecvError};

use throng_model::{Day, Event, Region};

use crate::memo::Memo;
use crate::row::{CreatorOrd, Row, VideoOrd};
use crate::secret::{Fingerprint, Pseudonym};
use crate::store::{Store, WriteError};

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

impl Outcome {
    /// Whether the event is a row now.
    pub(crate) fn is_taken(self) -> bool {
        matches!(self, Self::Accepted { .. } | Self::Late { .. })
    }
}

/// A creator or video as far as the caller's thread could tell.
pub(crate) enum Named<T> {
    Known(T),
    New(Box<str>),
}

impl<T: Copy> Named<T> {
    fn of(id: &str, known: Option<T>) -> Self {
        known.map_or_else(|| Self::New(id.into()), Self::Known)
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

/// Events hashed and looked up, which is most of the caller's part of an append. Holds none of their text.
pub struct PreparedEvents(pub(crate) Vec<Prepared>);

/// The answer to a bulk append, once its rows are on disk.
pub struct Ticket(pub(crate) Receiver<Result<Vec<Outcome>, WriteError>>);

impl Ticket {
    /// The answer, if it is there.
    pub fn poll(&self) -> Option<Result<Vec<Outcome>, WriteError>> {
        match self.0.try_recv() {
            Ok(answer) => Some(answer),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(WriteError::Closed)),
        }
    }
}

/// Names of creators and of videos that [`Preparer`] remembers, at most.
const CREATORS_MAX: usize = 1 << 14;
const VIDEOS_MAX: usize = 1 << 17;

/// Prepares events, for one store. Names repeat, and their ordinals never change, so few are looked up in the catalogue.
pub struct Preparer {
    store: Store,
    creators: Memo,
    videos: Memo,
}

impl Preparer {
    /// For about so many events in all; more only makes it no faster.
    pub(crate) fn new(store: Store, events: usize) -> Self {
        let (creators, videos) = (Memo::new(events.min(CREATORS_MAX)), Memo::new(events.min(VIDEOS_MAX)));
        Self { store, creators, videos }
    }

    /// Hashes and looks up events: the part of an append that any thread can do.
    pub fn prepare(&mut self, events: &[Event<'_>]) -> PreparedEvents {
        let (snapshot, secret) = (self.store.snapshot(), self.store.secret());
        let catalogue = snapshot.catalogue();
        let creator_ord = |id: &str| catalogue.creator_ord(id).map(|creator| creator.0);
        let video_ord = |id: &str| catalogue.video_ord(id).map(|video| video.0);
        // Column by column: look-ups wait for memory, and those of one kind in a row wait together.
        let creator = |event: &Event<'_>| {
            let id = event.creator.as_ref()?.as_str();
            Some(Named::of(id, self.creators.get(id, creator_ord).map(CreatorOrd)))
        };
        let creators: Vec<_> = events.iter().map(creator).collect();
        let video = |event: &Event<'_>| {
            let id = event.video.as_ref()?.as_str();
            Some(Named::of(id, self.videos.get(id, video_ord).map(VideoOrd)))
        };
        let videos: Vec<_> = events.iter().map(video).collect();
        let prepared = events.iter().zip(creators).zip(videos).map(|((event, creator), video)| Prepared {
            fingerprint: secret.fingerprint(event.event_id.as_str()),
            viewer: secret.pseudonym(event.viewer.as_str()),
            creator,
            video,
            row: row_of(event),
        });
        PreparedEvents(prepared.collect())
    }
}

fn row_of(event: &Event<'_>) -> Row {
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
    row
}
