//! Averaging: the same question ten thousand times, beside others, in other orders, after a restart, over a copy. What is
//! always the same cannot be averaged.

use std::sync::Arc;

use throng_model::{Family, WindowKind};
use throng_privacy::{Audience, Contribution, EntityKind, Gate, NoiseKey, Policy, Source};
use throng_query::Engine;
use throng_store::{MemoryMap, Options, Store};

use crate::card::{Line, Result as Measured};
use crate::dice::Dice;
use crate::likelihood::line;
use crate::planted::{Plan, all_questions};
use crate::question::{Question, ask_all, disclosed, measure};
use crate::scene::Side;
use crate::suite::Run;
use crate::world::World;
use crate::{AttackError, platform};

pub(crate) const NAME: &str = "averaging";

/// Every line of this attack.
pub(crate) fn run(run: &Run<'_>) -> Result<Vec<Line>, AttackError> {
    let (policy, seed) = (run.noise(), run.seed(NAME));
    let (world, map) = (Plan::new(true).world(), MemoryMap::default());
    let stage = Stage {
        key: Dice::new(seed, 0).key_bytes(),
        questions: all_questions(&world, &[0])?,
        store: world.store_in(&map)?,
        policy: policy.clone(),
    };
    let copy = Store::in_memory(&MemoryMap::from_entries(map.entries()), &Options::default())?;
    let restored = differing(
        &texts(&stage.gate(), &stage.questions)?,
        &texts(&Stage { store: copy, ..stage.clone() }.gate(), &stage.questions)?,
    );
    let restored = Measured::count("answers", 2 * stage.questions.len() as u64, restored);
    let repeats = run.size(1_000, 10_000);
    Ok(vec![
        Line::held(NAME, format!("one question {repeats} times, all others in turn"), stage.repeated(repeats)?),
        Line::held(NAME, "other families beside, other order", stage.beside()?),
        Line::held(NAME, "restart over a restored copy", restored),
        on_platform(run, stage.key)?,
        redrawn(&world, &policy, repeats, seed)?,
    ])
}

/// A store, and gates before it that share a key.
#[derive(Clone)]
struct Stage {
    key: [u8; 32],
    questions: Vec<Question>,
    store: Store,
    policy: Policy,
}

impl Stage {
    fn gate(&self) -> Gate {
        let engine = Engine::new(self.store.clone());
        Gate::new(Arc::new(engine), self.policy.clone(), NoiseKey::from_bytes(self.key))
    }

    /// One question again and again, of one gate and of new ones, with other questions between.
    fn repeated(&self, repeats: usize) -> Result<Measured, AttackError> {
        let (gate, first) = (self.gate(), self.questions.first().ok_or(AttackError::World)?);
        let question = Question { families: vec![Family::Reach, Family::Country], ..first.clone() };
        let (once, all) = (text(&question.ask(&gate)?), texts(&gate, &self.questions)?);
        let mut changed = 0;
        for at in 0..repeats {
            let another = (at % 10 == 0).then(|| self.gate());
            let gate = another.as_ref().unwrap_or(&gate);
            changed += u64::from(text(&question.ask(gate)?) != once);
            let between = at * 7 % self.questions.len();
            if let (0, Some(other), Some(text_of_other)) = (at % 10, self.questions.get(between), all.get(between)) {
                changed += u64::from(text(&other.ask(gate)?) != *text_of_other);
            }
        }
        Ok(Measured::count("answers", (repeats + repeats.div_ceil(10)) as u64, changed))
    }

    /// Each family beside the reach alone, in another order: the numbers must be those of the whole answer.
    fn beside(&self) -> Result<Measured, AttackError> {
        let (mut changed, mut asked) = (0, 0);
        for question in &self.questions {
            let whole = numbers(&question.ask(&self.gate())?);
            for &family in question.families.iter().rev() {
                let families = vec![family, Family::Reach];
                let answer = Question { families, ..question.clone() }.ask(&self.gate())?;
                changed += numbers(&answer).iter().filter(|number| !whole.contains(number)).count() as u64;
                asked += 1;
            }
        }
        Ok(Measured::count("numbers", asked, changed))
    }
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

/// An answer as text, every bit of it.
fn text(answer: &Audience) -> String {
    format!("{answer:?}")
}

/// Its numbers, each with its family and cell.
fn numbers(answer: &Audience) -> Vec<String> {
    disclosed(answer).into_iter().map(|number| format!("{number:?}")).collect()
}

fn texts(gate: &Gate, questions: &[Question]) -> Result<Vec<String>, AttackError> {
    Ok(ask_all(gate, questions)?.iter().map(text).collect())
}

fn differing(first: &[String], second: &[String]) -> u64 {
    let pairs = first.iter().zip(second).filter(|(first, second)| first != second).count();
    (pairs + first.len().abs_diff(second.len())) as u64
}
