//! Arguments: ranges of days, windows, page sizes.

use async_graphql::{InputObject, Result};
use throng_model::{Day, DayRange, Entity, Granularity};
use throng_privacy::Gate;

use crate::error::{bad_input, of_gate};
use crate::scalar::Date;
use crate::words::WindowKind;

/// The most elements of one page or ranking.
pub(crate) const FIRST_MAX: i32 = 100;

/// The most windows that are answered together.
pub(crate) const WINDOWS_MAX: usize = 100;

/// A range of days, both ends included, for public counters: either `last`, or `from` and `to`. At most 3,660 days.
#[derive(Debug, Clone, InputObject)]
pub(crate) struct DateRangeInput {
    /// First day, in the entity's reporting zone. Needs `to`.
    pub(crate) from: Option<Date>,
    /// Last day, included, in the entity's reporting zone. Needs `from`.
    pub(crate) to: Option<Date>,
    /// So many days that end with the entity's last sealed day, or with yesterday in its zone where no day is sealed yet.
    pub(crate) last: Option<i32>,
}

impl DateRangeInput {
    pub(crate) fn resolve(&self, gate: &Gate, entity: &Entity) -> Result<DayRange> {
        match (self.from, self.to, self.last) {
            (Some(Date(from)), Some(Date(to)), None) => {
                DayRange::new(from, to).map_err(|error| bad_input(error.to_string()))
            }
            (None, None, Some(last)) => match u32::try_from(last) {
                Ok(days @ 1..=DayRange::DAYS_MAX) => gate.last_days(entity, days).map_err(of_gate),
                _ => Err(bad_input(format!("last must lie between 1 and {}", DayRange::DAYS_MAX))),
            },
            _ => Err(bad_input("a range is either last, or from and to")),
        }
    }

    /// How many windows of a kind end within this range at most, for the cost of a query.
    pub(crate) fn windows(&self, kind: WindowKind) -> usize {
        let granularity = match kind {
            WindowKind::Month => Granularity::Month,
            WindowKind::Quarter => Granularity::Quarter,
            WindowKind::Year => Granularity::Year,
            _ => Granularity::Day,
        };
        self.steps(granularity).min(WINDOWS_MAX)
    }

    /// How many steps a series over this range has at most, for the cost of a query.
    pub(crate) fn steps(&self, granularity: Granularity) -> usize {
        let days = match (self.from, self.to, self.last) {
            (Some(Date(from)), Some(Date(to)), _) => usize::from(to.number().saturating_sub(from.number())) + 1,
            (.., Some(last)) => usize::try_from(last).unwrap_or(0),
            _ => 0,
        };
        match granularity {
            Granularity::Hour => days.saturating_mul(25),
            Granularity::Day => days,
            Granularity::Week => days / 7 + 2,
            Granularity::Month => days / 28 + 2,
            Granularity::Quarter => days / 90 + 2,
            Granularity::Year => days / 365 + 2,
        }
    }
}

/// A window of the catalogue, for audience insights.
#[derive(Debug, Clone, InputObject)]
pub(crate) struct WindowInput {
    /// Its kind.
    pub(crate) kind: WindowKind,
    /// Which one: the day itself, the last day of a rolling window (only on steps of the policy), or any day of the month,
    /// quarter or year. Without it, the newest window whose days are all sealed. Windows by age take no date.
    pub(crate) date: Option<Date>,
}

impl WindowInput {
    pub(crate) fn date(&self) -> Option<Day> {
        self.date.map(|Date(day)| day)
    }
}

/// A page size within its bounds.
pub(crate) fn page_size(first: i32) -> Result<usize> {
    match usize::try_from(first) {
        Ok(size) if (1..=FIRST_MAX).contains(&first) => Ok(size),
        _ => Err(bad_input(format!("first must lie between 1 and {FIRST_MAX}"))),
    }
}

/// A page size for the cost of a query: whatever was asked, held within the bounds.
pub(crate) fn page_cost(first: i32) -> usize {
    usize::try_from(first.clamp(1, FIRST_MAX)).unwrap_or(1)
}
