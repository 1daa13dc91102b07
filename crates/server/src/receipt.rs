//! What came of input: the answer of `POST /v1/events` and of `throng import --json`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use throng_store::Outcome;

use crate::ingest::{Decoded, Errors, LineError};

/// Counts of lines; each line is counted once, under what became of it.
#[derive(Debug, Default)]
pub(crate) struct Receipt {
    /// New and durable.
    pub(crate) accepted: u64,
    /// Known before; they changed nothing.
    pub(crate) duplicates: u64,
    /// New and durable, but of a sealed day: they count in the first open day.
    pub(crate) late: u64,
    /// Of the accepted lines, those of a catalogue.
    pub(crate) catalogue_rows: u64,
    /// Fields that have no meaning here, over all lines.
    pub(crate) ignored_fields: u64,
    rejected: Vec<Rejected>,
    rejected_count: u64,
    codes: BTreeMap<String, u64>,
}

/// One rejected line.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Rejected {
    /// The file, where several were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    #[serde(flatten)]
    pub(crate) error: LineError,
}

impl Receipt {
    /// A receipt for one batch, nothing counted yet but what decoding ignored.
    pub(crate) fn of<T>(decoded: &Decoded<T>) -> Self {
        Self { ignored_fields: decoded.ignored_fields, ..Self::default() }
    }

    /// Counts what the store did with events that decoded well, and turns those that it could not place into errors.
    pub(crate) fn record<T>(&mut self, outcomes: &[Outcome], decoded: &mut Decoded<T>) {
        let mut unplaced: Vec<LineError> = Vec::new();
        for (outcome, &line) in outcomes.iter().zip(&decoded.lines) {
            match outcome {
                Outcome::Accepted { .. } => self.accepted += 1,
                Outcome::Duplicate => self.duplicates += 1,
                Outcome::Late { .. } => self.late += 1,
                Outcome::UnknownVideo => unplaced.push(LineError::unknown_video(line)),
                Outcome::Expired => unplaced.push(LineError::expired(line)),
            }
        }
        if !unplaced.is_empty() {
            unplaced.into_iter().for_each(|error| decoded.reject(error));
            decoded.sort_errors();
        }
    }

    /// Adds the counts of a batch; its rejected lines are added by [`reject`](Self::reject).
    pub(crate) fn absorb(&mut self, batch: &Self) {
        self.accepted += batch.accepted;
        self.duplicates += batch.duplicates;
        self.late += batch.late;
        self.catalogue_rows += batch.catalogue_rows;
        self.ignored_fields += batch.ignored_fields;
    }

    /// Counts rejected lines, and lists them while there is room.
    pub(crate) fn reject(&mut self, errors: &Errors, file: Option<&str>, listed_max: usize) {
        self.rejected_count += errors.count();
        for error in errors.listed() {
            let code = json!(error.code).as_str().map(str::to_owned).unwrap_or_default();
            *self.codes.entry(code).or_default() += 1;
            if self.rejected.len() < listed_max {
                self.rejected.push(Rejected { file: file.map(str::to_owned), error: error.clone() });
            }
        }
    }

    /// Rejected lines that are listed.
    pub(crate) fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }

    /// Number of rejected lines, listed or not.
    pub(crate) fn rejected_count(&self) -> u64 {
        self.rejected_count
    }

    /// Number of rejected lines by code.
    pub(crate) fn codes(&self) -> &BTreeMap<String, u64> {
        &self.codes
    }

    /// Number of all lines.
    pub(crate) fn lines(&self) -> u64 {
        self.accepted + self.duplicates + self.late + self.rejected_count
    }

    /// `{"accepted", "duplicates", "late", "rejected"}`; and where they apply: `rejected_total` if not all are listed,
    /// `catalogue_rows` (of those accepted), `ignored_fields`.
    pub(crate) fn to_json(&self) -> Value {
        let mut answer = json!({
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "late": self.late,
            "rejected": self.rejected,
        });
        if self.rejected_count > self.rejected.len() as u64 {
            answer["rejected_total"] = self.rejected_count.into();
        }
        if self.catalogue_rows > 0 {
            answer["catalogue_rows"] = self.catalogue_rows.into();
        }
        if self.ignored_fields > 0 {
            answer["ignored_fields"] = self.ignored_fields.into();
        }
        answer
    }

    /// The same without what a catalogue cannot have: `{"accepted", "rejected"}`.
    pub(crate) fn to_catalogue_json(&self) -> Value {
        let mut answer = self.to_json();
        if let Value::Object(answer) = &mut answer {
            answer.remove("duplicates");
            answer.remove("late");
            answer.remove("catalogue_rows");
        }
        answer
    }
}
