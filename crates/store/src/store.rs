//! The store: how it opens, and what callers ask of it.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, channel, sync_channel};
use std::thread::{JoinHandle, available_parallelism};
use std::time::Duration;

use throng_model::{CreatorRow, Day, Event, Timestamp, VideoRow, ViewerId};

use crate::append::{AppendMode, Outcome, PreparedEvents, Preparer, Ticket};
use crate::expire::{Expired, Expiry};
use crate::generation::{Acknowledged, GenerationError, GenerationFile};
use crate::kv::{Disk, Kv, KvError, Memory};
use crate::merge::Pace;
use crate::merger::{self, Merger};
use crate::object::ReadError;
use crate::opening::{check_generation, commit_new, default_key_path, new_root, read_root, remove_unlisted};
use crate::place;
use crate::requests::{self, Append, Reply, Request, Seal, Task};
use crate::root::Root;
use crate::row::CreatorOrd;
use crate::secret::{KeyError, Pseudonym, Secret};
use crate::snapshot::Snapshot;
use crate::table::ChunkCache;
use crate::verify::{VerifyError, VerifyReport};
use crate::writer::{Shared, Writer};

/// How often an expiry begins anew where sealed days are being reopened or zones changed meanwhile.
const EXPIRY_TRIES: usize = 8;

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The viewer key file; by default beside the data directory, with `.viewer-key` behind its name.
    pub viewer_key: Option<PathBuf>,
    /// Bytes of decoded columns that stay in memory.
    pub cache_bytes_max: usize,
    /// Bytes of free disk below which nothing is written.
    pub disk_free_min_bytes: u64,
    /// A commit that takes longer poisons the store for writing.
    pub flush_timeout: Duration,
    /// Written bytes that may stay in memory; with more the key-value files are closed and opened again.
    pub written_bytes_max: usize,
    /// Rows that gather in the log before they become a segment.
    pub checkpoint_rows: usize,
    /// Rows of bulk appends that gather in memory before they become a segment, without passing through the log.
    pub bulk_rows: usize,
    /// Requests that may wait for the writer.
    pub queue_max: usize,
    /// Whether segments merge by themselves.
    pub merges: bool,
    /// Whether they do as while a bulk comes in, also where none does: for who fills the store and calls [`Store::trim`] then,
    /// which merges the rest without writing it twice. Until then, or until the store is opened otherwise, nobody may ask
    /// segments for sums and audiences: those that will merge are written without.
    pub merges_late: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            viewer_key: None,
            cache_bytes_max: 256 * 1024 * 1024,
            disk_free_min_bytes: 32 * 1024 * 1024,
            flush_timeout: Duration::from_secs(60),
            written_bytes_max: 256 * 1024 * 1024,
            checkpoint_rows: 1 << 19,
            bulk_rows: 1 << 20,
            queue_max: 16,
            merges: true,
            merges_late: false,
        }
    }
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A directory could not be made.
    #[error("the data directory {path} could not be used")]
    Dir {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The viewer key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The generation file.
    #[error(transparent)]
    Generation(#[from] GenerationError),
    /// The key-value layer, or damaged values in it.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The generation file is there, the data is not.
    #[error("the store's files are gone, but {path} says that there was data: restore a backup")]
    Gone {
        /// The generation file.
        path: PathBuf,
    },
    /// The data is there, the generation file is not.
    #[error("{path} is missing: without it nobody can tell whether the store is whole; restore it from a backup")]
    NoGeneration {
        /// The generation file.
        path: PathBuf,
    },
    /// The files hold an older state than was acknowledged.
    #[error(
        "the store's files are damaged: they hold generation {found}, but {acknowledged} was acknowledged; restore a backup"
    )]
    Stale {
        /// Generation found.
        found: u64,
        /// Generation acknowledged.
        acknowledged: u64,
    },
    /// The generation file belongs to another store.
    #[error("the generation file {path} belongs to another store")]
    Foreign {
        /// The generation file.
        path: PathBuf,
    },
    /// What an import left unfinished when it was cut off could not be finished.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// No thread could be started.
    #[error("no thread could be started")]
    Thread(#[source] std::io::Error),
}

