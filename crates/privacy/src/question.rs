//! Questions in the gate's own words: which days a window or a comparison means. Public facts only.

use throng_model::{Day, DayRange, Granularity, PeriodError, Window, WindowError, WindowKind};

/// The most steps that one series may have.
pub const SERIES_STEPS_MAX: u32 = 4_000;

/// What a range is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// As many days, right before.
    PreviousPeriod,
    /// The same weekdays: as many days, earlier by the fewest whole weeks that keep both ranges apart.
    SameWeekdays,
}

impl Comparison {
    /// The range compared with; `None` where the calendar does not reach back so far.
    pub(crate) fn range(self, range: DayRange) -> Option<DayRange> {
        let days = i64::from(range.days());
        let back = match self {
            Self::PreviousPeriod => days,
            Self::SameWeekdays => (days + 6) / 7 * 7,
        };
        let earlier = range.shifted(-back);
        (earlier.first().saturating_add(back) == range.first()).then_some(earlier)
    }
}

/// Why a question has no answer. Built from the question and public facts alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuestionError {
    /// The window is not in the catalogue.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// The days are no range.
    #[error(transparent)]
    Period(#[from] PeriodError),
    /// The series would be too long.
    #[error("a series has at most {SERIES_STEPS_MAX} steps: ask for fewer days or a coarser granularity")]
    TooManySteps,
    /// What is answered from sealed days only was asked of a day that is not.
    #[error("the day is not sealed for every channel yet")]
    NotSealed,
}

/// A window of the catalogue as it was asked for, and whether its days are all sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedWindow {
    window: Window,
    sealed: bool,
}

impl AskedWindow {
    /// Its kind.
    pub fn kind(&self) -> WindowKind {
        self.window.kind
    }

    /// Its days.
    pub fn days(&self) -> DayRange {
        self.window.days
    }

    /// Whether every day of it is sealed; no insight is given before.
    pub fn sealed(&self) -> bool {
        self.sealed
    }
}

/// What is publicly known of the entity when a window is asked for.
pub(crate) struct WindowFacts {
    pub(crate) sealed_through: Option<Day>,
    /// The last sealed day; where there is none, the last that has ended by the wall clock.
    pub(crate) newest: Day,
    /// Of a video: the day it was published, if known. `None` for anything else.
    pub(crate) published: Option<Option<Day>>,
    pub(crate) step_days: u16,
}

/// The window that `kind` and `date` name; without a date the newest whose days are all sealed. Where no day is sealed
/// yet, the newest whose days have all ended, so that the answer can say which window is missing.
pub(crate) fn window(kind: WindowKind, date: Option<Day>, facts: &WindowFacts) -> Result<AskedWindow, QuestionError> {
    let window = if kind.age_days().is_some() {
        let published = facts.published.ok_or(WindowError::NotAVideo)?.ok_or(WindowError::NotPublished)?;
        if date.is_some() {
            return Err(WindowError::DateGiven.into());
        }
        Window::by_age(kind, published).ok_or(WindowError::NotAVideo)?
    } else {
        match date {
            Some(date) => Window::at(kind, date, facts.step_days)?,
            None => Window::newest(kind, facts.newest, facts.step_days)?,
        }
    };
    let sealed = facts.sealed_through.is_some_and(|through| window.days.last() <= through);
    Ok(AskedWindow { window, sealed })
}

/// Refuses a series that would be too long, before it costs anything.
pub(crate) fn check_steps(range: DayRange, granularity: Granularity) -> Result<(), QuestionError> {
    let steps_per_day = if granularity == Granularity::Hour { 24 } else { 1 };
    if range.days() * steps_per_day > SERIES_STEPS_MAX { Err(QuestionError::TooManySteps) } else { Ok(()) }
}

/// Whether the days of a step are not the whole period.
pub(crate) fn is_cut(days: DayRange, granularity: Granularity) -> bool {
    days.first().period_start(granularity) < days.first() || days.last() < days.last().period_end(granularity)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: &str, last: &str) -> DayRange {
        DayRange::new(Day::parse(first).expect(first), Day::parse(last).expect(last)).expect("range")
    }

    #[test]
    fn comparisons_keep_length_and_weekdays() {
        let asked = range("2026-03-02", "2026-03-11");
        assert_eq!(Comparison::PreviousPeriod.range(asked), Some(range("2026-02-20", "2026-03-01")));
        assert_eq!(Comparison::SameWeekdays.range(asked), Some(range("2026-02-16", "2026-02-25")));
        let week = range("2026-03-02", "2026-03-08");
        assert_eq!(Comparison::SameWeekdays.range(week), Comparison::PreviousPeriod.range(week));
        assert_eq!(Comparison::PreviousPeriod.range(range("2000-01-01", "2000-01-31")), None);
    }

    #[test]
    fn a_window_without_date_is_the_newest_sealed_one() {
        let day = |text: &str| Day::parse(text).expect(text);
        let mut facts = WindowFacts {
            sealed_through: Some(day("2026-03-11")),
            newest: day("2026-03-11"),
            published: None,
            step_days: 7,
        };
        let newest = window(WindowKind::Last28Days, None, &facts).expect("window");
        assert_eq!((newest.days(), newest.sealed()), (range("2026-02-09", "2026-03-08"), true));
        let late = window(WindowKind::Day, Some(day("2026-03-12")), &facts).expect("window");
        assert!(!late.sealed());
        (facts.sealed_through, facts.newest) = (None, day("2026-03-20"));
        let unsealed = window(WindowKind::Day, None, &facts).expect("window");
        assert_eq!((unsealed.days().last(), unsealed.sealed()), (day("2026-03-20"), false));
        assert_eq!(window(WindowKind::First7Days, None, &facts), Err(WindowError::NotAVideo.into()));
        facts.published = Some(None);
        assert_eq!(window(WindowKind::First7Days, None, &facts), Err(WindowError::NotPublished.into()));
    }
}
