//! What lists say of their viewers where somebody may stand in several cells.

use crate::viewers::{Stretch, Viewers};

/// Which cells of a group each viewer of a list stands in. Viewers of a block who stand in the same cells follow each other: a
/// stretch of them is counted without looking at anything but their places.
pub struct Masks {
    lows: Box<[u16]>,
    runs: Box<[Run]>,
    /// By block of the list, one past its last run.
    ends: Box<[u32]>,
    has_empty: bool,
}

/// Viewers of a block who stand in the same cells.
struct Run {
    mask: u32,
    /// One past the last of them in `lows`.
    end: u32,
}

impl Masks {
    /// Takes a mask for each viewer of a list, in the list's order: a bit a cell, up to 24.
    pub fn new(list: &Viewers, masks: &[u32]) -> Self {
        let (mut lows, mut runs, mut ends) = (Vec::with_capacity(list.len()), Vec::new(), Vec::new());
        let mut block = Vec::new();
        for places in list.blocks() {
            let with_masks = list.lows(places.clone()).iter().zip(masks.get(places).unwrap_or_default());
            block.clear();
            block.extend(with_masks.map(|(&low, &mask)| (mask, low)));
            block.sort_unstable();
            for run in block.chunk_by(|one, other| one.0 == other.0) {
                lows.extend(run.iter().map(|&(_, low)| low));
                runs.extend(run.first().map(|&(mask, _)| Run { mask, end: number(lows.len()) }));
            }
            ends.push(number(runs.len()));
        }
        Self { lows: lows.into(), runs: runs.into(), ends: ends.into(), has_empty: masks.contains(&0) }
    }

    /// Whether some viewer stands in no cell.
    pub(crate) fn has_empty(&self) -> bool {
        self.has_empty
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.lows) + size_of_val(&*self.runs) + size_of_val(&*self.ends)
    }

    /// The masks of a block, each with the lower halves of those who have it.
    pub(crate) fn of(&self, stretch: &Stretch) -> impl Iterator<Item = (u32, &[u16])> {
        let end_of = |block: usize| self.ends.get(block).map_or(0, |&end| end as usize);
        let runs = stretch.block.checked_sub(1).map_or(0, end_of)..end_of(stretch.block);
        let mut start = stretch.places.start;
        self.runs.get(runs).unwrap_or_default().iter().map(move |run| {
            let places = start..run.end as usize;
            start = places.end;
            (run.mask, self.lows.get(places).unwrap_or_default())
        })
    }
}

fn number(places: usize) -> u32 {
    u32::try_from(places).unwrap_or(u32::MAX)
}
