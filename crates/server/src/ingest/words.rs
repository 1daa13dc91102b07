//! Texts of Parquet columns, each dictionary entry once: a column of the file is read as the places of its texts.
//!
//! Most text columns come with a dictionary and pages of places in it. The library would copy the text of each place, and each would be
//! parsed and looked up again. So the library is told that such a column holds integers: its dictionary page is replaced by one that
//! counts, its pages of places stay as they are, and pages of plain text are replaced by pages that count on below 0. Levels, runs
//! and packed places stay the library's work.
//!
//! ```text
//! DictionaryPage "like" "view" …       ─▶ kept here, and 0 1 … handed on
//! DataPage       levels, places        ─▶ the same
//! DataPage       levels, plain "a" "b" ─▶ kept here, and levels, plain −1 −2 … handed on
//! ```

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use parquet::basic::{Encoding, Type};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::column::reader::{ColumnReader, get_column_reader};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::schema::types::{ColumnDescriptor, Type as SchemaType};

use super::field::Value;

/// Text longer than this is not kept: no field takes so much.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// Where a row has no text.
pub(super) const ABSENT: u32 = u32::MAX;

/// Texts one after the other, copied out of the pages so that these can go.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) bytes: Vec<u8>,
    pub(super) ends: Vec<usize>,
    /// Texts that were too long to keep; nearly always none.
    oversized: Vec<usize>,
}

impl Texts {
    pub(super) fn push(&mut self, text: &[u8]) {
        if text.len() > TEXT_BYTES_MAX {
            self.oversized.push(self.ends.len());
        } else {
            self.bytes.extend_from_slice(text);
        }
        self.ends.push(self.bytes.len());
    }

    pub(super) fn push_uuid(&mut self, id: &[u8]) {
        for (at, byte) in id.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                self.bytes.push(b'-');
            }
            let hex = |digit: u8| char::from_digit(u32::from(digit), 16).map_or(b'?', |c| c as u8);
            self.bytes.extend([hex(byte >> 4), hex(byte & 15)]);
        }
        self.ends.push(self.bytes.len());
    }

    /// All bytes as one text, where they are one and no text was left out.
    pub(super) fn all(&self) -> Option<&str> {
        if self.oversized.is_empty() { std::str::from_utf8(&self.bytes).ok() } else { None }
    }

    /// `all` is all bytes as one text, where they are one: then a text is sound if it begins and ends between characters.
    pub(super) fn get<'t>(&'t self, all: Option<&'t str>, at: usize) -> Value<'t> {
        if !self.oversized.is_empty() && self.oversized.binary_search(&at).is_ok() {
            return Value::Oversized;
        }
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(at).copied().unwrap_or(start);
        let text = match all {
            Some(all) => all.get(start..end),
            None => std::str::from_utf8(self.bytes.get(start..end).unwrap_or_default()).ok(),
        };
        text.map_or(Value::NotText, |text| Value::Text(text.into()))
    }
}

/// The texts of a column chunk's dictionary.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    /// No two have the same; 0 is the empty one.
    pub(super) number: u64,
    pub(super) texts: Texts,
    /// Whether each is valid for the column's field; see [`is_sound`](Self::is_sound).
    sound: OnceLock<bool>,
}

impl Dictionary {
    fn read(page: &[u8], count: u32) -> Result<Self, ParquetError> {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let mut dictionary = Self { number: NUMBERS.fetch_add(1, Ordering::Relaxed), ..Self::default() };
        let mut rest = page;
        for _ in 0..count {
            dictionary.texts.push(take_plain(&mut rest)?);
        }
        Ok(dictionary)
    }

    pub(super) fn len(&self) -> usize {
        self.texts.ends.len()
    }

    /// Whether `check` holds for every text. A dictionary belongs to one column, so it is asked once.
    pub(super) fn is_sound(&self, check: impl FnOnce(&Texts) -> bool) -> bool {
        *self.sound.get_or_init(|| check(&self.texts))
    }
}

/// The texts of one column over the rows of a batch.
#[derive(Debug, Default)]
pub(super) struct TextColumn {
    pub(super) dictionary: Arc<Dictionary>,
    /// Those that are in no dictionary.
    pub(super) own: Texts,
    /// A row's place among the texts of the dictionary and then the others, or [`ABSENT`].
    pub(super) places: Vec<u32>,
}

impl TextColumn {
    /// Adds a row with a text of its own.
    pub(super) fn push(&mut self, text: Option<&[u8]>) {
        self.push_with(text, Texts::push);
    }

    pub(super) fn push_with<T: ?Sized>(&mut self, text: Option<&T>, push: impl FnOnce(&mut Texts, &T)) {
        let place = text.map_or(ABSENT, |text| {
            push(&mut self.own, text);
            place_of(self.dictionary.len() + self.own.ends.len() - 1)
        });
        self.places.push(place);
    }

