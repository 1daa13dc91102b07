//! What the tests of exactness share: random worlds, and a naive engine to compare with.

#![allow(unreachable_pub, missing_docs, reason = "a test's own modules")]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

pub mod oracle;
pub mod questions;
pub mod world;
