//! Objects: immutable groups of values written by one job under one number.
//!
//! ```text
//! key of an item = 'o' | object number u64 BE | item number u32 BE
//! values         = (length u32 | bytes) …, one after the other
//! items 0 .. n   = the values cut into items of 32,600 bytes, the last one shorter
//! items n .. n+h = the head, cut likewise: the checksums of all data items and a record of the object's kind
//! ```
//!
//! The root lists each object with the checksum of its head, and the head lists each item with its own: so every key of
//! the store is listed, and an older value that turns up under its own key is noticed as well.
//!
//! Items are of one length because the database keeps its nodes in slots of fixed sizes: one to four such items fill a
//! slot of 32, 64, 96 or 128 KB to the last percent, where values of any length left a quarter of the disk unused.

use std::ops::Range;

use bincode::{Decode, Encode};

use crate::codec::{self, DamageError, Frame};
use crate::kv::{Batch, Kv, KvError};

/// Payload bytes of an item. The database adds 40 to each and about 100 to a node.
pub(crate) const ITEM_BYTES: usize = 32_600;

/// Bytes before a value.
const LENGTH_BYTES: usize = 4;

/// Bytes that a writer gathers before it writes them out: the database keeps what is not flushed in memory.
pub(crate) const FLUSH_BYTES: u64 = 16 * 1024 * 1024;

/// An object as the root lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct ObjectRef {
    pub(crate) number: u64,
    pub(crate) head_items: u32,
    pub(crate) data_items: u32,
    /// CRC32C of the whole head.
    pub(crate) head_crc: u32,
}

impl ObjectRef {
    /// Bytes of all items, at most: the last one may be shorter.
    pub(crate) fn bytes_max(self) -> u64 {
        (u64::from(self.head_items) + u64::from(self.data_items)) * ITEM_BYTES as u64
    }

    pub(crate) fn keys(self) -> impl Iterator<Item = Vec<u8>> {
        (0..self.head_items + self.data_items).map(move |item| item_key(self.number, item))
    }
}

/// Where a value lies in its object: the place of its length among the bytes of all data items. In objects of version 1 the
/// low half is the value's first item, the high half the number of its items, which are its alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub(crate) struct ValueRef(u64);

#[derive(Encode, Decode)]
struct Head<T> {
    /// CRC32C of each data item's payload.
    crcs: Vec<u32>,
    record: T,
}

/// Why an object could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The key-value layer failed.
    #[error(transparent)]
    Kv(#[from] KvError),
    /// The bytes are damaged.
    #[error(transparent)]
    Damage(#[from] DamageError),
}

impl ReadError {
    /// Whether a thread that may wait should ask again.
    pub fn would_wait(&self) -> bool {
        matches!(self, Self::Kv(KvError::WouldWait))
    }
}

pub(crate) fn item_key(number: u64, item: u32) -> Vec<u8> {
    let mut key = Vec::with_capacity(13);
    key.push(b'o');
    key.extend_from_slice(&number.to_be_bytes());
    key.extend_from_slice(&item.to_be_bytes());
    key
}

/// The object number in a key.
pub(crate) fn number_of_key(key: &[u8]) -> Option<u64> {
    match key {
        [b'o', rest @ ..] if rest.len() == 12 => rest.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)),
        _ => None,
    }
}

/// Writes the data items of one object. The head comes last, in the commit that lists the object.
pub(crate) struct ObjectWriter<'kv> {
    kv: &'kv Kv,
    number: u64,
    crcs: Vec<u32>,
    /// What follows the last whole item, behind room for its frame.
    open: Vec<u8>,
    pending: Batch,
}

impl<'kv> ObjectWriter<'kv> {
    pub(crate) fn new(kv: &'kv Kv, number: u64) -> Self {
        Self { kv, number, crcs: Vec::new(), open: vec![0; codec::HEADER], pending: Batch::default() }
    }

    /// Adds one value.
    pub(crate) fn put(&mut self, payload: &[u8]) -> Result<ValueRef, KvError> {
        let place = ValueRef((self.crcs.len() * ITEM_BYTES + self.open.len() - codec::HEADER) as u64);
        // What is longer is refused on reading; nothing written here comes near.
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
        self.append(&length);
        self.append(payload);
        if self.pending.bytes() >= FLUSH_BYTES {
            self.kv.commit(std::mem::take(&mut self.pending))?;
        }
        Ok(place)
    }

