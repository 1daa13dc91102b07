//! Rows as columns, a block at a time: from a segment or from the tail.

use std::cell::RefCell;
use std::ops::Range;

use throng_store::{Catalogue, Column, ReadError, Row, Segment, VideoOrd, VideoSpan};

/// Rows per block; the store's chunks are as long, so that a block lies in one of them.
const ROWS_MAX: u32 = 16_384;

/// What to do with the unwanted rows between wanted ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gaps {
    /// Reads many of them too: where most runs would be a few rows, each costs more than some hundred rows more.
    Long,
    /// Reads few of them too, for longer runs.
    Short,
    /// Reads none.
    None,
}

impl Gaps {
    /// The most unwanted rows that are read between two runs of wanted ones.
    fn rows_max(self) -> u32 {
        match self {
            Self::Long => 512,
            Self::Short => 128,
            Self::None => 0,
        }
    }
}

/// Columns of the viewer's traits, the first in the highest bits of [`Block::traits_at`].
const TRAITS: [(Column, u32); 6] = [
    (Column::Country, 32),
    (Column::Region, 16),
    (Column::Age, 12),
    (Column::Gender, 8),
    (Column::Device, 4),
    (Column::Follower, 0),
];

/// Which columns are wanted besides day, kind and viewer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Columns {
    pub(crate) ts: bool,
    pub(crate) watch_ms: bool,
    pub(crate) source: bool,
    pub(crate) traits: bool,
}

/// Rows of one video within a block.
pub(crate) struct Piece {
    pub(crate) rows: Range<usize>,
    pub(crate) video: Option<VideoOrd>,
    /// The video's length now, where known.
    pub(crate) duration_ms: Option<u32>,
    /// The length that the segment's rollups were made with.
    pub(crate) rolled_ms: Option<u32>,
}

/// Some rows. Columns that are not wanted are empty; all others are equally long.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) day: Vec<u32>,
    pub(crate) kind: Vec<u32>,
    pub(crate) viewer: Vec<u32>,
    pub(crate) ts: Vec<i64>,
    pub(crate) watch_ms: Vec<u32>,
    pub(crate) source: Vec<u32>,
    traits: [Vec<u32>; TRAITS.len()],
    /// Together all rows, in order.
    pub(crate) pieces: Vec<Piece>,
}

impl Block {
    /// Rows of the tail that count in wanted days, all columns.
    pub(crate) fn of_rows(rows: &[&Row], catalogue: &Catalogue, wanted: impl Fn(u32) -> bool) -> Self {
        let mut block = Self::default();
        for row in rows {
            let day = u32::from(row.day.number());
            if !wanted(day) {
                continue;
            }
            let place = block.day.len();
            match block.pieces.last_mut() {
                Some(piece) if piece.video == row.video => piece.rows.end += 1,
                _ => block.pieces.push(piece(place..place + 1, row.video, None, catalogue)),
            }
            block.day.push(day);
            block.kind.push(row.kind.into());
            block.viewer.push(row.viewer);
            block.ts.push(row.ts.millis());
            block.watch_ms.push(row.watch_ms);
            block.source.push(row.source.into());
            let traits: [u32; TRAITS.len()] = [
                row.country.into(),
                row.region.into(),
                row.age.into(),
                row.gender.into(),
                row.device.into(),
                row.follower.into(),
            ];
            block.traits.iter_mut().zip(traits).for_each(|(column, value)| column.push(value));
        }
        block
    }

    /// The traits of a row in one number, whose order breaks ties between views of one instant.
    #[inline]
    pub(crate) fn traits_at(&self, row: usize) -> u64 {
        let columns = self.traits.iter().zip(TRAITS);
        columns.map(|(column, (_, shift))| u64::from(column.get(row).copied().unwrap_or(0)) << shift).sum()
    }

