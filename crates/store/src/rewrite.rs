//! Writing segments anew without some of their rows, beside the writer and ahead of being listed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::kv::Batch;
use crate::merge::{Merge, MergeEnd};
use crate::object::ReadError;
use crate::requests::Merged;
use crate::row::Row;
use crate::segment::Segment;
use crate::snapshot::Snapshot;
use crate::writer::Shared;

/// Writes each segment of the snapshot that `concerns` holds for once more, without the rows that `goes` holds for. To be
/// listed in one commit by `Writer::install_with`, which refuses it where the segments changed meanwhile: so the caller
/// holds `Shared::pause_merging` from before the snapshot until then, and tries again where a zone changed.
pub(crate) fn rewrite(
    shared: &Shared,
    snapshot: &Snapshot,
    concerns: impl Fn(&Segment) -> Result<bool, ReadError>,
    goes: impl Fn(&Row) -> bool + Sync,
) -> Result<Merged, ReadError> {
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    let rows_gone = AtomicU64::new(0);
    let never = AtomicBool::new(false);
    for segment in snapshot.segments() {
        if !concerns(segment)? {
            continue;
        }
        snapshot.kv.check_space(u64::from(segment.rows()).saturating_mul(64))?;
        let keep = |row: &Row| {
            let stays = !goes(row);
            rows_gone.fetch_add(u64::from(!stays), Ordering::Relaxed);
            stays
        };
        let (kv, numbers) = (&snapshot.kv, [shared.next_object()]);
        let merge = Merge { inputs: std::slice::from_ref(segment), snapshot, to: kv, numbers: &numbers, stop: &never };
        let merged = merge.run(keep)?;
        inputs.push(segment.listed());
        if let MergeEnd::Written(written, batch) = merged {
            // What no root lists yet does no harm, and would fill the memory.
            kv.commit(batch)?;
            outputs.extend(written);
        }
    }
    Ok(Merged {
        inputs,
        outputs,
        rows_gone: rows_gone.into_inner(),
        batch: Batch::default(),
        zone_epoch: snapshot.zone_epoch,
    })
}
