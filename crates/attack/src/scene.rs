//! A scene: two worlds that differ in one unit alone, questions about both, and the game that is played over them.
//!
//! A coin chooses the world and a fresh noise key; the attacker sees the answers and says which world it was. Only the key
//! varies between trials, so each world's tables are taken once: from the naive count, after the gate over the engine has
//! given the same bytes as the gate over them.

use std::collections::BTreeMap;
use std::sync::Arc;

use throng_model::{CreatorId, Entity, Family};
use throng_privacy::{Audience, Budget, Contribution, EntityKind, Gate, NoiseKey, Policy, Protection, Source};
use throng_query::Engine;

use crate::AttackError;
use crate::card;
use crate::dice::Dice;
use crate::layer::Layer;
use crate::likelihood::Likelihood;
use crate::question::{Question, ask_all};
use crate::stats::{self, ALPHA};
use crate::truth::{self, Seen, Table};
use crate::world::World;

/// The tables of one question.
pub(crate) type Tables = BTreeMap<Family, Table>;

/// An engine, and what is true behind it.
#[derive(Clone)]
pub(crate) struct Side {
    pub(crate) source: Arc<dyn Source>,
    /// Nothing where the source is asked itself.
    pub(crate) seen: Vec<(Entity, Vec<Seen>)>,
}

impl Side {
    /// A made world in a store of its own.
    pub(crate) fn of(world: &World) -> Result<Self, AttackError> {
        let seen = world.entities()?.into_iter().map(|entity| (entity.clone(), world.seen(&entity))).collect();
        Ok(Self { source: Arc::new(Engine::new(world.store()?)), seen })
    }

    /// What happened with an entity.
    pub(crate) fn seen(&self, entity: &Entity) -> &[Seen] {
        self.seen.iter().find(|(each, _)| each == entity).map_or(&[], |(_, seen)| seen)
    }

    /// The true tables of a question.
    pub(crate) fn tables(&self, question: &Question, contribution: Contribution) -> Tables {
        if let Entity::Overlap(pair) = &question.entity {
            let viewers = |id: &CreatorId<'static>| {
                let seen = self.seen(&Entity::Creator(id.clone()));
                truth::table(seen, Family::Reach, question.days, contribution).total
            };
            let [one, other] = pair.channels().each_ref().map(viewers);
            return [(Family::Reach, Table { total: one & other, ..Table::default() })].into();
        }
        let seen = self.seen(&question.entity);
        // Age and gender are computed from both together.
        let needed = question.families.iter().copied().chain([Family::AgeGender, Family::Reach, Family::Country]);
        needed.map(|family| (family, truth::table(seen, family, question.days, contribution))).collect()
    }

    /// A layer that answers these questions from the naive count.
    pub(crate) fn keep(&self, questions: &[Question]) -> Layer {
        let mut layer = Layer::over(self.source.clone());
        for question in questions {
            for contribution in [Contribution::Whole, Contribution::Bounded] {
                let tables: BTreeMap<Family, Table> = self.tables(question, contribution);
                layer.kept.insert((question.entity.clone(), question.days, contribution), tables);
            }
        }
        layer
    }
}

/// What counts under a policy.
pub(crate) fn contribution(policy: &Policy) -> Contribution {
    match policy.protection() {
        Protection::Threshold => Contribution::Whole,
        Protection::Noise => Contribution::Bounded,
    }
}

/// What all lines of the budget for these kinds of entities add up to: what a unit costs in answers about one of each.
pub(crate) fn spent(policy: &Policy, kinds: &[EntityKind]) -> f64 {
    let lines = Budget::of(policy).allocations().into_iter();
    lines.filter(|line| kinds.contains(&line.entity)).map(|line| line.rho).sum()
}

/// Two worlds and the questions about them.
pub(crate) struct Scene {
    pub(crate) with: Side,
    pub(crate) without: Side,
    pub(crate) questions: Vec<Question>,
}

