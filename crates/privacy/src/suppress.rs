//! Which rows of a table may be shown (P1), so that what is left over isolates nobody (P2).
//!
//! Pure functions of audiences. Kinds of table differ in what a total minus the shown rows says:
//! - sums (public counters): see `sums`;
//! - *partitions*: each viewer stands in one row, so the rest is a number of viewers;
//! - tables in which a viewer stands in several rows: see `overlap`.

use std::cmp::Reverse;

/// What may be shown of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) total: bool,
    pub(crate) rows: Vec<bool>,
}

impl Decision {
    pub(crate) fn nothing(rows: usize) -> Self {
        Self { total: false, rows: vec![false; rows] }
    }
}

/// The rest that a reader can compute: nobody, or enough viewers in at least two rows.
pub(crate) fn rest_holds(floor: u64, viewers: u64, nonempty_rows: usize) -> bool {
    viewers == 0 || (viewers >= floor && nonempty_rows >= 2)
}

/// A remainder that one subtraction isolates: nobody, or enough viewers.
pub(crate) fn apart(floor: u64, viewers: u64) -> bool {
    viewers == 0 || viewers >= floor
}

/// Rows of a partition that add up to a number known from another table of the same window.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Viewers of the group, as the other table counts them.
    pub(crate) viewers: u64,
    /// Whether the other table shows that number. If not, none of the members may be shown: their sum would bound it.
    pub(crate) shown: bool,
    /// Rows of this table.
    pub(crate) members: Vec<usize>,
}

impl Group {
    /// Viewers that rows of this table count.
    pub(crate) fn in_rows(&self, rows: &[u64]) -> u64 {
        self.members.iter().filter_map(|&row| rows.get(row)).sum()
    }
}

/// A table in which each viewer stands in one row, or in none of those given.
pub(crate) fn partition(floor: u64, total: u64, rows: &[u64], groups: &[Group]) -> Decision {
    if total < floor {
        return Decision::nothing(rows.len());
    }
    if rows.is_empty() {
        // A total alone, such as the reach: nothing to subtract from it.
        return Decision { total: true, rows: Vec::new() };
    }
    let mut shown: Vec<bool> = rows.iter().map(|&viewers| viewers >= floor).collect();
    for &member in groups.iter().filter(|group| !group.shown).flat_map(|group| &group.members) {
        hide(&mut shown, member);
    }
    let whole = Group { viewers: total, shown: true, members: (0..rows.len()).collect() };
    loop {
        let mut changed = false;
        // The whole last: what a group hides already counts in its rest.
        for group in groups.iter().chain(std::iter::once(&whole)) {
            if let Some(smallest) = smallest_shown(rows, &shown, group)
                && !group_holds(floor, rows, &shown, group)
            {
                hide(&mut shown, smallest);
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    Decision { total: group_holds(floor, rows, &shown, &whole), rows: shown }
}

fn hide(shown: &mut [bool], row: usize) {
    if let Some(flag) = shown.get_mut(row) {
        *flag = false;
    }
}

fn members<'a>(rows: &'a [u64], shown: &'a [bool], group: &'a Group) -> impl Iterator<Item = (usize, u64, bool)> + 'a {
    group.members.iter().filter_map(|&row| Some((row, *rows.get(row)?, *shown.get(row)?)))
}

fn smallest_shown(rows: &[u64], shown: &[bool], group: &Group) -> Option<usize> {
    let candidates = members(rows, shown, group).filter(|&(.., shown)| shown);
    candidates.min_by_key(|&(row, viewers, _)| (viewers, Reverse(row))).map(|(row, ..)| row)
}

fn group_holds(floor: u64, rows: &[u64], shown: &[bool], group: &Group) -> bool {
    let (mut in_rows, mut in_shown, mut nonempty) = (0_u64, 0_u64, 0_usize);
    for (_, viewers, shown) in members(rows, shown, group) {
        in_rows += viewers;
        if shown {
            in_shown += viewers;
        } else if viewers > 0 {
            nonempty += 1;
        }
    }
    let in_no_row = group.viewers.saturating_sub(in_rows);
    rest_holds(floor, group.viewers.saturating_sub(in_shown), nonempty + usize::from(in_no_row > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_row_takes_the_smallest_shown_one_with_it() {
        let decision = partition(50, 503, &[300, 120, 80, 3, 0], &[]);
        assert_eq!(decision, Decision { total: true, rows: vec![true, true, false, false, false] });
    }

    #[test]
    fn a_rest_of_one_big_row_is_no_rest() {
        // 60 viewers stand in no row: one hidden row, so its number would be exact.
        let decision = partition(50, 360, &[200, 100], &[]);
        assert_eq!(decision.rows, [true, false]);
    }

    #[test]
    fn a_table_without_small_rows_is_shown_whole() {
        assert_eq!(partition(50, 110, &[60, 50, 0], &[]).rows, [true, true, false]);
    }

    #[test]
    fn nothing_of_a_small_table_is_shown() {
        assert_eq!(partition(50, 49, &[49], &[]), Decision { total: false, rows: vec![false] });
    }

    #[test]
    fn a_row_known_from_another_table_is_not_bounded_by_its_parts() {
        let group = |viewers, shown, members: &[usize]| Group { viewers, shown, members: members.to_vec() };
        // The other table shows 203 for the first two rows; 3 of them stand in neither.
        let decision = partition(50, 403, &[100, 100, 100, 100], &[group(203, true, &[0, 1])]);
        assert_eq!(decision.rows, [true, false, true, true]);
        // It hides the number for the last row.
        let decision = partition(50, 400, &[100, 100, 100, 100], &[group(100, false, &[3])]);
        assert_eq!(decision.rows.iter().filter(|&&shown| shown).count(), 2);
        assert!(!decision.rows[3]);
    }
}