impl From<KvError> for OpenError {
    fn from(error: KvError) -> Self {
        Self::Read(error.into())
    }
}

/// Why a write failed. Nothing of it was taken, unless it is `Poisoned` or `Store`: then the store must be opened again,
/// and what was acknowledged before is whole.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Too many requests wait already.
    #[error("the store is busy; try again in a moment")]
    Busy,
    /// Too little room on the disk.
    #[error("disk full: {free_bytes} bytes free, {needed_bytes} needed to write safely")]
    DiskFull {
        /// Free bytes.
        free_bytes: u64,
        /// Bytes that the write may take.
        needed_bytes: u64,
    },
    /// An earlier write failed.
    #[error("an earlier write failed; open the store again")]
    Poisoned,
    /// The store is closing.
    #[error("the store is closed")]
    Closed,
    /// The files could not be read or written.
    #[error(transparent)]
    Store(Arc<ReadError>),
    /// A directory of the store could not be read or written.
    #[error("{path} could not be used")]
    Files {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// The system gave no random bytes.
    #[error("no random bytes from the system")]
    NoRandom,
    /// The store is bound to another noise key.
    #[error("the noise key is not the one that this store was published with: put back the right file")]
    OtherNoiseKey,
    /// The generation file could not be written.
    #[error(transparent)]
    Generation(Arc<GenerationError>),
}

impl From<ReadError> for WriteError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Kv(KvError::DiskFull { free_bytes, needed_bytes }) => {
                Self::DiskFull { free_bytes, needed_bytes }
            }
            ReadError::Kv(KvError::Poisoned) => Self::Poisoned,
            other => Self::Store(Arc::new(other)),
        }
    }
}

impl WriteError {
    pub(crate) fn files(path: &Path, source: std::io::Error) -> Self {
        Self::Files { path: path.to_owned(), source: Arc::new(source) }
    }
}

impl From<GenerationError> for WriteError {
    fn from(error: GenerationError) -> Self {
        Self::Generation(Arc::new(error))
    }
}

/// A store. Clones share it; it closes when the last one is dropped.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    /// `None` where the store lies in memory.
    dir: Option<PathBuf>,
    options: Options,
    secret: Secret,
    requests: Option<SyncSender<Request>>,
    writer: Option<JoinHandle<()>>,
    merger: Option<Merger>,
}

impl Store {
    /// Opens the store in a directory, or makes one where the directory is empty or absent. Refuses a damaged store, one
    /// that another process has open, and one whose viewer key is gone.
    pub fn open(dir: &Path, options: &Options) -> Result<Self, OpenError> {
        let generation_path = dir.join("generation");
        let unusable = |source| OpenError::Dir { path: dir.to_owned(), source };
        let files = place::current(dir).map_err(unusable)?;
        let acknowledged = GenerationFile::read(&generation_path)?;
        if acknowledged.is_some() && !files.exists() {
            return Err(OpenError::Gone { path: generation_path });
        }
        std::fs::create_dir_all(dir).map_err(unusable)?;
        let kv = Arc::new(Kv::Disk(Box::new(Disk::open(&files, options)?)));
        let root = read_root(&kv)?;
        let key_path = options.viewer_key.clone().unwrap_or_else(|| default_key_path(dir));
        let (root, secret) = match (root, acknowledged) {
            (None, Some(_)) => return Err(OpenError::Gone { path: generation_path }),
            (None, None) if kv.first_key_from(&[])?.is_some() => return Err(OpenError::Gone { path: generation_path }),
            (None, None) => {
                let secret = Secret::load(&key_path, true)?;
                (new_root(&secret)?, secret)
            }
            (Some(root), None) if root.generation > 1 => {
                return Err(OpenError::NoGeneration { path: generation_path });
            }
            (Some(root), acknowledged) => {
                check_generation(&root, acknowledged, &generation_path)?;
                (root, Secret::load(&key_path, false)?)
            }
        };
        if root.key_check != secret.check() {
            return Err(KeyError::Wrong.into());
        }
        if root.generation == 0 {
            // The first commit makes the store: its root first, the file that acknowledges it after.
            let root = Root { generation: 1, ..root };
            commit_new(&kv, &root)?;
            let first = Acknowledged { generation: 1, store_id: root.store_id };
            let file = GenerationFile::create(&generation_path, first)?;
            return Self::start(kv, root, Some(file), secret, Some(dir), options);
        }
        let file = match acknowledged {
            Some(_) => GenerationFile::open(&generation_path)?,
            // A crash came between the first commit and this file.
            None => {
                let first = Acknowledged { generation: root.generation, store_id: root.store_id };
                GenerationFile::create(&generation_path, first)?
            }
        };
        let root = remove_unlisted(&kv, root)?;
        let store = Self::start(kv, root, Some(file), secret, Some(dir), options)?;
        // A compaction may have stopped half-way.
        place::clear(dir).map_err(unusable)?;
        Ok(store)
    }

