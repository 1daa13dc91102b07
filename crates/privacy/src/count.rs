//! Counting viewers over lists: each viewer of a block has a place in a table of that block, so nothing is sorted and no
//! set of them is built. The tables are emptied by walking the lists again, since a small channel touches few places.

use crate::viewers::{Stretch, Viewers, each_block};

/// Ordinals in a block.
const BLOCK: usize = 1 << 16;

/// One bit per viewer of a block.
pub(crate) struct Bits(Box<[u64; BLOCK / 64]>);

impl Bits {
    pub(crate) fn new() -> Self {
        Self(Box::new([0; BLOCK / 64]))
    }

    /// Sets a viewer's bit; 1 if it was not set yet.
    #[inline]
    pub(crate) fn add(&mut self, low: u16) -> u64 {
        let (word, bit) = (&mut self.0[usize::from(low / 64)], low % 64);
        let new = !*word >> bit & 1;
        *word |= 1 << bit;
        new
    }

    pub(crate) fn clear(&mut self) {
        self.0.fill(0);
    }

    /// Viewers in this set, and those of them that are not in another.
    pub(crate) fn count_beside(&self, other: &Self) -> (u64, u64) {
        let words = self.0.iter().zip(other.0.iter());
        let ones = |word: u64| u64::from(word.count_ones());
        words.fold((0, 0), |(all, only), (&word, &other)| (all + ones(word), only + ones(word & !other)))
    }
}

/// One value per viewer of a block.
pub(crate) struct Slots<T>(Box<[T; BLOCK]>);

impl<T: Copy + Default> Slots<T> {
    pub(crate) fn new() -> Self {
        // On the heap from the start: a quarter of a megabyte is much for a stack.
        let slots: Result<Box<[T; BLOCK]>, _> = vec![T::default(); BLOCK].into_boxed_slice().try_into();
        Self(slots.unwrap_or_else(|_| Box::new([T::default(); BLOCK])))
    }

    #[inline]
    pub(crate) fn at(&mut self, low: u16) -> &mut T {
        &mut self.0[usize::from(low)]
    }

    /// Empties the places that were used.
    pub(crate) fn clear(&mut self, lows: &[u16]) {
        lows.iter().for_each(|&low| *self.at(low) = T::default());
    }
}

/// Everyone in any list.
pub(crate) fn reach(lists: &[&Viewers]) -> u64 {
    let (mut seen, mut total) = (Bits::new(), 0);
    each_block(lists.iter().copied(), |stretches| {
        for (list, stretch) in of(lists, stretches) {
            total += list.lows(stretch.places.clone()).iter().map(|&low| seen.add(low)).sum::<u64>();
        }
        seen.clear();
    });
    total
}

/// Everyone once, by the code that the first list gives which holds the viewer: some bits of what it says. How many by
/// code.
pub(crate) fn first(lists: &[(&Viewers, &[u32])], shift: u32, mask: u32) -> Vec<(u32, u64)> {
    if mask < 256 {
        let mut counts = [0_u64; 256];
        each_first(lists, |codes, is_first| counts[(codes >> shift & mask) as usize % 256] += is_first);
        return (0..).zip(counts).filter(|&(_, viewers)| viewers > 0).collect();
    }
    let mut codes = Vec::new();
    each_first(lists, |code, is_first| {
        if is_first == 1 {
            codes.push(code >> shift & mask);
        }
    });
    codes.sort_unstable();
    codes.chunk_by(|a, b| a == b).filter_map(|run| Some((*run.first()?, run.len() as u64))).collect()
}

/// Every code, with 1 where no list before has the viewer, else 0.
#[inline]
fn each_first(lists: &[(&Viewers, &[u32])], mut each: impl FnMut(u32, u64)) {
    let mut seen = Bits::new();
    each_block(lists.iter().map(|&(list, _)| list), |stretches| {
        for ((list, codes), stretch) in of(lists, stretches) {
            let codes = codes.get(stretch.places.clone()).unwrap_or_default();
            for (&low, &code) in list.lows(stretch.places.clone()).iter().zip(codes) {
                each(code, seen.add(low));
            }
        }
        seen.clear();
    });
}

/// Everyone once, by what the codes of all lists combine to, 0 being none: how many by that.
pub(crate) fn combined(lists: &[(&Viewers, &[u8])], combine: impl Fn(u8, u8) -> u8) -> [u64; 256] {
    let mut counts = [0_u64; 256];
    let (mut seen, mut slots) = (Bits::new(), Slots::<u8>::new());
    each_block(lists.iter().map(|&(list, _)| list), |stretches| {
        for ((list, codes), stretch) in of(lists, stretches) {
            let codes = codes.get(stretch.places.clone()).unwrap_or_default();
            for (&low, &code) in list.lows(stretch.places.clone()).iter().zip(codes) {
                let slot = slots.at(low);
                let (old, new) = (*slot, combine(*slot, code));
                *slot = new;
                // Nobody was counted under the 0 of a viewer who is seen for the first time.
                let count = &mut counts[usize::from(old)];
                *count = (*count + seen.add(low)).wrapping_sub(1);
                let count = &mut counts[usize::from(new)];
                *count = count.wrapping_add(1);
            }
        }
        of(lists, stretches).for_each(|((list, _), stretch)| slots.clear(list.lows(stretch.places.clone())));
        seen.clear();
    });
    counts
}