    pub(super) fn get<'t>(&'t self, own: Option<&'t str>, row: usize) -> Value<'t> {
        match self.places.get(row) {
            None | Some(&ABSENT) => Value::Absent,
            Some(&place) => match (place as usize).checked_sub(self.dictionary.len()) {
                None => self.dictionary.texts.get(None, place as usize),
                Some(at) => self.own.get(own, at),
            },
        }
    }
}

/// A batch holds fewer texts than this by far.
fn place_of(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(ABSENT)
}

/// Reads a column chunk of texts as places.
pub(super) struct PlaceReader {
    reader: ColumnReader,
    pages: Arc<Mutex<Pages>>,
    is_nullable: bool,
    codes: Vec<i32>,
    levels: Vec<i16>,
}

impl PlaceReader {
    /// Whether all pages of a chunk are of the kinds that are known here.
    pub(super) fn can_read(column: &ColumnDescriptor, chunk: &ColumnChunkMetaData) -> bool {
        #[expect(deprecated, reason = "older files list it for their levels")]
        let is_known = |encoding| {
            matches!(
                encoding,
                Encoding::PLAIN
                    | Encoding::RLE
                    | Encoding::BIT_PACKED
                    | Encoding::PLAIN_DICTIONARY
                    | Encoding::RLE_DICTIONARY
            )
        };
        column.physical_type() == Type::BYTE_ARRAY && column.max_def_level() <= 1 && chunk.encodings().all(is_known)
    }

    pub(super) fn new(column: &ColumnDescriptor, source: Box<dyn PageReader>) -> Result<Self, ParquetError> {
        let pages = Arc::<Mutex<Pages>>::default();
        let integers = SchemaType::primitive_type_builder("places", Type::INT32).build()?;
        let def_max = column.max_def_level();
        let integers = ColumnDescriptor::new(Arc::new(integers), def_max, 0, column.path().clone());
        let renamed = Renamed { source, pages: pages.clone(), is_nullable: def_max > 0 };
        let reader = get_column_reader(Arc::new(integers), Box::new(renamed));
        Ok(Self { reader, pages, is_nullable: def_max > 0, codes: Vec::new(), levels: Vec::new() })
    }

    /// Reads the places of `rows` more rows; an error where there are fewer.
    pub(super) fn read(&mut self, rows: usize, column: &mut TextColumn) -> Result<(), ParquetError> {
        let Self { reader, pages, is_nullable, codes, levels } = self;
        let ColumnReader::Int32ColumnReader(reader) = reader else { return Err(changed()) };
        codes.clear();
        levels.clear();
        let (records, _, _) = reader.read_records(rows, Some(levels), None, codes)?;
        enough(records, rows)?;
        let mut pages = lock(pages);
        if column.places.is_empty() {
            column.dictionary = pages.dictionary.clone();
        }
        column.places.reserve(rows);
        if !*is_nullable {
            enough(codes.len(), rows)?;
            return codes.iter().try_for_each(|&code| pages.take(code, column));
        }
        let mut codes = codes.iter();
        for level in levels {
            match if *level > 0 { codes.next() } else { None } {
                Some(&code) => pages.take(code, column)?,
                None => column.places.push(ABSENT),
            }
        }
        Ok(())
    }

    /// Leaves out rows; gives how many there were.
    pub(super) fn skip(&mut self, rows: usize) -> Result<usize, ParquetError> {
        match &mut self.reader {
            ColumnReader::Int32ColumnReader(reader) => reader.skip_records(rows),
            _ => Err(changed()),
        }
    }
}

/// What was kept of pages that the library got in another form.
#[derive(Default)]
struct Pages {
    dictionary: Arc<Dictionary>,
    /// Of plain text, oldest first.
    plain: VecDeque<PlainPage>,
    /// Plain texts of all pages so far.
    plain_texts: i32,
    /// Whether there was a page.
    begun: bool,
}

struct PlainPage {
    bytes: Vec<u8>,
    /// Bytes that were passed.
    passed: usize,
    /// The number of the text that follows them, among those of all pages.
    next: i32,
    /// That of the text after the last.
    end: i32,
}

impl Pages {
    /// Adds a row with the text that a code stands for.
    fn take(&mut self, code: i32, column: &mut TextColumn) -> Result<(), ParquetError> {
        if let Ok(place) = u32::try_from(code) {
            column.places.push(place);
            return Ok(());
        }
        let number = !code;
        // Texts that no row has, behind a page's last value or where rows were left out, are passed over.
        while self.plain.front().is_some_and(|page| page.end <= number) {
            self.plain.pop_front();
        }
        let page = self.plain.front_mut().ok_or_else(|| general("a page has fewer texts than it says"))?;
        let mut rest = page.bytes.get(page.passed..).unwrap_or_default();
        loop {
            let text = take_plain(&mut rest)?;
            page.next += 1;
            if page.next > number {
                column.push(Some(text));
                page.passed = page.bytes.len() - rest.len();
                return Ok(());
            }
        }
    }

