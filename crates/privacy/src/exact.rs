//! Insights with their exact numbers (threshold mode): whole tables of one window, judged together.

use throng_model::{Cell, Family};

use crate::insight::Tables;
use crate::linked::Judged;
use crate::shapes::Rest;
use crate::{AudienceTable, Curve, Gate, GateError, Measure, cells, curve};

impl Gate {
    /// A table with its exact numbers, judged together with the coarser tables among those given.
    pub(crate) fn exact_table(&self, family: Family, tables: &Tables) -> Result<AudienceTable, GateError> {
        let table = tables.get(&family).ok_or(GateError::Unavailable)?;
        let Judged { cells, viewers, decision } = self.judge_table(family, table, tables)?;
        let total = self.judge.viewers(table.total, decision.total);
        let judged = cells.into_iter().zip(viewers).zip(decision.rows);
        let mut rows: Vec<_> =
            judged.map(|((cell, viewers), shown)| (cell, self.judge.viewers(viewers, shown))).collect();
        if cells::fixed(family).is_none() {
            rows.retain(|(_, measure)| measure.value().is_some());
        }
        cells::rank(family, &mut rows);
        let rest = if cells::is_partition(family) { Rest::Exact } else { Rest::NotApplicable };
        Ok(AudienceTable::new(total, rows, rest))
    }

    /// Reads cells from the far end as "at least this far". The reach is shown beside it, so the two are judged together.
    pub(crate) fn exact_curve(&self, family: Family, tables: &Tables) -> Result<Curve, GateError> {
        let table = tables.get(&family).ok_or(GateError::Unavailable)?;
        let reach = tables.get(&Family::Reach).ok_or(GateError::Unavailable)?;
        let floor = self.judge.floor();
        let cells = cells::fixed(family).unwrap_or_default();
        // The first point is the whole family, in a funnel under the name of its first stage.
        let base_is_point = cells::curve_start(family).is_some();
        let further: Vec<Cell> = cells.iter().copied().skip(usize::from(base_is_point)).collect();
        let at_least = |cell: Cell| table.rows.range(cell..).map(|(_, viewers)| viewers).sum::<u64>();
        let mut viewers = vec![table.total];
        viewers.extend(further.iter().map(|&cell| at_least(cell)));
        let beside = |from| {
            // A curve that cannot be compared with the reach is not shown beside it.
            table.beside_reach(from, reach).is_some_and(|(here, there)| curve::beside(floor, here, there))
        };
        let beside_reach = |index: usize| match index.checked_sub(1).map(|index| further.get(index)) {
            None => beside(None),
            // Only a funnel's stages can hold the reach; a retention point lies in its total, which was compared.
            Some(Some(&cell)) if family == Family::Funnel => beside(Some(cell)),
            Some(_) => true,
        };
        let mut shown = curve::points(floor, &viewers, beside_reach);
        let base = shown.first().copied().unwrap_or(false);
        if family == Family::Retention && !base {
            // Every share of a retention curve is one of the total.
            shown.fill(false);
        }
        let mut measures = viewers.iter().zip(shown).map(|(&viewers, shown)| self.judge.viewers(viewers, shown));
        let total = measures.next().unwrap_or_else(Measure::withheld);
        let first = cells.first().filter(|_| base_is_point).map(|&cell| (cell, total));
        Ok(Curve::new(total, first.into_iter().chain(further.iter().copied().zip(measures)).collect()))
    }
}
