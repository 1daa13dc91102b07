//! Counting viewers over lists: each viewer of a block has a place in a table of that block, so nothing is sorted and no
//! set of them is built. Tables are emptied by walking the lists again, since a small channel touches few places.

use crate::dense;
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
}

/// Everyone in any list.
pub(crate) fn reach<'v>(lists: impl IntoIterator<Item = &'v Viewers>) -> u64 {
    let lists: Vec<&Viewers> = lists.into_iter().collect();
    if let [list] = *lists {
        return list.len() as u64;
    }
    let (mut seen, mut total) = (Bits::new(), 0);
    each_block(lists.iter().copied(), |stretches| {
        for (list, stretch) in of(&lists, stretches) {
            total += list.lows(stretch.places.clone()).iter().map(|&low| seen.add(low)).sum::<u64>();
        }
        seen.clear();
    });
    total
}

/// Everyone in any of the first lists, given their number, who is in any of the others too; and how many are in any of the
/// first lists only, and in any of the others only.
pub(crate) fn in_both(lists: &[&Viewers], first: usize) -> (u64, [u64; 2]) {
    let (mut one, mut other, mut both, mut besides) = (Bits::new(), Bits::new(), 0, [0; 2]);
    each_block(lists.iter().copied(), |stretches| {
        for (list, stretch) in of(lists, stretches) {
            let set = if stretch.list < first { &mut one } else { &mut other };
            list.lows(stretch.places.clone()).iter().for_each(|&low| _ = set.add(low));
        }
        let (all, only_one) = one.count_beside(&other);
        let (_, only_other) = other.count_beside(&one);
        both += all - only_one;
        besides[0] += only_one;
        besides[1] += only_other;
        one.clear();
        other.clear();
    });
    (both, besides)
}

/// Everyone once, by the code that the first list gives which holds the viewer: some bits of what it says. How many by
/// code; a code may come more than once.
pub(crate) fn first(lists: &[(&Viewers, &[u32])], shift: u32, mask: u32) -> Vec<(u32, u64)> {
    if mask < 256 {
        let mut counts = [0_u64; 256];
        each_first(lists, |codes, is_first| counts[(codes >> shift & mask) as usize % 256] += is_first);
        return (0..).zip(counts).filter(|&(_, viewers)| viewers > 0).collect();
    }
    // Of very many codes few are in use: nearly all have a place of their own, the others are sorted.
    let (mut places, mut others) = (vec![(0_u32, 0_u64); PLACES], Vec::new());
    each_first(lists, |codes, is_first| {
        let code = codes >> shift & mask;
        let Some(place) = places.get_mut(place_of(code)) else { return };
        if place.1 == 0 {
            place.0 = code;
        }
        if place.0 == code {
            place.1 += is_first;
        } else if is_first == 1 {
            others.push(code);
        }
    });
    others.sort_unstable();
    let others = others.chunk_by(|a, b| a == b).filter_map(|run| Some((*run.first()?, run.len() as u64)));
    places.into_iter().chain(others).filter(|&(_, viewers)| viewers > 0).collect()
}

/// Places for codes.
const PLACES: usize = 1 << 12;

/// Spreads codes over the places.
fn place_of(code: u32) -> usize {
    (code.wrapping_mul(0x9e37_79b1) >> 20) as usize
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

/// Everyone once, by what the codes of all lists combine to, from 0 on: how many by that.
pub(crate) fn combined(lists: &[(&Viewers, &[u8])], combine: impl Fn(u8, u8) -> u8) -> [u64; 256] {
    let mut counts = [0_u64; 256];
    let mut slots = Slots::<u8>::new();
    each_block(lists.iter().map(|&(list, _)| list), |stretches| {
        for ((list, codes), stretch) in of(lists, stretches) {
            let codes = codes.get(stretch.places.clone()).unwrap_or_default();
            for (&low, &code) in list.lows(stretch.places.clone()).iter().zip(codes) {
                let slot = slots.at(low);
                *slot = combine(*slot, code);
            }
        }
        // A viewer's place is emptied when it is counted, so that the viewer's other lists find 0 there.
        for ((list, _), stretch) in of(lists, stretches) {
            let lows = list.lows(stretch.places.clone());
            lows.iter().for_each(|&low| counts[usize::from(std::mem::take(slots.at(low)))] += 1);
        }
    });
    counts[0] = 0;
    counts
}

/// A list of one group of cells: the group, the viewers, and a mask for each, a bit a cell.
pub(crate) type MaskedList<'l> = (usize, &'l Viewers, &'l [u32]);

/// Everyone in any list; and by group and bit, everyone with that bit in any list of the group. Lists of a group follow
/// each other.
pub(crate) fn bits(lists: &[MaskedList<'_>], groups: usize) -> (u64, Vec<[u64; 32]>) {
    let all = lists.iter().flat_map(|(_, _, masks)| masks.iter()).fold(0, |all, mask| all | mask);
    if groups == 1 && all <= dense::MASK_MAX {
        let lists: Vec<_> = lists.iter().map(|&(_, list, masks)| (list, masks)).collect();
        let (total, counts) = dense::bits(&lists);
        return (total, vec![counts]);
    }
    let mut counts = vec![[0_u64; 32]; groups];
    let mut slots = Slots::<u32>::new();
    let group_of = |stretch: &Stretch| lists.get(stretch.list).map(|&(group, ..)| group);
    each_block(lists.iter().map(|&(_, list, _)| list), |stretches| {
        for of_group in stretches.chunk_by(|a, b| group_of(a) == group_of(b)) {
            for ((_, list, masks), stretch) in of(lists, of_group) {
                let masks = masks.get(stretch.places.clone()).unwrap_or_default();
                list.lows(stretch.places.clone()).iter().zip(masks).for_each(|(&low, mask)| *slots.at(low) |= mask);
            }
            for ((group, list, _), stretch) in of(lists, of_group) {
                let lows = list.lows(stretch.places.clone()).iter();
                if let Some(counts) = counts.get_mut(*group) {
                    lows.for_each(|&low| count_bits(std::mem::take(slots.at(low)), counts));
                }
            }
        }
    });
    (reach(lists.iter().map(|&(_, list, _)| list)), counts)
}

/// Counts the bits of a mask, which has seldom more than one.
#[inline]
fn count_bits(mask: u32, counts: &mut [u64; 32]) {
    // A mask without bits adds nothing to the bit that its shift ends at.
    counts[(mask.trailing_zeros() % 32) as usize] += u64::from(mask != 0);
    let mut rest = mask & mask.wrapping_sub(1);
    while rest != 0 {
        counts[(rest.trailing_zeros() % 32) as usize] += 1;
        rest &= rest - 1;
    }
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
    // Per viewer the last day before the window, counted on from block to block so that nothing need be emptied.
    let (mut seen, mut last, mut base) = (Bits::new(), Slots::<u64>::new(), 1_u64);
    each_block(days.iter().copied(), |stretches| {
        for (list, stretch) in of(days, stretches) {
            let lows = list.lows(stretch.places.clone());
            let day = base + stretch.list as u64;
            if stretch.list < first {
                lows.iter().for_each(|&low| *last.at(low) = day);
                continue;
            }
            // The window's days before this one hold no view of somebody who is seen for the first time.
            let remembered = day.saturating_sub(memory as u64).max(base);
            for &low in lows {
                let is_first = seen.add(low);
                let returns = u64::from(*last.at(low) >= remembered);
                returning += is_first & returns;
                new += is_first & !returns;
            }
        }
        base += days.len() as u64;
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
