//! A list of viewers as an engine hands it over: a day's, say. It is counted behind the wall only.

use std::ops::Range;

/// Distinct viewers in the order of their ordinals, cut into blocks of 65,536 ordinals, so that lists of any store are
/// counted in tables that stay in the processor's cache. Two bytes a viewer.
#[derive(Default)]
pub struct Viewers {
    blocks: Vec<Block>,
    lows: Vec<u16>,
}

/// The viewers whose ordinals share the upper half.
struct Block {
    high: u16,
    /// One past the last of them in `lows`; the first follows the block before.
    end: usize,
}

impl Viewers {
    /// Takes ordinals that ascend; `None` if they do not.
    pub fn from_ascending(ordinals: impl IntoIterator<Item = u32>) -> Option<Self> {
        let mut list = Self { blocks: Vec::new(), lows: Vec::new() };
        let mut last = None;
        for ordinal in ordinals {
            if last.is_some_and(|last| ordinal <= last) {
                return None;
            }
            last = Some(ordinal);
            let high = (ordinal >> 16) as u16;
            list.lows.push(ordinal as u16);
            let end = list.lows.len();
            match list.blocks.last_mut() {
                Some(block) if block.high == high => block.end = end,
                _ => list.blocks.push(Block { high, end }),
            }
        }
        list.blocks.shrink_to_fit();
        list.lows.shrink_to_fit();
        Some(list)
    }

    /// Number of viewers.
    pub fn len(&self) -> usize {
        self.lows.len()
    }

    /// Whether nobody is listed.
    pub fn is_empty(&self) -> bool {
        self.lows.is_empty()
    }

    /// A viewer's place in the list.
    pub fn place_of(&self, ordinal: u32) -> Option<usize> {
        let block = self.blocks.binary_search_by_key(&((ordinal >> 16) as u16), |block| block.high).ok()?;
        let places = self.places(block);
        let found = self.lows(places.clone()).binary_search(&(ordinal as u16)).ok()?;
        Some(places.start + found)
    }

    /// The ordinals, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.blocks.len()).flat_map(|block| {
            let high = self.blocks.get(block).map_or(0, |block| u32::from(block.high) << 16);
            self.lows(self.places(block)).iter().map(move |&low| high | u32::from(low))
        })
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.blocks.len() * size_of::<Block>() + self.lows.len() * 2
    }

    /// The lower halves at some places.
    pub(crate) fn lows(&self, places: Range<usize>) -> &[u16] {
        self.lows.get(places).unwrap_or_default()
    }

    /// The places of each block.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        (0..self.blocks.len()).map(|block| self.places(block))
    }

    fn places(&self, block: usize) -> Range<usize> {
        let end_of = |block: usize| self.blocks.get(block).map_or(0, |block| block.end);
        block.checked_sub(1).map_or(0, end_of)..end_of(block)
    }
}

/// Where a list's viewers of one block stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Which list.
    pub(crate) list: usize,
    /// Which of the list's blocks.
    pub(crate) block: usize,
    /// The places in that list.
    pub(crate) places: Range<usize>,
}

/// Goes through several lists at once, block by block: of each block the stretches of those lists that have any, in the
/// order of the lists. Nobody is in two blocks.
pub(crate) fn each_block<'v>(lists: impl IntoIterator<Item = &'v Viewers>, mut each: impl FnMut(&[Stretch])) {
    let lists = lists.into_iter().enumerate().filter(|(_, list)| !list.is_empty());
    let mut cursors: Vec<(usize, &Viewers, usize)> = lists.map(|(place, list)| (place, list, 0)).collect();
    let mut stretches = Vec::with_capacity(cursors.len());
    loop {
        let heads = cursors.iter().filter_map(|(_, list, block)| list.blocks.get(*block));
        let Some(high) = heads.map(|block| block.high).min() else { return };
        stretches.clear();
        for (list, viewers, block) in &mut cursors {
            if viewers.blocks.get(*block).is_some_and(|block| block.high == high) {
                stretches.push(Stretch { list: *list, block: *block, places: viewers.places(*block) });
                *block += 1;
            }
        }
        each(&stretches);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_ascending_ordinals_make_a_list() {
        assert!(Viewers::from_ascending([1, 2, 2]).is_none());
        assert!(Viewers::from_ascending([70_000, 3]).is_none());
        assert!(Viewers::from_ascending([]).expect("list").is_empty());
    }

    proptest! {
        #[test]
        fn a_list_holds_its_viewers_in_their_places(
            set in prop::collection::btree_set(prop_oneof![0..9_u32, 65_530..65_545_u32, any::<u32>()], 0..60),
        ) {
            let list = Viewers::from_ascending(set.iter().copied()).expect("ascending");
            prop_assert_eq!(list.len(), set.len());
            prop_assert!(list.iter().eq(set.iter().copied()));
            for (place, &viewer) in set.iter().enumerate() {
                prop_assert_eq!(list.place_of(viewer), Some(place));
                let next = viewer.wrapping_add(1);
                prop_assert_eq!(list.place_of(next).is_some(), set.contains(&next));
            }
        }

        #[test]
        fn blocks_of_several_lists_come_together(
            sets in prop::collection::vec(prop::collection::btree_set(0..200_000_u32, 0..40), 0..4),
        ) {
            let lists: Vec<Viewers> =
                sets.iter().map(|set| Viewers::from_ascending(set.iter().copied()).expect("ascending")).collect();
            let mut seen = vec![Vec::new(); lists.len()];
            let mut blocks = 0;
            each_block(&lists, |stretches| {
                blocks += 1;
                for stretch in stretches {
                    seen[stretch.list].extend(stretch.places.clone());
                }
            });
            let highs: std::collections::BTreeSet<u32> = sets.iter().flatten().map(|viewer| viewer >> 16).collect();
            prop_assert_eq!(blocks, highs.len());
            for (seen, list) in seen.iter().zip(&lists) {
                prop_assert!(seen.iter().copied().eq(0..list.len()));
            }
        }
    }
}
