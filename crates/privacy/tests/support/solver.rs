//! A reader who does linear algebra: unknown cells, known sums, and the groups of cells that follow from them.

use std::ops::Range;

/// A set of unknown cells, a bit each.
pub(crate) type Group = u64;

/// Everything that one reader knows about some unknown cells, beside the truth that it is checked with.
pub(crate) struct Solver {
    truth: Vec<u64>,
    /// Reduced row echelon form in integers: each row is the coefficients and then the sum, divided by their common factor.
    rows: Vec<Vec<i128>>,
    /// Groups whose numbers were told, so that repeating them says nothing new.
    told: Vec<Group>,
}

impl Solver {
    pub(crate) fn new(truth: Vec<u64>) -> Self {
        Self { truth, rows: vec![], told: vec![] }
    }

    /// The number of this group was shown.
    pub(crate) fn tell(&mut self, group: Group) {
        self.told.push(group);
        self.learn(group);
    }

    /// Empty cells of which the reader knows that they are empty.
    pub(crate) fn tell_empty(&mut self, cells: Group) {
        assert_eq!(self.viewers(cells), 0, "not empty");
        self.each(cells).for_each(|cell| self.learn(1 << cell));
    }

    /// Groups among these, or found in the system itself, that follow from what is known and break the floor: some viewers
    /// but too few, or all of them in one cell while no answer gave that very number. Cells that add up to nobody are known
    /// to be empty from then on. In `pardoned` cells enough viewers may stand alone.
    pub(crate) fn broken(mut self, floor: u64, candidates: &[Group], pardoned: Group) -> Vec<Group> {
        let empty: Vec<Group> = candidates.iter().copied().filter(|&group| self.viewers(group) == 0).collect();
        loop {
            let known = self.rows.len();
            for group in empty.iter().copied().chain(self.sums()) {
                if self.viewers(group) == 0 && self.determines(group) {
                    self.tell_empty(group);
                }
            }
            if self.rows.len() == known {
                break;
            }
        }
        let cells = (0..self.truth.len()).map(|cell| 1 << cell);
        let all = candidates.iter().copied().chain(self.sums()).chain(cells);
        all.filter(|&group| self.breaks(floor, group, pardoned) && self.determines(group)).collect()
    }

    fn breaks(&self, floor: u64, group: Group, pardoned: Group) -> bool {
        let (viewers, nonempty) = (self.viewers(group), self.nonempty(group));
        let alone = nonempty.count_ones() == 1
            && nonempty & pardoned == 0
            && !self.told.iter().any(|&told| self.nonempty(told) == nonempty);
        viewers > 0 && (viewers < floor || alone)
    }

    /// Rows of the system that are plain sums.
    fn sums(&self) -> Vec<Group> {
        let plain = |row: &&Vec<i128>| self.range().all(|cell| row[cell] == 0 || row[cell] == 1);
        let group = |row: &Vec<i128>| self.range().filter(|&cell| row[cell] == 1).fold(0, |all, cell| all | 1 << cell);
        self.rows.iter().filter(plain).map(group).collect()
    }

    /// Whether the number of the group follows from what is known.
    fn determines(&self, group: Group) -> bool {
        let rest = self.reduced(self.equation(group));
        let determined = self.range().all(|cell| rest[cell] == 0);
        assert!(!determined || rest[self.truth.len()] == 0, "the system says something else than the truth");
        determined
    }

    fn learn(&mut self, group: Group) {
        let row = self.reduced(self.equation(group));
        let Some(pivot) = self.range().find(|&cell| row[cell] != 0) else { return };
        for other in &mut self.rows {
            eliminate(other, &row, pivot);
        }
        self.rows.push(row);
    }

    fn reduced(&self, mut row: Vec<i128>) -> Vec<i128> {
        for known in &self.rows {
            let pivot = self.range().find(|&cell| known[cell] != 0).expect("no empty row");
            eliminate(&mut row, known, pivot);
        }
        row
    }

    fn equation(&self, group: Group) -> Vec<i128> {
        let coefficients = self.range().map(|cell| i128::from(group >> cell & 1));
        coefficients.chain([i128::from(self.viewers(group))]).collect()
    }

    pub(crate) fn viewers(&self, group: Group) -> u64 {
        self.each(group).map(|cell| self.truth[cell]).sum()
    }

    fn nonempty(&self, group: Group) -> Group {
        self.each(group).filter(|&cell| self.truth[cell] > 0).fold(0, |all, cell| all | 1 << cell)
    }

    fn each(&self, group: Group) -> impl Iterator<Item = usize> + use<> {
        self.range().filter(move |cell| group >> cell & 1 == 1)
    }

    fn range(&self) -> Range<usize> {
        0..self.truth.len()
    }
}

/// Takes so much of `by` off `row` that its pivot is 0. All exact: cross-multiplied, then divided by the common factor.
fn eliminate(row: &mut [i128], by: &[i128], pivot: usize) {
    let (have, unit) = (row[pivot], by[pivot]);
    if have == 0 {
        return;
    }
    for (value, by) in row.iter_mut().zip(by) {
        *value = *value * unit - have * by;
    }
    let factor = row.iter().fold(0, |factor, &value| common_factor(factor, value));
    // The first coefficient stays positive, so that plain sums look like sums.
    let sign = row.iter().find(|&&value| value != 0).map_or(1, |value| value.signum());
    if factor > 1 || sign < 0 {
        row.iter_mut().for_each(|value| *value = *value / factor * sign);
    }
}

fn common_factor(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.abs()
}
