//! The fields of a row, whatever it was written in: raw values in, typed values or an error that names the field out.
//!
//! NDJSON, CSV and Parquet each fill a [`Row`]; `event` and `catalogue` read it. So every rule stands once. Rules that
//! the formats share:
//! - null and absent are the same; so is an empty cell of CSV. An empty string elsewhere is an error.
//! - A whole number may be written as `123` or `123.0` (tools that keep numbers as floats write the latter).
//! - Strings are not numbers and numbers are not strings, but in CSV, where everything is text.

use std::borrow::Cow;
use std::mem;

use throng_model::{IdError, PeriodError, Timestamp};

use super::line::{FieldError, LineErrorCode};

macro_rules! fields {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// Every field that some kind of row has.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(usize)]
        pub(super) enum Field { $($variant),+ }

        impl Field {
            pub(super) const COUNT: usize = [$($name),+].len();

            /// The name on the wire.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            pub(super) fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

fields!(
    EventId = "event_id",
    Ts = "ts",
    Kind = "kind",
    Viewer = "viewer",
    Creator = "creator",
    Video = "video",
    WatchMs = "watch_ms",
    Source = "source",
    Country = "country",
    Region = "region",
    Age = "age",
    Gender = "gender",
    Device = "device",
    Follower = "follower",
    PublishedAt = "published_at",
    DurationMs = "duration_ms",
    Hashtags = "hashtags",
    Sound = "sound",
    Title = "title",
    Language = "language",
    Handle = "handle",
    TimeZone = "time_zone",
    OverlapWith = "overlap_with",
);

impl Field {
    /// This field as a bit of a set.
    pub(super) const fn bit(self) -> u32 {
        1 << self as usize
    }
}

/// A value as the input wrote it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Value<'a> {
    /// Not there, or null.
    #[default]
    Absent,
    Bool(bool),
    Int(i64),
    /// A number with a fraction or an exponent, or an integer outside `i64`.
    Float(f64),
    Text(Cow<'a, str>),
    /// A list of strings.
    Texts(Vec<Cow<'a, str>>),
    /// A cell of CSV: text that may stand for any type. Never empty.
    Cell(&'a str),
    /// Bytes that are no UTF-8.
    NotText,
    /// Text so long that it was not kept.
    Oversized,
    /// An object, or a list of other things.
    Nested,
}

/// The values of one row. Kept over the rows of a block, so that a row costs only the fields that it has.
#[derive(Debug, Default)]
pub(super) struct Row<'a> {
    values: [Value<'a>; Field::COUNT],
    /// Bits of the fields that were named, null or not.
    seen: u32,
}

impl<'a> Row<'a> {
    pub(super) fn clear(&mut self) {
        let mut seen = mem::take(&mut self.seen);
        while seen != 0 {
            if let Some(value) = self.values.get_mut(seen.trailing_zeros() as usize) {
                *value = Value::Absent;
            }
            seen &= seen - 1;
        }
    }

    /// Sets a field; the second time in one row is an error.
    pub(super) fn set(&mut self, field: Field, value: Value<'a>) -> Result<(), FieldError> {
        if self.seen & field.bit() != 0 {
            return Err(FieldError::new(field, LineErrorCode::DuplicateField, "stands twice in this row"));
        }
        self.seen |= field.bit();
        self.values[field as usize] = value;
        Ok(())
    }

    /// Whether the field is there and not null.
    pub(super) fn has(&self, field: Field) -> bool {
        !matches!(self.values[field as usize], Value::Absent)
    }

    /// How many fields were named that are not in the set.
    pub(super) fn outside(&self, known: u32) -> u64 {
        u64::from((self.seen & !known).count_ones())
    }

    pub(super) fn take(&mut self, field: Field) -> Value<'a> {
        mem::take(&mut self.values[field as usize])
    }

    pub(super) fn text(&mut self, field: Field) -> Result<Option<Cow<'a, str>>, FieldError> {
        Ok(Some(match self.take(field) {
            Value::Absent => return Ok(None),
            Value::Text(text) => text,
            Value::Cell(text) => Cow::Borrowed(text),
            other => return Err(not_text(field, &other)),
        }))
    }

    /// An identifier or name, checked by its own `parse`.
    pub(super) fn parsed<T>(
        &mut self,
        field: Field,
        parse: impl FnOnce(Cow<'a, str>) -> Result<T, IdError>,
    ) -> Result<Option<T>, FieldError> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        parse(text).map(Some).map_err(|error| id_error(field, &error))
    }

    /// One of a closed set; `names` says which in the error.
    pub(super) fn choice<T>(
        &mut self,
        field: Field,
        parse: impl FnOnce(&str) -> Option<T>,
        names: impl FnOnce() -> String,
    ) -> Result<Option<T>, FieldError> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        if text.is_empty() {
            let what = "is empty: leave it out, or write null, where it is not known";
            return Err(FieldError::new(field, LineErrorCode::Empty, what));
        }
        parse(&text)
            .map(Some)
            .ok_or_else(|| FieldError::new(field, LineErrorCode::UnknownValue, &format!("must be {}", names())))
    }

    pub(super) fn boolean(&mut self, field: Field) -> Result<Option<bool>, FieldError> {
        match self.take(field) {
            Value::Absent => Ok(None),
            Value::Bool(value) => Ok(Some(value)),
            Value::Cell("true") => Ok(Some(true)),
            Value::Cell("false") => Ok(Some(false)),
            _ => Err(FieldError::new(field, LineErrorCode::WrongType, "must be true or false")),
        }
    }

    /// A whole number from 0 to `max`.
    pub(super) fn integer(&mut self, field: Field, max: u32) -> Result<Option<u32>, FieldError> {
        let range = || {
            FieldError::new(field, LineErrorCode::OutOfRange, &format!("must be a whole number of ms from 0 to {max}"))
        };
        let value = match self.take(field) {
            Value::Absent => return Ok(None),
            Value::Cell(text) => match text.parse() {
                Ok(value) => value,
                Err(_) if is_integer(text) => return Err(range()),
                Err(_) => whole(text.parse().unwrap_or(f64::NAN), field)?,
            },
            Value::Int(value) => value,
            Value::Float(value) => whole(value, field)?,
            _ => return Err(FieldError::new(field, LineErrorCode::WrongType, "must be a whole number")),
        };
        u32::try_from(value).ok().filter(|&value| value <= max).map(Some).ok_or_else(range)
    }

    /// An instant: RFC 3339, or whole milliseconds.
    pub(super) fn timestamp(&mut self, field: Field) -> Result<Option<Timestamp>, FieldError> {
        let millis = match self.take(field) {
            Value::Absent => return Ok(None),
            Value::Text(text) => return instant(field, Timestamp::parse(&text)),
            Value::Cell(text) => match text.parse() {
                Ok(millis) => millis,
                Err(_) if is_integer(text) => i64::MAX,
                Err(_) => return instant(field, Timestamp::parse(text)),
            },
            Value::Int(millis) => millis,
            Value::Float(millis) => whole(millis, field)?,
            _ => {
                let what = "must be RFC 3339 text or whole milliseconds since 1970-01-01";
                return Err(FieldError::new(field, LineErrorCode::WrongType, what));
            }
        };
        instant(field, Timestamp::from_millis(millis))
    }
}

/// An absent value of a required field.
pub(super) fn missing(field: Field, what: &str) -> FieldError {
    FieldError::new(field, LineErrorCode::MissingField, what)
}

/// The error of a text that is no identifier.
pub(super) fn id_error(field: Field, error: &IdError) -> FieldError {
    let code = match error {
        IdError::Empty => LineErrorCode::Empty,
        IdError::TooLong { .. } => LineErrorCode::TooLong,
        IdError::Control => LineErrorCode::ControlCharacter,
        _ => LineErrorCode::UnknownValue,
    };
    FieldError::new(field, code, &error.to_string())
}

/// The error of a value that should have been text.
pub(super) fn not_text(field: Field, value: &Value<'_>) -> FieldError {
    match value {
        Value::NotText => FieldError::new(field, LineErrorCode::InvalidUtf8, "must be UTF-8 text"),
        Value::Oversized => FieldError::new(field, LineErrorCode::TooLong, "is far too long"),
        _ => FieldError::new(field, LineErrorCode::WrongType, "must be a string"),
    }
}

fn instant(field: Field, parsed: Result<Timestamp, PeriodError>) -> Result<Option<Timestamp>, FieldError> {
    parsed.map(Some).map_err(|error| match error {
        PeriodError::OutOfRange => {
            let what = format!("{error} (is it in milliseconds, not seconds?)");
            FieldError::new(field, LineErrorCode::OutOfRange, &what)
        }
        _ => FieldError::new(field, LineErrorCode::WrongType, &error.to_string()),
    })
}

/// A float that is a whole number. Past 2⁵³ floats skip integers, and no field reaches so far.
fn whole(value: f64, field: Field) -> Result<i64, FieldError> {
    if value.is_nan() || (value.fract() != 0.0 && value.is_finite()) {
        return Err(FieldError::new(field, LineErrorCode::WrongType, "must be a whole number"));
    }
    if value.abs() > 9_007_199_254_740_992.0 {
        return Err(FieldError::new(field, LineErrorCode::OutOfRange, "is far outside the permitted range"));
    }
    Ok(value as i64)
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
