//! Tables of one window whose rows add up to each other's: the finer one is judged beside the coarser ones.

use std::collections::BTreeMap;

use throng_model::{Cell, Family};

use crate::crowd::Counted;
use crate::insight::Tables;
use crate::overlap::overlap;
use crate::suppress::{self, Decision, Group, apart};
use crate::two_way::two_way;
use crate::{Gate, GateError, cells};

impl Gate {
    /// Decides about a table and, where its rows add up to rows of coarser families, decides about those first.
    pub(crate) fn judge_table(&self, family: Family, table: &Counted, tables: &Tables) -> Result<Judged, GateError> {
        let (floor, total) = (self.judge.floor(), table.total);
        let cells = cells::fixed(family).unwrap_or_else(|| table.rows.keys().copied().collect());
        let viewers: Vec<u64> = cells.iter().map(|&cell| table.of(cell)).collect();
        if family.overlaps() {
            let place: BTreeMap<Cell, usize> = cells.iter().copied().zip(0..).collect();
            let is_in = |rows: &[bool], cell: Cell| place.get(&cell).and_then(|&row| rows.get(row)) == Some(&true);
            let decision = overlap(floor, total, &viewers, |rows| table.among(|cell| is_in(rows, cell)));
            return Ok(Judged { decision, cells, viewers });
        }
        let mut known = Vec::new();
        for &coarse in cells::coarser(family) {
            let coarse_table = tables.get(&coarse).ok_or(GateError::Unavailable)?;
            let judged = self.judge_table(coarse, coarse_table, tables)?;
            known.push(judged.groups(coarse, &cells));
        }
        let decision = beside(floor, total, &cells, &viewers, &known).ok_or(GateError::Unavailable)?;
        Ok(Judged { decision, cells, viewers })
    }
}

/// Decides about a partition beside the coarser tables that are known, each given as groups. `None` if they contradict it.
fn beside(floor: u64, total: u64, cells: &[Cell], viewers: &[u64], known: &[Vec<Group>]) -> Option<Decision> {
    let fits = |holds: fn(&u64, &u64) -> bool| {
        known.iter().flatten().all(|group| holds(&group.in_rows(viewers), &group.viewers))
    };
    match known {
        [rows, columns] if fits(u64::eq) && viewers.iter().sum::<u64>() == total => {
            Some(two_way(floor, viewers, rows, columns))
        }
        [countries] if fits(u64::le) => {
            let unknown = cells.iter().position(|&cell| cell == Cell::Region(None));
            let barred = unknown.and_then(|row| unknown_region(floor, viewers, row, countries));
            let groups: Vec<Group> = countries.iter().cloned().chain(barred).collect();
            Some(suppress::partition(floor, total, viewers, &groups))
        }
        [] => Some(suppress::partition(floor, total, viewers, &[])),
        _ => None,
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
        let known = self.cells.iter().zip(&self.viewers).zip(&self.decision.rows);
        let group = |((&cell, &viewers), &shown)| (cell, Group { viewers, shown, members: Vec::new() });
        let mut groups: BTreeMap<Cell, Group> = known.map(group).collect();
        for (index, &cell) in finer.iter().enumerate() {
            if let Some(coarse) = cells::coarser_cell(cell, family) {
                // A coarser row that the engine left out is empty.
                let absent = || Group { viewers: 0, shown: false, members: Vec::new() };
                groups.entry(coarse).or_insert_with(absent).members.push(index);
            }
        }
        groups.into_values().collect()
    }
}

/// Bars the row of viewers without region, if a reader could take it apart.
///
/// Everyone knows that some countries have no regions, the unknown one first of all, so their viewers can be taken off that
/// row. What is left are viewers of countries that have some viewers in regions; these must be nobody or enough.
fn unknown_region(floor: u64, viewers: &[u64], row: usize, countries: &[Group]) -> Option<Group> {
    let in_regions = |country: &Group| country.in_rows(viewers);
    // Hidden countries can be taken off together only.
    let hidden_in_regions: u64 = countries.iter().filter(|country| !country.shown).map(in_regions).sum();
    let with_regions =
        |country: &&Group| country.shown && in_regions(country) > 0 || !country.shown && hidden_in_regions > 0;
    let left = countries.iter().filter(with_regions).map(|country| country.viewers - in_regions(country)).sum();
    let viewers = viewers.get(row).copied().unwrap_or(0);
    (!apart(floor, left)).then(|| Group { viewers, shown: false, members: vec![row] })
}
