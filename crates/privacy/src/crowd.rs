//! Audience tables on their way through the wall: sets or lists of viewers go in, and only this crate counts them.

use std::collections::BTreeMap;
use std::sync::Arc;

use roaring::{MultiOps, RoaringBitmap};
use throng_model::{Cell, Family, Stage};

use crate::masks::Masks;
use crate::viewers::Viewers;
use crate::{RawTable, cells, count};

/// An audience table that nobody outside this crate can read: sets of viewers by cell, or lists of viewers, a day's each,
/// with what each list says of each viewer. The lists are shared with whoever keeps them, not copied.
pub struct RawAudience(Behind);

enum Behind {
    Sets(RawTable<Cell, ()>),
    Reach(Vec<Arc<Viewers>>),
    AnyOf(Vec<Arc<RoaringBitmap>>),
    InBoth { one: Vec<Arc<Viewers>>, other: Vec<Arc<Viewers>> },
    InBothSets([RoaringBitmap; 2]),
    First { lists: Vec<Coded>, codes: Codes },
    Furthest(Vec<Marked>),
    Stages(Vec<Marked>),
    Bits(Vec<BitGroup>),
    Novelty { days: Vec<Arc<Viewers>>, window: usize, memory: usize },
}

/// Viewers with a number each that holds codes.
pub struct Coded {
    /// The viewers.
    pub viewers: Arc<Viewers>,
    /// A number per viewer.
    pub codes: Arc<[u32]>,
}

/// Where in a number the code lies that decides about the cell, and what it stands for.
pub struct Codes {
    /// Bits below the code.
    pub shift: u32,
    /// Its largest value.
    pub mask: u32,
    /// The cell of a code; several codes may stand for one.
    pub cell: fn(u32) -> Cell,
}

/// Viewers with a small number each.
pub struct Marked {
    /// The viewers.
    pub viewers: Arc<Viewers>,
    /// A number per viewer.
    pub marks: Arc<[u8]>,
}

/// Up to 24 cells that a viewer may stand in together.
pub struct BitGroup {
    /// The cell of each bit, from the lowest on.
    pub cells: Vec<Cell>,
    /// Lists of viewers, with a mask per viewer.
    pub lists: Vec<(Arc<Viewers>, Arc<Masks>)>,
}

impl BitGroup {
    /// Whether some viewer of a list stands in no cell.
    fn has_empty(&self) -> bool {
        self.lists.iter().any(|(_, masks)| masks.has_empty())
    }
}

/// What a viewer of [`RawAudience::stages`] did in a day, as bits; someone who did none of it only saw something.
#[derive(Debug, Clone, Copy)]
pub struct StageBits;

impl StageBits {
    /// Has a view.
    pub const VIEWED: u8 = 1;
    /// Engaged.
    pub const ENGAGED: u8 = 2;
    /// Followed.
    pub const FOLLOWED: u8 = 4;
}

impl From<RawTable<Cell, ()>> for RawAudience {
    fn from(table: RawTable<Cell, ()>) -> Self {
        Self(Behind::Sets(table))
    }
}

impl RawAudience {
    /// Everyone in any list.
    pub fn reach(lists: Vec<Arc<Viewers>>) -> Self {
        Self(Behind::Reach(lists))
    }

    /// Everyone in any set: for crowds so large that sets are smaller than lists.
    pub fn any_of(sets: Vec<Arc<RoaringBitmap>>) -> Self {
        Self(Behind::AnyOf(sets))
    }

    /// Everyone in any list of the one and in any of the other.
    pub fn in_both(one: Vec<Arc<Viewers>>, other: Vec<Arc<Viewers>>) -> Self {
        Self(Behind::InBoth { one, other })
    }

    /// Everyone in both sets.
    pub fn in_both_sets(one: RoaringBitmap, other: RoaringBitmap) -> Self {
        Self(Behind::InBothSets([one, other]))
    }

    /// Everyone in any list, each in the cell that the first list says which holds the viewer.
    pub fn first(lists: Vec<Coded>, codes: Codes) -> Self {
        Self(Behind::First { lists, codes })
    }

