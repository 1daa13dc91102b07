//! Looks at a video's rows for viewers on some days, and at no more of them than it takes.
//!
//! A video's rows lie by time, and a row counts nearly always in the day of its time. So the rows of some days lie nearly
//! together, after as many rows as earlier days have. The look begins there and widens. The segment says how many rows
//! there are, so it ends with the last of them, wherever late ones lie; or once enough viewers are seen. Where no row is
//! late, those of some days are one run, and nothing but its viewers is read: times are the largest column.

use std::ops::Range;

use roaring::RoaringBitmap;
use throng_model::DayRange;
use throng_store::{Column, ReadError, Segment};

/// Rows that are read first; twice as many with each further step.
const STEP_ROWS: u32 = 64;
/// The most rows of a step.
const STEP_ROWS_MAX: u32 = 16_384;

/// What was seen.
pub(crate) struct Look<'s> {
    segment: &'s Segment,
    range: DayRange,
    /// Rows that are still to be found.
    missing: u32,
    enough: u64,
    days: Vec<u32>,
    viewers: Vec<u32>,
    seen: RoaringBitmap,
    count: u64,
    first: u32,
    last: u32,
}

/// Viewers, and the days they were seen on.
pub(crate) struct Found {
    /// All viewers where they are fewer than enough, otherwise enough of them.
    pub(crate) viewers: RoaringBitmap,
    /// Where they are enough: the first and the last day on which they were seen.
    pub(crate) reached: Option<(u32, u32)>,
}

/// Looks at the rows of one video, of which `wanted` count in the range and `before` in earlier days.
pub(crate) fn look(
    segment: &Segment,
    rows: &Range<u32>,
    range: DayRange,
    (before, wanted): (u32, u32),
    enough: u64,
) -> Result<Found, ReadError> {
    let mut look = Look {
        segment,
        range,
        missing: wanted,
        enough,
        days: Vec::new(),
        viewers: Vec::new(),
        seen: RoaringBitmap::new(),
        count: 0,
        first: u32::MAX,
        last: 0,
    };
    let mut low = rows.start.saturating_add(before).min(rows.end);
    let mut high = low;
    let probable = high.saturating_add(wanted).min(rows.end);
    let mut step = STEP_ROWS;
    while high < probable && !look.is_done() {
        high = look.read(high..high.saturating_add(step).min(probable))?.end;
        step = (step * 2).min(STEP_ROWS_MAX);
    }
    step = STEP_ROWS;
    while (low > rows.start || high < rows.end) && !look.is_done() {
        low = look.read(low.saturating_sub(step).max(rows.start)..low)?.start;
        high = look.read(high..high.saturating_add(step).min(rows.end))?.end;
        step = (step * 2).min(STEP_ROWS_MAX);
    }
    let reached = (look.count >= enough).then_some((look.first, look.last));
    Ok(Found { viewers: look.seen, reached })
}

/// Looks at the first of some rows, which all count, for their viewers; gives also where the look ended.
pub(crate) fn look_at(segment: &Segment, rows: Range<u32>, enough: u64) -> Result<(RoaringBitmap, u32), ReadError> {
    let (mut seen, mut count, mut viewers) = (RoaringBitmap::new(), 0, Vec::new());
    let (mut row, mut step) = (rows.start, STEP_ROWS);
    while row < rows.end && count < enough {
        viewers.clear();
        segment.read(Column::Viewer, row..row.saturating_add(step).min(rows.end), &mut viewers)?;
        for &viewer in &viewers {
            if count == enough {
                break;
            }
            count += u64::from(seen.insert(viewer));
            row += 1;
        }
        step = (step * 2).min(STEP_ROWS_MAX);
    }
    Ok((seen, row))
}

impl Look<'_> {
    fn is_done(&self) -> bool {
        self.missing == 0 || self.count >= self.enough
    }

    /// Looks at some rows; gives them back.
    fn read(&mut self, rows: Range<u32>) -> Result<Range<u32>, ReadError> {
        self.days.clear();
        self.viewers.clear();
        self.segment.read(Column::Day, rows.clone(), &mut self.days)?;
        self.segment.read(Column::Viewer, rows.clone(), &mut self.viewers)?;
        let wanted = u32::from(self.range.first().number())..=u32::from(self.range.last().number());
        for (&day, &viewer) in self.days.iter().zip(&self.viewers) {
            if self.is_done() {
                break;
            }
            if wanted.contains(&day) {
                self.missing -= 1;
                self.count += u64::from(self.seen.insert(viewer));
                (self.first, self.last) = (self.first.min(day), self.last.max(day));
            }
        }
        Ok(rows)
    }
}
