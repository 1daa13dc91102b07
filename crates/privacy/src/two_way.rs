//! Which cells of a two-way table may be shown beside both of its one-way tables: age × gender beside ages and genders.
//!
//! What a reader can compute: take some rows R and columns C. The viewers of R minus those of C, all shown cells taken off,
//! are the hidden viewers in R but not in C (*plus*) minus the hidden ones in C but not in R (*minus*). Where minus has
//! nobody, plus is an exact number: a **cut**. Cuts are all there is. A group of hidden cells whose sum follows from what is
//! shown gives each row and column a level, such that its cells, and only they, lie one level from row to column, and the
//! other hidden cells none; the lines above each level make a cut, and the group is the disjoint union of these cuts. Lines
//! that are hidden themselves are known by their sum alone, so they are one line here.

use std::cmp::Reverse;

use crate::suppress::{Decision, Group, rest_holds};

/// A set of cells, a bit each.
type Cells = u64;

/// Rows and columns together; a larger table, which no family has, stays hidden, since there are 2^lines cuts.
const LINES_MAX: usize = 14;

struct Cut {
    plus: Cells,
    minus: Cells,
}

struct Table<'a> {
    floor: u64,
    viewers: &'a [u64],
    nonempty: Cells,
    cuts: Vec<Cut>,
}

/// A table whose cells of each group of `rows` and of `columns` add up to the group's viewers.
pub(crate) fn two_way(floor: u64, viewers: &[u64], rows: &[Group], columns: &[Group]) -> Decision {
    let nothing = Decision::nothing(viewers.len());
    if viewers.iter().sum::<u64>() < floor || viewers.len() > Cells::BITS as usize {
        return nothing;
    }
    let nonempty = cells(viewers, |viewers| viewers > 0);
    let (row_lines, column_lines) = (lines(rows, nonempty), lines(columns, nonempty));
    if row_lines.len() + column_lines.len() > LINES_MAX {
        return nothing;
    }
    // A cell of a hidden line would bound that line from below.
    let may = cells(viewers, |viewers| viewers >= floor) & !hidden(rows) & !hidden(columns);
    // Where nobody is hidden no cut can say anything, so that most tables of large channels need none made.
    let shown = if nonempty & !may == 0 {
        may
    } else {
        Table { floor, viewers, nonempty, cuts: cuts(&row_lines, &column_lines) }.judge(may)
    };
    Decision { total: true, rows: (0..viewers.len()).map(|cell| shown & bit(cell) != 0).collect() }
}

impl Table<'_> {
    /// Hides the smallest cell that mends a cut until all hold.
    fn judge(&self, may: Cells) -> Cells {
        let size = |&cell: &usize| (self.viewers.get(cell), Reverse(cell));
        let mut shown = may;
        while let Some(cell) = self.broken(shown).and_then(|cells| each(cells).min_by_key(size)) {
            shown &= !bit(cell);
        }
        shown
    }

    /// The shown cells of a cut that does not hold: hiding one in plus makes it larger, hiding one in minus leaves the reader
    /// a difference only.
    ///
    /// A hidden empty cell counts as known, for somebody may guess it. That is more than a reader can prove, and so it does
    /// no harm that a cut without shown cells stays. Where it is a union of whole lines, the one-way tables show that very
    /// sum. Otherwise its rows R also have hidden viewers in C, since the cut of all of R holds, or R is hidden whole;
    /// likewise the rows outside R have some outside C. One viewer of each could change columns, which puts one into an
    /// empty cell of minus and one more into plus, and nothing that is shown changes: the sum is a lower bound only.
    fn broken(&self, shown: Cells) -> Option<Cells> {
        let hidden = self.nonempty & !shown;
        let small = self.cuts.iter().filter(|cut| cut.minus & hidden == 0 && !self.holds(cut.plus & hidden));
        small.map(|cut| (cut.plus | cut.minus) & shown).find(|&cells| cells != 0)
    }

    fn holds(&self, hidden: Cells) -> bool {
        let viewers = each(hidden).filter_map(|cell| self.viewers.get(cell)).sum();
        rest_holds(self.floor, viewers, hidden.count_ones() as usize)
    }
}

