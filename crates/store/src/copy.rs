//! Copies of the whole store, made beside the writer: objects never change, so whoever holds the garbage back can copy what
//! a root lists at leisure. A backup is such a copy; so is the fresh database that a compaction moves to.

use std::collections::{HashMap, HashSet};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use roaring::RoaringBitmap;

use crate::garbage::Hold;
use crate::generation::{Acknowledged, GenerationFile};
use crate::kv::{Batch, Disk, Kv, KvError};
use crate::merge::Due;
use crate::merger::{self, merge_into};
use crate::object::{FLUSH_BYTES, Object, ObjectRef, ReadError};
use crate::place;
use crate::requests::{Merged, Request, Task};
use crate::root::{Ordinals, ROOT_KEY, Root};
use crate::run::{self, RunRef, Runs};
use crate::secret::sync_parent;
use crate::segment::Segment;
use crate::store::{Options, Store, WriteError};
use crate::summary::Summary;
use crate::writer::{Shared, Writer};

/// What the database needs for itself, in bytes.
const FREED_MIN: u64 = 1 << 18;

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// The last commit that is in it.
    pub generation: u64,
    /// Bytes of all values.
    pub bytes: u64,
}

/// Why a copy could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The target holds something.
    #[error("{path} is not an empty directory: a copy never overwrites")]
    NotEmpty {
        /// The target.
        path: PathBuf,
    },
    /// The store could not be read, or the copy could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// One state of the store, none of whose objects goes while this lives.
pub(crate) struct Held {
    root: Root,
    kv: Arc<Kv>,
    _hold: Hold,
}

/// A fresh database that the writer is to move to.
pub(crate) struct Move {
    /// `None` where the store lies in memory, which keeps no stale bytes.
    pub(crate) fresh: Option<Fresh>,
    /// Viewers of whom nothing is left once the move is done.
    pub(crate) erased: Arc<RoaringBitmap>,
}

/// A database that is being written.
pub(crate) struct Fresh {
    dir: PathBuf,
    options: Options,
    kv: Kv,
    /// What it holds, by number: copies, and what merges wrote.
    objects: HashMap<u64, ObjectRef>,
    merged: Vec<Merged>,
    fingerprints: MergedRuns,
    pseudonyms: MergedRuns,
}

/// Runs that became one; none where there was nothing to merge.
struct MergedRuns {
    inputs: Vec<RunRef>,
    output: Option<RunRef>,
}

impl Store {
    /// Writes everything that is acknowledged into a directory that is empty or absent, as a store of its own that opens
    /// with the same viewer key, and makes it durable. Events go on coming in meanwhile; they are not in it. The keys are
    /// not copied. Erased viewers whom no compaction has removed yet are in it, and still marked as erased. After a failure
    /// the directory holds something that does not open.
    pub fn copy_to(&self, dir: &Path) -> Result<Copied, CopyError> {
        let io = |source| WriteError::files(dir, source);
        std::fs::create_dir_all(dir).map_err(io)?;
        if std::fs::read_dir(dir).map_err(io)?.next().is_some() {
            return Err(CopyError::NotEmpty { path: dir.to_owned() });
        }
        let held = self.hold()?;
        let to = open_disk(&place::current(dir).map_err(io)?, self.options())?;
        let bytes = copy_objects(&held.kv, &to, held.root.objects(), &mut HashMap::new())?;
        let mut batch = Batch::default();
        batch.put(ROOT_KEY, held.root.seal());
        to.commit(batch).map_err(ReadError::from).map_err(WriteError::from)?;
        drop(to);
        place::sync(dir).map_err(io)?;
        // Last: without this file nothing opens the copy.
        let of = Acknowledged { generation: held.root.generation, store_id: held.root.store_id };
        GenerationFile::create(&dir.join("generation"), of).map_err(WriteError::from)?;
        sync_parent(dir).map_err(io)?;
        Ok(Copied { generation: held.root.generation, bytes })
    }

    /// Bytes of all files of the store; 0 where it lies in memory.
    pub fn file_bytes(&self) -> std::io::Result<u64> {
        self.dir().map_or(Ok(0), place::bytes)
    }

    /// Moves the store to a fresh database where more than one `part`-th of what is listed is freed room, and says whether it
    /// did: merging leaves room behind that only values of the same size fill again, and empty nodes that opening passes
    /// over one by one. All that is listed is read and written for it. Readers and writers go on meanwhile. As much disk as
    /// the store needs must be free. First it does the merges that are due: where the store moves, they write to the fresh
    /// database at once.
    pub fn trim(&self, part: NonZero<u64>) -> Result<bool, WriteError> {
        let Some(dir) = self.dir() else { return Ok(false) };
        let moved = self.try_trim(dir, part);
        // What could not be merged on the way, for want of room say, or became due.
        self.merge_due()?;
        moved
    }

