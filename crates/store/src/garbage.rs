//! Objects that no newer root lists, kept until the last reader of an older snapshot lets go.
//!
//! Nothing of this is stored: an object that the root does not list is removed when the store opens.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

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
    holds: usize,
}

/// While it lives nothing is removed, so that a copy can be made beside the writer.
pub(crate) struct Hold(Arc<Garbage>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.lock().holds -= 1;
    }
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

    /// The root no longer lists these objects, and no reader knows them.
    pub(crate) fn unused(&self, objects: impl IntoIterator<Item = ObjectRef>) {
        self.lock().unused.extend(objects);
    }

    /// Takes what may be removed now.
    pub(crate) fn take(&self) -> Vec<ObjectRef> {
        let mut state = self.lock();
        if state.holds > 0 { Vec::new() } else { std::mem::take(&mut state.unused) }
    }

    /// Keeps everything where it is until the hold is dropped.
    pub(crate) fn hold(self: &Arc<Self>) -> Hold {
        self.lock().holds += 1;
        Hold(self.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
