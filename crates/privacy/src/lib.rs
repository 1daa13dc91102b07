//! The wall: exact aggregates go in sealed, and only what the policy permits comes out.

mod raw;
mod source;

pub use raw::{Raw, RawTable};
pub use source::{SeriesStep, Source, SourceError};
