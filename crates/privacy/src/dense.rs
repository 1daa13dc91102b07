//! Counting bits of viewers where most of a block's places are taken: the lists are read once, into a table of a mask a
//! viewer, and the table's columns of bits are added up, eight viewers by eight.

use crate::count::of;
use crate::viewers::{Viewers, each_block};

/// Ordinals in a block.
const BLOCK: usize = 1 << 16;

/// Masks up to this one can be counted here.
pub(crate) const MASK_MAX: u32 = LISTED as u32 - 1;

/// Of everyone who is on a list.
const LISTED: u16 = 1 << 15;

/// From so many entries of a block on, adding up all its places costs less than going through its lists again.
const DENSE_MIN: usize = BLOCK / 16;

/// Viewers added up at once.
const LANES: usize = 8;

type Lanes = [u16; LANES];

/// Everyone in any list; and by bit, everyone with that bit in any list. Masks are at most [`MASK_MAX`].
pub(crate) fn bits(lists: &[(&Viewers, &[u32])]) -> (u64, [u64; 32]) {
    let mut table = vec![[0; LANES]; BLOCK / LANES];
    let mut counts = [0; 32];
    each_block(lists.iter().map(|&(list, _)| list), |stretches| {
        for ((list, masks), stretch) in of(lists, stretches) {
            let masks = masks.get(stretch.places.clone()).unwrap_or_default();
            for (&low, &mask) in list.lows(stretch.places.clone()).iter().zip(masks) {
                *at(&mut table, low) |= mask as u16 | LISTED;
            }
        }
        if stretches.iter().map(|stretch| stretch.places.len()).sum::<usize>() >= DENSE_MIN {
            add_up(&table, &mut counts);
            table.fill([0; LANES]);
            return;
        }
        for ((list, _), stretch) in of(lists, stretches) {
            for &low in list.lows(stretch.places.clone()) {
                // A viewer's place is emptied when it is counted, so that the viewer's other lists find 0 there.
                let mut mask = std::mem::take(at(&mut table, low));
                while mask != 0 {
                    counts[mask.trailing_zeros() as usize % 32] += 1;
                    mask &= mask - 1;
                }
            }
        }
    });
    let total = std::mem::take(&mut counts[LISTED.trailing_zeros() as usize]);
    (total, counts)
}

#[inline]
fn at(table: &mut [Lanes], low: u16) -> &mut u16 {
    let low = usize::from(low);
    &mut table[low / LANES][low % LANES]
}

/// Adds the number of each bit to its count. Masks are added bit by bit with carry-save adders (Harley and Seal), so that
/// of eight masks a lane one, that of the eights, is taken apart.
fn add_up(table: &[Lanes], counts: &mut [u64; 32]) {
    let (mut ones, mut twos, mut fours) = ([0; LANES], [0; LANES], [0; LANES]);
    // A lane's number of eights is at most a 64th of a block.
    let mut eights_of = [[0_u16; LANES]; 16];
    let (eight_by_eight, _) = table.as_chunks::<8>();
    for [a, b, c, d, e, f, g, h] in eight_by_eight {
        let (twos_a, twos_b, twos_c, twos_d, fours_a, fours_b, eights);
        (ones, twos_a) = add(&ones, a, b);
        (ones, twos_b) = add(&ones, c, d);
        (twos, fours_a) = add(&twos, &twos_a, &twos_b);
        (ones, twos_c) = add(&ones, e, f);
        (ones, twos_d) = add(&ones, g, h);
        (twos, fours_b) = add(&twos, &twos_c, &twos_d);
        (fours, eights) = add(&fours, &fours_a, &fours_b);
        for (bit, sums) in eights_of.iter_mut().enumerate() {
            sums.iter_mut().zip(&eights).for_each(|(sum, eights)| *sum += eights >> bit & 1);
        }
    }
    for (bit, (count, sums)) in counts.iter_mut().zip(&eights_of).enumerate() {
        let ones_of = |lanes: &Lanes| lanes.iter().map(|lane| u64::from(lane >> bit & 1)).sum::<u64>();
        let eights = sums.iter().copied().map(u64::from).sum::<u64>();
        *count += 8 * eights + 4 * ones_of(&fours) + 2 * ones_of(&twos) + ones_of(&ones);
    }
}

/// Three bits of a place added: their sum's ones and twos.
#[inline]
fn add(a: &Lanes, b: &Lanes, c: &Lanes) -> (Lanes, Lanes) {
    let (mut ones, mut twos) = ([0; LANES], [0; LANES]);
    for lane in 0..LANES {
        let either = a[lane] ^ b[lane];
        ones[lane] = either ^ c[lane];
        twos[lane] = a[lane] & b[lane] | either & c[lane];
    }
    (ones, twos)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn dense_and_thin_blocks_are_counted_alike(
            days in prop::collection::vec((any::<u32>(), 1..9_u32, 0..=MASK_MAX), 1..5),
            blocks in prop::collection::vec(prop_oneof![Just(BLOCK as u32), 0..9_000_u32], 1..3),
        ) {
            let mut naive: BTreeMap<u32, u32> = BTreeMap::new();
            let lists: Vec<(Viewers, Vec<u32>)> = days.iter().map(|&(seed, step, all)| {
                let ordinals = (0_u32..).zip(&blocks).flat_map(|(block, &to)| (0..to).step_by(step as usize).map(move |low| block << 16 | low));
                let ordinals: Vec<u32> = ordinals.collect();
                let masks: Vec<u32> = ordinals.iter().map(|low| low.wrapping_mul(seed | 1).rotate_left(seed % 32) & all).collect();
                ordinals.iter().zip(&masks).for_each(|(&viewer, mask)| *naive.entry(viewer).or_default() |= mask);
                (Viewers::from_ascending(ordinals).expect("ascending"), masks)
            }).collect();
            let lists: Vec<(&Viewers, &[u32])> = lists.iter().map(|(list, masks)| (list, masks.as_slice())).collect();
            let mut expected = [0; 32];
            naive.values().for_each(|mask| (0..32).for_each(|bit| expected[bit] += u64::from(mask >> bit & 1)));
            prop_assert_eq!(bits(&lists), (naive.len() as u64, expected));
        }
    }
}
