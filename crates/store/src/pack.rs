//! Column chunks as bytes: the smallest of constant, run lengths, bit packing and entropy coding, for up to 65,536 integers.
//!
//! ```text
//! u32 stream = 0 | value u32                                         all equal
//!            | 1 | min u32 | widths u8 × blocks | packed blocks      128 values a block, minus min
//!            | 2 | runs u32 | u32 stream of values | u32 stream of lengths
//!            | 3 | length u32 | zstd of one of the others            where that saves a fifth
//!            | 4 | min u32 | (width u8, exceptions u8) × blocks | packed blocks, the low bits of each value
//!                | place in its block u8 × exceptions | u32 stream of the exceptions' other bits
//!            | 5 | min u32 | length u32 | zstd of a byte a value, minus min
//!            | 6 | a bit per value, 1 for those above 0 | u32 stream of these       where a quarter is 0
//!            | 7 | min u32 | base u8 | length u32 | zstd of bytes of several values, minus min, below base
//!            | 8 | bits u8, 4 or 8 | a u32 stream for so many bits of all values each, the lowest first
//! u64 stream = 0 | min u64 | u32 stream of low words                 where max − min < 2³²
//!            | 1 | min u64 | u32 stream of high words | u32 stream of low words
//! i64 column = 0 | u64 stream of the values                          ts and sums
//!            | 1 | first i64 | u64 stream of zigzag differences
//!            | 2 | first i64 | u64 stream of differences            where few are negative
//! ```
//!
//! Streams within 2 and 4 are 0 or 1, those within 6 are 0, 1 or 4, those within 8 are 0, 1, 5 or 7. Codes of few values cost
//! little more than their entropy as 5 and 7, where packing pays whole bits. A byte of 7 holds as many values as it has room for, the first
//! one as its lowest digit to the base; Huffman's code, which pays a whole bit a byte at least, then serves one in two too. 8 is for values
//! that are made of several fields.
//!
//! The number of values is known from outside. Decoding checks every length and never allocates more than the values
//! asked for.

use std::cell::RefCell;

use bitpacking::{BitPacker, BitPacker4x};
use zstd::zstd_safe::CParameter;

use crate::codec::DamageError;

const BLOCK: usize = BitPacker4x::BLOCK_LEN;

/// The most values in one chunk.
pub(crate) const VALUES_MAX: usize = 65_536;

const ZSTD_LEVEL: i32 = 1;

/// Codes hardly repeat each other: what is saved is their entropy. So only long repetitions are looked for, in a table that
/// stays in the processor's first cache.
const HASH_LOG: u32 = 11;
const MIN_MATCH: u32 = 7;

const BAD: DamageError = DamageError::Malformed("column chunk");

/// Encodes 32-bit values.
pub(crate) fn encode_u32(values: &[u32]) -> Vec<u8> {
    // What is no run and gets small as bytes needs not be packed to know that; short chunks cost little anyway.
    let is_smallest = |bytes: &Vec<u8>| {
        values.len() >= GUESS_VALUES_MIN
            && run_count(values) > values.len() / RUN_VALUES
            && bytes.len() < packed_len(values)
    };
    let bytes = match put_bytes(values) {
        Some(bytes) if is_smallest(&bytes) => return bytes,
        bytes => bytes,
    };
    let mut out = Vec::new();
    put_u32s(values, &mut out, Kinds::All);
    match out.first() {
        Some(&(1 | 4 | 6)) => match bytes {
            Some(bytes) if bytes.len() < out.len() => bytes,
            Some(_) => out,
            None => compress_packed(out, values),
        },
        _ => compress(out),
    }
}

/// Encodes 32-bit values without looking for the smallest way: for what is read once and written again.
pub(crate) fn encode_u32_quickly(values: &[u32]) -> Vec<u8> {
    let mut out = Vec::new();
    put_u32s(values, &mut out, Kinds::Packed);
    out
}

/// Runs are as long as this on average, or no way to make a chunk small.
const RUN_VALUES: usize = 8;

/// Decodes `count` 32-bit values onto the end of `out`.
pub(crate) fn decode_u32(bytes: &[u8], count: usize, out: &mut Vec<u32>) -> Result<(), DamageError> {
    let mut rest = bytes;
    take_compressed(&mut rest, count, out)?;
    if rest.is_empty() { Ok(()) } else { Err(BAD) }
}

