//! Tables of the viewers of a block, by the lower halves of their ordinals. They are not emptied between blocks: what was noted
//! of another block bears another stamp.

use std::hint::select_unpredictable;
use std::sync::{Mutex, PoisonError};

/// Ordinals in a block.
const BLOCK: usize = 1 << 16;

/// One value per viewer of a block.
pub(crate) struct Slots<T>(Box<[T; BLOCK]>);

impl<T: Copy + Default> Slots<T> {
    fn new() -> Self {
        // On the heap from the start: a quarter of a megabyte is much for a stack.
        let slots: Result<Box<[T; BLOCK]>, _> = vec![T::default(); BLOCK].into_boxed_slice().try_into();
        Self(slots.unwrap_or_else(|_| Box::new([T::default(); BLOCK])))
    }

    fn clear(&mut self) {
        self.0.fill(T::default());
    }

    #[inline]
    pub(crate) fn at(&mut self, low: u16) -> &mut T {
        &mut self.0[usize::from(low)]
    }
}

/// Tables of a count. They are kept for the next one: to get their pages from the system, all zero, would cost more than
/// counting a small channel.
pub(crate) struct Tables {
    pub(crate) seen: [Seen; 3],
    pub(crate) known: Known,
    pub(crate) last: LastDays,
    /// All 0 between counts.
    pub(crate) codes: Slots<u8>,
}

/// Runs a count with tables that no other uses meanwhile.
pub(crate) fn with_tables<R>(count: impl FnOnce(&mut Tables) -> R) -> R {
    static IDLE: Mutex<Vec<Tables>> = Mutex::new(Vec::new());
    let idle = || IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = idle().pop();
    let mut tables = kept.unwrap_or_else(|| {
        let seen = [Seen::new(), Seen::new(), Seen::new()];
        Tables { seen, known: Known::new(), last: LastDays::new(), codes: Slots::new() }
    });
    let counted = count(&mut tables);
    idle().push(tables);
    counted
}

/// Who was seen. A byte a viewer, not a bit: neighbours in a list would wait for one another's words.
pub(crate) struct Seen {
    stamps: Slots<u8>,
    stamp: u8,
}

impl Seen {
    fn new() -> Self {
        Self { stamps: Slots::new(), stamp: 0 }
    }

    /// Begins another block.
    pub(crate) fn forget(&mut self) {
        if self.stamp == u8::MAX {
            self.stamps.clear();
            self.stamp = 0;
        }
        self.stamp += 1;
    }

    /// 1 if the viewer was not seen yet.
    #[inline]
    pub(crate) fn add(&mut self, low: u16) -> u64 {
        let stamp = self.stamps.at(low);
        // Whether somebody comes again cannot be guessed, so there should be no branch.
        let is_new = select_unpredictable(*stamp != self.stamp, 1, 0);
        *stamp = self.stamp;
        is_new
    }

    /// How many were not seen yet.
    pub(crate) fn add_all(&mut self, lows: &[u16]) -> u64 {
        lows.iter().map(|&low| self.add(low)).sum()
    }
}

/// A set of the viewers of a block, a bit each: what two sets share is counted word by word.
pub(crate) struct Bits(Box<[u64; BLOCK / 64]>);

impl Bits {
    pub(crate) fn new() -> Self {
        Self(Box::new([0; BLOCK / 64]))
    }

    #[inline]
    pub(crate) fn add(&mut self, low: u16) {
        self.0[usize::from(low / 64)] |= 1 << (low % 64);
    }

    pub(crate) fn clear(&mut self) {
        self.0.fill(0);
    }

    /// Viewers in this set and another; and those in this one only, and in the other only.
    pub(crate) fn beside(&self, other: &Self) -> (u64, [u64; 2]) {
        let ones = |word: u64| u64::from(word.count_ones());
        self.0.iter().zip(other.0.iter()).fold((0, [0; 2]), |(both, [only, only_other]), (&word, &other)| {
            (both + ones(word & other), [only + ones(word & !other), only_other + ones(other & !word)])
        })
    }
}

/// The bits that each viewer has, up to [`BITS`](Self::BITS).
pub(crate) struct Known {
    /// With the stamp above the bits.
    masks: Slots<u32>,
    stamp: u32,
}

impl Known {
    const BITS: u32 = 24;
    const STAMPS: u32 = u32::MAX << Self::BITS;

    fn new() -> Self {
        Self { masks: Slots::new(), stamp: 0 }
    }

    /// Begins another block.
    pub(crate) fn forget(&mut self) {
        if self.stamp == Self::STAMPS {
            self.masks.clear();
            self.stamp = 0;
        }
        self.stamp += 1 << Self::BITS;
    }

    /// Adds a mask to viewers; by bit, how many did not have it yet are added to `counts`. How many nothing was noted of.
    pub(crate) fn add_all(&mut self, mask: u32, lows: &[u16], counts: &mut BitCounts) -> u64 {
        let (mask, mut firsts, mut new) = (mask & !Self::STAMPS, 0, 0);
        if mask.count_ones() > 1 {
            for &low in lows {
                let (had, is_first) = self.add(low, mask);
                firsts += is_first;
                count_bits(mask & !had, counts);
            }
            return firsts;
        }
        for &low in lows {
            let (had, is_first) = self.add(low, mask);
            firsts += is_first;
            new += u64::from(had & mask == 0);
        }
        // Those without a bit add nothing to the bit that its shift ends at.
        counts[(mask.trailing_zeros() % 32) as usize] += if mask == 0 { 0 } else { new };
        firsts
    }

    /// What the viewer had, and 1 if nothing was noted of it.
    #[inline]
    fn add(&mut self, low: u16, mask: u32) -> (u32, u64) {
        let known = self.masks.at(low);
        let is_first = *known & Self::STAMPS != self.stamp;
        let had = select_unpredictable(is_first, self.stamp, *known);
        *known = had | mask;
        (had, is_first.into())
    }
}

/// A day per viewer, numbered on from block to block and from count to count, so that nothing need be emptied.
pub(crate) struct LastDays {
    pub(crate) days: Slots<u32>,
    next: u32,
}

impl LastDays {
    fn new() -> Self {
        Self { days: Slots::new(), next: 1 }
    }

    /// Begins another block, of so many days: the number of the first.
    pub(crate) fn forget(&mut self, days: usize) -> u32 {
        let days = u32::try_from(days).unwrap_or(u32::MAX);
        if self.next.checked_add(days).is_none() {
            self.days.clear();
            self.next = 1;
        }
        self.next += days;
        self.next - days
    }
}

/// How many have each bit.
pub(crate) type BitCounts = [u64; 32];

/// Counts the bits of a mask.
fn count_bits(mut mask: u32, counts: &mut BitCounts) {
    while mask != 0 {
        counts[(mask.trailing_zeros() % 32) as usize] += 1;
        mask &= mask - 1;
    }
}