    fn try_trim(&self, dir: &Path, part: NonZero<u64>) -> Result<bool, WriteError> {
        let _one_at_a_time = self.shared().pause_merging();
        self.checkpoint()?;
        let snapshot = self.snapshot();
        let options = self.options();
        let due = if options.merges { Due::all(snapshot.segments(), merger::levels(options)) } else { Vec::new() };
        let listed: u64 = self.hold()?.root.objects().map(ObjectRef::bytes_max).sum();
        // Merging here would leave the room of what is merged behind.
        let merged = due.iter().flat_map(|due| &due.inputs).map(|input| input.listed().bytes_max()).sum::<u64>();
        let files = place::current(dir).and_then(|current| place::bytes(&current));
        if files.map_err(|source| WriteError::files(dir, source))? + merged <= listed + listed / part + FREED_MIN {
            return Ok(false);
        }
        self.move_to_fresh(Arc::default(), &due).map(|()| true)
    }

    /// Moves the store to a fresh database, so that nothing is left of what it no longer lists: freed room in the files
    /// of the old one still holds it. Merges on the way; whoever wants that holds `Shared::pause_merging`.
    pub(crate) fn move_to_fresh(&self, erased: Arc<RoaringBitmap>, due: &[Due]) -> Result<(), WriteError> {
        let moved = self.try_move_to_fresh(erased, due);
        if moved.is_err() {
            // Half a copy only takes room. Where this fails too, opening the store does it.
            let _ = self.clear_old();
        }
        moved
    }

    fn try_move_to_fresh(&self, erased: Arc<RoaringBitmap>, due: &[Due]) -> Result<(), WriteError> {
        self.clear_old()?;
        let held = self.hold()?;
        let fresh = self.dir().map(|dir| Fresh::write(dir, self, &held, due)).transpose()?;
        // What the writer still has to copy is listed by its own root.
        drop(held);
        let to = Box::new(Move { fresh, erased });
        self.ask(|reply| Request::Task(Task::Move(to, reply)))
    }

    /// Removes databases that a compaction left.
    pub(crate) fn clear_old(&self) -> Result<(), WriteError> {
        self.dir().map_or(Ok(()), |dir| place::clear(dir).map_err(|source| WriteError::files(dir, source)))
    }

    fn hold(&self) -> Result<Held, WriteError> {
        self.ask(|reply| Request::Task(Task::Hold(reply)))
    }
}

impl Writer {
    pub(crate) fn hold(&self) -> Held {
        Held { root: self.root.clone(), kv: self.kv.clone(), _hold: self.shared.garbage.hold() }
    }

    /// Goes on in a fresh database. What fails before it counts changes nothing.
    pub(crate) fn move_to(&mut self, to: Move) -> Result<(), WriteError> {
        let mut root = self.root.clone();
        root.pending_erasures = Ordinals(Arc::new(root.pending_erasures.0.as_ref() - to.erased.as_ref()));
        let Some(fresh) = to.fresh else {
            self.root = root;
            return self.commit_alone();
        };
        // What was merged of other segments than are listed now is left behind.
        for Merged { inputs, outputs, .. } in fresh.merged.iter().filter(|merged| self.is_current(merged)) {
            root.segments.retain(|object| !inputs.contains(object));
            root.segments.extend(outputs);
        }
        fresh.fingerprints.list_in(&mut root.fingerprints);
        fresh.pseudonyms.list_in(&mut root.pseudonyms);
        root.generation += 1;
        root.next_object = self.shared.next_object.load(Ordering::Relaxed);
        let (dir, options) = (fresh.dir.clone(), fresh.options.clone());
        fresh.finish(&self.kv, &root)?;
        let moved = self.try_move(&dir, &options, root);
        self.poisoned |= moved.is_err();
        moved?;
        // Readers of older snapshots keep the old files open; their names and, with the last reader, their room go.
        place::clear(&dir).map_err(|source| WriteError::files(&dir, source))
    }

