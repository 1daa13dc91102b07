//! What the writer's thread is asked, and how it answers: appends together, everything else alone.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};

use throng_model::{CreatorRow, Day, Timestamp, VideoRow};

use crate::append::{AppendMode, Outcome, PreparedEvents};
use crate::copy::{Held, Move};
use crate::erase::{Compacted, Compaction, Erased};
use crate::expire::Expiry;
use crate::kv::Batch;
use crate::object::{ObjectRef, ReadError};
use crate::row::CreatorOrd;
use crate::secret::Pseudonym;
use crate::store::WriteError;
use crate::verify::{VerifyError, VerifyReport, verify};
use crate::writer::{self, Pending, Writer};

/// Rows that one commit gathers from waiting callers.
const COMMIT_ROWS_MAX: usize = 65_536;

pub(crate) type Reply<T> = Sender<Result<T, WriteError>>;

/// What the writer's thread is asked.
pub(crate) enum Request {
    Append(Append),
    /// Gathers with others until they fill a segment.
    Bulk(Append),
    Task(Task),
}

/// Events; those that wait are committed together.
pub(crate) struct Append {
    pub(crate) events: PreparedEvents,
    pub(crate) mode: AppendMode,
    pub(crate) reply: Reply<Vec<Outcome>>,
}

/// Everything else: done alone, in its turn.
pub(crate) enum Task {
    Catalogue(Vec<VideoRow>, Vec<CreatorRow>, Reply<()>),
    Seal(Seal, Reply<()>),
    Checkpoint(Reply<()>),
    Install(Merged, Reply<bool>),
    Expire(Box<Expiry>, Reply<bool>),
    Sweep(Reply<()>),
    Erase(Vec<Pseudonym>, Reply<Erased>),
    Compact(Compaction, Reply<Option<Compacted>>),
    Hold(Reply<Held>),
    Move(Box<Move>, Reply<()>),
    BindNoiseKey([u8; 16], Reply<()>),
    Verify(Sender<Result<VerifyReport, VerifyError>>),
}

/// Segments written anew that wait to be listed instead of others.
pub(crate) struct Merged {
    pub(crate) inputs: Vec<ObjectRef>,
    /// None where no row was left.
    pub(crate) outputs: Vec<ObjectRef>,
    /// Rows of the inputs that no output holds.
    pub(crate) rows_gone: u64,
    pub(crate) batch: Batch,
    pub(crate) zone_epoch: u64,
}

pub(crate) enum Seal {
    Through(Day),
    EndedBy(Timestamp),
    Creators(Vec<(CreatorOrd, Day)>),
}

/// The writer's thread: until every sender is gone.
pub(crate) fn run(mut writer: Writer, incoming: &Receiver<Request>, bulk_rows: usize, wake: Option<&Sender<()>>) {
    let mut bulk = Bulk::default();
    let mut next = None;
    let wake = || wake.map(|wake| wake.send(()));
    while let Some(request) = next.take().or_else(|| incoming.recv().ok()) {
        match request {
            Request::Bulk(append) => {
                writer.shared.is_bulk.store(true, Ordering::Relaxed);
                bulk.push(append);
                if bulk.rows() < bulk_rows {
                    continue;
                }
                bulk.write(&mut writer);
                wake();
            }
            Request::Append(append) => {
                bulk.end(&mut writer);
                next = append_many(&mut writer, incoming, append);
            }
            Request::Task(task) => {
                // A merge does not care what else there is, and must not cut a bulk short.
                if !matches!(task, Task::Install(..)) && bulk.end(&mut writer) {
                    wake();
                }
                serve(&mut writer, task);
            }
        }
        let room = writer.kv.check_space(writer.checkpoint_bytes()).is_ok();
        if writer.is_checkpoint_due() && room && !writer.is_poisoned() {
            if let Err(error) = writer.checkpoint() {
                tracing::error!(%error, "the log could not be moved into a segment");
            }
            wake();
        }
    }
    bulk.end(&mut writer);
}

/// Bulk appends that wait to become a segment. Nothing of them is in the writer yet, so other requests may go first.
#[derive(Default)]
struct Bulk {
    appends: Vec<Append>,
    rows: usize,
}

impl Bulk {
    fn push(&mut self, append: Append) {
        self.rows += append.events.events.len();
        self.appends.push(append);
    }

    fn rows(&self) -> usize {
        self.rows
    }

    /// Makes the rows durable, since something else follows, and says whether there were any since the last time.
    fn end(&mut self, writer: &mut Writer) -> bool {
        self.write(writer);
        writer.spare_rows = Default::default();
        writer.shared.is_bulk.swap(false, Ordering::Relaxed)
    }

    /// Makes the rows durable and answers.
    fn write(&mut self, writer: &mut Writer) {
        let Self { appends, rows } = std::mem::take(self);
        if appends.is_empty() {
            return;
        }
        let bytes = writer.checkpoint_bytes() + writer::checkpoint_bytes(rows);
        let (replies, events): (Vec<_>, Vec<_>) =
            appends.into_iter().map(|Append { events, mode, reply }| (reply, (events, mode))).unzip();
        match ready_for(writer, bytes).and_then(|()| writer.append_bulk(events)) {
            Ok(outcomes) => replies.iter().zip(outcomes).for_each(|(reply, outcomes)| {
                let _ = reply.send(Ok(outcomes));
            }),
            Err(error) => replies.iter().for_each(|reply| {
                let _ = reply.send(Err(error.clone()));
            }),
        }
    }
}

