//! Sums and audiences by cell: a step of a series, a video, a day.
//!
//! Of days whose rows have expired only the numbers of their viewers are known, not who they are. Where a question may
//! touch such days, each cell is judged by a *stand-in* for its audience: the viewers numbered from 0 to n, where n is the
//! larger of the live audience and of any one expired day's number. It never says too much, for one cell and for several:
//!
//! - the cell's true audience holds its live viewers and those of each of its days, so n is at most its size;
//! - stand-ins are nested, so the union of several is the largest of them, which is at most the size of that cell's true
//!   audience, and so of the true union. A true set next to a stand-in would not do: the two could add up to more viewers
//!   than there are, when the expired day's viewers are the live ones. So all cells of such a question get stand-ins;
//! - a stand-in is empty just where the true audience is.
//!
//! Of the sets of public counters, whose rows add up to their total, the gate asks only whether they and their unions are
//! empty and whether they reach the floor: what it finds of stand-ins holds of the true sets.

use roaring::RoaringBitmap;
use throng_model::Tally;
use throng_store::DaySummary;

/// Viewers kept before they are sorted into the audiences: 8 MB.
const PENDING_MAX: usize = 1 << 21;

/// One tally and one audience per cell.
pub(crate) struct Cells {
    tallies: Vec<Tally>,
    audiences: Vec<RoaringBitmap>,
    /// Per cell, in any order and with repeats: many short lists sort faster than one long one.
    pending: Vec<Vec<u32>>,
    pending_count: usize,
    /// Per cell the most viewers of any one expired day; `None` where no day of the question can have expired.
    expired: Option<Vec<u32>>,
}

impl Cells {
    /// So many empty cells.
    pub(crate) fn new(count: usize) -> Self {
        Self {
            tallies: vec![Tally::default(); count],
            audiences: vec![RoaringBitmap::new(); count],
            pending: vec![Vec::new(); count],
            pending_count: 0,
            expired: None,
        }
    }

    /// From now on audiences are known by their size at most: days of the question may have expired.
    pub(crate) fn may_have_expired(&mut self) {
        self.expired = Some(vec![0; self.tallies.len()]);
    }

    /// Adds an expired day to a cell.
    pub(crate) fn add_expired(&mut self, cell: usize, day: &DaySummary) {
        self.add(cell, day.tally);
        if let Some(most) = self.expired.as_mut().and_then(|expired| expired.get_mut(cell)) {
            *most = day.viewers.max(*most);
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

    /// Adds ascending viewers to a cell's audience.
    pub(crate) fn see_sorted(&mut self, cell: usize, viewers: &[u32]) {
        self.see_all(cell, &set_of_sorted(viewers.iter().copied()));
    }

    /// Whether so many viewers are in a cell's audience already.
    pub(crate) fn sees(&self, cell: usize, viewers: u64) -> bool {
        self.audiences.get(cell).is_some_and(|audience| audience.len() >= viewers)
    }

    /// The cells' sums and audiences.
    pub(crate) fn finish(mut self) -> Vec<(Tally, RoaringBitmap)> {
        self.settle();
        for (audience, &most) in self.audiences.iter_mut().zip(self.expired.iter().flatten()) {
            *audience = stand_in(audience.len().max(most.into()));
        }
        self.tallies.into_iter().zip(self.audiences).collect()
    }

    /// The cells' audiences alone.
    pub(crate) fn finish_audiences(mut self) -> Vec<RoaringBitmap> {
        self.settle();
        self.audiences
    }

    /// Sorts the viewers that were added one by one into the audiences.
    pub(crate) fn settle(&mut self) {
        for (audience, list) in self.audiences.iter_mut().zip(&mut self.pending).filter(|(_, list)| !list.is_empty()) {
            list.sort_unstable();
            list.dedup();
            *audience |= set_of_sorted(list.iter().copied());
            list.clear();
        }
        self.pending_count = 0;
    }
}

/// So many viewers, whoever they are.
fn stand_in(viewers: u64) -> RoaringBitmap {
    let mut set = RoaringBitmap::new();
    set.insert_range(0..u32::try_from(viewers).unwrap_or(u32::MAX));
    set
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

    #[test]
    fn a_stand_in_is_never_larger_than_the_truth() {
        let day = |viewers| DaySummary { day: throng_model::Day::MIN, tally: Tally::default(), viewers };
        let mut cells = Cells::new(4);
        cells.may_have_expired();
        cells.see_all(0, &[70, 80, 90].into_iter().collect());
        cells.see(1, 70);
        // Two days of two viewers each may be the same two people, and one of them the live viewer.
        [(0, 2), (1, 2), (1, 2), (2, 1)].into_iter().for_each(|(cell, viewers)| cells.add_expired(cell, &day(viewers)));
        let stand_ins: Vec<Vec<u32>> =
            cells.finish().into_iter().map(|(_, audience)| audience.iter().collect()).collect();
        assert_eq!(stand_ins, [vec![0, 1, 2], vec![0, 1], vec![0], vec![]]);
    }
}
