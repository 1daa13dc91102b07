//! Which answers may be kept. Every released value is opened here, and one that is not settled spoils the whole answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::Context;
use throng_privacy::Released;

/// What a request has come across so far.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    met_unsettled: AtomicBool,
}

impl Watch {
    /// Whether everything was settled.
    pub(crate) fn is_settled(&self) -> bool {
        !self.met_unsettled.load(Ordering::Relaxed)
    }
}

/// The value of an answer. Resolvers open none otherwise: what is not noted here would be kept though it may change.
pub(crate) fn open<T>(ctx: &Context<'_>, answer: Released<T>) -> T {
    if let (false, Some(watch)) = (answer.is_settled(), ctx.data_opt::<Arc<Watch>>()) {
        watch.met_unsettled.store(true, Ordering::Relaxed);
    }
    answer.into_inner()
}
