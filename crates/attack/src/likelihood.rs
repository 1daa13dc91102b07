//! The attacker of the likelihood ratio, who knows everything but the target: how much likelier an answer is with the
//! target than without. By Neyman and Pearson no other test of the same numbers does better.

use throng_model::{Cell, Family, Stage, WindowKind};
use throng_privacy::{Allocation, Audience, Budget, EntityKind, Policy, Protection};

use crate::question::{Question, measure};
use crate::scene::Tables;
use crate::stats::normal_cdf;
use crate::truth::Table;

/// Evidence that settles it: an answer that one of the worlds never gives.
pub(crate) const CERTAIN: f64 = 60.0;
/// What stands for σ where numbers are exact.
pub(crate) const EXACT: f64 = 0.05;

/// What is compared of the answer to one question.
pub(crate) struct Likelihood {
    terms: Vec<Term>,
}

enum Term {
    Cell {
        family: Family,
        cell: Option<Cell>,
        with: f64,
        without: f64,
        noise: Noise,
    },
    Funnel {
        with: [f64; 4],
        without: [f64; 4],
        sigma: f64,
    },
    /// The retention curve in the coordinates of its noise, which are independent: see [`staircase`].
    Retention {
        change: Vec<f64>,
        middle: Vec<f64>,
        variance: f64,
    },
}

/// How a cell's number is released.
#[derive(Clone, Copy)]
struct Noise {
    sigma: f64,
    floor: f64,
    least: f64,
    exact: bool,
}

impl Likelihood {
    /// For one question, with the tables of both worlds, under the policy that the gate really follows.
    pub(crate) fn new(question: &Question, with: &Tables, without: &Tables, policy: &Policy) -> Self {
        let kind = EntityKind::of(&question.entity);
        let mut terms = Vec::new();
        for &family in &question.families {
            let (Some(with), Some(without)) = (with.get(&family), without.get(&family)) else { continue };
            let Some(line) = line(policy, kind, family, question.kind) else { continue };
            let exact = policy.protection() == Protection::Threshold;
            match family {
                // Computed from the cells of both together.
                Family::Age | Family::Gender => {}
                Family::Funnel if !exact => {
                    let counts = |of: &Table| Stage::ALL.map(|stage| of.count(Cell::Stage(stage)) as f64);
                    let sigma = line.sigma / 2.0;
                    terms.push(Term::Funnel { with: counts(with), without: counts(without), sigma });
                }
                Family::Retention if !exact => {
                    let counts = |of: &Table| {
                        staircase(&(0..=100).map(|at| of.count(Cell::Position(at)) as f64).collect::<Vec<_>>())
                    };
                    let (with, without) = (counts(with), counts(without));
                    let change = with.iter().zip(&without).map(|(with, without)| with - without).collect();
                    let middle =
                        with.iter().zip(&without).map(|(with, without)| f64::midpoint(*with, *without)).collect();
                    let variance = f64::from(line.windows_per_day) * line.sensitivity_squared / (2.0 * line.rho);
                    terms.push(Term::Retention { change, middle, variance });
                }
                _ => {
                    let noise = Noise {
                        sigma: if exact { EXACT } else { line.sigma },
                        floor: f64::from(policy.audience_min()),
                        least: line.shown_from,
                        exact,
                    };
                    let cells = with.cells.keys().chain(without.cells.keys()).copied().map(Some).chain([None]);
                    let mut cells: Vec<Option<Cell>> =
                        cells.filter(|cell| cell.is_some() || family == Family::Reach || exact).collect();
                    cells.sort_unstable();
                    cells.dedup();
                    for cell in cells {
                        let (with, without) = (with.behind(family, cell) as f64, without.behind(family, cell) as f64);
                        if with != without {
                            terms.push(Term::Cell { family, cell, with, without, noise });
                        }
                    }
                }
            }
        }
        Self { terms }
    }

    /// ln P(answer with the target) − ln P(answer without).
    pub(crate) fn score(&self, answer: &Audience) -> f64 {
        self.terms.iter().map(|term| term.score(answer)).sum()
    }
}

