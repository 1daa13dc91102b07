//! The thread that merges segments in the background.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel};
use std::thread::JoinHandle;

use crate::kv::Kv;
use crate::merge::{Due, Levels, Merge, MergeEnd, Pace};
use crate::object::ReadError;
use crate::requests::{Merged, Request, Task};
use crate::snapshot::Snapshot;
use crate::store::{Options, WriteError};
use crate::writer::Shared;

/// The lowest level holds segments of up to this part of a full log: checkpoints of few rows come often.
const LEVEL_PART: usize = 512;

/// Merges of fewer rows, about a second's work, are done before the store closes: a program that is run again and again for
/// small imports would otherwise end none, and leave more and more segments.
const SHORT_ROWS: u64 = 1 << 20;

/// The thread that merges segments whenever it is woken.
pub(crate) struct Merger {
    wake: Sender<()>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Merger {
    pub(crate) fn start(
        shared: Arc<Shared>,
        requests: SyncSender<Request>,
        options: &Options,
    ) -> std::io::Result<Self> {
        let (wake, woken) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let (levels, is_late) = (levels(options), options.merges_late);
        let thread = std::thread::Builder::new()
            .name("throng-merger".into())
            .spawn(move || merge_when_woken(&shared, &requests, &woken, &stopped, levels, is_late))?;
        // Segments of an earlier run may be due.
        let _ = wake.send(());
        Ok(Self { wake, stop, thread })
    }

    /// Tells the merger that there may be something to do.
    pub(crate) fn wake(&self) -> Sender<()> {
        self.wake.clone()
    }

    /// Ends the merge under way if it is long, does the short ones that are due, and waits for the thread.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.wake.send(());
        let _ = self.thread.join();
    }
}

fn merge_when_woken(
    shared: &Shared,
    requests: &SyncSender<Request>,
    woken: &Receiver<()>,
    stop: &AtomicBool,
    levels: Levels,
    is_late: bool,
) {
    while woken.recv().is_ok() {
        let pace = || {
            let is_bulk = is_late || shared.is_bulk.load(Ordering::Relaxed);
            if is_bulk && !stop.load(Ordering::Relaxed) { Pace::Bulk } else { Pace::Steady }
        };
        merge_due(shared, requests, stop, levels, pace);
        if stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// Does the merges that are due, until none is; while stopping the short ones only.
pub(crate) fn merge_due(
    shared: &Shared,
    requests: &SyncSender<Request>,
    stop: &AtomicBool,
    levels: Levels,
    pace: impl Fn() -> Pace,
) {
    loop {
        let _one_at_a_time = shared.pause_merging();
        let (snapshot, is_stopping) = (shared.snapshot(), stop.load(Ordering::Relaxed));
        let Some(due) = Due::of(snapshot.segments(), levels, pace()) else { return };
        if is_stopping && !is_short(&due) {
            return;
        }
        if let Err(error) = merge_once(shared, requests, &snapshot, &due, stop) {
            tracing::warn!(%error, "segments could not be merged; they stay as they are");
            return;
        }
    }
}

/// How long segments are that merge.
pub(crate) fn levels(options: &Options) -> Levels {
    let rows = u32::try_from(options.checkpoint_rows / LEVEL_PART).unwrap_or(u32::MAX);
    Levels { rows, bulk_rows: options.bulk_rows }
}

fn is_short(due: &Due) -> bool {
    due.rows() < SHORT_ROWS
}

fn merge_once(
    shared: &Shared,
    requests: &SyncSender<Request>,
    snapshot: &Snapshot,
    due: &Due,
    stop: &AtomicBool,
) -> Result<(), WriteError> {
    let never = AtomicBool::new(false);
    let stop = if is_short(due) { &never } else { stop };
    let Some(merged) = merge_into(&snapshot.kv, shared, snapshot, due, stop)? else { return Ok(()) };
    let (reply, answer) = channel();
    let request = Request::Task(Task::Install(merged, reply));
    requests.send(request).map_err(|_| WriteError::Closed)?;
    answer.recv().unwrap_or(Err(WriteError::Closed)).map(drop)
}

/// Writes the segments that a merge comes to into a database; nothing where it was told to stop.
pub(crate) fn merge_into(
    to: &Kv,
    shared: &Shared,
    snapshot: &Snapshot,
    due: &Due,
    stop: &AtomicBool,
) -> Result<Option<Merged>, WriteError> {
    to.check_space(due.rows().saturating_mul(64)).map_err(ReadError::from)?;
    let numbers: Vec<u64> = (0..due.outputs).map(|_| shared.next_object()).collect();
    let merge = Merge { inputs: &due.inputs, snapshot, to, numbers: &numbers, stop };
    let MergeEnd::Written(outputs, batch) = merge.run(|_| true)? else { return Ok(None) };
    let inputs = due.inputs.iter().map(|segment| segment.listed()).collect();
    Ok(Some(Merged { inputs, outputs, rows_gone: 0, batch, zone_epoch: snapshot.zone_epoch }))
}
