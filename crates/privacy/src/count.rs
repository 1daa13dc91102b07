//! Counting viewers over lists: each viewer of a block has a place in a table of that block, so nothing is sorted and no
//! set of them is built.

use crate::masks::Masks;
use crate::tables::{BitCounts, Bits, Seen, Tables, with_tables};
use crate::viewers::{Stretch, Viewers, each_block};

/// Everyone in any list.
pub(crate) fn reach<'v>(lists: impl IntoIterator<Item = &'v Viewers>) -> u64 {
    let lists: Vec<&Viewers> = lists.into_iter().collect();
    if let [list] = *lists {
        return list.len() as u64;
    }
    with_tables(|Tables { seen: [seen, ..], .. }| {
        let mut total = 0;
        each_block(lists.iter().copied(), |stretches| {
            seen.forget();
            total += of(&lists, stretches)
                .map(|(list, stretch)| seen.add_all(list.lows(stretch.places.clone())))
                .sum::<u64>();
        });
        total
    })
}

/// Everyone in any of the first lists, given their number, who is in any of the others too; and how many are in any of the
/// first lists only, and in any of the others only.
pub(crate) fn in_both(lists: &[&Viewers], first: usize) -> (u64, [u64; 2]) {
    let (mut one, mut other) = (Bits::new(), Bits::new());
    let (mut both, mut besides) = (0, [0; 2]);
    each_block(lists.iter().copied(), |stretches| {
        for (list, stretch) in of(lists, stretches) {
            let set = if stretch.list < first { &mut one } else { &mut other };
            list.lows(stretch.places.clone()).iter().for_each(|&low| set.add(low));
        }
        let (in_both, only) = one.beside(&other);
        both += in_both;
        besides.iter_mut().zip(only).for_each(|(all, viewers)| *all += viewers);
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
    with_tables(|Tables { seen: [seen, ..], .. }| {
        each_block(lists.iter().map(|&(list, _)| list), |stretches| {
            seen.forget();
            for ((list, codes), stretch) in of(lists, stretches) {
                let codes = codes.get(stretch.places.clone()).unwrap_or_default();
                for (&low, &code) in list.lows(stretch.places.clone()).iter().zip(codes) {
                    each(code, seen.add(low));
                }
            }
        });
    });
}

/// Everyone once, by what the codes of all lists combine to, from 0 on: how many by that.
pub(crate) fn combined(lists: &[(&Viewers, &[u8])], combine: impl Fn(u8, u8) -> u8) -> [u64; 256] {
    let mut counts = [0_u64; 256];
    with_tables(|Tables { codes: slots, .. }| {
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
    })
}

/// A list of one group of cells: the group, the viewers, and in which of its cells they stand.
pub(crate) type MaskedList<'l> = (usize, &'l Viewers, &'l Masks);

/// Everyone in any list; and by group and bit, everyone with that bit in any list of the group. Lists of a group follow
/// each other.
pub(crate) fn bits(lists: &[MaskedList<'_>], groups: usize) -> (u64, Vec<BitCounts>) {
    with_tables(|Tables { seen: [seen, ..], known, .. }| {
        let (mut total, mut counts) = (0, vec![[0; 32]; groups]);
        let group_of = |stretch: &Stretch| lists.get(stretch.list).map(|&(group, ..)| group);
        each_block(lists.iter().map(|&(_, list, _)| list), |stretches| {
            seen.forget();
            for of_group in stretches.chunk_by(|a, b| group_of(a) == group_of(b)) {
                known.forget();
                for ((group, list, masks), stretch) in of(lists, of_group) {
                    let Some(counts) = counts.get_mut(*group) else { continue };
                    let firsts: u64 = masks.of(stretch).map(|(mask, lows)| known.add_all(mask, lows, counts)).sum();
                    total += if groups == 1 { firsts } else { seen.add_all(list.lows(stretch.places.clone())) };
                }
            }
        });
        (total, counts)
    })
}

/// How many have a bit among `chosen`, a mask per group, and how many of them have no other bit. `all` is how many have any bit,
/// where that is known.
pub(crate) fn bits_among(lists: &[MaskedList<'_>], chosen: &[u32], all: Option<u64>) -> (u64, u64) {
    let is_known = all.is_some();
    with_tables(|Tables { seen: [within, outside, either], .. }| {
        let (mut any, mut elsewhere, mut all) = (0, 0, all.unwrap_or(0));
        each_block(lists.iter().map(|&(_, list, _)| list), |stretches| {
            [&mut *within, outside, either].into_iter().for_each(Seen::forget);
            for ((group, _, masks), stretch) in of(lists, stretches) {
                let chosen = chosen.get(*group).copied().unwrap_or(0);
                for (mask, lows) in masks.of(stretch) {
                    let note = |seen: &mut Seen, mask| if mask == 0 { 0 } else { seen.add_all(lows) };
                    any += note(within, mask & chosen);
                    elsewhere += note(outside, mask & !chosen);
                    all += if is_known { 0 } else { note(either, mask) };
                }
            }
        });
        (any, all - elsewhere)
    })
}

/// Everyone of the last `window` lists, a list a day, oldest first: how many stand in no list of the `memory` days before
/// their first one in the window, and how many do.
pub(crate) fn novelty(days: &[&Viewers], window: usize, memory: usize) -> (u64, u64) {
    let first = days.len().saturating_sub(window);
    with_tables(|Tables { seen: [seen, ..], last, .. }| {
        let (mut new, mut returning) = (0, 0);
        each_block(days.iter().copied(), |stretches| {
            seen.forget();
            let base = last.forget(days.len());
            for (list, stretch) in of(days, stretches) {
                let lows = list.lows(stretch.places.clone());
                let day = base + stretch.list as u32;
                if stretch.list < first {
                    lows.iter().for_each(|&low| *last.days.at(low) = day);
                    continue;
                }
                // The window's days before this one hold no view of somebody who is seen for the first time.
                let remembered = day.saturating_sub(u32::try_from(memory).unwrap_or(u32::MAX)).max(base);
                let (mut firsts, mut known) = (0, 0);
                for &low in lows {
                    let is_first = seen.add(low);
                    firsts += is_first;
                    known += is_first & u64::from(*last.days.at(low) >= remembered);
                }
                returning += known;
                new += firsts - known;
            }
        });
        (new, returning)
    })
}

/// The lists that have stretches, each with its own.
fn of<'l, T>(lists: &'l [T], stretches: &'l [Stretch]) -> impl DoubleEndedIterator<Item = (&'l T, &'l Stretch)> {
    stretches.iter().filter_map(|stretch| Some((lists.get(stretch.list)?, stretch)))
}
