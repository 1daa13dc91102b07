//! A sealed day's rows by video: how many views, and who is behind them, up to as many viewers as suffice.

use std::ops::Range;
use std::sync::Arc;

use throng_model::Day;
use throng_store::{Catalogue, CreatorOrd, ReadError, Segment, VideoOrd, VideoSpan};

use crate::block::{Block, Columns, Gaps, Piece, scan, scan_once};
use crate::collect::VIEW;

/// Spans of a segment.
pub(crate) struct Task<'s> {
    segment: &'s Arc<Segment>,
    /// Of videos that are on the channel, and always were.
    pub(crate) whole: Vec<VideoSpan>,
    /// Of videos that were another thing once, each with the channel that its rows are on.
    pub(crate) changed: Vec<(CreatorOrd, VideoSpan)>,
    pub(crate) rows: u32,
}

impl<'s> Task<'s> {
    pub(crate) fn new(segment: &'s Arc<Segment>) -> Self {
        Self { segment, whole: Vec::new(), changed: Vec::new(), rows: 0 }
    }
}

/// Some rows of one video that count in one day.
pub(crate) struct Cell {
    pub(crate) video: VideoOrd,
    pub(crate) day: u32,
    pub(crate) views: u32,
    /// Viewers with any event, ascending, in [`Found::viewers`]; no more than suffice.
    pub(crate) viewers: Range<u32>,
    /// The number of viewers of expired rows.
    pub(crate) expired: u32,
}

/// What one thread has found.
pub(crate) struct Found {
    wanted: Vec<u32>,
    enough: usize,
    pub(crate) cells: Vec<Cell>,
    viewers: Vec<u32>,
}

impl Found {
    pub(crate) fn new(days: &[Day], enough: u64) -> Self {
        let wanted = days.iter().map(|day| u32::from(day.number())).collect();
        Self { wanted, enough: usize::try_from(enough).unwrap_or(usize::MAX), cells: Vec::new(), viewers: Vec::new() }
    }

    pub(crate) fn scan(&mut self, catalogue: &Catalogue, task: &Task<'_>) -> Result<(), ReadError> {
        let wanted = self.wanted.clone();
        let wants = |day: u32| wanted.contains(&day);
        let columns = Columns::default();
        scan_once(task.segment, &task.whole, catalogue, wants, Gaps::Long, |block| {
            self.add(block, |_, _| true);
        })?;
        for (creator, span) in &task.changed {
            let at_home = |video: VideoOrd, day: u32| {
                let day = Day::from_number(day.into()).ok();
                let period = catalogue.video(video).zip(day).and_then(|(entry, day)| entry.on(day));
                period.is_some_and(|period| period.creator == *creator)
            };
            let spans = std::slice::from_ref(span);
            scan(task.segment, spans, catalogue, columns, wants, |block| self.add(block, at_home))?;
        }
        Ok(())
    }

    pub(crate) fn add(&mut self, block: &Block, counts: impl Fn(VideoOrd, u32) -> bool) {
        for piece in &block.pieces {
            let Some(video) = piece.video else { continue };
            let mut from = piece.rows.start;
            for same in Block::of(&block.day, piece).chunk_by(|a, b| a == b) {
                let rows = from..from + same.len();
                from = rows.end;
                let Some(&day) = same.first().filter(|&&day| self.wanted.contains(&day)) else { continue };
                if counts(video, day) {
                    self.add_rows(block, &Piece { rows, ..*piece }, (video, day));
                }
            }
        }
    }

    /// Adds rows of one video and day.
    fn add_rows(&mut self, block: &Block, piece: &Piece, (video, day): (VideoOrd, u32)) {
        let views = Block::of(&block.kind, piece).iter().filter(|&&kind| kind == VIEW).count();
        let start = self.viewers.len();
        self.viewers.extend_from_slice(Block::of(&block.viewer, piece));
        let added = self.viewers.get_mut(start..).unwrap_or_default();
        added.sort_unstable();
        let distinct = dedup(added).min(self.enough);
        self.viewers.truncate(start + distinct);
        let viewers = start as u32..self.viewers.len() as u32;
        self.cells.push(Cell { video, day, views: views as u32, viewers, expired: 0 });
    }

    pub(crate) fn viewers(&self, cell: &Cell) -> &[u32] {
        self.viewers.get(cell.viewers.start as usize..cell.viewers.end as usize).unwrap_or_default()
    }
}

/// Moves the distinct values of a sorted slice to its front; gives their number.
fn dedup(sorted: &mut [u32]) -> usize {
    let mut end = 0;
    for at in 0..sorted.len() {
        if end == 0 || sorted.get(at) != sorted.get(end - 1) {
            sorted.swap(end, at);
            end += 1;
        }
    }
    end
}

/// Shows all cells of each video and day together, video by video.
pub(crate) fn for_each_cell<'f>(found: &'f [Found], mut each: impl FnMut(VideoOrd, u32, &[(&'f Found, &'f Cell)])) {
    let mut cells: Vec<(&Found, &Cell)> =
        found.iter().flat_map(|found| found.cells.iter().map(move |cell| (found, cell))).collect();
    let place = |(_, cell): &(&Found, &Cell)| (cell.video, cell.day);
    // Mostly sorted already, in long runs.
    cells.sort_by_key(place);
    for same in cells.chunk_by(|a, b| place(a) == place(b)) {
        if let Some((_, first)) = same.first() {
            each(first.video, first.day, same);
        }
    }
}
