//! A file as batches: found out what it is, read in order, decoded wherever the caller likes.
//!
//! [`Reader`] reads, unpacks and cuts on one thread. A [`Batch`] owns its bytes and is `Send`, so decoding, which costs
//! most, can run on others; decoded rows borrow from it. Memory is bounded by the batches in flight.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::mem;
use std::path::Path;
use std::sync::Arc;

use throng_model::Event;

use super::catalogue::{self, CatalogueRow};
use super::coded::Coded;
use super::compression::{self, Meter, Unpacked};
use super::csv::{RecordReader, Records};
use super::event;
use super::field::Row;
use super::input::{Content, InputError};
use super::json;
use super::limits::{BATCH_ROWS_MAX, Limits, Rules};
use super::line::Decoded;
use super::ndjson::{self, Block, LineReader};
use super::parquet::{Columns, ParquetReader};

/// How much of a text is looked at to tell what it is.
const SNIFF_BYTES: u64 = 64 << 10;

/// Rows that were read together.
#[derive(Debug)]
pub(crate) struct Batch {
    rows: Rows,
    position: u64,
    bytes_read: u64,
}

#[derive(Debug)]
enum Rows {
    Lines(Block),
    Records(Records),
    Columns(Columns),
}

impl Batch {
    /// Where the file stands behind this batch: give it to [`Reader::skip_to`] to go on from here.
    #[cfg_attr(not(test), expect(dead_code, reason = "an import that is run again relies on duplicates instead"))]
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Bytes of the file that were read up to here, for a progress bar.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The rows as events with places for names, and what is told of them if all are sound: only of columns.
    pub(crate) fn coded(&self, rules: &Rules) -> Option<(Decoded<()>, Coded<'_>)> {
        let Rows::Columns(columns) = &self.rows else { return None };
        Some((columns.sound(rules), Coded::of(columns, rules)?))
    }

    /// Decodes the rows as events.
    pub(crate) fn events(&self, rules: &Rules) -> Decoded<Event<'_>> {
        let mut decoded = match &self.rows {
            Rows::Lines(block) => ndjson::decode(&block.text, block.first_line, rules, event::FIELDS, event::decode),
            Rows::Records(records) => records.events(rules),
            Rows::Columns(columns) => columns.events(rules),
        };
        self.add_errors(&mut decoded);
        decoded
    }

    /// Decodes the rows as rows of the catalogue.
    pub(crate) fn catalogue(&self, rules: &Rules) -> Decoded<CatalogueRow> {
        let mut decoded = match &self.rows {
            Rows::Lines(block) => {
                ndjson::decode(&block.text, block.first_line, rules, catalogue::FIELDS, catalogue::decode)
            }
            Rows::Records(records) => records.catalogue(rules),
            Rows::Columns(columns) => columns.catalogue(rules),
        };
        self.add_errors(&mut decoded);
        decoded
    }

    fn add_errors<T>(&self, decoded: &mut Decoded<T>) {
        let errors = match &self.rows {
            Rows::Lines(block) => &block.errors,
            Rows::Records(records) => &records.errors,
            Rows::Columns(_) => return,
        };
        if !errors.is_empty() {
            errors.iter().for_each(|error| decoded.reject(error.clone()));
            decoded.sort_errors();
        }
    }
}

/// A file that is being read.
pub(crate) struct Reader {
    source: Source,
    content: Content,
    bytes: u64,
    meter: Arc<Meter>,
}

enum Source {
    Lines(LineReader<Unpacked>),
    Records(RecordReader<Unpacked>),
    Columns(Box<ParquetReader>),
}

impl Reader {
    /// Opens a file and finds out what it is: by its bytes first, by its name's extension only where these leave it open.
    pub(crate) fn open(path: &Path, limits: &Limits) -> Result<Self, InputError> {
        let mut file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let mut magic = Vec::new();
        file.by_ref().take(4).read_to_end(&mut magic)?;
        file.rewind()?;
        if magic == *b"PAR1" {
            let reader = ParquetReader::open(file)?;
            let content = reader.content();
            let source = Source::Columns(Box::new(reader));
            return Ok(Self { source, content, bytes, meter: Arc::default() });
        }
        Self::text(file, path, bytes, limits)
    }

    /// Reads a stream that cannot go back, such as standard input: NDJSON or CSV, plain or compressed.
    pub(crate) fn stream(source: impl Read + Send + 'static, limits: &Limits) -> Result<Self, InputError> {
        Self::text(source, Path::new(""), 0, limits)
    }

    fn text(source: impl Read + Send + 'static, path: &Path, bytes: u64, limits: &Limits) -> Result<Self, InputError> {
        let (mut unpacked, meter) = compression::unpack(source)?;
        let mut start = Vec::new();
        let mut sniffed = unpacked.by_ref().take(SNIFF_BYTES).read_to_end(&mut start).map(|_| ());
        if start.is_empty() {
            mem::replace(&mut sniffed, Ok(())).map_err(|error| stream_error(error, 1, &meter))?;
        }
        let format = detect(&start, path)?;
        let content = lines_content(&start);
        let unpacked: Unpacked =
            Box::new(Again { start: io::Cursor::new(start), error: sniffed.err(), rest: unpacked });
        let (source, content) = match format {
            Format::Csv => {
                let reader = RecordReader::open(unpacked, limits.line_bytes_max)?;
                let content = reader.content();
                (Source::Records(reader), content)
            }
            Format::Ndjson => (Source::Lines(LineReader::new(unpacked, limits.line_bytes_max)), content),
        };
        Ok(Self { source, content, bytes, meter })
    }

