//! The writer's state and its steps: take requests, commit them together, move the log into segments.
//!
//! One thread owns this. A commit is: one log object (rows, fingerprints, new viewers, catalogue changes) and the new
//! root, in one atomic batch; then the generation file; then the snapshot is published; then the callers are answered.
//! A checkpoint turns the whole log into a segment, runs and a catalogue part, with the root that lists them instead.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use roaring::RoaringBitmap;
use throng_model::{Day, Zone};

use crate::append::{AppendMode, Outcome, Prepared};
use crate::catalogue::Catalogue;
use crate::codec::{DamageError, Last};
use crate::garbage::Garbage;
use crate::generation::{Acknowledged, GenerationFile};
use crate::kv::{Batch, Kv};
use crate::merge::{self, MergeEnd};
use crate::object::{ItemSpan, Object, ObjectRef, ObjectWriter, ReadError};
use crate::parts::{Changes, Parts};
use crate::past::PastRecord;
use crate::requests::Merged;
use crate::root::{LogRecord, ROOT_KEY, Root, pack_record, unpack_record};
use crate::row::{CreatorOrd, Row, RowChunk};
use crate::run::Runs;
use crate::secret::{Fingerprint, Pseudonym, RandomKeys};
use crate::segment::Segment;
use crate::segment_writer::SegmentWriter;
use crate::snapshot::{Snapshot, sealed_through};
use crate::store::WriteError;
use crate::summary::Summary;
use crate::table::ChunkCache;
use crate::tail::Tail;

/// Commits in the log before it is moved into a segment, however short they are: the root lists each.
const LOG_OBJECTS_MAX: usize = 1_024;

/// Viewers whose ordinals stay at hand.
const VIEWER_CACHE_MAX: usize = 1 << 20;

/// What readers and the merger share with the writer.
pub(crate) struct Shared {
    pub(crate) cache: Arc<ChunkCache>,
    pub(crate) garbage: Arc<Garbage>,
    pub(crate) next_object: AtomicU64,
    pub(crate) snapshot: RwLock<Arc<Snapshot>>,
    /// Held while segments are written anew beside the writer, so that no two jobs take the same ones.
    merging: Mutex<()>,
}

impl Shared {
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn next_object(&self) -> u64 {
        self.next_object.fetch_add(1, Ordering::Relaxed)
    }

    /// Waits for the merge under way, if any; none begins until the guard is dropped. The writer never waits for it.
    pub(crate) fn pause_merging(&self) -> MutexGuard<'_, ()> {
        self.merging.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) kv: Arc<Kv>,
    pub(crate) root: Root,
    generation_file: Option<GenerationFile>,
    checkpoint_rows: usize,
    catalogue: Catalogue,
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) summaries: Vec<Arc<Summary>>,
    parts: Parts,
    pub(crate) tail: Tail,
    tail_fingerprints: HashSet<Fingerprint, RandomKeys>,
    /// Viewers that no run holds yet.
    tail_viewers: HashMap<Pseudonym, u32, RandomKeys>,
    pub(crate) viewer_cache: HashMap<Pseudonym, u32, RandomKeys>,
    fingerprints: Runs<10>,
    pub(crate) pseudonyms: Runs<16>,
    /// Changed since the last checkpoint.
    dirty: Changes,
    /// Grows when a zone changes: a merge that began before must not be listed.
    zone_epoch: u64,
    pub(crate) poisoned: bool,
}

/// What one commit adds, gathered over several requests.
#[derive(Default)]
pub(crate) struct Pending {
    rows: Vec<Row>,
    fingerprints: Vec<Fingerprint>,
    viewers: Vec<Pseudonym>,
    changes: Changes,
    /// Sealed days that got rows.
    reopened: BTreeSet<(CreatorOrd, Day)>,
    seals_changed: bool,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.changes.creators.is_empty()
            && self.changes.videos.is_empty()
            && !self.seals_changed
    }
}

