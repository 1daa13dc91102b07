//! Newline-delimited JSON: a block of whole lines in memory is decoded, a stream is cut into such blocks.
//!
//! Lines end in `\n` or `\r\n`; the last one may lack it. Blank lines count as lines and as nothing else. A byte order
//! mark before the first line is skipped. Bytes that are no UTF-8, NUL bytes and cut objects cost their own line only.

use std::io::{self, Read};
use std::mem;

use memchr::memchr;

use super::field::Row;
use super::json;
use super::limits::{BATCH_BYTES_MAX, Rules};
use super::line::{Decoded, FieldError, LineError, LineErrorCode};

/// Bytes read from a stream at a time.
const CHUNK_BYTES: usize = 256 << 10;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Turns a filled row into what the caller wants.
pub(super) type Finish<'a, T> = fn(&mut Row<'a>, &Rules) -> Result<T, FieldError>;

/// Decodes whole lines. `known` is the set of fields that the row has; others are counted as ignored.
pub(super) fn decode<'a, T>(
    text: &'a [u8],
    first_line: u64,
    rules: &Rules,
    known: u32,
    finish: Finish<'a, T>,
) -> Decoded<T> {
    let mut decoded = Decoded::new(rules.errors_max);
    let mut row = Row::default();
    for (line, bytes) in (first_line..).zip(lines(text)) {
        let bytes = if line == 1 { bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes) } else { bytes };
        let bytes = bytes.trim_ascii();
        if bytes.is_empty() {
            continue;
        }
        if bytes.len() > rules.line_bytes_max {
            decoded.reject(LineError::too_long(line, rules.line_bytes_max));
            continue;
        }
        row.clear();
        let read = std::str::from_utf8(bytes).map_err(|_| {
            FieldError::whole(LineErrorCode::InvalidUtf8, "the line is not valid UTF-8: send text in UTF-8")
        });
        match read.and_then(|text| json::read(text, &mut row)) {
            Ok(unknown) => {
                decoded.ignored_fields += unknown + row.outside(known);
                match finish(&mut row, rules) {
                    Ok(value) => decoded.accept(line, value),
                    Err(error) => decoded.reject(error.at(line)),
                }
            }
            Err(error) => decoded.reject(error.at(line)),
        }
    }
    decoded
}

fn lines(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        Some(line)
    })
}

/// Whole lines of a stream.
#[derive(Debug)]
pub(super) struct Block {
    /// The lines with their ends; those past the limit are there as empty ones.
    pub(super) text: Vec<u8>,
    /// The number of the first line, from 1.
    pub(super) first_line: u64,
    /// The lines past the limit.
    pub(super) errors: Vec<LineError>,
}

/// Cuts a stream into blocks. Holds at most a batch, a chunk and a line, whatever the stream holds.
pub(super) struct LineReader<R> {
    source: R,
    line_bytes_max: usize,
    /// Read, but not yet handed out.
    carry: Vec<u8>,
    next_line: u64,
    /// Inside a line past the limit, whose bytes are being dropped.
    skipping: bool,
    ended: bool,
    /// Comes after the lines that were read before it.
    failure: Option<io::Error>,
}

impl<R: Read> LineReader<R> {
    pub(super) fn new(source: R, line_bytes_max: usize) -> Self {
        Self { source, line_bytes_max, carry: Vec::new(), next_line: 1, skipping: false, ended: false, failure: None }
    }

    /// The line that the next block begins with.
    pub(super) fn next_line(&self) -> u64 {
        self.next_line
    }

    /// The next lines, at most `rows_max`; `None` at the end. A failed read is reported after the lines before it; the
    /// line that it cut is dropped.
    pub(super) fn next_block(&mut self, rows_max: usize) -> io::Result<Option<Block>> {
        let mut block = Cut {
            text: mem::take(&mut self.carry),
            line_start: 0,
            scanned: 0,
            first_line: self.next_line,
            lines: 0,
            errors: Vec::new(),
        };
        loop {
            self.cut_lines(&mut block, rows_max);
            if block.lines == rows_max as u64 || block.line_start >= BATCH_BYTES_MAX {
                self.carry = block.text.split_off(block.line_start);
                break;
            }
            if self.ended {
                block.text.truncate(block.line_start);
                break;
            }
            self.fill(&mut block);
        }
        if block.lines == 0 {
            return self.failure.take().map_or(Ok(None), Err);
        }
        self.next_line += block.lines;
        let Cut { text, first_line, errors, .. } = block;
        Ok(Some(Block { text, first_line, errors }))
    }

    /// Reads a chunk. The end of the stream ends the last line too.
    fn fill(&mut self, block: &mut Cut) {
        match self.source.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut block.text) {
            Ok(0) => {
                self.ended = true;
                if self.skipping || block.line_start < block.text.len() {
                    block.text.push(b'\n');
                }
            }
            Ok(_) => {}
            Err(error) => {
                self.ended = true;
                self.failure = Some(error);
            }
        }
    }

    /// Counts the whole lines that have been read, and empties those past the limit.
    fn cut_lines(&mut self, block: &mut Cut, rows_max: usize) {
        while block.lines < rows_max as u64 && block.line_start < BATCH_BYTES_MAX {
            let rest = block.text.get(block.scanned..).unwrap_or_default();
            let Some(length) = memchr(b'\n', rest) else {
                if block.text.len() - block.line_start > self.line_bytes_max + 1 {
                    self.skipping = true;
                }
                if self.skipping {
                    block.text.truncate(block.line_start);
                }
                block.scanned = block.text.len();
                return;
            };
            let end = block.scanned + length;
            if self.skipping || end - block.line_start > self.line_bytes_max + 1 {
                block.text.drain(block.line_start..end);
                let line = block.first_line + block.lines;
                block.errors.push(LineError::too_long(line, self.line_bytes_max));
                self.skipping = false;
                block.line_start += 1;
            } else {
                block.line_start = end + 1;
            }
            block.scanned = block.line_start;
            block.lines += 1;
        }
    }
}

/// A block that is being cut.
struct Cut {
    text: Vec<u8>,
    /// Where the first line begins that is not whole yet.
    line_start: usize,
    /// No line ends from `line_start` to here.
    scanned: usize,
    first_line: u64,
    lines: u64,
    errors: Vec<LineError>,
}