/// Commits one append together with those that wait behind it; gives back a request that came between.
fn append_many(writer: &mut Writer, incoming: &Receiver<Request>, first: Append) -> Option<Request> {
    let mut pending = Pending::default();
    let mut answers = Vec::new();
    let mut next = None;
    let mut rows = 0;
    let mut append = Some(first);
    while let Some(Append { events, mode, reply }) = append.take() {
        rows += events.events.len();
        let taken = match ready(writer, rows) {
            Ok(()) => writer.append(&events, mode, &mut pending),
            Err(error) => Err(error),
        };
        answers.push((reply, taken));
        if rows >= COMMIT_ROWS_MAX || writer.is_poisoned() {
            break;
        }
        match incoming.try_recv() {
            Ok(Request::Append(another)) => append = Some(another),
            Ok(other) => next = Some(other),
            Err(_) => {}
        }
    }
    let committed = if writer.is_poisoned() { Err(WriteError::Poisoned) } else { writer.commit(pending) };
    for (reply, taken) in answers {
        let answer = taken.and_then(|outcomes| committed.clone().map(|()| outcomes));
        let _ = reply.send(answer);
    }
    next
}

/// Whether rows may be taken: nothing is touched where not.
fn ready(writer: &mut Writer, rows: usize) -> Result<(), WriteError> {
    ready_for(writer, (rows as u64).saturating_mul(96) + (1 << 16))?;
    if writer.is_log_full() { ready_for(writer, writer.checkpoint_bytes()) } else { Ok(()) }
}

/// Whether so many bytes may be written.
fn ready_for(writer: &Writer, bytes: u64) -> Result<(), WriteError> {
    if writer.is_poisoned() {
        return Err(WriteError::Poisoned);
    }
    writer.kv.check_space(bytes).map_err(|error| ReadError::from(error).into())
}

fn serve(writer: &mut Writer, task: Task) {
    match task {
        Task::Catalogue(videos, creators, reply) => {
            let _ = reply.send(put_catalogue(writer, videos, creators));
        }
        Task::Seal(seal, reply) => {
            let _ = reply.send(put_seal(writer, seal));
        }
        Task::Checkpoint(reply) => {
            let done = ready_for(writer, writer.checkpoint_bytes()).and_then(|()| writer.checkpoint());
            let _ = reply.send(done);
        }
        Task::Install(merged, reply) => {
            let done = ready(writer, 0).and_then(|()| writer.install(merged));
            let _ = reply.send(done);
        }
        Task::Expire(expiry, reply) => {
            let done = ready(writer, 0).and_then(|()| writer.expire(*expiry));
            let _ = reply.send(done);
        }
        Task::Sweep(reply) => {
            let done = ready(writer, 0).and_then(|()| writer.commit_alone());
            let _ = reply.send(done);
        }
        Task::Erase(viewers, reply) => {
            let done = ready_for(writer, writer.checkpoint_bytes()).and_then(|()| writer.erase(&viewers));
            let _ = reply.send(done);
        }
        Task::Compact(compaction, reply) => {
            let done = ready_for(writer, writer.compaction_bytes()).and_then(|()| writer.compact(compaction));
            let _ = reply.send(done);
        }
        Task::Hold(reply) => {
            let _ = reply.send(ready(writer, 0).map(|()| writer.hold()));
        }
        Task::Move(to, reply) => {
            let _ = reply.send(ready(writer, 0).and_then(|()| writer.move_to(*to)));
        }
        Task::BindNoiseKey(check, reply) => {
            let _ = reply.send(ready(writer, 0).and_then(|()| writer.bind_noise_key(check)));
        }
        Task::Verify(reply) => {
            let _ = reply.send(verify(writer));
        }
    }
}

fn put_catalogue(writer: &mut Writer, videos: Vec<VideoRow>, creators: Vec<CreatorRow>) -> Result<(), WriteError> {
    ready(writer, (videos.len() + creators.len()) * 4)?;
    let mut pending = Pending::default();
    let moved = writer.put_catalogue(videos, creators, &mut pending);
    writer.commit(pending)?;
    if moved.is_empty() { Ok(()) } else { writer.rezone(&moved) }
}

fn put_seal(writer: &mut Writer, seal: Seal) -> Result<(), WriteError> {
    ready(writer, 0)?;
    let mut pending = Pending::default();
    match seal {
        Seal::Through(day) => writer.seal_through(day, &mut pending),
        Seal::EndedBy(instant) => writer.seal_ended_by(instant, &mut pending),
        Seal::Creators(days) => {
            for (creator, day) in days {
                if writer.catalogue().creator(creator).is_some() {
                    writer.seal_creator(creator, day, &mut pending);
                }
            }
        }
    }
    writer.commit(pending)
}
