//! Merging segments: several small ones become one larger one, rollups and audiences computed anew.
//!
//! A merge reads immutable objects and writes a new one, so it runs beside everything else; only listing the result goes
//! through the writer. What the catalogue says now is taken: lengths, for completion, and zones, for days that are still
//! open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use throng_model::Day;

use crate::catalogue::Catalogue;
use crate::kv::{Batch, Kv};
use crate::object::{ObjectRef, ReadError};
use crate::root::Seals;
use crate::row::{CreatorOrd, Row, VideoOrd};
use crate::segment::{Segment, VideoSpan};
use crate::segment_writer::SegmentWriter;
use crate::snapshot::{Snapshot, sealed_through};

/// Segments of one level merge when there are this many.
const FAN_IN: usize = 4;

/// Segments of this many rows merge no further.
const ROWS_MAX: u64 = 1 << 24;

/// Which segments to merge next, if any: at least four of one level. Levels are steps of four times the rows, from
/// `level_rows` on, so a row is written about once a level, however small the segments come in.
pub(crate) fn choose(segments: &[Arc<Segment>], level_rows: u32) -> Option<Vec<Arc<Segment>>> {
    let level = |rows: u32| (rows / level_rows.max(1)).max(1).ilog2() / 2;
    let mut by_size: Vec<&Arc<Segment>> = segments.iter().collect();
    by_size.sort_by_key(|segment| segment.rows());
    by_size
        .chunk_by(|a, b| level(a.rows()) == level(b.rows()))
        .filter(|same| same.len() >= FAN_IN)
        .map(|same| same.iter().take(FAN_IN * 4).map(|&segment| segment.clone()).collect::<Vec<_>>())
        .find(|chosen| chosen.iter().map(|segment| u64::from(segment.rows())).sum::<u64>() <= ROWS_MAX)
}

/// What a merge came to.
pub(crate) enum MergeEnd {
    /// The segment to list.
    Written(ObjectRef),
    /// No row was left.
    Empty,
    /// It was told to stop.
    Stopped,
}

/// Writes the rows of `inputs` that `keep` holds for as one segment under `number`. It exists once `batch` is committed
/// with a root that lists what is given back.
pub(crate) fn merge(
    kv: &Kv,
    number: u64,
    inputs: &[Arc<Segment>],
    snapshot: &Snapshot,
    keep: impl Fn(&Row) -> bool,
    batch: &mut Batch,
    stop: &AtomicBool,
) -> Result<MergeEnd, ReadError> {
    let mut spans: Vec<(CreatorOrd, Option<VideoOrd>, &Segment, &VideoSpan)> = Vec::new();
    for segment in inputs {
        for creator in segment.creators()? {
            spans.extend(
                segment.creator_videos(creator)?.iter().map(|span| (creator, span.video, segment.as_ref(), span)),
            );
        }
    }
    spans.sort_by_key(|&(creator, video, ..)| (creator, video));
    let mut writer = SegmentWriter::new(kv, number);
    let mut rows = Vec::new();
    let mut is_empty = true;
    for group in spans.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let Some(&(creator, video, ..)) = group.first() else { continue };
        if stop.load(Ordering::Relaxed) {
            return Ok(MergeEnd::Stopped);
        }
        rows.clear();
        for (_, _, segment, span) in group {
            segment.read_rows(creator, span, &mut rows)?;
        }
        rows.retain(&keep);
        if rows.is_empty() {
            continue;
        }
        is_empty = false;
        set_open_days(&snapshot.catalogue, &snapshot.seals, creator, &mut rows);
        rows.sort_unstable();
        let duration_ms = video.and_then(|video| snapshot.catalogue.duration_ms(video));
        writer.push_span(creator, video, duration_ms, &rows)?;
    }
    Ok(if is_empty { MergeEnd::Empty } else { MergeEnd::Written(writer.finish(batch)?) })
}

/// Counts rows of open days by the creator's zone of now. Rows of sealed days keep theirs.
pub(crate) fn set_open_days(catalogue: &Catalogue, seals: &Seals, creator: CreatorOrd, rows: &mut [Row]) {
    let Some(entry) = catalogue.creator(creator) else { return };
    let sealed = sealed_through(catalogue, seals, creator);
    for row in rows {
        if sealed.is_none_or(|sealed| sealed < row.day) {
            row.day = entry.zone.day_of(row.ts).max(first_open(sealed));
        }
    }
}

/// The first open day after the last sealed one.
pub(crate) fn first_open(sealed: Option<Day>) -> Day {
    sealed.map_or(Day::MIN, Day::next)
}
