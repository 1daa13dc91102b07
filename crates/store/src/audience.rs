//! Audiences of days: sets of viewer ordinals, many small ones to a value.
//!
//! ```text
//! block = set | set | …                  about 48 KB, one value
//! set   = 0 | varint of the first ordinal and of each difference   up to 8 ordinals; before version 4 up to 64
//!       | 3 | ordinals u32 | the ordinals in Elias–Fano's code       up to 65,536: two thirds of roaring's bytes
//!       | 1 | roaring's portable serialisation                       more; in version 1 from 65 on
//!       | 2 | ordinals u32 | u32 stream of the differences           versions 2 and 3
//! ```

use bincode::{Decode, Encode};
use roaring::RoaringBitmap;

use crate::codec::DamageError;
use crate::elias_fano;
use crate::kv::KvError;
use crate::object::{ObjectWriter, ValueRef};
use crate::pack;

/// Sets with more ordinals are written in Elias–Fano's code.
const LIST_MAX: usize = 8;

/// A block is written once it holds this much.
const BLOCK_BYTES: usize = 48 * 1024;

/// Where a day's audience lies: a block, and in it first the viewers with a view, then those with other events only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct AudienceRef {
    pub(crate) block: u32,
    pub(crate) offset: u32,
    pub(crate) view_bytes: u32,
    pub(crate) other_bytes: u32,
}

impl AudienceRef {
    /// No audience was written: the rows must be scanned.
    pub(crate) const ABSENT: Self = Self { block: u32::MAX, offset: 0, view_bytes: 0, other_bytes: 0 };
}

/// Packs sets into blocks.
#[derive(Default)]
pub(crate) struct AudienceWriter {
    block: Vec<u8>,
    blocks: Vec<ValueRef>,
}

impl AudienceWriter {
    /// Adds one day's audience: both lists sorted, without repeats, disjoint.
    pub(crate) fn put(
        &mut self,
        out: &mut ObjectWriter<'_>,
        viewed: &[u32],
        others: &[u32],
    ) -> Result<AudienceRef, KvError> {
        if self.block.len() >= BLOCK_BYTES {
            self.write(out)?;
        }
        let offset = self.block.len();
        write_set(viewed, &mut self.block);
        let middle = self.block.len();
        write_set(others, &mut self.block);
        let small = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        Ok(AudienceRef {
            block: small(self.blocks.len()),
            offset: small(offset),
            view_bytes: small(middle - offset),
            other_bytes: small(self.block.len() - middle),
        })
    }

    pub(crate) fn finish(mut self, out: &mut ObjectWriter<'_>) -> Result<Vec<ValueRef>, KvError> {
        self.write(out)?;
        Ok(self.blocks)
    }

    fn write(&mut self, out: &mut ObjectWriter<'_>) -> Result<(), KvError> {
        if !self.block.is_empty() {
            self.blocks.push(out.put(&self.block)?);
            self.block.clear();
        }
        Ok(())
    }
}

fn write_set(sorted: &[u32], out: &mut Vec<u8>) {
    if sorted.is_empty() {
        return;
    }
    if sorted.len() <= LIST_MAX {
        out.push(0);
        let mut last = 0;
        for &ordinal in sorted {
            write_varint(ordinal - last, out);
            last = ordinal;
        }
        return;
    }
    if sorted.len() <= pack::VALUES_MAX {
        out.push(3);
        out.extend_from_slice(&u32::try_from(sorted.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.append(&mut elias_fano::encode(0, sorted.iter().map(|&ordinal| ordinal.into())));
        return;
    }
    out.push(1);
    let mut set: RoaringBitmap = sorted.iter().copied().collect();
    set.optimize();
    // Writing to memory cannot fail.
    let _ = set.serialize_into(&mut *out);
}

/// Reads one set.
pub(crate) fn read_set(bytes: &[u8]) -> Result<RoaringBitmap, DamageError> {
    match bytes {
        [] => Ok(RoaringBitmap::new()),
        [0, list @ ..] => {
            let mut set = RoaringBitmap::new();
            let (mut rest, mut ordinal) = (list, 0_u32);
            while !rest.is_empty() {
                ordinal = ordinal.checked_add(read_varint(&mut rest)?).ok_or(BAD)?;
                set.insert(ordinal);
            }
            Ok(set)
        }
        [3, c0, c1, c2, c3, numbers @ ..] => {
            let count = u32::from_le_bytes([*c0, *c1, *c2, *c3]) as usize;
            let mut ordinals = Vec::new();
            elias_fano::decode(numbers, 0, count, &mut ordinals)?;
            let ordinals: Result<Vec<u32>, _> = ordinals.into_iter().map(u32::try_from).collect();
            RoaringBitmap::from_sorted_iter(ordinals.map_err(|_| BAD)?).map_err(|_| BAD)
        }
        [2, c0, c1, c2, c3, stream @ ..] => {
            let count = u32::from_le_bytes([*c0, *c1, *c2, *c3]) as usize;
            let mut ordinals = Vec::new();
            pack::decode_u32(stream, count, &mut ordinals)?;
            let mut before = 0_u32;
            for ordinal in &mut ordinals {
                *ordinal = before.checked_add(*ordinal).ok_or(BAD)?;
                before = *ordinal;
            }
            RoaringBitmap::from_sorted_iter(ordinals).map_err(|_| BAD)
        }
        [1, body @ ..] => RoaringBitmap::deserialize_from(body).map_err(|_| BAD),
        _ => Err(BAD),
    }
}

const BAD: DamageError = DamageError::Malformed("audience");

fn write_varint(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn read_varint(rest: &mut &[u8]) -> Result<u32, DamageError> {
    let mut value = 0_u64;
    for shift in (0..35).step_by(7) {
        let (&byte, tail) = rest.split_first().ok_or(BAD)?;
        *rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return u32::try_from(value).map_err(|_| BAD);
        }
    }
    Err(BAD)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_set_of_any_length_comes_back() {
        for length in [0, 1, 64, 65, 65_536, 65_537_u32] {
            let sorted: Vec<u32> = (0..length).map(|n| n * 17 + n % 3).collect();
            let mut bytes = vec![];
            write_set(&sorted, &mut bytes);
            assert_eq!(read_set(&bytes).unwrap().iter().collect::<Vec<_>>(), sorted);
        }
    }

    proptest! {
        #[test]
        fn any_set_comes_back(set in prop::collection::btree_set(prop_oneof![0..300_u32, any::<u32>()], 0..200)) {
            let sorted: Vec<u32> = set.into_iter().collect();
            let mut bytes = vec![];
            write_set(&sorted, &mut bytes);
            prop_assert_eq!(read_set(&bytes).unwrap().iter().collect::<Vec<_>>(), sorted);
        }

        #[test]
        fn any_stream_of_a_set_is_read_or_refused(
            count in 0..300_u32, bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0..5_u8], 0..200)
        ) {
            let _ = read_set(&[&[2], count.to_le_bytes().as_slice(), &bytes].concat());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_set(&bytes);
        }
    }
}
