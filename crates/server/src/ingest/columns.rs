//! Columns of Parquet as fields: which types fit which field, and a batch of values held apart from the file's pages.
//!
//! | field | column |
//! |---|---|
//! | identifiers, names, closed sets | string (UTF-8 or plain bytes, any encoding); identifiers also UUID |
//! | `ts`, `published_at` | timestamp in ms, µs or ns (one without a zone counts as UTC), `INT96`, `INT64` of ms, or RFC 3339 text |
//! | `watch_ms`, `duration_ms` | integer of any width, or float with whole values |
//! | `follower` | boolean |
//! | `hashtags` | list of strings, or one string with `\|` between them |

use std::borrow::Cow;

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray, Int96};
use parquet::errors::ParquetError;
use parquet::schema::types::ColumnDescriptor;

use super::field::{Field, Value};
use super::input::InputError;

/// Text longer than this is not kept: no field takes so much.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// How a column's values become a field's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Uuid,
    /// A list of strings.
    Tags,
    Integer {
        unsigned: bool,
    },
    /// Units of time in a millisecond; below 1 is nothing.
    Time {
        per_ms: i64,
    },
    Number,
    Boolean,
}

impl Shape {
    /// The shape of a column for a field, or why it does not fit.
    pub(super) fn of(field: Field, column: &ColumnDescriptor) -> Result<Self, InputError> {
        let (wanted, shape) = match field {
            Field::Ts | Field::PublishedAt => ("a timestamp, an INT64 of milliseconds, or RFC 3339 text", time(column)),
            Field::WatchMs | Field::DurationMs => ("an integer", number(column)),
            Field::Follower => ("a boolean", boolean(column)),
            Field::Hashtags | Field::OverlapWith => {
                ("a list of strings, or a string with | between them", tags(column))
            }
            Field::EventId | Field::Viewer | Field::Creator | Field::Video => {
                ("a string", text(column).or(uuid(column)))
            }
            _ => ("a string", text(column)),
        };
        shape.ok_or_else(|| InputError::WrongColumnType { column: field.name(), found: describe(column), wanted })
    }
}

fn flat(column: &ColumnDescriptor) -> bool {
    column.path().parts().len() == 1 && column.max_rep_level() == 0
}

fn is_string(column: &ColumnDescriptor) -> bool {
    let annotated = match column.logical_type_ref() {
        Some(logical) => matches!(logical, LogicalType::String | LogicalType::Enum),
        None => matches!(column.converted_type(), ConvertedType::NONE | ConvertedType::UTF8 | ConvertedType::ENUM),
    };
    column.physical_type() == Type::BYTE_ARRAY && annotated
}

fn text(column: &ColumnDescriptor) -> Option<Shape> {
    (flat(column) && is_string(column)).then_some(Shape::Text)
}

fn uuid(column: &ColumnDescriptor) -> Option<Shape> {
    let uuid = column.physical_type() == Type::FIXED_LEN_BYTE_ARRAY
        && column.type_length() == 16
        && column.logical_type_ref() == Some(&LogicalType::Uuid);
    (flat(column) && uuid).then_some(Shape::Uuid)
}

fn tags(column: &ColumnDescriptor) -> Option<Shape> {
    let list = column.max_rep_level() == 1 && is_string(column);
    if list { Some(Shape::Tags) } else { text(column) }
}

fn boolean(column: &ColumnDescriptor) -> Option<Shape> {
    (flat(column) && column.physical_type() == Type::BOOLEAN).then_some(Shape::Boolean)
}

fn number(column: &ColumnDescriptor) -> Option<Shape> {
    if flat(column) && matches!(column.physical_type(), Type::FLOAT | Type::DOUBLE) {
        return Some(Shape::Number);
    }
    integer(column)
}

fn integer(column: &ColumnDescriptor) -> Option<Shape> {
    if !flat(column) || !matches!(column.physical_type(), Type::INT32 | Type::INT64) {
        return None;
    }
    match column.logical_type_ref() {
        Some(LogicalType::Integer(int)) => Some(Shape::Integer { unsigned: !int.is_signed }),
        Some(_) => None,
        None => match column.converted_type() {
            ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64 => {
                Some(Shape::Integer { unsigned: true })
            }
            ConvertedType::NONE
            | ConvertedType::INT_8
            | ConvertedType::INT_16
            | ConvertedType::INT_32
            | ConvertedType::INT_64 => Some(Shape::Integer { unsigned: false }),
            _ => None,
        },
    }
}

fn time(column: &ColumnDescriptor) -> Option<Shape> {
    if !flat(column) {
        return None;
    }
    match (column.physical_type(), column.logical_type_ref(), column.converted_type()) {
        (Type::INT64, Some(LogicalType::Timestamp(time)), _) => Some(Shape::Time {
            per_ms: match time.unit {
                TimeUnit::MILLIS => 1,
                TimeUnit::MICROS => 1_000,
                TimeUnit::NANOS => 1_000_000,
            },
        }),
        (Type::INT64, None, ConvertedType::TIMESTAMP_MILLIS) => Some(Shape::Time { per_ms: 1 }),
        (Type::INT64, None, ConvertedType::TIMESTAMP_MICROS) => Some(Shape::Time { per_ms: 1_000 }),
        (Type::INT96, ..) => Some(Shape::Time { per_ms: 1 }),
        (Type::INT64, ..) => integer(column),
        _ => text(column),
    }
}

