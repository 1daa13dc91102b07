//! What a request has come across: which answers may be kept, and how much of them was disclosed.
//!
//! Every released value is opened here, and one that is not settled spoils the whole answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_graphql::{Context, ContextSelectionSet};
use throng_privacy::{Disclosure, Released};

/// What a request has come across so far, and how it may be answered.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    met_unsettled: AtomicBool,
    measures: Measures,
    /// Whether parts of the answer may be written as JSON at once; see [`crate::plain`].
    pub(crate) may_write: bool,
}

/// How many measures were answered, by what they said. Counts of numbers, not numbers.
#[derive(Debug, Default)]
pub(crate) struct Measures([AtomicU64; DISCLOSURES.len()]);

/// The same of a part of an answer.
#[derive(Debug, Default)]
pub(crate) struct Counts([u64; DISCLOSURES.len()]);

impl Counts {
    pub(crate) fn add(&mut self, disclosure: Disclosure) {
        self.0.get_mut(disclosure as usize).into_iter().for_each(|count| *count += 1);
    }
}

/// In the order of the enum, by the schema's names.
const DISCLOSURES: [&str; 5] = ["EXACT", "NOISY", "WITHHELD", "NOT_SEALED", "NOT_APPLICABLE"];

impl Measures {
    /// Adds the counts of one request.
    pub(crate) fn add(&self, watch: &Watch) {
        for (sum, count) in self.0.iter().zip(&watch.measures.0) {
            match count.load(Ordering::Relaxed) {
                0 => {}
                count => _ = sum.fetch_add(count, Ordering::Relaxed),
            }
        }
    }

    pub(crate) fn counts(&self) -> [(&'static str, u64); DISCLOSURES.len()] {
        let mut counts = DISCLOSURES.map(|name| (name, 0));
        counts.iter_mut().zip(&self.0).for_each(|((_, count), sum)| *count = sum.load(Ordering::Relaxed));
        counts
    }
}

/// Notes that a measure is part of the answer.
pub(crate) fn note(ctx: &Context<'_>, disclosure: Disclosure) {
    // Of the request alone, so that requests do not wait for one another to count.
    let count = ctx.data_opt::<Arc<Watch>>().and_then(|watch| watch.measures.0.get(disclosure as usize));
    count.inspect(|count| _ = count.fetch_add(1, Ordering::Relaxed));
}

impl Watch {
    pub(crate) fn new(may_write: bool) -> Self {
        Self { may_write, ..Self::default() }
    }

    /// The one of this request.
    pub(crate) fn of<'a>(ctx: &ContextSelectionSet<'a>) -> Option<&'a Arc<Self>> {
        ctx.data_opt()
    }

    /// Notes measures that are part of the answer.
    pub(crate) fn note(&self, counts: &Counts) {
        for (sum, &count) in self.measures.0.iter().zip(&counts.0) {
            if count > 0 {
                sum.fetch_add(count, Ordering::Relaxed);
            }
        }
    }

    /// Whether everything was settled.
    pub(crate) fn is_settled(&self) -> bool {
        !self.met_unsettled.load(Ordering::Relaxed)
    }
}

/// The value of an answer. Resolvers open none otherwise: what is not noted here would be kept though it may change.
pub(crate) fn open<T>(ctx: &Context<'_>, answer: Released<T>) -> T {
    if !answer.is_settled() {
        unsettled(ctx);
    }
    answer.into_inner()
}

/// Notes that the answer holds for this request alone.
pub(crate) fn unsettled(ctx: &Context<'_>) {
    if let Some(watch) = ctx.data_opt::<Arc<Watch>>() {
        watch.met_unsettled.store(true, Ordering::Relaxed);
    }
}
