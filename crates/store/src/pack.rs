//! Column chunks as bytes: the smallest of constant, run lengths and bit packing, for up to 65,536 integers.
//!
//! ```text
//! u32 stream = 0 | value u32                                         all equal
//!            | 1 | min u32 | widths u8 × blocks | packed blocks      128 values a block, minus min
//!            | 2 | runs u32 | u32 stream of values | u32 stream of lengths
//!            | 3 | length u32 | zstd of one of the above             where that saves a fifth
//! u64 stream = 0 | min u64 | u32 stream of low words                 where max − min < 2³²
//!            | 1 | min u64 | u32 stream of high words | u32 stream of low words
//! i64 column = 0 | u64 stream of the values                          ts and sums
//!            | 1 | first i64 | u64 stream of zigzag differences
//! ```
//!
//! The number of values is known from outside. Decoding checks every length and never allocates more than the values
//! asked for.

use bitpacking::{BitPacker, BitPacker4x};

use crate::codec::DamageError;

const BLOCK: usize = BitPacker4x::BLOCK_LEN;

/// The most values in one chunk.
pub(crate) const VALUES_MAX: usize = 65_536;

const ZSTD_LEVEL: i32 = 1;

const BAD: DamageError = DamageError::Malformed("column chunk");

/// Encodes 32-bit values.
pub(crate) fn encode_u32(values: &[u32]) -> Vec<u8> {
    let mut out = Vec::new();
    put_u32s(values, &mut out, true);
    compress(out)
}

/// Decodes `count` 32-bit values onto the end of `out`.
pub(crate) fn decode_u32(bytes: &[u8], count: usize, out: &mut Vec<u32>) -> Result<(), DamageError> {
    let mut rest = bytes;
    take_compressed(&mut rest, count, out)?;
    if rest.is_empty() { Ok(()) } else { Err(BAD) }
}

/// Encodes signed 64-bit values; near-sorted ones get small.
pub(crate) fn encode_i64(values: &[i64]) -> Vec<u8> {
    let plain: Vec<u64> = values.iter().map(|&value| value as u64 ^ SIGN).collect();
    let mut best = vec![0];
    put_u64s(&plain, &mut best);
    let mut delta = vec![1];
    delta.extend_from_slice(&values.first().copied().unwrap_or(0).to_le_bytes());
    let differences: Vec<u64> =
        values.windows(2).map(|pair| if let [a, b] = pair { zigzag(b.wrapping_sub(*a)) } else { 0 }).collect();
    put_u64s(&differences, &mut delta);
    if delta.len() < best.len() { delta } else { best }
}

/// Decodes `count` signed 64-bit values onto the end of `out`.
pub(crate) fn decode_i64(bytes: &[u8], count: usize, out: &mut Vec<i64>) -> Result<(), DamageError> {
    let mut rest = bytes;
    match take::<1>(&mut rest)? {
        [0] => {
            let plain = take_u64s(&mut rest, count)?;
            out.extend(plain.into_iter().map(|value| (value ^ SIGN) as i64));
        }
        [1] => {
            let mut value = i64::from_le_bytes(take(&mut rest)?);
            let differences = take_u64s(&mut rest, count.saturating_sub(1))?;
            out.extend(
                std::iter::once(0)
                    .chain(differences)
                    .map(|difference| {
                        value = value.wrapping_add(unzigzag(difference));
                        value
                    })
                    .take(count),
            );
        }
        _ => return Err(BAD),
    }
    if rest.is_empty() { Ok(()) } else { Err(BAD) }
}

/// Maps the order of `i64` onto the order of `u64`.
const SIGN: u64 = 1 << 63;

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn put_u64s(values: &[u64], out: &mut Vec<u8>) {
    let min = values.iter().copied().min().unwrap_or(0);
    let max = values.iter().copied().max().unwrap_or(0);
    let low: Vec<u32> = values.iter().map(|value| (value - min) as u32).collect();
    let wide = max - min > u64::from(u32::MAX);
    out.push(u8::from(wide));
    out.extend_from_slice(&min.to_le_bytes());
    if wide {
        let high: Vec<u32> = values.iter().map(|value| ((value - min) >> 32) as u32).collect();
        out.extend_from_slice(&encode_u32(&high));
    }
    out.extend_from_slice(&encode_u32(&low));
}

