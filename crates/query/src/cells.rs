//! Sums and audiences by cell: a step of a series, a video, a day.

use roaring::RoaringBitmap;
use throng_model::Tally;

/// Pairs kept before they are sorted into the audiences: 8 MB.
const PENDING_MAX: usize = 1 << 20;

/// One tally and one audience per cell.
pub(crate) struct Cells {
    tallies: Vec<Tally>,
    audiences: Vec<RoaringBitmap>,
    /// Cell in the upper half, viewer in the lower.
    pending: Vec<u64>,
}

impl Cells {
    /// So many empty cells.
    pub(crate) fn new(count: usize) -> Self {
        Self {
            tallies: vec![Tally::default(); count],
            audiences: vec![RoaringBitmap::new(); count],
            pending: Vec::new(),
        }
    }

    /// Adds to a cell's sums.
    pub(crate) fn add(&mut self, cell: usize, more: Tally) {
        self.sum(cell, |tally| *tally += more);
    }

    /// Changes a cell's sums.
    #[inline]
    pub(crate) fn sum(&mut self, cell: usize, change: impl FnOnce(&mut Tally)) {
        if let Some(tally) = self.tallies.get_mut(cell) {
            change(tally);
        }
    }

    /// Adds one viewer to a cell's audience.
    #[inline]
    pub(crate) fn see(&mut self, cell: usize, viewer: u32) {
        self.pending.push((cell as u64) << 32 | u64::from(viewer));
        if self.pending.len() >= PENDING_MAX {
            self.settle();
        }
    }

    /// Adds many viewers to a cell's audience.
    pub(crate) fn see_all(&mut self, cell: usize, viewers: &RoaringBitmap) {
        if let Some(audience) = self.audiences.get_mut(cell) {
            *audience |= viewers;
        }
    }

    /// The cells' sums and audiences.
    pub(crate) fn finish(mut self) -> Vec<(Tally, RoaringBitmap)> {
        self.settle();
        self.tallies.into_iter().zip(self.audiences).collect()
    }

    /// The cells' audiences alone.
    pub(crate) fn finish_audiences(mut self) -> Vec<RoaringBitmap> {
        self.settle();
        self.audiences
    }

    fn settle(&mut self) {
        self.pending.sort_unstable();
        self.pending.dedup();
        for cell in self.pending.chunk_by(|a, b| a >> 32 == b >> 32) {
            let place = cell.first().map_or(usize::MAX, |pair| (pair >> 32) as usize);
            if let Some(audience) = self.audiences.get_mut(place) {
                *audience |= set_of_sorted(cell.iter().map(|&pair| pair as u32));
            }
        }
        self.pending.clear();
    }
}

/// The set of ascending ordinals.
pub(crate) fn set_of_sorted(viewers: impl Iterator<Item = u32> + Clone) -> RoaringBitmap {
    let sorted = RoaringBitmap::from_sorted_iter(viewers.clone());
    debug_assert!(sorted.is_ok(), "ordinals come ascending");
    // Right in any order, only slower.
    sorted.unwrap_or_else(|_| viewers.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_count_once_per_cell() {
        let mut cells = Cells::new(3);
        for (cell, viewer) in [(2, 7), (0, 9), (2, 3), (2, 7), (0, u32::MAX), (5, 1)] {
            cells.see(cell, viewer);
        }
        cells.see_all(2, &[3, 8].into_iter().collect());
        let audiences = cells.finish_audiences();
        let listed: Vec<Vec<u32>> = audiences.iter().map(|set| set.iter().collect()).collect();
        assert_eq!(listed, [vec![9, u32::MAX], vec![], vec![3, 7, 8]]);
    }
}
