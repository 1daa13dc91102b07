//! Time: instants, reporting zones, their days, and ranges of days.
//!
//! A *day* is always a creator's day: it begins and ends at midnight of the creator's zone. Days and hours that a zone
//! skips or repeats (daylight saving, moves of the date line) follow the IANA rules.

use std::fmt;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// Milliseconds in a day of 24 hours.
pub const DAY_MS: i64 = 86_400_000;

/// Why a text or number is no instant, day, zone or range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeriodError {
    /// Outside the years 2000 to 2099.
    #[error("must lie between 2000-01-01 and 2099-12-31")]
    OutOfRange,
    /// No RFC 3339 instant.
    #[error("must be an RFC 3339 time such as 2026-03-09T12:00:00Z, or milliseconds since 1970-01-01")]
    NoTime,
    /// No calendar date.
    #[error("must be a date such as 2026-03-09")]
    NoDate,
    /// No IANA zone.
    #[error("must be an IANA time zone such as Europe/Berlin")]
    NoZone,
    /// The range ends before it begins.
    #[error("must not end before it begins")]
    Reversed,
    /// The range is longer than the limit.
    #[error("must be at most {days_max} days long")]
    TooLong {
        /// The limit, in days.
        days_max: u32,
    },
}

/// An instant, in milliseconds since 1970-01-01T00:00:00Z, within the years 2000 to 2099.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 2000-01-01T00:00:00Z.
    pub const MIN: Self = Self(946_684_800_000);
    /// 2099-12-31T23:59:59.999Z.
    pub const MAX: Self = Self(4_102_444_799_999);

    /// Checks the range.
    pub fn from_millis(millis: i64) -> Result<Self, PeriodError> {
        let ts = Self(millis);
        if (Self::MIN..=Self::MAX).contains(&ts) { Ok(ts) } else { Err(PeriodError::OutOfRange) }
    }

    /// Reads RFC 3339; digits below the millisecond are cut off.
    pub fn parse(text: &str) -> Result<Self, PeriodError> {
        let ts: jiff::Timestamp = text.parse().map_err(|_| PeriodError::NoTime)?;
        Self::from_millis(ts.as_millisecond())
    }

    /// The wall clock, held within the range.
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_millisecond()).clamp(Self::MIN, Self::MAX)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// This instant moved by some milliseconds, held within the range.
    pub fn saturating_add_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis)).clamp(Self::MIN, Self::MAX)
    }

    fn jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.jiff())
    }
}

/// A calendar day of a creator's zone, as days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u16);

impl Day {
    /// 1999-12-31: the earliest day that an instant can fall on in any zone.
    pub const MIN: Self = Self(10_956);
    /// 2100-01-01: the latest day that an instant can fall on in any zone.
    pub const MAX: Self = Self(47_482);

    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Result<Self, PeriodError> {
        // jiff also reads compact and signed forms; one spelling is enough.
        if text.len() != 10 {
            return Err(PeriodError::NoDate);
        }
        Self::from_date(text.parse().map_err(|_| PeriodError::NoDate)?)
    }

    /// Checks the range.
    pub fn from_number(days: i64) -> Result<Self, PeriodError> {
        let day = u16::try_from(days).map(Self).map_err(|_| PeriodError::OutOfRange)?;
        if (Self::MIN..=Self::MAX).contains(&day) { Ok(day) } else { Err(PeriodError::OutOfRange) }
    }

    /// Days since 1970-01-01.
    pub fn number(self) -> u16 {
        self.0
    }

    /// The day some days later (or earlier), held within the range.
    pub fn saturating_add(self, days: i64) -> Self {
        let number = (i64::from(self.0) + days).clamp(i64::from(Self::MIN.0), i64::from(Self::MAX.0));
        Self(number as u16)
    }

    /// The next day, held within the range.
    pub fn next(self) -> Self {
        self.saturating_add(1)
    }

    /// The day before, held within the range.
    pub fn previous(self) -> Self {
        self.saturating_add(-1)
    }