    /// Opens a store over a map in memory, which outlives it: a second call over the same map is a restart. For tests.
    pub fn in_memory(map: &MemoryMap, options: &Options) -> Result<Self, OpenError> {
        let kv = Arc::new(Kv::Memory(map.0.clone()));
        let secret = Secret::from_bytes(&[7; 32]);
        let root = match read_root(&kv)? {
            Some(root) => root,
            None => {
                let root = Root { generation: 1, ..new_root(&secret)? };
                commit_new(&kv, &root)?;
                root
            }
        };
        let root = remove_unlisted(&kv, root)?;
        Self::start(kv, root, None, secret, None, options)
    }

    fn start(
        kv: Arc<Kv>,
        root: Root,
        file: Option<GenerationFile>,
        secret: Secret,
        dir: Option<&Path>,
        options: &Options,
    ) -> Result<Self, OpenError> {
        let cache = Arc::new(ChunkCache::new(options.cache_bytes_max));
        let mut writer = Writer::restore(kv, cache, root, file, options)?;
        if !options.merges_late {
            writer.complete(merger::levels(options))?;
        }
        let shared = writer.shared.clone();
        let (requests, incoming) = sync_channel(options.queue_max);
        let merger = if options.merges {
            Some(Merger::start(shared.clone(), requests.clone(), options).map_err(OpenError::Thread)?)
        } else {
            None
        };
        let wake = merger.as_ref().map(|merger| merger.wake());
        let bulk_rows = options.bulk_rows;
        let thread = std::thread::Builder::new()
            .name("throng-writer".into())
            .spawn(move || requests::run(writer, &incoming, bulk_rows, wake.as_ref()))
            .map_err(OpenError::Thread)?;
        let (dir, options) = (dir.map(Path::to_owned), options.clone());
        let (requests, writer) = (Some(requests), Some(thread));
        Ok(Self { inner: Arc::new(Inner { shared, dir, options, secret, requests, writer, merger }) })
    }

