//! Reads a segment's rows from front to back, chunk by chunk: for merges, which want all of them.

use crate::codec::DamageError;
use crate::object::ReadError;
use crate::row::{CreatorOrd, Row};
use crate::segment::{Buffers, Segment, VideoSpan};
use crate::table::CHUNK_VALUES;

/// The rows of a segment, span by span in their order.
pub(crate) struct RowReader<'s> {
    segment: &'s Segment,
    buffers: Buffers,
    /// Of one chunk, without creator and video.
    rows: Vec<Row>,
    /// Of these, how many were taken.
    taken: usize,
    /// The first row after the chunk.
    next: u32,
    /// Rows of the first chunk that are passed over.
    skipped: usize,
}

impl<'s> RowReader<'s> {
    /// Begins at a row.
    pub(crate) fn from_row(segment: &'s Segment, row: u32) -> Self {
        let skipped = row % CHUNK_VALUES as u32;
        Self {
            segment,
            buffers: Buffers::default(),
            rows: Vec::new(),
            taken: 0,
            next: row - skipped,
            skipped: skipped as usize,
        }
    }

    /// Appends the rows of the span that follows the one before; the first one begins at the row that reading does.
    pub(crate) fn take(&mut self, creator: CreatorOrd, span: &VideoSpan, out: &mut Vec<Row>) -> Result<(), ReadError> {
        let mut left = span.rows.len();
        debug_assert_eq!(self.next as usize - self.rows.len() + self.taken + self.skipped, span.rows.start as usize);
        while left > 0 {
            if self.taken == self.rows.len() {
                self.read_chunk()?;
            }
            let rest = self.rows.get(self.taken..).unwrap_or_default();
            let now = rest.get(..left.min(rest.len())).unwrap_or_default();
            out.extend(now.iter().map(|row| Row { creator, video: span.video, ..*row }));
            self.taken += now.len();
            left -= now.len();
        }
        Ok(())
    }

    fn read_chunk(&mut self) -> Result<(), ReadError> {
        let chunk = self.next..self.segment.rows().min(self.next.saturating_add(CHUNK_VALUES as u32));
        if chunk.is_empty() {
            return Err(DamageError::Malformed("spans longer than the rows").into());
        }
        self.rows.clear();
        self.rows.resize(chunk.len(), Row::blank(CreatorOrd(0), None));
        self.segment.read_chunk(chunk.start as usize / CHUNK_VALUES, &mut self.buffers, &mut self.rows)?;
        (self.next, self.taken) = (chunk.end, std::mem::take(&mut self.skipped));
        Ok(())
    }
}
