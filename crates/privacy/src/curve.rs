//! Which points of a curve may be shown, so that no difference of shown numbers isolates fewer viewers than the floor.
//!
//! A curve's points are nested sets: everyone at least this far. Two shown points give the number of viewers who stopped
//! between them.

use crate::suppress::apart;

/// Shows points greedily from the start: each has the floor behind it, and lies at least the floor below the point shown
/// before it. A difference of 0 is hidden like a small one. `may` can bar a point for other reasons.
pub(crate) fn points(floor: u64, viewers: &[u64], may: impl Fn(usize) -> bool) -> Vec<bool> {
    let mut above: Option<u64> = None;
    let judge = |(index, &viewers): (usize, &u64)| {
        let far_enough = above.is_none_or(|above| above.saturating_sub(viewers) >= floor);
        let shown = viewers >= floor && far_enough && may(index);
        if shown {
            above = Some(viewers);
        }
        shown
    };
    viewers.iter().enumerate().map(judge).collect()
}

/// Whether a set may be counted beside another of the same window, by the viewers in one of them only: if one set holds the
/// other, they differ by nobody or by enough viewers.
pub(crate) fn beside(floor: u64, only_one: u64, only_other: u64) -> bool {
    let nested = only_one == 0 || only_other == 0;
    !nested || apart(floor, only_one + only_other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_smaller_than_the_floor_are_skipped() {
        let viewers = [200, 200, 199, 150, 101, 100, 60, 50, 49, 0];
        let shown = points(50, &viewers, |_| true);
        assert_eq!(shown, [true, false, false, true, false, true, false, true, false, false]);
    }

    #[test]
    fn a_barred_point_is_no_base_for_the_next() {
        assert_eq!(points(50, &[200, 160, 120], |index| index != 0), [false, true, false]);
    }

    #[test]
    fn nested_counts_differ_by_nobody_or_by_many() {
        assert!(beside(50, 0, 0));
        assert!(!beside(50, 0, 3));
        assert!(!beside(50, 3, 0));
        assert!(beside(50, 0, 50));
        assert!(beside(50, 1, 1));
    }
}