    /// Keeps a page's texts; gives the integers in their stead.
    fn keep_plain(&mut self, bytes: Vec<u8>, texts: usize) -> Result<impl Iterator<Item = u8> + use<>, ParquetError> {
        let next = self.plain_texts;
        let end = i32::try_from(texts).ok().and_then(|texts| next.checked_add(texts));
        let end = end.ok_or_else(|| general("a column chunk has too many texts"))?;
        self.plain_texts = end;
        self.plain.push_back(PlainPage { bytes, passed: 0, next, end });
        Ok((next..end).flat_map(|number| (!number).to_le_bytes()))
    }
}

/// Pages of texts as pages of integers.
struct Renamed {
    source: Box<dyn PageReader>,
    pages: Arc<Mutex<Pages>>,
    is_nullable: bool,
}

impl Renamed {
    fn rename(&self, page: Page) -> Result<Page, ParquetError> {
        let is_plain = page.is_data_page() && page.encoding() == Encoding::PLAIN;
        let begun = std::mem::replace(&mut lock(&self.pages).begun, true);
        match page {
            // Places of rows before it would change their meaning.
            Page::DictionaryPage { .. } if begun => Err(general("a dictionary that does not come first")),
            Page::DictionaryPage { buf, num_values, encoding, is_sorted } => {
                let dictionary = Dictionary::read(&buf, num_values)?;
                lock(&self.pages).dictionary = Arc::new(dictionary);
                let places: Vec<u8> = (0..num_values).flat_map(u32::to_le_bytes).collect();
                Ok(Page::DictionaryPage { buf: places.into(), num_values, encoding, is_sorted })
            }
            mut page if is_plain => {
                let levels = self.levels_bytes(&page)?;
                if let Page::DataPage { buf, num_values, .. } | Page::DataPageV2 { buf, num_values, .. } = &mut page {
                    *buf = self.rename_values(buf, levels, *num_values)?.into();
                }
                Ok(page)
            }
            page => match page.encoding() {
                Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => Ok(page),
                _ => Err(general("a page has an encoding that its column chunk does not list")),
            },
        }
    }

    /// The length of the levels before a data page's values.
    fn levels_bytes(&self, page: &Page) -> Result<usize, ParquetError> {
        let (buf, values, encoding) = match page {
            Page::DataPageV2 { def_levels_byte_len, rep_levels_byte_len, .. } => {
                return Ok((*def_levels_byte_len as usize).saturating_add(*rep_levels_byte_len as usize));
            }
            Page::DataPage { buf, num_values, def_level_encoding, .. } if self.is_nullable => {
                (buf, num_values, def_level_encoding)
            }
            _ => return Ok(0),
        };
        #[expect(deprecated, reason = "what older files say")]
        match encoding {
            Encoding::RLE => {
                let length = buf.first_chunk::<4>().ok_or_else(|| general("a page ends within its levels"))?;
                Ok((u32::from_le_bytes(*length) as usize).saturating_add(4))
            }
            Encoding::BIT_PACKED => Ok(values.div_ceil(8) as usize),
            _ => Err(general("levels of an encoding that levels do not have")),
        }
    }

    fn rename_values(&self, page: &[u8], levels: usize, values: u32) -> Result<Vec<u8>, ParquetError> {
        let parts = page.split_at_checked(levels);
        let (levels, texts) = parts.ok_or_else(|| general("a page ends within its levels"))?;
        let mut rest = texts;
        let whole = (0..values).take_while(|_| take_plain(&mut rest).is_ok()).count();
        let mut renamed = Vec::with_capacity(levels.len() + whole * 4);
        renamed.extend_from_slice(levels);
        renamed.extend(lock(&self.pages).keep_plain(texts.to_vec(), whole)?);
        Ok(renamed)
    }
}

impl PageReader for Renamed {
    fn get_next_page(&mut self) -> Result<Option<Page>, ParquetError> {
        self.source.get_next_page()?.map(|page| self.rename(page)).transpose()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, ParquetError> {
        self.source.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<(), ParquetError> {
        self.source.skip_next_page()
    }
}

impl Iterator for Renamed {
    type Item = Result<Page, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

/// A text of plain encoding: its length in four bytes, then itself.
fn take_plain<'p>(rest: &mut &'p [u8]) -> Result<&'p [u8], ParquetError> {
    let text = rest.split_first_chunk::<4>().and_then(|(length, after)| {
        let (text, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        *rest = after;
        Some(text)
    });
    text.ok_or_else(|| general("a page ends within a text"))
}

fn lock(pages: &Mutex<Pages>) -> MutexGuard<'_, Pages> {
    pages.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn enough(found: usize, rows: usize) -> Result<(), ParquetError> {
    if found == rows {
        return Ok(());
    }
    Err(ParquetError::EOF(format!("a column ends after {found} of {rows} rows")))
}

pub(super) fn changed() -> ParquetError {
    general("the column changes its type")
}

fn general(what: &str) -> ParquetError {
    ParquetError::General(what.to_owned())
}