/// The nonempty lines whose sums are known: the shown ones, and the hidden ones as one.
fn lines(groups: &[Group], nonempty: Cells) -> Vec<Cells> {
    let shown = groups.iter().filter(|group| group.shown).map(of);
    shown.chain([hidden(groups)]).filter(|line| line & nonempty != 0).collect()
}

fn hidden(groups: &[Group]) -> Cells {
    groups.iter().filter(|group| !group.shown).fold(0, |all, group| all | of(group))
}

/// Every pair of a set of rows and a set of columns, those of few lines (or of all but few) first.
fn cuts(rows: &[Cells], columns: &[Cells]) -> Vec<Cut> {
    let unions = |lines: &[Cells]| -> Vec<(Cells, usize)> {
        let chosen = |set: u64| lines.iter().enumerate().filter(move |(line, _)| set & bit(*line) != 0);
        let union = |set: u64| (chosen(set).fold(0, |all, (_, line)| all | line), set.count_ones() as usize);
        (0..bit(lines.len())).map(union).collect()
    };
    let all = |lines: &[Cells]| lines.iter().fold(0, |all, line| all | line);
    let (judged, column_sets) = (all(rows) & all(columns), unions(columns));
    let mut cuts = Vec::with_capacity(column_sets.len() << rows.len());
    for (row_cells, row_count) in unions(rows) {
        for &(column_cells, column_count) in &column_sets {
            let (plus, minus) = (judged & row_cells & !column_cells, judged & column_cells & !row_cells);
            let count = row_count + column_count;
            let few = count.min(rows.len() + columns.len() - count);
            cuts.push((few, Cut { plus, minus }));
        }
    }
    cuts.sort_by_key(|&(few, _)| few);
    cuts.into_iter().map(|(_, cut)| cut).collect()
}

fn bit(cell: usize) -> Cells {
    1 << cell
}

fn of(group: &Group) -> Cells {
    group.members.iter().fold(0, |all, &cell| all | bit(cell))
}

fn cells(viewers: &[u64], holds: impl Fn(u64) -> bool) -> Cells {
    viewers.iter().enumerate().filter(|&(_, &viewers)| holds(viewers)).fold(0, |all, (cell, _)| all | bit(cell))
}

fn each(cells: Cells) -> impl Iterator<Item = usize> {
    (0..Cells::BITS as usize).filter(move |&cell| cells & bit(cell) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shown cells of a 3 × 3 table all of whose lines are shown but those given.
    fn shown(viewers: [u64; 9], hidden_rows: &[usize]) -> Vec<usize> {
        let line = |shown, members: Vec<usize>| Group {
            viewers: members.iter().map(|&cell| viewers[cell]).sum(),
            shown,
            members,
        };
        let rows: Vec<_> = (0..3).map(|n| line(!hidden_rows.contains(&n), vec![3 * n, 3 * n + 1, 3 * n + 2])).collect();
        let columns: Vec<_> = (0..3).map(|n| line(true, vec![n, n + 3, n + 6])).collect();
        let decision = two_way(50, &viewers, &rows, &columns);
        (0..9).filter(|&cell| decision.rows[cell]).collect()
    }

    #[test]
    fn a_table_without_small_cells_is_shown_whole() {
        assert_eq!(shown([60, 70, 80, 90, 60, 70, 80, 90, 0], &[]), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn a_small_cell_takes_the_smallest_cycle_with_it() {
        assert_eq!(shown([3, 60, 100, 70, 80, 100, 100, 100, 100], &[]), [2, 5, 6, 7, 8]);
    }

    #[test]
    fn no_cell_of_a_hidden_line_is_shown() {
        let viewers = [60, 60, 60, 60, 60, 60, 100, 100, 100];
        assert_eq!(shown(viewers, &[0, 1]), [6, 7, 8]);
        assert_eq!(shown(viewers, &[0, 1, 2]), []);
    }

    #[test]
    fn nothing_of_a_small_table_is_shown() {
        assert_eq!(two_way(50, &[49], &[], &[]), Decision { total: false, rows: vec![false] });
    }

    #[test]
    fn a_table_too_large_to_judge_is_hidden() {
        let lines: Vec<Group> = (0..15).map(|n| Group { viewers: 60, shown: true, members: vec![n] }).collect();
        assert!(!two_way(50, &[60; 15], &lines, &[]).total);
        assert!(!two_way(50, &[60; 65], &[], &[]).total);
    }
}
