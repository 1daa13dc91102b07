//! An embedded columnar store for events: what is acknowledged survives, what is damaged is reported.
//!
//! Events come in as batches that are logged and acknowledged; a checkpoint moves the log into an immutable *segment* of
//! sorted columns with day rollups and audiences as roaring bitmaps; segments merge in the background. Readers work on
//! snapshots. Every value carries its length and checksum, and one root lists them all. `docs/FORMAT.md` draws the bytes.
//!
//! The crate counts nothing for anyone: sums and sets go up to the query engine, which seals them.

mod append;
mod audience;
mod catalogue;
mod codec;
mod copy;
mod digest;
mod digest_check;
mod elias_fano;
mod erase;
mod expire;
mod garbage;
mod generation;
mod kv;
mod kv_log;
mod memo;
mod merge;
mod merger;
mod object;
mod opening;
mod pack;
mod parts;
mod past;
mod patience;
mod place;
mod requests;
mod rewrite;
mod root;
mod row;
mod row_reader;
mod run;
mod secret;
mod segment;
mod segment_writer;
mod snapshot;
mod sorted;
mod store;
mod summary;
mod table;
mod tail;
mod usage;
mod verify;
mod writer;

pub use append::{AppendMode, Outcome, Owner, PreparedEvents, Preparer, Ticket};
pub use catalogue::{Catalogue, CreatorEntry, VideoEntry};
pub use codec::DamageError;
pub use copy::{Copied, CopyError};
pub use digest::{Digest, DigestColumn};
pub use erase::{Compacted, Erased};
pub use expire::Expired;
pub use generation::GenerationError;
pub use kv::KvError;
pub use object::ReadError;
pub use past::VideoPeriod;
pub use patience::{may_wait, without_waiting};
pub use row::{Column, CreatorOrd, Row, VideoOrd};
pub use secret::{KeyError, KeyKind};
pub use segment::{AudienceOf, DayRollup, Segment, VideoSpan};
pub use snapshot::{Epoch, Snapshot};
pub use store::{MemoryMap, OpenError, Options, Store, WriteError};
pub use summary::{DaySummary, Summary};
pub use tail::Tail;
pub use verify::{VerifyError, VerifyReport};
