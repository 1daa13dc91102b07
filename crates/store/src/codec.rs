//! Records and values as bytes: bincode behind one version byte, and the frame around every stored value.
//!
//! ```text
//! value  = version | length u32 LE | CRC32C u32 LE over (key, payload, version) | payload
//! record = bincode 2 in its legacy layout: little-endian, fixed-width integers, u64 lengths
//! ```
//!
//! The checksum covers the key, so a value that turns up under another key is damage too.

use bincode::de::read::Reader;
use bincode::de::{BorrowDecode, BorrowDecoder, Decoder};
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};

/// Version of the value frame and of all records in it. A store whose root is newer is refused before anything else is read.
const VERSION: u8 = 4;

/// Bytes before the payload.
pub(crate) const HEADER: usize = 9;

/// The longest record that is decoded, in bytes: far above what is written, far below what a damaged length could ask.
const RECORD_BYTES_MAX: usize = 1 << 30;

/// What is wrong with stored bytes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DamageError {
    /// A value that the manifest lists is not there.
    #[error("a listed value is missing: {0}")]
    Missing(String),
    /// Length or checksum do not fit.
    #[error("a value's checksum does not fit: {0}")]
    Checksum(String),
    /// The bytes are whole but mean nothing.
    #[error("a value cannot be decoded: {0}")]
    Malformed(&'static str),
    /// Written by a newer version.
    #[error("written by a newer version: format {found}, this program reads up to {VERSION}")]
    Newer {
        /// The version byte found.
        found: u8,
    },
}

/// A record's last field, which is not there at all where it is nothing: records that lack it are older, or need none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Last<T>(pub(crate) Option<T>);

impl<T> Default for Last<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Encode> Encode for Last<T> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.0.as_ref().map_or(Ok(()), |field| field.encode(encoder))
    }
}

impl<C, T: Decode<C>> Decode<C> for Last<T> {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let is_there = decoder.reader().peek_read(1).is_some();
        is_there.then(|| T::decode(decoder)).transpose().map(Self)
    }
}

impl<'de, C, T: Decode<C>> BorrowDecode<'de, C> for Last<T> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}

/// A record as bytes.
pub(crate) fn encode<T: Encode>(record: &T) -> Vec<u8> {
    // Writing to memory fails only for types whose `Encode` fails, and none of ours does.
    bincode::encode_to_vec(record, bincode::config::legacy()).unwrap_or_default()
}

/// A record from bytes, all of which must be used.
pub(crate) fn decode<T: Decode<()>>(bytes: &[u8]) -> Result<T, DamageError> {
    let config = bincode::config::legacy().with_limit::<RECORD_BYTES_MAX>();
    match bincode::decode_from_slice(bytes, config) {
        Ok((record, used)) if used == bytes.len() => Ok(record),
        _ => Err(DamageError::Malformed("record")),
    }
}

/// The first field of a record, whatever follows.
pub(crate) fn decode_prefix<T: Decode<()>>(bytes: &[u8]) -> Result<T, DamageError> {
    let config = bincode::config::legacy().with_limit::<RECORD_BYTES_MAX>();
    let (record, _) = bincode::decode_from_slice(bytes, config).map_err(|_| DamageError::Malformed("record"))?;
    Ok(record)
}

/// Checksum of a payload under its key. Before version 4 it left the version out.
fn checksum(version: u8, key: &[u8], payload: &[u8]) -> u32 {
    let crc = crc32c::crc32c_append(crc32c::crc32c(key), payload);
    if version < 4 { crc } else { crc32c::crc32c_append(crc, &[version]) }
}

/// The frame around a payload.
pub(crate) fn seal(key: &[u8], payload: &[u8]) -> Vec<u8> {
    seal_as(VERSION, key, payload)
}

/// Makes a payload behind [`HEADER`] bytes of any content a frame, and gives its checksum.
pub(crate) fn seal_in_place(key: &[u8], value: &mut [u8]) -> u32 {
    let (header, payload) = value.split_at_mut_checked(HEADER).unwrap_or_default();
    let crc = checksum(VERSION, key, payload);
    fill_header(header, VERSION, payload.len(), crc);
    crc
}

/// The frame around a payload that was written in an older version.
pub(crate) fn seal_as(version: u8, key: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(HEADER + payload.len());
    value.resize(HEADER, 0);
    value.extend_from_slice(payload);
    fill_header(&mut value, version, payload.len(), checksum(version, key, payload));
    value
}

fn fill_header(header: &mut [u8], version: u8, length: usize, crc: u32) {
    // Values are cut to items before they get here.
    let length = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let bytes = [version].into_iter().chain(length).chain(crc.to_le_bytes());
    header.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
}

/// What a frame says of its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) version: u8,
    /// The checksum that fits.
    pub(crate) crc: u32,
}

/// The payload in a frame, checked.
pub(crate) fn open<'v>(key: &[u8], value: &'v [u8]) -> Result<(Frame, &'v [u8]), DamageError> {
    let damaged = || DamageError::Checksum(key_text(key));
    match value {
        [version, l0, l1, l2, l3, c0, c1, c2, c3, payload @ ..] if (1..=VERSION).contains(version) => {
            let length = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
            let crc = u32::from_le_bytes([*c0, *c1, *c2, *c3]);
            if length != payload.len() || checksum(*version, key, payload) != crc {
                return Err(damaged());
            }
            Ok((Frame { version: *version, crc }, payload))
        }
        [found, ..] if *found > VERSION => Err(DamageError::Newer { found: *found }),
        _ => Err(damaged()),
    }
}

/// A key for error messages, in hexadecimal.
pub(crate) fn key_text(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn any_flipped_byte_of_a_value_is_noticed() {
        let value = seal(b"key", b"some payload");
        assert_eq!(open(b"key", &value).unwrap().1, b"some payload");
        assert!(open(b"kez", &value).is_err());
        for at in 0..value.len() {
            for bit in 0..8 {
                let mut flipped = value.clone();
                flipped[at] ^= 1 << bit;
                assert!(open(b"key", &flipped).is_err(), "byte {at} bit {bit}");
            }
        }
        for cut in 0..value.len() {
            assert!(open(b"key", &value[..cut]).is_err());
        }
    }

    #[test]
    fn a_damaged_length_allocates_nothing() {
        let bytes = u64::MAX.to_le_bytes();
        assert!(decode::<Vec<u8>>(&bytes).is_err());
    }
}
