//! Erasure: everything released before it and everything released after it, laid side by side.
//!
//! An erasure adds an independent draw of the same σ to every number of every window that was over. What was published
//! before cost ρ for the target's day; the difference between before and after costs ρ once more. So the bound is that of 2ρ.

use std::collections::BTreeMap;
use std::sync::Arc;

use throng_model::{Day, Family, WindowKind};
use throng_privacy::{Audience, Contribution, EntityKind, Gate, NoiseKey, Policy, Protection, Source};
use throng_query::Engine;
use throng_store::Store;

use crate::card::{Line, Result as Measured};
use crate::dice::Dice;
use crate::layer::Layer;
use crate::likelihood::{CERTAIN, EXACT, line};
use crate::planted::{CHANNEL, Plan, TARGET, casual};
use crate::question::{Question, ask_all, disclosed, measure};
use crate::scene::{Scene, Side, Tables, outcome, total};
use crate::stats::{ALPHA, chi_squared};
use crate::suite::Run;
use crate::world::{Act, Clip, World, channel, day, viewer};
use crate::{AttackError, platform};

pub(crate) const NAME: &str = "erasure";

/// A channel that nobody who is erased ever touched.
const OTHER: &str = "cleo";
/// Who is erased in every world, from a channel of its own, so that there is an erasure in every world.
const DECOY: u32 = 90_000;
/// Erasures of the attacker's own viewers, to average the noise away.
const REPEATS: u32 = 8;

/// Every line of this attack.
pub(crate) fn run(run: &Run<'_>) -> Result<Vec<Line>, AttackError> {
    let (policy, seed) = (run.noise(), run.seed(NAME));
    let stage = Stage::new(&policy)?;
    let bound = 2.0 * policy.rho();
    let trials = run.size(200, 3_000);
    let honest = stage.compare(&policy, bound, trials, seed, None)?;
    let hidden = stage.compare(&policy, bound, trials, seed + 1, Some(0))?;
    let [averaged, drawn_anew] = stage.average(&policy, run.size(200, 2_000), seed + 2)?;
    let mut lines = vec![
        Line::held(NAME, "before and after, likelihood ratio: 2ρ", honest),
        stage.unchanged(&policy, seed, None)?,
        stage.copies(&policy, seed, false)?,
        Line::held(NAME, format!("{REPEATS} erasures of fakes, averaged"), averaged),
        Line::control(NAME, "breaks weakened gate (no draw for erasures)", hidden),
        stage.unchanged(&policy, seed, Some(0))?,
        stage.copies(&policy, seed, true)?,
        Line::control(NAME, "breaks noise drawn anew by each erasure", drawn_anew),
    ];
    lines.extend(on_platform(run)?);
    Ok(lines)
}

/// Someone who came by after the last sealed day is erased: nothing that was over held a row of theirs, and still every
/// answer changes.
fn on_platform(run: &Run<'_>) -> Result<Option<Line>, AttackError> {
    let (policy, store) = (&run.platform.policy, (run.platform.copy)()?);
    let Some(stage) = platform::Stage::of(&store, policy)?.filter(|_| policy.protection() == Protection::Noise) else {
        return Ok(None);
    };
    stage.arrive(&store)?;
    let key = Dice::new(run.seed(NAME), 8).key_bytes();
    let gate = Gate::new(stage.side.source.clone(), policy.clone(), NoiseKey::from_bytes(key));
    let before = ask_all(&gate, &stage.questions)?;
    store.erase(&[platform::target()?])?;
    store.compact(Day::MIN)?;
    let after = ask_all(&gate, &stage.questions)?;
    let same = before.iter().zip(&after).filter(|(before, after)| before == after && tells(before)).count() as u64;
    let result = Measured::count("answers", 2 * stage.questions.len() as u64, same);
    Ok(Some(Line::held(NAME, format!("{}, answers that stay the same", run.platform.name), result)))
}

/// Whether an answer has so many numbers that they do not all stay the same by chance.
fn tells(answer: &Audience) -> bool {
    disclosed(answer).len() >= 10
}

/// Both worlds before the erasure, and what is left of them after it.
struct Stage {
    before: Scene,
    after: Side,
    /// Another copy of the same store, in which the decoy alone was erased.
    other_copy: Arc<dyn Source>,
    elsewhere: Vec<Question>,
}

impl Stage {
    fn new(policy: &Policy) -> Result<Self, AttackError> {
        let step = policy.rolling_step_days();
        let questions = Question::holding(&channel(CHANNEL)?, day(0), None, step, &Family::ALL);
        let elsewhere = Question::holding(&channel(OTHER)?, day(0), None, step, &Family::ALL);
        let (with, without) = (world(true), world(false));
        let (store, other) = (with.store()?, with.store()?);
        erase(&store, &[TARGET, DECOY])?;
        erase(&other, &[DECOY])?;
        // The target's other days went too.
        let mut left = without.clone();
        left.acts.retain(|act| ![TARGET, DECOY].contains(&act.viewer));
        let seen = left.entities()?.into_iter().map(|entity| (entity.clone(), left.seen(&entity))).collect();
        let after = Side { source: Arc::new(Engine::new(store)), seen };
        let before = Scene { with: Side::of(&with)?, without: Side::of(&without)?, questions };
        Ok(Self { before, after, other_copy: Arc::new(Engine::new(other)), elsewhere })
    }

