//! Tables inside an object: columns of equal length in chunks of 16,384 values, each chunk a value of its own.

use std::ops::Range;
use std::sync::Arc;

use bincode::{Decode, Encode};

use crate::codec::DamageError;
use crate::kv::{Kv, KvError};
use crate::object::{Object, ObjectWriter, ReadError, Sequence, ValueRef};
use crate::pack;

/// Values per chunk.
pub(crate) const CHUNK_VALUES: usize = 16_384;

/// Where a table's chunks lie.
#[derive(Debug, Default, Encode, Decode)]
pub(crate) struct TableHead {
    pub(crate) rows: u32,
    narrow: Vec<Vec<ValueRef>>,
    wide: Vec<Vec<ValueRef>>,
}

impl TableHead {
    /// Where each column lies: those of 32 bits, then those of 64.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &[ValueRef]> {
        self.narrow.iter().chain(&self.wide).map(Vec::as_slice)
    }
}

/// Gathers rows of `N` 32-bit and `W` 64-bit columns and writes full chunks out.
pub(crate) struct TableWriter<const N: usize, const W: usize> {
    /// What is soon read and written again is written as quickly as it goes, and not as small.
    is_quick: bool,
    narrow: [Vec<u32>; N],
    wide: [Vec<i64>; W],
    head: TableHead,
}

impl<const N: usize, const W: usize> TableWriter<N, W> {
    pub(crate) fn new() -> Self {
        Self {
            is_quick: false,
            narrow: [const { Vec::new() }; N],
            wide: [const { Vec::new() }; W],
            head: TableHead { rows: 0, narrow: vec![Vec::new(); N], wide: vec![Vec::new(); W] },
        }
    }

    /// For a table that is read once and written again.
    pub(crate) fn quick() -> Self {
        Self { is_quick: true, ..Self::new() }
    }

    /// Rows pushed so far.
    pub(crate) fn rows(&self) -> u32 {
        self.head.rows
    }

    pub(crate) fn push(&mut self, out: &mut ObjectWriter<'_>, narrow: [u32; N], wide: [i64; W]) -> Result<(), KvError> {
        self.narrow.iter_mut().zip(narrow).for_each(|(column, value)| column.push(value));
        self.wide.iter_mut().zip(wide).for_each(|(column, value)| column.push(value));
        self.head.rows += 1;
        if (self.head.rows as usize).is_multiple_of(CHUNK_VALUES) {
            self.write_chunk(out)?;
        }
        Ok(())
    }

