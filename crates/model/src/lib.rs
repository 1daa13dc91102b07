//! The words that every Throng crate shares: events, catalogue rows, dimensions, periods, counters and questions.
//!
//! A value of these types is valid by construction: text from outside is parsed here, once, into the type that carries
//! its limits. The crate does no input or output and imports no other Throng crate.

mod catalogue;
mod counters;
mod country;
mod dimension;
mod event;
mod id;
mod period;
mod question;
mod window;

pub use catalogue::{CreatorRow, OVERLAPS_MAX, TITLE_BYTES_MAX, VideoRow};
pub use counters::{Counter, Metric, Tally, playback_position};
pub use country::{Country, Region};
pub use dimension::{AgeBand, Device, Follower, Gender, Kind, Source, Traits};
pub use event::{CodedEvent, Event, EventNames, Texts, WATCH_MS_MAX, Words};
pub use id::{CreatorId, EventId, Hashtag, IdError, Name, VideoId, ViewerId};
pub use period::{DAY_MS, Day, DayRange, Granularity, PeriodError, Timestamp, Zone};
pub use question::{
    Cell, ChannelPair, CreatorFacts, Entity, Family, HourOfWeek, Stage, Topic, TopicKind, VideoFacts, VideoOrder,
};
pub use window::{Window, WindowError, WindowKind};