impl Scene {
    /// The attacker of the likelihood ratio against gates of this policy. `claimed` is the ρ that the bound is made of.
    pub(crate) fn likelihood(
        &self,
        policy: &Policy,
        claimed: f64,
        trials: usize,
        seed: u64,
    ) -> Result<card::Result, AttackError> {
        let terms = self.terms(policy, contribution(policy));
        self.play(policy, claimed, trials, seed, |answers| total(&terms, answers))
    }

    /// The same where everything counts that a viewer does on a day, in spite of the caps.
    pub(crate) fn uncapped(
        &self,
        policy: &Policy,
        claimed: f64,
        trials: usize,
        seed: u64,
    ) -> Result<card::Result, AttackError> {
        let whole = |side: &Side| {
            let mut layer = side.keep(&self.questions);
            layer.contribution = Some(Contribution::Whole);
            Side { source: Arc::new(layer), seen: Vec::new() }
        };
        let questions = self.questions.clone();
        let scene = Scene { with: whole(&self.with), without: whole(&self.without), questions };
        let terms = self.terms(policy, Contribution::Whole);
        scene.play(policy, claimed, trials, seed, |answers| total(&terms, answers))
    }

    /// Plays the game with any score, the larger for the world with the target.
    pub(crate) fn play(
        &self,
        policy: &Policy,
        claimed: f64,
        trials: usize,
        seed: u64,
        score: impl Fn(&[Audience]) -> f64,
    ) -> Result<card::Result, AttackError> {
        let [with, without] = self.scores(policy, trials, seed, score)?;
        Ok(outcome(&with, &without, claimed, 2 * trials * self.questions.len()))
    }

    /// The scores of both worlds, the one with the target first.
    pub(crate) fn scores(
        &self,
        policy: &Policy,
        trials: usize,
        seed: u64,
        score: impl Fn(&[Audience]) -> f64,
    ) -> Result<[Vec<f64>; 2], AttackError> {
        let mut dice = Dice::new(seed, 0);
        let mut scores = [Vec::new(), Vec::new()];
        for (side, scores) in [&self.with, &self.without].into_iter().zip(&mut scores) {
            let source = self.kept(side, policy)?;
            for _ in 0..trials {
                let gate = Gate::new(source.clone(), policy.clone(), dice.noise_key());
                scores.push(score(&ask_all(&gate, &self.questions)?));
            }
        }
        Ok(scores)
    }

    /// What the attacker of the likelihood ratio computes, one for each question.
    pub(crate) fn terms(&self, policy: &Policy, contribution: Contribution) -> Vec<Likelihood> {
        let of = |question: &Question| {
            let tables = [&self.with, &self.without].map(|side| side.tables(question, contribution));
            Likelihood::new(question, &tables[0], &tables[1], policy)
        };
        self.questions.iter().map(of).collect()
    }

    /// The naive count in place of the engine, once both have given the same answers.
    fn kept(&self, side: &Side, policy: &Policy) -> Result<Arc<dyn Source>, AttackError> {
        if side.seen.is_empty() {
            return Ok(side.source.clone());
        }
        let kept: Arc<dyn Source> = Arc::new(side.keep(&self.questions));
        let ask = |source: Arc<dyn Source>| {
            ask_all(&Gate::new(source, policy.clone(), NoiseKey::from_bytes([1; 32])), &self.questions)
        };
        if ask(side.source.clone())? == ask(kept.clone())? { Ok(kept) } else { Err(AttackError::Disagree) }
    }
}

/// The likelihood ratio of all answers together.
pub(crate) fn total(terms: &[Likelihood], answers: &[Audience]) -> f64 {
    terms.iter().zip(answers).map(|(term, answer)| term.score(answer)).sum()
}

/// The advantage that scores of both worlds give, beside the bound for units of this ρ.
pub(crate) fn outcome(with: &[f64], without: &[f64], rho: f64, questions: usize) -> card::Result {
    card::Result {
        questions: questions as u64,
        measure: "advantage",
        success: stats::largest_gap(with, without),
        blind: 0.0,
        bound: stats::advantage_max(rho),
        margin: stats::dkw(with.len(), ALPHA / 2.0) + stats::dkw(without.len(), ALPHA / 2.0),
    }
}
