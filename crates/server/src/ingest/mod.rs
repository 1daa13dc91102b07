//! Input into events and rows of the catalogue: NDJSON, CSV and Parquet, plain or compressed.
//!
//! Knows neither HTTP nor the store. Text from outside becomes valid values here, once, or an error that names the line,
//! the field and the rule, and quotes nothing. A bad row never stops the good ones; bytes never make it panic; memory is
//! bounded by [`Limits`], whatever comes in.
//!
//! ```text
//! POST body ─ Body::open ──────────────────────┐ unpack    ┌ json ┐
//! file ─ Reader::open ─ next_batch ─ Batch ────┤ cut rows ─┼ csv ─┼─ field::Row ─ event | catalogue ─ Decoded
//!                        (one thread)          └ (any)     └ columns ┘
//! ```

mod batch;
mod body;
mod catalogue;
mod coded;
mod columns;
mod compression;
mod csv;
#[cfg(test)]
mod damage_tests;
mod event;
mod field;
#[cfg(test)]
mod format_tests;
mod input;
mod json;
mod limits;
mod line;
mod ndjson;
mod parquet;
#[cfg(test)]
mod testkit;
mod words;

pub(crate) use batch::{Batch, Reader};
pub(crate) use body::{Body, BodyTooLarge};
pub(crate) use catalogue::CatalogueRow;
pub(crate) use input::{Content, InputError};
pub(crate) use limits::{Limits, Rules};
pub(crate) use line::{Decoded, Errors, LineError};
