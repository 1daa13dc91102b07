//! Fake viewers: an audience of the attacker's own, and one target beside it.

use throng_model::{Family, WindowKind};
use throng_privacy::{EntityKind, Policy};

use crate::AttackError;
use crate::card::Line;
use crate::likelihood::line;
use crate::planted::{TARGET, VIDEO, eager};
use crate::question::Question;
use crate::scene::{Scene, Side};
use crate::suite::Run;
use crate::world::{Clip, World, day, video};

pub(crate) const NAME: &str = "fake-viewers";

/// Every line of this attack.
pub(crate) fn run(run: &Run<'_>) -> Result<Vec<Line>, AttackError> {
    let (noise, threshold) = (run.noise(), run.threshold()?);
    let (rho, seed, trials) = (noise.rho(), run.seed(NAME), run.size(200, 5_000));
    let few = noise.audience_min() - 1;
    let least = line(&noise, EntityKind::Video, Family::Reach, WindowKind::Day).ok_or(AttackError::World)?.shown_from;
    // Where a number shows about every other time, that it shows says most.
    let (small, edge) = (fakes(&noise, few)?, fakes(&noise, least as u32)?);
    let weak = noise.clone().with_rho(10.0)?;
    let weak_least =
        line(&weak, EntityKind::Video, Family::Reach, WindowKind::Day).ok_or(AttackError::World)?.shown_from;
    let weak_edge = fakes(&weak, weak_least as u32)?;
    Ok(vec![
        Line::held(NAME, "floor − 1 fakes and the target", small.likelihood(&noise, rho, trials, seed)?),
        Line::held(NAME, "fakes to the edge of what is shown", edge.likelihood(&noise, rho, trials, seed + 1)?),
        Line::stated(NAME, "floor − 1 fakes, threshold mode", small.likelihood(&threshold, rho, trials, seed + 2)?),
        Line::control(
            NAME,
            "breaks weakened gate (ρ = 10 called 0.5)",
            weak_edge.likelihood(&weak, rho, trials, seed + 3)?,
        ),
    ])
}

/// A video that nobody but fakes looks at, with and without the target.
fn fakes(policy: &Policy, count: u32) -> Result<Scene, AttackError> {
    let world = |target: bool| {
        let clip = Clip { id: VIDEO, channel: "mallory", published: day(0), duration_ms: Some(60_000), tag: None };
        let viewers = (1..=count).chain(target.then_some(TARGET));
        World { clips: vec![clip], acts: viewers.flat_map(eager).collect(), sealed_through: day(400), zone: "UTC" }
    };
    let questions = Question::holding(&video(VIDEO)?, day(0), Some(day(0)), policy.rolling_step_days(), &Family::ALL);
    Ok(Scene { with: Side::of(&world(true))?, without: Side::of(&world(false))?, questions })
}
