//! Scalars: calendar days, instants, countries.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use serde::{Serialize, Serializer};
use throng_model::{Country, Day, Timestamp, Zone};

/// A calendar day in the reporting zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date(pub(crate) Day);

/// A calendar day in the reporting zone of the entity: `YYYY-MM-DD`, from 1999-12-31 to 2100-01-01.
#[Scalar]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Ok(Self(Day::parse(text)?)),
            _ => Err(InputValueError::custom("must be a date such as \"2026-03-09\"")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// An instant, written with an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DateTime(String);

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl DateTime {
    pub(crate) fn utc(instant: Timestamp) -> Self {
        Self(instant.to_string())
    }

    pub(crate) fn in_zone(instant: Timestamp, zone: &Zone) -> Self {
        Self(zone.format(instant))
    }
}

/// An instant in RFC 3339, such as `2026-03-09T12:00:00+01:00`.
#[Scalar(specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Ok(Self::utc(Timestamp::parse(text)?)),
            _ => Err(InputValueError::custom("must be an RFC 3339 time")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CountryCode(pub(crate) Country);

impl Serialize for CountryCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.code())
    }
}

/// A country: an assigned code of ISO 3166-1 alpha-2 in upper case, such as `DE`.
#[Scalar]
impl ScalarType for CountryCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        let country = match &value {
            Value::String(text) => Country::from_code(text),
            _ => None,
        };
        country.map(Self).ok_or_else(|| InputValueError::custom("must be an ISO 3166-1 code such as \"DE\""))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.code().to_owned())
    }
}