    /// Everyone with a mark, each in the cell of its largest one: 1 plus the playback position.
    pub fn furthest(lists: Vec<Marked>) -> Self {
        Self(Behind::Furthest(lists))
    }

    /// Everyone in any list, each at the furthest stage that the marks, of [`StageBits`], come to.
    pub fn stages(lists: Vec<Marked>) -> Self {
        Self(Behind::Stages(lists))
    }

    /// Everyone in any list, each in all cells whose bits its masks hold.
    pub fn bits(groups: Vec<BitGroup>) -> Self {
        Self(Behind::Bits(groups))
    }

    /// Everyone in the last `window` lists, which are days, oldest first: new without a place in any of the `memory` lists
    /// before the first that holds the viewer.
    pub fn novelty(days: Vec<Arc<Viewers>>, window: usize, memory: usize) -> Self {
        Self(Behind::Novelty { days, window, memory })
    }

    /// Counts a family's table; `None` where sets are not what the family is: each viewer of the total in at most one cell,
    /// or in several of the total. Lists cannot be wrong in this way.
    pub(crate) fn count(self, family: Family) -> Option<Counted> {
        let mut besides = None;
        let (total, rows) = match &self.0 {
            Behind::Sets(table) => count_sets(family, table)?,
            Behind::Reach(lists) => (count::reach(all(lists)), BTreeMap::new()),
            Behind::AnyOf(sets) => {
                let total = match &**sets {
                    [set] => set.len(),
                    sets => sets.iter().map(AsRef::as_ref).union().len(),
                };
                (total, BTreeMap::new())
            }
            Behind::InBoth { one, other } => {
                let lists: Vec<&Viewers> = all(one).into_iter().chain(all(other)).collect();
                let (both, only) = count::in_both(&lists, one.len());
                besides = Some(only);
                (both, BTreeMap::new())
            }
            Behind::InBothSets([one, other]) => {
                let both = one.intersection_len(other);
                besides = Some([one.len() - both, other.len() - both]);
                (both, BTreeMap::new())
            }
            Behind::First { lists, codes } => count_first(lists, codes),
            Behind::Furthest(lists) => count_furthest(lists),
            Behind::Stages(lists) => count_stages(lists),
            Behind::Bits(groups) => count_bits(groups),
            Behind::Novelty { days, window, memory } => {
                let (new, returning) = count::novelty(&all(days), *window, *memory);
                (new + returning, [(Cell::New, new), (Cell::Returning, returning)].into())
            }
        };
        Some(Counted { total, rows, besides, behind: self.0 })
    }
}

/// A table whose viewers are counted.
pub(crate) struct Counted {
    /// Everyone of the family.
    pub(crate) total: u64,
    /// Viewers by cell; cells that are left out hold nobody.
    pub(crate) rows: BTreeMap<Cell, u64>,
    /// Of those who are in both of two crowds: how many are in the one only, and in the other only.
    pub(crate) besides: Option<[u64; 2]>,
    behind: Behind,
}

/// Viewers of some rows of a table in which a viewer can stand in several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Among {
    /// In any of them.
    pub(crate) any: u64,
    /// In any of them, and in no other row.
    pub(crate) only: u64,
}

impl Counted {
    /// Viewers in a cell.
    pub(crate) fn of(&self, cell: Cell) -> u64 {
        self.rows.get(&cell).copied().unwrap_or(0)
    }

    /// The table of a coarser family, whose cells are sums of this one's.
    pub(crate) fn coarsened(&self, family: Family) -> Self {
        let mut rows = BTreeMap::new();
        for (&cell, viewers) in &self.rows {
            if let Some(coarse) = cells::coarser_cell(cell, family) {
                *rows.entry(coarse).or_insert(0) += viewers;
            }
        }
        Self { total: self.total, rows, besides: None, behind: Behind::Reach(Vec::new()) }
    }

