//! Events on their way to the writer: hashed and looked up in the caller's thread, numbered in the writer's.

use std::sync::mpsc::{Receiver, TryRecvError};

use throng_model::{CodedEvent, Day, Event, EventNames, Kind, Region, Source, Timestamp, Traits, Words};

use crate::catalogue::Catalogue;
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
#[derive(Debug, Clone, Copy)]
pub(crate) enum Named<T> {
    Known(T),
    /// Its place among [`PreparedEvents::names`].
    New(u32),
}

impl<T: Copy> Named<T> {
    fn of<'a>(known: Option<T>, id: impl FnOnce() -> &'a str, names: &mut Vec<Box<str>>) -> Self {
        let new = || {
            names.push(id().into());
            Self::New((names.len() - 1) as u32)
        };
        known.map_or_else(new, Self::Known)
    }

    pub(crate) fn find(self, names: &[Box<str>], find: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        match self {
            Self::Known(ordinal) => Some(ordinal),
            Self::New(_) => find(self.id(names)),
        }
    }

    /// The id of a name that was not known.
    pub(crate) fn id(self, names: &[Box<str>]) -> &str {
        match self {
            Self::Known(_) => "",
            Self::New(place) => names.get(place as usize).map_or("", |name| name),
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

/// Events hashed and looked up, which is most of the caller's part of an append. Holds none of their text but names that are new.
#[derive(Default)]
pub struct PreparedEvents {
    pub(crate) events: Vec<Prepared>,
    /// Of creators and videos that were not known.
    pub(crate) names: Vec<Box<str>>,
}

/// On whose channel an event is, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'a> {
    /// A channel that the store knew when the event was prepared, or whose video it knows now.
    Known(CreatorOrd),
    /// One that it did not know then.
    Named(&'a str),
    /// The event names a video alone, which the store does not know.
    OfVideo(&'a str),
}

impl PreparedEvents {
    /// Each event's channel, as this catalogue says of videos, and its time.
    pub fn owners<'a>(&'a self, catalogue: &'a Catalogue) -> impl Iterator<Item = (Owner<'a>, Timestamp)> {
        self.events.iter().map(|event| {
            let of_video = |video: Named<VideoOrd>| {
                let known = video.find(&self.names, |id| catalogue.video_ord(id)).and_then(|it| catalogue.video(it));
                known.map_or(Owner::OfVideo(video.id(&self.names)), |entry| Owner::Known(entry.creator))
            };
            let owner = match (event.creator, event.video) {
                (Some(Named::Known(creator)), _) => Owner::Known(creator),
                (Some(named), _) => Owner::Named(named.id(&self.names)),
                (None, video) => video.map_or(Owner::OfVideo(""), of_video),
            };
            (owner, event.row.ts)
        })
    }
}

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
const VIDEOS_MAX: usize = 1 << 19;

/// Prepares events, for one store. Names repeat, and their ordinals never change, so few are looked up in the catalogue.
pub struct Preparer {
    store: Store,
    creators: Memo,
    videos: Memo,
    creator_words: Answers<u32>,
    video_words: Answers<u32>,
    viewer_words: Answers<Pseudonym>,
}

impl Preparer {
    /// For about so many events in all; more only makes it no faster.
    pub(crate) fn new(store: Store, events: usize) -> Self {
        let (creators, videos) = (Memo::new(events.min(CREATORS_MAX)), Memo::new(events.min(VIDEOS_MAX)));
        let (creator_words, video_words, viewer_words) = (Answers::default(), Answers::default(), Answers::default());
        Self { store, creators, videos, creator_words, video_words, viewer_words }
    }

    /// Hashes and looks up events: the part of an append that any thread can do.
    pub fn prepare(&mut self, events: &[Event<'_>]) -> PreparedEvents {
        let (snapshot, secret) = (self.store.snapshot(), self.store.secret());
        let catalogue = snapshot.catalogue();
        let creator_ord = |id: &str| catalogue.creator_ord(id).map(|creator| creator.0);
        let video_ord = |id: &str| catalogue.video_ord(id).map(|video| video.0);
        let mut names = Vec::new();
        // Column by column: look-ups wait for memory, and those of one kind in a row wait together.
        let creator = |event: &Event<'_>| {
            let id = event.creator.as_ref()?.as_str();
            Some(Named::of(self.creators.get(id, creator_ord).map(CreatorOrd), || id, &mut names))
        };
        let creators: Vec<_> = events.iter().map(creator).collect();
        let video = |event: &Event<'_>| {
            let id = event.video.as_ref()?.as_str();
            Some(Named::of(self.videos.get(id, video_ord).map(VideoOrd), || id, &mut names))
        };
        let videos: Vec<_> = events.iter().map(video).collect();
        let prepared = events.iter().zip(creators).zip(videos).map(|((event, creator), video)| Prepared {
            fingerprint: secret.fingerprint(event.event_id.as_str()),
            viewer: secret.pseudonym(event.viewer.as_str()),
            creator,
            video,
            row: row_of(event.ts, event.kind, event.watch_ms, event.source, &event.traits),
        });
        let events = prepared.collect();
        PreparedEvents { events, names }
    }

    /// The same for events with places for names, by parts: `events_of` hands over some after the other. Each word of a dictionary is
    /// hashed or looked up once, however many batches share it.
    pub fn prepare_coded(
        &mut self,
        EventNames { viewers, creators, videos }: EventNames<'_>,
        count: usize,
        events_of: impl FnOnce(&mut dyn FnMut(&[CodedEvent<'_>])) -> bool,
    ) -> Option<PreparedEvents> {
        let (snapshot, secret) = (self.store.snapshot(), self.store.secret());
        let catalogue = snapshot.catalogue();
        let creator_ord = |id: &str| catalogue.creator_ord(id).map(|creator| creator.0);
        let video_ord = |id: &str| catalogue.video_ord(id).map(|video| video.0);
        let mut prepared = PreparedEvents { events: Vec::with_capacity(count), names: Vec::new() };
        let PreparedEvents { events: all, names } = &mut prepared;
        self.viewer_words.begin(viewers);
        self.creator_words.begin(creators);
        self.video_words.begin(videos);
        let mut prepare = |event: &CodedEvent<'_>| {
            let creator = event.creator.map(|place| {
                let ask = |id: &str| self.creators.get(id, creator_ord);
                let known = self.creator_words.get(creators, place, ask);
                Named::of(known.map(CreatorOrd), || creators.get(place).unwrap_or_default(), names)
            });
            let video = event.video.map(|place| {
                let ask = |id: &str| self.videos.get(id, video_ord);
                let known = self.video_words.get(videos, place, ask);
                Named::of(known.map(VideoOrd), || videos.get(place).unwrap_or_default(), names)
            });
            let viewer = self.viewer_words.get(viewers, event.viewer, |id| Some(secret.pseudonym(id)));
            Prepared {
                fingerprint: secret.fingerprint(event.event_id),
                // Every event has one, and any text a pseudonym.
                viewer: viewer.unwrap_or_default(),
                creator,
                video,
                row: row_of(event.ts, event.kind, event.watch_ms, event.source, &event.traits),
            }
        };
        let is_whole = events_of(&mut |events| all.extend(events.iter().map(&mut prepare)));
        is_whole.then_some(prepared)
    }
}

/// What was said of the words of one dictionary.
#[derive(Default)]
struct Answers<T> {
    dictionary_number: u64,
    /// By place; `None` where nothing is known yet.
    answers: Vec<Option<T>>,
}

impl<T: Copy> Answers<T> {
    /// Turns to a list of words; forgets what it knew if that has another dictionary.
    fn begin(&mut self, words: Words<'_>) {
        if self.dictionary_number != words.dictionary_number {
            self.dictionary_number = words.dictionary_number;
            self.answers.clear();
            self.answers.resize(words.dictionary.ends.len(), None);
        }
    }

    /// What `ask` says of a word, now or earlier. A word that it does not know is asked for again.
    fn get(&mut self, words: Words<'_>, place: u32, ask: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        match self.answers.get_mut(place as usize) {
            Some(Some(answer)) => Some(*answer),
            Some(none) => {
                *none = ask(words.get(place)?);
                *none
            }
            None => ask(words.get(place)?),
        }
    }
}

fn row_of(ts: Timestamp, kind: Kind, watch_ms: u32, source: Source, traits: &Traits) -> Row {
    let mut row = Row::blank(CreatorOrd(0), None);
    row.ts = ts;
    row.kind = kind.code();
    row.watch_ms = watch_ms;
    row.source = source.code();
    row.country = traits.country.map_or(0, throng_model::Country::ordinal);
    row.region = traits.region.map_or(0, Region::suffix);
    row.age = traits.age.map_or(0, throng_model::AgeBand::code);
    row.gender = traits.gender.map_or(0, throng_model::Gender::code);
    row.device = traits.device.map_or(0, throng_model::Device::code);
    row.follower = traits.follower.map_or(0, throng_model::Follower::code);
    row
}