/// Encodes signed 64-bit values; near-sorted ones get small.
pub(crate) fn encode_i64(values: &[i64]) -> Vec<u8> {
    let plain = || values.iter().map(|&value| unsigned(value));
    let as_plain = || encode_plain(values, encode_u32);
    let first = values.first().copied().unwrap_or(0);
    // Sums are near each other and in no order, so what lies between two of them is no less.
    let (min, max) = (values.iter().min().unwrap_or(&0), values.iter().max().unwrap_or(&0));
    let is_narrow = max.abs_diff(*min) <= u64::from(u32::MAX);
    let falls = || values.iter().zip(values.iter().skip(1)).filter(|(a, b)| b < a).count();
    if min == max || (is_narrow && values.len() >= GUESS_VALUES_MIN && falls() > values.len() / UNORDERED_FALLS) {
        return as_plain();
    }
    let mut differences: Vec<u64> =
        values.iter().zip(values.iter().skip(1)).map(|(a, b)| b.wrapping_sub(*a) as u64).collect();
    let falls = differences.iter().filter(|&&difference| (difference as i64).is_negative()).count();
    let is_rising = falls <= differences.len() / FALLS;
    if !is_rising {
        differences.iter_mut().for_each(|difference| *difference = zigzag(*difference as i64));
    }
    let as_differences = || {
        let mut out = vec![if is_rising { 2 } else { 1 }];
        out.extend_from_slice(&first.to_le_bytes());
        put_u64s(differences.iter().copied(), &mut out, encode_u32);
        out
    };
    // Trying both ways costs far more than this guess, so only what is short or close is tried.
    if values.len() >= GUESS_VALUES_MIN {
        let (of_plain, of_differences) = (bits_above_min(plain()), bits_above_min(differences.iter().copied()));
        if of_differences >= of_plain {
            return as_plain();
        }
        if of_differences * 2 < of_plain {
            return as_differences();
        }
    }
    let (plain, differences) = (as_plain(), as_differences());
    if differences.len() < plain.len() { differences } else { plain }
}

/// Encodes signed 64-bit values without looking for the smallest way.
pub(crate) fn encode_i64_quickly(values: &[i64]) -> Vec<u8> {
    encode_plain(values, encode_u32_quickly)
}

fn encode_plain(values: &[i64], encode: fn(&[u32]) -> Vec<u8>) -> Vec<u8> {
    let mut out = vec![0];
    put_u64s(values.iter().map(|&value| unsigned(value)), &mut out, encode);
    out
}

/// Shorter columns are encoded in every way.
const GUESS_VALUES_MIN: usize = 1_024;

fn bits_above_min(values: impl Iterator<Item = u64> + Clone) -> u64 {
    let min = values.clone().min().unwrap_or(0);
    values.map(|value| u64::from(u64::BITS - (value - min).leading_zeros())).sum()
}

/// One in so many differences may be negative for the others to do without a sign.
const FALLS: usize = 16;

/// Where more than one in so many is below the value before, values are in no order.
const UNORDERED_FALLS: usize = 8;

