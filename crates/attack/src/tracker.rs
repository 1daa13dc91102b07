//! Tracker: random questions, everything that their answers hold (also what is computed from other numbers), and a linear
//! solver for the target's bit.

use std::sync::Arc;

use throng_model::{Cell, Family};
use throng_privacy::{Audience, EntityKind, Policy, Protection};

use crate::AttackError;
use crate::card::Line;
use crate::dice::Dice;
use crate::differencing::scene;
use crate::planted::{CHANNEL, TAG, VIDEO};
use crate::question::{disclosed, sigma};
use crate::scene::{Scene, Tables, contribution, spent};
use crate::suite::Run;
use crate::world::{channel, hashtag, video};

pub(crate) const NAME: &str = "tracker";

/// What the questions are about.
const ASKED: [EntityKind; 3] = [EntityKind::Creator, EntityKind::Video, EntityKind::Hashtag];

/// Every line of this attack.
pub(crate) fn run(run: &Run<'_>) -> Result<Vec<Line>, AttackError> {
    let (noise, threshold, seed) = (run.noise(), run.threshold()?, run.seed(NAME));
    let trials = run.size(150, 2_000);
    let mut lines = Vec::new();
    for round in 0..run.size(1, 3) as u64 {
        let scene = random_scene(&noise, &mut Dice::new(seed, round))?;
        let result = scene.play(&noise, spent(&noise, &ASKED), trials, seed + round, solver(&scene, &noise))?;
        lines.push(Line::held(NAME, "random questions, linear solver", result));
    }
    let scene = random_scene(&noise, &mut Dice::new(seed, 0))?;
    let exact = scene.play(&threshold, spent(&noise, &ASKED), trials, seed, solver(&scene, &threshold))?;
    lines.push(Line::control(NAME, "breaks threshold mode", exact));
    Ok(lines)
}

/// About half of all windows of a channel, a video and a hashtag, each with some families.
fn random_scene(policy: &Policy, dice: &mut Dice) -> Result<Scene, AttackError> {
    let mut scene = scene(policy, &[channel(CHANNEL)?, video(VIDEO)?, hashtag(TAG)?], false)?;
    scene.questions.retain(|_| dice.chance(50));
    for question in &mut scene.questions {
        let kind = EntityKind::of(&question.entity);
        question.families =
            Family::ALL.into_iter().filter(|&family| kind.has_family(family) && dice.chance(50)).collect();
    }
    scene.questions.retain(|question| !question.families.is_empty());
    Ok(scene)
}

/// The least squares estimate of the bit: each number that the target changes, weighted by its stated margin.
fn solver(scene: &Scene, policy: &Policy) -> impl Fn(&[Audience]) -> f64 {
    let counts = contribution(policy);
    let tables: Vec<[Arc<Tables>; 2]> = scene
        .questions
        .iter()
        .map(|question| [&scene.with, &scene.without].map(|side| Arc::new(side.tables(question, counts))))
        .collect();
    let exact = policy.protection() == Protection::Threshold;
    move |answers| {
        let (mut found, mut weight) = (0.0, 1e-9);
        for (answer, [with, without]) in answers.iter().zip(&tables) {
            for (family, cell, measure) in disclosed(answer) {
                let (with, without) = (behind(with, family, cell), behind(without, family, cell));
                let change = with - without;
                let variance = if exact { 0.01 } else { sigma(&measure).powi(2) };
                found += change * (measure.value().unwrap_or(0.0) - without) / variance;
                weight += change * change / variance;
            }
        }
        found / weight
    }
}

fn behind(tables: &Tables, family: Family, cell: Option<Cell>) -> f64 {
    tables.get(&family).map_or(0, |table| table.behind(family, cell)) as f64
}
