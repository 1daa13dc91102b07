//! How many queries each caller has under way, so that one who asks much at once does not keep the others waiting.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::authn::Caller;

/// Queries under way by caller, and together of those without a token.
pub(super) struct Callers {
    under_way: Mutex<HashMap<Option<Caller>, usize>>,
    /// Most of one caller.
    max: usize,
}

impl Callers {
    pub(super) fn new(max: usize) -> Self {
        Self { under_way: Mutex::default(), max }
    }

    /// A place for one more query of a caller, until it is dropped; `None` where the caller has as many as it may.
    pub(super) fn enter(self: &Arc<Self>, caller: Option<Caller>) -> Option<Place> {
        let mut under_way = self.lock();
        let count = under_way.entry(caller.clone()).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        drop(under_way);
        Some(Place { callers: self.clone(), caller })
    }

    /// How many queries of all callers are under way.
    pub(super) fn under_way(&self) -> usize {
        self.lock().values().sum()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<Caller>, usize>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One query under way.
pub(super) struct Place {
    callers: Arc<Callers>,
    caller: Option<Caller>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = self.callers.lock();
        match under_way.get_mut(&self.caller) {
            Some(count) if *count > 1 => *count -= 1,
            // So the map holds no more keys than there are queries.
            _ => _ = under_way.remove(&self.caller),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_its_own_places_and_gets_them_back() {
        let callers = Arc::new(Callers::new(2));
        let key = |name: &str| Some(Caller::Key(name.to_owned()));
        let first = callers.enter(key("a")).unwrap();
        let second = callers.enter(key("a")).unwrap();
        assert!(callers.enter(key("a")).is_none());
        let others = [callers.enter(key("b")).unwrap(), callers.enter(None).unwrap()];
        drop(first);
        let third = callers.enter(key("a")).unwrap();
        assert!(callers.enter(key("a")).is_none());
        drop((second, third, others));
        assert!(callers.lock().is_empty());
    }
}
