//! The distinguisher: one unit, few numbers, very many noise keys. Is "with" ever so much likelier than "without" as ε and δ
//! forbid, at any threshold?

use throng_model::{Family, WindowKind};
use throng_privacy::{Budget, DELTA, EntityKind, Policy};

use crate::AttackError;
use crate::card::{Line, Result as Measured};
use crate::differencing::scene;
use crate::planted::CHANNEL;
use crate::scene::{Scene, contribution, total};
use crate::stats::{ALPHA, clopper_pearson, delta_of};
use crate::suite::Run;
use crate::world::channel;

pub(crate) const NAME: &str = "distinguisher";

/// Families with few cells of their own, so that a question costs few draws.
const FAMILIES: [Family; 4] = [Family::AgeGender, Family::Country, Family::TrafficSource, Family::Novelty];
/// Thresholds that are tried, as parts of all scores.
const THRESHOLDS: usize = 40;
/// The ε at which δ is checked. Small ones make the sharper test.
const EPSILONS: [f64; 6] = [0.0, 0.1, 0.25, 0.5, 1.0, 2.0];

/// Every line of this attack.
pub(crate) fn run(run: &Run<'_>) -> Result<Vec<Line>, AttackError> {
    let policy = run.noise();
    let (keys, seed) = (run.size(10_000, 100_000), run.seed(NAME));
    let mut scene = scene(&policy, &[channel(CHANNEL)?], false)?;
    scene.questions.retain(|question| question.kind == WindowKind::Last28Days);
    scene.questions.truncate(1);
    scene.questions.iter_mut().for_each(|question| question.families = FAMILIES.to_vec());
    let lines = Budget::of(&policy).allocations().into_iter();
    let asked = lines.filter(|line| {
        line.entity == EntityKind::Creator && line.window == WindowKind::Last28Days && FAMILIES.contains(&line.family)
    });
    let rho: f64 = asked.map(|line| line.rho / f64::from(line.windows_per_day)).sum();
    let weak = policy.clone().with_rho(10.0)?;
    Ok(vec![
        Line::held(NAME, format!("{keys} keys, every threshold"), violations(&scene, &policy, rho, keys / 2, seed)?),
        Line::control(
            NAME,
            "breaks weakened gate (ρ = 10 called 0.5)",
            violations(&scene, &weak, rho, keys / 2, seed + 1)?,
        ),
    ])
}

/// Thresholds and ε at which the chances of both worlds cannot both lie in their intervals and keep the promise.
fn violations(scene: &Scene, policy: &Policy, rho: f64, keys: usize, seed: u64) -> Result<Measured, AttackError> {
    let terms = scene.terms(policy, contribution(policy));
    let [mut with, mut without] = scene.scores(policy, keys, seed, |answers| total(&terms, answers))?;
    with.sort_by(f64::total_cmp);
    without.sort_by(f64::total_cmp);
    let alpha = ALPHA / (4 * THRESHOLDS) as f64;
    let mut found = 0;
    for part in 1..THRESHOLDS {
        let Some(&threshold) = without.get(part * without.len() / THRESHOLDS) else { continue };
        let above = |scores: &[f64]| (scores.len() - scores.partition_point(|&score| score < threshold)) as u64;
        let (with_above, without_above) = (above(&with), above(&without));
        let of = keys as u64;
        // "Above" speaks for the target, "below" against it: both ways are held.
        let ways = [(with_above, without_above), (of - without_above, of - with_above)];
        for (likely, unlikely) in ways {
            let (least, most) = (clopper_pearson(likely, of, alpha).0, clopper_pearson(unlikely, of, alpha).1);
            let broken = |epsilon: &&f64| least > epsilon.exp() * most + delta_of(**epsilon, rho) + DELTA;
            found += EPSILONS.iter().filter(broken).count() as u64;
        }
    }
    Ok(Measured::count("thresholds", 2 * keys as u64, found))
}