    fn append(&mut self, mut bytes: &[u8]) {
        while let Some((now, rest)) = bytes.split_at_checked(codec::HEADER + ITEM_BYTES - self.open.len()) {
            self.open.extend_from_slice(now);
            bytes = rest;
            self.put_item();
        }
        self.open.extend_from_slice(bytes);
    }

    fn put_item(&mut self) {
        let key = item_key(self.number, self.next_item());
        let mut next = Vec::with_capacity(codec::HEADER + ITEM_BYTES);
        next.resize(codec::HEADER, 0);
        let mut item = std::mem::replace(&mut self.open, next);
        self.crcs.push(codec::seal_in_place(&key, &mut item));
        self.pending.put(key, item);
    }

    /// Adds the head. What is still unwritten goes into `batch`, which the caller commits together with the root.
    pub(crate) fn finish<T: Encode>(mut self, record: T, batch: &mut Batch) -> ObjectRef {
        if self.open.len() > codec::HEADER {
            self.put_item();
        }
        let data_items = self.next_item();
        let head = codec::encode(&Head { crcs: std::mem::take(&mut self.crcs), record });
        let mut head_items = 0;
        for part in head.chunks(ITEM_BYTES) {
            let key = item_key(self.number, data_items + head_items);
            batch.put(key.clone(), codec::seal(&key, part));
            head_items += 1;
        }
        batch.absorb(self.pending);
        ObjectRef { number: self.number, head_items, data_items, head_crc: crc32c::crc32c(&head) }
    }

    fn next_item(&self) -> u32 {
        u32::try_from(self.crcs.len()).unwrap_or(u32::MAX)
    }
}

/// An object opened for reading: its place and the checksums of its items.
pub(crate) struct Object {
    pub(crate) listed: ObjectRef,
    /// In which all its items are framed.
    pub(crate) version: u8,
    crcs: Vec<u32>,
}

impl Object {
    /// Reads and checks the head.
    pub(crate) fn open<T: Decode<()>>(kv: &Kv, listed: ObjectRef) -> Result<(Self, T), ReadError> {
        let (version, head) = Self::read_head(kv, listed)?;
        let Head { crcs, record } = codec::decode::<Head<T>>(&head)?;
        Ok((Self::new(listed, version, crcs)?, record))
    }

    /// Reads and checks the head, whatever its kind.
    pub(crate) fn open_blind(kv: &Kv, listed: ObjectRef) -> Result<Self, ReadError> {
        let (version, head) = Self::read_head(kv, listed)?;
        Self::new(listed, version, codec::decode_prefix(&head)?)
    }

    fn read_head(kv: &Kv, listed: ObjectRef) -> Result<(u8, Vec<u8>), ReadError> {
        let (mut version, mut head) = (0, Vec::new());
        for item in 0..listed.head_items {
            version = append_item(kv, listed.number, listed.data_items.saturating_add(item), &mut head)?.version;
        }
        if crc32c::crc32c(&head) != listed.head_crc {
            return Err(DamageError::Checksum(format!("head of object {}", listed.number)).into());
        }
        Ok((version, head))
    }

    fn new(listed: ObjectRef, version: u8, crcs: Vec<u32>) -> Result<Self, ReadError> {
        if crcs.len() != listed.data_items as usize {
            return Err(DamageError::Malformed("object head").into());
        }
        Ok(Self { listed, version, crcs })
    }

    /// Reads one value, checked against the head's list.
    pub(crate) fn read(&self, kv: &Kv, value: ValueRef) -> Result<Vec<u8>, ReadError> {
        let mut only = Sequence::default();
        self.read_next(kv, value, &mut only)?;
        Ok(only.value)
    }