fn describe(column: &ColumnDescriptor) -> String {
    let nested = if flat(column) { "" } else { "nested " };
    match column.logical_type_ref() {
        Some(logical) => format!("{nested}{} ({logical:?})", column.physical_type()),
        None => format!("{nested}{}", column.physical_type()),
    }
}

/// The values of one field over a batch, one per row.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) field: Field,
    shape: Shape,
    values: Values,
    /// Whether the row has a value.
    present: Vec<bool>,
}

#[derive(Debug)]
enum Values {
    Texts(Texts),
    /// Elements, and where each row's end.
    Lists(Texts, Vec<usize>),
    Integers(Vec<i64>),
    Numbers(Vec<f64>),
    Booleans(Vec<bool>),
}

/// Texts one after the other, copied out of the pages so that these can go.
#[derive(Debug, Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Texts that were too long to keep; nearly always none.
    oversized: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &[u8]) {
        if text.len() > TEXT_BYTES_MAX {
            self.oversized.push(self.ends.len());
        } else {
            self.bytes.extend_from_slice(text);
        }
        self.ends.push(self.bytes.len());
    }

    fn push_uuid(&mut self, id: &[u8]) {
        for (at, byte) in id.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                self.bytes.push(b'-');
            }
            let hex = |digit: u8| char::from_digit(u32::from(digit), 16).map_or(b'?', |c| c as u8);
            self.bytes.extend([hex(byte >> 4), hex(byte & 15)]);
        }
        self.ends.push(self.bytes.len());
    }

    /// `all` is all bytes as one text, where they are one: then a text is sound if it begins and ends between characters.
    fn get<'t>(&'t self, all: Option<&'t str>, at: usize) -> Value<'t> {
        if !self.oversized.is_empty() && self.oversized.binary_search(&at).is_ok() {
            return Value::Oversized;
        }
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(at).copied().unwrap_or(start);
        let text = match all {
            Some(all) => all.get(start..end),
            None => std::str::from_utf8(self.bytes.get(start..end).unwrap_or_default()).ok(),
        };
        text.map_or(Value::NotText, |text| Value::Text(Cow::Borrowed(text)))
    }
}

impl Column {
    pub(super) fn new(field: Field, shape: Shape) -> Self {
        let values = match shape {
            Shape::Text | Shape::Uuid => Values::Texts(Texts::default()),
            Shape::Tags => Values::Lists(Texts::default(), Vec::new()),
            Shape::Integer { .. } | Shape::Time { .. } => Values::Integers(Vec::new()),
            Shape::Number => Values::Numbers(Vec::new()),
            Shape::Boolean => Values::Booleans(Vec::new()),
        };
        Self { field, shape, values, present: Vec::new() }
    }

    /// Bytes that the values take, near enough to bound a batch.
    pub(super) fn bytes(&self) -> usize {
        match &self.values {
            Values::Texts(texts) | Values::Lists(texts, _) => texts.bytes.len() + texts.ends.len() * 8,
            _ => self.present.len() * 8,
        }
    }

    /// All texts as one, where they are one: checked here once, and not value by value.
    pub(super) fn all_text(&self) -> Option<&str> {
        match &self.values {
            Values::Texts(texts) | Values::Lists(texts, _) => std::str::from_utf8(&texts.bytes).ok(),
            _ => None,
        }
    }

    /// The value of a row; `all` is [`all_text`](Self::all_text).
    pub(super) fn value<'c>(&'c self, all: Option<&'c str>, row: usize) -> Value<'c> {
        if !self.present.get(row).copied().unwrap_or(false) {
            return Value::Absent;
        }
        match &self.values {
            Values::Texts(texts) => match (self.field, texts.get(all, row)) {
                // One string stands for a list here, as in CSV.
                (Field::Hashtags | Field::OverlapWith, Value::Text(Cow::Borrowed(texts))) => {
                    if texts.is_empty() {
                        Value::Absent
                    } else {
                        Value::Cell(texts)
                    }
                }
                (_, value) => value,
            },
            Values::Lists(texts, ends) => {
                let start = row.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
                let elements = (start..ends.get(row).copied().unwrap_or(start)).map(|at| match texts.get(all, at) {
                    Value::Text(text) => Ok(text),
                    other => Err(other),
                });
                elements.collect::<Result<_, _>>().map_or_else(|other| other, Value::Texts)
            }
            Values::Integers(values) => values.get(row).map_or(Value::Absent, |&value| Value::Int(value)),
            Values::Numbers(values) => values.get(row).map_or(Value::Absent, |&value| Value::Float(value)),
            Values::Booleans(values) => values.get(row).map_or(Value::Absent, |&value| Value::Bool(value)),
        }
    }

