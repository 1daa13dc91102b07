//! Objects that no newer root lists, kept until the last reader of an older snapshot lets go.
//!
//! Nothing of this is stored: an object that the root does not list is removed when the store opens.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::object::ObjectRef;

/// Shared between the writer, which retires objects, and segments, which report when they are dropped.
#[derive(Default)]
pub(crate) struct Garbage {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    retired: HashSet<u64>,
    unused: Vec<ObjectRef>,
}

impl Garbage {
    /// The root no longer lists this object; it goes once it is dropped.
    pub(crate) fn retire(&self, object: ObjectRef) {
        self.lock().retired.insert(object.number);
    }

    /// The last reader is gone.
    pub(crate) fn dropped(&self, object: ObjectRef) {
        let mut state = self.lock();
        if state.retired.remove(&object.number) {
            state.unused.push(object);
        }
    }

    /// Takes what may be removed now.
    pub(crate) fn take(&self) -> Vec<ObjectRef> {
        std::mem::take(&mut self.lock().unused)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