    /// Adds many rows, column by column: `narrow` and `wide` append a column of some of them.
    pub(crate) fn extend<T>(
        &mut self,
        out: &mut ObjectWriter<'_>,
        mut rows: &[T],
        narrow: impl Fn(usize, &[T], &mut Vec<u32>),
        wide: impl Fn(usize, &[T], &mut Vec<i64>),
    ) -> Result<(), KvError> {
        while !rows.is_empty() {
            let room = CHUNK_VALUES - self.head.rows as usize % CHUNK_VALUES;
            let (now, rest) = rows.split_at(room.min(rows.len()));
            self.narrow.iter_mut().enumerate().for_each(|(column, values)| narrow(column, now, values));
            self.wide.iter_mut().enumerate().for_each(|(column, values)| wide(column, now, values));
            self.head.rows += now.len() as u32;
            if now.len() == room {
                self.write_chunk(out)?;
            }
            rows = rest;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self, out: &mut ObjectWriter<'_>) -> Result<TableHead, KvError> {
        if !(self.head.rows as usize).is_multiple_of(CHUNK_VALUES) {
            self.write_chunk(out)?;
        }
        Ok(self.head)
    }

    fn write_chunk(&mut self, out: &mut ObjectWriter<'_>) -> Result<(), KvError> {
        let narrow = if self.is_quick { pack::encode_u32_quickly } else { pack::encode_u32 };
        let wide = if self.is_quick { pack::encode_i64_quickly } else { pack::encode_i64 };
        for (column, chunks) in self.narrow.iter_mut().zip(&mut self.head.narrow) {
            chunks.push(out.put(&narrow(column))?);
            column.clear();
        }
        for (column, chunks) in self.wide.iter_mut().zip(&mut self.head.wide) {
            chunks.push(out.put(&wide(column))?);
            column.clear();
        }
        Ok(())
    }
}

/// Decoded chunks of all tables, bounded in bytes; the least used go first.
pub(crate) struct ChunkCache {
    narrow: quick_cache::sync::Cache<ChunkKey, Arc<Vec<u32>>, Weight>,
    wide: quick_cache::sync::Cache<ChunkKey, Arc<Vec<i64>>, Weight>,
    blobs: quick_cache::sync::Cache<ChunkKey, Arc<[u8]>, Weight>,
}

/// Object number and place within.
type ChunkKey = (u64, ValueRef);

#[derive(Clone)]
struct Weight;

/// Chunks stay in the vectors that they were decoded into: copying one out of it costs as much as decoding it.
impl<T> quick_cache::Weighter<ChunkKey, Arc<Vec<T>>> for Weight {
    fn weight(&self, _: &ChunkKey, chunk: &Arc<Vec<T>>) -> u64 {
        (chunk.capacity() * size_of::<T>() + 64) as u64
    }
}

impl quick_cache::Weighter<ChunkKey, Arc<[u8]>> for Weight {
    fn weight(&self, _: &ChunkKey, blob: &Arc<[u8]>) -> u64 {
        (blob.len() + 64) as u64
    }
}

impl ChunkCache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let part = (bytes_max / 4) as u64;
        let items = bytes_max / 4 / (CHUNK_VALUES * 4) + 1;
        Self {
            narrow: quick_cache::sync::Cache::with_weighter(items, part * 2, Weight),
            wide: quick_cache::sync::Cache::with_weighter(items, part, Weight),
            blobs: quick_cache::sync::Cache::with_weighter(items, part, Weight),
        }
    }

    /// A whole undecoded value of an object.
    pub(crate) fn blob(&self, kv: &Kv, object: &Object, span: ValueRef) -> Result<Arc<[u8]>, ReadError> {
        let key = (object.listed.number, span);
        if let Some(blob) = self.blobs.get(&key) {
            return Ok(blob);
        }
        let blob: Arc<[u8]> = object.read(kv, span)?.into();
        self.blobs.insert(key, blob.clone());
        Ok(blob)
    }
}

/// A table that can be read.
pub(crate) struct Table<'o> {
    pub(crate) kv: &'o Kv,
    pub(crate) cache: &'o ChunkCache,
    pub(crate) object: &'o Object,
    pub(crate) head: &'o TableHead,
}

