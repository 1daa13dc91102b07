//! Merging segments: several small ones become one larger one, or two with half of the channels each, rollups and audiences
//! computed anew.
//!
//! A merge reads immutable objects and writes a new one, so it runs beside everything else; only listing the result goes
//! through the writer. What the catalogue says now is taken: lengths, for completion, and zones, for days that are still
//! open.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
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
pub(crate) const FAN_IN: usize = 4;

/// At most so many merge at once.
const FAN_IN_MAX: usize = 16;

/// Of an import so many merge at once, so that a row is written again once and not once a level.
const FAN_IN_BULK: usize = 24;

/// While a bulk comes in none merge before there are so many. Those that are left merge afterwards, on the way to fresh files, where
/// what merges now is written once and copied there. What an import leaves that is cut off merges when the store opens.
const WAITING_BULK: usize = 96;

/// No merge makes a longer segment.
const ROWS_MAX: u64 = 1 << 24;

/// What somebody waits for is merged on all cores where it is so many times a full bulk: into two segments, each of other
/// creators than the other, so a question asks one of them.
const BULKS_SPLIT: u64 = 4;

/// By what it is told which segments merge.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Levels {
    /// Rows of the lowest level.
    pub(crate) rows: u32,
    /// Rows of a full bulk.
    pub(crate) bulk_rows: usize,
}

/// When merging goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// In the background, as segments come.
    Steady,
    /// In the background of a bulk.
    Bulk,
    /// Now: somebody waits.
    Now,
}

/// Segments that are to be merged.
pub(crate) struct Due {
    pub(crate) inputs: Vec<Arc<Segment>>,
    /// Segments that are to be written.
    pub(crate) outputs: usize,
}

impl Due {
    pub(crate) fn rows(&self) -> u64 {
        self.inputs.iter().map(|segment| u64::from(segment.rows())).sum()
    }

    /// Which segments to merge next, if any: at least four of one level, the shortest first. Levels are steps of four times
    /// the rows, so a row is written about once a level, however small the segments come in.
    pub(crate) fn of(segments: &[Arc<Segment>], levels: Levels, pace: Pace) -> Option<Self> {
        let level = |rows: u32| (rows / levels.rows.max(1)).max(1).ilog2() / 2;
        let wanted = if pace == Pace::Bulk { WAITING_BULK } else { FAN_IN };
        let mut by_size: Vec<&Arc<Segment>> = segments.iter().collect();
        by_size.sort_by_key(|segment| segment.rows());
        by_size
            .chunk_by(|a, b| level(a.rows()) == level(b.rows()))
            .filter(|same| same.len() >= wanted)
            .map(|same| Self::fitting(same, levels, pace))
            .find(|due| due.inputs.len() >= FAN_IN)
            .or_else(|| if pace == Pace::Bulk { None } else { Self::of_bare(segments, levels, pace) })
    }

    /// As many of the first segments as one merge takes.
    fn fitting(segments: &[&Arc<Segment>], levels: Levels, pace: Pace) -> Self {
        let (fan_in_max, outputs_max) = if pace == Pace::Steady { (FAN_IN_MAX, 1) } else { (FAN_IN_BULK, 2) };
        let mut rows = 0;
        let fits = segments.iter().take(fan_in_max).enumerate().take_while(|(place, segment)| {
            rows += u64::from(segment.rows());
            *place == 0 || rows <= ROWS_MAX * outputs_max as u64
        });
        let due = Self { inputs: fits.map(|(_, &segment)| segment.clone()).collect(), outputs: 1 };
        let is_long = due.rows() >= BULKS_SPLIT.saturating_mul(levels.bulk_rows as u64);
        Self { outputs: if is_long { outputs_max } else { 1 }, ..due }
    }

    /// Segments of nothing but rows, whatever their number: whoever asks them must find their sums.
    pub(crate) fn of_bare(segments: &[Arc<Segment>], levels: Levels, pace: Pace) -> Option<Self> {
        let bare: Vec<_> = segments.iter().filter(|segment| segment.is_bare()).collect();
        (!bare.is_empty()).then(|| Self::fitting(&bare, levels, pace))
    }

    /// All merges that are due now, none of what another one makes.
    pub(crate) fn all(segments: &[Arc<Segment>], levels: Levels) -> Vec<Self> {
        let mut left = segments.to_vec();
        let mut all = Vec::new();
        while let Some(due) = Self::of(&left, levels, Pace::Now) {
            left.retain(|segment| !due.inputs.iter().any(|input| Arc::ptr_eq(input, segment)));
            all.push(due);
        }
        all
    }
}

/// What a merge came to.
pub(crate) enum MergeEnd {
    /// The segments to list, none where no row was left, and what must be committed with the root that lists them.
    Written(Vec<ObjectRef>, Batch),
    /// It was told to stop.
    Stopped,
}