/// Decodes `count` signed 64-bit values onto the end of `out`.
pub(crate) fn decode_i64(bytes: &[u8], count: usize, out: &mut Vec<i64>) -> Result<(), DamageError> {
    let mut rest = bytes;
    match take::<1>(&mut rest)? {
        [0] => {
            let plain = take_u64s(&mut rest, count)?;
            out.extend(plain.map(|value| (value ^ SIGN) as i64));
        }
        [tag @ (1 | 2)] => {
            let mut value = i64::from_le_bytes(take(&mut rest)?);
            let differences = take_u64s(&mut rest, count.saturating_sub(1))?;
            out.extend(
                std::iter::once(0)
                    .chain(differences)
                    .map(|difference| {
                        value = value.wrapping_add(if tag == 1 { unzigzag(difference) } else { difference as i64 });
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

fn unsigned(value: i64) -> u64 {
    value as u64 ^ SIGN
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn put_u64s(values: impl Iterator<Item = u64> + Clone, out: &mut Vec<u8>, encode: fn(&[u32]) -> Vec<u8>) {
    let min = values.clone().min().unwrap_or(0);
    let max = values.clone().max().unwrap_or(0);
    let low: Vec<u32> = values.clone().map(|value| (value - min) as u32).collect();
    let wide = max - min > u64::from(u32::MAX);
    out.push(u8::from(wide));
    out.extend_from_slice(&min.to_le_bytes());
    if wide {
        let high: Vec<u32> = values.map(|value| ((value - min) >> 32) as u32).collect();
        out.extend_from_slice(&encode(&high));
    }
    out.extend_from_slice(&encode(&low));
}

fn take_u64s(rest: &mut &[u8], count: usize) -> Result<impl Iterator<Item = u64>, DamageError> {
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
    Ok(low.into_iter().zip(high).map(move |(low, high)| min.wrapping_add(u64::from(high) << 32 | u64::from(low))))
}

/// Which kinds a stream may be of, so that streams within streams end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kinds {
    /// 0 and 1.
    Packed,
    /// These and 4.
    Patched,
    /// 0, 1, 5 and 7.
    Bytes,
    All,
}

fn put_u32s(values: &[u32], out: &mut Vec<u8>, kinds: Kinds) {
    let first = values.first().copied().unwrap_or(0);
    if values.iter().all(|&value| value == first) {
        out.push(0);
        out.extend_from_slice(&first.to_le_bytes());
        return;
    }
    let mut packed = Vec::new();
    put_packed(values, &mut packed, matches!(kinds, Kinds::Patched | Kinds::All));
    if kinds == Kinds::Bytes
        && let Some(bytes) = put_bytes(values).filter(|bytes| bytes.len() < packed.len())
    {
        packed = bytes;
    }
    if kinds == Kinds::All {
        if run_count(values) * 2 < values.len() {
            let mut run_values = Vec::new();
            let mut run_lengths = Vec::new();
            for run in values.chunk_by(|a, b| a == b) {
                run_values.extend(run.first());
                run_lengths.push(u32::try_from(run.len()).unwrap_or(u32::MAX));
            }
            let mut runs = vec![2];
            runs.extend_from_slice(&u32::try_from(run_values.len()).unwrap_or(u32::MAX).to_le_bytes());
            put_u32s(&run_values, &mut runs, Kinds::Packed);
            put_u32s(&run_lengths, &mut runs, Kinds::Packed);
            if runs.len() < packed.len() {
                packed = runs;
            }
        }
        if let Some(sparse) = put_sparse(values).filter(|sparse| sparse.len() < packed.len()) {
            packed = sparse;
        }
    }
    out.append(&mut packed);
}

fn run_count(values: &[u32]) -> usize {
    1 + values.iter().zip(values.iter().skip(1)).filter(|(a, b)| a != b).count()
}

/// About the bytes that packing takes.
fn packed_len(values: &[u32]) -> usize {
    let min = values.iter().copied().min().unwrap_or(0);
    let (blocks, rest) = values.as_chunks::<BLOCK>();
    let bits: usize = blocks.iter().map(|block| patched_width(&block.map(|value| value - min)).1 as usize + 16).sum();
    bits / 8 * values.len() / (values.len() - rest.len()).max(1)
}

/// Packs blocks, each as wide as most of its values need where `patches` are allowed for the others.
fn put_packed(values: &[u32], out: &mut Vec<u8>, patches: bool) {
    let packer = BitPacker4x::new();
    let min = values.iter().copied().min().unwrap_or(0);
    let (mut widths, mut counts, mut packed) = (Vec::new(), Vec::new(), Vec::with_capacity(values.len() * 4));
    let (mut places, mut highs) = (Vec::new(), Vec::new());
    let mut compressed = [0; BLOCK * 4];
    for values in values.chunks(BLOCK) {
        let mut block = [0; BLOCK];
        for (slot, value) in block.iter_mut().zip(values) {
            *slot = value - min;
        }
        let width = if patches { patched_width(&block).0 } else { packer.num_bits(&block) };
        let before = places.len();
        if width < 32 {
            for (place, slot) in (0_u8..).zip(&mut block).filter(|(_, slot)| **slot >> width != 0) {
                places.push(place);
                highs.push(*slot >> width);
                *slot &= (1 << width) - 1;
            }
        }
        widths.push(width);
        counts.push((places.len() - before) as u8);
        let bytes = packer.compress(&block, &mut compressed, width);
        packed.extend_from_slice(compressed.get(..bytes).unwrap_or_default());
    }
    out.push(if places.is_empty() { 1 } else { 4 });
    out.extend_from_slice(&min.to_le_bytes());
    for (width, count) in widths.into_iter().zip(counts) {
        out.push(width);
        out.extend((!places.is_empty()).then_some(count));
    }
    out.append(&mut packed);
    if !places.is_empty() {
        out.append(&mut places);
        put_u32s(&highs, out, Kinds::Packed);
    }
}

/// The width that a block gets smallest by, with every wider value as an exception, and its bits then.
fn patched_width(block: &[u32; BLOCK]) -> (u8, u32) {
    let widest = u32::BITS - block.iter().fold(0, |bits, value| bits | value).leading_zeros();
    let (mut best, mut best_bits) = (widest, widest * BLOCK as u32);
    for width in (0..widest).rev() {
        let exceptions: u32 = block.iter().map(|value| u32::from(value >> width != 0)).sum();
        // Narrower ones have no fewer.
        if exceptions * 10 >= best_bits {
            break;
        }
        // A place, and the bits above.
        let bits = width * BLOCK as u32 + exceptions * (10 + widest - width);
        if bits < best_bits {
            (best, best_bits) = (width, bits);
        }
    }
    (best as u8, best_bits)
}

fn take_u32s(rest: &mut &[u8], count: usize, out: &mut Vec<u32>, kinds: Kinds) -> Result<(), DamageError> {
    if count > VALUES_MAX {
        return Err(BAD);
    }
    match take::<1>(rest)? {
        [0] => {
            let value = u32::from_le_bytes(take(rest)?);
            out.resize(out.len() + count, value);
        }
        [1] => take_packed(rest, count, out)?,
        [4] if matches!(kinds, Kinds::Patched | Kinds::All) => take_patched(rest, count, out)?,
        [5] if matches!(kinds, Kinds::Bytes | Kinds::All) => take_bytes(rest, count, out)?,
        [7] if matches!(kinds, Kinds::Bytes | Kinds::All) => take_digits(rest, count, out)?,
        [8] if kinds == Kinds::All => take_fields(rest, count, out)?,
        [6] if kinds == Kinds::All => take_sparse(rest, count, out)?,
        [2] if kinds == Kinds::All => {
            let runs = u32::from_le_bytes(take(rest)?) as usize;
            if runs > count {
                return Err(BAD);
            }
            let (mut values, mut lengths) = (Vec::new(), Vec::new());
            take_u32s(rest, runs, &mut values, Kinds::Packed)?;
            take_u32s(rest, runs, &mut lengths, Kinds::Packed)?;
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
    let min = u32::from_le_bytes(take(rest)?);
    let widths = take_slice(rest, count.div_ceil(BLOCK))?;
    let start = out.len();
    out.reserve(count + BLOCK);
    for &width in widths {
        out.extend(take_block(rest, width)?.iter().map(|value| value.wrapping_add(min)));
    }
    out.truncate(start + count);
    Ok(())
}

fn take_patched(rest: &mut &[u8], count: usize, out: &mut Vec<u32>) -> Result<(), DamageError> {
    let min = u32::from_le_bytes(take(rest)?);
    let (blocks, _) = take_slice(rest, count.div_ceil(BLOCK) * 2)?.as_chunks::<2>();
    let start = out.len();
    out.reserve(count + BLOCK);
    for &[width, _] in blocks {
        out.extend_from_slice(&take_block(rest, width)?);
    }
    let exceptions = blocks.iter().map(|&[_, exceptions]| usize::from(exceptions)).sum();
    let mut places = take_slice(rest, exceptions)?.iter();
    let mut highs = Vec::new();
    take_u32s(rest, exceptions, &mut highs, Kinds::Packed)?;
    let mut highs = highs.into_iter();
    let values = out.get_mut(start..).unwrap_or_default();
    for (&[width, exceptions], block) in blocks.iter().zip(values.chunks_mut(BLOCK)) {
        for (&place, high) in places.by_ref().zip(highs.by_ref()).take(exceptions.into()) {
            let value = block.get_mut(usize::from(place)).ok_or(BAD)?;
            *value |= high.checked_shl(width.into()).ok_or(BAD)?;
        }
    }
    values.iter_mut().for_each(|value| *value = value.wrapping_add(min));
    out.truncate(start + count);
    Ok(())
}

fn take_block(rest: &mut &[u8], width: u8) -> Result<[u32; BLOCK], DamageError> {
    if width > 32 {
        return Err(BAD);
    }
    let mut block = [0; BLOCK];
    let packed = take_slice(rest, BitPacker4x::compressed_block_size(width))?;
    BitPacker4x::new().decompress(packed, &mut block, width);
    Ok(block)
}

/// Which values are not 0, and those; `None` where nearly all are.
fn put_sparse(values: &[u32]) -> Option<Vec<u8>> {
    let count = values.iter().filter(|&&value| value != 0).count();
    if count > values.len() / 4 * 3 {
        return None;
    }
    let mut present = Vec::with_capacity(count);
    present.extend(values.iter().copied().filter(|&value| value != 0));
    let mask = values
        .chunks(8)
        .map(|values| (0..).zip(values).fold(0, |byte, (bit, &value)| byte | u8::from(value != 0) << bit));
    let mut out: Vec<u8> = std::iter::once(6).chain(mask).collect();
    put_u32s(&present, &mut out, Kinds::Patched);
    Some(out)
}

fn take_sparse(rest: &mut &[u8], count: usize, out: &mut Vec<u32>) -> Result<(), DamageError> {
    let mask = take_slice(rest, count.div_ceil(8))?;
    let bits = || mask.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 != 0)).take(count);
    let mut present = Vec::new();
    take_u32s(rest, bits().filter(|&is_there| is_there).count(), &mut present, Kinds::Patched)?;
    let mut present = present.into_iter();
    out.extend(bits().map(|is_there| if is_there { present.next().unwrap_or(0) } else { 0 }));
    Ok(())
}

/// Bytes of one or several values, compressed; `None` where those are too wide, too few to be worth it, or all
/// the same.
fn put_bytes(values: &[u32]) -> Option<Vec<u8>> {
    let (min, max) = (values.iter().copied().min()?, values.iter().copied().max()?);
    let largest = u8::try_from(max - min).ok().filter(|&largest| largest > 0 && values.len() >= BLOCK)?;
    let several = largest.checked_add(1).map(|base| (base, digits(base))).filter(|&(_, several)| several > 1);
    let mut out = vec![if several.is_some() { 7 } else { 5 }];
    out.extend_from_slice(&min.to_le_bytes());
    let bytes: Vec<u8> = if let Some((base, several)) = several {
        out.push(base);
        let byte = |digits: &[u32]| digits.iter().rev().fold(0, |byte, value| byte * base + (value - min) as u8);
        values.chunks(several).map(byte).collect()
    } else {
        values.iter().map(|value| (value - min) as u8).collect()
    };
    let small = zstd_compress(&bytes).ok()?;
    out.extend_from_slice(&u32::try_from(small.len()).ok()?.to_le_bytes());
    out.extend_from_slice(&small);
    Some(out)
}

/// How many digits to a base a byte has room for.
fn digits(base: u8) -> usize {
    let held = |count: &u32| u64::from(base).pow(*count) <= 256;
    if base < 2 { 1 } else { (1..=8).take_while(held).count() }
}

fn take_digits(rest: &mut &[u8], count: usize, out: &mut Vec<u32>) -> Result<(), DamageError> {
    let min = u32::from_le_bytes(take(rest)?);
    let [base] = take(rest)?;
    let several = digits(base);
    if several < 2 {
        return Err(BAD);
    }
    let bytes = take_zstd(rest, count.div_ceil(several))?;
    let start = out.len();
    out.reserve(bytes.len() * several);
    // What each byte holds, counted up digit by digit.
    let mut held = [[min; 8]; 256];
    let mut last = [0; 8];
    for slot in &mut held {
        slot.iter_mut().zip(last).for_each(|(slot, digit)| *slot = min.wrapping_add(digit));
        for digit in last.iter_mut().take(several) {
            *digit += 1;
            if *digit < u32::from(base) {
                break;
            }
            *digit = 0;
        }
    }
    for byte in bytes {
        let values = held.get(usize::from(byte)).and_then(|held| held.get(..several));
        out.extend_from_slice(values.unwrap_or_default());
    }
    out.truncate(start + count);
    Ok(())
}

/// So many bits of all values at a time.
fn put_fields(values: &[u32], bits: u8) -> Vec<u8> {
    let mut out = vec![8, bits];
    for shift in (0..u32::BITS).step_by(bits.into()) {
        let parts: Vec<u32> = values.iter().map(|value| value >> shift & ((1 << bits) - 1)).collect();
        put_u32s(&parts, &mut out, Kinds::Bytes);
    }
    out
}

fn take_fields(rest: &mut &[u8], count: usize, out: &mut Vec<u32>) -> Result<(), DamageError> {
    let [bits @ (4 | 8)] = take::<1>(rest)? else { return Err(BAD) };
    let start = out.len();
    take_u32s(rest, count, out, Kinds::Bytes)?;
    let mut parts = Vec::new();
    for shift in (bits.into()..u32::BITS).step_by(bits.into()) {
        parts.clear();
        take_u32s(rest, count, &mut parts, Kinds::Bytes)?;
        for (value, part) in out.iter_mut().skip(start).zip(&parts) {
            *value |= part << shift;
        }
    }
    Ok(())
}

fn take_bytes(rest: &mut &[u8], count: usize, out: &mut Vec<u32>) -> Result<(), DamageError> {
    let min = u32::from_le_bytes(take(rest)?);
    out.extend(take_zstd(rest, count)?.into_iter().map(|byte| min.wrapping_add(byte.into())));
    Ok(())
}

/// So many bytes, compressed behind their length.
fn take_zstd(rest: &mut &[u8], count: usize) -> Result<Vec<u8>, DamageError> {
    let length = u32::from_le_bytes(take(rest)?) as usize;
    let bytes = zstd_decompress(take_slice(rest, length)?, count)?;
    if bytes.len() == count { Ok(bytes) } else { Err(BAD) }
}

/// So much of a longer stream is compressed first.
const SAMPLE_BYTES: usize = 4_096;

fn compress(plain: Vec<u8>) -> Vec<u8> {
    // Packed numbers that a part of tells to be random are not tried as a whole.
    let is_random = |part: &[u8]| zstd_compress(part).is_ok_and(|small| small.len() > SAMPLE_BYTES / 10 * 9);
    let sample = plain.get(plain.len() / 2..).and_then(|half| half.get(..SAMPLE_BYTES));
    if plain.len() < 64 || sample.is_some_and(is_random) {
        return plain;
    }
    match zstd_compress(&plain) {
        Ok(small) if small.len() + 5 < plain.len() / 5 * 4 => {
            let mut out = vec![3];
            out.extend_from_slice(&u32::try_from(small.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(&small);
            out
        }
        _ => plain,
    }
}

/// As [`compress`] does; but where that is worth it, perhaps in parts.
fn compress_packed(packed: Vec<u8>, values: &[u32]) -> Vec<u8> {
    let bytes = packed.len();
    let small = compress(packed);
    if small.len() == bytes || values.len() < GUESS_VALUES_MIN {
        return small;
    }
    [8, 4]
        .map(|bits| put_fields(values, bits))
        .into_iter()
        .fold(small, |best, fields| if fields.len() < best.len() { fields } else { best })
}

thread_local! {
    /// Made once a thread: making one costs as much as a short column.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

fn zstd_compress(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            none => {
                let mut compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
                compressor.set_parameter(CParameter::HashLog(HASH_LOG))?;
                compressor.set_parameter(CParameter::MinMatch(MIN_MATCH))?;
                none.insert(compressor)
            }
        };
        compressor.compress(plain)
    })
}

fn zstd_decompress(small: &[u8], bytes_max: usize) -> Result<Vec<u8>, DamageError> {
    let plain = DECOMPRESSOR.with_borrow_mut(|kept| {
        let decompressor = match kept {
            Some(decompressor) => decompressor,
            none => none.insert(zstd::bulk::Decompressor::new()?),
        };
        decompressor.decompress(small, bytes_max)
    });
    plain.map_err(|_| BAD)
}

fn take_compressed(rest: &mut &[u8], count: usize, out: &mut Vec<u32>) -> Result<(), DamageError> {
    let [3, after @ ..] = *rest else {
        return take_u32s(rest, count, out, Kinds::All);
    };
    if count > VALUES_MAX {
        return Err(BAD);
    }
    *rest = after;
    let length = u32::from_le_bytes(take(rest)?) as usize;
    let small = take_slice(rest, length)?;
    // No plain stream of `count` values is longer than this.
    let bytes_max = count.saturating_mul(8).saturating_add(1_024);
    let plain = zstd_decompress(small, bytes_max)?;
    let mut plain = plain.as_slice();
    take_u32s(&mut plain, count, out, Kinds::All)?;
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
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    fn round_trip_u32(values: &[u32]) -> usize {
        let bytes = [encode_u32(values), encode_u32_quickly(values)];
        for bytes in &bytes {
            let mut back = vec![];
            decode_u32(bytes, values.len(), &mut back).unwrap();
            assert_eq!(back, values);
        }
        bytes[0].len()
    }

    fn round_trip_i64(values: &[i64]) -> usize {
        let bytes = [encode_i64(values), encode_i64_quickly(values)];
        for bytes in &bytes {
            let mut back = vec![];
            decode_i64(bytes, values.len(), &mut back).unwrap();
            assert_eq!(back, values);
        }
        bytes[0].len()
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
        // Three fields of 1.5, 1.1 and 0.6 bits.
        let fields: Vec<u32> = (0..16_384_u32)
            .map(|n| {
                let hash = blake3::hash(&n.to_le_bytes());
                let field = |at: usize, one_in: u8| match hash.as_bytes()[at] % one_in {
                    0 => 1 + u32::from(hash.as_bytes()[at + 1] % 2),
                    _ => 0,
                };
                field(0, 2) << 24 | field(2, 4) << 8 | field(4, 9)
            })
            .collect();
        let bytes = round_trip_u32(&fields);
        assert!((6_400..7_200).contains(&bytes), "{bytes}");
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
        fn few_wide_values_among_narrow_ones_come_back(
            values in prop::collection::vec(prop_oneof![30 => 0..900_u32, 20 => Just(0), 1 => any::<u32>()], 0..2_000)
        ) {
            round_trip_u32(&values);
            let mut sum = 1 << 40;
            let rising: Vec<i64> = values.iter().map(|&value| { sum += i64::from(value); sum }).collect();
            round_trip_i64(&rising);
        }

        #[test]
        fn any_bytes_are_read_or_refused(
            tag in 0..10_u8, bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0..4_u8], 0..300), count in 0..700_usize
        ) {
            let bytes = [&[tag], bytes.as_slice()].concat();
            let (mut narrow, mut wide) = (vec![], vec![]);
            if decode_u32(&bytes, count, &mut narrow).is_ok() { prop_assert_eq!(narrow.len(), count); }
            if decode_i64(&bytes, count, &mut wide).is_ok() { prop_assert_eq!(wide.len(), count); }
        }

        #[test]
        fn few_values_take_little_more_than_their_entropy(
            weights in prop::collection::vec(1..1_000_u64, 1..40), min in any::<u32>(), seed: u32, count in 0..20_000_usize
        ) {
            let total: u64 = weights.iter().sum();
            let choice = |n: usize, salt: u32| {
                let hash = blake3::hash(&[n as u32, seed, salt].map(u32::to_le_bytes).concat());
                let mut at = u64::from_le_bytes(*hash.as_bytes().first_chunk().unwrap()) % total;
                weights.iter().position(|&weight| { let here = at < weight; at = at.wrapping_sub(weight); here }).unwrap() as u32
            };
            let shares = weights.iter().map(|&weight| weight as f64 / total as f64);
            let entropy: f64 = shares.map(|share| -share * share.log2()).sum();
            // A tenth of a bit, or a fiftieth, and tables of up to 256 codes.
            let fits = |bytes: usize, entropy: f64| bytes as f64 * 8.0 < count as f64 * (entropy * 1.02 + 0.1) + 3_000.0;
            let one: Vec<u32> = (0..count).map(|n| min.wrapping_add(choice(n, 0))).collect();
            let bytes = round_trip_u32(&one);
            prop_assert!(one.iter().max() < one.iter().min() || fits(bytes, entropy), "{bytes} of {count} at {entropy}");
            round_trip_u32(&(0..count).map(|n| choice(n, 0) << 16 | choice(n, 1)).collect::<Vec<_>>());
        }

        #[test]
        fn any_wide_values_come_back(values in prop::collection::vec(any::<i64>(), 0..400)) {
            round_trip_i64(&values);
        }

        #[test]
        fn damaged_bytes_never_panic(
            values in prop::collection::vec(prop_oneof![20 => 0..50_u32, 1 => 0..u32::MAX], 1..600), at in any::<prop::sample::Index>(), byte: u8, cut: bool
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
