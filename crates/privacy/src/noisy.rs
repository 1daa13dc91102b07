//! Insights with noise (P4): true counts in, noisy numbers out, and everything else computed from those.
//!
//! Each cell of the catalogue has its own draw. A number is shown if the true count reaches the floor *and* the noisy one
//! lies so far above it that it hardly ever would otherwise. Cells that cannot be shown and that nothing is computed from
//! are not drawn: that changes no answer.

use throng_model::{Cell, Entity, Family};

use crate::budget::drawn_from;
use crate::crowd::Counted;
use crate::insight::Tables;
use crate::noise::Noise;
use crate::shapes::Rest;
use crate::{AskedWindow, AudienceTable, Curve, EntityKind, Gate, GateError, Measure, Rewrites, cells, stairs};

/// The noise of one entity and window.
pub(crate) struct Noisy<'g> {
    gate: &'g Gate,
    entity: &'g Entity,
    window: AskedWindow,
    rewrites: Rewrites,
    /// The same for windows and the days before them that newness is judged by.
    rewrites_novelty: Rewrites,
}

/// A noisy number before it is judged.
#[derive(Debug, Clone, Copy)]
struct Estimate {
    viewers: f64,
    sigma: f64,
    draws: usize,
}

impl<'g> Noisy<'g> {
    /// `rewrites` are those of the days that newness is judged by, which end with the window.
    pub(crate) fn new(gate: &'g Gate, entity: &'g Entity, window: AskedWindow, rewrites: &Rewrites) -> Self {
        let mut in_window = rewrites.clone();
        in_window.reopened.retain(|(_, day, _)| window.days().contains(*day));
        Self { gate, entity, window, rewrites: in_window, rewrites_novelty: rewrites.clone() }
    }

    /// A family's table; of a curve, see [`Self::curve`].
    pub(crate) fn table(&self, family: Family, tables: &Tables) -> Result<AudienceTable, GateError> {
        let source = drawn_from(family);
        let table = tables.get(&source).ok_or(GateError::Unavailable)?;
        let noise = self.noise(source);
        let mut rows: Vec<(Cell, Measure)> = match cells::fixed(family) {
            Some(cells) if source == family => cells.into_iter().map(|cell| self.row(&noise, table, cell)).collect(),
            Some(cells) => cells.into_iter().map(|cell| self.sum(&noise, table, family, cell)).collect(),
            None => table.rows.keys().map(|&cell| self.row(&noise, table, cell)).collect(),
        };
        if cells::fixed(family).is_none() {
            rows.retain(|(_, measure)| measure.value().is_some());
        }
        cells::rank(family, &mut rows);
        let reach = table.total;
        let total = self.judge(reach, self.draw(&self.noise(Family::Reach), None, reach));
        let budget = &self.gate.budget;
        let rest = if cells::is_partition(family) {
            Rest::Noisy { floor: budget.shown_from(0.0, 0.0), z: budget.z(usize::MAX) }
        } else {
            Rest::NotApplicable
        };
        Ok(AudienceTable::new(total, rows, rest))
    }

    /// A family's curve: cumulated from the far end, made to fall, and shown from the start as far as it can be.
    pub(crate) fn curve(&self, family: Family, tables: &Tables) -> Result<Curve, GateError> {
        let table = tables.get(&family).ok_or(GateError::Unavailable)?;
        let noise = self.noise(family);
        // Where the first point is the whole family, as in a funnel, it is the total too.
        let cells = cells::fixed(family).unwrap_or_default();
        let (named, mut estimates, truth) = match family {
            Family::Retention => {
                let truth: Vec<u64> = (0..=100).map(|at| table.of(Cell::Position(at))).collect();
                (cells, self.positions(&noise, &truth), truth)
            }
            _ => {
                let truth: Vec<u64> = cells.iter().map(|&cell| table.of(cell)).collect();
                (cells.get(1..).unwrap_or_default().to_vec(), self.steps(&noise, &cells, &truth), truth)
            }
        };
        let mut left = truth.iter().sum::<u64>();
        let mut going = true;
        let mut shown = Vec::with_capacity(truth.len());
        for (estimate, here) in estimates.iter().zip(&truth) {
            going &= self.judge(left, *estimate).value().is_some();
            shown.push(going);
            left -= here;
        }
        let mut falling: Vec<f64> = estimates.iter().map(|estimate| estimate.viewers).collect();
        stairs::isotonic(&mut falling);
        for (estimate, viewers) in estimates.iter_mut().zip(falling) {
            estimate.viewers = viewers;
        }
        let mut measures = estimates.iter().zip(shown).map(|(estimate, shown)| {
            if shown { Measure::noisy(estimate.viewers.round(), estimate.sigma) } else { Measure::withheld() }
        });
        let total = measures.next().unwrap_or_else(Measure::withheld);
        let first = cells::curve_start(family).map(|cell| (cell, total));
        Ok(Curve::new(total, first.into_iter().chain(named.into_iter().zip(measures)).collect()))
    }

