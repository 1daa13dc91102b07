//! The writer's state and its commits. Its other steps lie in the files below this one, and in `erase`, `copy` and `expire`.
//!
//! One thread owns this. A commit is: one log object (rows, fingerprints, new viewers, catalogue changes) and the new
//! root, in one atomic batch; then the generation file; then the snapshot is published; then the callers are answered.

mod bulk;
mod checkpoint;
mod install;
mod restore;
mod shared;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use roaring::RoaringBitmap;
use throng_model::{Day, Zone};

use crate::append::{AppendMode, Outcome, Prepared, PreparedEvents};
use crate::catalogue::Catalogue;
use crate::codec::{DamageError, Last};
use crate::generation::{Acknowledged, GenerationFile};
use crate::kv::{Batch, Kv};
use crate::merge;
use crate::object::{ObjectWriter, ReadError};
use crate::parts::{Changes, Parts};
use crate::past::PastRecord;
use crate::root::{LogRecord, ROOT_KEY, Root, pack_record};
use crate::row::{CreatorOrd, Row, RowChunk};
use crate::run::Runs;
use crate::secret::{Fingerprint, Pseudonym, RandomKeys};
use crate::segment::Segment;
use crate::snapshot::{Snapshot, sealed_through};
use crate::store::WriteError;
use crate::summary::Summary;
use crate::tail::Tail;

pub(crate) use checkpoint::checkpoint_bytes;
pub(crate) use shared::Shared;

/// Viewers whose ordinals stay at hand.
const VIEWER_CACHE_MAX: usize = 1 << 20;

pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) kv: Arc<Kv>,
    pub(crate) root: Root,
    generation_file: Option<GenerationFile>,
    checkpoint_rows: usize,
    /// Rows of a full bulk, where such ones may be written bare.
    bare_bulk_rows: Option<usize>,
    catalogue: Catalogue,
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) summaries: Vec<Arc<Summary>>,
    parts: Parts,
    pub(crate) tail: Tail,
    tail_fingerprints: HashSet<Fingerprint, RandomKeys>,
    /// Viewers that no run holds yet.
    tail_viewers: HashMap<Pseudonym, u32, RandomKeys>,
    pub(crate) viewer_cache: HashMap<Pseudonym, u32, RandomKeys>,
    pub(crate) fingerprints: Runs<8>,
    pub(crate) pseudonyms: Runs<10>,
    /// Changed since the last checkpoint.
    dirty: Changes,
    /// Grows when a zone changes: a merge that began before must not be listed.
    zone_epoch: u64,
    /// The last commit that brought more than rows of open days; see [`Snapshot::settled_generation`].
    pub(crate) settled_generation: u64,
    pub(crate) poisoned: bool,
    /// Room for the rows of the next bulk: making it anew for each would cost more than sorting them.
    pub(crate) spare_rows: [Vec<Row>; 2],
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

/// By what an event's day is told.
#[derive(Clone)]
struct CreatorDays {
    zone: Zone,
    sealed: Option<Day>,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.changes.creators.is_empty()
            && self.changes.videos.is_empty()
            && !self.seals_changed
    }

    /// Whether there are rows of open days and nothing else: nothing sealed and no name changes.
    fn is_open_rows_only(&self) -> bool {
        self.changes.creators.is_empty()
            && self.changes.videos.is_empty()
            && self.reopened.is_empty()
            && !self.seals_changed
    }
}

impl Writer {
    pub(crate) fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Takes events into a pending commit.
    pub(crate) fn append(
        &mut self,
        events: &PreparedEvents,
        mode: AppendMode,
        pending: &mut Pending,
    ) -> Result<Vec<Outcome>, WriteError> {
        let PreparedEvents { events, names } = events;
        let taken = events.iter().map(|event| self.take(event, names, mode, pending)).collect::<Result<Vec<_>, _>>();
        // Half a batch is in the maps now and in no log.
        self.poisoned |= taken.is_err();
        Ok(taken?)
    }