    /// Reads one of many values that are read about in the order in which they were written.
    pub(crate) fn read_next<'s>(
        &self,
        kv: &Kv,
        value: ValueRef,
        sequence: &'s mut Sequence,
    ) -> Result<&'s [u8], ReadError> {
        sequence.value.clear();
        if self.version == 1 {
            let (first, items) = (value.0 as u32, (value.0 >> 32) as u32);
            let items = first..first.saturating_add(items);
            items.into_iter().try_for_each(|item| self.append_item(kv, item, &mut sequence.value))?;
            return Ok(&sequence.value);
        }
        self.take(kv, value.0, LENGTH_BYTES, sequence)?;
        let length = sequence.value.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)) as usize;
        if length > self.crcs.len().saturating_mul(ITEM_BYTES) {
            return Err(DamageError::Malformed("length of a value").into());
        }
        sequence.value.clear();
        self.take(kv, value.0.saturating_add(LENGTH_BYTES as u64), length, sequence)?;
        Ok(&sequence.value)
    }

    /// Appends so many bytes of all data items to the value of a sequence.
    fn take(&self, kv: &Kv, mut place: u64, mut count: usize, sequence: &mut Sequence) -> Result<(), ReadError> {
        const SHORT: DamageError = DamageError::Malformed("a value beyond its object");
        sequence.value.reserve(count);
        while count > 0 {
            let item = u32::try_from(place / ITEM_BYTES as u64).ok().filter(|&item| item < self.listed.data_items);
            let item = item.ok_or(SHORT)?;
            if sequence.item != Some(item) {
                sequence.item = None;
                sequence.bytes.clear();
                self.append_item(kv, item, &mut sequence.bytes)?;
                sequence.item = Some(item);
            }
            let rest = sequence.bytes.get((place % ITEM_BYTES as u64) as usize..).unwrap_or_default();
            let now = rest.get(..count.min(rest.len())).filter(|now| !now.is_empty()).ok_or(SHORT)?;
            sequence.value.extend_from_slice(now);
            (place, count) = (place + now.len() as u64, count - now.len());
        }
        Ok(())
    }

    /// Reads the only value of an object.
    pub(crate) fn read_only(&self, kv: &Kv) -> Result<Vec<u8>, ReadError> {
        if self.version == 1 { self.read_items(kv, 0..self.listed.data_items) } else { self.read(kv, ValueRef(0)) }
    }

    fn read_items(&self, kv: &Kv, items: Range<u32>) -> Result<Vec<u8>, ReadError> {
        let mut payload = Vec::new();
        items.into_iter().try_for_each(|item| self.append_item(kv, item, &mut payload))?;
        Ok(payload)
    }

    fn append_item(&self, kv: &Kv, item: u32, out: &mut Vec<u8>) -> Result<(), ReadError> {
        let frame = append_item(kv, self.listed.number, item, out)?;
        if self.crcs.get(item as usize) != Some(&frame.crc) {
            return Err(DamageError::Checksum(codec::key_text(&item_key(self.listed.number, item))).into());
        }
        Ok(())
    }

    /// Hands over every value of an object as it is stored, each checked.
    pub(crate) fn copy(
        kv: &Kv,
        listed: ObjectRef,
        mut put: impl FnMut(Vec<u8>, Vec<u8>) -> Result<(), KvError>,
    ) -> Result<(), ReadError> {
        let object = Self::open_blind(kv, listed)?;
        let mut payload = Vec::new();
        for (item, key) in (0..).zip(listed.keys()) {
            payload.clear();
            if item < listed.data_items {
                object.append_item(kv, item, &mut payload)?;
            } else {
                append_item(kv, listed.number, item, &mut payload)?;
            }
            let value = codec::seal_as(object.version, &key, &payload);
            put(key, value)?;
        }
        Ok(())
    }

    /// Reads every data item and gives the bytes of all; for `verify`.
    pub(crate) fn check(&self, kv: &Kv) -> Result<u64, ReadError> {
        let length = |item| Ok(self.read_items(kv, item..item + 1)?.len() as u64);
        (0..self.listed.data_items).map(length).sum()
    }

    /// The length of the head.
    pub(crate) fn head_bytes(kv: &Kv, listed: ObjectRef) -> Result<u64, ReadError> {
        Ok(Self::read_head(kv, listed)?.1.len() as u64)
    }
}

/// Where reading one object value by value stands: an item that holds several is read once.
#[derive(Default)]
pub(crate) struct Sequence {
    /// Which of the object's items was read last.
    item: Option<u32>,
    /// Its bytes.
    bytes: Vec<u8>,
    /// The value that was read last.
    value: Vec<u8>,
}

