//! CSV after RFC 4180: a header with the fields' names in any order, then one record per row.
//!
//! Cells may be quoted and may then hold commas, quotes (doubled) and line breaks. An empty cell is absent. Unknown
//! columns are ignored and counted. The reader finds the records and their lines; a record's cells become fields later,
//! on whichever thread decodes the batch.

use std::io::{self, Read};
use std::sync::Arc;

use csv_core::ReadRecordResult;

use super::catalogue;
use super::event;
use super::field::{Field, Row, Value};
use super::input::{Content, InputError};
use super::limits::{BATCH_BYTES_MAX, Rules};
use super::line::{Decoded, LineError, LineErrorCode};
use super::ndjson::Finish;

/// Columns of a file, at most.
const COLUMNS_MAX: usize = 1_024;
const CHUNK_BYTES: usize = 256 << 10;

/// What each column holds.
#[derive(Debug)]
pub(super) struct Header {
    /// `None` for columns that nobody asked for.
    columns: Vec<Option<Field>>,
    pub(super) content: Content,
}

impl Header {
    /// Reads the names; all that a kind of row needs must be there.
    pub(super) fn parse<'n>(names: impl Iterator<Item = &'n str>) -> Result<Self, InputError> {
        let mut columns = Vec::new();
        for name in names {
            let field = Field::from_name(name.trim());
            if field.is_some() && columns.contains(&field) {
                return Err(InputError::DuplicateColumn { column: field.map_or("", Field::name) });
            }
            columns.push(field);
        }
        let content = Content::of_columns(|field| columns.contains(&Some(field)))?;
        for column in &mut columns {
            *column = column.filter(|field| field.bit() & content.fields() != 0);
        }
        Ok(Self { columns, content })
    }

    fn ignored(&self) -> u64 {
        self.columns.iter().filter(|column| column.is_none()).count() as u64
    }
}

/// Records that were found, not yet decoded.
#[derive(Debug)]
pub(super) struct Records {
    header: Arc<Header>,
    /// All cells, unquoted, one after the other.
    text: Vec<u8>,
    /// Where each cell ends, from the start of its record.
    ends: Vec<usize>,
    records: Vec<Record>,
    /// Records that could not be kept.
    pub(super) errors: Vec<LineError>,
    /// Records, kept or not.
    pub(super) rows: u64,
}

#[derive(Debug)]
struct Record {
    line: u64,
    bytes: usize,
}

impl Records {
    pub(super) fn events(&self, rules: &Rules) -> Decoded<throng_model::Event<'_>> {
        self.decode(rules, event::decode)
    }

    pub(super) fn catalogue(&self, rules: &Rules) -> Decoded<catalogue::CatalogueRow> {
        self.decode(rules, catalogue::decode)
    }

    fn decode<'a, T>(&'a self, rules: &Rules, finish: Finish<'a, T>) -> Decoded<T> {
        let mut decoded = Decoded::new(rules.errors_max);
        let mut row = Row::default();
        let mut rest = self.text.as_slice();
        let ignored = self.header.ignored();
        // Every kept record has as many cells as the header.
        for (record, ends) in self.records.iter().zip(self.ends.chunks_exact(self.header.columns.len())) {
            let (bytes, after) = rest.split_at_checked(record.bytes).unwrap_or_default();
            rest = after;
            let Ok(text) = std::str::from_utf8(bytes) else {
                let message = "the record is not valid UTF-8: save the file as UTF-8";
                decoded.reject(LineError::whole(record.line, LineErrorCode::InvalidUtf8, message));
                continue;
            };
            row.clear();
            let mut start = 0;
            for (column, &end) in self.header.columns.iter().zip(ends) {
                // A cell that splits a character cannot be: the delimiter is ASCII.
                let cell = text.get(start..end).unwrap_or_default();
                start = end;
                if let Some(field) = *column
                    && !cell.is_empty()
                {
                    // The header has each field once.
                    let _first = row.set(field, Value::Cell(cell));
                }
            }
            decoded.ignored_fields += ignored;
            match finish(&mut row, rules) {
                Ok(value) => decoded.accept(record.line, value),
                Err(error) => decoded.reject(error.at(record.line)),
            }
        }
        decoded
    }
}

/// One record as `csv_core` found it.
enum Found {
    /// This many bytes and cells are in the buffers.
    Record {
        line: u64,
        bytes: usize,
        cells: usize,
    },
    /// Too long for the buffers.
    TooLong {
        line: u64,
    },
    End,
}

/// Finds the records of a stream. Holds at most a batch, a chunk and a record.
pub(super) struct RecordReader<R> {
    source: R,
    parser: Box<csv_core::Reader>,
    input: Vec<u8>,
    /// How much of `input` has been parsed.
    parsed: usize,
    /// Cells of the record that is being read.
    cells: Vec<u8>,
    ends: Vec<usize>,
    header: Arc<Header>,
    /// The line that the parser stands on.
    line: u64,
    rows: u64,
    ended: bool,
    failed: bool,
    /// Comes after the records that were read before it.
    failure: Option<io::Error>,
}

impl<R: Read> RecordReader<R> {
    /// Reads the header.
    pub(super) fn open(source: R, line_bytes_max: usize) -> Result<Self, InputError> {
        // Lines end in `\n` alone here, so that lines can be counted; a `\r` before it is taken off later.
        let parser = csv_core::ReaderBuilder::new().terminator(csv_core::Terminator::Any(b'\n')).build();
        let mut reader = Self {
            source,
            parser: Box::new(parser),
            input: Vec::new(),
            parsed: 0,
            cells: vec![0; line_bytes_max + 1],
            ends: vec![0; COLUMNS_MAX + 1],
            header: Arc::new(Header { columns: Vec::new(), content: Content::Events }),
            line: 1,
            rows: 0,
            ended: false,
            failed: false,
            failure: None,
        };
        reader.read_header()?;
        Ok(reader)
    }

