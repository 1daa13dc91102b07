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
use super::words::{PlaceReader, TextColumn, Texts, changed, enough};

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
    pub(super) values: Values,
    /// Whether the row has a value; not used for texts.
    pub(super) present: Vec<bool>,
}

#[derive(Debug)]
pub(super) enum Values {
    Texts(TextColumn),
    /// Elements, and where each row's end.
    Lists(Texts, Vec<usize>),
    Integers(Vec<i64>),
    Numbers(Vec<f64>),
    Booleans(Vec<bool>),
}

/// What reads a column of one row group.
pub(super) enum FieldReader {
    /// Texts as places.
    Places(PlaceReader),
    /// Anything else, and texts of rare encodings.
    Values(ColumnReader),
}

impl Column {
    pub(super) fn new(field: Field, shape: Shape) -> Self {
        let values = match shape {
            Shape::Text | Shape::Uuid => Values::Texts(TextColumn::default()),
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
            Values::Texts(texts) => texts.own.bytes.len() + texts.own.ends.len() * 8 + texts.places.len() * 4,
            Values::Lists(texts, _) => texts.bytes.len() + texts.ends.len() * 8,
            _ => self.present.len() * 8,
        }
    }

    /// All texts that are in no dictionary as one, where they are one: checked here once, and not value by value.
    pub(super) fn all_text(&self) -> Option<&str> {
        match &self.values {
            Values::Texts(TextColumn { own: texts, .. }) | Values::Lists(texts, _) => {
                std::str::from_utf8(&texts.bytes).ok()
            }
            _ => None,
        }
    }

    /// The value of a row; `all` is [`all_text`](Self::all_text).
    pub(super) fn value<'c>(&'c self, all: Option<&'c str>, row: usize) -> Value<'c> {
        let is_absent = || !self.present.get(row).copied().unwrap_or(false);
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
            _ if is_absent() => Value::Absent,
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
    pub(super) fn read(&mut self, reader: &mut FieldReader, rows: usize, def_max: i16) -> Result<(), ParquetError> {
        match (reader, &mut self.values) {
            (FieldReader::Places(reader), Values::Texts(texts)) => reader.read(rows, texts),
            (FieldReader::Values(reader), _) => self.read_values(reader, rows, def_max),
            _ => Err(changed()),
        }
    }

    fn read_values(&mut self, reader: &mut ColumnReader, rows: usize, def_max: i16) -> Result<(), ParquetError> {
        let Self { shape, values, present, .. } = self;
        let unsigned = matches!(shape, Shape::Integer { unsigned: true });
        let per_ms = if let Shape::Time { per_ms } = shape { *per_ms } else { 1 };
        match (reader, values) {
            (ColumnReader::ByteArrayColumnReader(reader), Values::Texts(texts)) => {
                dense(reader, rows, def_max, present, |text: Option<&ByteArray>| {
                    texts.push(text.map(ByteArray::data));
                })
            }
            (ColumnReader::FixedLenByteArrayColumnReader(reader), Values::Texts(texts)) => {
                dense(reader, rows, def_max, present, |id: Option<&FixedLenByteArray>| {
                    texts.push_with(id.map(|id| id.data()), Texts::push_uuid);
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
            _ => Err(changed()),
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
