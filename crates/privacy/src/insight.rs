//! Audience insights through the gate: whole tables of one window, judged together.

use std::collections::{BTreeMap, BTreeSet};

use roaring::{MultiOps, RoaringBitmap};
use throng_model::{Cell, Day, Entity, Family, Stage, WindowKind};

use crate::linked::{Judged, splits};
use crate::{
    AskedWindow, Audience, AudienceTable, Contribution, Curve, EntityKind, Gate, GateError, Measure, RawTable,
    Released, cells, curve,
};

/// The tables of one window as the engine sealed them.
pub(crate) type Tables = BTreeMap<Family, RawTable<Cell, ()>>;

impl Gate {
    /// Insights of an entity over a window of the catalogue. The engine is asked once, and not at all before the
    /// window's days are sealed.
    pub fn audience(
        &self,
        entity: &Entity,
        kind: WindowKind,
        date: Option<Day>,
        families: &[Family],
    ) -> Result<Released<Audience>, GateError> {
        let window = self.window(entity, kind, date)?;
        let mut audience = Audience { window, tables: BTreeMap::new(), curves: BTreeMap::new() };
        let mut wanted = BTreeSet::new();
        for &family in families {
            if !self.applies(entity, family)? {
                audience.put_reason(family, Measure::not_applicable());
            } else if !window.sealed() {
                audience.put_reason(family, Measure::not_sealed());
            } else {
                wanted.insert(family);
            }
        }
        if !wanted.is_empty() {
            let tables = self.ask(entity, &window, &wanted)?;
            for family in wanted {
                self.put(&mut audience, family, &tables)?;
            }
        }
        Ok(self.release(audience))
    }

    /// Whether the family exists for this entity, as far as public facts say.
    fn applies(&self, entity: &Entity, family: Family) -> Result<bool, GateError> {
        if let (Entity::Video(id), Family::Retention) = (entity, family) {
            let facts = self.source.video(id).ok_or(GateError::Unknown)?;
            return Ok(facts.duration_ms.is_some());
        }
        Ok(EntityKind::of(entity).has_family(family))
    }

    /// One question to the engine, with the families that those wanted are judged beside.
    fn ask(&self, entity: &Entity, window: &AskedWindow, wanted: &BTreeSet<Family>) -> Result<Tables, GateError> {
        let mut asked = wanted.clone();
        for &family in wanted {
            asked.extend(cells::coarser(family));
            if family.is_curve() {
                asked.insert(Family::Reach);
            }
        }
        let asked: Vec<Family> = asked.into_iter().collect();
        let tables = self.source.audience(entity, window.days(), &asked, Contribution::Whole)?;
        if tables.len() != asked.len() {
            return Err(GateError::Unavailable);
        }
        Ok(asked.into_iter().zip(tables).collect())
    }

    fn put(&self, audience: &mut Audience, family: Family, tables: &Tables) -> Result<(), GateError> {
        let table = tables.get(&family).ok_or(GateError::Unavailable)?;
        if family.is_curve() {
            let reach = tables.get(&Family::Reach).ok_or(GateError::Unavailable)?;
            audience.curves.insert(family, self.curve(family, table, &reach.total.audience)?);
        } else {
            audience.tables.insert(family, self.table(family, table, tables)?);
        }
        Ok(())
    }

    fn table(&self, family: Family, table: &RawTable<Cell, ()>, tables: &Tables) -> Result<AudienceTable, GateError> {
        let Judged { cells, viewers, decision } = self.judge_table(family, table, tables)?;
        let total = self.judge.viewers(table.total.audience.len(), decision.total);
        let judged = cells.into_iter().zip(viewers).zip(decision.rows);
        let mut rows: Vec<_> =
            judged.map(|((cell, viewers), shown)| (cell, self.judge.viewers(viewers, shown))).collect();
        if cells::fixed(family).is_none() {
            rows.retain(|(_, measure)| measure.value().is_some());
        }
        if !cells::keeps_order(family) {
            // Stable: rows without value keep the fixed order behind the others.
            rows.sort_by(|(_, a), (_, b)| {
                let value = |measure: &Measure| measure.value().unwrap_or(f64::NEG_INFINITY);
                value(b).total_cmp(&value(a))
            });
        }
        let partition = !family.overlaps() && family != Family::Reach;
        Ok(AudienceTable::new(total, rows, partition))
    }

    /// Reads cells from the far end as "at least this far". `reach` is shown beside it, so the two are judged together.
    fn curve(&self, family: Family, table: &RawTable<Cell, ()>, reach: &RoaringBitmap) -> Result<Curve, GateError> {
        let (floor, total) = (self.judge.floor(), &table.total.audience);
        let sets: Vec<&RoaringBitmap> = table.rows.iter().map(|(_, raw)| &raw.audience).collect();
        let lens: Vec<u64> = sets.iter().map(|set| set.len()).collect();
        if !splits(total, &sets, &lens) {
            return Err(GateError::Unavailable);
        }
        let at_least = |cell: Cell| {
            let far = table.rows.iter().filter(move |(each, _)| *each >= cell);
            far.map(|(_, raw)| &raw.audience)
        };
        let cells = cells::fixed(family).unwrap_or_default();
        // The first point is the whole family, in a funnel under the name of its first stage.
        let base_is_point = cells.first() == Some(&Cell::Stage(Stage::Saw));
        let further: Vec<Cell> = cells.iter().copied().skip(usize::from(base_is_point)).collect();
        let mut viewers = vec![total.len()];
        viewers.extend(further.iter().map(|&cell| at_least(cell).map(RoaringBitmap::len).sum::<u64>()));
        let beside_reach = |index: usize| match index.checked_sub(1).map(|index| further.get(index)) {
            None => curve::beside(floor, total, reach),
            // Only a funnel's stages can hold the reach; a retention point lies in its total, which was compared.
            Some(Some(&cell)) if family == Family::Funnel => curve::beside(floor, &at_least(cell).union(), reach),
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

impl Audience {
    /// A family without any number, for one reason.
    fn put_reason(&mut self, family: Family, reason: Measure) {
        let rows = cells::fixed(family).unwrap_or_default().into_iter().map(|cell| (cell, reason)).collect();
        if family.is_curve() {
            self.curves.insert(family, Curve::new(reason, rows));
        } else {
            let partition = !family.overlaps() && family != Family::Reach;
            self.tables.insert(family, AudienceTable::new(reason, rows, partition));
        }
    }
}