/// The line of the budget that a family's noise follows.
pub(crate) fn line(policy: &Policy, kind: EntityKind, family: Family, window: WindowKind) -> Option<Allocation> {
    let lines = Budget::of(policy).allocations();
    lines.into_iter().find(|line| line.entity == kind && line.family == family && line.window == window)
}

impl Term {
    fn score(&self, answer: &Audience) -> f64 {
        match self {
            Self::Cell { family, cell, with, without, noise } => {
                let number = measure(answer, *family, *cell).and_then(|measure| measure.value());
                (noise.ln(number, *with) - noise.ln(number, *without)).clamp(-CERTAIN, CERTAIN)
            }
            Self::Funnel { with, without, sigma } => funnel(answer, with, without, *sigma),
            Self::Retention { change, middle, variance } => {
                let Some(numbers) = retention(answer) else { return 0.0 };
                let numbers = staircase(&numbers);
                let each = change.iter().zip(middle).zip(&numbers);
                each.map(|((change, middle), number)| change * (number - middle) / variance).sum()
            }
        }
    }
}

impl Noise {
    /// ln of the chance that a count of viewers is released as this number, or withheld.
    fn ln(&self, number: Option<f64>, viewers: f64) -> f64 {
        match number {
            Some(_) if viewers < self.floor => -CERTAIN * 2.0,
            Some(number) => (-((number - viewers) / self.sigma).powi(2) / 2.0).max(-CERTAIN * 2.0),
            None if viewers < self.floor => 0.0,
            // A number at the floor can be withheld for another one's sake.
            None if self.exact => 0.01_f64.ln(),
            None => normal_cdf((self.least.ceil() - 0.5 - viewers) / self.sigma).max(1e-40).ln(),
        }
    }
}

/// Stages are shown from the start as far as they can be; the differences of their numbers are independent.
fn funnel(answer: &Audience, with: &[f64; 4], without: &[f64; 4], sigma: f64) -> f64 {
    let shown = Stage::ALL.map(|stage| measure(answer, Family::Funnel, Some(Cell::Stage(stage))));
    let numbers: Vec<f64> = shown.iter().map_while(|measure| measure.as_ref()?.value()).collect();
    let mut score = 0.0;
    for (at, number) in numbers.iter().enumerate() {
        let next = numbers.get(at + 1);
        let cells = if next.is_some() { 1 } else { 4 - at };
        let sum = |of: &[f64; 4]| of.iter().skip(at).take(cells).sum::<f64>();
        let here = number - next.unwrap_or(&0.0);
        let variance = sigma * sigma * cells as f64;
        score += (sum(with) - sum(without)) * (here - f64::midpoint(sum(with), sum(without))) / variance;
    }
    score
}

/// Viewers at each position, where the whole curve is shown.
fn retention(answer: &Audience) -> Option<Vec<f64>> {
    let curve = answer.curve(Family::Retention)?;
    let measures = std::iter::once(curve.total()).chain(curve.points().iter().map(|point| point.measure()));
    let further: Vec<f64> = measures.map_while(|measure| measure.value()).collect();
    let next = further.iter().skip(1).copied().chain([0.0]);
    (further.len() == 101).then(|| further.iter().zip(next).map(|(here, next)| here - next).collect())
}

/// The square root of the matrix that sums from the far end, applied to a histogram: the curve's noise is added to this
/// (Fichtenberger, Henzinger, Upadhyay 2022, with f(k) = C(2k, k) ÷ 4ᵏ).
fn staircase(histogram: &[f64]) -> Vec<f64> {
    let weights: Vec<f64> = std::iter::successors(Some((0.0, 1.0)), |&(k, f): &(f64, f64)| {
        Some((k + 1.0, f * (2.0 * k + 1.0) / (2.0 * k + 2.0)))
    })
    .map(|(_, f)| f)
    .take(histogram.len())
    .collect();
    let from = |start: usize| histogram.iter().skip(start).zip(&weights).map(|(count, weight)| count * weight).sum();
    (0..histogram.len()).map(from).collect()
}
