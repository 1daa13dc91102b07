//! What a file holds and how it is written, and why it cannot be read.

use std::io;

use super::catalogue;
use super::event;
use super::field::Field;

/// Why a file cannot be read, or not to its end. What was read before stays good.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum InputError {
    /// The file system failed.
    #[error("the file could not be read")]
    Io(#[from] io::Error),
    /// Nothing in the file.
    #[error("the file is empty")]
    Empty,
    /// No format that is known.
    #[error(
        "the file is not recognised: it must be NDJSON (one object per line), CSV with a header of field names, or Parquet"
    )]
    Unrecognised,
    /// A JSON list.
    #[error("the file is one JSON list: write one object per line instead, without the list (`jq -c '.[]'` does it)")]
    JsonList,
    /// Parquet inside gzip or zstd.
    #[error("a Parquet file is compressed from within: unpack this one before importing it")]
    PackedParquet,
    /// Columns that each row needs are not there.
    #[error("required columns are missing: {}", columns.join(", "))]
    MissingColumns {
        /// Their names.
        columns: Vec<&'static str>,
    },
    /// Two columns of one name.
    #[error("there are two columns named {column}")]
    DuplicateColumn {
        /// The name.
        column: &'static str,
    },
    /// The header does not fit.
    #[error("the header is longer than one line may be, or has more than {columns_max} columns")]
    HeaderTooLong {
        /// The limit.
        columns_max: usize,
    },
    /// A column's type does not fit its field.
    #[error("column {column} is {found}, and must be {wanted}")]
    WrongColumnType {
        /// The column.
        column: &'static str,
        /// Its type in the file.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// A compressed stream ends early.
    #[error("the compressed stream is cut off or damaged at line {line}; the lines before it were read")]
    DamagedStream {
        /// The first line lost.
        line: u64,
        /// What the decompressor says.
        source: io::Error,
    },
    /// A Parquet file is broken.
    #[error("the Parquet file is damaged after row {rows}; the rows before were read")]
    DamagedParquet {
        /// Rows read before.
        rows: u64,
        /// What the library says; `None` where it panicked.
        source: Option<parquet::errors::ParquetError>,
    },
}

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Events.
    Events,
    /// Videos and creators.
    Catalogue,
}

impl Content {
    /// By the fields that the first row has, or the columns that every row has.
    pub(super) fn of_fields(has: impl Fn(Field) -> bool) -> Self {
        let event = [Field::EventId, Field::Kind, Field::Viewer, Field::Ts].into_iter().any(&has);
        if !event && (has(Field::Creator) || has(Field::Video)) { Self::Catalogue } else { Self::Events }
    }

    /// By the columns of a file; those that no row can do without must be there.
    pub(super) fn of_columns(has: impl Fn(Field) -> bool) -> Result<Self, InputError> {
        let content = Self::of_fields(&has);
        let mut missing: Vec<&'static str> = match content {
            Self::Events => event::REQUIRED.into_iter().filter(|&field| !has(field)).map(Field::name).collect(),
            Self::Catalogue => Vec::new(),
        };
        let owner = has(Field::Creator) || (content == Self::Events && has(Field::Video));
        if !owner {
            missing.push(if content == Self::Events { "creator or video" } else { Field::Creator.name() });
        }
        if missing.is_empty() { Ok(content) } else { Err(InputError::MissingColumns { columns: missing }) }
    }

    /// The fields of its rows.
    pub(super) fn fields(self) -> u32 {
        match self {
            Self::Events => event::FIELDS,
            Self::Catalogue => catalogue::FIELDS,
        }
    }
}
