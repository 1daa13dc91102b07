//! Checkpoints: the whole log becomes a segment, runs and a catalogue part, in one commit.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use super::Writer;
use crate::catalogue::Catalogue;
use crate::kv::{Batch, Kv};
use crate::object::{ObjectRef, ReadError};
use crate::row::Row;
use crate::secret::{Fingerprint, Pseudonym};
use crate::segment::Segment;
use crate::segment_writer::SegmentWriter;
use crate::sorted;
use crate::store::WriteError;
use crate::tail::Tail;

/// Commits in the log before it is moved into a segment, however short they are: the root lists each.
const LOG_OBJECTS_MAX: usize = 1_024;

/// What a checkpoint adds to segments and runs, each sorted.
pub(super) struct Checkpoint {
    pub(super) rows: Vec<Row>,
    pub(super) fingerprints: Vec<(Fingerprint, u32)>,
    pub(super) viewers: Vec<(Pseudonym, u32)>,
    /// Whether the segment is merged before anybody asks it.
    pub(super) is_bare: bool,
}

/// Bytes that so many rows take, with their share of runs: an upper bound to check free space by.
pub(crate) fn checkpoint_bytes(rows: usize) -> u64 {
    (rows as u64).saturating_mul(64) + (1 << 20)
}

impl Writer {
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
        checkpoint_bytes(self.tail.len())
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
        let mut rows: Vec<Row> = self.tail.rows().copied().collect();
        sorted::sort_rows(&mut rows, &mut Vec::new());
        let mut fingerprints: Vec<(Fingerprint, u32)> = self.tail_fingerprints.drain().map(|it| (it, 0)).collect();
        fingerprints.sort_unstable();
        let mut viewers: Vec<(Pseudonym, u32)> = self.tail_viewers.drain().collect();
        viewers.sort_unstable();
        self.write_segment(&Checkpoint { rows, fingerprints, viewers, is_bare: false })
    }

    /// Writes everything that is new, and all that changed in the catalogue, in one commit that empties the log.
    pub(super) fn write_segment(&mut self, new: &Checkpoint) -> Result<(), WriteError> {
        let (shared, kv) = (self.shared.clone(), self.kv.clone());
        // Numbered here, so that equal stores are written alike.
        let number = |is_empty: bool| if is_empty { 0 } else { shared.next_object() };
        let numbers =
            (number(new.rows.is_empty()), number(new.fingerprints.is_empty()), number(new.viewers.is_empty()));
        let erased = self.root.pending_erasures.0.clone();
        let keep = |viewer| !erased.contains(viewer);
        let (catalogue, fingerprints, pseudonyms) = (&self.catalogue, &mut self.fingerprints, &mut self.pseudonyms);
        let (segment, runs) = thread::scope(|scope| {
            let runs = scope.spawn(|| -> Result<_, ReadError> {
                let mut batch = Batch::default();
                let mut unused = fingerprints.add(&kv, &new.fingerprints, |_| true, || numbers.1, &mut batch)?;
                unused.extend(pseudonyms.add(&kv, &new.viewers, keep, || numbers.2, &mut batch)?);
                Ok((unused, batch))
            });
            let segment = write_rows(&kv, numbers.0, catalogue, new);
            (segment, runs.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        let ((segment, mut batch), (replaced, of_runs)) = (segment?, runs?);
        batch.absorb(of_runs);
        self.root.segments.extend(segment);
        let mut unused = std::mem::take(&mut self.root.log);
        unused.extend(replaced);
        self.root.fingerprints = self.fingerprints.listed().to_vec();
        self.root.pseudonyms = self.pseudonyms.listed().to_vec();
        let dirty = std::mem::take(&mut self.dirty);
        let number = || shared.next_object();
        unused.extend(self.parts.add(&kv, &self.catalogue, &dirty, number, &mut batch).map_err(ReadError::from)?);
        self.root.catalogue = self.parts.listed();

        shared.garbage.unused(unused);
        self.commit_root(batch)?;
        if let Some(&listed) = self.root.segments.last().filter(|_| !new.rows.is_empty()) {
            let segment = Segment::open(&kv, &shared.cache, &shared.garbage, listed)?;
            self.segments.push(Arc::new(segment));
        }
        self.tail = Tail::default();
        self.publish();
        Ok(())
    }
}

/// Writes sorted rows as a segment, if there are any, and gives what must be committed with the root that lists it.
fn write_rows(
    kv: &Kv,
    number: u64,
    catalogue: &Catalogue,
    new: &Checkpoint,
) -> Result<(Option<ObjectRef>, Batch), ReadError> {
    let (rows, mut batch) = (&new.rows, Batch::default());
    if rows.is_empty() {
        return Ok((None, batch));
    }
    let mut segment = SegmentWriter::new(kv, number, new.is_bare);
    for span in rows.chunk_by(|a, b| (a.creator, a.video) == (b.creator, b.video)) {
        if let Some(&Row { creator, video, .. }) = span.first() {
            let duration_ms = video.and_then(|video| catalogue.duration_ms(video));
            segment.push_span(creator, video, duration_ms, span)?;
        }
    }
    Ok((Some(segment.finish(&mut batch)?), batch))
}
