//! One file per command: what `throng NAME` does.

mod config;
mod key;

pub(crate) use config::config;
pub(crate) use key::{KeyCommand, key};
