//! The cells of each viewer's earliest views of each day: what counts where contributions are bounded.

/// Views gathered before those that do not count are dropped: 16 MB.
const GATHERED_MAX: usize = 1 << 20;

/// One view; ordered by viewer, day, time and cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    slot: u32,
    day: u16,
    ts: i64,
    cell: u8,
}

/// Gathers views in any order and keeps, per viewer and day, the first so many distinct cells: by time, then by the cell's
/// code. Dropping early loses nothing: cells that came before go on coming before, whatever is gathered later.
pub(crate) struct Earliest {
    cells_max: usize,
    seen: Vec<Seen>,
    limit: usize,
}

impl Earliest {
    /// At most so many cells per viewer and day.
    pub(crate) fn new(cells_max: usize) -> Self {
        Self::with_limit(cells_max, GATHERED_MAX)
    }

    fn with_limit(cells_max: usize, limit: usize) -> Self {
        Self { cells_max, seen: Vec::new(), limit }
    }

    /// Takes one view.
    #[inline]
    pub(crate) fn see(&mut self, slot: u32, day: u32, ts: i64, cell: u8) {
        if self.seen.len() >= self.limit {
            self.trim();
            // What is left counts; leave room for as much again.
            self.limit = self.limit.max(self.seen.len() * 2);
        }
        // Days are 16 bits wide in the store.
        self.seen.push(Seen { slot, day: day as u16, ts, cell });
    }

    /// The viewers and cells that count; a pair comes once a day.
    pub(crate) fn finish(&mut self) -> impl Iterator<Item = (u32, u8)> {
        self.trim();
        std::mem::take(&mut self.seen).into_iter().map(|seen| (seen.slot, seen.cell))
    }

    fn trim(&mut self) {
        self.seen.sort_unstable();
        let (mut viewer_day, mut cells) = (None, Vec::with_capacity(self.cells_max));
        self.seen.retain(|seen| {
            if viewer_day != Some((seen.slot, seen.day)) {
                viewer_day = Some((seen.slot, seen.day));
                cells.clear();
            }
            let counts = cells.len() < self.cells_max && !cells.contains(&seen.cell);
            if counts {
                cells.push(seen.cell);
            }
            counts
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEWS: [(u32, u32, i64, u8); 10] = [
        (1, 7, 50, 3),
        (1, 7, 10, 4),
        (2, 7, 20, 9),
        (1, 7, 20, 4),
        (1, 7, 50, 2),
        (1, 7, 60, 1),
        (1, 8, -5, 1),
        (2, 7, 20, 9),
        (1, 7, 40, 4),
        (2, 7, 21, 8),
    ];

    #[test]
    fn the_first_cells_of_a_day_count_however_often_views_are_dropped() {
        for limit in 0..12 {
            for turn in 0..VIEWS.len() {
                let mut earliest = Earliest::with_limit(2, limit);
                let views = VIEWS.iter().cycle().skip(turn).take(VIEWS.len());
                views.for_each(|&(slot, day, ts, cell)| earliest.see(slot, day, ts, cell));
                let counted: Vec<_> = earliest.finish().collect();
                // At 50 two cells come at once: the smaller code counts.
                assert_eq!(counted, [(1, 4), (1, 2), (1, 1), (2, 9), (2, 8)], "{limit} {turn}");
            }
        }
    }
}
