//! Merging segments: several small ones become one larger one, rollups and audiences computed anew.
//!
//! A merge reads immutable objects and writes a new one, so it runs beside everything else; only listing the result goes
//! through the writer. What the catalogue says now is taken: lengths, for completion, and zones, for days that are still
//! open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use throng_model::Day;

use crate::catalogue::Catalogue;
use crate::kv::{Batch, Kv};
use crate::object::{ObjectRef, ReadError};
use crate::root::Seals;
use crate::row::{CreatorOrd, Row, VideoOrd};
use crate::row_reader::RowReader;
use crate::segment::{Segment, VideoSpan};
use crate::segment_writer::SegmentWriter;
use crate::snapshot::{Snapshot, sealed_through};

/// Segments of one level merge when there are this many.
const FAN_IN: usize = 4;

/// At most so many merge at once; and while a bulk comes in none merge before there are so many, so that a row of a long
/// import is written again once and not once a level.
const FAN_IN_BULK: usize = 16;

/// No merge makes a longer segment.
const ROWS_MAX: u64 = 1 << 24;

/// Which segments to merge next, if any: at least four of one level, the shortest first. Levels are steps of four times the
/// rows, from `level_rows` on, so a row is written about once a level, however small the segments come in.
pub(crate) fn choose(segments: &[Arc<Segment>], level_rows: u32, is_bulk: bool) -> Option<Vec<Arc<Segment>>> {
    let level = |rows: u32| (rows / level_rows.max(1)).max(1).ilog2() / 2;
    let wanted = if is_bulk { FAN_IN_BULK } else { FAN_IN };
    let mut by_size: Vec<&Arc<Segment>> = segments.iter().collect();
    by_size.sort_by_key(|segment| segment.rows());
    by_size
        .chunk_by(|a, b| level(a.rows()) == level(b.rows()))
        .filter(|same| same.len() >= wanted)
        .map(|same| {
            let mut rows = 0;
            let fits = same.iter().take(FAN_IN_BULK).take_while(|segment| {
                rows += u64::from(segment.rows());
                rows <= ROWS_MAX
            });
            fits.map(|&segment| segment.clone()).collect::<Vec<_>>()
        })
        .find(|chosen| chosen.len() >= FAN_IN)
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

/// Rows that are handed from reading to writing at once, and how many such parts may wait.
const PART_ROWS: usize = 1 << 15;
const PARTS_WAITING: usize = 2;

/// Rows of some spans, as they are to be written.
#[derive(Default)]
struct Part {
    rows: Vec<Row>,
    /// Length of the video in ms, and how many of the rows are of the span; never none.
    spans: Vec<(Option<u32>, usize)>,
}

/// Writes the rows of `inputs` that `keep` holds for as one segment under `number`. It exists once `batch` is committed
/// with a root that lists what is given back. One thread reads and sorts, this one writes.
pub(crate) fn merge(
    kv: &Kv,
    number: u64,
    inputs: &[Arc<Segment>],
    snapshot: &Snapshot,
    keep: impl Fn(&Row) -> bool + Send,
    batch: &mut Batch,
    stop: &AtomicBool,
) -> Result<MergeEnd, ReadError> {
    let mut writer = SegmentWriter::new(kv, number);
    let mut is_empty = true;
    let (parts_out, parts) = sync_channel::<Part>(PARTS_WAITING);
    let is_whole = thread::scope(|scope| {
        let read = scope.spawn(move || read_parts(inputs, snapshot, keep, &parts_out, stop));
        // Where writing fails, the queue ends with this closure, and reading with the queue.
        for Part { rows, spans } in parts {
            is_empty = false;
            let mut rest = rows.as_slice();
            for (duration_ms, count) in spans {
                let (span, after) = rest.split_at_checked(count).unwrap_or_default();
                rest = after;
                if let Some(&Row { creator, video, .. }) = span.first() {
                    writer.push_span(creator, video, duration_ms, span)?;
                }
            }
        }
        match read.join() {
            Ok(is_whole) => is_whole,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })?;
    match (is_whole, is_empty) {
        (false, _) => Ok(MergeEnd::Stopped),
        (true, true) => Ok(MergeEnd::Empty),
        (true, false) => Ok(MergeEnd::Written(writer.finish(batch)?)),
    }
}

/// Hands over all rows in order; `false` where it was told to stop, or nobody takes them any more.
fn read_parts(
    inputs: &[Arc<Segment>],
    snapshot: &Snapshot,
    keep: impl Fn(&Row) -> bool,
    parts: &SyncSender<Part>,
    stop: &AtomicBool,
) -> Result<bool, ReadError> {
    let mut spans: Vec<(CreatorOrd, Option<VideoOrd>, usize, &VideoSpan)> = Vec::new();
    for (place, segment) in inputs.iter().enumerate() {
        for creator in segment.creators()? {
            let of_creator = segment.creator_videos(creator)?.iter();
            spans.extend(of_creator.map(|span| (creator, span.video, place, span)));
        }
    }
    spans.sort_unstable_by_key(|&(creator, video, place, _)| (creator, video, place));
    let mut readers: Vec<RowReader<'_>> = inputs.iter().map(|segment| RowReader::new(segment)).collect();
    let mut part = Part::default();
    let mut rows = Vec::new();
    for group in spans.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let Some(&(creator, video, ..)) = group.first() else { continue };
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        rows.clear();
        for &(_, _, place, span) in group {
            if let Some(reader) = readers.get_mut(place) {
                reader.take(creator, span, &mut rows)?;
            }
        }
        rows.retain(&keep);
        if rows.is_empty() {
            continue;
        }
        set_open_days(&snapshot.catalogue, &snapshot.seals, creator, &mut rows);
        // Each input's rows are sorted, and times nearly always decide.
        rows.sort_by(|a, b| a.ts.cmp(&b.ts).then_with(|| a.cmp(b)));
        part.spans.push((video.and_then(|video| snapshot.catalogue.duration_ms(video)), rows.len()));
        part.rows.append(&mut rows);
        if part.rows.len() >= PART_ROWS && parts.send(std::mem::take(&mut part)).is_err() {
            return Ok(false);
        }
    }
    Ok(part.rows.is_empty() || parts.send(part).is_ok())
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