    /// Reads the values of `rows` more rows; an error where there are fewer.
    pub(super) fn read(&mut self, reader: &mut ColumnReader, rows: usize, def_max: i16) -> Result<(), ParquetError> {
        let Self { shape, values, present, .. } = self;
        let unsigned = matches!(shape, Shape::Integer { unsigned: true });
        let per_ms = if let Shape::Time { per_ms } = shape { *per_ms } else { 1 };
        match (reader, values) {
            (ColumnReader::ByteArrayColumnReader(reader), Values::Texts(texts)) => {
                dense(reader, rows, def_max, present, |text: Option<&ByteArray>| {
                    texts.push(text.map_or(&[][..], ByteArray::data));
                })
            }
            (ColumnReader::FixedLenByteArrayColumnReader(reader), Values::Texts(texts)) => {
                dense(reader, rows, def_max, present, |id: Option<&FixedLenByteArray>| {
                    texts.push_uuid(id.map_or(&[][..], |id| id.data()));
                })
            }
            (ColumnReader::ByteArrayColumnReader(reader), Values::Lists(texts, ends)) => {
                lists(reader, rows, def_max, present, texts, ends)
            }
            (ColumnReader::Int32ColumnReader(reader), Values::Integers(values)) => {
                dense(reader, rows, def_max, present, |value: Option<&i32>| {
                    let value = value.copied().unwrap_or(0);
                    values.push(if unsigned { i64::from(value.cast_unsigned()) } else { i64::from(value) });
                })
            }
            (ColumnReader::Int64ColumnReader(reader), Values::Integers(values)) => {
                dense(reader, rows, def_max, present, |value: Option<&i64>| {
                    let value = value.copied().unwrap_or(0);
                    // Past the range of any field, and so refused later, is all that such a number must stay.
                    let value = if unsigned && value < 0 { i64::MAX } else { value };
                    values.push(value.div_euclid(per_ms));
                })
            }
            (ColumnReader::Int96ColumnReader(reader), Values::Integers(values)) => {
                dense(reader, rows, def_max, present, |value: Option<&Int96>| {
                    values.push(value.map_or(0, Int96::to_millis));
                })
            }
            (ColumnReader::FloatColumnReader(reader), Values::Numbers(values)) => {
                dense(reader, rows, def_max, present, |value: Option<&f32>| {
                    values.push(f64::from(value.copied().unwrap_or(0.0)));
                })
            }
            (ColumnReader::DoubleColumnReader(reader), Values::Numbers(values)) => {
                dense(reader, rows, def_max, present, |value: Option<&f64>| {
                    values.push(value.copied().unwrap_or(0.0));
                })
            }
            (ColumnReader::BoolColumnReader(reader), Values::Booleans(values)) => {
                dense(reader, rows, def_max, present, |value: Option<&bool>| {
                    values.push(value.copied().unwrap_or(false));
                })
            }
            _ => Err(ParquetError::General("the column changes its type".to_owned())),
        }
    }
}

/// Reads a flat column, with a call per row, null or not.
fn dense<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    def_max: i16,
    present: &mut Vec<bool>,
    mut push: impl FnMut(Option<&T::T>),
) -> Result<(), ParquetError> {
    let (mut values, mut levels) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    let (records, _, _) = reader.read_records(rows, Some(&mut levels), None, &mut values)?;
    enough(records, rows)?;
    if def_max == 0 {
        present.resize(present.len() + rows, true);
        values.iter().for_each(|value| push(Some(value)));
        return enough(values.len(), rows);
    }
    let mut values = values.iter();
    for level in levels {
        let value = if level == def_max { values.next() } else { None };
        present.push(value.is_some());
        push(value);
    }
    Ok(())
}

/// Reads a column of lists. A null in a list is as good as absent.
fn lists<T: DataType<T = ByteArray>>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    def_max: i16,
    present: &mut Vec<bool>,
    texts: &mut Texts,
    ends: &mut Vec<usize>,
) -> Result<(), ParquetError> {
    let (mut values, mut defs, mut reps) = (Vec::new(), Vec::new(), Vec::new());
    let (records, _, _) = reader.read_records(rows, Some(&mut defs), Some(&mut reps), &mut values)?;
    enough(records, rows)?;
    let mut values = values.iter();
    for (at, (def, rep)) in defs.iter().zip(&reps).enumerate() {
        if *rep == 0 && at > 0 {
            ends.push(texts.ends.len());
        }
        if *rep == 0 {
            present.push(true);
        }
        if *def == def_max
            && let Some(value) = values.next()
        {
            texts.push(value.data());
        }
    }
    ends.push(texts.ends.len());
    Ok(())
}

fn enough(found: usize, rows: usize) -> Result<(), ParquetError> {
    if found == rows {
        return Ok(());
    }
    Err(ParquetError::EOF(format!("a column ends after {found} of {rows} rows")))
}