    /// What the rows are.
    pub(crate) fn content(&self) -> Content {
        self.content
    }

    /// Bytes of the file, as it lies on disk; 0 for a stream.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    #[cfg(test)]
    pub(super) fn format(&self) -> &'static str {
        match &self.source {
            Source::Lines(_) => "ndjson",
            Source::Records(_) => "csv",
            Source::Columns(_) => "parquet",
        }
    }

    /// The next rows, at most 65,536; `None` at the end. An error comes after all rows that were read before it.
    pub(crate) fn next_batch(&mut self) -> Result<Option<Batch>, InputError> {
        self.next_rows(BATCH_ROWS_MAX)
    }

    /// Leaves out what was taken before, up to the [`Batch::position`] of the last batch taken. A text is read and
    /// unpacked again, but not decoded.
    #[cfg_attr(not(test), expect(dead_code, reason = "an import that is run again relies on duplicates instead"))]
    pub(crate) fn skip_to(&mut self, position: u64) -> Result<(), InputError> {
        if let Source::Columns(reader) = &mut self.source {
            return reader.skip(position.saturating_sub(reader.row()));
        }
        loop {
            let left = position.saturating_sub(self.position());
            let rows = usize::try_from(left).unwrap_or(BATCH_ROWS_MAX).min(BATCH_ROWS_MAX);
            if rows == 0 || self.next_rows(rows)?.is_none() {
                return Ok(());
            }
        }
    }

    fn next_rows(&mut self, rows_max: usize) -> Result<Option<Batch>, InputError> {
        let rows = match &mut self.source {
            Source::Lines(reader) => {
                let next = reader.next_block(rows_max);
                let line = reader.next_line();
                next.map_err(|error| stream_error(error, line, &self.meter))?.map(Rows::Lines)
            }
            Source::Records(reader) => {
                let next = reader.next_records(rows_max);
                let line = reader.next_line();
                next.map_err(|error| stream_error(error, line, &self.meter))?.map(Rows::Records)
            }
            Source::Columns(reader) => reader.next_columns(rows_max)?.map(Rows::Columns),
        };
        let (position, bytes_read) = (self.position(), self.bytes_read());
        Ok(rows.map(|rows| Batch { rows, position, bytes_read }))
    }

    /// Lines, records or rows that were handed out.
    fn position(&self) -> u64 {
        match &self.source {
            Source::Lines(reader) => reader.next_line() - 1,
            Source::Records(reader) => reader.rows(),
            Source::Columns(reader) => reader.row(),
        }
    }

    fn bytes_read(&self) -> u64 {
        match &self.source {
            // Columns lie apart, so only their rows tell how far they are.
            Source::Columns(reader) => {
                let part = u128::from(self.bytes) * u128::from(reader.row()) / u128::from(reader.rows().max(1));
                u64::try_from(part).unwrap_or(self.bytes)
            }
            _ => self.meter.bytes(),
        }
    }
}

/// A stream whose start was looked at: the start again, then the error that came behind it, then the rest. A decompressor
/// reports damage once and then seems to be at its end, so the error must not be lost.
struct Again {
    start: io::Cursor<Vec<u8>>,
    error: Option<io::Error>,
    rest: Unpacked,
}

impl Read for Again {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.start.read(buffer)? {
            0 => self.error.take().map_or_else(|| self.rest.read(buffer), Err),
            read => Ok(read),
        }
    }
}

fn stream_error(error: io::Error, line: u64, meter: &Meter) -> InputError {
    if meter.failed() { error.into() } else { InputError::DamagedStream { line, source: error } }
}

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Ndjson,
    Csv,
}

/// Tells a text by its first character, then by the file's extension, then by whether it begins like a header.
fn detect(start: &[u8], path: &Path) -> Result<Format, InputError> {
    let whole = (start.len() as u64) < SNIFF_BYTES;
    if start.starts_with(b"PAR1") {
        return Err(InputError::PackedParquet);
    }
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let extension = extension(path);
    match (start.first(), extension.as_str()) {
        (None, _) if whole => Err(InputError::Empty),
        (Some(b'{'), _) | (_, "ndjson" | "jsonl") => Ok(Format::Ndjson),
        (Some(b'['), _) => Err(InputError::JsonList),
        (_, "csv") => Ok(Format::Csv),
        // Blank lines as far as was looked.
        (None, _) => Ok(Format::Ndjson),
        _ => {
            let header = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
            let known = header.split(|&byte| byte == b',').any(|name| {
                matches!(
                    name.trim_ascii(),
                    b"event_id" | b"creator" | b"video" | b"\"event_id\"" | b"\"creator\"" | b"\"video\""
                )
            });
            if known { Ok(Format::Csv) } else { Err(InputError::Unrecognised) }
        }
    }
}

/// The extension in lower case, looked for under one of a compressor.
fn extension(path: &Path) -> String {
    let of = |path: &Path| path.extension().map(|text| text.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let last = of(path);
    if matches!(last.as_str(), "gz" | "zst" | "zstd") { of(&path.with_extension("")) } else { last }
}

/// What the first line that is a row says. Garbage before it does not count; where no row is found, events are assumed,
/// and every line will be told what it lacks.
fn lines_content(start: &[u8]) -> Content {
    let mut row = Row::default();
    for line in start.split(|&byte| byte == b'\n') {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        row.clear();
        let Ok(text) = std::str::from_utf8(line) else { continue };
        if json::read(text, &mut row).is_ok() && row.outside(0) > 0 {
            return Content::of_fields(|field| row.has(field));
        }
    }
    Content::Events
}
