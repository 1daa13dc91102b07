//! The narrow key-value interface under the store, and the only file that names sled.
//!
//! One atomic, durable batch per commit; reads from any thread. What is known of sled 1.0 alpha and how it is met:
//!
//! - handles are `Send`, not `Sync`, and dropping one flushes: readers borrow handles from a pool that lives as long as
//!   the database;
//! - writers beside node merges can deadlock: one thread applies and flushes every batch;
//! - a flush on a full disk may never return: free space is checked first, and a flush that takes too long poisons the
//!   database for writing;
//! - it panics on some damage, and can hang while it unwinds: opening and writing happen on threads of their own, with a
//!   time limit, and a panic becomes an error;
//! - a damaged metadata log is taken for a shorter one: `kv_log` reads it first, and the generation file tells;
//! - a crash while it opens makes it lose everything at the opening after the next: `kv_log` mends what it left;
//! - what was written stays in its memory whatever its cache may hold: it is opened again when that becomes too much;
//! - its checksums are not relied on: see `codec` and `object`.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::kv_log;
use crate::patience::may_wait;
use crate::store::Options;

/// Values are 16 to 64 KB, so a node holds few of them; changing this number changes the file format of sled.
const LEAF_FANOUT: usize = 4;

type Db = sled::Db<LEAF_FANOUT>;
type Tree = sled::Tree<LEAF_FANOUT>;

/// Why the key-value layer failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KvError {
    /// Reading or writing failed, or the files are damaged.
    #[error("the key-value files could not be used: {0}")]
    Io(#[source] std::io::Error),
    /// Another process has the store open.
    #[error("another process has the store open")]
    Locked,
    /// The database gave up inside.
    #[error("the key-value files are damaged: {0}")]
    Panicked(String),
    /// One of the database's own files is damaged.
    #[error("the key-value files are damaged: {0}")]
    Damaged(String),
    /// What is asked for is not in memory, and this thread must not wait; see [`without_waiting`](crate::without_waiting).
    #[error("not in memory, and this thread must not wait")]
    WouldWait,
    /// An earlier write failed or hung; nothing more is written until the store is opened again.
    #[error("an earlier write failed; open the store again")]
    Poisoned,
    /// Too little room on the disk to write safely.
    #[error("disk full: {free_bytes} bytes free, {needed_bytes} needed to write safely")]
    DiskFull {
        /// Free bytes.
        free_bytes: u64,
        /// Bytes that the write may take.
        needed_bytes: u64,
    },
}

/// Puts and removes that take effect together.
#[derive(Default)]
pub(crate) struct Batch {
    writes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: u64,
}

impl Batch {
    pub(crate) fn put(&mut self, key: impl Into<Vec<u8>>, value: Vec<u8>) {
        self.bytes += value.len() as u64;
        self.writes.insert(key.into(), Some(value));
    }

