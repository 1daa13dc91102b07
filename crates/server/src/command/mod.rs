//! One file per command: what `throng NAME` does.

mod config;
mod demo;
mod import;
mod key;
mod schema;
mod seal;
mod serve;
mod verify;

pub(crate) use config::config;
pub(crate) use demo::{DemoOptions, demo};
pub(crate) use import::{IMPORT_HELP, ImportOptions, import};
pub(crate) use key::{KeyCommand, key};
pub(crate) use schema::schema;
pub(crate) use seal::seal;
pub(crate) use serve::serve;
pub(crate) use verify::verify;
