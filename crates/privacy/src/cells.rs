//! The cells of each family: which ones appear at all, in which order, and how families of one window add up.
//!
//! Which cells appear is decided from these public lists and from released values only, never from hidden ones.

use throng_model::{AgeBand, Cell, DayRange, Device, Family, Follower, Gender, HourOfWeek, Source, Stage};

use crate::Measure;

/// The points of a retention curve, in percent of the video's length.
pub(crate) const POSITIONS: std::ops::RangeInclusive<u8> = 1..=100;

/// Every cell of a family with a short fixed list, in its fixed order. `None` for long lists (countries, regions), where
/// only disclosed rows appear.
pub(crate) fn fixed(family: Family) -> Option<Vec<Cell>> {
    Some(match family {
        Family::Reach => Vec::new(),
        Family::Novelty => vec![Cell::New, Cell::Returning],
        Family::FollowerStatus => {
            [Some(Follower::Yes), Some(Follower::No), None].into_iter().map(Cell::Follower).collect()
        }
        Family::Country | Family::Region => return None,
        Family::Age => with_unknown(AgeBand::ALL).map(Cell::Age).collect(),
        Family::Gender => with_unknown(Gender::ALL).map(Cell::Gender).collect(),
        Family::AgeGender => with_unknown(AgeBand::ALL)
            .flat_map(|age| with_unknown(Gender::ALL).map(move |gender| Cell::AgeGender(age, gender)))
            .collect(),
        Family::Device => with_unknown(Device::ALL).map(Cell::Device).collect(),
        Family::TrafficSource => Source::ALL.iter().copied().map(Cell::Source).collect(),
        Family::ActiveHours => HourOfWeek::all().map(Cell::Hour).collect(),
        Family::Retention => POSITIONS.map(Cell::Position).collect(),
        Family::Funnel => Stage::ALL.into_iter().map(Cell::Stage).collect(),
    })
}

/// Orders rows by released value where their family is ranked, the largest first.
pub(crate) fn rank(family: Family, rows: &mut [(Cell, Measure)]) {
    if !keeps_order(family) {
        // Stable: rows without value keep the fixed order behind the others.
        let value = |measure: &Measure| measure.value().unwrap_or(f64::NEG_INFINITY);
        rows.sort_by(|(_, a), (_, b)| value(b).total_cmp(&value(a)));
    }
}

/// Whether rows keep the fixed order; the others are ranked by released value.
fn keeps_order(family: Family) -> bool {
    match family {
        Family::Reach
        | Family::Novelty
        | Family::Age
        | Family::AgeGender
        | Family::ActiveHours
        | Family::Retention
        | Family::Funnel => true,
        Family::FollowerStatus
        | Family::Country
        | Family::Region
        | Family::Gender
        | Family::Device
        | Family::TrafficSource => false,
    }
}

/// Whether a family's rows split its total, so that what is not shown is the rest.
pub(crate) fn is_partition(family: Family) -> bool {
    !family.overlaps() && !family.is_curve() && family != Family::Reach
}

/// The first point of a curve where it has a name of its own besides being the total.
pub(crate) fn curve_start(family: Family) -> Option<Cell> {
    (family == Family::Funnel).then_some(Cell::Stage(Stage::Saw))
}

/// The days whose rows a family is computed from: those of the window, and for new viewers the 365 before them.
pub(crate) fn days_needed(family: Family, window: DayRange) -> DayRange {
    let first = window.first().saturating_add(if family == Family::Novelty { -365 } else { 0 });
    DayRange::new(first, window.last()).unwrap_or(window)
}

/// Families of the same window whose numbers add up from this one's rows: they are judged with it.
pub(crate) fn coarser(family: Family) -> &'static [Family] {
    match family {
        Family::AgeGender => &[Family::Age, Family::Gender],
        Family::Region => &[Family::Country],
        _ => &[],
    }
}

/// The cell of a coarser family that holds every viewer of this cell, if there is one.
pub(crate) fn coarser_cell(cell: Cell, family: Family) -> Option<Cell> {
    match (cell, family) {
        (Cell::AgeGender(age, _), Family::Age) => Some(Cell::Age(age)),
        (Cell::AgeGender(_, gender), Family::Gender) => Some(Cell::Gender(gender)),
        (Cell::Region(Some(region)), Family::Country) => Some(Cell::Country(Some(region.country()))),
        _ => None,
    }
}

fn with_unknown<T: Copy>(known: &'static [T]) -> impl Iterator<Item = Option<T>> {
    known.iter().copied().map(Some).chain([None])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_lists_hold_each_cell_once() {
        for family in Family::ALL {
            let Some(cells) = fixed(family) else { continue };
            let distinct: std::collections::BTreeSet<_> = cells.iter().collect();
            assert_eq!(distinct.len(), cells.len(), "{family:?}");
        }
        assert_eq!(fixed(Family::ActiveHours).expect("fixed").len(), 168);
        assert_eq!(fixed(Family::AgeGender).expect("fixed").len(), 32);
        assert_eq!(fixed(Family::Retention).expect("fixed").len(), 100);
    }

    #[test]
    fn every_finer_cell_has_its_coarser_ones() {
        for cell in fixed(Family::AgeGender).expect("fixed") {
            for &family in coarser(Family::AgeGender) {
                let coarse = coarser_cell(cell, family).expect("cell");
                assert!(fixed(family).expect("fixed").contains(&coarse));
            }
        }
    }
}