    pub(crate) fn remove(&mut self, key: impl Into<Vec<u8>>) {
        self.writes.insert(key.into(), None);
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.writes.extend(other.writes);
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// A key-value database.
pub(crate) enum Kv {
    /// On disk.
    Disk(Box<Disk>),
    /// In memory, for tests of everything above; shared by whoever holds the same map.
    Memory(Memory),
}

/// The map of an in-memory database; a second [`Kv`] over the same map is a restart.
pub(crate) type Memory = Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>;

impl Kv {
    /// The value of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, KvError> {
        self.get_with(key, <[u8]>::to_vec)
    }

    /// What is made of the value of a key, without a copy of it.
    pub(crate) fn get_with<T>(&self, key: &[u8], make: impl FnOnce(&[u8]) -> T) -> Result<Option<T>, KvError> {
        match self {
            Self::Disk(disk) => disk.read(|tree| Ok(tree.get(key)?.map(|value| make(&value)))),
            Self::Memory(map) => Ok(lock(map).get(key).map(|value| make(value))),
        }
    }

    /// The first key at or after one.
    pub(crate) fn first_key_from(&self, from: &[u8]) -> Result<Option<Vec<u8>>, KvError> {
        match self {
            Self::Disk(disk) => disk.read(|tree| {
                let next = tree.range::<Vec<u8>, _>(from.to_vec()..).next().transpose()?;
                Ok(next.map(|(key, _)| key.to_vec()))
            }),
            Self::Memory(map) => Ok(lock(map).range(from.to_vec()..).next().map(|(key, _)| key.clone())),
        }
    }

    /// Applies a batch atomically; on `Ok` it survives power loss.
    pub(crate) fn commit(&self, batch: Batch) -> Result<(), KvError> {
        match self {
            Self::Disk(disk) => disk.commit(batch),
            Self::Memory(map) => {
                let mut map = lock(map);
                for (key, value) in batch.writes {
                    match value {
                        Some(value) => map.insert(key, value),
                        None => map.remove(&key),
                    };
                }
                Ok(())
            }
        }
    }

    /// Fails when writing `bytes` might fill the disk.
    pub(crate) fn check_space(&self, bytes: u64) -> Result<(), KvError> {
        match self {
            Self::Disk(disk) => disk.check_space(bytes),
            Self::Memory(_) => Ok(()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often a locked database is tried again, and how long after.
const LOCKED_TRIES: u32 = 5;
const LOCKED_WAIT: Duration = Duration::from_millis(100);

/// sled in a directory.
pub(crate) struct Disk {
    dir: PathBuf,
    free_min_bytes: u64,
    flush_timeout: Duration,
    handles: Arc<Handles>,
    requests: Mutex<Option<Requests>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    poisoned: AtomicBool,
}

/// Handles at rest. The template is cloned when all are busy; there is none while the database is closed.
#[derive(Default)]
struct Handles {
    template: Mutex<Option<Tree>>,
    idle: Mutex<Vec<Tree>>,
    /// Held for reading while a handle is in use.
    in_use: RwLock<()>,
}

struct Requests {
    batches: Sender<Batch>,
    done: Receiver<Result<(), KvError>>,
}

impl Disk {
    pub(crate) fn open(dir: &Path, options: &Options) -> Result<Self, KvError> {
        let timeout = options.flush_timeout;
        let db = open_patiently(dir, timeout)?;
        let handles = Arc::new(Handles { template: Mutex::new(Some(Tree::clone(&db))), ..Handles::default() });
        let (batches, batches_in) = channel();
        let (done_out, done) = channel();
        let mut open = Writing {
            db,
            dir: dir.to_owned(),
            timeout,
            handles: handles.clone(),
            written: HashMap::new(),
            written_bytes: 0,
            written_bytes_max: options.written_bytes_max,
        };
        let writer = std::thread::Builder::new()
            .name("throng-kv".into())
            .spawn(move || {
                for batch in batches_in {
                    if done_out.send(open.write(batch)).is_err() {
                        return;
                    }
                    if open.written_bytes > open.written_bytes_max {
                        open = match open.reopen() {
                            Ok(open) => open,
                            Err(error) => {
                                tracing::error!(%error, "the key-value files could not be opened again");
                                return;
                            }
                        };
                    }
                }
            })
            .map_err(KvError::Io)?;
        Ok(Self {
            dir: dir.to_owned(),
            free_min_bytes: options.disk_free_min_bytes,
            flush_timeout: timeout,
            handles,
            requests: Mutex::new(Some(Requests { batches, done })),
            writer: Mutex::new(Some(writer)),
            poisoned: AtomicBool::new(false),
        })
    }

    fn read<T>(&self, read: impl FnOnce(&Tree) -> std::io::Result<T>) -> Result<T, KvError> {
        if !may_wait() {
            return Err(KvError::WouldWait);
        }
        let _in_use = self.handles.in_use.read().unwrap_or_else(PoisonError::into_inner);
        let pooled = lock(&self.handles.idle).pop();
        let tree = match pooled {
            Some(tree) => tree,
            None => lock(&self.handles.template).clone().ok_or(KvError::Poisoned)?,
        };
        let result = catch_unwind(AssertUnwindSafe(|| read(&tree)));
        lock(&self.handles.idle).push(tree);
        match result {
            Ok(result) => result.map_err(KvError::Io),
            Err(panic) => Err(KvError::Panicked(panic_text(panic.as_ref()))),
        }
    }

    fn commit(&self, batch: Batch) -> Result<(), KvError> {
        if self.poisoned.load(Ordering::Acquire) {
            return Err(KvError::Poisoned);
        }
        self.check_space(batch.bytes())?;
        let requests = lock(&self.requests);
        let requests = requests.as_ref().ok_or(KvError::Poisoned)?;
        let result = match requests.batches.send(batch) {
            Ok(()) => self.wait_for(&requests.done),
            Err(_) => Err(KvError::Poisoned),
        };
        if result.is_err() {
            self.poisoned.store(true, Ordering::Release);
        }
        result
    }

    /// Waits for a commit; the time in which the database is opened again, which has a limit of its own, does not count.
    fn wait_for(&self, done: &Receiver<Result<(), KvError>>) -> Result<(), KvError> {
        loop {
            match done.recv_timeout(self.flush_timeout) {
                Err(RecvTimeoutError::Timeout) if self.handles.in_use.try_read().is_err() => {}
                result => return result.unwrap_or(Err(KvError::Poisoned)),
            }
        }
    }

    fn check_space(&self, bytes: u64) -> Result<(), KvError> {
        let stat = rustix::fs::statvfs(&self.dir).map_err(|error| KvError::Io(error.into()))?;
        let free_bytes = stat.f_bavail.saturating_mul(stat.f_frsize);
        // sled writes whole nodes: a value drags its neighbours along, and the old copies are freed only afterwards.
        let needed_bytes = self.free_min_bytes.saturating_add(bytes.saturating_mul(3));
        if free_bytes < needed_bytes {
            return Err(KvError::DiskFull { free_bytes, needed_bytes });
        }
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let handles = self.handles.clone();
        let requests = lock(&self.requests).take();
        let writer = lock(&self.writer).take();
        if self.poisoned.load(Ordering::Acquire) {
            // Dropping a handle flushes, and a flush that hung once would hang again.
            std::mem::forget((handles, requests));
            return;
        }
        // Every commit was flushed, so a close that hangs on damaged files loses nothing and is left to itself.
        let (closed, wait) = channel::<()>();
        let close = move || {
            drop(requests);
            let _ = writer.map(JoinHandle::join);
            handles.drop_all();
            drop(closed);
        };
        if std::thread::Builder::new().name("throng-close".into()).spawn(close).is_ok() {
            let _ = wait.recv_timeout(self.flush_timeout);
        }
    }
}

/// Opens on a thread of its own: on some damage the database panics, and then hangs while it unwinds.
fn open_db(dir: PathBuf, timeout: Duration) -> Result<Db, KvError> {
    // The columns are packed already, so the fastest level is enough.
    let config = sled::Config::new().path(dir).flush_every_ms(None).zstd_compression_level(-5);
    let (opened_out, opened) = channel();
    let open = move || {
        let _ = opened_out.send(config.open::<LEAF_FANOUT>());
    };
    let thread = std::thread::Builder::new().name("throng-open".into()).spawn(open).map_err(KvError::Io)?;
    match opened.recv_timeout(timeout) {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::WouldBlock => Err(KvError::Locked),
        Ok(Err(error)) => Err(KvError::Io(error)),
        Err(RecvTimeoutError::Timeout) => Err(KvError::Damaged(format!("opening did not end within {timeout:?}"))),
        Err(RecvTimeoutError::Disconnected) => {
            let panic = thread.join().err();
            Err(KvError::Panicked(panic.map_or_else(String::new, |panic| panic_text(panic.as_ref()))))
        }
    }
}

/// Opens the database once nobody else has it open and what a crash left is mended.
fn open_patiently(dir: &Path, timeout: Duration) -> Result<Db, KvError> {
    // The database's own threads let go of its lock a moment after it was closed.
    let mut tries = 0..LOCKED_TRIES;
    loop {
        match kv_log::prepare(&dir.join("metadata")).and_then(|()| open_db(dir.to_owned(), timeout)) {
            Err(KvError::Locked) if tries.next().is_some() => std::thread::sleep(LOCKED_WAIT),
            opened => return opened,
        }
    }
}

impl Handles {
    fn drop_all(&self) {
        lock(&self.template).take();
        lock(&self.idle).clear();
    }
}

/// What the writing thread has.
struct Writing {
    db: Db,
    dir: PathBuf,
    timeout: Duration,
    handles: Arc<Handles>,
    /// Bytes of each value that was written since the database was opened and is still there.
    written: HashMap<Vec<u8>, usize>,
    written_bytes: usize,
    written_bytes_max: usize,
}

impl Writing {
    fn write(&mut self, batch: Batch) -> Result<(), KvError> {
        let mut writes = sled::Batch::default();
        for (key, value) in batch.writes {
            let (before, now) = match &value {
                Some(value) => (self.written.insert(key.clone(), value.len()), value.len()),
                None => (self.written.remove(&key), 0),
            };
            self.written_bytes = (self.written_bytes + now).saturating_sub(before.unwrap_or_default());
            match value {
                Some(value) => writes.insert(key, value),
                None => writes.remove(key),
            }
        }
        let applied = catch_unwind(AssertUnwindSafe(|| {
            self.db.apply_batch(writes)?;
            self.db.flush().map(drop)
        }));
        match applied {
            Ok(applied) => applied.map_err(KvError::Io),
            Err(panic) => Err(KvError::Panicked(panic_text(panic.as_ref()))),
        }
    }

    /// Closes the database and opens it again; readers wait meanwhile.
    fn reopen(self) -> Result<Self, KvError> {
        let Self { db, dir, timeout, handles, mut written, written_bytes_max, .. } = self;
        let all = handles.in_use.write().unwrap_or_else(PoisonError::into_inner);
        handles.drop_all();
        drop(db);
        let db = open_patiently(&dir, timeout)?;
        *lock(&handles.template) = Some(Tree::clone(&db));
        drop(all);
        written.clear();
        Ok(Self { db, dir, timeout, handles, written, written_bytes: 0, written_bytes_max })
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn both(dir: &Path) -> [Kv; 2] {
        let disk = Disk::open(dir, &Options::default()).unwrap();
        [Kv::Disk(Box::new(disk)), Kv::Memory(Memory::default())]
    }

    #[test]
    fn both_implementations_agree() {
        let dir = tempfile::tempdir().unwrap();
        for kv in both(dir.path()) {
            let mut batch = Batch::default();
            batch.put(*b"b", vec![1; 70_000]);
            batch.put(*b"a", vec![2]);
            kv.commit(batch).unwrap();
            let mut batch = Batch::default();
            batch.remove(*b"a");
            batch.put(*b"c", vec![]);
            kv.commit(batch).unwrap();
            assert_eq!(kv.get(b"a").unwrap(), None);
            assert_eq!(kv.get(b"b").unwrap(), Some(vec![1; 70_000]));
            assert_eq!(kv.first_key_from(b"").unwrap(), Some(b"b".to_vec()));
            assert_eq!(kv.first_key_from(b"b\0").unwrap(), Some(b"c".to_vec()));
            assert_eq!(kv.first_key_from(b"d").unwrap(), None);
        }
    }

    #[test]
    fn a_second_opening_is_refused_while_the_first_lives() {
        let dir = tempfile::tempdir().unwrap();
        let first = Disk::open(dir.path(), &Options::default()).unwrap();
        assert!(matches!(Disk::open(dir.path(), &Options::default()), Err(KvError::Locked)));
        drop(first);
        assert!(Disk::open(dir.path(), &Options::default()).is_ok());
    }

    /// A crash while the database opens leaves its snapshot without a log; the database would lose everything one opening
    /// later.
    #[test]
    fn an_opening_that_was_cut_off_loses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Disk::open(dir.path(), &Options::default()).unwrap();
        let mut batch = Batch::default();
        batch.put(*b"a", vec![1; 70_000]);
        open().commit(batch).unwrap();
        drop(open());
        let logs = || {
            let names = std::fs::read_dir(dir.path().join("metadata")).unwrap().map(|entry| entry.unwrap().path());
            names.filter(|path| path.to_string_lossy().contains("/log_")).collect::<Vec<_>>()
        };
        for opening in 0..3 {
            logs().into_iter().for_each(|log| std::fs::remove_file(log).unwrap());
            for again in 0..2 {
                let kv = Kv::Disk(Box::new(open()));
                assert_eq!(kv.get(b"a").unwrap().map(|value| value.len()), Some(70_000), "{opening} {again}");
            }
        }
    }

    #[test]
    fn what_was_written_leaves_memory_and_stays_readable() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { written_bytes_max: 200_000, ..Options::default() };
        let disk = Disk::open(dir.path(), &options).unwrap();
        let value = |n: u32| vec![n as u8; 10_000];
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let readers = [0, 1].map(|_| {
                scope.spawn(|| {
                    let kv = |n: u32| disk.read(|tree| Ok(tree.get(n.to_be_bytes())?.map(|value| value.len())));
                    let (mut seen, mut reads) = (0, 0);
                    while !done.load(Ordering::Acquire) {
                        if kv(seen).unwrap().is_some() {
                            seen += 1;
                        }
                        assert!(seen == 0 || kv(reads % seen).unwrap() == Some(10_000));
                        reads += 1;
                    }
                    seen
                })
            });
            for n in 0..100_u32 {
                let mut batch = Batch::default();
                batch.put(n.to_be_bytes(), value(n));
                // Replaced at each commit: counts once.
                batch.put(*b"root", value(n));
                disk.commit(batch).unwrap();
            }
            done.store(true, Ordering::Release);
            assert!(readers.into_iter().all(|reader| reader.join().unwrap() > 0));
        });
        drop(disk);
        // Every opening begins a log, and so little fills none.
        let names = std::fs::read_dir(dir.path().join("metadata")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let newest = names.filter_map(|name| u64::from_str_radix(name.strip_prefix("log_")?, 16).ok()).max();
        assert!(newest >= Some(5), "{newest:?}");
        let disk = Disk::open(dir.path(), &options).unwrap();
        for n in 0..100_u32 {
            assert_eq!(disk.read(|tree| tree.get(n.to_be_bytes())).unwrap().unwrap().to_vec(), value(n));
        }
    }

    #[test]
    fn a_write_that_might_fill_the_disk_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { disk_free_min_bytes: u64::MAX / 2, ..Options::default() };
        let disk = Disk::open(dir.path(), &options).unwrap();
        let mut batch = Batch::default();
        batch.put(*b"a", vec![1]);
        assert!(matches!(disk.commit(batch), Err(KvError::DiskFull { .. })));
        assert!(!disk.poisoned.load(Ordering::Acquire));
    }
}