    fn try_move(&mut self, dir: &Path, options: &Options, root: Root) -> Result<(), WriteError> {
        let path = place::finished(dir, root.generation);
        let renamed = std::fs::rename(place::unfinished(dir), &path).and_then(|()| sync_parent(&path));
        renamed.map_err(|source| WriteError::files(&path, source))?;
        self.kv = Arc::new(open_disk(&path, options)?);
        self.fingerprints = Runs::new(root.fingerprints.clone());
        self.pseudonyms = Runs::new(root.pseudonyms.clone());
        self.root = root;
        self.settled_generation = self.root.generation;
        self.acknowledge()?;
        let Shared { cache, garbage, .. } = self.shared.as_ref();
        let (kv, listed) = (&self.kv, &self.root);
        let segments = listed.segments.iter().map(|&it| Segment::open(kv, cache, garbage, it).map(Arc::new));
        self.segments = segments.collect::<Result<_, _>>()?;
        let summaries = listed.retention.summaries.iter();
        let summaries = summaries.map(|&it| Summary::open(kv, cache, garbage, it).map(Arc::new));
        self.summaries = summaries.collect::<Result<_, _>>()?;
        self.publish();
        Ok(())
    }
}

impl Fresh {
    /// Writes what is held: of segments that are due to merge and of runs only what they come to.
    fn write(dir: &Path, store: &Store, held: &Held, due: &[Due]) -> Result<Self, WriteError> {
        let kv = open_disk(&place::unfinished(dir), store.options())?;
        let (shared, snapshot, never) = (store.shared(), store.snapshot(), AtomicBool::new(false));
        let inputs = due.iter().flat_map(|due| &due.inputs).map(|input| input.number());
        let (fingerprints, pseudonyms) = (mergeable(&held.root.fingerprints), mergeable(&held.root.pseudonyms));
        let runs = fingerprints.iter().chain(pseudonyms).map(|run| run.object.number);
        let merging: HashSet<u64> = inputs.chain(runs).collect();
        let others = held.root.objects().filter(|object| !merging.contains(&object.number));
        let mut objects = HashMap::new();
        let (copied, merged) = thread::scope(|scope| {
            let copied = scope.spawn(|| -> Result<_, WriteError> {
                let mut batch = Batch::default();
                let fingerprints = MergedRuns::write::<8>(held, fingerprints, &kv, shared.next_object(), &mut batch)?;
                let pseudonyms = MergedRuns::write::<10>(held, pseudonyms, &kv, shared.next_object(), &mut batch)?;
                kv.commit(batch).map_err(ReadError::from)?;
                copy_objects(&held.kv, &kv, others, &mut objects)?;
                Ok((fingerprints, pseudonyms))
            });
            let merged = due.iter().filter_map(|due| merge_into(&kv, shared, &snapshot, due, &never).transpose());
            let merged = merged.collect::<Result<Vec<_>, _>>();
            (copied.join().unwrap_or_else(|panic| resume_unwind(panic)), merged)
        });
        let ((fingerprints, pseudonyms), mut merged) = (copied?, merged?);
        for Merged { outputs, batch, .. } in &mut merged {
            kv.commit(std::mem::take(batch)).map_err(ReadError::from)?;
            objects.extend(outputs.iter().map(|&output| (output.number, output)));
        }
        let runs = fingerprints.output.iter().chain(&pseudonyms.output);
        objects.extend(runs.map(|run| (run.object.number, run.object)));
        Ok(Self {
            dir: dir.to_owned(),
            options: store.options().clone(),
            kv,
            objects,
            merged,
            fingerprints,
            pseudonyms,
        })
    }

    /// Makes it hold just what `root` lists, closes it and makes it durable.
    fn finish(mut self, from: &Kv, root: &Root) -> Result<(), WriteError> {
        copy_objects(from, &self.kv, root.objects(), &mut self.objects)?;
        let listed: HashSet<u64> = root.objects().map(|object| object.number).collect();
        let mut batch = Batch::default();
        // Listed when the copy began, and no longer; or merged in vain.
        let left = self.objects.values().filter(|object| !listed.contains(&object.number));
        left.flat_map(|object| object.keys()).for_each(|key| batch.remove(key));
        batch.put(ROOT_KEY, root.seal());
        self.kv.commit(batch).map_err(ReadError::from)?;
        drop(self.kv);
        let path = place::unfinished(&self.dir);
        place::sync(&path).map_err(|source| WriteError::files(&path, source))
    }
}

impl MergedRuns {
    fn write<const K: usize>(
        held: &Held,
        inputs: &[RunRef],
        to: &Kv,
        number: u64,
        batch: &mut Batch,
    ) -> Result<Self, ReadError> {
        let output = run::write_merged::<K>(&held.kv, inputs, &[], |_| true, to, number, batch)?;
        Ok(Self { inputs: inputs.to_vec(), output })
    }

    /// Lists the output for the inputs, unless they were merged otherwise meanwhile.
    fn list_in(&self, runs: &mut Vec<RunRef>) {
        if runs.starts_with(&self.inputs) {
            runs.splice(..self.inputs.len(), self.output);
        }
    }
}