    /// A column's values for a piece.
    pub(crate) fn of<'b, T>(column: &'b [T], piece: &Piece) -> &'b [T] {
        column.get(piece.rows.clone()).unwrap_or_default()
    }

    fn clear(&mut self) {
        self.day.clear();
        self.kind.clear();
        self.viewer.clear();
        self.ts.clear();
        self.watch_ms.clear();
        self.source.clear();
        self.traits.iter_mut().for_each(Vec::clear);
        self.pieces.clear();
    }

    fn read(&mut self, segment: &Segment, rows: &Range<u32>, columns: Columns) -> Result<(), ReadError> {
        segment.read(Column::Kind, rows.clone(), &mut self.kind)?;
        segment.read(Column::Viewer, rows.clone(), &mut self.viewer)?;
        if columns.ts {
            segment.read_ts(rows.clone(), &mut self.ts)?;
        }
        if columns.watch_ms {
            segment.read(Column::WatchMs, rows.clone(), &mut self.watch_ms)?;
        }
        if columns.source {
            segment.read(Column::Source, rows.clone(), &mut self.source)?;
        }
        if columns.traits {
            for (values, (column, _)) in self.traits.iter_mut().zip(TRAITS) {
                segment.read(column, rows.clone(), values)?;
            }
        }
        Ok(())
    }
}

fn piece(rows: Range<usize>, video: Option<VideoOrd>, rolled_ms: Option<u32>, catalogue: &Catalogue) -> Piece {
    Piece { rows, video, duration_ms: video.and_then(|video| catalogue.duration_ms(video)), rolled_ms }
}

/// Reads rows of ascending spans of a segment and shows them in blocks. Rows of unwanted days may be among them.
pub(crate) fn scan(
    segment: &Segment,
    spans: &[VideoSpan],
    catalogue: &Catalogue,
    columns: Columns,
    wanted: impl Fn(u32) -> bool,
    each: impl FnMut(&Block),
) -> Result<(), ReadError> {
    scan_runs(segment, spans, catalogue, columns, wanted, Gaps::Short, each)
}

/// The same, where it matters which unwanted rows are among them.
pub(crate) fn scan_runs(
    segment: &Segment,
    spans: &[VideoSpan],
    catalogue: &Catalogue,
    columns: Columns,
    wanted: impl Fn(u32) -> bool,
    gaps: Gaps,
    each: impl FnMut(&Block),
) -> Result<(), ReadError> {
    let days = |rows: Range<u32>, out: &mut Vec<u32>| segment.read(Column::Day, rows, out);
    let read = |block: &mut Block, rows: &Range<u32>| block.read(segment, rows, columns);
    scan_with(spans, catalogue, wanted, gaps, days, read, each)
}

/// Reads day, kind and viewer of so many rows that the store had better not keep them: each chunk once, and all of it.
pub(crate) fn scan_once(
    segment: &Segment,
    spans: &[VideoSpan],
    catalogue: &Catalogue,
    wanted: impl Fn(u32) -> bool,
    gaps: Gaps,
    each: impl FnMut(&Block),
) -> Result<(), ReadError> {
    let chunk = RefCell::new(Chunk::default());
    let days = |rows: Range<u32>, out: &mut Vec<u32>| {
        let mut chunk = chunk.borrow_mut();
        chunk.read(segment, rows.start)?;
        out.extend_from_slice(chunk.day.get(chunk.places(&rows)).unwrap_or_default());
        Ok(())
    };
    let read = |block: &mut Block, rows: &Range<u32>| {
        let chunk = chunk.borrow();
        block.kind.extend_from_slice(chunk.kind.get(chunk.places(rows)).unwrap_or_default());
        block.viewer.extend_from_slice(chunk.viewer.get(chunk.places(rows)).unwrap_or_default());
        Ok(())
    };
    scan_with(spans, catalogue, wanted, gaps, days, read, each)
}

/// The rows of one chunk of the store.
#[derive(Default)]
struct Chunk {
    rows: Range<u32>,
    day: Vec<u32>,
    kind: Vec<u32>,
    viewer: Vec<u32>,
    /// Room for the rows' times.
    times: Vec<i64>,
}

