//! Reconstruction: some viewers, each of whom may or may not have been there, and one least-squares fit of all their bits to
//! everything that is released about an entity.

use std::collections::BTreeMap;
use std::sync::Arc;

use throng_model::{AgeBand, Device, Family, Follower, Gender, Kind, Region, Source, Traits};
use throng_privacy::{Audience, Gate, NoiseKey, Policy, Protection, ROLLING_STEP_DAYS_DEFAULT};
use throng_query::Engine;

use crate::AttackError;
use crate::card::{Line, Result as Measured};
use crate::dice::Dice;
use crate::layer::Layer;
use crate::planted::{CHANNEL, VIDEO};
use crate::question::{Question, ask_all, disclosed, sigma};
use crate::scene::{Side, Tables, contribution};
use crate::stats::{ALPHA, advantage_max, hoeffding};
use crate::suite::Run;
use crate::truth::Table;
use crate::world::{Act, Clip, World, channel, day};

pub(crate) const NAME: &str = "reconstruction";

/// Who may have been there: viewers who differ from the first in one trait each.
const SECRETS: [u32; 6] = [0, 1, 2, 4, 8, 16];
/// Everyone else, whom the attacker knows.
const CROWD: u32 = 1_400;
/// What may count of a bit before anything is known of it: its variance, of which the inverse is the ridge.
const RIDGE: f64 = 4.0;

/// Every line of this attack.
pub(crate) fn run(run: &Run<'_>) -> Result<Vec<Line>, AttackError> {
    let (noise, seed) = (run.noise(), run.seed(NAME));
    let trials = run.size(400, 4_000);
    let held = accuracy(&noise, noise.rho(), trials, seed)?;
    let exact = accuracy(&run.threshold()?, noise.rho(), trials / 2, seed + 1)?;
    Ok(vec![
        Line::held(NAME, "bits of six viewers, all windows of a channel", held),
        Line::control(NAME, "breaks threshold mode", exact),
    ])
}

/// The part of bits found, over random bits and noise keys. By the bound on each bit's own game, nobody finds more than a
/// half and half the advantage.
fn accuracy(policy: &Policy, rho: f64, trials: usize, seed: u64) -> Result<Measured, AttackError> {
    let mut dice = Dice::new(seed, 0);
    let puzzle = Puzzle::new(policy)?;
    puzzle.check(&mut dice)?;
    let mut right = 0;
    for _ in 0..trials {
        let bits = SECRETS.map(|_| dice.chance(50));
        let gate = Gate::new(Arc::new(puzzle.layer(&bits)), policy.clone(), dice.noise_key());
        let found = puzzle.solve(&ask_all(&gate, &puzzle.questions)?);
        right += bits.iter().zip(found).filter(|(bit, found)| **bit == (*found > 0.5)).count();
    }
    Ok(Measured {
        questions: (trials * puzzle.questions.len()) as u64,
        measure: "accuracy",
        success: right as f64 / (trials * SECRETS.len()) as f64,
        blind: 0.5,
        bound: 0.5 + advantage_max(rho) / 2.0,
        margin: hoeffding(trials, ALPHA),
    })
}

/// What the attacker knows: the tables without any secret viewer, and what each of these adds.
struct Puzzle {
    policy: Policy,
    crowd: Side,
    questions: Vec<Question>,
    known: Vec<Tables>,
    adds: Vec<Vec<Tables>>,
}

impl Puzzle {
    fn new(policy: &Policy) -> Result<Self, AttackError> {
        let families = Family::ALL.into_iter().filter(|family| !family.is_curve()).collect::<Vec<_>>();
        let questions = Question::holding(&channel(CHANNEL)?, day(0), None, ROLLING_STEP_DAYS_DEFAULT, &families);
        let counts = contribution(policy);
        let crowd = Side::of(&world(&[false; SECRETS.len()], CROWD))?;
        let known = questions.iter().map(|question| crowd.tables(question, counts)).collect();
        let mut adds = Vec::new();
        for at in 0..SECRETS.len() {
            let mut bits = [false; SECRETS.len()];
            bits.iter_mut().skip(at).take(1).for_each(|bit| *bit = true);
            let alone = Side::of(&world(&bits, 0))?;
            adds.push(questions.iter().map(|question| alone.tables(question, counts)).collect());
        }
        Ok(Self { policy: policy.clone(), crowd, questions, known, adds })
    }

    /// An engine over the crowd and those whose bit is set: they come on one day alone, so tables are unions.
    fn layer(&self, bits: &[bool]) -> Layer {
        let mut layer = Layer::over(self.crowd.source.clone());
        for (at, (question, known)) in self.questions.iter().zip(&self.known).enumerate() {
            let mut tables: BTreeMap<Family, Table> = known.clone();
            for (adds, _) in self.adds.iter().zip(bits).filter(|(_, bit)| **bit) {
                for (family, add) in adds.get(at).into_iter().flatten() {
                    let table = tables.entry(*family).or_default();
                    table.total |= &add.total;
                    for (cell, viewers) in &add.cells {
                        *table.cells.entry(*cell).or_default() |= viewers;
                    }
                }
            }
            let counts = contribution(&self.policy);
            layer.kept.insert((question.entity.clone(), question.days, counts), tables);
        }
        layer
    }

