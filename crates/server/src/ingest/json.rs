//! One JSON object as a row.
//!
//! No value visitor ever refuses a type: it hands on what stands there, so that the rules in `field` can say which field
//! is wrong and how. Strings without escapes borrow from the line. Unknown fields are skipped without being built.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::field::{Field, Row, Value};
use super::line::{FieldError, LineErrorCode};

/// Fills the row from the text of one line, and returns how many unknown fields it had.
pub(super) fn read<'a>(line: &'a str, row: &mut Row<'a>) -> Result<u64, FieldError> {
    let mut state = State::default();
    let mut json = serde_json::Deserializer::from_str(line);
    let parsed = ObjectSeed { row, state: &mut state }.deserialize(&mut json).and_then(|()| json.end());
    if let Err(error) = parsed {
        return Err(malformed(&error, state.current));
    }
    match state.fault {
        Some(fault) => Err(fault),
        None => Ok(state.unknown),
    }
}

/// Messages of the parser name what it expected and where; they hold nothing of the text.
fn malformed(error: &serde_json::Error, field: Option<Field>) -> FieldError {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default();
    match field {
        Some(field) if reason == "number out of range" => {
            FieldError::new(field, LineErrorCode::OutOfRange, "is a number far outside the permitted range")
        }
        _ => {
            let message = format!("the line is not valid JSON: {reason} at byte {}", error.column());
            FieldError::whole(LineErrorCode::MalformedJson, message)
        }
    }
}

#[derive(Default)]
struct State {
    /// The field whose value is being read.
    current: Option<Field>,
    /// The first thing wrong with an object that is sound JSON.
    fault: Option<FieldError>,
    unknown: u64,
}

struct ObjectSeed<'r, 'a> {
    row: &'r mut Row<'a>,
    state: &'r mut State,
}

impl<'a> DeserializeSeed<'a> for ObjectSeed<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl ObjectSeed<'_, '_> {
    fn no_object<E>(self) -> Result<(), E> {
        let message = "the line must be one JSON object: one row per line, without a list around them";
        self.state.fault = Some(FieldError::whole(LineErrorCode::NotAnObject, message));
        Ok(())
    }
}

impl<'a> Visitor<'a> for ObjectSeed<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key_seed(KeySeed)? {
            let Some(field) = key else {
                map.next_value::<IgnoredAny>()?;
                self.state.unknown += 1;
                continue;
            };
            self.state.current = Some(field);
            let value = map.next_value_seed(ValueSeed)?;
            self.state.current = None;
            if let Err(fault) = self.row.set(field, value) {
                self.state.fault.get_or_insert(fault);
            }
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut seq: S) -> Result<(), S::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.no_object()
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.no_object()
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.no_object()
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.no_object()
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.no_object()
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.no_object()
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.no_object()
    }
}

/// The field that a key names, `None` for one that nobody asked for.
struct KeySeed;

impl<'a> DeserializeSeed<'a> for KeySeed {
    type Value = Option<Field>;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Option<Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Field::from_name(key))
    }
}

struct ValueSeed;

impl<'a> DeserializeSeed<'a> for ValueSeed {
    type Value = Value<'a>;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<Value<'a>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for ValueSeed {
    type Value = Value<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Value<'a>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'a>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'a>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'a>, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'a>, E> {
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value<'a>, E> {
        Ok(Value::Float(value))
    }

    fn visit_unit<E>(self) -> Result<Value<'a>, E> {
        Ok(Value::Absent)
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut seq: S) -> Result<Value<'a>, S::Error> {
        let mut texts = Some(Vec::new());
        while let Some(element) = seq.next_element_seed(ElementSeed)? {
            texts = texts.zip(element).map(|(mut texts, text)| {
                texts.push(text);
                texts
            });
        }
        Ok(texts.map_or(Value::Nested, Value::Texts))
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Value<'a>, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Nested)
    }
}

/// A string of a list; `None` for anything else, which is skipped and never recursed into.
struct ElementSeed;

impl<'a> DeserializeSeed<'a> for ElementSeed {
    type Value = Option<Cow<'a, str>>;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for ElementSeed {
    type Value = Option<Cow<'a, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut seq: S) -> Result<Self::Value, S::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}
