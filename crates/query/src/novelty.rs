//! New and returning viewers of a channel.
//!
//! A viewer's first view in the window lies on a day *f*. It is new if it had no view on the 365 days before *f*. Of those
//! days, the ones in the window hold no view by the choice of *f*; so only the days from *f* − 365 to the day before the
//! window decide.

use roaring::{MultiOps, RoaringBitmap};
use throng_model::{DayRange, Family, Zone};
use throng_store::{AudienceOf, CreatorOrd, Snapshot};

use crate::collect::{DayCells, Need, by_days};
use crate::plan::Plan;
use crate::scope::{Asked, Failure, Scope};

/// How many days without a view make a viewer new again.
pub(crate) const FORGOTTEN_DAYS: u32 = 365;

/// The reach of a window, split.
pub(crate) struct Novelty {
    pub(crate) new: RoaringBitmap,
    pub(crate) returning: RoaringBitmap,
}

impl Novelty {
    /// Splits the viewers of a window.
    pub(crate) fn of(snapshot: &Snapshot, plan: Plan, channel: CreatorOrd, window: DayRange) -> Result<Self, Failure> {
        let asked = &Asked { scope: Scope::Channel(channel), zone: Zone::UTC };
        let viewed = viewed_by_day(snapshot, plan, asked, window)?;
        let first = window.first();
        // Days before the calendar's first one hold nothing.
        let before = DayRange::new(first.saturating_add(-i64::from(FORGOTTEN_DAYS)), first.previous());
        let before = match before {
            Ok(before) if first != before.first() => viewed_by_day(snapshot, plan, asked, before)?,
            _ => Vec::new(),
        };
        Ok(Self::split(&viewed, &before))
    }

    /// `viewed` holds the viewers of each day of the window, `before` those of the days before it, newest last.
    fn split(viewed: &[RoaringBitmap], before: &[RoaringBitmap]) -> Self {
        let mut reach = RoaringBitmap::new();
        let first_seen: Vec<RoaringBitmap> = viewed
            .iter()
            .map(|viewers| {
                let first = viewers - &reach;
                reach |= &first;
                first
            })
            .collect();
        // From the window's last day to its first, ever more of the days before it count.
        let missing = (FORGOTTEN_DAYS as usize).saturating_sub(before.len());
        let mut counted = before.len();
        let mut earlier = RoaringBitmap::new();
        let mut returning = RoaringBitmap::new();
        for (day, first) in first_seen.iter().enumerate().rev() {
            let from = day.saturating_sub(missing).min(counted);
            earlier |= before.get(from..counted).unwrap_or_default().union();
            counted = from;
            returning |= first & &earlier;
        }
        Self { new: reach - &returning, returning }
    }
}

fn viewed_by_day(
    snapshot: &Snapshot,
    plan: Plan,
    asked: &Asked,
    range: DayRange,
) -> Result<Vec<RoaringBitmap>, Failure> {
    let need = Need::audience(AudienceOf::View);
    Ok(by_days(snapshot, plan, asked, &DayCells::daily(range), need)?.finish_audiences())
}

/// Whether the family exists here: new and returning are a matter of channels.
pub(crate) fn wanted(families: &[Family]) -> bool {
    families.contains(&Family::Novelty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(count: usize, seen: &[(usize, u32)]) -> Vec<RoaringBitmap> {
        let mut days = vec![RoaringBitmap::new(); count];
        for &(day, viewer) in seen {
            days.get_mut(day).map(|set| set.insert(viewer));
        }
        days
    }

    #[test]
    fn a_view_365_days_before_the_first_one_makes_a_viewer_return() {
        // Day 0 of `before` is 365 days before the window's first day.
        let before = days(365, &[(0, 1), (0, 2), (1, 3), (364, 4), (364, 5)]);
        let window = days(366, &[(0, 1), (1, 2), (1, 3), (5, 1), (364, 4), (365, 5), (7, 6)]);
        let novelty = Novelty::split(&window, &before);
        assert_eq!(novelty.returning.iter().collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(novelty.new.iter().collect::<Vec<_>>(), [2, 5, 6]);
    }

    #[test]
    fn near_the_calendar_s_begin_fewer_days_lie_before() {
        let before = days(10, &[(0, 1), (9, 2)]);
        let window = days(370, &[(355, 1), (356, 2), (364, 3)]);
        let novelty = Novelty::split(&window, &before);
        assert_eq!(novelty.returning.iter().collect::<Vec<_>>(), [1, 2]);
        let window = days(370, &[(356, 1), (365, 2)]);
        assert!(Novelty::split(&window, &before).returning.is_empty());
    }
}
