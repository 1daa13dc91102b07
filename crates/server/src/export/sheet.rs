//! A CSV file after RFC 4180: UTF-8, CRLF, quotes where they are needed, one header.

use csv::{Terminator, Writer, WriterBuilder};
use serde_json::Value;

/// Rows under one header.
pub(super) struct Sheet(Writer<Vec<u8>>);

impl Sheet {
    pub(super) fn new() -> Self {
        Self(WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new()))
    }

    /// A row; all must be as long as the header.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) -> csv::Result<()> {
        self.0.write_record(cells)
    }

    pub(super) fn finish(self) -> csv::Result<Vec<u8>> {
        self.0.into_inner().map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))
    }
}

/// A released value as a cell: a number as it is, a text guarded, nothing for null. So a withheld number is an empty cell.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => guarded(text),
        // Whole numbers without `.0`.
        Value::Number(number) => number.as_f64().map_or_else(String::new, |number| number.to_string()),
        Value::Bool(truth) => truth.to_string(),
        _ => String::new(),
    }
}

/// The cells of a measure: its value, and what that says.
pub(super) fn measure(measure: &Value) -> [String; 2] {
    [cell(&measure["value"]), cell(&measure["disclosure"])]
}

/// A text that no spreadsheet takes for a formula: one that begins like one gets an apostrophe in front.
fn guarded(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}
