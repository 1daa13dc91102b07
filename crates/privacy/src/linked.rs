//! Tables of one window whose rows add up to each other's: the finer one is judged beside the coarser ones.

use std::collections::BTreeMap;

use roaring::{MultiOps, RoaringBitmap};
use throng_model::{Cell, Family};

use crate::insight::Tables;
use crate::suppress::{self, Decision, Group};
use crate::{Gate, GateError, RawTable, cells};

impl Gate {
    /// Decides about a table and, where its rows add up to rows of coarser families, decides about those first.
    pub(crate) fn judge_table(
        &self,
        family: Family,
        table: &RawTable<Cell, ()>,
        tables: &Tables,
    ) -> Result<Judged, GateError> {
        let (floor, total) = (self.judge.floor(), &table.total.audience);
        let empty = RoaringBitmap::new();
        let given: BTreeMap<Cell, &RoaringBitmap> =
            table.rows.iter().map(|(cell, raw)| (*cell, &raw.audience)).collect();
        let cells = cells::fixed(family).unwrap_or_else(|| given.keys().copied().collect());
        let rows: Vec<&RoaringBitmap> = cells.iter().map(|cell| given.get(cell).copied().unwrap_or(&empty)).collect();
        let viewers: Vec<u64> = rows.iter().map(|row| row.len()).collect();
        if family.overlaps() {
            if !rows.iter().all(|row| row.is_subset(total)) {
                return Err(GateError::Unavailable);
            }
            return Ok(Judged { decision: suppress::overlap(floor, total, &rows), cells, viewers });
        }
        if !splits(total, &rows, &viewers) {
            return Err(GateError::Unavailable);
        }
        let mut groups = Vec::new();
        for &coarse in cells::coarser(family) {
            let coarse_table = tables.get(&coarse).ok_or(GateError::Unavailable)?;
            let judged = self.judge_table(coarse, coarse_table, tables)?;
            groups.extend(judged.groups(coarse, &cells));
        }
        let sum_of = |group: &Group| group.members.iter().filter_map(|&row| viewers.get(row)).sum::<u64>();
        if groups.iter().any(|group| sum_of(group) > group.viewers) {
            return Err(GateError::Unavailable);
        }
        Ok(Judged { decision: suppress::partition(floor, total.len(), &viewers, &groups), cells, viewers })
    }
}

/// A table with the decision about it. The three lists run in step.
pub(crate) struct Judged {
    pub(crate) cells: Vec<Cell>,
    pub(crate) viewers: Vec<u64>,
    pub(crate) decision: Decision,
}

impl Judged {
    /// For each row of this coarser table the rows of a finer one that add up to it.
    fn groups(&self, family: Family, finer: &[Cell]) -> Vec<Group> {
        let mut members: BTreeMap<Cell, Vec<usize>> = BTreeMap::new();
        for (index, &cell) in finer.iter().enumerate() {
            if let Some(coarse) = cells::coarser_cell(cell, family) {
                members.entry(coarse).or_default().push(index);
            }
        }
        let known = self.cells.iter().zip(&self.viewers).zip(&self.decision.rows);
        let known: BTreeMap<_, _> = known.map(|((&cell, &viewers), &shown)| (cell, (viewers, shown))).collect();
        let group = |(cell, members)| {
            // A coarser row that the engine left out is empty.
            let (viewers, shown) = known.get(&cell).copied().unwrap_or((0, false));
            Group { viewers, shown, members }
        };
        members.into_iter().map(group).collect()
    }
}

/// Whether these sets of these sizes lie in the total and share no viewer.
pub(crate) fn splits(total: &RoaringBitmap, sets: &[&RoaringBitmap], lens: &[u64]) -> bool {
    let all: RoaringBitmap = sets.iter().copied().union();
    all.len() == lens.iter().sum::<u64>() && all.is_subset(total)
}
