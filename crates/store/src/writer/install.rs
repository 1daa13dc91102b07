//! Listing segments that were written anew, by a merge, an erasure, an expiry or for a new zone.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Writer;
use crate::kv::Batch;
use crate::merge::{self, Due, Levels, Merge, MergeEnd, Pace};
use crate::merger::merge_into;
use crate::object::{ObjectRef, ReadError};
use crate::requests::Merged;
use crate::row::CreatorOrd;
use crate::segment::Segment;
use crate::snapshot::Snapshot;
use crate::store::WriteError;

impl Writer {
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
        if !self.is_current(&merged) {
            return Ok(false);
        }
        let done = self.try_install(merged, change);
        self.poisoned |= done.is_err();
        done.map(|()| true)
    }

    /// Whether what was merged is listed, and by the zones of now.
    pub(crate) fn is_current(&self, merged: &Merged) -> bool {
        let listed = |object: &ObjectRef| self.root.segments.contains(object);
        merged.zone_epoch == self.zone_epoch && merged.inputs.iter().all(listed)
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

    /// Gives rollups and audiences to segments that an import left bare when it was cut off.
    pub(crate) fn complete(&mut self, levels: Levels) -> Result<(), WriteError> {
        let (shared, never) = (self.shared.clone(), AtomicBool::new(false));
        while let Some(due) = Due::of_bare(&self.segments, levels, Pace::Now) {
            let Some(merged) = merge_into(&self.kv, &shared, &shared.snapshot(), &due, &never)? else { return Ok(()) };
            self.install(merged)?;
        }
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
            let (numbers, never) = ([self.shared.next_object()], AtomicBool::new(false));
            let inputs = std::slice::from_ref(&segment);
            let merge = Merge { inputs, snapshot: &snapshot, to: &self.kv, numbers: &numbers, stop: &never };
            let MergeEnd::Written(outputs, batch) = merge.run(|_| true)? else { continue };
            let inputs = vec![segment.listed()];
            self.install(Merged { inputs, outputs, rows_gone: 0, batch, zone_epoch: self.zone_epoch })?;
        }
        Ok(())
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
