//! Parquet files, by columns of the fields' names, without Arrow.
//!
//! Column types are checked when the file is opened, before any row is taken. Row groups are read in order, a stride of
//! rows at a time from every column, so that memory is bounded by a batch and one page per column. The library is known
//! to panic on some damaged files; that counts as damage here.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ::parquet::column::reader::ColumnReader;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use throng_model::Event;

use super::catalogue::{self, CatalogueRow};
use super::columns::{Column, FieldReader, Shape};
use super::event;
use super::field::{Field, Row};
use super::input::{Content, InputError};
use super::limits::{BATCH_BYTES_MAX, Rules};
use super::line::Decoded;
use super::ndjson::Finish;
use super::words::PlaceReader;

/// Rows read from one column before the next has its turn.
const STRIDE_ROWS: usize = 2_048;

/// A column of the file that is a field.
#[derive(Debug, Clone, Copy)]
struct Bound {
    index: usize,
    field: Field,
    shape: Shape,
    def_max: i16,
}

/// Rows of a file, by columns.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) columns: Vec<Column>,
    pub(super) first_row: u64,
    pub(super) rows: u64,
    /// Columns that nobody asked for.
    pub(super) ignored: u64,
}

impl Columns {
    pub(super) fn events(&self, rules: &Rules) -> Decoded<Event<'_>> {
        self.decode(rules, event::decode)
    }

    pub(super) fn catalogue(&self, rules: &Rules) -> Decoded<CatalogueRow> {
        self.decode(rules, catalogue::decode)
    }

    /// What decoding tells of rows that are all good, besides the rows.
    pub(super) fn sound(&self, rules: &Rules) -> Decoded<()> {
        let mut decoded = Decoded::new(rules.errors_max);
        decoded.ignored_fields = self.ignored * self.rows;
        decoded.lines = (self.first_row + 1..=self.first_row + self.rows).collect();
        decoded
    }

    fn decode<'a, T>(&'a self, rules: &Rules, finish: Finish<'a, T>) -> Decoded<T> {
        let mut decoded = Decoded::new(rules.errors_max);
        decoded.ignored_fields = self.ignored * self.rows;
        let rows = usize::try_from(self.rows).unwrap_or(0);
        decoded.rows.reserve(rows);
        decoded.lines.reserve(rows);
        let columns: Vec<(&Column, Option<&str>)> =
            self.columns.iter().map(|column| (column, column.all_text())).collect();
        let mut row = Row::default();
        for (at, number) in (0..).zip(self.first_row..self.first_row + self.rows) {
            row.clear();
            for &(column, all_text) in &columns {
                // Each field has one column.
                let _first = row.set(column.field, column.value(all_text, at));
            }
            match finish(&mut row, rules) {
                Ok(value) => decoded.accept(number + 1, value),
                Err(error) => decoded.reject(error.at(number + 1)),
            }
        }
        decoded
    }
}

/// Reads a file from front to back.
pub(super) struct ParquetReader {
    file: SerializedFileReader<File>,
    bound: Vec<Bound>,
    content: Content,
    ignored: u64,
    /// The row group to open next.
    group: usize,
    readers: Vec<FieldReader>,
    left_in_group: u64,
    row: u64,
    rows: u64,
    /// Comes after the rows that were read before it.
    failure: Option<InputError>,
}

impl ParquetReader {
    /// Reads the footer and checks the columns.
    pub(super) fn open(file: File) -> Result<Self, InputError> {
        let file = guard(|| SerializedFileReader::new(file)).map_err(|source| damaged(0, source))?;
        let schema = file.metadata().file_metadata().schema_descr();
        let (mut named, mut others) = (Vec::new(), 0);
        for (index, column) in schema.columns().iter().enumerate() {
            match column.path().parts().first().and_then(|name| Field::from_name(name)) {
                Some(field) => named.push((index, field)),
                None => others += 1,
            }
        }
        let content = Content::of_columns(|field| named.iter().any(|&(_, known)| known == field))?;
        let mut bound: Vec<Bound> = Vec::new();
        for (index, field) in named {
            if field.bit() & content.fields() == 0 {
                others += 1;
                continue;
            }
            let column = schema.column(index);
            if bound.iter().any(|known| known.field == field) {
                return Err(InputError::DuplicateColumn { column: field.name() });
            }
            let shape = Shape::of(field, &column)?;
            bound.push(Bound { index, field, shape, def_max: column.max_def_level() });
        }
        let rows = u64::try_from(file.metadata().file_metadata().num_rows()).unwrap_or(0);
        Ok(Self {
            file,
            bound,
            content,
            ignored: others,
            group: 0,
            readers: Vec::new(),
            left_in_group: 0,
            row: 0,
            rows,
            failure: None,
        })
    }

    pub(super) fn content(&self) -> Content {
        self.content
    }

    /// Rows read.
    pub(super) fn row(&self) -> u64 {
        self.row
    }