    /// What the viewers at each position or further are, through the staircase mechanism.
    fn positions(&self, noise: &Noise, truth: &[u64]) -> Vec<Estimate> {
        let mut histogram = [0; stairs::POINTS];
        histogram.iter_mut().zip(truth).for_each(|(to, &from)| *to = from);
        let mut noisy = stairs::forward(&histogram);
        for (index, value) in (0..).zip(&mut noisy) {
            *value += noise.of(Some(Cell::Position(index)));
        }
        let sigma = noise.variance().sqrt();
        let points = stairs::cumulative(&noisy).into_iter().zip(stairs::spread());
        points.map(|(viewers, spread)| Estimate { viewers, sigma: spread * sigma, draws: usize::MAX }).collect()
    }

    /// What the viewers at each stage or further are: sums of few cells.
    fn steps(&self, noise: &Noise, cells: &[Cell], truth: &[u64]) -> Vec<Estimate> {
        let (mut viewers, mut variance) = (0, 0.0);
        let mut estimates: Vec<Estimate> = cells
            .iter()
            .zip(truth)
            .rev()
            .map(|(&cell, &count)| {
                viewers += count as i64 + noise.of(Some(cell));
                variance += noise.variance();
                Estimate { viewers: viewers as f64, sigma: variance.sqrt(), draws: usize::MAX }
            })
            .collect();
        estimates.reverse();
        estimates
    }

    /// A cell with its own draw.
    fn row(&self, noise: &Noise, counts: &Counted, cell: Cell) -> (Cell, Measure) {
        let viewers = counts.of(cell);
        if viewers < self.gate.judge.floor() {
            return (cell, Measure::withheld());
        }
        (cell, self.judge(viewers, self.draw(noise, Some(cell), viewers)))
    }

    /// A cell of a coarser family: the sum of all finer noisy cells, shown or not.
    fn sum(&self, noise: &Noise, counts: &Counted, family: Family, cell: Cell) -> (Cell, Measure) {
        let finer = cells::fixed(drawn_from(family)).unwrap_or_default();
        let parts: Vec<Cell> =
            finer.into_iter().filter(|&finer| cells::coarser_cell(finer, family) == Some(cell)).collect();
        let viewers: u64 = parts.iter().map(|&part| counts.of(part)).sum();
        if viewers < self.gate.judge.floor() {
            return (cell, Measure::withheld());
        }
        let drawn: i64 = parts.iter().map(|&part| noise.of(Some(part))).sum();
        let sigma = (noise.variance() * parts.len() as f64).sqrt();
        (cell, self.judge(viewers, Estimate { viewers: viewers as f64 + drawn as f64, sigma, draws: usize::MAX }))
    }

    fn draw(&self, noise: &Noise, cell: Option<Cell>, viewers: u64) -> Estimate {
        let viewers = viewers as f64 + noise.of(cell) as f64;
        Estimate { viewers, sigma: noise.variance().sqrt(), draws: noise.draws() }
    }

    /// The release rule.
    fn judge(&self, viewers: u64, estimate: Estimate) -> Measure {
        let budget = &self.gate.budget;
        let least = budget.shown_from(budget.z(estimate.draws), estimate.sigma);
        if viewers >= self.gate.judge.floor() && estimate.viewers >= least {
            Measure::noisy(estimate.viewers, estimate.sigma)
        } else {
            Measure::withheld()
        }
    }

    fn noise(&self, family: Family) -> Noise {
        let kind = self.window.kind();
        let variance = self.gate.budget.variance(EntityKind::of(self.entity), family, kind);
        let rewrites = if family == Family::Novelty { &self.rewrites_novelty } else { &self.rewrites };
        Noise::new(&self.gate.noise_key, self.entity, (kind, self.window.days()), family, variance, rewrites)
    }
}