    /// A consistent view of what is acknowledged.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.shared.snapshot()
    }

    /// Reads what every question begins with, on all cores, so that the first one need not.
    pub fn prepare(&self) -> Result<(), ReadError> {
        let snapshot = self.snapshot();
        let next = AtomicUsize::new(0);
        let prepare = || {
            while let Some(segment) = snapshot.segments().get(next.fetch_add(1, Ordering::Relaxed)) {
                segment.prepare()?;
            }
            Ok(())
        };
        let threads = available_parallelism().map_or(1, NonZeroUsize::get).min(snapshot.segments().len());
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(prepare)).collect();
            let done = prepare();
            others.into_iter().try_fold(done?, |(), other| other.join().unwrap_or(Ok(())))
        })
    }

    /// [`Snapshot::settled_generation`] of the newest snapshot, without holding it.
    pub fn settled_generation(&self) -> u64 {
        self.inner.shared.settled_generation()
    }

    /// Takes events. On `Ok` those accepted survive power loss; one outcome per event, in order. Waits while the writer
    /// is busy.
    pub fn append(&self, events: &[Event<'_>], mode: AppendMode) -> Result<Vec<Outcome>, WriteError> {
        let prepared = self.prepared(events);
        self.ask(|reply| Request::Append(Append { events: prepared, mode, reply }))
    }

    /// Like [`append`](Self::append), but gives [`WriteError::Busy`] at once where too many requests wait.
    pub fn try_append(&self, events: &[Event<'_>], mode: AppendMode) -> Result<Vec<Outcome>, WriteError> {
        let (reply, answer) = channel();
        let requests = self.inner.requests.as_ref().ok_or(WriteError::Closed)?;
        match requests.try_send(Request::Append(Append { events: self.prepared(events), mode, reply })) {
            Ok(()) => answer.recv().unwrap_or(Err(WriteError::Closed)),
            Err(TrySendError::Full(_)) => Err(WriteError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(WriteError::Closed),
        }
    }

    /// What prepares events for [`append_bulk`](Self::append_bulk); each thread has its own.
    pub fn preparer(&self) -> Preparer {
        Preparer::new(self.clone(), usize::MAX)
    }

    /// Takes events of an import: they gather in memory until they fill a segment, or until anything is asked that must
    /// come after them, such as [`checkpoint`](Self::checkpoint). Only then, on disk, are they answered; being killed before
    /// takes none of them. Waits while the writer is busy.
    pub fn append_bulk(&self, events: PreparedEvents, mode: AppendMode) -> Result<Ticket, WriteError> {
        let (reply, answer) = channel();
        let requests = self.inner.requests.as_ref().ok_or(WriteError::Closed)?;
        let append = Append { events, mode, reply };
        requests.send(Request::Bulk(append)).map_err(|_| WriteError::Closed)?;
        Ok(Ticket(answer))
    }

    /// Takes catalogue rows; later rows replace earlier ones. Durable on `Ok`. A creator's new zone moves the bounds of
    /// its open days, never of sealed ones.
    pub fn put_catalogue(&self, videos: Vec<VideoRow>, creators: Vec<CreatorRow>) -> Result<(), WriteError> {
        self.ask(|reply| Request::Task(Task::Catalogue(videos, creators, reply)))
    }

    /// Seals every creator's days through this one, in the creator's zone. Never unseals.
    pub fn seal_through(&self, day: Day) -> Result<(), WriteError> {
        self.ask(|reply| Request::Task(Task::Seal(Seal::Through(day), reply)))
    }

    /// Seals every day that ended at or before an instant: the wall clock minus the allowed lateness.
    pub fn seal_ended_by(&self, instant: Timestamp) -> Result<(), WriteError> {
        self.ask(|reply| Request::Task(Task::Seal(Seal::EndedBy(instant), reply)))
    }

    /// Seals the days of single creators. Never unseals.
    pub fn seal_creators(&self, days: Vec<(CreatorOrd, Day)>) -> Result<(), WriteError> {
        self.ask(|reply| Request::Task(Task::Seal(Seal::Creators(days), reply)))
    }

    /// Moves the whole log into a segment now. Happens by itself as the log grows.
    pub fn checkpoint(&self) -> Result<(), WriteError> {
        self.ask(|reply| Request::Task(Task::Checkpoint(reply)))
    }

    /// Removes the rows of sealed days before this one; summaries keep the sums of those days, and the numbers of their
    /// viewers, for ever. Days that are still open wait for a later call, and days that nobody has sealed are never taken.
    /// Never goes back: an earlier day than before does nothing more than the last one. Every segment that holds such rows
    /// is written again, beside readers and writers, so calling this once a week costs less than once a day.
    pub fn expire_before(&self, day: Day) -> Result<Expired, WriteError> {
        let shared = &self.inner.shared;
        for _ in 0..EXPIRY_TRIES {
            let _one_at_a_time = shared.pause_merging();
            self.checkpoint()?;
            let snapshot = self.snapshot();
            let Some(expiry) = Expiry::prepare(shared, &snapshot, day)? else {
                return Ok(Expired { rows: 0, segments: 0, rows_from: snapshot.rows_from() });
            };
            let done = expiry.done;
            if self.ask(|reply| Request::Task(Task::Expire(Box::new(expiry), reply)))? {
                // The last reader of the old segments, unless a question is being answered from them.
                drop(snapshot);
                self.ask(|reply| Request::Task(Task::Sweep(reply)))?;
                return Ok(done);
            }
        }
        Err(WriteError::Busy)
    }

    /// Reads everything and checks it: checksums, order, rollups and audiences against rows, counts against each other.
    pub fn verify(&self) -> Result<VerifyReport, VerifyError> {
        let (reply, answer) = channel();
        let requests = self.inner.requests.as_ref().ok_or(VerifyError::Closed)?;
        requests.send(Request::Task(Task::Verify(reply))).map_err(|_| VerifyError::Closed)?;
        answer.recv().unwrap_or(Err(VerifyError::Closed))
    }

    /// What the noise key was bound by, if it was.
    pub fn noise_key_check(&self) -> Option<[u8; 16]> {
        self.snapshot().noise_key_check
    }

    /// Remembers for ever by what the noise key can be told, so that a lost or other key is noticed. Durable on `Ok`; the
    /// same once more is fine, another is refused.
    pub fn bind_noise_key(&self, check: [u8; 16]) -> Result<(), WriteError> {
        self.ask(|reply| Request::Task(Task::BindNoiseKey(check, reply)))
    }

    /// Does the merges that are due, here and now, so that what follows them need not be done twice.
    pub(crate) fn merge_due(&self) -> Result<(), WriteError> {
        self.checkpoint()?;
        let Inner { shared, options, requests, .. } = self.inner.as_ref();
        if let Some(requests) = requests.as_ref().filter(|_| options.merges) {
            let never = AtomicBool::new(false);
            merger::merge_due(shared, requests, &never, merger::levels(options), || Pace::Now);
        }
        Ok(())
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    /// The data directory; `None` in memory.
    pub(crate) fn dir(&self) -> Option<&Path> {
        self.inner.dir.as_deref()
    }

    pub(crate) fn options(&self) -> &Options {
        &self.inner.options
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.inner.secret
    }

    pub(crate) fn pseudonym(&self, viewer: &ViewerId<'_>) -> Pseudonym {
        self.inner.secret.pseudonym(viewer.as_str())
    }

    fn prepared(&self, events: &[Event<'_>]) -> PreparedEvents {
        Preparer::new(self.clone(), events.len()).prepare(events)
    }

    pub(crate) fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, WriteError> {
        let (reply, answer) = channel();
        let requests = self.inner.requests.as_ref().ok_or(WriteError::Closed)?;
        requests.send(request(reply)).map_err(|_| WriteError::Closed)?;
        answer.recv().unwrap_or(Err(WriteError::Closed))
    }
}

/// The map under an in-memory store.
#[derive(Clone, Default)]
pub struct MemoryMap(Memory);

impl MemoryMap {
    /// A map of these keys and values.
    pub fn from_entries(entries: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Self {
        Self(Arc::new(std::sync::Mutex::new(entries.into_iter().collect())))
    }

    /// Every key and value, in order.
    pub fn entries(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let map = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        map.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The merger first: it may wait for the writer, and the writer lives as long as anyone can ask it.
        if let Some(merger) = self.merger.take() {
            merger.stop();
        }
        drop(self.requests.take());
        let _ = self.writer.take().map(JoinHandle::join);
    }
}
