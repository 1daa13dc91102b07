//! Which rows of a table of sums may be shown (P1), so that what is left over isolates nobody (P2): public counters by
//! step or by video.
//!
//! Events add up, so a reader who knows the total computes the sums of all hidden rows together: they belong to the union
//! of the hidden rows' audiences. That must be nobody, or at least the floor of viewers in at least two rows.
//!
//! *Witnesses do.* An audience is only ever compared with the floor, so the engine may hand over, of an audience that
//! reaches it, any part that does. All below is the same for the part as for the whole:
//! - a row reaches the floor or does not (P1); one that does not is there whole;
//! - the rows that P1 hides are there whole, and so is their union;
//! - where that is too little, *one* row that reaches the floor is hidden besides: with it, the rest is enough viewers, in
//!   two rows. Which one is decided by exact sums (the fewest events, of equals the last), not by how much was handed over.

use std::cmp::Reverse;

use roaring::{MultiOps, RoaringBitmap};
use throng_model::Tally;

use crate::Raw;

/// Whether the rows that P1 hides may be computed together: nobody, or enough viewers in at least two rows.
pub(crate) fn rest_holds<'a>(floor: u64, hidden: impl Iterator<Item = &'a RoaringBitmap> + Clone) -> bool {
    match hidden.clone().filter(|row| !row.is_empty()).count() {
        0 => true,
        1 => false,
        _ => hidden.union().len() >= floor,
    }
}

/// Which rows of a whole table may be shown.
pub(crate) fn shown(floor: u64, rows: &[&Raw<Tally>]) -> Vec<bool> {
    let passes = |row: &Raw<Tally>| row.audience.len() >= floor;
    let mut shown: Vec<bool> = rows.iter().map(|row| passes(row)).collect();
    if !rest_holds(floor, rows.iter().filter(|row| !passes(row)).map(|row| &row.audience)) {
        let reaching = rows.iter().zip(&mut shown).enumerate().filter(|(_, (_, shown))| **shown);
        if let Some((_, (_, least))) = reaching.min_by_key(|(place, (row, _))| (row.value.events(), Reverse(*place))) {
            *least = false;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "tests")]
    use proptest::prelude::*;
    use throng_model::Metric;

    use super::*;

    const FLOOR: u64 = 10;

    fn row(viewers: impl IntoIterator<Item = u32>, extra: u64) -> Raw<Tally> {
        let audience: RoaringBitmap = viewers.into_iter().collect();
        let mut tally = Tally::default();
        tally[Metric::Views] = audience.len() + if audience.is_empty() { 0 } else { extra };
        Raw::seal(tally, audience)
    }

    fn judge(rows: &[Raw<Tally>]) -> Vec<bool> {
        shown(FLOOR, &rows.iter().collect::<Vec<_>>())
    }

    #[test]
    fn a_table_without_small_rows_is_shown_whole() {
        assert_eq!(judge(&[row(0..12, 0), row(5..15, 0), row([], 0)]), [true, true, false]);
    }

    #[test]
    fn a_small_row_takes_the_one_with_the_fewest_events_with_it() {
        assert_eq!(judge(&[row(0..10, 7), row(0..12, 0), row(0..3, 99)]), [true, false, false]);
        assert_eq!(judge(&[row(0..12, 0), row(0..12, 0), row(0..3, 0)]), [true, false, false]);
    }

    #[test]
    fn small_rows_are_enough_viewers_together() {
        assert_eq!(judge(&[row(0..12, 0), row(0..5, 0), row(5..10, 0)]), [true, false, false]);
        assert_eq!(judge(&[row(0..12, 0), row(0..5, 0), row(4..9, 0)]), [false, false, false]);
    }

    #[test]
    fn nothing_of_a_small_table_is_shown() {
        assert_eq!(judge(&[row(0..9, 100)]), [false]);
    }

    proptest! {
        #[test]
        fn the_rest_is_nobody_or_enough_viewers_in_two_rows_and_witnesses_change_nothing(
            rows in prop::collection::vec((prop::collection::btree_set(0..60_u32, 0..25), 0..4_u64), 0..12),
            skip in prop::collection::vec(any::<u8>(), 12),
        ) {
            let whole: Vec<_> = rows.iter().map(|(set, extra)| row(set.iter().copied(), *extra)).collect();
            let shown = judge(&whole);
            let hidden = || whole.iter().zip(&shown).filter(|(row, shown)| !**shown && !row.audience.is_empty());
            let rest = hidden().map(|(row, _)| &row.audience).union();
            prop_assert!(rest.is_empty() || !shown.contains(&true) || (rest.len() >= FLOOR && hidden().count() >= 2));
            prop_assert!(whole.iter().zip(&shown).all(|(row, shown)| !shown || row.audience.len() >= FLOOR));

            // Any part of a large audience that is large itself: a cycle's stretch that begins anywhere.
            let part = |(row, &skip): (&Raw<Tally>, &u8)| {
                let viewers = row.audience.iter().cycle().skip(skip.into());
                let some = (row.audience.len() as usize).min(FLOOR as usize + usize::from(skip % 5));
                Raw::seal(row.value, viewers.take(some).collect())
            };
            let parts: Vec<_> = whole.iter().zip(&skip).map(part).collect();
            prop_assert_eq!(judge(&parts), shown);
        }
    }
}