    /// 0 for Monday to 6 for Sunday.
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        ((self.0 + 3) % 7) as u8
    }

    /// First day of the period of this granularity that holds the day; `Hour` and `Day` give the day itself.
    pub fn period_start(self, granularity: Granularity) -> Self {
        let date = self.date();
        let back = match granularity {
            Granularity::Hour | Granularity::Day => 0,
            Granularity::Week => i64::from(self.weekday()),
            Granularity::Month => i64::from(date.day()) - 1,
            Granularity::Quarter => {
                let first_month = (date.month() - 1) / 3 * 3 + 1;
                return Self::from_date(Date::constant(date.year(), first_month, 1)).unwrap_or(Self::MIN);
            }
            Granularity::Year => i64::from(date.day_of_year()) - 1,
        };
        self.saturating_add(-back)
    }

    /// Last day of the period of this granularity that holds the day.
    pub fn period_end(self, granularity: Granularity) -> Self {
        let start = self.period_start(granularity);
        let longest = match granularity {
            Granularity::Hour | Granularity::Day => return self,
            Granularity::Week => return start.saturating_add(6),
            Granularity::Month => 31,
            Granularity::Quarter => 92,
            Granularity::Year => 366,
        };
        // One step past the longest such period always lies in the next one.
        start.saturating_add(longest).period_start(granularity).previous()
    }

    fn date(self) -> Date {
        // In range by construction, so the fallback never shows.
        Date::constant(1970, 1, 1).saturating_add(jiff::Span::new().days(i64::from(self.0)))
    }

    fn from_date(date: Date) -> Result<Self, PeriodError> {
        let epoch = Date::constant(1970, 1, 1);
        let days = date.since(epoch).map_err(|_| PeriodError::OutOfRange)?.get_days();
        Self::from_number(i64::from(days))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.date())
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.date())
    }
}

/// A run of days, both ends included; never empty.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayRange {
    first: Day,
    last: Day,
}

impl DayRange {
    /// The longest range that a question may name: ten years.
    pub const DAYS_MAX: u32 = 3_660;

    /// Checks order and length.
    pub fn new(first: Day, last: Day) -> Result<Self, PeriodError> {
        if last < first {
            return Err(PeriodError::Reversed);
        }
        let range = Self { first, last };
        if range.days() > Self::DAYS_MAX {
            return Err(PeriodError::TooLong { days_max: Self::DAYS_MAX });
        }
        Ok(range)
    }

    /// One day.
    pub fn day(day: Day) -> Self {
        Self { first: day, last: day }
    }

    /// The first day.
    pub fn first(self) -> Day {
        self.first
    }

    /// The last day, included.
    pub fn last(self) -> Day {
        self.last
    }

    /// Number of days, at least 1.
    pub fn days(self) -> u32 {
        u32::from(self.last.0 - self.first.0) + 1
    }

    /// Whether the day lies in the range.
    pub fn contains(self, day: Day) -> bool {
        (self.first..=self.last).contains(&day)
    }

    /// Every day, in order.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Day> {
        (self.first.0..=self.last.0).map(Day)
    }

    /// The days of both ranges; `None` where they share none.
    pub fn intersection(self, other: Self) -> Option<Self> {
        let (first, last) = (self.first.max(other.first), self.last.min(other.last));
        (first <= last).then_some(Self { first, last })
    }

    /// The range moved by some days, held within the calendar.
    pub fn shifted(self, days: i64) -> Self {
        Self { first: self.first.saturating_add(days), last: self.last.saturating_add(days) }
    }

    /// The periods of this granularity that the range touches, each cut to the range, in order.
    pub fn periods(self, granularity: Granularity) -> impl Iterator<Item = Self> {
        let mut next = Some(self.first);
        std::iter::from_fn(move || {
            let first = next?;
            let last = first.period_end(granularity).min(self.last);
            next = (last < self.last).then(|| last.next());
            Some(Self { first, last })
        })
    }
}

impl fmt::Debug for DayRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.first, self.last)
    }
}

/// Step of a series, in the creator's zone. Weeks begin on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Granularity {
    /// Clock hours of the zone.
    Hour,
    /// Days.
    Day,
    /// Weeks from Monday to Sunday.
    Week,
    /// Calendar months.
    Month,
    /// Calendar quarters.
    Quarter,
    /// Calendar years.
    Year,
}

/// An IANA time zone: a creator's reporting zone.
#[derive(Clone, PartialEq)]
pub struct Zone(TimeZone);

impl Zone {
    /// UTC, the default.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The zone of an IANA name, from the database in the binary.
    pub fn parse(name: &str) -> Result<Self, PeriodError> {
        if name == "UTC" {
            return Ok(Self::UTC);
        }
        let zone = TimeZone::get(name).map_err(|_| PeriodError::NoZone)?;
        // Without a name it could not be stored and read back.
        if zone.iana_name().is_some() { Ok(Self(zone)) } else { Err(PeriodError::NoZone) }
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The day that holds the instant.
    pub fn day_of(&self, ts: Timestamp) -> Day {
        Day::from_number(self.local_ms(ts).div_euclid(DAY_MS)).unwrap_or(Day::MIN)
    }

    /// Start of the clock hour that holds the instant; zones may be off by 15, 30 or 45 minutes.
    pub fn hour_start(&self, ts: Timestamp) -> Timestamp {
        let into_hour = self.local_ms(ts).rem_euclid(3_600_000);
        Timestamp(ts.0 - into_hour)
    }

    /// Hour of the clock, 0 to 23.
    pub fn hour_of_day(&self, ts: Timestamp) -> u8 {
        (self.local_ms(ts).rem_euclid(DAY_MS) / 3_600_000) as u8
    }

    /// First instant of the day.
    pub fn day_start(&self, day: Day) -> Timestamp {
        let start = day.date().to_zoned(self.0.clone()).map(|zoned| zoned.timestamp().as_millisecond());
        Timestamp(start.unwrap_or(i64::from(day.0) * DAY_MS))
    }

    /// First instant after the day.
    pub fn day_end(&self, day: Day) -> Timestamp {
        self.day_start(Day(day.0 + 1))
    }

    /// The instant with this zone's offset, as RFC 3339.
    pub fn format(&self, ts: Timestamp) -> String {
        let offset = self.0.to_offset(ts.jiff());
        ts.jiff().display_with_offset(offset).to_string()
    }

    fn local_ms(&self, ts: Timestamp) -> i64 {
        ts.0 + i64::from(self.0.to_offset(ts.jiff()).seconds()) * 1_000
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// Weekday numbering is part of answers; hold it to the calendar library's.
const _: () = assert!(Weekday::Monday as i8 == 1);

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).expect(text)
    }