    /// The attacker who has kept all answers from before. `epochs` are what a weakened gate believes in.
    fn compare(
        &self,
        policy: &Policy,
        rho: f64,
        trials: usize,
        seed: u64,
        epochs: Option<u32>,
    ) -> Result<Measured, AttackError> {
        let questions = &self.before.questions;
        let published = self.before.terms(policy, Contribution::Bounded);
        let tables = |side: &Side| -> Vec<Tables> {
            questions.iter().map(|question| side.tables(question, Contribution::Bounded)).collect()
        };
        let [with, without, left] = [&self.before.with, &self.before.without, &self.after].map(tables);
        let changes: Vec<Change<'_>> = questions
            .iter()
            .zip(with.iter().zip(&without).zip(&left))
            .map(|(question, ((with, without), left))| Change {
                sigmas: if epochs == Some(0) { BTreeMap::new() } else { sigmas(policy, question) },
                with,
                without,
                left,
            })
            .collect();
        let mut after = self.after.keep(questions);
        after.epochs = epochs;
        let after: Arc<dyn Source> = Arc::new(after);
        let mut dice = Dice::new(seed, 0);
        let mut scores = [Vec::new(), Vec::new()];
        for (side, scores) in [&self.before.with, &self.before.without].into_iter().zip(&mut scores) {
            let before: Arc<dyn Source> = Arc::new(side.keep(questions));
            for _ in 0..trials {
                let key = dice.key_bytes();
                let ask = |source: &Arc<dyn Source>| {
                    let key = NoiseKey::from_bytes(key);
                    ask_all(&Gate::new(source.clone(), policy.clone(), key), questions)
                };
                let (first, second) = (ask(&before)?, ask(&after)?);
                let pairs = changes.iter().zip(first.iter().zip(&second));
                let changed: f64 = pairs.map(|(change, (first, second))| change.score(first, second)).sum();
                scores.push(total(&published, &first) + changed);
            }
        }
        let [with, without] = scores;
        Ok(outcome(&with, &without, rho, 4 * trials * questions.len()))
    }

    /// Answers that stayed the same, of the channel that lost someone and of one that did not: there may be none, or the
    /// others would say where the erased viewer had been.
    fn unchanged(&self, policy: &Policy, seed: u64, epochs: Option<u32>) -> Result<Line, AttackError> {
        let key = Dice::new(seed, 7).key_bytes();
        let questions: Vec<Question> = self.before.questions.iter().chain(&self.elsewhere).cloned().collect();
        let ask = |source: Arc<dyn Source>| {
            ask_all(&Gate::new(source, policy.clone(), NoiseKey::from_bytes(key)), &questions)
        };
        let mut after = Layer::over(self.after.source.clone());
        after.epochs = epochs;
        let (before, after) = (ask(self.before.with.source.clone())?, ask(Arc::new(after))?);
        let same = before.iter().zip(&after).filter(|(before, after)| before == after && tells(before)).count() as u64;
        let result = Measured::count("answers", 2 * questions.len() as u64, same);
        Ok(match epochs {
            None => Line::held(NAME, "answers that stay the same", result),
            Some(_) => Line::control(NAME, "notices answers that stay the same", result),
        })
    }

    /// Two servers that were restored from one backup and have since erased different viewers: their answers must differ
    /// everywhere, or their differences would be exact.
    fn copies(&self, policy: &Policy, seed: u64, weak: bool) -> Result<Line, AttackError> {
        let key = Dice::new(seed, 9).key_bytes();
        let questions: Vec<Question> = self.before.questions.iter().chain(&self.elsewhere).cloned().collect();
        let ask = |source: &Arc<dyn Source>| {
            // A layer numbers erasures, as if they had no nonces.
            let numbered: Arc<dyn Source> = Arc::new(Layer::over(source.clone()));
            let source = if weak { numbered } else { source.clone() };
            ask_all(&Gate::new(source, policy.clone(), NoiseKey::from_bytes(key)), &questions)
        };
        let (one, other) = (ask(&self.after.source)?, ask(&self.other_copy)?);
        let same = one.iter().zip(&other).filter(|(one, other)| one == other && tells(one)).count() as u64;
        let result = Measured::count("answers", 2 * questions.len() as u64, same);
        Ok(if weak {
            Line::control(NAME, "notices copies whose erasures draw alike", result)
        } else {
            Line::held(NAME, "two restored copies that erase others", result)
        })
    }

