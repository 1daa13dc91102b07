//! The store at its boundary: random operations with restarts against a plain model, recovery, damage, refusals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod bulk;
mod damage;
mod erase;
mod expire;
mod format;
mod kill;
mod model;
mod recovery;
mod trim;
mod world;
