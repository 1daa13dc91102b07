//! Events by columns, where every row of a batch is a good one: each word is parsed once, and no row is ever put together.
//!
//! Where anything is unusual, however little, the batch is decoded row by row instead, after the rules of `event`: they alone say what
//! is wrong, and with which row.

use throng_model::{
    AgeBand, CodedEvent, Country, CreatorId, Device, EventId, EventNames, Follower, Gender, Kind, Region, Source,
    Texts as Slices, Timestamp, Traits, VideoId, ViewerId, Words,
};

use super::columns::{Column, Values};
use super::field::Field;
use super::limits::Rules;
use super::parquet::Columns;
use super::words::{ABSENT, TextColumn, Texts};

/// Events that are handed on at once: few enough to stay in the processor's caches.
const PART_ROWS: usize = 4_096;

/// A batch whose texts are all valid, and each of its field.
pub(crate) struct Coded<'a> {
    rows: usize,
    rules: Rules,
    event_ids: Names<'a>,
    viewers: Names<'a>,
    creators: Names<'a>,
    videos: Names<'a>,
    kinds: Choice<'a, Kind>,
    sources: Choice<'a, Source>,
    countries: Choice<'a, Country>,
    regions: Choice<'a, Region>,
    ages: Choice<'a, AgeBand>,
    genders: Choice<'a, Gender>,
    devices: Choice<'a, Device>,
    times: Plain<'a, i64>,
    watches: Plain<'a, i64>,
    followers: Plain<'a, bool>,
}

impl<'a> Coded<'a> {
    /// `None` where some text is not valid, or a column is of an unusual kind.
    pub(super) fn of(columns: &'a Columns, rules: &Rules) -> Option<Self> {
        let all = &columns.columns;
        Some(Self {
            rows: usize::try_from(columns.rows).ok()?,
            rules: *rules,
            event_ids: Names::of(all, Field::EventId, |text| EventId::parse(text).is_ok())?,
            viewers: Names::of(all, Field::Viewer, |text| ViewerId::parse(text).is_ok())?,
            creators: Names::of(all, Field::Creator, |text| CreatorId::parse(text).is_ok())?,
            videos: Names::of(all, Field::Video, |text| VideoId::parse(text).is_ok())?,
            kinds: Choice::of(all, Field::Kind, Kind::from_name)?,
            sources: Choice::of(all, Field::Source, Source::from_name)?,
            countries: Choice::of(all, Field::Country, Country::from_code)?,
            regions: Choice::of(all, Field::Region, Region::from_code)?,
            ages: Choice::of(all, Field::Age, AgeBand::from_name)?,
            genders: Choice::of(all, Field::Gender, Gender::from_name)?,
            devices: Choice::of(all, Field::Device, Device::from_name)?,
            times: Plain::integers(all, Field::Ts)?,
            watches: Plain::integers(all, Field::WatchMs)?,
            followers: Plain::booleans(all, Field::Follower)?,
        })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// What the places of events stand for: viewers, creators, videos.
    pub(crate) fn names(&self) -> EventNames<'a> {
        EventNames { viewers: self.viewers.words, creators: self.creators.words, videos: self.videos.words }
    }

    /// Hands on the events of all rows, in order and some at a time; `false`, early, where a row is not sound.
    pub(crate) fn each_part(&self, mut take: impl FnMut(&[CodedEvent<'a>])) -> bool {
        let mut part = Vec::with_capacity(PART_ROWS.min(self.rows));
        for start in (0..self.rows).step_by(PART_ROWS) {
            part.clear();
            for row in start..self.rows.min(start + PART_ROWS) {
                let Some(event) = self.event(row) else { return false };
                part.push(event);
            }
            take(&part);
        }
        true
    }

    fn event(&self, row: usize) -> Option<CodedEvent<'a>> {
        let ts = Timestamp::from_millis(self.times.get(row)?).ok()?;
        let kind = self.kinds.get(row)?;
        let (creator, video) = (self.creators.place(row), self.videos.place(row));
        let is_placed = if kind.needs_video() { video.is_some() } else { video.is_some() || creator.is_some() };
        if ts > self.rules.ts_max || ts < self.rules.ts_min || !is_placed {
            return None;
        }
        let watch_ms = if kind == Kind::View { u32::try_from(self.watches.get(row).unwrap_or(0)).ok()? } else { 0 };
        Some(CodedEvent {
            event_id: self.event_ids.words.get(self.event_ids.place(row)?)?,
            ts,
            kind,
            viewer: self.viewers.place(row)?,
            creator,
            video,
            watch_ms,
            source: self.sources.get(row).unwrap_or(Source::Other),
            traits: self.traits(row)?,
        })
    }

    fn traits(&self, row: usize) -> Option<Traits> {
        let (country, region) = (self.countries.get(row), self.regions.get(row));
        let agrees = |region: Region| country.is_none_or(|country| country == region.country());
        region.is_none_or(agrees).then(|| Traits {
            country: country.or(region.map(Region::country)),
            region,
            age: self.ages.get(row),
            gender: self.genders.get(row),
            device: self.devices.get(row),
            follower: self.followers.get(row).map(|yes| if yes { Follower::Yes } else { Follower::No }),
        })
    }
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