    /// Rows in the file.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// The next rows, at most `rows_max` and of one row group; `None` at the end. Damage is reported after the rows before it.
    pub(super) fn next_columns(&mut self, rows_max: usize) -> Result<Option<Columns>, InputError> {
        let columns = self.bound.iter().map(|bound| Column::new(bound.field, bound.shape)).collect();
        let mut batch = Columns { columns, first_row: self.row, rows: 0, ignored: self.ignored };
        while batch.rows < rows_max as u64 && self.failure.is_none() {
            let wanted = rows_max - usize::try_from(batch.rows).unwrap_or(rows_max);
            match guard(|| self.read_stride(&mut batch.columns, wanted)) {
                Ok(0) => break,
                Ok(rows) => batch.rows += rows,
                Err(source) => self.failure = Some(damaged(self.row + batch.rows, source)),
            }
            // A row group has its own dictionaries.
            if self.left_in_group == 0 || batch.columns.iter().map(Column::bytes).sum::<usize>() >= BATCH_BYTES_MAX {
                break;
            }
        }
        self.row += batch.rows;
        if batch.rows > 0 {
            return Ok(Some(batch));
        }
        match self.failure.take() {
            Some(failure) => {
                self.end();
                Err(failure)
            }
            None => Ok(None),
        }
    }

    /// Leaves out rows that were taken before.
    pub(super) fn skip(&mut self, mut rows: u64) -> Result<(), InputError> {
        while rows > 0 {
            let skipped = guard(|| self.skip_stride(rows)).map_err(|source| damaged(self.row, source))?;
            if skipped == 0 {
                break;
            }
            self.row += skipped;
            rows -= skipped;
        }
        Ok(())
    }

    fn read_stride(&mut self, columns: &mut [Column], rows_max: usize) -> Result<u64, ParquetError> {
        if !self.enter_group()? {
            return Ok(0);
        }
        let rows = rows_max.min(STRIDE_ROWS).min(usize::try_from(self.left_in_group).unwrap_or(STRIDE_ROWS));
        for ((column, reader), bound) in columns.iter_mut().zip(&mut self.readers).zip(&self.bound) {
            column.read(reader, rows, bound.def_max)?;
        }
        self.left_in_group -= rows as u64;
        Ok(rows as u64)
    }

    /// Leaves out some rows of one row group. Whole groups are not even opened.
    fn skip_stride(&mut self, rows: u64) -> Result<u64, ParquetError> {
        if self.left_in_group == 0
            && let Some(group) = self.file.metadata().row_groups().get(self.group)
            && let Ok(size @ 1..) = u64::try_from(group.num_rows())
            && size <= rows
        {
            self.group += 1;
            return Ok(size);
        }
        if !self.enter_group()? {
            return Ok(0);
        }
        let rows = rows.min(self.left_in_group);
        let count = usize::try_from(rows)?;
        for reader in &mut self.readers {
            let skipped = match reader {
                FieldReader::Places(reader) => reader.skip(count)?,
                FieldReader::Values(reader) => skip_records(reader, count)?,
            };
            if skipped != count {
                return Err(ParquetError::EOF(format!("a column ends after {skipped} of {count} rows")));
            }
        }
        self.left_in_group -= rows;
        Ok(rows)
    }

    /// Makes sure that a row group with rows left is open; `false` at the end of the file.
    fn enter_group(&mut self) -> Result<bool, ParquetError> {
        while self.left_in_group == 0 {
            if self.group == self.file.num_row_groups() {
                return Ok(false);
            }
            let group = self.file.get_row_group(self.group)?;
            self.readers = self.bound.iter().map(|bound| open_column(&*group, bound)).collect::<Result<_, _>>()?;
            self.left_in_group = u64::try_from(group.metadata().num_rows())?;
            self.group += 1;
        }
        Ok(true)
    }

    fn end(&mut self) {
        self.group = self.file.num_row_groups();
        self.left_in_group = 0;
        self.readers.clear();
    }
}

fn open_column(group: &dyn RowGroupReader, bound: &Bound) -> Result<FieldReader, ParquetError> {
    let (index, chunk) = (bound.index, group.metadata().column(bound.index));
    if bound.shape == Shape::Text && PlaceReader::can_read(chunk.column_descr(), chunk) {
        let pages = group.get_column_page_reader(index)?;
        return PlaceReader::new(chunk.column_descr(), pages).map(FieldReader::Places);
    }
    group.get_column_reader(index).map(FieldReader::Values)
}

fn skip_records(reader: &mut ColumnReader, rows: usize) -> Result<usize, ParquetError> {
    match reader {
        ColumnReader::BoolColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::Int32ColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::Int64ColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::Int96ColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::FloatColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::DoubleColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::ByteArrayColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => reader.skip_records(rows),
    }
}

/// Runs the library; `None` as error where it panicked.
fn guard<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, Option<ParquetError>> {
    // Nothing that a panic left half done is used again: the reader ends.
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(result) => result.map_err(Some),
        Err(_panic) => Err(None),
    }
}

fn damaged(rows: u64, source: Option<ParquetError>) -> InputError {
    InputError::DamagedParquet { rows, source }
}
