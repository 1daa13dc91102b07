//! Answers for names that came a moment ago: a table of fixed size that forgets, so that any input leaves it small and quick.
//!
//! Two names share a place, and a third takes it from the one that came first. Names made to share a place only bring back the look-up that
//! the table saves, so its hash needs no key.

/// Longer names are not remembered: with these, a place is half a cache line.
const NAME_BYTES_MAX: usize = 23;

/// Remembers a number that was said of a name, and would be said again.
pub(crate) struct Memo {
    /// As many as a power of two, the newer name of each first.
    places: Vec<[Place; 2]>,
}

#[derive(Clone, Copy)]
struct Place {
    name: [u8; NAME_BYTES_MAX],
    /// 0: nobody is here.
    length: u8,
    answer: u32,
}

impl Memo {
    /// With room for about so many names.
    pub(crate) fn new(names: usize) -> Self {
        let empty = Place { name: [0; NAME_BYTES_MAX], length: 0, answer: 0 };
        Self { places: vec![[empty; 2]; names.div_ceil(2).next_power_of_two()] }
    }

    /// What `ask` says of the name, now or a moment ago. A name that it does not know is asked for again.
    pub(crate) fn get(&mut self, name: &str, ask: impl FnOnce(&str) -> Option<u32>) -> Option<u32> {
        let mut padded = [0; NAME_BYTES_MAX];
        let Some(bytes) = padded.get_mut(..name.len()).filter(|bytes| !bytes.is_empty()) else { return ask(name) };
        bytes.copy_from_slice(name.as_bytes());
        // It fits: `padded` is shorter than 256.
        let length = name.len() as u8;
        let at = hash(&padded) & (self.places.len() - 1);
        let [first, second] = self.places.get_mut(at)?;
        let is_here = |place: &Place| place.length == length && place.name == padded;
        if is_here(first) {
            return Some(first.answer);
        }
        if is_here(second) {
            return Some(second.answer);
        }
        let answer = ask(name)?;
        *second = std::mem::replace(first, Place { name: padded, length, answer });
        Some(answer)
    }
}

fn hash(name: &[u8; NAME_BYTES_MAX]) -> usize {
    let (words, rest) = name.as_chunks::<8>();
    let last = rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
    let words = words.iter().map(|word| u64::from_le_bytes(*word)).chain([last]);
    let mixed = words.fold(0_u64, |hash, word| {
        let hash = (hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        hash ^ hash >> 32
    });
    mixed as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_share_a_place_keep_their_own_answers() {
        let names: Vec<String> = (0..200).map(|n| "x".repeat(n % 30) + &n.to_string()).collect();
        let mut memo = Memo::new(8);
        for (answer, name) in (0..).zip(&names).cycle().take(1_000) {
            assert_eq!(memo.get(name, |_| Some(answer)), Some(answer));
        }
        assert_eq!(memo.get("", |_| Some(7)), Some(7));
    }

    #[test]
    fn names_that_differ_in_zeros_alone_are_different() {
        let mut memo = Memo::new(1);
        assert_eq!(memo.get("a", |_| Some(1)), Some(1));
        assert_eq!(memo.get("a\0", |_| Some(2)), Some(2));
    }

    #[test]
    fn what_is_remembered_is_not_asked_again_and_what_is_unknown_is() {
        let mut memo = Memo::new(1);
        assert_eq!(memo.get("a", |_| None), None);
        assert_eq!(memo.get("a", |_| Some(1)), Some(1));
        assert_eq!(memo.get("a", |_| None), Some(1));
    }
}
