//! Sums and audiences by cell: a step of a series, a video, a day.

use roaring::RoaringBitmap;
use throng_model::Tally;

/// Viewers kept before they are sorted into the audiences: 8 MB.
const PENDING_MAX: usize = 1 << 21;

/// One tally and one audience per cell.
pub(crate) struct Cells {
    tallies: Vec<Tally>,
    audiences: Vec<RoaringBitmap>,
    /// Per cell, in any order and with repeats: many short lists sort faster than one long one.
    pending: Vec<Vec<u32>>,
    pending_count: usize,
}

impl Cells {
    /// So many empty cells.
    pub(crate) fn new(count: usize) -> Self {
        Self {
            tallies: vec![Tally::default(); count],
            audiences: vec![RoaringBitmap::new(); count],
            pending: vec![Vec::new(); count],
            pending_count: 0,
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
        if let Some(list) = self.pending.get_mut(cell) {
            list.push(viewer);
            self.pending_count += 1;
            if self.pending_count >= PENDING_MAX {
                self.settle();
            }
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
        for (audience, list) in self.audiences.iter_mut().zip(&mut self.pending).filter(|(_, list)| !list.is_empty()) {
            list.sort_unstable();
            list.dedup();
            *audience |= set_of_sorted(list.iter().copied());
            list.clear();
        }
        self.pending_count = 0;
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
