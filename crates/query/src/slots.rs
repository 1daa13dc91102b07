//! Numbers the viewers of a window densely, so that what is known of each lies in plain vectors.

use roaring::RoaringBitmap;

/// A viewer's rank among the viewers of a set.
pub(crate) enum Slots {
    /// Few viewers: their ordinals, ascending.
    Few(Vec<u32>),
    /// Many: a bit per ordinal from `base` on, and per word the number of bits before it. For five million viewers this
    /// is one megabyte, so lookups stay within the processor's cache.
    Many {
        /// First ordinal of the first word.
        base: u32,
        /// Bits, and the number of bits in the words before.
        words: Vec<(u64, u32)>,
    },
}

/// Up to so many viewers a binary search is as fast as zeroing and filling words.
const FEW_MAX: u64 = 2_048;

impl Slots {
    /// Numbers the viewers of a set from 0 on, ascending.
    pub(crate) fn new(viewers: &RoaringBitmap) -> Self {
        let (Some(first), Some(last)) = (viewers.min(), viewers.max()) else { return Self::Few(Vec::new()) };
        if viewers.len() <= FEW_MAX {
            return Self::Few(viewers.iter().collect());
        }
        let base = first & !63;
        let mut words = vec![(0_u64, 0_u32); ((last - base) / 64) as usize + 1];
        for viewer in viewers {
            if let Some((bits, _)) = words.get_mut(((viewer - base) / 64) as usize) {
                *bits |= 1 << (viewer % 64);
            }
        }
        let mut count = 0;
        for (bits, before) in &mut words {
            *before = count;
            count += bits.count_ones();
        }
        Self::Many { base, words }
    }

    /// The viewer's number; `None` for a viewer outside the set.
    #[inline]
    pub(crate) fn of(&self, viewer: u32) -> Option<usize> {
        match self {
            Self::Few(viewers) => viewers.binary_search(&viewer).ok(),
            Self::Many { base, words } => {
                let &(bits, before) = words.get((viewer.checked_sub(*base)? / 64) as usize)?;
                let bit = 1_u64 << (viewer % 64);
                (bits & bit != 0).then(|| (before + (bits & (bit - 1)).count_ones()) as usize)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(viewers: &RoaringBitmap) {
        let slots = Slots::new(viewers);
        for (number, viewer) in viewers.iter().enumerate() {
            assert_eq!(slots.of(viewer), Some(number));
        }
        let last = viewers.max().unwrap_or(0);
        for viewer in (0..200).chain(last.saturating_sub(100)..last.saturating_add(200)) {
            assert_eq!(slots.of(viewer).is_some(), viewers.contains(viewer), "{viewer}");
        }
    }

    #[test]
    fn each_viewer_has_its_rank() {
        check(&RoaringBitmap::new());
        check(&(0..1).collect());
        check(&[5, 63, 64, 1_000_000, u32::MAX].into_iter().collect());
        check(&(70..9_000).collect());
        check(&(0..3_000).map(|n| n * 37 + 100).collect());
        check(&(0..2_500).map(|n| u32::MAX - n * n).collect());
    }
}