    /// The unions answer as the engine does over a store of the same viewers.
    fn check(&self, dice: &mut Dice) -> Result<(), AttackError> {
        let (bits, key) = (SECRETS.map(|_| dice.chance(50)), dice.key_bytes());
        let ask = |gate: Gate| ask_all(&gate, &self.questions);
        let engine = Engine::new(world(&bits, CROWD).store()?);
        let engine = ask(Gate::new(Arc::new(engine), self.policy.clone(), NoiseKey::from_bytes(key)))?;
        let layer = ask(Gate::new(Arc::new(self.layer(&bits)), self.policy.clone(), NoiseKey::from_bytes(key)))?;
        if engine == layer { Ok(()) } else { Err(AttackError::Disagree) }
    }

    /// The bits' least squares, weighted by the stated margins, with a ridge towards a half.
    fn solve(&self, answers: &[Audience]) -> [f64; SECRETS.len()] {
        let exact = self.policy.protection() == Protection::Threshold;
        let mut matrix = [[0.0; SECRETS.len()]; SECRETS.len()];
        let mut right = [0.0; SECRETS.len()];
        matrix.iter_mut().enumerate().for_each(|(at, row)| row.iter_mut().skip(at).take(1).for_each(|on| *on = RIDGE));
        for (at, (answer, known)) in answers.iter().zip(&self.known).enumerate() {
            for (family, cell, measure) in disclosed(answer) {
                let behind = |tables: &Tables| tables.get(&family).map_or(0, |table| table.behind(family, cell)) as f64;
                let mut adds = [0.0; SECRETS.len()];
                adds.iter_mut().zip(&self.adds).for_each(|(to, adds)| *to = adds.get(at).map_or(0.0, behind));
                let variance = if exact { 0.01 } else { sigma(&measure).powi(2) };
                let off = measure.value().unwrap_or(0.0) - behind(known) - adds.iter().sum::<f64>() / 2.0;
                for (row, (sum, add)) in matrix.iter_mut().zip(right.iter_mut().zip(adds)) {
                    *sum += add * off / variance;
                    row.iter_mut().zip(adds).for_each(|(to, other)| *to += add * other / variance);
                }
            }
        }
        eliminate(matrix, right).map(|bit| bit + 0.5)
    }
}

/// Gauss and Jordan; the ridge keeps every pivot away from 0.
fn eliminate<const N: usize>(mut matrix: [[f64; N]; N], mut right: [f64; N]) -> [f64; N] {
    for pivot in 0..N {
        let (row, value) = (matrix[pivot], right[pivot]);
        for other in (0..N).filter(|&other| other != pivot) {
            let factor = matrix[other][pivot] / row[pivot];
            for (to, from) in matrix[other].iter_mut().zip(row) {
                *to -= factor * from;
            }
            right[other] -= factor * value;
        }
    }
    std::array::from_fn(|at| right[at] / matrix[at][at])
}

/// A crowd of every kind, and those secret viewers whose bit is set.
fn world(bits: &[bool; SECRETS.len()], crowd: u32) -> World {
    let clip = Clip { id: VIDEO, channel: CHANNEL, published: day(0), duration_ms: Some(60_000), tag: None };
    let mut acts: Vec<Act> = (0..crowd).map(|viewer| act(100 + viewer, viewer)).collect();
    let present = (0..).zip(SECRETS).zip(bits).filter(|(_, bit)| **bit);
    acts.extend(present.map(|((viewer, kind), _)| act(viewer, kind)));
    World { clips: vec![clip], acts, sealed_through: day(400), zone: "UTC" }
}

/// One view, whose every trait is a bit of the kind.
fn act(viewer: u32, kind: u32) -> Act {
    let bit = |at: u32| kind >> at & 1 == 1;
    let region = Region::from_code(if bit(0) { "DE-BY" } else { "FR-75" });
    Act {
        viewer,
        day: day(0),
        minute: 600,
        kind: Kind::View,
        clip: 0,
        watch_ms: 30_000,
        source: if bit(4) { Source::ForYou } else { Source::Search },
        traits: Traits {
            country: region.map(Region::country),
            region,
            age: Some(if bit(1) { AgeBand::From25 } else { AgeBand::From18 }),
            gender: Some(Gender::Female),
            device: Some(if bit(2) { Device::Android } else { Device::Ios }),
            follower: Some(if bit(3) { Follower::Yes } else { Follower::No }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_are_solved() {
        let found = eliminate([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]], [9.0, 8.5, 8.0]);
        for (is, must_be) in found.iter().zip([2.0, 1.0, 3.5]) {
            assert!((is - must_be).abs() < 1e-9, "{found:?}");
        }
    }
}
