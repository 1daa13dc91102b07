//! The public catalogue of windows that audience insights may be asked for.

use crate::{Day, DayRange, Granularity};

/// A kind of window. Channels, videos and hashtags share the calendar kinds; only videos have windows by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WindowKind {
    /// One day.
    Day,
    /// Seven days that end on a step.
    Last7Days,
    /// Twenty-eight days that end on a step.
    Last28Days,
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
    /// A calendar year.
    Year,
    /// The first day of a video: the day it was published.
    First1Day,
    /// The first 7 days of a video.
    First7Days,
    /// The first 28 days of a video.
    First28Days,
    /// The first 90 days of a video.
    First90Days,
    /// The first 365 days of a video.
    First365Days,
}

impl WindowKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Day,
        Self::Last7Days,
        Self::Last28Days,
        Self::Month,
        Self::Quarter,
        Self::Year,
        Self::First1Day,
        Self::First7Days,
        Self::First28Days,
        Self::First90Days,
        Self::First365Days,
    ];

    /// For windows by age: how many days from the day of publication. `None` for calendar kinds.
    pub fn age_days(self) -> Option<u32> {
        match self {
            Self::First1Day => Some(1),
            Self::First7Days => Some(7),
            Self::First28Days => Some(28),
            Self::First90Days => Some(90),
            Self::First365Days => Some(365),
            _ => None,
        }
    }

    fn rolling_days(self) -> Option<i64> {
        match self {
            Self::Last7Days => Some(7),
            Self::Last28Days => Some(28),
            _ => None,
        }
    }

    fn calendar(self) -> Granularity {
        match self {
            Self::Month => Granularity::Month,
            Self::Quarter => Granularity::Quarter,
            Self::Year => Granularity::Year,
            _ => Granularity::Day,
        }
    }
}

/// Why a window is not in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// A rolling window ends on a day that is no step.
    #[error("a window of this kind ends only every {step_days} days: the nearest ends are {before} and {after}")]
    OffStep {
        /// Days between steps.
        step_days: u16,
        /// The last permitted end before the one asked for.
        before: Day,
        /// The first permitted end after the one asked for.
        after: Day,
    },
    /// A window by age of something that is no video.
    #[error("windows by age exist for videos only")]
    NotAVideo,
    /// A window by age of a video whose day of publication is unknown.
    #[error("the video's day of publication is not known")]
    NotPublished,
    /// A date with a window by age.
    #[error("a window by age takes no date")]
    DateGiven,
}

/// One window of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// Its kind.
    pub kind: WindowKind,
    /// Its days.
    pub days: DayRange,
}

impl Window {
    /// The window of a calendar kind that `date` names: the day itself, a rolling window that ends on it, or the month,
    /// quarter or year that holds it.
    pub fn at(kind: WindowKind, date: Day, step_days: u16) -> Result<Self, WindowError> {
        if kind.age_days().is_some() {
            return Err(WindowError::NotAVideo);
        }
        let days = match kind.rolling_days() {
            Some(length) => {
                let before = step_end(date, step_days);
                if before != date {
                    let after = before.saturating_add(i64::from(step_days));
                    return Err(WindowError::OffStep { step_days, before, after });
                }
                range(date.saturating_add(1 - length), date)
            }
            None => range(date.period_start(kind.calendar()), date.period_end(kind.calendar())),
        };
        Ok(Self { kind, days })
    }

    /// Every window of a calendar kind that ends within a range of days, in order.
    pub fn ending_in(
        kind: WindowKind,
        range: DayRange,
        step_days: u16,
    ) -> Result<impl Iterator<Item = Self>, WindowError> {
        if kind.age_days().is_some() {
            return Err(WindowError::NotAVideo);
        }
        let windows = range.iter().filter_map(move |day| Self::at(kind, day, step_days).ok().zip(Some(day)));
        Ok(windows.filter(|(window, day)| window.days.last() == *day).map(|(window, _)| window))
    }

    /// The newest window of a calendar kind whose days are all sealed.
    pub fn newest(kind: WindowKind, sealed_through: Day, step_days: u16) -> Result<Self, WindowError> {
        if kind.rolling_days().is_some() {
            return Self::at(kind, step_end(sealed_through, step_days), step_days);
        }
        let current = Self::at(kind, sealed_through, step_days)?;
        if current.days.last() <= sealed_through {
            return Ok(current);
        }
        Self::at(kind, current.days.first().previous(), step_days)
    }

    /// A window by age, from the day of publication on.
    pub fn by_age(kind: WindowKind, published: Day) -> Option<Self> {
        let days = kind.age_days()?;
        Some(Self { kind, days: range(published, published.saturating_add(i64::from(days) - 1)) })
    }
}

/// The newest step on or before a day. Steps of seven days end on Sundays; others count from the same Sunday.
fn step_end(day: Day, step_days: u16) -> Day {
    // 1970-01-04 was a Sunday.
    let into_step = (i64::from(day.number()) - 3).rem_euclid(i64::from(step_days.max(1)));
    day.saturating_add(-into_step)
}

fn range(first: Day, last: Day) -> DayRange {
    // `first` is never after `last` here, and no kind is longer than a year.
    DayRange::new(first, last).unwrap_or(DayRange::day(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).expect(text)
    }

    #[test]
    fn rolling_windows_end_on_sundays() {
        let newest = Window::newest(WindowKind::Last28Days, day("2026-03-11"), 7).expect("window");
        assert_eq!((newest.days.first(), newest.days.last()), (day("2026-02-09"), day("2026-03-08")));
        let off = Window::at(WindowKind::Last7Days, day("2026-03-11"), 7);
        assert_eq!(
            off,
            Err(WindowError::OffStep { step_days: 7, before: day("2026-03-08"), after: day("2026-03-15") })
        );
    }

    #[test]
    fn windows_are_listed_by_their_last_days() {
        let range = DayRange::new(day("2026-02-27"), day("2026-03-31")).expect("range");
        let lasts = |kind| -> Vec<String> {
            let windows = Window::ending_in(kind, range, 7).expect("a calendar kind");
            windows.map(|window| window.days.last().to_string()).collect()
        };
        assert_eq!(lasts(WindowKind::Day).len(), 33);
        let sundays = ["2026-03-01", "2026-03-08", "2026-03-15", "2026-03-22", "2026-03-29"];
        assert_eq!(
            (lasts(WindowKind::Last28Days), lasts(WindowKind::Last7Days)),
            (sundays.into_iter().map(str::to_owned).collect(), sundays.map(str::to_owned).to_vec())
        );
        assert_eq!(lasts(WindowKind::Month), ["2026-02-28", "2026-03-31"]);
        assert_eq!((lasts(WindowKind::Quarter), lasts(WindowKind::Year)), (vec!["2026-03-31".to_owned()], vec![]));
        assert!(Window::ending_in(WindowKind::First7Days, range, 7).is_err());
    }

    #[test]
    fn the_newest_month_is_a_whole_sealed_one() {
        let newest = |text| Window::newest(WindowKind::Month, day(text), 7).expect("window").days.first();
        assert_eq!(newest("2026-03-30"), day("2026-02-01"));
        assert_eq!(newest("2026-03-31"), day("2026-03-01"));
    }

    #[test]
    fn windows_by_age_count_from_publication() {
        let window = Window::by_age(WindowKind::First7Days, day("2026-03-01")).expect("window");
        assert_eq!(window.days.last(), day("2026-03-07"));
        assert_eq!(Window::by_age(WindowKind::Day, day("2026-03-01")), None);
    }
}