    fn take(
        &mut self,
        event: &Prepared,
        names: &[Box<str>],
        mode: AppendMode,
        pending: &mut Pending,
    ) -> Result<Outcome, ReadError> {
        let kv = &self.kv;
        if self.tail_fingerprints.contains(&event.fingerprint)
            || self.fingerprints.get(kv, &event.fingerprint)?.is_some()
        {
            return Ok(Outcome::Duplicate);
        }
        let viewer = |writer: &mut Self, pending: &mut Pending| writer.viewer(&event.viewer, pending);
        let outcome = self.place(event, names, mode, pending, Self::days_of, viewer)?;
        if outcome.is_taken() {
            self.tail_fingerprints.insert(event.fingerprint);
            pending.fingerprints.push(event.fingerprint);
        }
        Ok(outcome)
    }

    /// Makes an event that is no duplicate a row, with creator, video, viewer and day.
    fn place(
        &mut self,
        event: &Prepared,
        names: &[Box<str>],
        mode: AppendMode,
        pending: &mut Pending,
        days: impl FnOnce(&Self, CreatorOrd) -> CreatorDays,
        viewer: impl FnOnce(&mut Self, &mut Pending) -> Result<u32, ReadError>,
    ) -> Result<Outcome, ReadError> {
        if mode == AppendMode::Reopen && self.is_expired(event, names) {
            return Ok(Outcome::Expired);
        }
        let known_video = event.video.and_then(|video| video.find(names, |id| self.catalogue.video_ord(id)));
        let creator = match event.creator {
            Some(named) => named.find(names, |id| self.catalogue.creator_ord(id)).unwrap_or_else(|| {
                let (creator, new) = self.catalogue.intern_creator(named.id(names));
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
        let video = match (event.video, known_video) {
            (None, _) => None,
            (Some(_), Some(known)) => Some(known),
            (Some(named), None) => {
                let (video, _) = self.catalogue.intern_video(named.id(names), creator);
                pending.changes.videos.insert(video);
                Some(video)
            }
        };
        let viewer = viewer(self, pending)?;
        let CreatorDays { zone, sealed } = days(self, creator);
        let own_day = zone.day_of(event.row.ts);
        let is_sealed = sealed.is_some_and(|sealed| own_day <= sealed);
        let late = is_sealed && mode == AppendMode::Normal;
        let day = if late { merge::first_open(sealed) } else { own_day };
        if is_sealed && !late {
            pending.reopened.insert((creator, day));
        }
        pending.rows.push(Row { creator, video, viewer, day, ..event.row });
        Ok(if late { Outcome::Late { creator, day } } else { Outcome::Accepted { creator, day } })
    }

    fn days_of(&self, creator: CreatorOrd) -> CreatorDays {
        let zone = self.catalogue.creator(creator).map(|entry| entry.zone.clone()).unwrap_or_default();
        CreatorDays { zone, sealed: sealed_through(&self.catalogue, &self.root.seals, creator) }
    }

    /// Whether an event's own day is sealed and lies where rows have expired: its sums are closed.
    fn is_expired(&self, event: &Prepared, names: &[Box<str>]) -> bool {
        let of_video = || {
            let video = event.video?.find(names, |id| self.catalogue.video_ord(id))?;
            self.catalogue.video(video).map(|entry| entry.creator)
        };
        let creator = match event.creator {
            Some(named) => named.find(names, |id| self.catalogue.creator_ord(id)),
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
    pub(crate) fn commit(&mut self, mut pending: Pending) -> Result<(), WriteError> {
        if pending.is_empty() {
            return Ok(());
        }
        let settled = pending.is_open_rows_only().then_some(self.settled_generation);
        self.count_reopened(&mut pending);
        let Pending { rows, fingerprints, viewers, mut changes, .. } = pending;
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
        self.settled_generation = settled.unwrap_or(self.settled_generation);
        self.tail.push(rows);
        self.dirty.creators.append(&mut changes.creators);
        self.dirty.videos.append(&mut changes.videos);
        self.publish();
        Ok(())
    }

    /// Gives sealed days that got rows a new generation.
    fn count_reopened(&mut self, pending: &mut Pending) {
        for &(creator, day) in &pending.reopened {
            self.catalogue.change_creator(creator, |entry| *entry.reopened.entry(day).or_insert(0) += 1);
            pending.changes.creators.insert(creator);
        }
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
        self.settled_generation = self.root.generation;
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
            settled_generation: self.settled_generation,
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
