//! Whole answers that are kept: those over sealed days and public facts alone, while nothing that they stand on changes.
//!
//! A kept answer is found by what was sent, byte for byte, and by what its sender may see; the token itself was checked
//! before. The policy stays the same as long as the process runs. What else an answer stands on is its [`Standing`], which
//! must be that of now.

use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::web::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use throng_graphql::{Access, Standing};

use crate::telemetry::Operation;

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Question {
    /// What the caller may see.
    pub(super) access: Access,
    /// Whether it came by GET, which writes questions otherwise.
    pub(super) by_get: bool,
    /// The body, or the query of the address, as it was sent.
    pub(super) text: Bytes,
}

/// Answers in memory, bounded in bytes; the least used go first.
pub(super) struct Answers {
    /// `None` where nothing is to be kept.
    kept: Option<Cache<Question, Kept, Weight>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// An answer as far as it is the same for everybody who may see it: what it cost and what is left differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Body {
    /// The JSON up to the place in `extensions` where the cost stands; two braces are open.
    pub(super) open: Bytes,
    /// What the request cost.
    pub(super) cost: u32,
    /// What was asked, for traces; `None` where the document was refused.
    pub(super) operation: Option<Operation>,
}

#[derive(Debug, Clone)]
struct Kept {
    holds: Standing,
    body: Body,
}

#[derive(Debug, Clone)]
struct Weight;

/// What an entry takes besides its texts, in bytes.
const ENTRY_BYTES: usize = 256;
/// The usual size of an answer with its question, in bytes.
const USUAL_BYTES: usize = 8 << 10;

impl Weighter<Question, Kept> for Weight {
    fn weight(&self, question: &Question, kept: &Kept) -> u64 {
        let granted = match &question.access {
            Access::Partner(grants) => {
                grants.iter().map(|grant| grant.creator.as_str().len() + size_of_val(grant)).sum()
            }
            _ => 0,
        };
        (ENTRY_BYTES + granted + question.text.len() + kept.body.open.len()) as u64
    }
}

impl Answers {
    /// A cache of so many bytes; 0 keeps nothing.
    pub(super) fn new(bytes_max: usize) -> Self {
        let cache = || Cache::with_weighter(bytes_max / USUAL_BYTES + 1, bytes_max as u64, Weight);
        Self { kept: (bytes_max > 0).then(cache), hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// The answer, if it is kept and `now` is what it stands on.
    pub(super) fn get(&self, question: &Question, now: Option<Standing>) -> Option<Body> {
        let cache = self.kept.as_ref()?;
        let found = cache.get(question).filter(|kept| Some(kept.holds) == now).map(|kept| kept.body);
        let counter = if found.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// Keeps an answer in the place of an older one.
    pub(super) fn keep(&self, mut question: Question, holds: Standing, body: Body) {
        if let Some(cache) = &self.kept {
            // What was read off the socket may lie in a larger buffer.
            question.text = Bytes::copy_from_slice(&question.text);
            cache.insert(question, Kept { holds, body });
        }
    }

    /// How many questions were answered from here, and how many were not.
    pub(super) fn hits_and_misses(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }
}