    /// The mean of all answers to one question over many erasures of viewers who never touched it, as a part of one
    /// answer's variance: with draws that add up it is no smaller; with draws made anew it would be.
    fn average(&self, policy: &Policy, keys: usize, seed: u64) -> Result<[Measured; 2], AttackError> {
        let month = self.elsewhere.iter().find(|question| question.kind == WindowKind::Month);
        let question = Question { families: vec![Family::Reach], ..month.ok_or(AttackError::World)?.clone() };
        let variance =
            line(policy, EntityKind::Creator, Family::Reach, question.kind).ok_or(AttackError::World)?.sigma.powi(2);
        let truth = self.before.without.tables(&question, Contribution::Bounded);
        let truth = truth.get(&Family::Reach).map_or(0, |table| table.total.len()) as f64;
        let sources: Vec<Arc<dyn Source>> = (0..=REPEATS)
            .map(|epochs| {
                let mut layer = self.before.without.keep(std::slice::from_ref(&question));
                layer.epochs = Some(epochs);
                Arc::new(layer) as Arc<dyn Source>
            })
            .collect();
        let mut dice = Dice::new(seed, 0);
        let (mut added, mut anew) = (0.0, 0.0);
        for _ in 0..keys {
            let key = dice.key_bytes();
            let mut value = |source: &Arc<dyn Source>, fresh: bool| -> Result<f64, AttackError> {
                let key = if fresh { dice.key_bytes() } else { key };
                let gate = Gate::new(source.clone(), policy.clone(), NoiseKey::from_bytes(key));
                let reach = measure(&question.ask(&gate)?, Family::Reach, None);
                reach.and_then(|measure| measure.value()).ok_or(AttackError::World)
            };
            let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64 - truth;
            let adding: Result<Vec<f64>, _> = sources.iter().map(|source| value(source, false)).collect();
            added += mean(adding?).powi(2);
            let first = sources.first().ok_or(AttackError::World)?;
            let afresh: Result<Vec<f64>, _> = sources.iter().map(|_| value(first, true)).collect();
            anew += mean(afresh?).powi(2);
        }
        let keys = keys as f64;
        let margin = keys / chi_squared(keys, ALPHA) - 1.0;
        let measured = |squares: f64| Measured {
            questions: (keys as u64) * u64::from(REPEATS + 1),
            measure: "variance",
            success: variance / (squares / keys),
            blind: 0.0,
            bound: 1.0,
            margin,
        };
        Ok([measured(added), measured(anew)])
    }
}

/// What the change of single numbers says: with the target they fell by its part and one draw, without it by one draw alone.
struct Change<'t> {
    /// σ of the families whose numbers hold single draws; nothing where no draw is added.
    sigmas: BTreeMap<Family, f64>,
    with: &'t Tables,
    without: &'t Tables,
    left: &'t Tables,
}

impl Change<'_> {
    fn score(&self, before: &Audience, after: &Audience) -> f64 {
        let mut score = 0.0;
        for (family, cell, later) in disclosed(after) {
            let single = !family.is_curve() && !matches!(family, Family::Age | Family::Gender);
            // A table's total is the reach, whichever table it stands on.
            if !single || (cell.is_none() && family != Family::Reach) {
                continue;
            }
            let earlier = measure(before, family, cell).and_then(|measure| measure.value());
            let (Some(earlier), Some(later)) = (earlier, later.value()) else { continue };
            let behind = |tables: &Tables| tables.get(&family).map_or(0, |table| table.behind(family, cell)) as f64;
            let sigma = self.sigmas.get(&family).copied().unwrap_or(EXACT);
            let off = |tables| ((later - earlier - (behind(self.left) - behind(tables))) / sigma).powi(2);
            score += ((off(self.without) - off(self.with)) / 2.0).clamp(-CERTAIN, CERTAIN);
        }
        score
    }
}

fn sigmas(policy: &Policy, question: &Question) -> BTreeMap<Family, f64> {
    let kind = EntityKind::of(&question.entity);
    let sigma = |&family: &Family| Some((family, line(policy, kind, family, question.kind)?.sigma));
    question.families.iter().filter_map(sigma).collect()
}

/// The planted world, another channel beside it, and the decoy's.
fn world(target: bool) -> World {
    let mut world = Plan::new(target).world();
    let clip = |id, channel| Clip { id, channel, published: day(0), duration_ms: Some(60_000), tag: None };
    let (other, decoy) = (world.clips.len(), world.clips.len() + 1);
    world.clips.extend([clip("w1", OTHER), clip("w2", "ben")]);
    world.acts.extend((10_000..10_640).map(|viewer| Act { clip: other, ..casual(viewer, 0) }));
    world.acts.push(Act { clip: decoy, ..casual(DECOY, 0) });
    world
}

/// Erases viewers and removes their rows.
fn erase(store: &Store, numbers: &[u32]) -> Result<(), AttackError> {
    let viewers: Result<Vec<_>, _> = numbers.iter().map(|&number| viewer(number)).collect();
    store.erase(&viewers?)?;
    store.compact(day(300))?;
    Ok(())
}
