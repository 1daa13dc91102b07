//! One file through the threads: one reads, some decode, and what they decoded enters the store in the file's order.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use throng_model::Timestamp;
use throng_store::{PreparedEvents, Preparer, Store};

use super::interrupt::Interrupt;
use super::progress::Progress;
use super::sink::Sink;
use crate::failure::Failure;
use crate::ingest::{Batch, Content, Decoded, InputError, Limits, Reader, Rules};

/// Batches that wait between reader and decoders. With those in work they bound the memory: five times 16 MiB.
const QUEUE: usize = 2;
/// Decoding costs about as much as storing, so one decodes while another stores.
const DECODERS: usize = 2;

/// How a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Done,
    Interrupted,
}

/// Why a file was not read to its end.
#[derive(Debug)]
pub(super) enum Broken {
    Input(InputError),
    Store(Failure),
}

impl Broken {
    /// The failure, with the file's name where the file is to blame.
    pub(super) fn of(self, path: PathBuf) -> Failure {
        match self {
            Self::Input(source) => Failure::Input { path, source },
            Self::Store(failure) => failure,
        }
    }
}

/// Reads the file to its end, or until it is interrupted or something fails; what was stored before stays.
pub(super) fn run(
    reader: Reader,
    sink: &mut Sink<'_>,
    limits: &Limits,
    interrupt: &Interrupt,
    progress: &Progress,
) -> Result<End, Broken> {
    let (content, store) = (reader.content(), sink.store());
    let turnstile = Turnstile::new(sink);
    let (sender, receiver) = sync_channel(QUEUE);
    let receiver = Mutex::new(receiver);
    let read = thread::scope(|scope| {
        for _ in 0..DECODERS {
            scope.spawn(|| decode(&receiver, &turnstile, store, content, limits, progress));
        }
        // This thread reads; the queue ends when `sender` goes, and with it the decoders.
        read(reader, sender, &turnstile, interrupt)
    });
    match turnstile.into_failure() {
        Some(failure) => Err(Broken::Store(failure)),
        None => read.map_err(Broken::Input),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the queue ends when `sender` is dropped, here")]
fn read(
    mut reader: Reader,
    sender: SyncSender<(u64, Batch)>,
    turnstile: &Turnstile<'_, '_>,
    interrupt: &Interrupt,
) -> Result<End, InputError> {
    let mut number = 0;
    loop {
        if interrupt.is_set() {
            // Batches that wait are dropped; the one that is being stored is finished.
            turnstile.stop();
            return Ok(End::Interrupted);
        }
        if turnstile.is_stopped() {
            return Ok(End::Done);
        }
        let Some(batch) = reader.next_batch()? else { return Ok(End::Done) };
        if sender.send((number, batch)).is_err() {
            return Ok(End::Done);
        }
        number += 1;
    }
}

fn decode(
    receiver: &Mutex<Receiver<(u64, Batch)>>,
    turnstile: &Turnstile<'_, '_>,
    store: &Store,
    content: Content,
    limits: &Limits,
    progress: &Progress,
) {
    let _guard = StopOnPanic(turnstile);
    let mut preparer = store.preparer();
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, batch)) = next else { return };
        // Once stopped, the queue is only emptied, so that the reader never waits for room.
        if turnstile.is_stopped() {
            continue;
        }
        let rules = limits.rules(Timestamp::now());
        let bytes = batch.bytes_read();
        match content {
            Content::Events => {
                let (decoded, prepared) = prepare_events(&batch, &rules, &mut preparer);
                // Its text is not needed while it waits for its turn.
                drop(batch);
                turnstile.pass(number, bytes, progress, |sink| sink.take_events(decoded, prepared));
            }
            Content::Catalogue => {
                let decoded = batch.catalogue(&rules);
                turnstile.pass(number, bytes, progress, |sink| sink.take_catalogue(decoded));
            }
        }
    }
}

/// Decodes and prepares a batch: by columns if it can be, else row by row, which says what is wrong with which.
fn prepare_events(batch: &Batch, rules: &Rules, preparer: &mut Preparer) -> (Decoded<()>, PreparedEvents) {
    let by_columns = batch.coded(rules).and_then(|(decoded, coded)| {
        let prepared = preparer.prepare_coded(coded.names(), coded.rows(), |take| coded.each_part(take));
        Some((decoded, prepared?))
    });
    by_columns.unwrap_or_else(|| {
        let decoded = batch.events(rules);
        let prepared = preparer.prepare(&decoded.rows);
        (decoded.without_rows(), prepared)
    })
}

/// Lets decoded batches through to the store one by one, in the order of the file.
struct Turnstile<'t, 's> {
    state: Mutex<State<'t, 's>>,
    moved: Condvar,
}

struct State<'t, 's> {
    /// Number of the batch that is next.
    next: u64,
    /// Bytes of the file up to there.
    bytes: u64,
    stopped: bool,
    failure: Option<Failure>,
    sink: &'t mut Sink<'s>,
}

impl<'t, 's> Turnstile<'t, 's> {
    fn new(sink: &'t mut Sink<'s>) -> Self {
        let state = State { next: 0, bytes: 0, stopped: false, failure: None, sink };
        Self { state: Mutex::new(state), moved: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<'t, 's>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.moved.notify_all();
    }

    /// Waits for the batch's turn, then stores it. Holds the lock meanwhile: there is one store.
    fn pass(
        &self,
        number: u64,
        bytes: u64,
        progress: &Progress,
        store: impl FnOnce(&mut Sink<'s>) -> Result<(), Failure>,
    ) {
        let waits = |state: &mut State<'_, '_>| state.next != number && !state.stopped;
        let mut state = self.moved.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            return;
        }
        if let Err(failure) = store(state.sink) {
            state.failure = Some(failure);
            state.stopped = true;
        }
        progress.advance(bytes.saturating_sub(state.bytes), state.sink.receipt.lines());
        state.next += 1;
        state.bytes = bytes;
        drop(state);
        self.moved.notify_all();
    }

    fn into_failure(self) -> Option<Failure> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).failure
    }
}

/// Wakes the others when a decoder panics, so that the panic ends the import instead of hanging it.
struct StopOnPanic<'g, 't, 's>(&'g Turnstile<'t, 's>);

impl Drop for StopOnPanic<'_, '_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}
