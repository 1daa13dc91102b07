//! The thread that merges segments in the background.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel};
use std::thread::JoinHandle;

use crate::kv::Batch;
use crate::merge::{self, MergeEnd};
use crate::object::ReadError;
use crate::requests::{Merged, Request, Task};
use crate::row::Row;
use crate::segment::Segment;
use crate::snapshot::Snapshot;
use crate::store::WriteError;
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
        checkpoint_rows: usize,
    ) -> std::io::Result<Self> {
        let (wake, woken) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let level_rows = level_rows(checkpoint_rows);
        let thread = std::thread::Builder::new()
            .name("throng-merger".into())
            .spawn(move || merge_when_woken(&shared, &requests, &woken, &stopped, level_rows))?;
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
    level_rows: u32,
) {
    while woken.recv().is_ok() {
        merge_due(shared, requests, stop, level_rows);
        if stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// Does the merges that are due, until none is; while stopping the short ones only.
pub(crate) fn merge_due(shared: &Shared, requests: &SyncSender<Request>, stop: &AtomicBool, level_rows: u32) {
    loop {
        let _one_at_a_time = shared.pause_merging();
        let (snapshot, is_stopping) = (shared.snapshot(), stop.load(Ordering::Relaxed));
        let is_bulk = shared.is_bulk.load(Ordering::Relaxed);
        let Some(inputs) = merge::choose(snapshot.segments(), level_rows, is_bulk) else { return };
        if is_stopping && !is_short(&inputs) {
            return;
        }
        if let Err(error) = merge_once(shared, requests, &snapshot, &inputs, stop) {
            tracing::warn!(%error, "segments could not be merged; they stay as they are");
            return;
        }
    }
}

/// Rows of the lowest level.
pub(crate) fn level_rows(checkpoint_rows: usize) -> u32 {
    u32::try_from(checkpoint_rows / LEVEL_PART).unwrap_or(u32::MAX)
}

fn rows(inputs: &[Arc<Segment>]) -> u64 {
    inputs.iter().map(|segment| u64::from(segment.rows())).sum()
}

fn is_short(inputs: &[Arc<Segment>]) -> bool {
    rows(inputs) < SHORT_ROWS
}

fn merge_once(
    shared: &Shared,
    requests: &SyncSender<Request>,
    snapshot: &Snapshot,
    inputs: &[Arc<Segment>],
    stop: &AtomicBool,
) -> Result<(), WriteError> {
    snapshot.kv.check_space(rows(inputs).saturating_mul(64)).map_err(ReadError::from)?;
    let mut batch = Batch::default();
    let number = shared.next_object();
    let keep = |_: &Row| true;
    let never = AtomicBool::new(false);
    let stop = if is_short(inputs) { &never } else { stop };
    let merged = merge::merge(&snapshot.kv, number, inputs, snapshot, keep, &mut batch, stop)?;
    let MergeEnd::Written(output) = merged else { return Ok(()) };
    let inputs = inputs.iter().map(|segment| segment.listed()).collect();
    let (reply, answer) = channel();
    let merged = Merged { inputs, outputs: vec![output], rows_gone: 0, batch, zone_epoch: snapshot.zone_epoch };
    let request = Request::Task(Task::Install(merged, reply));
    requests.send(request).map_err(|_| WriteError::Closed)?;
    answer.recv().unwrap_or(Err(WriteError::Closed)).map(drop)
}