fn take_u64s(rest: &mut &[u8], count: usize) -> Result<Vec<u64>, DamageError> {
    let [wide] = take::<1>(rest)?;
    let min = u64::from_le_bytes(take(rest)?);
    let mut high = Vec::new();
    match wide {
        0 => {}
        1 => take_compressed(rest, count, &mut high)?,
        _ => return Err(BAD),
    }
    let mut low = Vec::new();
    take_compressed(rest, count, &mut low)?;
    let high = high.into_iter().chain(std::iter::repeat(0));
    Ok(low.into_iter().zip(high).map(|(low, high)| min.wrapping_add(u64::from(high) << 32 | u64::from(low))).collect())
}

fn put_u32s(values: &[u32], out: &mut Vec<u8>, runs_allowed: bool) {
    let first = values.first().copied().unwrap_or(0);
    if values.iter().all(|&value| value == first) {
        out.push(0);
        out.extend_from_slice(&first.to_le_bytes());
        return;
    }
    let mut packed = Vec::new();
    put_packed(values, &mut packed);
    if runs_allowed {
        let mut run_values = Vec::new();
        let mut run_lengths = Vec::new();
        for run in values.chunk_by(|a, b| a == b) {
            run_values.extend(run.first());
            run_lengths.push(u32::try_from(run.len()).unwrap_or(u32::MAX));
        }
        if run_values.len() * 2 < values.len() {
            let mut runs = vec![2];
            runs.extend_from_slice(&u32::try_from(run_values.len()).unwrap_or(u32::MAX).to_le_bytes());
            put_u32s(&run_values, &mut runs, false);
            put_u32s(&run_lengths, &mut runs, false);
            if runs.len() < packed.len() {
                packed = runs;
            }
        }
    }
    out.append(&mut packed);
}

fn put_packed(values: &[u32], out: &mut Vec<u8>) {
    let packer = BitPacker4x::new();
    let min = values.iter().copied().min().unwrap_or(0);
    out.push(1);
    out.extend_from_slice(&min.to_le_bytes());
    let widths_at = out.len();
    out.resize(widths_at + values.len().div_ceil(BLOCK), 0);
    let mut compressed = [0; BLOCK * 4];
    for (index, values) in values.chunks(BLOCK).enumerate() {
        let mut block = [0; BLOCK];
        for (slot, value) in block.iter_mut().zip(values) {
            *slot = value - min;
        }
        let width = packer.num_bits(&block);
        if let Some(slot) = out.get_mut(widths_at + index) {
            *slot = width;
        }
        let bytes = packer.compress(&block, &mut compressed, width);
        out.extend_from_slice(compressed.get(..bytes).unwrap_or_default());
    }
}

fn take_u32s(rest: &mut &[u8], count: usize, out: &mut Vec<u32>, runs_allowed: bool) -> Result<(), DamageError> {
    if count > VALUES_MAX {
        return Err(BAD);
    }
    match take::<1>(rest)? {
        [0] => {
            let value = u32::from_le_bytes(take(rest)?);
            out.resize(out.len() + count, value);
        }
        [1] => take_packed(rest, count, out)?,
        [2] if runs_allowed => {
            let runs = u32::from_le_bytes(take(rest)?) as usize;
            if runs > count {
                return Err(BAD);
            }
            let (mut values, mut lengths) = (Vec::new(), Vec::new());
            take_u32s(rest, runs, &mut values, false)?;
            take_u32s(rest, runs, &mut lengths, false)?;
            if lengths.iter().map(|&length| u64::from(length)).sum::<u64>() != count as u64 {
                return Err(BAD);
            }
            out.reserve(count);
            for (value, length) in values.into_iter().zip(lengths) {
                out.resize(out.len() + length as usize, value);
            }
        }
        _ => return Err(BAD),
    }
    Ok(())
}

fn take_packed(rest: &mut &[u8], count: usize, out: &mut Vec<u32>) -> Result<(), DamageError> {
    let packer = BitPacker4x::new();
    let min = u32::from_le_bytes(take(rest)?);
    let widths = take_slice(rest, count.div_ceil(BLOCK))?;
    let start = out.len();
    out.reserve(count + BLOCK);
    let mut block = [0; BLOCK];
    for &width in widths {
        if width > 32 {
            return Err(BAD);
        }
        let packed = take_slice(rest, BitPacker4x::compressed_block_size(width))?;
        packer.decompress(packed, &mut block, width);
        out.extend(block.iter().map(|value| value.wrapping_add(min)));
    }
    out.truncate(start + count);
    Ok(())
}