    pub(super) fn content(&self) -> Content {
        self.header.content
    }

    /// Records behind the header that were handed out.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// The line that the next record begins on, or a blank one before it.
    pub(super) fn next_line(&self) -> u64 {
        self.line
    }

    /// The next records, at most `rows_max`; `None` at the end. A failed read is reported after the records before it;
    /// the record that it cut is dropped.
    pub(super) fn next_records(&mut self, rows_max: usize) -> io::Result<Option<Records>> {
        let columns = self.header.columns.len();
        let mut batch = Records {
            header: Arc::clone(&self.header),
            text: Vec::new(),
            ends: Vec::new(),
            records: Vec::new(),
            errors: Vec::new(),
            rows: 0,
        };
        while batch.rows < rows_max as u64 && batch.text.len() < BATCH_BYTES_MAX {
            match self.find() {
                Found::End => break,
                Found::TooLong { line } => {
                    batch.errors.push(LineError::too_long(line, self.cells.len() - 1));
                }
                Found::Record { line, cells, .. } if cells != columns => {
                    let message = format!("the record has {cells} cells, and the header has {columns}");
                    batch.errors.push(LineError::whole(line, LineErrorCode::RaggedRow, message));
                }
                Found::Record { line, bytes, cells } => {
                    batch.text.extend_from_slice(self.cells.get(..bytes).unwrap_or_default());
                    batch.ends.extend_from_slice(self.ends.get(..cells).unwrap_or_default());
                    batch.records.push(Record { line, bytes });
                }
            }
            batch.rows += 1;
        }
        if batch.rows == 0 {
            return self.failure.take().map_or(Ok(None), Err);
        }
        self.rows += batch.rows;
        Ok(Some(batch))
    }

    fn read_header(&mut self) -> Result<(), InputError> {
        let (bytes, cells) = match self.find() {
            Found::Record { bytes, cells, .. } => (bytes, cells),
            Found::TooLong { .. } => return Err(InputError::HeaderTooLong { columns_max: COLUMNS_MAX }),
            Found::End => match self.failure.take() {
                Some(error) => return Err(error.into()),
                None => return Err(InputError::Empty),
            },
        };
        let text = self.cells.get(..bytes).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let text = text.ok_or(InputError::Unrecognised)?;
        let ends = self.ends.get(..cells).unwrap_or_default();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let names = starts.zip(ends).map(|(start, &end)| text.get(start..end).unwrap_or_default());
        self.header = Arc::new(Header::parse(names)?);
        Ok(())
    }

    /// Finds one record, past blank lines. What does not fit into the buffers is read to its end and dropped.
    fn find(&mut self) -> Found {
        self.skip_blank_lines();
        let line = self.line;
        let (mut bytes, mut cells, mut too_long) = (0, 0, false);
        loop {
            if self.parsed == self.input.len() {
                self.fill();
            }
            if self.input.is_empty() && self.failed {
                // The parser would take the cut record for a whole one.
                return Found::End;
            }
            let input = self.input.get(self.parsed..).unwrap_or_default();
            let output = self.cells.get_mut(bytes..).unwrap_or_default();
            let ends = self.ends.get_mut(cells..).unwrap_or_default();
            let (result, read, written, ended) = self.parser.read_record(input, output, ends);
            let eaten = input.get(..read).unwrap_or_default();
            self.line += memchr::memchr_iter(b'\n', eaten).count() as u64;
            self.parsed += read;
            bytes += written;
            cells += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    too_long = true;
                    (bytes, cells) = (0, 0);
                }
                ReadRecordResult::Record if too_long => return Found::TooLong { line },
                ReadRecordResult::Record => {
                    bytes = self.trim_return(bytes, cells);
                    return Found::Record { line, bytes, cells };
                }
                ReadRecordResult::End => return Found::End,
            }
        }
    }

    /// Takes the `\r` of a `\r\n` off the last cell.
    fn trim_return(&mut self, bytes: usize, cells: usize) -> usize {
        let start = cells.checked_sub(2).and_then(|at| self.ends.get(at)).copied().unwrap_or(0);
        match self.cells.get(start..bytes) {
            Some([.., b'\r']) => {
                if let Some(end) = cells.checked_sub(1).and_then(|last| self.ends.get_mut(last)) {
                    *end -= 1;
                }
                bytes - 1
            }
            _ => bytes,
        }
    }

    fn skip_blank_lines(&mut self) {
        loop {
            if self.parsed == self.input.len() {
                self.fill();
            }
            let first = self.line == 1 && self.parsed == 0;
            let blank = match self.input.get(self.parsed..).unwrap_or_default() {
                [0xef, 0xbb, 0xbf, ..] if first => 3,
                [b'\n', ..] => 1,
                [b'\r', b'\n', ..] => 2,
                // Cut by the end of the chunk: look again when the next one is there.
                [b'\r'] if !self.ended => {
                    self.fill_more();
                    continue;
                }
                [b'\r'] => 1,
                _ => return,
            };
            self.line += u64::from(blank < 3);
            self.parsed += blank;
        }
    }

    fn fill(&mut self) {
        self.input.clear();
        self.parsed = 0;
        self.fill_more();
    }

    /// Reads another chunk; none at the end, and none after a failure.
    fn fill_more(&mut self) {
        if self.ended {
            return;
        }
        match self.source.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut self.input) {
            Ok(0) => self.ended = true,
            Ok(_) => {}
            Err(error) => {
                self.ended = true;
                self.failed = true;
                self.failure = Some(error);
            }
        }
    }
}