/// Lists of one group of cells, a bit each.
pub(crate) type MaskedList<'l> = (usize, &'l Viewers, &'l [u32]);

/// Everyone in any list, and by group and bit those with that bit in any list of the group. Lists of a group follow each
/// other.
pub(crate) fn bits(lists: &[MaskedList<'_>], groups: usize) -> (u64, Vec<[u64; 32]>) {
    let (mut total, mut counts) = (0, vec![[0; 32]; groups]);
    let (mut seen, mut slots) = (Bits::new(), Slots::<u32>::new());
    let group_of = |stretch: &Stretch| lists.get(stretch.list).map(|&(group, ..)| group);
    each_block(lists.iter().map(|&(_, list, _)| list), |stretches| {
        for of_group in stretches.chunk_by(|a, b| group_of(a) == group_of(b)) {
            for ((group, list, masks), stretch) in of(lists, of_group) {
                let Some(counts) = counts.get_mut(*group) else { continue };
                let masks = masks.get(stretch.places.clone()).unwrap_or_default();
                for (&low, &mask) in list.lows(stretch.places.clone()).iter().zip(masks) {
                    total += seen.add(low);
                    let slot = slots.at(low);
                    let mut new = mask & !*slot;
                    *slot |= mask;
                    while new != 0 {
                        counts[new.trailing_zeros() as usize % 32] += 1;
                        new &= new - 1;
                    }
                }
            }
            of(lists, of_group).for_each(|((_, list, _), stretch)| slots.clear(list.lows(stretch.places.clone())));
        }
        seen.clear();
    });
    (total, counts)
}

/// How many have a bit among `chosen`, a mask per group, and how many of them have no other bit.
pub(crate) fn bits_among(lists: &[MaskedList<'_>], chosen: &[u32]) -> (u64, u64) {
    let (mut any, mut only) = (0, 0);
    let (mut within, mut outside) = (Bits::new(), Bits::new());
    each_block(lists.iter().map(|&(_, list, _)| list), |stretches| {
        for ((group, list, masks), stretch) in of(lists, stretches) {
            let chosen = chosen.get(*group).copied().unwrap_or(0);
            let masks = masks.get(stretch.places.clone()).unwrap_or_default();
            for (&low, &mask) in list.lows(stretch.places.clone()).iter().zip(masks) {
                if mask & chosen != 0 {
                    within.add(low);
                }
                if mask & !chosen != 0 {
                    outside.add(low);
                }
            }
        }
        let (in_block, only_in_block) = within.count_beside(&outside);
        any += in_block;
        only += only_in_block;
        within.clear();
        outside.clear();
    });
    (any, only)
}

/// Everyone of the last `window` lists, a list a day, oldest first: how many stand in no list of the `memory` days before
/// their first one in the window, and how many do.
pub(crate) fn novelty(days: &[&Viewers], window: usize, memory: usize) -> (u64, u64) {
    let (mut new, mut returning) = (0, 0);
    let first = days.len().saturating_sub(window);
    // Per viewer 1 + the last day before the window, and who was seen in it.
    let (mut seen, mut last) = (Bits::new(), Slots::<u32>::new());
    each_block(days.iter().copied(), |stretches| {
        for (list, stretch) in of(days, stretches) {
            let day = stretch.list;
            let lows = list.lows(stretch.places.clone());
            if day < first {
                lows.iter().for_each(|&low| *last.at(low) = day as u32 + 1);
                continue;
            }
            // The window's days before this one hold no view of somebody who is seen for the first time.
            let remembered = day.saturating_sub(memory) as u32 + 1;
            for &low in lows {
                let is_first = seen.add(low);
                let returns = u64::from(*last.at(low) >= remembered);
                returning += is_first & returns;
                new += is_first & !returns;
            }
        }
        of(days, stretches).for_each(|(list, stretch)| last.clear(list.lows(stretch.places.clone())));
        seen.clear();
    });
    (new, returning)
}

/// The lists that have stretches, each with its own.
pub(crate) fn of<'l, T>(
    lists: &'l [T],
    stretches: &'l [Stretch],
) -> impl DoubleEndedIterator<Item = (&'l T, &'l Stretch)> {
    stretches.iter().filter_map(|stretch| Some((lists.get(stretch.list)?, stretch)))
}
