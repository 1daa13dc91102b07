//! Ascending 64-bit numbers in Elias–Fano's code: half a bit above the least that any code can take where they are random.
//!
//! ```text
//! low bits u8 | low bits of each number minus the base, packed | the other bits in unary
//! ```
//!
//! Both from the lowest bit of the first byte on. In unary, the number at place `i` sets the bit `i` + its other bits. How
//! many numbers there are and the base are known from outside (Elias 1974; Fano 1971).

use std::cmp::Ordering;

use crate::codec::DamageError;

/// With up to seven bits before them, as many as eight bytes hold.
const LOW_BITS_MAX: u32 = 56;

const BAD: DamageError = DamageError::Malformed("ascending numbers");

/// Encodes numbers that never fall, from `base` on.
pub(crate) fn encode(base: u64, values: impl ExactSizeIterator<Item = u64> + DoubleEndedIterator + Clone) -> Vec<u8> {
    let Some(last) = values.clone().next_back() else { return Vec::new() };
    let range = last - base;
    let count = values.len();
    let low_bits = (range / count as u64).checked_ilog2().unwrap_or(0).min(LOW_BITS_MAX);
    let low_bytes = (count * low_bits as usize).div_ceil(8);
    let high_bytes = (count + (range >> low_bits) as usize).div_ceil(8);
    let mut out = vec![0; 1 + low_bytes + high_bytes];
    let Some((bits, packed)) = out.split_first_mut() else { return Vec::new() };
    *bits = low_bits as u8;
    let (lows, highs) = packed.split_at_mut_checked(low_bytes).unwrap_or_default();
    for (place, value) in values.map(|value| value - base).enumerate() {
        let start = place * low_bits as usize;
        let low = (value & mask(low_bits)) << (start % 8);
        lows.iter_mut().skip(start / 8).zip(low.to_le_bytes()).for_each(|(byte, bits)| *byte |= bits);
        let bit = place + (value >> low_bits) as usize;
        if let Some(byte) = highs.get_mut(bit / 8) {
            *byte |= 1 << (bit % 8);
        }
    }
    out
}

/// Decodes `count` numbers onto the end of `out`, from all of `bytes`.
pub(crate) fn decode(bytes: &[u8], base: u64, count: usize, out: &mut Vec<u64>) -> Result<(), DamageError> {
    if count == 0 {
        return if bytes.is_empty() { Ok(()) } else { Err(BAD) };
    }
    let Parts { low_bits, packed, highs } = Parts::of(bytes, count)?;
    out.reserve(count);
    let (mut place, mut value) = (0, 0);
    for (at, chunk) in highs.chunks(8).enumerate() {
        let mut bits = load(chunk);
        while bits != 0 {
            let high = (at * 64 + bits.trailing_zeros() as usize).wrapping_sub(place) as u64;
            bits &= bits - 1;
            value = high << low_bits | low(packed, low_bits, place);
            out.push(base.wrapping_add(value));
            place += 1;
        }
    }
    // The bytes bound how many there were to find.
    if place == count && base.checked_add(value).is_some() { Ok(()) } else { Err(BAD) }
}

/// Encoded numbers, taken apart.
struct Parts<'b> {
    low_bits: u32,
    /// Low bits, then `highs`.
    packed: &'b [u8],
    highs: &'b [u8],
}

impl<'b> Parts<'b> {
    fn of(bytes: &'b [u8], count: usize) -> Result<Self, DamageError> {
        let (&low_bits, packed) = bytes.split_first().ok_or(BAD)?;
        let low_bits = u32::from(low_bits);
        if low_bits > LOW_BITS_MAX {
            return Err(BAD);
        }
        let low_bytes = count.checked_mul(low_bits as usize).ok_or(BAD)?.div_ceil(8);
        let highs = packed.get(low_bytes..).ok_or(BAD)?;
        if count > highs.len().saturating_mul(8) {
            return Err(BAD);
        }
        Ok(Self { low_bits, packed, highs })
    }
}

/// Looks numbers up among encoded ones, without decoding those between them.
pub(crate) struct Search<'b> {
    parts: Parts<'b>,
    base: u64,
    /// The word of `highs` that it has come to, and how many bits are 0 in those before.
    word: usize,
    zeros: u64,
}

impl<'b> Search<'b> {
    /// Begins before the first number.
    pub(crate) fn new(bytes: &'b [u8], base: u64, count: usize) -> Result<Self, DamageError> {
        Ok(Self { parts: Parts::of(bytes, count)?, base, word: 0, zeros: 0 })
    }

