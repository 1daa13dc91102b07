//! Differences between answers: of windows, of entities, and of answers before and after the catalogue changed.
//!
//! The target's day is in one world and not in the other, and the attacker sees all windows that hold it. Whatever
//! differences it forms are functions of these numbers, so the likelihood ratio bounds them all.

use std::sync::Arc;

use throng_model::{Entity, Family};
use throng_privacy::{Budget, EntityKind, Gate, NoiseKey, Policy, Protection};
use throng_query::Engine;

use crate::card::{Line, Result as Measured};
use crate::planted::{CHANNEL, OTHER, Plan, TAG, VIDEO, all_questions};
use crate::question::{Question, ask_all};
use crate::scene::{Scene, Side, spent};
use crate::suite::Run;
use crate::world::{channel, day, hashtag, overlap, video};
use crate::{AttackError, platform};

pub(crate) const NAME: &str = "differencing";

/// Every line of this attack.
pub(crate) fn run(run: &Run<'_>) -> Result<Vec<Line>, AttackError> {
    let (noise, threshold) = (run.noise(), run.threshold()?);
    let (rho, seed, trials) = (noise.rho(), run.seed(NAME), run.size(300, 5_000));
    let windows = scene(&noise, &[channel(CHANNEL)?], false)?;
    let beside = [overlap(CHANNEL, OTHER)?, Entity::Platform];
    let entities = [channel(CHANNEL)?, video(VIDEO)?, hashtag(TAG)?].into_iter().chain(beside).collect::<Vec<_>>();
    let entities = scene(&noise, &entities, false)?;
    let weak = noise.clone().with_rho(10.0)?;
    let mut lines = vec![
        Line::held(NAME, "windows of a channel", windows.likelihood(&noise, rho, trials, seed)?),
        Line::held(
            NAME,
            "channel, video, hashtag, overlap, platform",
            entities.likelihood(&noise, spent(&noise, &EntityKind::ALL), trials / 3, seed + 1)?,
        ),
        Line::control(NAME, "breaks threshold mode", windows.likelihood(&threshold, rho, trials / 3, seed + 2)?),
        Line::control(
            NAME,
            "breaks weakened gate (ρ = 10 called 0.5)",
            windows.likelihood(&weak, rho, trials / 3, seed + 3)?,
        ),
    ];
    lines.extend(crowded_day(run, &noise)?);
    lines.extend(edits(&noise)?);
    lines.extend(on_platform(run)?);
    Ok(lines)
}

/// The largest channel of the platform, with and without a target's day there.
fn on_platform(run: &Run<'_>) -> Result<Option<Line>, AttackError> {
    let (policy, name) = (&run.platform.policy, run.platform.name);
    let Some(stage) = platform::Stage::of(&run.untouched()?, policy)? else { return Ok(None) };
    let scene = stage.plant(&(run.platform.copy)()?)?;
    let result = scene.likelihood(policy, policy.rho(), run.size(200, 2_000), run.seed(NAME) + 6)?;
    Ok(Some(match policy.protection() {
        Protection::Noise => Line::held(NAME, format!("{name}, windows of its largest channel"), result),
        // Where next to nothing is shown, exact numbers give nobody away.
        Protection::Threshold if result.within() => Line::held(NAME, format!("{name}, threshold mode"), result),
        Protection::Threshold => Line::stated(NAME, format!("{name}, threshold mode"), result),
    }))
}

/// Sources and hours alone, of a day with very many of them, of which only a few may count.
fn crowded_day(run: &Run<'_>, policy: &Policy) -> Result<[Line; 2], AttackError> {
    let mut scene = scene(policy, &[channel(CHANNEL)?], true)?;
    let families = [Family::TrafficSource, Family::ActiveHours];
    scene.questions.iter_mut().for_each(|question| question.families = families.to_vec());
    let lines = Budget::of(policy).allocations().into_iter();
    let rho = lines
        .filter(|line| line.entity == EntityKind::Creator && families.contains(&line.family))
        .map(|line| line.rho)
        .sum();
    let (trials, seed) = (run.size(700, 5_000), run.seed(NAME));
    let capped = scene.likelihood(policy, rho, trials, seed + 4)?;
    let uncapped = scene.uncapped(policy, rho, trials, seed + 5)?;
    Ok([
        Line::held(NAME, "a day of many sources and hours", capped),
        Line::control(NAME, "breaks weakened gate (no cap on a day)", uncapped),
    ])
}

/// An edited catalogue must leave answers about sealed days as they are: under the same noise, any change would be exact.
fn edits(policy: &Policy) -> Result<[Line; 2], AttackError> {
    let world = Plan::new(true).world();
    let store = world.store()?;
    let gate = Gate::new(Arc::new(Engine::new(store.clone())), policy.clone(), NoiseKey::from_bytes([3; 32]));
    let questions = all_questions(&world, &[0])?;
    let sealed = ask_all(&gate, &questions)?;
    world.edited().put_catalogue(&store)?;
    let after = ask_all(&gate, &questions)?;
    let changed = sealed.iter().zip(&after).filter(|(before, after)| before != after).count() as u64;
    // The same edits before anything is sealed are what the answers then follow.
    let edited =
        Gate::new(Arc::new(Engine::new(world.edited().store()?)), policy.clone(), NoiseKey::from_bytes([3; 32]));
    let otherwise = ask_all(&edited, &questions)?;
    let differ = sealed.iter().zip(&otherwise).filter(|(before, after)| before != after).count() as u64;
    let asked = 2 * questions.len() as u64;
    Ok([
        Line::held(NAME, "zone, length and hashtag edited afterwards", Measured::count("answers", asked, changed)),
        Line::control(NAME, "notices the same edits made in time", Measured::count("answers", asked, differ)),
    ])
}

/// The planted worlds and all windows that hold the target's day.
pub(crate) fn scene(policy: &Policy, entities: &[Entity], heavy: bool) -> Result<Scene, AttackError> {
    let side = |target| Side::of(&Plan { heavy, ..Plan::new(target) }.world());
    let step = policy.rolling_step_days();
    let questions = entities.iter().flat_map(|entity| {
        let published = matches!(entity, Entity::Video(_)).then(|| day(0));
        Question::holding(entity, day(0), published, step, &Family::ALL)
    });
    Ok(Scene { with: side(true)?, without: side(false)?, questions: questions.collect() })
}
