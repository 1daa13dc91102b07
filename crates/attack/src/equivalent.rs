//! Equivalent questions: the same count by its reach, by countries, by devices, by stages … Their noise is independent, so
//! together they say more than each alone; never more than the best linear estimator over all of them, and never more
//! exactly than the margins of error say.

use std::sync::Arc;

use throng_model::{Cell, Family, Stage, WindowKind};
use throng_privacy::{Audience, Contribution, Gate, Policy, Source};

use crate::AttackError;
use crate::card::{Line, Result as Measured};
use crate::dice::Dice;
use crate::planted::{Plan, all_questions};
use crate::question::{Question, disclosed, measure, sigma};
use crate::scene::Side;
use crate::stats::{ALPHA, chi_squared};
use crate::suite::Run;

pub(crate) const NAME: &str = "equivalent-questions";

/// Families whose rows split the reach, by draws of their own.
const WAYS: [Family; 8] = [
    Family::Reach,
    Family::Novelty,
    Family::FollowerStatus,
    Family::Country,
    Family::Region,
    Family::AgeGender,
    Family::Device,
    Family::Funnel,
];

/// Every line of this attack.
pub(crate) fn run(run: &Run<'_>) -> Result<Vec<Line>, AttackError> {
    let (policy, keys, seed) = (run.noise(), run.size(400, 4_000), run.seed(NAME));
    let strong = Samples::draw(&policy, &policy, keys, seed)?;
    let weak = Samples::draw(&policy.clone().with_rho(10.0)?, &policy, keys, seed + 1)?;
    Ok(vec![
        Line::held(NAME, "best linear estimator over all ways", strong.together()),
        Line::held(NAME, "each way by itself, as exact as stated", strong.more_exact()),
        Line::held(NAME, "each way by itself, no less exact than stated", strong.less_exact()),
        Line::control(NAME, "breaks weakened gate (ρ = 10 called 0.5)", weak.together()),
    ])
}

/// Errors over many noise keys, each in units of what is stated: of the estimator, and of each way.
struct Samples {
    together: Vec<f64>,
    ways: Vec<Vec<f64>>,
    questions: u64,
}

impl Samples {
    /// Estimates under one policy, and the margins of error that another one states.
    fn draw(policy: &Policy, stated: &Policy, keys: usize, seed: u64) -> Result<Self, AttackError> {
        let world = Plan::new(false).world();
        let side = Side::of(&world)?;
        let month = all_questions(&world, &[0])?.into_iter().find(|question| question.kind == WindowKind::Month);
        let question = Question { families: WAYS.to_vec(), ..month.ok_or(AttackError::World)? };
        let truth = side.tables(&question, Contribution::Bounded);
        let truth = truth.get(&Family::Reach).map_or(0.0, |table| table.total.len() as f64);
        let source: Arc<dyn Source> = Arc::new(side.keep(std::slice::from_ref(&question)));
        let mut dice = Dice::new(seed, 0);
        let mut samples = Self { together: Vec::new(), ways: vec![Vec::new(); WAYS.len()], questions: 0 };
        for _ in 0..keys {
            let key = dice.key_bytes();
            let gate =
                |policy: &Policy| Gate::new(source.clone(), policy.clone(), throng_privacy::NoiseKey::from_bytes(key));
            let (answer, margins) = (question.ask(&gate(policy))?, question.ask(&gate(stated))?);
            let (mut weighted, mut weights) = (0.0, 0.0);
            for (family, errors) in WAYS.into_iter().zip(&mut samples.ways) {
                let (Some((value, _)), Some((_, variance))) = (way(&answer, family), way(&margins, family)) else {
                    continue;
                };
                weighted += (value - truth) / variance;
                weights += 1.0 / variance;
                errors.push((value - truth) / variance.sqrt());
            }
            samples.together.push(weighted / weights * weights.sqrt());
            samples.questions += 2;
        }
        Ok(samples)
    }

    /// How much smaller than stated the estimator's squared error is.
    fn together(&self) -> Measured {
        self.ratio(std::slice::from_ref(&self.together), |stated| stated)
    }

    fn more_exact(&self) -> Measured {
        self.ratio(&self.ways, |stated| stated)
    }

    fn less_exact(&self) -> Measured {
        self.ratio(&self.ways, |stated| 1.0 / stated)
    }

    /// The largest of stated ÷ measured variance, as `of` reads it, beside what chance may do to it.
    fn ratio(&self, errors: &[Vec<f64>], of: fn(f64) -> f64) -> Measured {
        let squares = |errors: &Vec<f64>| errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64;
        let worst = errors.iter().map(|errors| of(1.0 / squares(errors))).fold(0.0, f64::max);
        let (samples, alpha) = (self.together.len() as f64, ALPHA / errors.len() as f64);
        let extremes = [alpha, 1.0 - alpha].map(|p| of(samples / chi_squared(samples, p)));
        // A little more for numbers that are rounded to whole viewers.
        let margin = extremes.into_iter().fold(0.0, f64::max) - 1.0 + 0.01;
        Measured { questions: self.questions, measure: "variance", success: worst, blind: 0.0, bound: 1.0, margin }
    }
}

/// The reach by one way, and the variance that its margins of error state.
fn way(answer: &Audience, family: Family) -> Option<(f64, f64)> {
    let cell = match family {
        Family::Reach => None,
        Family::Funnel => Some(Cell::Stage(Stage::Viewed)),
        _ => {
            let rows = disclosed(answer).into_iter().filter(|(of, cell, _)| *of == family && cell.is_some());
            let parts: Vec<(f64, f64)> =
                rows.filter_map(|(_, _, measure)| Some((measure.value()?, sigma(&measure).powi(2)))).collect();
            let sum = parts.iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
            return (!parts.is_empty()).then_some(sum);
        }
    };
    let measure = measure(answer, family, cell)?;
    Some((measure.value()?, sigma(&measure).powi(2)))
}
