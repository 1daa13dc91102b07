//! Objects: immutable groups of values written by one job under one number.
//!
//! ```text
//! key of an item = 'o' | object number u64 BE | item number u32 BE
//! items 0 .. n   = data, at most 64 KB each
//! items n .. n+h = the head: the checksums of all data items and a record of the object's kind
//! ```
//!
//! The root lists each object with the checksum of its head, and the head lists each item with its own: so every key of
//! the store is listed, and an older value that turns up under its own key is noticed as well.

use bincode::{Decode, Encode};

use crate::codec::{self, DamageError};
use crate::kv::{Batch, Kv, KvError};

/// Payload bytes of one value; longer ones are split.
pub(crate) const ITEM_BYTES_MAX: usize = 64 * 1024;

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
    pub(crate) fn keys(self) -> impl Iterator<Item = Vec<u8>> {
        (0..self.head_items + self.data_items).map(move |item| item_key(self.number, item))
    }
}

/// A run of data items of one object that hold one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub(crate) struct ItemSpan {
    pub(crate) first: u32,
    pub(crate) items: u32,
}

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
    pending: Batch,
}

impl<'kv> ObjectWriter<'kv> {
    pub(crate) fn new(kv: &'kv Kv, number: u64) -> Self {
        Self { kv, number, crcs: Vec::new(), pending: Batch::default() }
    }

    /// Adds one value; it may take several items.
    pub(crate) fn put(&mut self, payload: &[u8]) -> Result<ItemSpan, KvError> {
        let first = self.next_item();
        for part in payload.chunks(ITEM_BYTES_MAX) {
            let key = item_key(self.number, self.next_item());
            self.crcs.push(codec::checksum(&key, part));
            self.pending.put(key.clone(), codec::seal(&key, part));
        }
        if self.pending.bytes() >= FLUSH_BYTES {
            self.kv.commit(std::mem::take(&mut self.pending))?;
        }
        Ok(ItemSpan { first, items: self.next_item() - first })
    }

    /// Adds the head. What is still unwritten goes into `batch`, which the caller commits together with the root.
    pub(crate) fn finish<T: Encode>(mut self, record: T, batch: &mut Batch) -> ObjectRef {
        let data_items = self.next_item();
        let head = codec::encode(&Head { crcs: std::mem::take(&mut self.crcs), record });
        let mut head_items = 0;
        for part in head.chunks(ITEM_BYTES_MAX) {
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
    crcs: Vec<u32>,
}

impl Object {
    /// Reads and checks the head.
    pub(crate) fn open<T: Decode<()>>(kv: &Kv, listed: ObjectRef) -> Result<(Self, T), ReadError> {
        let head = Self::read_head(kv, listed)?;
        let Head { crcs, record } = codec::decode::<Head<T>>(&head)?;
        Ok((Self::new(listed, crcs)?, record))
    }

    /// Reads and checks the head, whatever its kind.
    pub(crate) fn open_blind(kv: &Kv, listed: ObjectRef) -> Result<Self, ReadError> {
        let head = Self::read_head(kv, listed)?;
        Self::new(listed, codec::decode_prefix(&head)?)
    }

    fn read_head(kv: &Kv, listed: ObjectRef) -> Result<Vec<u8>, ReadError> {
        let mut head = Vec::new();
        for item in 0..listed.head_items {
            head.extend_from_slice(&read_item(kv, listed.number, listed.data_items.saturating_add(item))?);
        }
        if crc32c::crc32c(&head) != listed.head_crc {
            return Err(DamageError::Checksum(format!("head of object {}", listed.number)).into());
        }
        Ok(head)
    }

    fn new(listed: ObjectRef, crcs: Vec<u32>) -> Result<Self, ReadError> {
        if crcs.len() != listed.data_items as usize {
            return Err(DamageError::Malformed("object head").into());
        }
        Ok(Self { listed, crcs })
    }

    /// Reads one value, checked against the head's list.
    pub(crate) fn read(&self, kv: &Kv, span: ItemSpan) -> Result<Vec<u8>, ReadError> {
        let mut payload = Vec::new();
        for item in span.first..span.first.saturating_add(span.items) {
            let part = read_item(kv, self.listed.number, item)?;
            let key = item_key(self.listed.number, item);
            if self.crcs.get(item as usize) != Some(&codec::checksum(&key, &part)) {
                return Err(DamageError::Checksum(codec::key_text(&key)).into());
            }
            payload.extend_from_slice(&part);
        }
        Ok(payload)
    }

    /// Hands over every value of an object as it is stored, each checked.
    pub(crate) fn copy(
        kv: &Kv,
        listed: ObjectRef,
        mut put: impl FnMut(Vec<u8>, Vec<u8>) -> Result<(), KvError>,
    ) -> Result<(), ReadError> {
        let object = Self::open_blind(kv, listed)?;
        for (item, key) in (0..).zip(listed.keys()) {
            let payload = if item < listed.data_items {
                object.read(kv, ItemSpan { first: item, items: 1 })?
            } else {
                read_item(kv, listed.number, item)?
            };
            let value = codec::seal(&key, &payload);
            put(key, value)?;
        }
        Ok(())
    }

    /// Reads every data item; for `verify`.
    pub(crate) fn check(&self, kv: &Kv) -> Result<u64, ReadError> {
        let mut bytes = 0;
        for item in 0..self.listed.data_items {
            bytes += self.read(kv, ItemSpan { first: item, items: 1 })?.len() as u64;
        }
        Ok(bytes)
    }
}

fn read_item(kv: &Kv, number: u64, item: u32) -> Result<Vec<u8>, ReadError> {
    let key = item_key(number, item);
    let value = kv.get(&key)?.ok_or_else(|| DamageError::Missing(codec::key_text(&key)))?;
    Ok(codec::open(&key, &value)?.to_vec())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::kv::Memory;

    #[test]
    fn an_object_reads_back_and_every_flip_is_noticed() {
        let map = Memory::default();
        let kv = Kv::Memory(map.clone());
        let mut writer = ObjectWriter::new(&kv, 7);
        let long = writer.put(&vec![9; ITEM_BYTES_MAX + 1]).unwrap();
        let short = writer.put(b"short").unwrap();
        let mut batch = Batch::default();
        let listed = writer.finish(vec![1_u64; 20_000], &mut batch);
        kv.commit(batch).unwrap();
        assert_eq!((listed.data_items, listed.head_items), (3, 3));
        assert_eq!(map.lock().unwrap().len(), listed.keys().count());

        let (object, record) = Object::open::<Vec<u64>>(&kv, listed).unwrap();
        assert_eq!(record.len(), 20_000);
        assert_eq!(object.read(&kv, long).unwrap(), vec![9; ITEM_BYTES_MAX + 1]);
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
}