    /// The place of the first number that equals `value`, which is no less than the one before. Whoever finds one must decode
    /// them all to know that they are whole.
    pub(crate) fn place(&mut self, value: u64) -> Option<usize> {
        let Parts { low_bits, packed, highs } = self.parts;
        let value = value.checked_sub(self.base)?;
        let (high, wanted) = (value >> low_bits, value & mask(low_bits));
        // A number's bit comes after as many zeros as its other bits say.
        let word = |at: usize| highs.get(at * 8..).filter(|rest| !rest.is_empty()).map(load);
        let mut bits = word(self.word)?;
        while self.zeros + u64::from(bits.count_zeros()) < high {
            self.zeros += u64::from(bits.count_zeros());
            self.word += 1;
            bits = word(self.word)?;
        }
        let mut at = self.word as u64 * 64 + after_zeros(bits, high - self.zeros);
        while word((at / 64) as usize)? >> (at % 64) & 1 == 1 {
            let place = (at - high) as usize;
            match low(packed, low_bits, place).cmp(&wanted) {
                Ordering::Less => at += 1,
                Ordering::Equal => return Some(place),
                Ordering::Greater => return None,
            }
        }
        None
    }
}

/// The place behind the lowest so many bits that are 0.
fn after_zeros(bits: u64, zeros: u64) -> u64 {
    let Some(before) = zeros.checked_sub(1) else { return 0 };
    let left = (0..before).fold(!bits, |left, _| left & left.wrapping_sub(1));
    u64::from(left.trailing_zeros()) + 1
}

/// The low bits of the number at a place.
fn low(packed: &[u8], low_bits: u32, place: usize) -> u64 {
    let start = place * low_bits as usize;
    load(packed.get(start / 8..).unwrap_or_default()) >> (start % 8) & mask(low_bits)
}

fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

/// The first eight bytes as a number; bytes that are not there are 0.
fn load(bytes: &[u8]) -> u64 {
    bytes.first_chunk::<8>().copied().map_or_else(|| load_few(bytes), u64::from_le_bytes)
}

#[cold]
fn load_few(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ascending() -> impl Strategy<Value = Vec<u64>> {
        let values = |max| prop::collection::vec(0..=max, 0..500);
        prop_oneof![values(u64::MAX), values(u64::from(u32::MAX)), values(300), values(0)].prop_map(|mut values| {
            values.sort_unstable();
            values
        })
    }

    proptest! {
        #[test]
        fn numbers_read_back_and_take_two_bits_above_what_they_share(values in ascending(), from_first in any::<bool>()) {
            let base = values.first().copied().filter(|_| from_first).unwrap_or(0);
            let bytes = encode(base, values.iter().copied());
            let mut read = vec![7];
            decode(&bytes, base, values.len(), &mut read).unwrap();
            prop_assert_eq!(&read[1..], &values);
            if let (Some(last), 100..) = (values.last(), values.len()) {
                let least = ((last - base) as f64 / values.len() as f64).max(1.0).log2();
                let bits = (bytes.len() as f64 - 3.0) * 8.0 / values.len() as f64;
                // Few numbers with more than 56 bits between them pay a little more.
                prop_assert!(bits <= least + 4.0, "{bits} {least}");
            }
            prop_assert!(decode(&bytes, base, values.len() + 1, &mut Vec::new()).is_err());
        }

        #[test]
        fn a_search_finds_what_is_there(values in ascending(), mut wanted in ascending(), mine in any::<bool>()) {
            let base = values.first().copied().unwrap_or(0);
            let bytes = encode(base, values.iter().copied());
            if !values.is_empty() {
                wanted.extend(values.iter().step_by(if mine { 1 } else { 17 }));
                wanted.sort_unstable();
                let mut search = Search::new(&bytes, base, values.len()).unwrap();
                for value in wanted {
                    let found = values.iter().position(|&known| known == value);
                    prop_assert_eq!(search.place(value), found, "{}", value);
                }
            }
        }

        #[test]
        fn damaged_bytes_never_panic(
            values in ascending(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<bool>(),
        ) {
            let mut damaged = encode(0, values.iter().copied());
            if !damaged.is_empty() {
                let at = at.index(damaged.len());
                damaged[at] = byte;
                if cut { damaged.truncate(at); }
            }
            if let Ok(mut search) = Search::new(&damaged, 0, values.len()) {
                for &value in &values {
                    let _ = search.place(value);
                }
            }
            let mut out = Vec::new();
            let _ = decode(&damaged, 0, values.len(), &mut out);
            prop_assert!(out.len() <= damaged.len() * 8);
        }
    }
}