/// What is merged, and where to.
pub(crate) struct Merge<'a> {
    pub(crate) inputs: &'a [Arc<Segment>],
    pub(crate) snapshot: &'a Snapshot,
    /// Where the result is written: the database of the inputs, or a fresh one.
    pub(crate) to: &'a Kv,
    /// Of the objects to write: as many segments of about equal rows, each of other creators than the rest.
    pub(crate) numbers: &'a [u64],
    pub(crate) stop: &'a AtomicBool,
}

/// A creator's rows in one of the inputs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Source {
    creator: CreatorOrd,
    /// Of the input.
    place: usize,
    first_row: u32,
    rows: u32,
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

impl Merge<'_> {
    /// Writes the rows that `keep` holds for. For each segment there are two threads: one reads and sorts, one writes.
    pub(crate) fn run(&self, keep: impl Fn(&Row) -> bool + Sync) -> Result<MergeEnd, ReadError> {
        // Directories of many segments are much memory, and one merge after the other needs them.
        let inputs = self.inputs.iter().map(Segment::apart).collect::<Result<Vec<_>, _>>()?;
        let merge = Merge { inputs: &inputs, ..*self };
        let sources = merge.sources()?;
        let ends = thread::scope(|scope| {
            let shares = split(&sources, merge.numbers.len()).into_iter().zip(merge.numbers);
            let (merge, keep) = (&merge, &keep);
            let all: Vec<_> =
                shares.map(|(share, &number)| scope.spawn(move || merge.write(number, share, keep))).collect();
            // One that fails leaves the others to end by themselves: what they wrote is listed nowhere.
            let ends: Vec<_> =
                all.into_iter().map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic))).collect();
            ends.into_iter().collect::<Result<Vec<_>, _>>()
        })?;
        let (mut outputs, mut batch) = (Vec::new(), Batch::default());
        for end in ends {
            match end {
                MergeEnd::Written(output, rest) => {
                    outputs.extend(output);
                    batch.absorb(rest);
                }
                MergeEnd::Stopped => return Ok(MergeEnd::Stopped),
            }
        }
        Ok(MergeEnd::Written(outputs, batch))
    }

    /// All creators of all inputs, in order.
    fn sources(&self) -> Result<Vec<Source>, ReadError> {
        let mut sources = Vec::new();
        for (place, segment) in self.inputs.iter().enumerate() {
            for creator in segment.creators()? {
                let rows = segment.creator_rows(creator)?.unwrap_or_default();
                sources.push(Source { creator, place, first_row: rows.start, rows: rows.len() as u32 });
            }
        }
        sources.sort_unstable();
        Ok(sources)
    }

    /// Writes the segment of some creators.
    fn write(
        &self,
        number: u64,
        sources: &[Source],
        keep: &(impl Fn(&Row) -> bool + Sync),
    ) -> Result<MergeEnd, ReadError> {
        let mut writer = SegmentWriter::new(self.to, number, false);
        let mut is_empty = true;
        let (parts_out, parts) = sync_channel::<Part>(PARTS_WAITING);
        let (spare_out, spare) = channel();
        let is_whole = thread::scope(|scope| {
            let read = scope.spawn(move || self.read(sources, keep, &parts_out, &spare));
            // Where writing fails, the queue ends with this closure, and reading with the queue.
            for mut part in parts {
                is_empty = false;
                let mut rest = part.rows.as_slice();
                for &(duration_ms, count) in &part.spans {
                    let (span, after) = rest.split_at_checked(count).unwrap_or_default();
                    rest = after;
                    if let Some(&Row { creator, video, .. }) = span.first() {
                        writer.push_span(creator, video, duration_ms, span)?;
                    }
                }
                part.rows.clear();
                part.spans.clear();
                // Nobody takes it once all is read.
                let _ = spare_out.send(part);
            }
            read.join().unwrap_or_else(|panic| resume_unwind(panic))
        })?;
        let mut batch = Batch::default();
        match (is_whole, is_empty) {
            (false, _) => Ok(MergeEnd::Stopped),
            (true, true) => Ok(MergeEnd::Written(Vec::new(), batch)),
            (true, false) => {
                let output = writer.finish(&mut batch)?;
                Ok(MergeEnd::Written(vec![output], batch))
            }
        }
    }

    /// Hands over all rows of some creators in order; `false` where it was told to stop, or nobody takes them any more.
    fn read(
        &self,
        sources: &[Source],
        keep: &impl Fn(&Row) -> bool,
        parts: &SyncSender<Part>,
        spare: &Receiver<Part>,
    ) -> Result<bool, ReadError> {
        let Self { inputs, snapshot, .. } = self;
        let first_row =
            |place| sources.iter().find(|source| source.place == place).map_or(0, |source| source.first_row);
        let mut readers: Vec<RowReader<'_>> =
            inputs.iter().enumerate().map(|(place, segment)| RowReader::from_row(segment, first_row(place))).collect();
        let mut spans: Vec<(Option<VideoOrd>, usize, &VideoSpan)> = Vec::new();
        let mut part = Part::default();
        let mut rows = Vec::new();
        for sources in sources.chunk_by(|a, b| a.creator == b.creator) {
            let Some(&Source { creator, .. }) = sources.first() else { continue };
            spans.clear();
            for &Source { place, .. } in sources {
                let Some(segment) = inputs.get(place) else { continue };
                spans.extend(segment.creator_videos(creator)?.iter().map(|span| (span.video, place, span)));
            }
            spans.sort_unstable_by_key(|&(video, place, _)| (video, place));
            for group in spans.chunk_by(|a, b| a.0 == b.0) {
                let Some(&(video, ..)) = group.first() else { continue };
                if self.stop.load(Ordering::Relaxed) {
                    return Ok(false);
                }
                rows.clear();
                for &(_, place, span) in group {
                    if let Some(reader) = readers.get_mut(place) {
                        reader.take(creator, span, &mut rows)?;
                    }
                }
                rows.retain(keep);
                if rows.is_empty() {
                    continue;
                }
                set_open_days(&snapshot.catalogue, &snapshot.seals, creator, &mut rows);
                // Each input's rows are sorted, and times nearly always decide.
                rows.sort_by(|a, b| a.ts.cmp(&b.ts).then_with(|| a.cmp(b)));
                part.spans.push((video.and_then(|video| snapshot.catalogue.duration_ms(video)), rows.len()));
                part.rows.append(&mut rows);
                if part.rows.len() >= PART_ROWS {
                    let next = spare.try_recv().unwrap_or_default();
                    if parts.send(std::mem::replace(&mut part, next)).is_err() {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(part.rows.is_empty() || parts.send(part).is_ok())
    }
}

/// Cuts creators into `shares` of about equal rows, none of them in two. There may be fewer, and one of no creators.
fn split(sources: &[Source], shares: usize) -> Vec<&[Source]> {
    let mut rows_left: u64 = sources.iter().map(|source| u64::from(source.rows)).sum();
    let mut rest = sources;
    let mut split = Vec::with_capacity(shares);
    for shares_left in (2..=shares as u64).rev() {
        let (wanted, mut taken, mut end) = (rows_left / shares_left, 0, 0);
        for creator in rest.chunk_by(|a, b| a.creator == b.creator) {
            let rows: u64 = creator.iter().map(|source| u64::from(source.rows)).sum();
            // The creator on the border goes where most of it lies.
            if taken + rows / 2 > wanted {
                break;
            }
            taken += rows;
            end += creator.len();
        }
        let (share, after) = rest.split_at_checked(end).unwrap_or_default();
        split.push(share);
        (rest, rows_left) = (after, rows_left - taken);
    }
    split.push(rest);
    split
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use proptest::prelude::*;
    use throng_model::Timestamp;

    use super::*;
    use crate::garbage::Garbage;
    use crate::kv::Memory;
    use crate::store::{MemoryMap, Options, Store};
    use crate::table::ChunkCache;

    /// A database in memory with segments in it.
    struct World {
        kv: Arc<Kv>,
        segments: Vec<Arc<Segment>>,
    }

    impl World {
        /// A segment of each list of rows; every other one is bare.
        fn new(lists: &[Vec<Row>]) -> Self {
            let mut world = Self { kv: Arc::new(Kv::Memory(Memory::default())), segments: Vec::new() };
            for (number, rows) in (0..).zip(lists) {
                let mut rows = rows.clone();
                rows.sort();
                let mut writer = SegmentWriter::new(&world.kv, number, number % 2 == 0);
                for span in rows.chunk_by(|a, b| (a.creator, a.video) == (b.creator, b.video)) {
                    writer.push_span(span[0].creator, span[0].video, None, span).unwrap();
                }
                let mut batch = Batch::default();
                let listed = writer.finish(&mut batch).unwrap();
                world.add(listed, batch);
            }
            world
        }

        fn add(&mut self, listed: ObjectRef, batch: Batch) {
            self.kv.commit(batch).unwrap();
            let (cache, garbage) = (Arc::new(ChunkCache::new(1 << 20)), Arc::new(Garbage::default()));
            self.segments.push(Arc::new(Segment::open(&self.kv, &cache, &garbage, listed).unwrap()));
        }

        /// Merges all into other segments in another database.
        fn merged(&self, outputs: u64) -> Self {
            let store = Store::in_memory(&MemoryMap::default(), &Options::default()).unwrap();
            let (snapshot, stop) = (store.snapshot(), AtomicBool::new(false));
            let numbers: Vec<u64> = (100..100 + outputs).collect();
            let mut world = Self { kv: Arc::new(Kv::Memory(Memory::default())), segments: Vec::new() };
            let to = world.kv.clone();
            let merge = Merge { inputs: &self.segments, snapshot: &snapshot, to: &to, numbers: &numbers, stop: &stop };
            let MergeEnd::Written(listed, batch) = merge.run(|_| true).unwrap() else { panic!("nobody stopped it") };
            to.commit(batch).unwrap();
            listed.into_iter().for_each(|listed| world.add(listed, Batch::default()));
            world
        }

        /// The rows of each segment, as they lie.
        fn rows(&self) -> Vec<Vec<Row>> {
            let rows = |segment: &Arc<Segment>| {
                let mut rows = Vec::new();
                for creator in segment.creators().unwrap() {
                    for span in segment.creator_videos(creator).unwrap() {
                        segment.read_rows(creator, span, &mut rows).unwrap();
                    }
                }
                rows
            };
            self.segments.iter().map(rows).collect()
        }

        /// Views by the rollups.
        fn events(&self) -> u64 {
            let sums = self.segments.iter().flat_map(|segment| segment.day_sums().unwrap());
            sums.map(|(_, tally)| tally[throng_model::Metric::Views]).sum()
        }
    }

    fn row(creator: u32, video: Option<u32>, minute: i64, viewer: u32) -> Row {
        let mut row = Row::blank(CreatorOrd(creator), video.map(VideoOrd));
        row.ts = Timestamp::from_millis(1_772_323_200_000 + minute * 60_000).unwrap();
        row.day = throng_model::Zone::UTC.day_of(row.ts);
        row.kind = throng_model::Kind::View.code();
        row.viewer = viewer;
        row
    }

    fn check(lists: &[Vec<Row>], outputs: u64) {
        let world = World::new(lists).merged(outputs);
        let mut expected: Vec<Row> = lists.concat();
        expected.sort();
        let found = world.rows();
        // One after the other: so no creator is in two of them.
        assert_eq!(found.concat(), expected);
        assert!(found.iter().all(|rows| !rows.is_empty()) && found.len() <= outputs as usize);
        for pair in found.windows(2) {
            assert!(pair[0].last().unwrap().creator < pair[1][0].creator);
        }
        assert!(world.segments.iter().all(|segment| !segment.is_bare()));
        assert_eq!(world.events(), expected.len() as u64);
    }

    proptest! {
        #[test]
        fn a_merge_in_shares_holds_what_one_in_a_piece_does(
            lists in prop::collection::vec(
                prop::collection::vec((0..7_u32, prop::option::of(0..3_u32), 0..4_000_i64, 0..9_u32), 0..40), 1..5),
            outputs in 1..4_u64,
        ) {
            let rows = |fields: &Vec<_>| fields.iter().map(|&(c, v, minute, viewer)| row(c, v, minute, viewer)).collect();
            check(&lists.iter().map(rows).filter(|rows: &Vec<Row>| !rows.is_empty()).collect::<Vec<_>>(), outputs);
        }
    }

    /// Reading begins in the middle of a chunk, and shares are about equal though one creator has a third of all rows.
    #[test]
    fn shares_of_many_chunks_are_about_equal() {
        let list = |n: u32| {
            (0..20_000 + n).map(|i| {
                let creator = if i % 3 == 0 { 40 } else { i % 97 };
                row(creator, Some(creator * 10 + i % 7), i64::from(i % 5_000), i % 700)
            })
        };
        let lists = [0, 1, 2].map(|n| list(n).collect::<Vec<_>>());
        check(&lists, 1);
        check(&lists, 2);
        let sizes: Vec<usize> = World::new(&lists).merged(2).rows().iter().map(Vec::len).collect();
        assert!(sizes.iter().all(|&rows| rows > 20_000), "{sizes:?}");
    }

    #[test]
    fn bare_segments_are_due_however_few_they_are() {
        let world = World::new(&[vec![row(0, None, 0, 0)], vec![row(0, None, 1, 0)]]);
        let levels = Levels { rows: 1, bulk_rows: 100 };
        assert!(Due::of(&world.segments, levels, Pace::Bulk).is_none());
        for pace in [Pace::Steady, Pace::Now] {
            let due = Due::of(&world.segments, levels, pace).unwrap();
            assert_eq!(due.inputs.iter().map(|input| input.number()).collect::<Vec<_>>(), [0]);
        }
        assert!(Due::of(&world.merged(1).segments, levels, Pace::Now).is_none());
    }
}
