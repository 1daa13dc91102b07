//! One event as the store keeps it: ordinals and codes.

use bincode::{Decode, Encode};
use throng_model::{Day, Kind, Timestamp};

use crate::codec::DamageError;
use crate::pack;

/// A creator's number in this store, in order of first sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct CreatorOrd(pub u32);

/// A video's number in this store, in order of first sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct VideoOrd(pub u32);

/// One event. The order of the fields is the order of rows: creator, video (none first), time, then whatever makes it
/// total, so that equal contents always lie in equal order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row {
    /// Whose channel.
    pub creator: CreatorOrd,
    /// Which video, if any.
    pub video: Option<VideoOrd>,
    /// When it happened.
    pub ts: Timestamp,
    /// Code of [`Kind`].
    pub kind: u8,
    /// The viewer's ordinal.
    pub viewer: u32,
    /// Watch time in milliseconds.
    pub watch_ms: u32,
    /// The day it counts in, in the creator's zone; later than the day of `ts` for a late event.
    pub day: Day,
    /// Code of `throng_model::Source`.
    pub source: u8,
    /// Ordinal of `throng_model::Country`, 0 for unknown.
    pub country: u8,
    /// Suffix of `throng_model::Region` within the country, 0 for unknown.
    pub region: u16,
    /// Code of `throng_model::AgeBand`, 0 for unknown.
    pub age: u8,
    /// Code of `throng_model::Gender`, 0 for unknown.
    pub gender: u8,
    /// Code of `throng_model::Device`, 0 for unknown.
    pub device: u8,
    /// Code of `throng_model::Follower`, 0 for unknown.
    pub follower: u8,
}

/// A column of rows that holds 32-bit codes. Creator and video are in a segment's directory, `ts` has its own reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum Column {
    /// Day numbers (`Day::number`).
    Day,
    /// Codes of kinds.
    Kind,
    /// Viewer ordinals.
    Viewer,
    /// Milliseconds.
    WatchMs,
    /// Codes of traffic sources.
    Source,
    /// Ordinals of countries.
    Country,
    /// Suffixes of regions.
    Region,
    /// Codes of age bands.
    Age,
    /// Codes of genders.
    Gender,
    /// Codes of devices.
    Device,
    /// Codes of follower status.
    Follower,
}

impl Column {
    /// Every column, in stored order.
    pub const ALL: [Self; 11] = [
        Self::Day,
        Self::Kind,
        Self::Viewer,
        Self::WatchMs,
        Self::Source,
        Self::Country,
        Self::Region,
        Self::Age,
        Self::Gender,
        Self::Device,
        Self::Follower,
    ];

    pub(crate) fn of(self, row: &Row) -> u32 {
        match self {
            Self::Day => u32::from(row.day.number()),
            Self::Kind => u32::from(row.kind),
            Self::Viewer => row.viewer,
            Self::WatchMs => row.watch_ms,
            Self::Source => u32::from(row.source),
            Self::Country => u32::from(row.country),
            Self::Region => u32::from(row.region),
            Self::Age => u32::from(row.age),
            Self::Gender => u32::from(row.gender),
            Self::Device => u32::from(row.device),
            Self::Follower => u32::from(row.follower),
        }
    }

    /// Appends the column of rows as segments keep it.
    pub(crate) fn append(self, rows: &[Row], out: &mut Vec<u32>) {
        match self {
            Self::Day => out.extend(rows.iter().map(|row| day_code(row.day.number().into(), row.ts.millis()))),
            Self::Kind => out.extend(rows.iter().map(|row| u32::from(row.kind))),
            Self::Viewer => out.extend(rows.iter().map(|row| row.viewer)),
            Self::WatchMs => out.extend(rows.iter().map(|row| row.watch_ms)),
            Self::Source => out.extend(rows.iter().map(|row| u32::from(row.source))),
            Self::Country => out.extend(rows.iter().map(|row| u32::from(row.country))),
            Self::Region => out.extend(rows.iter().map(|row| u32::from(row.region))),
            Self::Age => out.extend(rows.iter().map(|row| u32::from(row.age))),
            Self::Gender => out.extend(rows.iter().map(|row| u32::from(row.gender))),
            Self::Device => out.extend(rows.iter().map(|row| u32::from(row.device))),
            Self::Follower => out.extend(rows.iter().map(|row| u32::from(row.follower))),
        }
    }

    #[inline(always)]
    fn set(self, row: &mut Row, value: u32) -> Result<(), DamageError> {
        let byte = || u8::try_from(value).map_err(|_| DamageError::Malformed("code"));
        match self {
            Self::Day => row.day = day_of_number(value)?,
            Self::Kind => row.kind = byte()?,
            Self::Viewer => row.viewer = value,
            Self::WatchMs => row.watch_ms = value,
            Self::Source => row.source = byte()?,
            Self::Country => row.country = byte()?,
            Self::Region => row.region = u16::try_from(value).map_err(|_| DamageError::Malformed("code"))?,
            Self::Age => row.age = byte()?,
            Self::Gender => row.gender = byte()?,
            Self::Device => row.device = byte()?,
            Self::Follower => row.follower = byte()?,
        }
        Ok(())
    }
}