/// Appends an item's payload to `out`, checked against its frame.
fn append_item(kv: &Kv, number: u64, item: u32, out: &mut Vec<u8>) -> Result<Frame, ReadError> {
    let key = item_key(number, item);
    let append = |value: &[u8]| {
        let (frame, payload) = codec::open(&key, value)?;
        out.extend_from_slice(payload);
        Ok(frame)
    };
    kv.get_with(&key, append)?.ok_or_else(|| DamageError::Missing(codec::key_text(&key)))?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;
    use crate::kv::Memory;

    #[test]
    fn an_object_reads_back_and_every_flip_is_noticed() {
        let map = Memory::default();
        let kv = Kv::Memory(map.clone());
        let mut writer = ObjectWriter::new(&kv, 7);
        let long = writer.put(&vec![9; ITEM_BYTES * 2]).unwrap();
        let short = writer.put(b"short").unwrap();
        let mut batch = Batch::default();
        let listed = writer.finish(vec![1_u64; 20_000], &mut batch);
        kv.commit(batch).unwrap();
        assert_eq!((listed.data_items, listed.head_items), (3, 5));
        assert_eq!(map.lock().unwrap().len(), listed.keys().count());

        let (object, record) = Object::open::<Vec<u64>>(&kv, listed).unwrap();
        assert_eq!(record.len(), 20_000);
        assert_eq!(object.read(&kv, long).unwrap(), vec![9; ITEM_BYTES * 2]);
        assert_eq!(object.read(&kv, short).unwrap(), b"short");

        let keys: Vec<_> = map.lock().unwrap().keys().cloned().collect();
        for key in keys {
            let whole = map.lock().unwrap().get(&key).unwrap().clone();
            map.lock().unwrap().get_mut(&key).unwrap()[20.min(whole.len() - 1)] ^= 4;
            let reread = Object::open::<Vec<u64>>(&kv, listed).and_then(|(object, _)| object.check(&kv));
            assert!(reread.is_err());
            map.lock().unwrap().remove(&key);
            let reread = Object::open::<Vec<u64>>(&kv, listed).and_then(|(object, _)| object.check(&kv));
            assert!(matches!(reread, Err(ReadError::Damage(DamageError::Missing(_)))));
            map.lock().unwrap().insert(key, whole);
        }
    }

    proptest! {
        #[test]
        fn values_of_any_length_come_back(
            lengths in prop::collection::vec(
                prop_oneof![0..9_usize, ITEM_BYTES - 9..ITEM_BYTES + 9, 0..3 * ITEM_BYTES], 1..9
            )
        ) {
            let kv = Kv::Memory(Memory::default());
            let mut writer = ObjectWriter::new(&kv, 1);
            let values: Vec<Vec<u8>> = (1..).zip(&lengths).map(|(byte, &length)| vec![byte; length]).collect();
            let places: Vec<ValueRef> = values.iter().map(|value| writer.put(value).unwrap()).collect();
            let mut batch = Batch::default();
            let listed = writer.finish((), &mut batch);
            kv.commit(batch).unwrap();
            let (object, ()) = Object::open(&kv, listed).unwrap();
            let mut sequence = Sequence::default();
            for (value, &place) in values.iter().zip(&places) {
                prop_assert_eq!(&object.read(&kv, place).unwrap(), value);
                prop_assert_eq!(object.read_next(&kv, place, &mut sequence).unwrap(), value);
            }
            prop_assert_eq!(&object.read_only(&kv).unwrap(), &values[0]);
        }

        #[test]
        fn any_place_is_read_or_refused(place: u64, near in 0..70_000_u64) {
            let kv = Kv::Memory(Memory::default());
            let mut writer = ObjectWriter::new(&kv, 1);
            writer.put(&[7; 2 * ITEM_BYTES]).unwrap();
            let mut batch = Batch::default();
            let listed = writer.finish((), &mut batch);
            kv.commit(batch).unwrap();
            let (object, ()) = Object::open(&kv, listed).unwrap();
            for place in [place, near] {
                let _ = object.read(&kv, ValueRef(place));
            }
        }
    }
}
