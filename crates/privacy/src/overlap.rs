//! Which rows may be shown of a table in which a viewer can stand in several rows: traffic sources, active hours.
//!
//! Besides single rows a reader learns from the total: minus one shown row it gives those outside that row, and it bounds
//! those who stand in hidden rows only.

use std::cmp::Reverse;

use crate::crowd::Among;
use crate::suppress::{Decision, apart, rest_holds};

/// Decides about rows of these sizes. `among` counts the viewers of the rows whose flags are set. Hides the smallest rows
/// first until what is hidden is nobody, or enough viewers in at least two rows.
pub(crate) fn overlap(floor: u64, total: u64, rows: &[u64], among: impl Fn(&[bool]) -> Among) -> Decision {
    if total < floor {
        return Decision::nothing(rows.len());
    }
    let mut shown: Vec<bool> =
        rows.iter().map(|&viewers| viewers >= floor && apart(floor, total.saturating_sub(viewers))).collect();
    // Viewers of the total in no row are a hidden row of their own.
    let in_no_row = total.saturating_sub(among(&vec![true; rows.len()]).any);
    loop {
        let hidden_rows = || rows.iter().zip(&shown).filter(|&(&viewers, &shown)| !shown && viewers > 0);
        let nonempty = hidden_rows().count() + usize::from(in_no_row > 0);
        if nonempty == 0 {
            return Decision { total: true, rows: shown };
        }
        let hidden: Vec<bool> = shown.iter().map(|shown| !shown).collect();
        let Among { any, only } = among(&hidden);
        // Viewers in no shown row stand in hidden rows only.
        if rest_holds(floor, any + in_no_row, nonempty) && apart(floor, only + in_no_row) {
            return Decision { total: true, rows: shown };
        }
        let shown_rows = rows.iter().enumerate().filter(|(row, _)| shown.get(*row) == Some(&true));
        let Some((smallest, _)) = shown_rows.min_by_key(|&(row, viewers)| (viewers, Reverse(row))) else {
            return Decision::nothing(rows.len());
        };
        if let Some(flag) = shown.get_mut(smallest) {
            *flag = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    type Set = BTreeSet<u32>;

    fn union<'s>(sets: impl Iterator<Item = &'s Set>) -> Set {
        sets.flatten().copied().collect()
    }

    fn chosen<'s>(rows: &'s [Set], flags: &'s [bool], wanted: bool) -> impl Iterator<Item = &'s Set> {
        rows.iter().zip(flags).filter(move |&(_, &flag)| flag == wanted).map(|(row, _)| row)
    }

    fn decide(floor: u64, total: usize, rows: &[Set]) -> Decision {
        let sizes: Vec<u64> = rows.iter().map(|row| row.len() as u64).collect();
        overlap(floor, total as u64, &sizes, |flags| {
            let (within, others) = (union(chosen(rows, flags, true)), union(chosen(rows, flags, false)));
            Among { any: within.len() as u64, only: within.difference(&others).count() as u64 }
        })
    }

    fn set(range: std::ops::Range<u32>) -> Set {
        range.collect()
    }

    #[test]
    fn viewers_in_hidden_rows_only_are_many_or_none() {
        // The two hidden rows hold 83 viewers together, but only three of them stand in no shown row.
        let (first, second) = (set(0..100), set(60..200));
        let (third, fourth) = (&set(0..40) | &set(200..201), &set(100..140) | &set(201..203));
        let decision = decide(50, 203, &[first, second, third, fourth]);
        assert_eq!(decision, Decision { total: true, rows: vec![false, true, false, false] });
    }

    #[test]
    fn viewers_outside_a_shown_row_are_many_or_none() {
        // Both rows are large, but total minus the first is the three viewers who never used it.
        let decision = decide(50, 103, &[set(0..100), set(43..103)]);
        assert!(!decision.rows[0]);
    }

    proptest! {
        #[test]
        fn what_is_not_shown_is_nobody_or_many(
            rows in prop::collection::vec(prop::collection::btree_set(0..24_u32, 0..20), 0..6),
            outside in 0..6_usize,
        ) {
            let floor = 5;
            let everyone = union(rows.iter());
            let total = everyone.len() + outside;
            let decision = decide(floor, total, &rows);
            let many_or_none = |viewers: usize| viewers == 0 || viewers as u64 >= floor;
            prop_assert!(!decision.total || total as u64 >= floor);
            prop_assert!(decision.total || !decision.rows.contains(&true));
            for shown in chosen(&rows, &decision.rows, true) {
                prop_assert!(shown.len() as u64 >= floor && many_or_none(total - shown.len()));
            }
            if decision.total && rows.iter().zip(&decision.rows).any(|(row, shown)| !shown && !row.is_empty()) {
                let in_shown = union(chosen(&rows, &decision.rows, true));
                let hidden = union(chosen(&rows, &decision.rows, false));
                prop_assert!(many_or_none(total - in_shown.len()));
                prop_assert!((hidden.len() + outside) as u64 >= floor);
            }
        }
    }
}
