//! Trends: whether who is behind a withheld number moves what trends, in which order, or at which score; and whether anything does
//! between one sealing and the next.

use std::sync::Arc;

use throng_model::{Kind, Source, TopicKind};
use throng_privacy::{Gate, NoiseKey, Policy};
use throng_query::Engine;
use throng_recommend::Trends;
use throng_store::{AppendMode, Store};

use crate::AttackError;
use crate::card::{Line, Result as Measured};
use crate::planted::TARGET;
use crate::suite::Run;
use crate::world::{Act, Clip, World, day, traits};

pub(crate) const NAME: &str = "trends";

/// The day whose trends are asked for, and the one after.
const TODAY: i64 = 0;
const TOMORROW: i64 = 1;
/// A crowd that shows every day, and more on the last.
const USUAL: u32 = 120;
const RISEN: u32 = 200;
/// Views of each viewer of what is to be hidden: enough to lead every ranking.
const VIEWS_EACH: u16 = 90;

/// Videos: one that everybody sees on each of two channels, and one that few see on each, with a hashtag of its own.
const LOUD: [usize; 2] = [0, 1];
const SMALL: [usize; 2] = [2, 3];

/// Every line of this attack.
pub(crate) fn run(run: &Run<'_>) -> Result<Vec<Line>, AttackError> {
    let mut lines = Vec::new();
    for (policy, mode) in [(run.noise(), "noise"), (run.threshold()?, "threshold mode")] {
        lines.extend(below_the_floor(&policy, mode)?);
        lines.extend(between_seals(&policy, mode)?);
    }
    lines.extend(edits(&run.noise())?);
    Ok(lines)
}

/// So many viewers of each small video, the target the last of them, who watch it again and again on one day.
fn small_crowd(viewers: u32) -> Vec<Act> {
    let act =
        |viewer, clip| (0..VIEWS_EACH).map(move |minute| Act { minute: minute + 600, ..view(viewer, TODAY, clip) });
    let others = (1..viewers).map(|viewer| viewer + 1_000);
    let viewers = others.chain((viewers > 0).then_some(TARGET));
    viewers.flat_map(|viewer| SMALL.into_iter().flat_map(move |clip| act(viewer, clip))).collect()
}

/// The target among floor − 1 viewers against nobody at all.
fn below_the_floor(policy: &Policy, mode: &str) -> Result<Vec<Line>, AttackError> {
    let floor = policy.audience_min();
    let told = |viewers: u32| {
        let mut world = world();
        world.acts.extend(small_crowd(viewers));
        trends(&world.store()?, policy)
    };
    let nobody = told(0)?;
    let differ = |other: &[String]| differing(&nobody, other);
    let held =
        Line::held(NAME, format!("the target among floor − 1 viewers, or nobody, {mode}"), differ(&told(floor - 1)?));
    let control = Line::control(NAME, format!("notices one viewer more, {mode}"), differ(&told(floor)?));
    Ok(vec![held, control])
}

/// Events of an open day, and late ones of a sealed day, one after the other.
fn between_seals(policy: &Policy, mode: &str) -> Result<Vec<Line>, AttackError> {
    let store = world().store()?;
    let before = trends(&store, policy)?;
    let mut after = Vec::new();
    for acts in [vec![view(TARGET, TODAY, 0)], (0..RISEN * 2).map(|viewer| view(viewer, TOMORROW, 0)).collect()] {
        World { acts, ..world() }.append(&store, AppendMode::Normal)?;
        after.extend(trends(&store, policy)?);
    }
    let twice = [before.clone(), before.clone()].concat();
    let held = Line::held(NAME, format!("polling around late and open events, {mode}"), differing(&twice, &after));
    store.seal_through(day(TOMORROW))?;
    let sealed = differing(&before, &trends(&store, policy)?);
    Ok(vec![held, Line::control(NAME, format!("notices that the day is sealed, {mode}"), sealed)])
}

/// The hashtags of a video that was seen by many are put on it afterwards, and in time.
fn edits(policy: &Policy) -> Result<Vec<Line>, AttackError> {
    let store = world().store()?;
    let before = trends(&store, policy)?;
    world().edited().put_catalogue(&store)?;
    let held = differing(&before, &trends(&store, policy)?);
    let in_time = differing(&before, &trends(&world().edited().store()?, policy)?);
    Ok(vec![
        Line::held(NAME, "hashtags edited after sealing", held),
        Line::control(NAME, "notices the same edits made in time", in_time),
    ])
}

fn world() -> World {
    let clip = |id, channel, tag| Clip { id, channel, published: day(-20), duration_ms: Some(30_000), tag };
    let clips = vec![
        clip("v1", "ana", Some("dance")),
        clip("v2", "bo", Some("dance")),
        clip("v3", "ana", None),
        clip("v4", "bo", None),
    ];
    let seen = |offset: i64| {
        let viewers = 1..=if offset == TODAY { RISEN } else { USUAL };
        viewers.flat_map(move |viewer| LOUD.map(|clip| view(viewer, offset, clip)))
    };
    World { clips, acts: (-13..=TODAY).flat_map(seen).collect(), sealed_through: day(TODAY), zone: "UTC" }
}

fn view(viewer: u32, offset: i64, clip: usize) -> Act {
    Act {
        viewer,
        day: day(offset),
        minute: 540,
        kind: Kind::View,
        clip,
        watch_ms: 10_000,
        source: Source::ForYou,
        traits: traits(true),
    }
}

/// Everything that trends, by kind: who, in which order, and every number.
fn trends(store: &Store, policy: &Policy) -> Result<Vec<String>, AttackError> {
    let key = NoiseKey::from_bytes([5; 32]);
    let trends = Trends::new(Arc::new(Gate::new(Arc::new(Engine::new(store.clone())), policy.clone(), key)));
    let told = |kind| Ok(format!("{:?}", trends.of(kind, None)?.trends()));
    [TopicKind::Hashtag, TopicKind::Sound, TopicKind::Video].into_iter().map(told).collect()
}

fn differing(one: &[String], other: &[String]) -> Measured {
    let differing = one.iter().zip(other).filter(|(one, other)| one != other).count();
    Measured::count("answers", 2 * one.len() as u64, (differing + one.len().abs_diff(other.len())) as u64)
}
