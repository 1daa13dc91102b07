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
    /// Plus is a union of whole lines, so a sum that the one-way tables show.
    lines: bool,
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
    let table = Table { floor, viewers, nonempty, cuts: cuts(&row_lines, &column_lines) };
    // A cell of a hidden line would bound that line from below.
    let hidden_lines = rows.iter().chain(columns).filter(|group| !group.shown).fold(0, |all, group| all | of(group));
    let may = cells(viewers, |viewers| viewers >= floor) & !hidden_lines;
    let shown = table.judge(may);
    Decision { total: true, rows: (0..viewers.len()).map(|cell| shown & bit(cell) != 0).collect() }
}

impl Table<'_> {
    /// Hides the smallest cell that mends a cut until all hold, then shows again, largest first, what turned out needless.
    fn judge(&self, may: Cells) -> Cells {
        let size = |&cell: &usize| (self.viewers.get(cell), Reverse(cell));
        let mut shown = may;
        while let Some(cell) = self.broken(shown).and_then(|mending| each(mending).min_by_key(size)) {
            shown &= !bit(cell);
        }
        let mut hidden: Vec<usize> = each(may & !shown).collect();
        hidden.sort_by_key(|cell| Reverse(size(cell)));
        for cell in hidden {
            if self.broken(shown | bit(cell)).is_none() {
                shown |= bit(cell);
            }
        }
        shown
    }

    /// The shown cells of which one has to be hidden, because a cut does not hold.
    ///
    /// A hidden empty cell counts as known: sooner or later somebody guesses it. Hiding a shown cell of plus makes it
    /// larger, hiding one of minus leaves the reader a difference only. A cut without either is what rows and columns say
    /// with no cell shown. As whole lines it has been judged in their own table. Otherwise it is a lower bound, and it is
    /// exact only if the empty cells of minus are *certainly* empty, which other shown cells told; hiding any of them
    /// leads to a table without cells, where every cell of a nonempty row and column is open.
    fn broken(&self, shown: Cells) -> Option<Cells> {
        let hidden = self.nonempty & !shown;
        let mut small = self.cuts.iter().filter(|cut| cut.minus & hidden == 0 && !self.holds(cut.plus & hidden));
        let mendable = small.clone().map(|cut| (cut.plus | cut.minus) & shown).find(|&mending| mending != 0);
        mendable.or_else(|| {
            let open = !shown & !self.certainly_empty(shown);
            small.any(|cut| !cut.lines && cut.minus & open == 0).then_some(shown).filter(|&shown| shown != 0)
        })
    }

    /// Hidden cells that add up to nobody. No chain of such sums finds more: by the same levels as above, a cell that no
    /// sum of nobody holds is on a cycle along which viewers can be moved into it.
    fn certainly_empty(&self, shown: Cells) -> Cells {
        let nobody = |cut: &&Cut| cut.plus & !shown == 0 && cut.minus & self.nonempty & !shown == 0;
        self.cuts.iter().filter(nobody).fold(0, |all, cut| all | (cut.minus & !shown))
    }

    fn holds(&self, hidden: Cells) -> bool {
        let viewers = each(hidden).filter_map(|cell| self.viewers.get(cell)).sum();
        rest_holds(self.floor, viewers, hidden.count_ones() as usize)
    }
}

/// The nonempty lines whose sums are known: the shown ones, and the hidden ones as one.
fn lines(groups: &[Group], nonempty: Cells) -> Vec<Cells> {
    let hidden = groups.iter().filter(|group| !group.shown).fold(0, |all, group| all | of(group));
    let shown = groups.iter().filter(|group| group.shown).map(of);
    shown.chain([hidden]).filter(|line| line & nonempty != 0).collect()
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
            cuts.push((few, Cut { plus, minus, lines: column_count == 0 || row_count == rows.len() }));
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