    /// Viewers of some rows.
    pub(crate) fn among(&self, chosen: impl Fn(Cell) -> bool) -> Among {
        match &self.behind {
            Behind::Sets(table) => {
                let sets = |wanted: bool| {
                    let rows = table.rows.iter().filter(|(cell, _)| chosen(*cell) == wanted);
                    rows.map(|(_, raw)| &raw.audience).union()
                };
                let (within, others) = (sets(true), sets(false));
                Among { any: within.len(), only: within.difference_len(&others) }
            }
            Behind::Bits(groups) => {
                let mask = |group: &BitGroup| {
                    let bits = group.cells.iter().enumerate().filter(|(_, cell)| chosen(**cell));
                    bits.fold(0, |mask, (bit, _)| mask | 1_u32.checked_shl(bit as u32).unwrap_or(0))
                };
                // That no cell is left out is asked most.
                let everyone = groups.iter().all(|group| !group.has_empty()).then_some(self.total);
                if everyone.is_some() && groups.iter().all(|group| group.cells.iter().all(|&cell| chosen(cell))) {
                    return Among { any: self.total, only: self.total };
                }
                let chosen: Vec<u32> = groups.iter().map(mask).collect();
                let (any, only) = count::bits_among(&masked(groups), &chosen, everyone);
                Among { any, only }
            }
            // Everyone stands in one row.
            _ => {
                let any = self.rows.iter().filter(|(cell, _)| chosen(**cell)).map(|(_, viewers)| viewers).sum();
                Among { any, only: any }
            }
        }
    }

    /// The rows from a cell on, or the total, beside the reach of the same window: viewers in the one only, and in the
    /// other only. `None` where the two were not counted alike.
    pub(crate) fn beside_reach(&self, from: Option<Cell>, reach: &Self) -> Option<(u64, u64)> {
        let chosen = |cell: Cell| from.is_none_or(|from| cell >= from);
        let both = match (&self.behind, &reach.behind) {
            (Behind::Sets(table), Behind::Sets(reach)) => {
                let rows = table.rows.iter().filter(|(cell, _)| chosen(*cell)).map(|(_, raw)| &raw.audience);
                let set: RoaringBitmap = match from {
                    None => table.total.audience.clone(),
                    Some(_) => rows.union(),
                };
                return Some((set.difference_len(&reach.total.audience), reach.total.audience.difference_len(&set)));
            }
            (Behind::Sets(_), _) | (_, Behind::Sets(_)) => return None,
            (Behind::Stages(lists), _) => {
                let marks = stage_counts(lists);
                marks
                    .iter()
                    .filter(|(stage, viewed, _)| *viewed && chosen(Cell::Stage(*stage)))
                    .map(|each| each.2)
                    .sum()
            }
            // Nobody stands here without a view.
            _ => self.among(chosen).any,
        };
        let here = match from {
            None => self.total,
            Some(_) => self.among(chosen).any,
        };
        Some((here.checked_sub(both)?, reach.total.checked_sub(both)?))
    }
}

fn all(lists: &[Arc<Viewers>]) -> Vec<&Viewers> {
    lists.iter().map(AsRef::as_ref).collect()
}

fn count_sets(family: Family, table: &RawTable<Cell, ()>) -> Option<(u64, BTreeMap<Cell, u64>)> {
    let total = &table.total.audience;
    let rows: BTreeMap<Cell, u64> = table.rows.iter().map(|(cell, raw)| (*cell, raw.audience.len())).collect();
    let mut sets = table.rows.iter().map(|(_, raw)| &raw.audience);
    let sound = rows.len() == table.rows.len()
        && if family.overlaps() || family == Family::Reach {
            sets.all(|set| set.is_subset(total))
        } else {
            let union = sets.union();
            union.len() == rows.values().sum::<u64>() && union.is_subset(total)
        };
    // More than one cell a viewer would break the bound that noise is scaled to, and the arithmetic of what is hidden.
    sound.then(|| (total.len(), rows))
}

fn count_first(lists: &[Coded], codes: &Codes) -> (u64, BTreeMap<Cell, u64>) {
    let coded: Vec<_> = lists.iter().map(|list| (&*list.viewers, &*list.codes)).collect();
    let mut rows = BTreeMap::new();
    for (code, viewers) in count::first(&coded, codes.shift, codes.mask) {
        *rows.entry((codes.cell)(code)).or_insert(0) += viewers;
    }
    (rows.values().sum(), rows)
}

