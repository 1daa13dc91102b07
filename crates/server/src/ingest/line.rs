//! What is wrong with one row of input, and what came of decoding a block of rows.
//!
//! An error names the line, the field and the rule, never the text that broke it: rows hold viewers, and a row whose
//! columns are mixed up can hold a viewer anywhere. So no message quotes input.

use std::borrow::Cow;

use serde::Serialize;

use super::field::Field;

/// Stable names of the rules that a row can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub(crate) enum LineErrorCode {
    /// The line is no JSON value.
    MalformedJson,
    /// The line is JSON, but no object.
    NotAnObject,
    /// The bytes are no UTF-8.
    InvalidUtf8,
    /// The line is longer than the limit; it was skipped unread.
    LineTooLong,
    /// The CSV record has more or fewer fields than the header.
    RaggedRow,
    /// The compressed stream ends early or is damaged; rows before it were taken.
    DamagedStream,
    /// The same field stands twice in one object.
    DuplicateField,
    /// A required field is absent, null or (in CSV) empty.
    MissingField,
    /// The field holds another type.
    WrongType,
    /// The number or time is outside the permitted range.
    OutOfRange,
    /// The text is none of the closed set.
    UnknownValue,
    /// The text is longer than the limit.
    TooLong,
    /// More elements than the limit.
    TooMany,
    /// The text is empty.
    Empty,
    /// The text holds a control character.
    ControlCharacter,
    /// The event lies further ahead of the clock than clocks are allowed to differ.
    InTheFuture,
    /// The event is older than the platform takes.
    TooOld,
    /// The event would reopen a day whose rows have been dropped.
    Expired,
    /// The region belongs to another country.
    RegionMismatch,
    /// No creator was given, and the catalogue does not know the video.
    UnknownVideo,
    /// An event was sent where the catalogue is kept.
    EventInCatalogue,
}

/// One rejected row, as it is reported to whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LineError {
    /// The line on which the row begins, from 1; in Parquet the row, from 1.
    pub(crate) line: u64,
    /// The field, where one is to blame.
    pub(crate) field: Option<&'static str>,
    /// The rule.
    pub(crate) code: LineErrorCode,
    /// What is wrong and how to mend it, for people. Quotes no input.
    pub(crate) message: Cow<'static, str>,
}

impl LineError {
    /// An error of a whole line.
    pub(crate) fn whole(line: u64, code: LineErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { line, field: None, code, message: message.into() }
    }

    /// The store knows no creator for the event's video.
    pub(crate) fn unknown_video(line: u64) -> Self {
        Self {
            line,
            field: Some(Field::Video.name()),
            code: LineErrorCode::UnknownVideo,
            message: "the catalogue does not know this video: send its catalogue row first, or give the creator".into(),
        }
    }

    /// The rows of the event's day are gone, so the day cannot be reopened.
    pub(crate) fn expired(line: u64) -> Self {
        Self {
            line,
            field: Some(Field::Ts.name()),
            code: LineErrorCode::Expired,
            message: "the rows of this day have been dropped and only its sums are kept, so it cannot be reopened"
                .into(),
        }
    }

    /// A line past the limit.
    pub(super) fn too_long(line: u64, line_bytes_max: usize) -> Self {
        let message = format!("the line is longer than {line_bytes_max} bytes and was skipped");
        Self::whole(line, LineErrorCode::LineTooLong, message)
    }

    /// A stream that ends early. `line` is the first one lost.
    pub(super) fn damaged(line: u64) -> Self {
        let message = "the compressed stream is cut off or damaged here; the lines before this one were read";
        Self::whole(line, LineErrorCode::DamagedStream, message)
    }
}

/// An error of a field, before it is known on which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldError {
    pub(super) field: Option<Field>,
    pub(super) code: LineErrorCode,
    pub(super) message: Cow<'static, str>,
}

impl FieldError {
    /// `what` goes on from the field's name: "must be a string".
    pub(super) fn new(field: Field, code: LineErrorCode, what: &str) -> Self {
        Self { field: Some(field), code, message: format!("{} {what}", field.name()).into() }
    }

    pub(super) fn whole(code: LineErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { field: None, code, message: message.into() }
    }

    pub(super) fn at(self, line: u64) -> LineError {
        LineError { line, field: self.field.map(Field::name), code: self.code, message: self.message }
    }
}

/// Rejected rows: the first ones in full, the rest as a number, so that a file of garbage cannot fill the memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Errors {
    listed: Vec<LineError>,
    unlisted: u64,
}

impl Errors {
    /// Keeps the error, or only counts it where `errors_max` are kept already.
    pub(crate) fn push(&mut self, error: LineError, errors_max: usize) {
        if self.listed.len() < errors_max {
            self.listed.push(error);
        } else {
            self.unlisted += 1;
        }
    }

    /// Those that are kept in full.
    pub(crate) fn listed(&self) -> &[LineError] {
        &self.listed
    }

    /// Number of all.
    pub(crate) fn count(&self) -> u64 {
        self.listed.len() as u64 + self.unlisted
    }

    fn sort(&mut self) {
        self.listed.sort_by_key(|error| error.line);
    }
}

/// The good rows of a block and what is wrong with the others.
#[derive(Debug)]
pub(crate) struct Decoded<T> {
    /// Good rows, in the order of the input.
    pub(crate) rows: Vec<T>,
    /// The line of each good row.
    pub(crate) lines: Vec<u64>,
    /// Rejected rows, by line.
    pub(crate) errors: Errors,
    /// Fields that nobody asked for, summed over all rows.
    pub(crate) ignored_fields: u64,
    errors_max: usize,
}

impl<T> Decoded<T> {
    pub(super) fn new(errors_max: usize) -> Self {
        Self { rows: Vec::new(), lines: Vec::new(), errors: Errors::default(), ignored_fields: 0, errors_max }
    }

    /// The same without the rows: what is told of them, once it is known what became of each.
    pub(crate) fn without_rows(self) -> Decoded<()> {
        let Self { lines, errors, ignored_fields, errors_max, .. } = self;
        Decoded { rows: Vec::new(), lines, errors, ignored_fields, errors_max }
    }

    /// Rejects a row that decoded well, such as one that the store could not place.
    pub(crate) fn reject(&mut self, error: LineError) {
        self.errors.push(error, self.errors_max);
    }

    pub(super) fn accept(&mut self, line: u64, row: T) {
        self.rows.push(row);
        self.lines.push(line);
    }

    /// Puts the kept errors in the order of the lines, after some came from elsewhere.
    pub(crate) fn sort_errors(&mut self) {
        self.errors.sort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_serialises_in_the_shape_of_the_answer() {
        let json = serde_json::to_value(LineError::unknown_video(7)).expect("json");
        assert_eq!(
            (&json["line"], &json["field"], &json["code"]),
            (&7.into(), &"video".into(), &"unknown_video".into())
        );
        let whole = serde_json::to_value(LineError::too_long(1, 10)).expect("json");
        assert_eq!((&whole["field"], &whole["code"]), (&serde_json::Value::Null, &"line_too_long".into()));
        assert!(whole["message"].as_str().is_some_and(|text| text.contains("10 bytes")));
    }

    #[test]
    fn errors_past_the_limit_are_counted() {
        let mut errors = Errors::default();
        for line in 1..=5 {
            errors.push(LineError::unknown_video(line), 2);
        }
        assert_eq!((errors.listed().len(), errors.count()), (2, 5));
    }
}
