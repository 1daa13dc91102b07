//! Polling: questions right before and right after one event of the target, while its day is open.

use std::sync::Arc;

use throng_model::{Counter, CreatorId, DayRange, Entity, Granularity};
use throng_privacy::{Gate, NoiseKey, Policy};
use throng_query::Engine;
use throng_store::{AppendMode, Store};

use crate::card::{Line, Result as Measured};
use crate::planted::{CHANNEL, Plan, TARGET, all_questions, casual};
use crate::question::{Question, ask_all};
use crate::suite::Run;
use crate::world::{World, day};
use crate::{AttackError, platform};

pub(crate) const NAME: &str = "polling";

/// The day that is open.
const TODAY: i64 = 5;
/// Viewers of that day so far: fewer than the floor, and still with the target.
const SO_FAR: u32 = 20;

/// Every line of this attack.
pub(crate) fn run(run: &Run<'_>) -> Result<Vec<Line>, AttackError> {
    let mut lines = Vec::new();
    for (policy, mode) in [(run.noise(), "noise"), (run.threshold()?, "threshold mode")] {
        let (store, world) = open_day()?;
        let questions = all_questions(&world, &[-30, 0, TODAY])?;
        let gate = gate(&store, &policy);
        let (before, public) = (ask_all(&gate, &questions)?, counters(&gate, &world)?);
        World { acts: vec![casual(TARGET, TODAY)], ..world.clone() }.append(&store, AppendMode::Normal)?;
        let (after, public_after) = (ask_all(&gate, &questions)?, counters(&gate, &world)?);
        let asked = 2 * questions.len() as u64;
        let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
        lines.push(Line::held(
            NAME,
            format!("insights around one event, {mode}"),
            Measured::count("answers", asked, changed as u64),
        ));
        let shapes = public.iter().zip(&public_after).filter(|(before, after)| before != after).count();
        let result = Measured::count("answers", 2 * public.len() as u64, shapes as u64);
        lines.push(Line::held(NAME, format!("counters of a small day, {mode}"), result));
        store.seal_through(day(TODAY))?;
        lines.push(sealing(&gate, &questions, &after, mode)?);
    }
    lines.extend(on_platform(run)?);
    Ok(lines)
}

/// One event on an open day of the platform's largest channel.
fn on_platform(run: &Run<'_>) -> Result<Option<Line>, AttackError> {
    let (policy, store) = (&run.platform.policy, (run.platform.copy)()?);
    let Some(stage) = platform::Stage::of(&store, policy)? else { return Ok(None) };
    let gate = gate(&store, policy);
    let before = ask_all(&gate, &stage.questions)?;
    stage.arrive(&store)?;
    let after = ask_all(&gate, &stage.questions)?;
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count() as u64;
    let result = Measured::count("answers", 2 * stage.questions.len() as u64, changed);
    Ok(Some(Line::held(NAME, format!("{}, one event today", run.platform.name), result)))
}

/// Sealing the day is what must change answers; otherwise nothing was compared.
fn sealing(
    gate: &Gate,
    questions: &[Question],
    before: &[throng_privacy::Audience],
    mode: &str,
) -> Result<Line, AttackError> {
    let sealed = ask_all(gate, questions)?;
    let changed = before.iter().zip(&sealed).filter(|(before, after)| before != after).count() as u64;
    Ok(Line::control(
        NAME,
        format!("notices that the day is sealed, {mode}"),
        Measured::count("answers", questions.len() as u64, changed),
    ))
}

/// A world whose newest day is open, with a few viewers.
fn open_day() -> Result<(Store, World), AttackError> {
    let mut world = Plan::new(false).world();
    world.sealed_through = day(TODAY - 1);
    world.acts.extend((1..=SO_FAR).map(|viewer| casual(viewer, TODAY)));
    Ok((world.store()?, world))
}

fn gate(store: &Store, policy: &Policy) -> Gate {
    Gate::new(Arc::new(Engine::new(store.clone())), policy.clone(), NoiseKey::from_bytes([5; 32]))
}

/// Public counters of the open day, and of steps and rankings that hold it.
fn counters(gate: &Gate, world: &World) -> Result<Vec<String>, AttackError> {
    let mut answers = Vec::new();
    let today = DayRange::day(day(TODAY));
    // What two channels have in common has no counters.
    for entity in world.entities()?.into_iter().filter(|entity| !matches!(entity, Entity::Overlap(_))) {
        answers.push(format!("{:?}", gate.counters(&entity, today, None)?));
        answers.push(format!("{:?}", gate.series(&entity, today, Granularity::Hour)?));
        answers.push(format!("{:?}", gate.series(&entity, DayRange::new(day(0), day(TODAY))?, Granularity::Day)?));
    }
    let ranked = gate.top_videos(&CreatorId::parse(CHANNEL)?, today, Counter::Views, 10)?;
    answers.push(format!("{ranked:?}"));
    Ok(answers)
}