impl Table<'_> {
    /// Appends a range of a 32-bit column to `out`.
    pub(crate) fn read(&self, column: usize, rows: Range<u32>, out: &mut Vec<u32>) -> Result<(), ReadError> {
        self.each_chunk(&self.head.narrow, column, rows, |span, count, part| {
            let key = (self.object.listed.number, span);
            let chunk = match self.cache.narrow.get(&key) {
                Some(chunk) => chunk,
                None => {
                    let mut values = Vec::with_capacity(count + 128);
                    pack::decode_u32(&self.object.read(self.kv, span)?, count, &mut values)?;
                    let chunk = Arc::new(values);
                    self.cache.narrow.insert(key, chunk.clone());
                    chunk
                }
            };
            out.extend_from_slice(chunk.get(part).ok_or(SHORT)?);
            Ok(())
        })
    }

    /// Appends a whole 32-bit column to `out`, past the cache: for what is kept in another form.
    pub(crate) fn read_whole(&self, column: usize, out: &mut Vec<u32>) -> Result<(), ReadError> {
        let mut sequence = Sequence::default();
        self.each_chunk(&self.head.narrow, column, 0..self.head.rows, |span, count, _| {
            Ok(pack::decode_u32(self.object.read_next(self.kv, span, &mut sequence)?, count, out)?)
        })
    }

    /// Appends one chunk of a 32-bit column to `out`, past the cache: for whoever reads a table from front to back.
    pub(crate) fn read_next(
        &self,
        column: usize,
        chunk: usize,
        sequence: &mut Sequence,
        out: &mut Vec<u32>,
    ) -> Result<(), ReadError> {
        let (span, count) = self.chunk(&self.head.narrow, column, chunk)?;
        Ok(pack::decode_u32(self.object.read_next(self.kv, span, sequence)?, count, out)?)
    }

    /// Appends one chunk of a 64-bit column to `out`, likewise.
    pub(crate) fn read_next_wide(
        &self,
        column: usize,
        chunk: usize,
        sequence: &mut Sequence,
        out: &mut Vec<i64>,
    ) -> Result<(), ReadError> {
        let (span, count) = self.chunk(&self.head.wide, column, chunk)?;
        Ok(pack::decode_i64(self.object.read_next(self.kv, span, sequence)?, count, out)?)
    }

    /// Where a chunk lies, and how many values it has.
    fn chunk(&self, columns: &[Vec<ValueRef>], column: usize, chunk: usize) -> Result<(ValueRef, usize), DamageError> {
        let span = columns.get(column).and_then(|chunks| chunks.get(chunk)).ok_or(SHORT)?;
        Ok((*span, CHUNK_VALUES.min((self.head.rows as usize).saturating_sub(chunk * CHUNK_VALUES))))
    }

    /// Appends a range of a 64-bit column to `out`.
    pub(crate) fn read_wide(&self, column: usize, rows: Range<u32>, out: &mut Vec<i64>) -> Result<(), ReadError> {
        self.each_chunk(&self.head.wide, column, rows, |span, count, part| {
            let key = (self.object.listed.number, span);
            let chunk = match self.cache.wide.get(&key) {
                Some(chunk) => chunk,
                None => {
                    let mut values = Vec::with_capacity(count);
                    pack::decode_i64(&self.object.read(self.kv, span)?, count, &mut values)?;
                    let chunk = Arc::new(values);
                    self.cache.wide.insert(key, chunk.clone());
                    chunk
                }
            };
            out.extend_from_slice(chunk.get(part).ok_or(SHORT)?);
            Ok(())
        })
    }

    /// As [`Self::read`] does, but what is not in the cache does not come into it.
    pub(crate) fn read_once(&self, column: usize, rows: Range<u32>, out: &mut Vec<u32>) -> Result<(), ReadError> {
        self.each_chunk(&self.head.narrow, column, rows, |span, count, part| {
            match self.cache.narrow.peek(&(self.object.listed.number, span)) {
                Some(chunk) => out.extend_from_slice(chunk.get(part).ok_or(SHORT)?),
                None => {
                    let start = out.len();
                    pack::decode_u32(&self.object.read(self.kv, span)?, count, out)?;
                    keep(out, start, part);
                }
            }
            Ok(())
        })
    }

    /// The same of a 64-bit column.
    pub(crate) fn read_wide_once(&self, column: usize, rows: Range<u32>, out: &mut Vec<i64>) -> Result<(), ReadError> {
        self.each_chunk(&self.head.wide, column, rows, |span, count, part| {
            match self.cache.wide.peek(&(self.object.listed.number, span)) {
                Some(chunk) => out.extend_from_slice(chunk.get(part).ok_or(SHORT)?),
                None => {
                    let start = out.len();
                    pack::decode_i64(&self.object.read(self.kv, span)?, count, out)?;
                    keep(out, start, part);
                }
            }
            Ok(())
        })
    }

    fn each_chunk(
        &self,
        columns: &[Vec<ValueRef>],
        column: usize,
        rows: Range<u32>,
        mut visit: impl FnMut(ValueRef, usize, Range<usize>) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let (mut row, end) = (rows.start as usize, rows.end as usize);
        while row < end {
            let chunk = row / CHUNK_VALUES;
            let chunk_start = chunk * CHUNK_VALUES;
            let stop = end.min(chunk_start + CHUNK_VALUES);
            let (span, count) = self.chunk(columns, column, chunk)?;
            visit(span, count, row - chunk_start..stop - chunk_start)?;
            row = stop;
        }
        Ok(())
    }
}

/// Of what follows the first `start` values, only a part.
fn keep<T>(values: &mut Vec<T>, start: usize, part: Range<usize>) {
    values.truncate(start + part.end);
    values.drain(start..start + part.start);
}

const SHORT: DamageError = DamageError::Malformed("table shorter than its directory says");
