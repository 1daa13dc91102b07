//! Side channels: everything that an answer is besides its numbers, for an entity that nobody looks at and for one that
//! almost enough viewers look at.

use std::sync::Arc;
use std::time::Instant;

use throng_model::{Counter, CreatorId, DayRange, Entity, Family, Granularity, VideoId, WindowKind};
use throng_privacy::{Comparison, Gate, NoiseKey, Policy};
use throng_query::Engine;

use crate::AttackError;
use crate::card::{Line, Result as Measured, Verdict};
use crate::planted::{CHANNEL, TAG, VIDEO, eager};
use crate::question::Question;
use crate::suite::Run;
use crate::world::{Clip, World, channel, day, hashtag, video};

pub(crate) const NAME: &str = "side-channels";

/// Every line of this attack.
pub(crate) fn run(run: &Run<'_>) -> Result<Vec<Line>, AttackError> {
    let mut lines = Vec::new();
    for (policy, mode) in [(run.noise(), "noise"), (run.threshold()?, "threshold mode")] {
        let floor = policy.audience_min();
        let [nobody, few, enough] = [0, floor - 1, 4 * floor].map(|viewers| everything(viewers, &policy));
        let (nobody, few, enough) = (nobody?, few?, enough?);
        let differ = |other: &[String]| {
            let differing = nobody.iter().zip(other).filter(|(one, other)| one != other).count();
            Measured::count("answers", nobody.len() as u64 * 2, (differing + nobody.len().abs_diff(other.len())) as u64)
        };
        lines.push(Line::held(NAME, format!("0 and floor − 1 viewers, {mode}"), differ(&few)));
        lines.push(Line::control(NAME, format!("notices an audience that shows, {mode}"), differ(&enough)));
    }
    let [nobody, few] = [0, run.noise().audience_min() - 1].map(|viewers| timing(viewers, &run.noise()));
    let text = format!("timing: about {} and {} µs a question, not promised", nobody?, few?);
    lines.push(Line::remark(NAME, text, Verdict::Information));
    Ok(lines)
}

/// A channel whose video so many viewers saw.
fn world(viewers: u32) -> World {
    let clip = |id, tag| Clip { id, channel: CHANNEL, published: day(0), duration_ms: Some(60_000), tag };
    World {
        clips: vec![clip(VIDEO, Some(TAG)), clip("v2", None)],
        acts: (1..=viewers).flat_map(eager).collect(),
        sealed_through: day(400),
        zone: "UTC",
    }
}

fn gate(viewers: u32, policy: &Policy) -> Result<Gate, AttackError> {
    let engine = Engine::new(world(viewers).store()?);
    Ok(Gate::new(Arc::new(engine), policy.clone(), NoiseKey::from_bytes([9; 32])))
}

/// Every kind of answer, as text: those that have numbers, those that have none, and errors.
fn everything(viewers: u32, policy: &Policy) -> Result<Vec<String>, AttackError> {
    let gate = gate(viewers, policy)?;
    let entities = [channel(CHANNEL)?, video(VIDEO)?, hashtag(TAG)?, channel("nobody")?, video("nothing")?];
    let mut answers = Vec::new();
    let days = DayRange::new(day(-1), day(7))?;
    for entity in &entities {
        let published = matches!(entity, Entity::Video(_)).then(|| day(0));
        for question in Question::holding(entity, day(0), published, policy.rolling_step_days(), &Family::ALL) {
            answers.push(format!("{:?}", gate.audience(entity, question.kind, question.date, &question.families)));
        }
        for kind in WindowKind::ALL {
            // Some of these are errors: off the step, by age of what has none, with a date too many.
            answers.push(format!("{:?}", gate.audience(entity, kind, None, &Family::ALL)));
            answers.push(format!("{:?}", gate.audience(entity, kind, Some(day(1)), &Family::ALL)));
            answers.push(format!("{:?}", gate.audience(entity, kind, Some(day(4_000)), &Family::ALL)));
        }
        for comparison in [None, Some(Comparison::PreviousPeriod), Some(Comparison::SameWeekdays)] {
            answers.push(format!("{:?}", gate.counters(entity, days, comparison)));
        }
        for granularity in [Granularity::Hour, Granularity::Day, Granularity::Week, Granularity::Month] {
            answers.push(format!("{:?}", gate.series(entity, days, granularity)));
        }
        answers.push(format!(
            "{:?} {:?} {:?}",
            gate.zone(entity),
            gate.sealed_through(entity),
            gate.last_days(entity, 7)
        ));
    }
    let creator = CreatorId::parse(CHANNEL)?;
    for counter in Counter::ALL {
        answers.push(format!("{:?}", gate.top_videos(&creator, days, counter, 10)));
    }
    answers.push(format!("{:?} {:?}", gate.creator(&creator), gate.creators(None, 10)));
    answers.push(format!("{:?} {:?}", gate.video(&VideoId::parse(VIDEO)?), gate.videos_of(&creator, None, 10)));
    Ok(answers)
}

/// The median time of a question in µs, as a power of two: that is what an observer could hope to see.
fn timing(viewers: u32, policy: &Policy) -> Result<u64, AttackError> {
    let gate = gate(viewers, policy)?;
    let entity = channel(CHANNEL)?;
    let mut times = Vec::new();
    for _ in 0..51 {
        let began = Instant::now();
        gate.audience(&entity, WindowKind::Month, Some(day(0)), &Family::ALL)?;
        times.push(began.elapsed().as_micros() as u64);
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or(0).next_power_of_two())
}
