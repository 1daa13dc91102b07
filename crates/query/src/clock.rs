//! Clock hours of a reporting zone, cheap enough to ask for every row.
//!
//! The zone's rules are asked once a day of the range. Nearly every day is *plain*: 24 hours at one offset. Only instants
//! on the few other days, or outside the range, go to the zone itself.

use throng_model::{DAY_MS, Day, DayRange, Timestamp, Zone};
use throng_privacy::SeriesStep;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;

/// A day of the zone as a stretch of instants.
struct Stretch {
    start: i64,
    end: i64,
    /// Local time minus UTC where it is the same all day, from midnight to midnight.
    offset: Option<i64>,
}

impl Stretch {
    fn of(zone: &Zone, day: Day) -> Self {
        let (start, end) = (zone.day_start(day).millis(), zone.day_end(day).millis());
        let midnight = i64::from(day.number()) * DAY_MS;
        let plain = end - start == DAY_MS
            && local_ms(zone, start) == midnight
            && local_ms(zone, end - 1) == midnight + DAY_MS - 1;
        Self { start, end, offset: plain.then_some(midnight - start) }
    }

    fn holds(&self, ts: i64) -> bool {
        (self.start..self.end).contains(&ts)
    }
}

/// Tells hours of the week.
pub(crate) struct Clock {
    zone: Zone,
    days: Vec<Stretch>,
    /// The day of the last instant asked for; rows come by time.
    current: usize,
}

impl Clock {
    /// A clock that is fast for instants that fall on these days.
    pub(crate) fn new(zone: Zone, days: DayRange) -> Self {
        let days = days.iter().map(|day| Stretch::of(&zone, day)).collect();
        Self { zone, days, current: 0 }
    }

    /// Hour of the week: 0 is Monday 00:00 to 01:00.
    pub(crate) fn hour_of_week(&mut self, ts: i64) -> u8 {
        let local = match self.day_at(ts).and_then(|day| day.offset) {
            Some(offset) => ts + offset,
            None => local_ms(&self.zone, ts),
        };
        // 1970-01-01 was a Thursday.
        let hours = local.div_euclid(HOUR_MS) + 3 * 24;
        hours.rem_euclid(7 * 24) as u8
    }

    fn day_at(&mut self, ts: i64) -> Option<&Stretch> {
        if !self.days.get(self.current).is_some_and(|day| day.holds(ts)) {
            self.current = self.days.partition_point(|day| day.end <= ts);
        }
        self.days.get(self.current).filter(|day| day.holds(ts))
    }
}

/// The clock hours of a range of days, and the one that a row counts in.
pub(crate) struct Hours {
    steps: Vec<SeriesStep>,
    first: u32,
    days: Vec<DayHours>,
}

struct DayHours {
    stretch: Stretch,
    /// The day's first step.
    first: usize,
    /// One past its last step.
    end: usize,
}

impl Hours {
    /// Cuts days into hours. An hour begins with the day, where the clock shows a full hour, and where it jumps into
    /// another hour. A day that the zone skips has one hour of no length, which only late rows can count in.
    pub(crate) fn new(zone: &Zone, range: DayRange) -> Self {
        let mut steps = Vec::new();
        let mut days = Vec::with_capacity(range.days() as usize);
        for day in range.iter() {
            let stretch = Stretch::of(zone, day);
            let first = steps.len();
            let starts = starts(zone, &stretch);
            steps
                .extend(starts.into_iter().map(|start| SeriesStep { start: instant(start), days: DayRange::day(day) }));
            days.push(DayHours { stretch, first, end: steps.len() });
        }
        Self { steps, first: u32::from(range.first().number()), days }
    }

    /// Every hour, in order.
    pub(crate) fn steps(&self) -> &[SeriesStep] {
        &self.steps
    }

    /// Every hour, in order.
    pub(crate) fn into_steps(self) -> Vec<SeriesStep> {
        self.steps
    }

    /// The hour of a row that counts in a day; `None` outside the range. A row whose time lies outside the day it counts
    /// in counts in the day's first hour, so that hours add up to days.
    #[inline]
    pub(crate) fn step_of(&self, day: u32, ts: i64) -> Option<usize> {
        let day = self.days.get(day.checked_sub(self.first)? as usize)?;
        if !day.stretch.holds(ts) {
            return Some(day.first);
        }
        if day.stretch.offset.is_some() {
            return Some(day.first + ((ts - day.stretch.start) / HOUR_MS) as usize);
        }
        let steps = self.steps.get(day.first..day.end)?;
        let after = steps.partition_point(|step| step.start.millis() <= ts);
        Some(day.first + after.saturating_sub(1))
    }
}