/// Runs that are worth merging: keys take fewer bits the more of them lie together.
fn mergeable(runs: &[RunRef]) -> &[RunRef] {
    if runs.len() > 1 { runs } else { &[] }
}

fn open_disk(path: &Path, options: &Options) -> Result<Kv, WriteError> {
    let disk = Disk::open(path, options).map_err(ReadError::from)?;
    Ok(Kv::Disk(Box::new(disk)))
}

/// Copies every listed object that is not in `copied` yet, each value checked on the way. Gives the bytes.
fn copy_objects(
    from: &Kv,
    to: &Kv,
    listed: impl Iterator<Item = ObjectRef>,
    copied: &mut HashMap<u64, ObjectRef>,
) -> Result<u64, WriteError> {
    let listed: Vec<_> = listed.filter(|listed| !copied.contains_key(&listed.number)).collect();
    let (mut bytes, mut batch) = (0, Batch::default());
    // One batch is read while the one before is written.
    let (batches, batches_in) = sync_channel(0);
    thread::scope(|scope| {
        let written = scope.spawn(move || batches_in.into_iter().try_for_each(|batch| to.commit(batch)));
        let read = || -> Result<(), ReadError> {
            // Nobody takes a batch once one could not be written, which is told below.
            let hand_over = |batch| batches.send(batch).map_err(|_| KvError::Poisoned);
            for listed in listed {
                Object::copy(from, listed, |key, value| {
                    bytes += value.len() as u64;
                    batch.put(key, value);
                    if batch.bytes() >= FLUSH_BYTES { hand_over(std::mem::take(&mut batch)) } else { Ok(()) }
                })?;
                copied.insert(listed.number, listed);
            }
            Ok(hand_over(std::mem::take(&mut batch))?)
        };
        let read = read();
        drop(batches);
        written.join().unwrap_or_else(|panic| resume_unwind(panic)).map_err(ReadError::from).and(read)
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use throng_model::{
        CreatorId, CreatorRow, Event, EventId, Kind, Source, Timestamp, Traits, VideoId, ViewerId, Zone,
    };

    use super::*;
    use crate::append::AppendMode;
    use crate::merge::{Due, Levels};

    fn event(number: u32) -> Event<'static> {
        Event {
            event_id: EventId::parse(format!("e{number}")).unwrap(),
            ts: Timestamp::from_millis(1_772_323_200_000).unwrap(),
            kind: Kind::View,
            viewer: ViewerId::parse("p").unwrap(),
            creator: Some(CreatorId::parse("c").unwrap()),
            video: Some(VideoId::parse("v").unwrap()),
            watch_ms: number,
            source: Source::ForYou,
            traits: Traits::default(),
        }
    }

    /// Rows move to other days with the zone, so what was written before by the old one must not be listed after.
    #[test]
    fn what_was_merged_before_a_zone_changed_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { merges: false, ..Options::default() };
        let store = Store::open(&dir.path().join("data"), &options).unwrap();
        for number in 0..4 {
            store.append(&[event(number)], AppendMode::Normal).unwrap();
            store.checkpoint().unwrap();
        }
        let due = || Due::all(store.snapshot().segments(), Levels { rows: 1, bulk_rows: 100 });
        let move_to = |due: &[Due], meanwhile: &dyn Fn()| {
            let held = store.hold().unwrap();
            let fresh = Fresh::write(store.dir().unwrap(), &store, &held, due).unwrap();
            drop(held);
            meanwhile();
            let to = Box::new(Move { fresh: Some(fresh), erased: Arc::default() });
            store.ask(|reply| Request::Task(Task::Move(to, reply))).unwrap();
        };
        let creator = CreatorId::parse("c").unwrap();
        let row = CreatorRow {
            creator,
            handle: None,
            time_zone: Zone::parse("America/New_York").unwrap(),
            overlap_with: vec![],
        };
        move_to(&due(), &|| store.put_catalogue(vec![], vec![row.clone()]).unwrap());
        assert_eq!(store.snapshot().segments().len(), 4);
        assert_eq!(store.verify().unwrap().events, 4);
        move_to(&due(), &|| {});
        let snapshot = store.snapshot();
        assert_eq!(snapshot.segments().len(), 1);
        let day = Zone::parse("America/New_York").unwrap().day_of(event(0).ts);
        assert!(snapshot.segments().iter().all(|segment| segment.days().unwrap() == (day, day)));
        assert_eq!(store.verify().unwrap().events, 4);
    }
}