fn compress(plain: Vec<u8>) -> Vec<u8> {
    if plain.len() < 64 {
        return plain;
    }
    match zstd::bulk::compress(&plain, ZSTD_LEVEL) {
        Ok(small) if small.len() + 5 < plain.len() / 5 * 4 => {
            let mut out = vec![3];
            out.extend_from_slice(&u32::try_from(small.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(&small);
            out
        }
        _ => plain,
    }
}

fn take_compressed(rest: &mut &[u8], count: usize, out: &mut Vec<u32>) -> Result<(), DamageError> {
    let [3, after @ ..] = *rest else {
        return take_u32s(rest, count, out, true);
    };
    *rest = after;
    let length = u32::from_le_bytes(take(rest)?) as usize;
    let small = take_slice(rest, length)?;
    // No plain stream of `count` values is longer than this.
    let bytes_max = count.saturating_mul(8).saturating_add(1_024);
    let plain = zstd::bulk::decompress(small, bytes_max).map_err(|_| BAD)?;
    let mut plain = plain.as_slice();
    take_u32s(&mut plain, count, out, true)?;
    if plain.is_empty() { Ok(()) } else { Err(BAD) }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], DamageError> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(BAD)?;
    *rest = tail;
    Ok(*head)
}

fn take_slice<'b>(rest: &mut &'b [u8], length: usize) -> Result<&'b [u8], DamageError> {
    let (head, tail) = rest.split_at_checked(length).ok_or(BAD)?;
    *rest = tail;
    Ok(head)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    fn round_trip_u32(values: &[u32]) -> usize {
        let bytes = encode_u32(values);
        let mut back = vec![];
        decode_u32(&bytes, values.len(), &mut back).unwrap();
        assert_eq!(back, values);
        bytes.len()
    }

    fn round_trip_i64(values: &[i64]) -> usize {
        let bytes = encode_i64(values);
        let mut back = vec![];
        decode_i64(&bytes, values.len(), &mut back).unwrap();
        assert_eq!(back, values);
        bytes.len()
    }

    #[test]
    fn each_encoding_is_chosen_where_it_wins() {
        assert_eq!(round_trip_u32(&[7; 10_000]), 5);
        assert!(round_trip_u32(&(0..10_000).map(|n| n / 1_000).collect::<Vec<_>>()) < 100);
        assert!(
            round_trip_u32(&(0..10_000_u32).map(|n| n.wrapping_mul(2_654_435_761_u32) >> 28).collect::<Vec<_>>())
                < 5_200
        );
        assert!(round_trip_i64(&(0..10_000).map(|n| 1_700_000_000_000 + n * 977).collect::<Vec<_>>()) < 100);
        assert_eq!(round_trip_u32(&[]), 5);
        round_trip_i64(&[]);
        round_trip_i64(&[i64::MIN, i64::MAX, 0, -1]);
    }

    proptest! {
        #[test]
        fn any_values_come_back(
            runs in prop::collection::vec((prop_oneof![0..4_u32, any::<u32>()], 1..200_usize), 0..40)
        ) {
            let values: Vec<u32> = runs.iter().flat_map(|&(value, length)| vec![value; length]).collect();
            round_trip_u32(&values);
            round_trip_i64(&values.iter().map(|&value| i64::from(value) << 20).collect::<Vec<_>>());
        }

        #[test]
        fn any_wide_values_come_back(values in prop::collection::vec(any::<i64>(), 0..400)) {
            round_trip_i64(&values);
        }

        #[test]
        fn damaged_bytes_never_panic(
            values in prop::collection::vec(0..50_u32, 1..600), at in any::<prop::sample::Index>(), byte: u8, cut: bool
        ) {
            for encoded in [encode_u32(&values), encode_i64(&values.iter().map(|&v| i64::from(v)).collect::<Vec<_>>())] {
                let mut damaged = encoded;
                let at = at.index(damaged.len());
                damaged[at] = byte;
                if cut { damaged.truncate(at); }
                let _ = decode_u32(&damaged, values.len(), &mut vec![]);
                let _ = decode_i64(&damaged, values.len(), &mut vec![]);
            }
        }
    }
}