fn starts(zone: &Zone, day: &Stretch) -> Vec<i64> {
    if day.offset.is_some() {
        return (0..24).map(|hour| day.start + hour * HOUR_MS).collect();
    }
    let mut starts = vec![day.start];
    let hour_at = |ts: i64| zone.hour_of_day(instant(ts));
    // Offsets and their changes are whole minutes since 1972.
    let mut ts = day.start + MINUTE_MS;
    while ts < day.end {
        if zone.hour_start(instant(ts)).millis() == ts || hour_at(ts) != hour_at(ts - MINUTE_MS) {
            starts.push(ts);
        }
        ts += MINUTE_MS;
    }
    starts
}

/// Local time, in milliseconds as if it were UTC.
fn local_ms(zone: &Zone, ts: i64) -> i64 {
    let at = instant(ts);
    let into_hour = ts - zone.hour_start(at).millis();
    i64::from(zone.day_of(at).number()) * DAY_MS + i64::from(zone.hour_of_day(at)) * HOUR_MS + into_hour
}

/// The instant, held within the years that have any.
fn instant(ts: i64) -> Timestamp {
    Timestamp::MIN.saturating_add_millis(ts - Timestamp::MIN.millis())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    fn range(first: &str, last: &str) -> DayRange {
        DayRange::new(Day::parse(first).expect(first), Day::parse(last).expect(last)).expect("range")
    }

    fn shown(zone: &str, first: &str, last: &str) -> Vec<String> {
        let zone = Zone::parse(zone).expect(zone);
        Hours::new(&zone, range(first, last)).steps().iter().map(|step| zone.format(step.start)).collect()
    }

    #[test]
    fn days_have_their_real_hours() {
        assert_eq!(shown("Europe/Berlin", "2026-03-29", "2026-03-29").len(), 23);
        let autumn = shown("Europe/Berlin", "2026-10-25", "2026-10-25");
        assert_eq!(autumn.len(), 25);
        assert_eq!(&autumn[2..4], ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]);
        let nepal = shown("Asia/Kathmandu", "2026-03-09", "2026-03-10");
        assert_eq!((nepal.len(), nepal[25].as_str()), (48, "2026-03-10T01:00:00+05:45"));
    }

    #[test]
    fn a_jump_of_half_an_hour_makes_a_short_or_a_long_hour() {
        let spring = shown("Australia/Lord_Howe", "2026-10-04", "2026-10-04");
        assert_eq!(
            &spring[1..4],
            ["2026-10-04T01:00:00+10:30", "2026-10-04T02:30:00+11:00", "2026-10-04T03:00:00+11:00"]
        );
        let autumn = shown("Australia/Lord_Howe", "2026-04-05", "2026-04-05");
        assert_eq!(&autumn[1..3], ["2026-04-05T01:00:00+11:00", "2026-04-05T02:00:00+10:30"]);
    }

    #[test]
    fn a_skipped_day_has_one_empty_hour() {
        let zone = Zone::parse("Pacific/Apia").expect("zone");
        let hours = Hours::new(&zone, range("2011-12-29", "2011-12-31"));
        let lengths: Vec<_> = hours.days.iter().map(|day| day.end - day.first).collect();
        assert_eq!(lengths, [24, 1, 24]);
    }

    #[test]
    fn late_rows_count_in_the_first_hour() {
        let zone = Zone::parse("Europe/Berlin").expect("zone");
        let hours = Hours::new(&zone, range("2026-03-28", "2026-03-30"));
        let day = u32::from(Day::parse("2026-03-29").expect("day").number());
        let ts = |text| Timestamp::parse(text).expect(text).millis();
        assert_eq!(hours.step_of(day, ts("2026-03-20T12:00:00Z")), Some(24));
        assert_eq!(hours.step_of(day, ts("2026-03-29T00:59:59Z")), Some(25));
        assert_eq!(hours.step_of(day, ts("2026-03-29T01:00:00Z")), Some(26));
        assert_eq!(hours.step_of(day, ts("2026-03-29T21:59:59Z")), Some(46));
        assert_eq!(hours.step_of(day + 2, ts("2026-03-29T21:59:59Z")), None);
    }

    #[test]
    fn the_clock_agrees_with_the_zone() {
        for name in ["UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia"] {
            let zone = Zone::parse(name).expect(name);
            for days in [range("2011-03-01", "2011-12-31"), range("2026-03-01", "2026-03-02")] {
                let mut clock = Clock::new(zone.clone(), days);
                let mut ts = Timestamp::parse("2011-02-01T00:00:00Z").expect("time").millis();
                for _ in 0..20_000 {
                    let at = instant(ts);
                    let wanted = zone.day_of(at).weekday() * 24 + zone.hour_of_day(at);
                    assert_eq!(clock.hour_of_week(ts), wanted, "{name} {at}");
                    ts += 29 * MINUTE_MS + 59_999;
                }
            }
        }
    }
}
