//! Audience insights through the gate: what is asked of the engine for a window, and by which protection it is released.

use std::collections::{BTreeMap, BTreeSet};

use throng_model::{Day, Entity, Family, WindowKind};

use crate::budget::drawn_from;
use crate::crowd::Counted;
use crate::noisy::Noisy;
use crate::shapes::Rest;
use crate::suppress::apart;
use crate::{
    AskedWindow, Audience, AudienceTable, Contribution, Curve, EntityKind, Gate, GateError, Measure, Protection,
    Released, Rewrites, cells,
};

/// The tables of one window, counted.
pub(crate) type Tables = BTreeMap<Family, Counted>;

/// How often a question is asked again where the store is rewritten meanwhile.
const ATTEMPTS_MAX: usize = 4;

/// What insights stand on besides the rows: read before them and after them.
#[derive(PartialEq)]
struct Ground {
    window: AskedWindow,
    /// Of the days needed to judge newness: those of the window and a year before.
    rewrites: Rewrites,
    rows_from: Option<Day>,
}

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
        for _ in 0..ATTEMPTS_MAX {
            let before = self.ground(entity, kind, date)?;
            let audience = self.insights(entity, &before, families)?;
            // Numbers of one state of the store under the noise of another would differ from earlier answers by less than
            // a whole draw. States never come back, so equal ones had no other between them.
            if self.ground(entity, kind, date)? == before {
                // Insights have no numbers over open days.
                return Ok(self.release(audience).settled(true));
            }
        }
        Err(GateError::Unavailable)
    }

    /// What insights stand on besides the rows.
    fn ground(&self, entity: &Entity, kind: WindowKind, date: Option<Day>) -> Result<Ground, GateError> {
        let window = self.window(entity, kind, date)?;
        let days = cells::days_needed(Family::Novelty, window.days());
        let rewrites = self.source.rewrites(entity, days)?;
        Ok(Ground { window, rewrites, rows_from: self.source.rows_from() })
    }

    fn insights(&self, entity: &Entity, ground: &Ground, families: &[Family]) -> Result<Audience, GateError> {
        let window = ground.window;
        let mut audience = Audience { window, tables: BTreeMap::new(), curves: BTreeMap::new() };
        let mut wanted = BTreeSet::new();
        for &family in families {
            if !self.applies(entity, family, window)? {
                audience.put_reason(family, Measure::not_applicable());
            } else if !window.sealed() {
                audience.put_reason(family, Measure::not_sealed());
            } else if ground.rows_from.is_some_and(|from| cells::days_needed(family, window.days()).first() < from) {
                audience.put_reason(family, Measure::not_applicable());
            } else {
                wanted.insert(family);
            }
        }
        if !wanted.is_empty() {
            match self.policy().protection() {
                Protection::Threshold => self.put_exact(&mut audience, entity, &wanted)?,
                Protection::Noise => self.put_noisy(&mut audience, entity, ground, &wanted)?,
            }
        }
        Ok(audience)
    }

    /// Whether the family exists for this entity, as far as public facts say.
    fn applies(&self, entity: &Entity, family: Family, window: AskedWindow) -> Result<bool, GateError> {
        if let (Entity::Video(id), Family::Retention) = (entity, family) {
            let facts = self.source.video(id).ok_or(GateError::Unknown)?;
            return Ok(facts.has_length_in(window.days()));
        }
        if let Entity::Overlap(pair) = entity {
            let from = self.source.overlap_from(pair).ok_or(GateError::Unknown)?;
            return Ok(family == Family::Reach && from <= window.days().first());
        }
        Ok(EntityKind::of(entity).has_family(family))
    }

    /// The exact number of viewers that two channels have in common. The reach of each is shown too, so it is shown only
    /// where neither has few viewers besides.
    fn put_exact_overlap(&self, audience: &mut Audience, entity: &Entity) -> Result<(), GateError> {
        let tables = self.ask(entity, audience, [Family::Reach].into(), Contribution::Whole)?;
        let both = tables.get(&Family::Reach).ok_or(GateError::Unavailable)?;
        let floor = self.judge.floor();
        // What an engine does not tell is not judged, so nothing is shown.
        let are_apart = both.besides.is_some_and(|besides| besides.iter().all(|&only| apart(floor, only)));
        let total = self.judge.viewers(both.total, both.total >= floor && are_apart);
        audience.tables.insert(Family::Reach, AudienceTable::new(total, Vec::new(), Rest::NotApplicable));
        Ok(())
    }

    /// Exact tables, each judged beside those that its numbers add up with.
    fn put_exact(&self, audience: &mut Audience, entity: &Entity, wanted: &BTreeSet<Family>) -> Result<(), GateError> {
        if let Entity::Overlap(_) = entity {
            return self.put_exact_overlap(audience, entity);
        }
        let beside = |&family: &Family| {
            let reach = family.is_curve().then_some(Family::Reach);
            cells::coarser(family).iter().copied().chain(reach).chain([family])
        };
        let mut families: BTreeSet<Family> = wanted.iter().flat_map(beside).collect();
        // Ages and genders are sums of age × gender: counted once, they cannot contradict it.
        let sums = [Family::Age, Family::Gender].into_iter().filter(|_| wanted.contains(&Family::AgeGender));
        let sums: Vec<Family> = sums.filter(|sum| families.remove(sum)).collect();
        let mut tables = self.ask(entity, audience, families, Contribution::Whole)?;
        if let Some(finest) = tables.get(&Family::AgeGender) {
            let sums: Vec<_> = sums.into_iter().map(|sum| (sum, finest.coarsened(sum))).collect();
            tables.extend(sums);
        }
        for &family in wanted {
            if family.is_curve() {
                audience.curves.insert(family, self.exact_curve(family, &tables)?);
            } else {
                audience.tables.insert(family, self.exact_table(family, &tables)?);
            }
        }
        Ok(())
    }

    /// Noisy tables, which need nothing beside them.
    fn put_noisy(
        &self,
        audience: &mut Audience,
        entity: &Entity,
        ground: &Ground,
        wanted: &BTreeSet<Family>,
    ) -> Result<(), GateError> {
        let drawn = wanted.iter().map(|&family| drawn_from(family)).collect();
        let tables = self.ask(entity, audience, drawn, Contribution::Bounded)?;
        let noisy = Noisy::new(self, entity, audience.window, &ground.rewrites);
        for &family in wanted {
            if family.is_curve() {
                audience.curves.insert(family, noisy.curve(family, &tables)?);
            } else {
                audience.tables.insert(family, noisy.table(family, &tables)?);
            }
        }
        Ok(())
    }

    /// One question to the engine.
    fn ask(
        &self,
        entity: &Entity,
        audience: &Audience,
        families: BTreeSet<Family>,
        contribution: Contribution,
    ) -> Result<Tables, GateError> {
        let asked: Vec<Family> = families.into_iter().collect();
        let tables = self.source.audience(entity, audience.window.days(), &asked, contribution)?;
        if tables.len() != asked.len() {
            return Err(GateError::Unavailable);
        }
        let counted = asked.into_iter().zip(tables).map(|(family, table)| Some((family, table.count(family)?)));
        counted.collect::<Option<Tables>>().ok_or(GateError::Unavailable)
    }
}

impl Audience {
    /// A family without any number, for one reason.
    fn put_reason(&mut self, family: Family, reason: Measure) {
        let rows = cells::fixed(family).unwrap_or_default().into_iter().map(|cell| (cell, reason)).collect();
        if family.is_curve() {
            self.curves.insert(family, Curve::new(reason, rows));
        } else {
            let rest = if cells::is_partition(family) { Rest::Exact } else { Rest::NotApplicable };
            self.tables.insert(family, AudienceTable::new(reason, rows, rest));
        }
    }
}