impl Writer {
    /// Reads everything that the root lists, bar columns and runs, which are read when needed.
    pub(crate) fn restore(
        kv: Arc<Kv>,
        cache: Arc<ChunkCache>,
        root: Root,
        generation_file: Option<GenerationFile>,
        checkpoint_rows: usize,
    ) -> Result<Self, ReadError> {
        let garbage = Arc::new(Garbage::default());
        let mut catalogue = Catalogue::default();
        let parts = Parts::restore(&kv, &root.catalogue, &mut catalogue)?;
        let segments = root
            .segments
            .iter()
            .map(|&object| Segment::open(&kv, &cache, &garbage, object).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        let summaries = root.retention.summaries.iter();
        let summaries = summaries
            .map(|&object| Summary::open(&kv, &cache, &garbage, object).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        let snapshot = Snapshot {
            kv: kv.clone(),
            generation: root.generation,
            catalogue: Catalogue::default(),
            seals: root.seals,
            segments: Vec::new(),
            tail: Tail::default(),
            rows_from: None,
            summaries: Vec::new(),
            zone_epoch: 0,
            epochs: Arc::default(),
            pending_erasures: Arc::default(),
            noise_key_check: None,
        };
        let shared = Shared {
            cache,
            garbage,
            next_object: AtomicU64::new(root.next_object),
            snapshot: RwLock::new(Arc::new(snapshot)),
            merging: Mutex::new(()),
        };
        let mut writer = Self {
            shared: Arc::new(shared),
            kv,
            generation_file,
            checkpoint_rows,
            catalogue,
            segments,
            summaries,
            parts,
            tail: Tail::default(),
            tail_fingerprints: HashSet::default(),
            tail_viewers: HashMap::default(),
            viewer_cache: HashMap::default(),
            fingerprints: Runs::new(root.fingerprints.clone()),
            pseudonyms: Runs::new(root.pseudonyms.clone()),
            dirty: Changes::default(),
            zone_epoch: 0,
            poisoned: false,
            root,
        };
        writer.replay()?;
        writer.publish();
        Ok(writer)
    }

    fn replay(&mut self) -> Result<(), ReadError> {
        let log = self.root.log.clone();
        // The root counts all viewers; those of the log come last.
        let mut records = Vec::with_capacity(log.len());
        for object in log {
            records.push(read_log(&self.kv, object)?);
        }
        let logged: usize = records.iter().map(|record| record.viewers.len()).sum();
        let mut viewer = self.root.viewers.saturating_sub(u32::try_from(logged).unwrap_or(u32::MAX));
        for record in records {
            for creator in record.creators {
                self.dirty.creators.insert(creator.ordinal);
                self.catalogue.restore_creator(creator)?;
            }
            for video in record.videos {
                self.dirty.videos.insert(video.ordinal);
                self.catalogue.restore_video(video)?;
            }
            if let Some(past) = record.past.0 {
                past.restore(&mut self.catalogue)?;
            }
            for pseudonym in record.viewers {
                self.tail_viewers.insert(pseudonym, viewer);
                viewer += 1;
            }
            self.tail_fingerprints.extend(record.fingerprints);
            let mut rows = Vec::new();
            for chunk in &record.rows {
                chunk.decode(&mut rows)?;
            }
            self.tail.push(rows);
        }
        Ok(())
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Takes events into a pending commit.
    pub(crate) fn append(
        &mut self,
        events: &[Prepared],
        mode: AppendMode,
        pending: &mut Pending,
    ) -> Result<Vec<Outcome>, WriteError> {
        let taken = events.iter().map(|event| self.take(event, mode, pending)).collect::<Result<Vec<_>, _>>();
        // Half a batch is in the maps now and in no log.
        self.poisoned |= taken.is_err();
        Ok(taken?)
    }

    fn take(&mut self, event: &Prepared, mode: AppendMode, pending: &mut Pending) -> Result<Outcome, ReadError> {
        let kv = &self.kv;
        if self.tail_fingerprints.contains(&event.fingerprint)
            || self.fingerprints.get(kv, &event.fingerprint)?.is_some()
        {
            return Ok(Outcome::Duplicate);
        }
        if mode == AppendMode::Reopen && self.is_expired(event) {
            return Ok(Outcome::Expired);
        }
        let known_video = event.video.as_ref().and_then(|video| video.find(|id| self.catalogue.video_ord(id)));
        let creator = match &event.creator {
            Some(named) => named.find(|id| self.catalogue.creator_ord(id)).unwrap_or_else(|| {
                let (creator, new) = self.catalogue.intern_creator(named.id());
                if new {
                    pending.changes.creators.insert(creator);
                }
                creator
            }),
            None => match known_video.and_then(|video| self.catalogue.video(video)) {
                Some(entry) => entry.creator,
                None => return Ok(Outcome::UnknownVideo),
            },
        };
        let video = match (&event.video, known_video) {
            (None, _) => None,
            (Some(_), Some(known)) => Some(known),
            (Some(named), None) => {
                let (video, _) = self.catalogue.intern_video(named.id(), creator);
                pending.changes.videos.insert(video);
                Some(video)
            }
        };
        let viewer = self.viewer(&event.viewer, pending)?;
        let (own_day, sealed) = match self.catalogue.creator(creator) {
            Some(entry) => {
                (entry.zone.day_of(event.row.ts), sealed_through(&self.catalogue, &self.root.seals, creator))
            }
            None => (event.row.day, None),
        };
        let is_sealed = sealed.is_some_and(|sealed| own_day <= sealed);
        let late = is_sealed && mode == AppendMode::Normal;
        let day = if late { merge::first_open(sealed) } else { own_day };
        if is_sealed && !late {
            pending.reopened.insert((creator, day));
        }
        self.tail_fingerprints.insert(event.fingerprint);
        pending.fingerprints.push(event.fingerprint);
        pending.rows.push(Row { creator, video, viewer, day, ..event.row });
        Ok(if late { Outcome::Late { creator, day } } else { Outcome::Accepted { creator, day } })
    }

    /// Whether an event's own day is sealed and lies where rows have expired: its sums are closed.
    fn is_expired(&self, event: &Prepared) -> bool {
        let of_video = || {
            let video = event.video.as_ref()?.find(|id| self.catalogue.video_ord(id))?;
            self.catalogue.video(video).map(|entry| entry.creator)
        };
        let creator = match &event.creator {
            Some(named) => named.find(|id| self.catalogue.creator_ord(id)),
            None => of_video(),
        };
        let known = creator.and_then(|creator| Some((creator, self.catalogue.creator(creator)?)));
        let (day, sealed) = match known {
            Some((creator, entry)) => {
                (entry.zone.day_of(event.row.ts), sealed_through(&self.catalogue, &self.root.seals, creator))
            }
            // As a new creator will be.
            None => (Zone::UTC.day_of(event.row.ts), self.root.seals.through(&Zone::UTC)),
        };
        self.root.retention.rows_from() > Some(day) && sealed >= Some(day)
    }

    fn viewer(&mut self, pseudonym: &Pseudonym, pending: &mut Pending) -> Result<u32, ReadError> {
        if let Some(&known) = self.tail_viewers.get(pseudonym).or_else(|| self.viewer_cache.get(pseudonym)) {
            return Ok(known);
        }
        let known = self.pseudonyms.get(&self.kv, pseudonym)?;
        if let Some(known) = known.filter(|&known| !self.root.pending_erasures.0.contains(known)) {
            if self.viewer_cache.len() >= VIEWER_CACHE_MAX {
                self.viewer_cache.clear();
            }
            self.viewer_cache.insert(*pseudonym, known);
            return Ok(known);
        }
        let viewer = self.root.viewers;
        self.root.viewers += 1;
        self.tail_viewers.insert(*pseudonym, viewer);
        pending.viewers.push(*pseudonym);
        Ok(viewer)
    }

    /// Takes catalogue rows into a pending commit. Gives the known creators whose zone changed.
    pub(crate) fn put_catalogue(
        &mut self,
        videos: Vec<throng_model::VideoRow>,
        creators: Vec<throng_model::CreatorRow>,
        pending: &mut Pending,
    ) -> Vec<CreatorOrd> {
        let (catalogue, seals, changes) = (&mut self.catalogue, &self.root.seals, &mut pending.changes);
        let moved = creators.into_iter().filter_map(|row| catalogue.apply_creator(row, seals, changes)).collect();
        for row in videos {
            catalogue.apply_video(row, seals, changes);
        }
        moved
    }

    pub(crate) fn seal_through(&mut self, day: Day, pending: &mut Pending) {
        self.root.seals.seal_through(day);
        pending.seals_changed = true;
    }

    pub(crate) fn seal_ended_by(&mut self, instant: throng_model::Timestamp, pending: &mut Pending) {
        let before = self.root.seals;
        self.root.seals.seal_ended_by(instant);
        pending.seals_changed |= before != self.root.seals;
    }

    pub(crate) fn seal_creator(&mut self, creator: CreatorOrd, day: Day, pending: &mut Pending) {
        self.catalogue.change_creator(creator, |entry| entry.sealed_through = entry.sealed_through.max(Some(day)));
        pending.changes.creators.insert(creator);
    }

    /// Makes a pending commit durable and visible.
    pub(crate) fn commit(&mut self, pending: Pending) -> Result<(), WriteError> {
        if pending.is_empty() {
            return Ok(());
        }
        let Pending { rows, fingerprints, viewers, mut changes, reopened, .. } = pending;
        for &(creator, day) in &reopened {
            self.catalogue.change_creator(creator, |entry| *entry.reopened.entry(day).or_insert(0) += 1);
            changes.creators.insert(creator);
        }
        let record = LogRecord {
            creators: changes.creators.iter().filter_map(|&it| self.catalogue.creator_record(it)).collect(),
            videos: changes.videos.iter().filter_map(|&it| self.catalogue.video_record(it)).collect(),
            viewers,
            fingerprints,
            rows: RowChunk::encode(&rows),
            past: Last(PastRecord::of(
                &self.catalogue,
                changes.creators.iter().copied(),
                changes.videos.iter().copied(),
            )),
        };
        let written = self.write_log(&record);
        self.poisoned |= written.is_err();
        written?;
        self.tail.push(rows);
        self.dirty.creators.append(&mut changes.creators);
        self.dirty.videos.append(&mut changes.videos);
        self.publish();
        Ok(())
    }

    fn write_log(&mut self, record: &LogRecord) -> Result<(), WriteError> {
        let kv = self.kv.clone();
        let mut batch = Batch::default();
        let mut out = ObjectWriter::new(&kv, self.shared.next_object());
        out.put(&pack_record(record)).map_err(ReadError::from)?;
        let object = out.finish((), &mut batch);
        self.root.log.push(object);
        self.commit_root(batch)
    }

    /// Whether the log should be moved into a segment.
    pub(crate) fn is_checkpoint_due(&self) -> bool {
        self.tail.len() >= self.checkpoint_rows || self.root.log.len() >= LOG_OBJECTS_MAX
    }

    /// Whether the log is so long that nothing more may be taken before a checkpoint.
    pub(crate) fn is_log_full(&self) -> bool {
        self.tail.len() >= self.checkpoint_rows.saturating_mul(4) || self.root.log.len() >= LOG_OBJECTS_MAX * 2
    }

    /// Bytes that the next checkpoint may write: an upper bound to check free space by.
    pub(crate) fn checkpoint_bytes(&self) -> u64 {
        (self.tail.len() as u64).saturating_mul(64) + (1 << 20)
    }

    /// Moves the whole log into a segment, runs and a catalogue part.
    pub(crate) fn checkpoint(&mut self) -> Result<(), WriteError> {
        if self.root.log.is_empty() {
            return Ok(());
        }
        let done = self.try_checkpoint();
        self.poisoned |= done.is_err();
        done
    }

    fn try_checkpoint(&mut self) -> Result<(), WriteError> {
        let (shared, kv) = (self.shared.clone(), self.kv.clone());
        let mut batch = Batch::default();
        let mut rows: Vec<Row> = self.tail.rows().copied().collect();
        rows.sort_unstable();
        if !rows.is_empty() {
            let mut segment = SegmentWriter::new(&kv, shared.next_object());
            for span in rows.chunk_by(|a, b| (a.creator, a.video) == (b.creator, b.video)) {
                if let Some(&Row { creator, video, .. }) = span.first() {
                    let duration_ms = video.and_then(|video| self.catalogue.duration_ms(video));
                    segment.push_span(creator, video, duration_ms, span).map_err(ReadError::from)?;
                }
            }
            self.root.segments.push(segment.finish(&mut batch).map_err(ReadError::from)?);
        }
        let mut unused = std::mem::take(&mut self.root.log);

        let mut fingerprints: Vec<(Fingerprint, u32)> = self.tail_fingerprints.drain().map(|it| (it, 0)).collect();
        fingerprints.sort_unstable();
        unused.extend(self.fingerprints.add(&kv, &fingerprints, |_| true, || shared.next_object(), &mut batch)?);
        let mut viewers: Vec<(Pseudonym, u32)> = self.tail_viewers.drain().collect();
        viewers.sort_unstable();
        let erased = self.root.pending_erasures.0.clone();
        let keep = |viewer| !erased.contains(viewer);
        unused.extend(self.pseudonyms.add(&kv, &viewers, keep, || shared.next_object(), &mut batch)?);
        self.root.fingerprints = self.fingerprints.listed().to_vec();
        self.root.pseudonyms = self.pseudonyms.listed().to_vec();
        let dirty = std::mem::take(&mut self.dirty);
        let number = || shared.next_object();
        unused.extend(self.parts.add(&kv, &self.catalogue, &dirty, number, &mut batch).map_err(ReadError::from)?);
        self.root.catalogue = self.parts.listed();

        shared.garbage.unused(unused);
        self.commit_root(batch)?;
        if let Some(&listed) = self.root.segments.last().filter(|_| !rows.is_empty()) {
            let segment = Segment::open(&kv, &shared.cache, &shared.garbage, listed)?;
            self.segments.push(Arc::new(segment));
        }
        self.tail = Tail::default();
        self.publish();
        Ok(())
    }

    /// Lists segments written anew instead of their inputs. `false`: an input is gone or a zone changed since; nothing
    /// happened.
    pub(crate) fn install(&mut self, merged: Merged) -> Result<bool, WriteError> {
        self.install_with(merged, |_, _| Ok(()))
    }

    /// The same, with whatever else is to change in the same commit.
    pub(crate) fn install_with(
        &mut self,
        merged: Merged,
        change: impl FnOnce(&mut Self, &mut Batch) -> Result<(), WriteError>,
    ) -> Result<bool, WriteError> {
        let listed = |object: &ObjectRef| self.root.segments.contains(object);
        if merged.zone_epoch != self.zone_epoch || !merged.inputs.iter().all(listed) {
            return Ok(false);
        }
        let done = self.try_install(merged, change);
        self.poisoned |= done.is_err();
        done.map(|()| true)
    }

    fn try_install(
        &mut self,
        merged: Merged,
        change: impl FnOnce(&mut Self, &mut Batch) -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        let Merged { inputs, outputs, mut batch, .. } = merged;
        change(self, &mut batch)?;
        self.root.segments.retain(|object| !inputs.contains(object));
        self.root.segments.extend(&outputs);
        self.commit_root(batch)?;
        for &input in &inputs {
            self.shared.garbage.retire(input);
        }
        self.segments.retain(|segment| !inputs.contains(&segment.listed()));
        for output in outputs {
            let segment = Segment::open(&self.kv, &self.shared.cache, &self.shared.garbage, output)?;
            self.segments.push(Arc::new(segment));
        }
        self.publish();
        Ok(())
    }

    /// Counts the open days of creators anew after a change of their zones: segments that hold such rows are written again.
    pub(crate) fn rezone(&mut self, creators: &[CreatorOrd]) -> Result<(), WriteError> {
        self.zone_epoch += 1;
        self.checkpoint()?;
        for segment in self.segments.clone() {
            let snapshot = self.shared.snapshot();
            if !has_moved_rows(&segment, creators, &snapshot)? {
                continue;
            }
            let mut batch = Batch::default();
            let number = self.shared.next_object();
            let never = AtomicBool::new(false);
            let inputs = std::slice::from_ref(&segment);
            let keep = |_: &Row| true;
            let merged = merge::merge(&self.kv, number, inputs, &snapshot, keep, &mut batch, &never)?;
            let MergeEnd::Written(output) = merged else { continue };
            let (inputs, outputs) = (vec![segment.listed()], vec![output]);
            self.install(Merged { inputs, outputs, rows_gone: 0, batch, zone_epoch: self.zone_epoch })?;
        }
        Ok(())
    }

    /// Commits the root as it is now, and removes what no snapshot needs any more from the files.
    pub(crate) fn commit_alone(&mut self) -> Result<(), WriteError> {
        let done = self.commit_root(Batch::default());
        self.poisoned |= done.is_err();
        done?;
        self.publish();
        Ok(())
    }

    fn commit_root(&mut self, mut batch: Batch) -> Result<(), WriteError> {
        for object in self.shared.garbage.take() {
            object.keys().for_each(|key| batch.remove(key));
        }
        self.root.generation += 1;
        self.root.next_object = self.shared.next_object.load(Ordering::Relaxed);
        batch.put(ROOT_KEY, self.root.seal());
        self.kv.commit(batch).map_err(ReadError::from)?;
        self.acknowledge()
    }

    /// Says outside the database how far it must have come.
    pub(crate) fn acknowledge(&self) -> Result<(), WriteError> {
        if let Some(file) = &self.generation_file {
            file.write(Acknowledged { generation: self.root.generation, store_id: self.root.store_id })?;
        }
        Ok(())
    }

    /// Remembers the noise key's check; never another one.
    pub(crate) fn bind_noise_key(&mut self, check: [u8; 16]) -> Result<(), WriteError> {
        match self.root.noise_key_check {
            Some(known) if known == check => Ok(()),
            Some(_) => Err(WriteError::OtherNoiseKey),
            None => {
                self.root.noise_key_check = Some(check);
                self.commit_alone()
            }
        }
    }

    pub(crate) fn publish(&self) {
        let snapshot = Snapshot {
            kv: self.kv.clone(),
            generation: self.root.generation,
            catalogue: self.catalogue.clone(),
            seals: self.root.seals,
            segments: self.segments.clone(),
            tail: self.tail.clone(),
            rows_from: self.root.retention.rows_from(),
            summaries: self.summaries.clone(),
            zone_epoch: self.zone_epoch,
            epochs: self.root.epochs(),
            pending_erasures: self.root.pending_erasures.0.clone(),
            noise_key_check: self.root.noise_key_check,
        };
        *self.shared.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }

    /// Fingerprints known: one per row that was ever accepted.
    pub(crate) fn fingerprint_count(&self) -> Result<u64, ReadError> {
        Ok(self.fingerprints.check(&self.kv, |_| {})? + self.tail_fingerprints.len() as u64)
    }

    /// The ordinals of all viewers that can be looked up.
    pub(crate) fn known_viewers(&self) -> Result<RoaringBitmap, ReadError> {
        let mut known: RoaringBitmap = self.tail_viewers.values().copied().collect();
        let mut entries = self.tail_viewers.len() as u64;
        self.pseudonyms.check(&self.kv, |viewer| {
            if !self.root.pending_erasures.0.contains(viewer) {
                known.insert(viewer);
                entries += 1;
            }
        })?;
        if entries != known.len() {
            return Err(DamageError::Malformed("two viewers of one ordinal").into());
        }
        Ok(known)
    }
}

/// Whether any row of these creators counts in another day by the zones of now.
fn has_moved_rows(segment: &Segment, creators: &[CreatorOrd], snapshot: &Snapshot) -> Result<bool, ReadError> {
    let (mut rows, mut moved) = (Vec::new(), Vec::new());
    for &creator in creators {
        for span in segment.creator_videos(creator)? {
            rows.clear();
            segment.read_rows(creator, span, &mut rows)?;
            moved.clone_from(&rows);
            merge::set_open_days(&snapshot.catalogue, &snapshot.seals, creator, &mut moved);
            if rows != moved {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn read_log(kv: &Kv, listed: ObjectRef) -> Result<LogRecord, ReadError> {
    let (object, ()) = Object::open::<()>(kv, listed)?;
    Ok(unpack_record(&object.read(kv, ItemSpan { first: 0, items: listed.data_items })?)?)
}
