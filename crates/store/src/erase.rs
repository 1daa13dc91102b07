//! Erasure: a viewer's name is cut from its rows at once, and the rows go with the next compaction.
//!
//! ```text
//! erase    pseudonym ─╳─ ordinal: look-ups find it no more, its rows still count; durable when answered
//! compact  segments written anew without the rows, runs without the pseudonyms, a new epoch: one commit
//!          ─▶ everything that is listed is copied into a fresh database, which replaces the old one
//! ```
//!
//! Ordinals are never given out again, and a segment written after an erasure has no row of it, but by a merge. So merges
//! pause while a compaction writes, and everything else goes on. A crash leaves the ordinals pending until the last
//! step is done; compacting again does what is left. Fingerprints of events stay: an erased event that is sent again
//! is a duplicate.

use std::sync::Arc;

use roaring::RoaringBitmap;
use throng_model::{Day, ViewerId};

use crate::object::ReadError;
use crate::requests::{Merged, Request, Task};
use crate::rewrite::rewrite;
use crate::root::{EpochRecord, Ordinals};
use crate::row::{Column, CreatorOrd};
use crate::secret::Pseudonym;
use crate::segment::Segment;
use crate::snapshot::{Epoch, sealed_through};
use crate::store::{Store, WriteError};
use crate::writer::Writer;

/// Rows of which the viewers are read at a time.
const SCAN_ROWS: u32 = 1 << 16;

/// What an erasure did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Erased {
    /// Viewers who can be found no more since now.
    pub erased: u64,
    /// Viewers who were erased before, and wait for a compaction.
    pub pending: u64,
    /// Viewers whom the store does not know, or no longer.
    pub unknown: u64,
}

/// What a compaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Compacted {
    /// Erased viewers of whom nothing is left.
    pub viewers: u64,
    /// Rows that went.
    pub rows: u64,
    /// Segments that were written anew.
    pub segments: u64,
    /// The new epoch, where any row went.
    pub epoch: Option<Epoch>,
}

/// Segments without the rows of erased viewers, to be listed.
pub(crate) struct Compaction {
    erased: Arc<RoaringBitmap>,
    rewritten: Merged,
    today: Day,
}

impl Store {
    /// Erases viewers: when this returns, nothing links their ids to their rows any more, also after power loss, and an
    /// event that comes for one of them begins a new viewer. Their rows count until [`compact`](Self::compact).
    pub fn erase(&self, viewers: &[ViewerId<'_>]) -> Result<Erased, WriteError> {
        let pseudonyms = viewers.iter().map(|viewer| self.pseudonym(viewer)).collect();
        self.ask(|reply| Request::Task(Task::Erase(pseudonyms, reply)))
    }

    /// Erased viewers whose rows, or traces in the files, still wait for a compaction.
    pub fn pending_erasures(&self) -> u64 {
        self.snapshot().pending_erasures.len()
    }

    /// Removes all rows of erased viewers and every trace of them from the files, in one step for all readers. `today`
    /// is the UTC day of now. Copies the whole store into a fresh database beside the old one, so as much disk again must
    /// be free; readers and writers go on meanwhile. Does nothing where no erasure is pending; after a failure or crash a
    /// second call does what is left.
    pub fn compact(&self, today: Day) -> Result<Compacted, WriteError> {
        let _one_at_a_time = self.shared().pause_merging();
        loop {
            let snapshot = self.snapshot();
            let erased = snapshot.pending_erasures.clone();
            if erased.is_empty() {
                self.clear_old()?;
                return Ok(Compacted::default());
            }
            let concerns = |segment: &Segment| has_rows_of(segment, &erased);
            let rewritten = rewrite(self.shared(), &snapshot, concerns, |row| erased.contains(row.viewer))?;
            drop(snapshot);
            let compaction = Compaction { erased: erased.clone(), rewritten, today };
            let listed = self.ask(|reply| Request::Task(Task::Compact(compaction, reply)))?;
            // Nothing where a zone changed meanwhile: that wrote segments anew.
            if let Some(done) = listed {
                self.move_to_fresh(erased, &[])?;
                return Ok(done);
            }
        }
    }
}

impl Writer {
    /// Cuts the links from pseudonyms to ordinals.
    pub(crate) fn erase(&mut self, viewers: &[Pseudonym]) -> Result<Erased, WriteError> {
        // From here on every known viewer is in a run, and no row of one of them in the log.
        self.checkpoint()?;
        let mut pending = self.root.pending_erasures.0.as_ref().clone();
        let mut done = Erased::default();
        for pseudonym in viewers {
            *match self.pseudonyms.get(&self.kv, pseudonym)? {
                None => &mut done.unknown,
                Some(viewer) if pending.insert(viewer) => &mut done.erased,
                Some(_) => &mut done.pending,
            } += 1;
        }
        if done.erased > 0 {
            self.viewer_cache.retain(|_, viewer| !pending.contains(*viewer));
            self.root.pending_erasures = Ordinals(Arc::new(pending));
            self.commit_alone()?;
        }
        Ok(done)
    }

    /// Bytes that a compaction writes in the writer's own thread, at most: the runs.
    pub(crate) fn compaction_bytes(&self) -> u64 {
        let keys: u64 = self.root.pseudonyms.iter().map(|run| run.keys).sum();
        keys.saturating_mul(32) + (1 << 20)
    }

    /// Lists segments without the rows of erased viewers, and runs without their pseudonyms. `None`: segments were
    /// written anew meanwhile, and nothing happened.
    pub(crate) fn compact(&mut self, compaction: Compaction) -> Result<Option<Compacted>, WriteError> {
        let Compaction { erased, rewritten, today } = compaction;
        let (rows, segments) = (rewritten.rows_gone, rewritten.inputs.len() as u64);
        let epoch = (rows > 0).then(|| self.next_epoch(today)).transpose()?;
        let listed = self.install_with(rewritten, |writer, batch| {
            let shared = writer.shared.clone();
            let keep = |viewer| !erased.contains(viewer);
            let unused = writer.pseudonyms.retain(&writer.kv, keep, || shared.next_object(), batch)?;
            shared.garbage.unused(unused);
            writer.root.pseudonyms = writer.pseudonyms.listed().to_vec();
            writer.root.rows_erased += rows;
            let records = epoch.map(|Epoch { number, day, nonce }| EpochRecord { number, day: day.number(), nonce });
            writer.root.epochs.extend(records);
            Ok(())
        })?;
        Ok(listed.then_some(Compacted { viewers: erased.len(), rows, segments, epoch }))
    }

    fn next_epoch(&self, today: Day) -> Result<Epoch, WriteError> {
        let catalogue = self.catalogue();
        let creators = (0..catalogue.creator_count()).map(CreatorOrd);
        let newest = creators.filter_map(|creator| sealed_through(catalogue, &self.root.seals, creator)).max();
        let number = self.root.epochs.last().map_or(1, |last| last.number + 1);
        let nonce = getrandom::u64().map_err(|_| WriteError::NoRandom)?;
        Ok(Epoch { number, day: newest.map_or(today, |newest| newest.max(today)), nonce })
    }
}

/// Whether any row of a segment is of one of these viewers.
fn has_rows_of(segment: &Segment, viewers: &RoaringBitmap) -> Result<bool, ReadError> {
    let mut read = Vec::new();
    for start in (0..segment.rows()).step_by(SCAN_ROWS as usize) {
        read.clear();
        segment.read(Column::Viewer, start..segment.rows().min(start + SCAN_ROWS), &mut read)?;
        if read.iter().any(|&viewer| viewers.contains(viewer)) {
            return Ok(true);
        }
    }
    Ok(false)
}
