//! Ascending 64-bit numbers in Elias–Fano's code: half a bit above the least that any code can take where they are random.
//!
//! ```text
//! low bits u8 | low bits of each number minus the base, packed | the other bits in unary
//! ```
//!
//! Both from the lowest bit of the first byte on. In unary, the number at place `i` sets the bit `i` + its other bits. How
//! many numbers there are and the base are known from outside (Elias 1974; Fano 1971).

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
    out.reserve(count);
    let (mut place, mut value) = (0, 0);
    for (at, chunk) in highs.chunks(8).enumerate() {
        let mut bits = load(chunk);
        while bits != 0 {
            let high = (at * 64 + bits.trailing_zeros() as usize).wrapping_sub(place) as u64;
            bits &= bits - 1;
            let start = place * low_bits as usize;
            let low = load(packed.get(start / 8..).unwrap_or_default()) >> (start % 8) & mask(low_bits);
            value = high << low_bits | low;
            out.push(base.wrapping_add(value));
            place += 1;
        }
    }
    // The bytes bound how many there were to find.
    if place == count && base.checked_add(value).is_some() { Ok(()) } else { Err(BAD) }
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
            let mut out = Vec::new();
            let _ = decode(&damaged, 0, values.len(), &mut out);
            prop_assert!(out.len() <= damaged.len() * 8);
        }
    }
}