fn marked(lists: &[Marked]) -> Vec<(&Viewers, &[u8])> {
    lists.iter().map(|list| (&*list.viewers, &*list.marks)).collect()
}

fn count_furthest(lists: &[Marked]) -> (u64, BTreeMap<Cell, u64>) {
    let counts = count::combined(&marked(lists), u8::max);
    let rows: BTreeMap<Cell, u64> = (0..=100).map(Cell::Position).zip(counts.into_iter().skip(1)).collect();
    (rows.values().sum(), rows)
}

/// Above all of [`StageBits`].
const LISTED: u8 = 0x80;

/// Stage, whether there is a view too, and how many.
fn stage_counts(lists: &[Marked]) -> Vec<(Stage, bool, u64)> {
    // Everyone listed has some bit, so that nobody who only saw something is left out.
    let counts = count::combined(&marked(lists), |a, b| a | b | LISTED);
    let stage = |bits: u8| match bits {
        bits if bits & StageBits::FOLLOWED != 0 => Stage::Followed,
        bits if bits & StageBits::ENGAGED != 0 => Stage::Engaged,
        bits if bits & StageBits::VIEWED != 0 => Stage::Viewed,
        _ => Stage::Saw,
    };
    (0..=u8::MAX).zip(counts).map(|(bits, viewers)| (stage(bits), bits & StageBits::VIEWED != 0, viewers)).collect()
}

fn count_stages(lists: &[Marked]) -> (u64, BTreeMap<Cell, u64>) {
    let mut rows = BTreeMap::new();
    for (stage, _, viewers) in stage_counts(lists) {
        *rows.entry(Cell::Stage(stage)).or_insert(0) += viewers;
    }
    (rows.values().sum(), rows)
}

fn masked(groups: &[BitGroup]) -> Vec<count::MaskedList<'_>> {
    let lists = groups.iter().enumerate();
    lists.flat_map(|(place, group)| group.lists.iter().map(move |(list, masks)| (place, &**list, &**masks))).collect()
}

