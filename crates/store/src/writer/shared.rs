//! What readers and the merger share with the writer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::garbage::Garbage;
use crate::snapshot::Snapshot;
use crate::table::ChunkCache;

/// Caches, numbers and the newest snapshot.
pub(crate) struct Shared {
    pub(crate) cache: Arc<ChunkCache>,
    pub(crate) garbage: Arc<Garbage>,
    pub(crate) next_object: AtomicU64,
    pub(crate) snapshot: RwLock<Arc<Snapshot>>,
    /// Held while segments are written anew beside the writer, so that no two jobs take the same ones.
    pub(super) merging: Mutex<()>,
    /// Whether the last rows came in bulk and more may follow: only long merges are worth it then.
    pub(crate) is_bulk: AtomicBool,
}

impl Shared {
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn settled_generation(&self) -> u64 {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).settled_generation
    }

    pub(crate) fn next_object(&self) -> u64 {
        self.next_object.fetch_add(1, Ordering::Relaxed)
    }

    /// Waits for the merge under way, if any; none begins until the guard is dropped. The writer never waits for it.
    pub(crate) fn pause_merging(&self) -> MutexGuard<'_, ()> {
        self.merging.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
