//! Averaging: the same question ten thousand times, beside others, in other orders, after a restart, over a copy. What is
//! always the same cannot be averaged.

use std::sync::Arc;

use throng_model::{Family, WindowKind};
use throng_privacy::{Contribution, EntityKind, Gate, NoiseKey, Policy, Source};
use throng_query::Engine;
use throng_store::{MemoryMap, Options, Store};

use crate::card::{Line, Result as Measured};
use crate::dice::Dice;
use crate::likelihood::line;
use crate::planted::{Plan, all_questions};
use crate::question::{Question, disclosed, measure};
use crate::scene::Side;
use crate::suite::Run;
use crate::world::World;
use crate::{AttackError, platform};

pub(crate) const NAME: &str = "averaging";

/// Every line of this attack.
pub(crate) fn run(run: &Run<'_>) -> Result<Vec<Line>, AttackError> {
    let (policy, repeats, seed) = (run.noise(), run.size(400, 10_000), run.seed(NAME));
    let world = Plan::new(true).world();
    let map = MemoryMap::default();
    let questions: Vec<Question> = all_questions(&world, &[0])?;
    let store = world.store_in(&map)?;
    let engine = || -> Arc<dyn Source> { Arc::new(Engine::new(store.clone())) };
    let key = Dice::new(seed, 0).key_bytes();
    let gate = |source| Gate::new(source, policy.clone(), NoiseKey::from_bytes(key));
    let asked_once = questions.len() as u64;

    let once = texts(&gate(engine()), &questions)?;
    let mut changed = 0;
    let rounds = repeats.div_ceil(questions.len());
    let same = gate(engine());
    for round in 0..rounds {
        let other = gate(engine());
        changed += differing(&once, &texts(if round % 2 == 0 { &same } else { &other }, &questions)?);
    }
    let repeated = Measured::count("answers", rounds as u64 * asked_once, changed);

    let (mut alone, mut asked) = (0, 0);
    for (question, text) in questions.iter().zip(&once) {
        for &family in question.families.iter().rev() {
            let families = vec![family, Family::Reach];
            let answer = text_of(&gate(engine()), &Question { families, ..question.clone() })?;
            alone += answer.iter().filter(|line| !text.contains(line)).count() as u64;
            asked += 1;
        }
    }
    let alone = Measured::count("numbers", asked, alone);

    let copy = MemoryMap::from_entries(map.entries());
    let reopened = Store::in_memory(&copy, &Options::default())?;
    let restored = texts(&gate(Arc::new(Engine::new(reopened))), &questions)?;
    let restored = Measured::count("answers", asked_once, differing(&once, &restored));

    Ok(vec![
        Line::held(NAME, format!("{repeats} repeats, many gates"), repeated),
        Line::held(NAME, "other families beside, other order", alone),
        Line::held(NAME, "restart over a restored copy", restored),
        on_platform(run, key)?,
        redrawn(&world, &policy, repeats, seed)?,
    ])
}

/// Two copies of the platform, each opened by itself.
fn on_platform(run: &Run<'_>, key: [u8; 32]) -> Result<Line, AttackError> {
    let policy = &run.platform.policy;
    let ask = |store: &Store| {
        let (side, questions) = platform::sample(store, policy, run.size(4, 30))?;
        texts(&Gate::new(side.source, policy.clone(), NoiseKey::from_bytes(key)), &questions)
    };
    let (first, second) = (ask(&run.untouched()?)?, ask(&(run.platform.copy)()?)?);
    let result = Measured::count("answers", 2 * first.len() as u64, differing(&first, &second));
    Ok(Line::held(NAME, format!("{}, two copies", run.platform.name), result))
}

/// Noise that were drawn anew for each question: the mean of the answers is the count.
fn redrawn(world: &World, policy: &Policy, repeats: usize, seed: u64) -> Result<Line, AttackError> {
    let side = Side::of(world)?;
    let questions = all_questions(world, &[0])?;
    let month = questions.into_iter().find(|question| question.kind == WindowKind::Month);
    let question = Question { families: vec![Family::Reach], ..month.ok_or(AttackError::World)? };
    let source: Arc<dyn Source> = Arc::new(side.keep(std::slice::from_ref(&question)));
    let mut dice = Dice::new(seed, 1);
    let mut sum = 0.0;
    for _ in 0..repeats {
        let answer = question.ask(&Gate::new(source.clone(), policy.clone(), dice.noise_key()))?;
        sum += measure(&answer, Family::Reach, None).and_then(|measure| measure.value()).ok_or(AttackError::World)?;
    }
    let truth = side.tables(&question, Contribution::Bounded);
    let truth = truth.get(&Family::Reach).map_or(0, |table| table.total.len()) as f64;
    // One answer is off by σ; a mean that is off by a quarter of it or less has averaged the noise away.
    let sigma = line(policy, EntityKind::Creator, Family::Reach, question.kind);
    let off = (sum / repeats as f64 - truth).abs();
    let recovered = u64::from(off < sigma.map_or(0.0, |line| line.sigma) / 4.0);
    Ok(Line::control(NAME, "breaks redrawn noise", Measured::count("counts", repeats as u64, recovered)))
}

/// An answer as text, one line for each number and everything else about it.
fn text_of(gate: &Gate, question: &Question) -> Result<Vec<String>, AttackError> {
    let answer = question.ask(gate)?;
    Ok(disclosed(&answer).into_iter().map(|number| format!("{number:?}")).collect())
}

fn texts(gate: &Gate, questions: &[Question]) -> Result<Vec<Vec<String>>, AttackError> {
    questions.iter().map(|question| text_of(gate, question)).collect()
}

fn differing(first: &[Vec<String>], second: &[Vec<String>]) -> u64 {
    let pairs = first.iter().zip(second).filter(|(first, second)| first != second).count();
    (pairs + first.len().abs_diff(second.len())) as u64
}
