//! Events by columns, where every row of a batch is a good one: each word is parsed once, and no row is ever put together.
//!
//! Where anything is unusual, however little, the batch is decoded row by row instead, after the rules of `event`: they alone say what
//! is wrong, and with which row.

use throng_model::{
    AgeBand, CodedEvent, Country, CreatorId, Device, EventId, Follower, Gender, Kind, Region, Source, Texts as Slices,
    Timestamp, Traits, VideoId, ViewerId, Words,
};

use super::columns::{Column, Values};
use super::field::Field;
use super::limits::Rules;
use super::parquet::Columns;
use super::words::{ABSENT, TextColumn, Texts};

/// The events of a batch, and what their places stand for.
#[derive(Debug)]
pub(crate) struct Coded<'a> {
    /// One per row, in order.
    pub(crate) events: Vec<CodedEvent<'a>>,
    pub(crate) viewers: Words<'a>,
    pub(crate) creators: Words<'a>,
    pub(crate) videos: Words<'a>,
}

/// The events, if all rows are sound and all columns of the usual kinds.
pub(super) fn read<'a>(columns: &'a Columns, rules: &Rules) -> Option<Coded<'a>> {
    let all = &columns.columns;
    let event_ids = Names::of(all, Field::EventId, |text| EventId::parse(text).is_ok())?;
    let viewers = Names::of(all, Field::Viewer, |text| ViewerId::parse(text).is_ok())?;
    let creators = Names::of(all, Field::Creator, |text| CreatorId::parse(text).is_ok())?;
    let videos = Names::of(all, Field::Video, |text| VideoId::parse(text).is_ok())?;
    let (kinds, sources) =
        (Choice::of(all, Field::Kind, Kind::from_name)?, Choice::of(all, Field::Source, Source::from_name)?);
    let (countries, regions) =
        (Choice::of(all, Field::Country, Country::from_code)?, Choice::of(all, Field::Region, Region::from_code)?);
    let (ages, genders) =
        (Choice::of(all, Field::Age, AgeBand::from_name)?, Choice::of(all, Field::Gender, Gender::from_name)?);
    let devices = Choice::of(all, Field::Device, Device::from_name)?;
    let (times, watches) = (Plain::integers(all, Field::Ts)?, Plain::integers(all, Field::WatchMs)?);
    let followers = Plain::booleans(all, Field::Follower)?;
    let event = |row: usize| {
        let ts = Timestamp::from_millis(times.get(row)?).ok()?;
        let kind = kinds.get(row)?;
        let (creator, video) = (creators.place(row), videos.place(row));
        let is_placed = if kind.needs_video() { video.is_some() } else { video.is_some() || creator.is_some() };
        if ts > rules.ts_max || ts < rules.ts_min || !is_placed {
            return None;
        }
        let watch_ms = if kind == Kind::View { u32::try_from(watches.get(row).unwrap_or(0)).ok()? } else { 0 };
        let (country, region) = (countries.get(row), regions.get(row));
        if region.is_some_and(|region: Region| country.is_some_and(|country| country != region.country())) {
            return None;
        }
        let traits = Traits {
            country: country.or(region.map(Region::country)),
            region,
            age: ages.get(row),
            gender: genders.get(row),
            device: devices.get(row),
            follower: followers.get(row).map(|yes| if yes { Follower::Yes } else { Follower::No }),
        };
        Some(CodedEvent {
            event_id: event_ids.words.get(event_ids.place(row)?)?,
            ts,
            kind,
            viewer: viewers.place(row)?,
            creator,
            video,
            watch_ms,
            source: sources.get(row).unwrap_or(Source::Other),
            traits,
        })
    };
    let rows = usize::try_from(columns.rows).ok()?;
    let mut events = Vec::with_capacity(rows);
    for row in 0..rows {
        events.push(event(row)?);
    }
    Some(Coded { events, viewers: viewers.words, creators: creators.words, videos: videos.words })
}

fn find(columns: &[Column], field: Field) -> Option<&Column> {
    columns.iter().find(|column| column.field == field)
}

/// A column of identifiers; of a column that is not there, every row is absent.
struct Names<'a> {
    words: Words<'a>,
    places: &'a [u32],
}

impl<'a> Names<'a> {
    /// `None` where one of the texts is not valid.
    fn of(columns: &'a [Column], field: Field, is_valid: impl Fn(&str) -> bool) -> Option<Self> {
        let Some(column) = find(columns, field) else { return Some(Self { words: Words::default(), places: &[] }) };
        let Values::Texts(TextColumn { dictionary, own, places }) = &column.values else { return None };
        let is_sound = |texts: &Texts| {
            let Some(slices) = slices(texts) else { return false };
            (0..texts.ends.len()).all(|at| slices.get(at).is_some_and(&is_valid))
        };
        if !dictionary.is_sound(is_sound) || !is_sound(own) {
            return None;
        }
        let words =
            Words { dictionary_number: dictionary.number, dictionary: slices(&dictionary.texts)?, own: slices(own)? };
        Some(Self { words, places })
    }

    fn place(&self, row: usize) -> Option<u32> {
        self.places.get(row).copied().filter(|&place| place != ABSENT)
    }
}

fn slices(texts: &Texts) -> Option<Slices<'_>> {
    Some(Slices { all: texts.all()?, ends: &texts.ends })
}

/// A column of a closed set, every word of which is one of the set.
struct Choice<'a, T> {
    values: Vec<T>,
    places: &'a [u32],
}

impl<'a, T: Copy> Choice<'a, T> {
    fn of(columns: &'a [Column], field: Field, parse: impl Fn(&str) -> Option<T>) -> Option<Self> {
        let Some(column) = find(columns, field) else { return Some(Self { values: Vec::new(), places: &[] }) };
        let Values::Texts(TextColumn { dictionary, own, places }) = &column.values else { return None };
        let mut values = Vec::with_capacity(dictionary.len() + own.ends.len());
        for texts in [&dictionary.texts, own] {
            let slices = slices(texts)?;
            for at in 0..texts.ends.len() {
                values.push(parse(slices.get(at)?)?);
            }
        }
        Some(Self { values, places })
    }

    fn get(&self, row: usize) -> Option<T> {
        // The place of an absent one is beyond all values.
        self.values.get(*self.places.get(row)? as usize).copied()
    }
}

/// A column of numbers or truths.
struct Plain<'a, T> {
    values: &'a [T],
    present: &'a [bool],
}

impl<'a> Plain<'a, i64> {
    fn integers(columns: &'a [Column], field: Field) -> Option<Self> {
        match find(columns, field).map(|column| (&column.values, &column.present)) {
            None => Some(Self { values: &[], present: &[] }),
            Some((Values::Integers(values), present)) => Some(Self { values, present }),
            Some(_) => None,
        }
    }
}

impl<'a> Plain<'a, bool> {
    fn booleans(columns: &'a [Column], field: Field) -> Option<Self> {
        match find(columns, field).map(|column| (&column.values, &column.present)) {
            None => Some(Self { values: &[], present: &[] }),
            Some((Values::Booleans(values), present)) => Some(Self { values, present }),
            Some(_) => None,
        }
    }
}

impl<T: Copy> Plain<'_, T> {
    fn get(&self, row: usize) -> Option<T> {
        self.values.get(row).copied().filter(|_| self.present.get(row) == Some(&true))
    }
}