impl Chunk {
    /// Becomes the chunk that a row is in.
    fn read(&mut self, segment: &Segment, row: u32) -> Result<(), ReadError> {
        if self.rows.contains(&row) {
            return Ok(());
        }
        let first = row / ROWS_MAX * ROWS_MAX;
        let rows = first..first.saturating_add(ROWS_MAX).min(segment.rows());
        let columns =
            [(Column::Day, &mut self.day), (Column::Kind, &mut self.kind), (Column::Viewer, &mut self.viewer)];
        // Of no rows, should reading fail.
        self.rows = 0..0;
        for (column, values) in columns {
            values.clear();
            segment.read_once(column, rows.clone(), values, &mut self.times)?;
        }
        self.rows = rows;
        Ok(())
    }

    fn places(&self, rows: &Range<u32>) -> Range<usize> {
        rows.start.saturating_sub(self.rows.start) as usize..rows.end.saturating_sub(self.rows.start) as usize
    }
}

/// `read_days` is told of rows of one chunk at a time, then `read` of runs of them.
fn scan_with(
    spans: &[VideoSpan],
    catalogue: &Catalogue,
    wanted: impl Fn(u32) -> bool,
    gaps: Gaps,
    mut read_days: impl FnMut(Range<u32>, &mut Vec<u32>) -> Result<(), ReadError>,
    mut read: impl FnMut(&mut Block, &Range<u32>) -> Result<(), ReadError>,
    mut each: impl FnMut(&Block),
) -> Result<(), ReadError> {
    let mut block = Block::default();
    let mut days = Vec::new();
    // Spans that follow each other are read as one, however small each is.
    for spans in spans.chunk_by(|a, b| a.rows.end == b.rows.start) {
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else { continue };
        let mut rest = spans;
        let mut row = first.rows.start;
        while row < last.rows.end {
            let end = ((row / ROWS_MAX + 1) * ROWS_MAX).min(last.rows.end);
            days.clear();
            read_days(row..end, &mut days)?;
            block.clear();
            for run in runs(&days, &wanted, gaps) {
                let from = block.day.len();
                block.day.extend_from_slice(days.get(run.start as usize..run.end as usize).unwrap_or_default());
                let rows = row + run.start..row + run.end;
                read(&mut block, &rows)?;
                while rest.first().is_some_and(|span| span.rows.end <= rows.start) {
                    rest = rest.get(1..).unwrap_or_default();
                }
                for span in rest.iter().take_while(|span| span.rows.start < rows.end) {
                    let shared = span.rows.start.max(rows.start)..span.rows.end.min(rows.end);
                    let start = from + (shared.start - rows.start) as usize;
                    let places = start..start + (shared.end - shared.start) as usize;
                    block.pieces.push(piece(places, span.video, span.duration_ms, catalogue));
                }
            }
            if !block.day.is_empty() {
                each(&block);
            }
            row = end;
        }
    }
    Ok(())
}

/// Runs of rows that hold all the wanted ones.
fn runs(days: &[u32], wanted: impl Fn(u32) -> bool, gaps: Gaps) -> Vec<Range<u32>> {
    let mut runs: Vec<Range<u32>> = Vec::new();
    let mut row = 0;
    // A day is usually many rows long: ask once for each run of equal ones.
    for same in days.chunk_by(|a, b| a == b) {
        let end = row + u32::try_from(same.len()).unwrap_or(u32::MAX);
        if same.first().is_some_and(|&day| wanted(day)) {
            match runs.last_mut() {
                Some(run) if row - run.end <= gaps.rows_max() => run.end = end,
                _ => runs.push(row..end),
            }
        }
        row = end;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_hold_every_wanted_row_and_skip_long_gaps() {
        let days: Vec<u32> = [(1, 300), (2, 10), (3, 100), (2, 5), (4, 200), (2, 1)]
            .into_iter()
            .flat_map(|(day, rows)| std::iter::repeat_n(day, rows))
            .collect();
        assert_eq!(runs(&days, |day| day == 2, Gaps::Short), [300..415, 615..616]);
        assert_eq!(runs(&days, |day| day == 2, Gaps::None), [300..310, 410..415, 615..616]);
        assert_eq!(runs(&days, |_| true, Gaps::Short).first(), Some(&(0..616)));
        assert_eq!(runs(&days, |_| false, Gaps::Short), []);
    }
}