impl Row {
    /// The kind of event.
    pub fn kind(&self) -> Option<Kind> {
        Kind::from_code(self.kind)
    }

    /// A row whose columns are still to be filled in.
    pub(crate) fn blank(creator: CreatorOrd, video: Option<VideoOrd>) -> Self {
        Self {
            creator,
            video,
            ts: Timestamp::MIN,
            kind: 0,
            viewer: 0,
            watch_ms: 0,
            day: Day::MIN,
            source: 0,
            country: 0,
            region: 0,
            age: 0,
            gender: 0,
            device: 0,
            follower: 0,
        }
    }

    /// Fills one column of many rows.
    pub(crate) fn fill(rows: &mut [Self], column: Column, values: &[u32]) -> Result<(), DamageError> {
        // One loop a column, so that the column is looked at once and not for each row.
        macro_rules! each_column {
            ($($column:ident),+) => {
                match column {
                    $(Column::$column => rows.iter_mut().zip(values).try_for_each(|(row, &value)| Column::$column.set(row, value)),)+
                }
            };
        }
        each_column!(Day, Kind, Viewer, WatchMs, Source, Country, Region, Age, Gender, Device, Follower)
    }

    /// Fills the times of many rows.
    pub(crate) fn fill_ts(rows: &mut [Self], values: &[i64]) -> Result<(), DamageError> {
        for (row, &millis) in rows.iter_mut().zip(values) {
            row.ts = Timestamp::from_millis(millis).map_err(|_| DamageError::Malformed("time"))?;
        }
        Ok(())
    }
}

pub(crate) fn day_of_number(value: u32) -> Result<Day, DamageError> {
    Day::from_number(i64::from(value)).map_err(|_| DamageError::Malformed("day"))
}

/// A day as what it lies away from the day of a time in UTC: nearly always 0 or 1 day, and mostly the same as before.
pub(crate) fn day_code(day: u32, ts: i64) -> u32 {
    let away = day.wrapping_sub(utc_day(ts)) as i32;
    ((away << 1) ^ (away >> 31)) as u32
}

/// The day from [`day_code`].
pub(crate) fn day_of_code(code: u32, ts: i64) -> u32 {
    utc_day(ts).wrapping_add((code >> 1) ^ (code & 1).wrapping_neg())
}

fn utc_day(ts: i64) -> u32 {
    ts.div_euclid(86_400_000) as u32
}

/// A video as a number: 0 for none.
pub(crate) fn video_code(video: Option<VideoOrd>) -> u32 {
    video.map_or(0, |video| video.0.saturating_add(1))
}

pub(crate) fn video_of_code(code: u32) -> Option<VideoOrd> {
    code.checked_sub(1).map(VideoOrd)
}

/// Rows of the log as columns, in chunks of at most [`pack::VALUES_MAX`].
#[derive(Encode, Decode)]
pub(crate) struct RowChunk {
    rows: u32,
    creators: Vec<u8>,
    videos: Vec<u8>,
    ts: Vec<u8>,
    columns: Vec<Vec<u8>>,
}

impl RowChunk {
    pub(crate) fn encode(rows: &[Row]) -> Vec<Self> {
        rows.chunks(pack::VALUES_MAX).map(Self::encode_one).collect()
    }

    fn encode_one(rows: &[Row]) -> Self {
        let codes = |of: &dyn Fn(&Row) -> u32| pack::encode_u32(&rows.iter().map(of).collect::<Vec<_>>());
        Self {
            rows: u32::try_from(rows.len()).unwrap_or(u32::MAX),
            creators: codes(&|row| row.creator.0),
            videos: codes(&|row| video_code(row.video)),
            ts: pack::encode_i64(&rows.iter().map(|row| row.ts.millis()).collect::<Vec<_>>()),
            columns: Column::ALL.iter().map(|column| codes(&|row| column.of(row))).collect(),
        }
    }

    pub(crate) fn decode(&self, rows: &mut Vec<Row>) -> Result<(), DamageError> {
        let count = self.rows as usize;
        let (mut creators, mut videos, mut ts) = (Vec::new(), Vec::new(), Vec::new());
        pack::decode_u32(&self.creators, count, &mut creators)?;
        pack::decode_u32(&self.videos, count, &mut videos)?;
        pack::decode_i64(&self.ts, count, &mut ts)?;
        let start = rows.len();
        rows.extend(
            creators
                .into_iter()
                .zip(videos)
                .map(|(creator, video)| Row::blank(CreatorOrd(creator), video_of_code(video))),
        );
        let rows = rows.get_mut(start..).unwrap_or_default();
        Row::fill_ts(rows, &ts)?;
        let mut values = Vec::new();
        for (&column, bytes) in Column::ALL.iter().zip(&self.columns) {
            values.clear();
            pack::decode_u32(bytes, count, &mut values)?;
            Row::fill(rows, column, &values)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_day_comes_back_from_its_code(day: u32, ts: i64) {
            prop_assert_eq!(day_of_code(day_code(day, ts), ts), day);
        }
    }

    #[test]
    fn a_day_near_that_of_its_time_gets_a_small_code() {
        let noon = 20_000 * 86_400_000 + 43_200_000;
        assert_eq!([19_999, 20_000, 20_001].map(|day| day_code(day, noon)), [1, 0, 2]);
    }
}