    #[test]
    fn days_round_trip_as_text() {
        for text in ["2000-01-01", "2024-02-29", "2026-03-09", "2099-12-31"] {
            assert_eq!(day(text).to_string(), text);
        }
        for text in ["2026-02-30", "20260309", "2026-3-9", "1970-01-01", "2150-01-01", "+002026-03-09"] {
            assert!(Day::parse(text).is_err(), "{text}");
        }
        assert_eq!(Day::MIN.to_string(), "1999-12-31");
        assert_eq!(Day::MAX.to_string(), "2100-01-01");
    }

    #[test]
    fn instants_are_bounded() {
        assert_eq!(Timestamp::parse("2000-01-01T00:00:00Z"), Ok(Timestamp::MIN));
        assert_eq!(Timestamp::parse("2099-12-31T23:59:59.999Z"), Ok(Timestamp::MAX));
        assert_eq!(Timestamp::parse("1999-12-31T23:59:59Z"), Err(PeriodError::OutOfRange));
        assert_eq!(Timestamp::from_millis(i64::MAX), Err(PeriodError::OutOfRange));
        assert_eq!(Timestamp::parse("yesterday"), Err(PeriodError::NoTime));
        let ts = Timestamp::parse("2026-03-09T12:00:00+05:45").expect("rfc 3339");
        assert_eq!(ts.to_string(), "2026-03-09T06:15:00.000Z");
    }

    #[test]
    fn a_zone_moves_the_day_and_the_hour() {
        let kathmandu = Zone::parse("Asia/Kathmandu").expect("zone");
        let ts = Timestamp::parse("2026-03-09T18:20:00Z").expect("time");
        assert_eq!(kathmandu.day_of(ts), day("2026-03-10"));
        assert_eq!(kathmandu.hour_of_day(ts), 0);
        assert_eq!(kathmandu.hour_start(ts).to_string(), "2026-03-09T18:15:00.000Z");
        assert_eq!(kathmandu.day_start(day("2026-03-10")).to_string(), "2026-03-09T18:15:00.000Z");
        assert_eq!(kathmandu.format(ts), "2026-03-10T00:05:00+05:45");
    }

    #[test]
    fn daylight_saving_makes_days_of_23_and_25_hours() {
        let berlin = Zone::parse("Europe/Berlin").expect("zone");
        let hours = |text| (berlin.day_end(day(text)).millis() - berlin.day_start(day(text)).millis()) / 3_600_000;
        assert_eq!(hours("2026-03-29"), 23);
        assert_eq!(hours("2026-10-25"), 25);
        assert_eq!(hours("2026-07-01"), 24);
        assert!(Zone::parse("Mars/Olympus").is_err());
    }

    #[test]
    fn periods_cut_a_range() {
        assert_eq!(day("2026-03-09").weekday(), 0);
        assert_eq!(day("2026-03-15").period_start(Granularity::Week), day("2026-03-09"));
        assert_eq!(day("2026-02-10").period_end(Granularity::Month), day("2026-02-28"));
        assert_eq!(day("2026-05-31").period_start(Granularity::Quarter), day("2026-04-01"));
        assert_eq!(day("2026-05-31").period_end(Granularity::Quarter), day("2026-06-30"));
        assert_eq!(day("2024-01-31").period_end(Granularity::Year), day("2024-12-31"));
        let range = DayRange::new(day("2026-01-30"), day("2026-03-02")).expect("range");
        let months: Vec<_> = range.periods(Granularity::Month).map(|p| (p.first().to_string(), p.days())).collect();
        assert_eq!(months, [("2026-01-30".into(), 2), ("2026-02-01".into(), 28), ("2026-03-01".into(), 2)]);
        assert_eq!(range.periods(Granularity::Day).count(), 32);
    }
}