fn count_bits(groups: &[BitGroup]) -> (u64, BTreeMap<Cell, u64>) {
    let lists = masked(groups);
    let (total, counts) = count::bits(&lists, groups.len());
    let cells = groups.iter().zip(counts).flat_map(|(group, counts)| group.cells.iter().copied().zip(counts));
    (total, cells.filter(|&(_, viewers)| viewers > 0).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;
    use throng_model::{Device, Source};

    use super::*;
    use crate::Raw;

    /// Days of viewers with a number each. Ordinals lie in several blocks.
    type Days = Vec<BTreeMap<u32, u32>>;

    fn days() -> impl Strategy<Value = Days> {
        let viewer = prop_oneof![0..12_u32, 65_530..65_540_u32, 900_000..900_008_u32];
        prop::collection::vec(prop::collection::btree_map(viewer, 0..64_u32, 0..12), 0..6)
    }

    fn viewers(day: &BTreeMap<u32, u32>) -> Arc<Viewers> {
        Arc::new(Viewers::from_ascending(day.keys().copied()).expect("ascending"))
    }

    fn everyone(days: &Days) -> BTreeSet<u32> {
        days.iter().flat_map(|day| day.keys().copied()).collect()
    }

    fn device(code: u32) -> Cell {
        Cell::Device(Device::from_code(code as u8))
    }

    fn set(viewers: impl IntoIterator<Item = u32>) -> RoaringBitmap {
        viewers.into_iter().collect()
    }

    fn sealed(total: BTreeSet<u32>, cells: BTreeMap<Cell, BTreeSet<u32>>) -> RawAudience {
        let rows = cells.into_iter().map(|(cell, viewers)| (cell, Raw::seal((), set(viewers))));
        RawTable::seal(Raw::seal((), set(total)), rows.collect()).into()
    }

    fn by<K: Ord>(pairs: impl Iterator<Item = (u32, K)>) -> BTreeMap<K, BTreeSet<u32>> {
        let mut cells: BTreeMap<K, BTreeSet<u32>> = BTreeMap::new();
        pairs.for_each(|(viewer, cell)| _ = cells.entry(cell).or_default().insert(viewer));
        cells
    }

    /// Rows without the empty ones.
    fn rows(table: &Counted) -> Vec<(Cell, u64)> {
        table.rows.iter().filter(|(_, viewers)| **viewers > 0).map(|(cell, viewers)| (*cell, *viewers)).collect()
    }

    fn masks(days: &Days) -> Vec<BitGroup> {
        // Two groups over the same days: the low and the high bits.
        let list = |day: &BTreeMap<u32, u32>, shift: u32| {
            let (viewers, masks) = (viewers(day), day.values().map(|mask| mask >> shift & 7).collect::<Vec<_>>());
            (viewers.clone(), Arc::new(Masks::new(&viewers, &masks)))
        };
        let group = |shift: u32, cells: &[Source]| BitGroup {
            cells: cells.iter().copied().map(Cell::Source).collect(),
            lists: days.iter().map(|day| list(day, shift)).collect(),
        };
        vec![group(0, &Source::ALL[..3]), group(3, &Source::ALL[3..6])]
    }

    fn sources_of(days: &Days) -> BTreeMap<Cell, BTreeSet<u32>> {
        let bits = |(&viewer, &mask): (&u32, &u32)| {
            let set = (0..6_usize).filter(move |bit| mask >> bit & 1 == 1);
            set.map(move |bit| (viewer, Cell::Source(Source::ALL[bit])))
        };
        by(days.iter().flatten().flat_map(bits))
    }

    proptest! {
        #[test]
        fn the_first_list_decides(days in days()) {
            let lists = || days.iter().map(|day| Coded { viewers: viewers(day), codes: day.values().copied().collect() });
            let mut first = BTreeMap::new();
            days.iter().flatten().for_each(|(&viewer, &code)| _ = first.entry(viewer).or_insert(code));
            // Few codes are counted in a table, many are sorted.
            for mask in [7, 0xff_ffff] {
                let codes = Codes { shift: 1, mask, cell: device };
                let counted = RawAudience::first(lists().collect(), codes).count(Family::Device).expect("lists");
                let cells = by(first.iter().map(|(&viewer, &code)| (viewer, device(code >> 1 & mask))));
                let naive = sealed(everyone(&days), cells).count(Family::Device).expect("partition");
                prop_assert_eq!(counted.total, naive.total);
                prop_assert_eq!(rows(&counted), rows(&naive));
            }
        }

        #[test]
        fn the_furthest_mark_counts(days in days()) {
            let marks = |day: &BTreeMap<u32, u32>| Marked {
                viewers: viewers(day),
                marks: day.values().map(|&mark| mark as u8).collect(),
            };
            let counted = RawAudience::furthest(days.iter().map(marks).collect()).count(Family::Retention).expect("lists");
            let mut furthest = BTreeMap::new();
            for (&viewer, &mark) in days.iter().flatten() {
                let known = furthest.entry(viewer).or_insert(0);
                *known = mark.max(*known);
            }
            furthest.retain(|_, mark| *mark > 0);
            let cells = by(furthest.iter().map(|(&viewer, &mark)| (viewer, Cell::Position(mark as u8 - 1))));
            let naive = sealed(furthest.keys().copied().collect(), cells).count(Family::Retention).expect("partition");
            prop_assert_eq!((counted.total, rows(&counted)), (naive.total, rows(&naive)));
            let reach = RawAudience::reach(days.iter().map(viewers).collect()).count(Family::Reach).expect("lists");
            let outside = everyone(&days).len() - furthest.len();
            prop_assert_eq!(counted.beside_reach(None, &reach), Some((0, outside as u64)));
        }

        #[test]
        fn stages_come_together_from_all_days(days in days()) {
            let marks = |day: &BTreeMap<u32, u32>| Marked {
                viewers: viewers(day),
                marks: day.values().map(|&bits| bits as u8 & 7).collect(),
            };
            let counted = RawAudience::stages(days.iter().map(marks).collect()).count(Family::Funnel).expect("lists");
            let mut bits: BTreeMap<u32, u8> = BTreeMap::new();
            days.iter().flatten().for_each(|(&viewer, &more)| *bits.entry(viewer).or_default() |= more as u8 & 7);
            let stage = |bits: u8| Cell::Stage(match bits {
                4.. => Stage::Followed,
                2.. => Stage::Engaged,
                1 => Stage::Viewed,
                0 => Stage::Saw,
            });
            let naive = sealed(everyone(&days), by(bits.iter().map(|(&viewer, &bits)| (viewer, stage(bits)))));
            let naive = naive.count(Family::Funnel).expect("partition");
            prop_assert_eq!((counted.total, rows(&counted)), (naive.total, rows(&naive)));
            // The reach is whoever viewed.
            let viewed: BTreeSet<u32> = bits.iter().filter(|(_, bits)| **bits & 1 == 1).map(|(&viewer, _)| viewer).collect();
            let day: BTreeMap<u32, u32> = viewed.iter().map(|&viewer| (viewer, 0)).collect();
            let listed = RawAudience::reach(vec![viewers(&day)]).count(Family::Reach).expect("lists");
            let set = sealed(viewed, BTreeMap::new()).count(Family::Reach).expect("reach");
            for from in [None, Some(Cell::Stage(Stage::Viewed)), Some(Cell::Stage(Stage::Followed))] {
                prop_assert_eq!(counted.beside_reach(from, &listed), naive.beside_reach(from, &set));
            }
            // What was counted in two ways is not compared.
            prop_assert_eq!(naive.beside_reach(None, &listed), None);
        }

        #[test]
        fn a_viewer_counts_once_in_each_cell_of_its_bits(days in days(), chosen in 0..64_u32) {
            let counted = RawAudience::bits(masks(&days)).count(Family::TrafficSource).expect("lists");
            let naive = sealed(everyone(&days), sources_of(&days)).count(Family::TrafficSource).expect("overlap");
            prop_assert_eq!((counted.total, rows(&counted)), (naive.total, rows(&naive)));
            let is_chosen = |cell| Source::ALL.iter().zip(0..6).any(|(&source, bit)| {
                Cell::Source(source) == cell && chosen >> bit & 1 == 1
            });
            prop_assert_eq!(counted.among(is_chosen), naive.among(is_chosen));
        }

        #[test]
        fn a_viewer_is_new_without_a_place_in_the_days_before(days in days(), window in 0..6_usize, memory in 0..5_usize) {
            let window = window.min(days.len());
            let start = days.len() - window;
            let cell = |viewer: u32| {
                let first = (start..days.len()).find(|&day| days[day].contains_key(&viewer))?;
                let before = first.saturating_sub(memory)..first;
                Some((viewer, if days[before].iter().any(|day| day.contains_key(&viewer)) { Cell::Returning } else { Cell::New }))
            };
            let cells = by(everyone(&days).into_iter().filter_map(cell));
            let lists = days.iter().map(viewers).collect();
            let counted = RawAudience::novelty(lists, window, memory).count(Family::Novelty).expect("lists");
            let naive = sealed(cells.values().flatten().copied().collect(), cells).count(Family::Novelty).expect("partition");
            prop_assert_eq!((counted.total, rows(&counted)), (naive.total, rows(&naive)));
        }
    }

    #[test]
    fn sets_that_are_not_their_family_are_refused() {
        let cells = |a: &[u32], b: &[u32]| {
            let set = |viewers: &[u32]| viewers.iter().copied().collect::<BTreeSet<u32>>();
            BTreeMap::from([(device(1), set(a)), (device(2), set(b))])
        };
        let count =
            |family, total: &[u32], cells| sealed(total.iter().copied().collect(), cells).count(family).is_some();
        assert!(count(Family::Device, &[1, 2, 3], cells(&[1], &[2])));
        assert!(!count(Family::Device, &[1, 2, 3], cells(&[1, 2], &[2])));
        assert!(!count(Family::Device, &[1, 2], cells(&[1], &[3])));
        assert!(count(Family::TrafficSource, &[1, 2], cells(&[1, 2], &[2])));
        assert!(!count(Family::TrafficSource, &[1, 2], cells(&[1, 2], &[3])));
    }
}
