//! How ρ is spread over the catalogue, and what that makes of σ and of the least number shown.
//!
//! All of it follows from the policy alone, and is public. For one unit (what one viewer does with one entity on one day)
//! each family of each window is a discrete Gaussian mechanism of Δ₂² ÷ 2σ² (Canonne, Kamath, Steinke 2020, theorem 14),
//! and these add up to at most ρ over all families and all windows that the day touches; to a fifth of it for a hashtag or an overlap,
//! to a tenth for the platform. `docs/PRIVACY.md` argues each Δ₂².

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use throng_model::{AgeBand, Family, Gender, OVERLAPS_MAX, Stage, WindowKind};

use crate::policy::DELTA_FLOOR;
use crate::sampler::VARIANCE_MAX;
use crate::{Contribution, EntityKind, Policy, stairs};

/// One line of the budget: a family of one kind of entity over one kind of window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allocation {
    /// The kind of entity.
    pub entity: EntityKind,
    /// The family.
    pub family: Family,
    /// The kind of window.
    pub window: WindowKind,
    /// Windows of this kind that one day lies in.
    pub windows_per_day: u32,
    /// Δ₂²: the largest squared change of one window's cells when one unit is taken away. A retention curve's is in the
    /// coordinates that its noise is added in, scaled to viewers. 0 where the family is computed from another one's cells.
    pub sensitivity_squared: f64,
    /// What all these windows together cost of ρ.
    pub rho: f64,
    /// Standard deviation of a released number, in viewers; of a curve's least precise point.
    pub sigma: f64,
    /// The least released number that is shown, in viewers; of a curve's least precise point.
    pub shown_from: f64,
}

/// Variances of every draw, and the margins of the release rule.
#[derive(Debug, Clone)]
pub struct Budget {
    audience_min: u32,
    variances: BTreeMap<(EntityKind, Family, WindowKind), NonZeroU64>,
    costs: Vec<(EntityKind, Family, WindowKind, u32)>,
    z_draw: f64,
    z_sum: f64,
}

impl Budget {
    /// The budget of a policy.
    pub fn of(policy: &Policy) -> Self {
        let mut variances = BTreeMap::new();
        let mut costs = Vec::new();
        for entity in EntityKind::ALL {
            for family in Family::ALL.into_iter().filter(|&family| entity.has_family(family)) {
                for window in WindowKind::ALL.into_iter().filter(|&window| entity.has_window(window)) {
                    let windows = windows_per_day(window, policy.rolling_step_days());
                    costs.push((entity, family, window, windows));
                    if let Some(variance) = variance(policy, entity, family, window, windows) {
                        variances.insert((entity, family, window), variance);
                    }
                }
            }
        }
        let (z_draw, z_sum) = margins(&costs);
        Self { audience_min: policy.audience_min(), variances, costs, z_draw, z_sum }
    }

    /// Every line, by entity, family and window.
    pub fn allocations(&self) -> Vec<Allocation> {
        let line = |&(entity, family, window, windows_per_day): &(EntityKind, Family, WindowKind, u32)| {
            let own = drawn_from(family) == family;
            let scale = if family == Family::Retention { (stairs::SCALE as f64).powi(2) } else { 1.0 };
            let variance = self.variance(entity, family, window).get() as f64;
            let sensitivity = if own { sensitivity_squared(family) as f64 } else { 0.0 };
            let (factor, z) = match family {
                Family::Age => ((genders() as f64).sqrt(), self.z_sum),
                Family::Gender => ((ages() as f64).sqrt(), self.z_sum),
                Family::Funnel => ((Stage::ALL.len() as f64).sqrt(), self.z_sum),
                Family::Retention => (stairs::spread().iter().copied().fold(0.0, f64::max), self.z_sum),
                _ => (1.0, self.z_draw),
            };
            let sigma = factor * variance.sqrt();
            Allocation {
                entity,
                family,
                window,
                windows_per_day,
                sensitivity_squared: sensitivity / scale,
                rho: f64::from(windows_per_day) * sensitivity / (2.0 * variance),
                sigma,
                shown_from: self.shown_from(z, sigma),
            }
        };
        self.costs.iter().map(line).collect()
    }

    /// The variance of one draw for a family's cells, or for those that the family is computed from.
    pub(crate) fn variance(&self, entity: EntityKind, family: Family, window: WindowKind) -> NonZeroU64 {
        // Every line of the catalogue is there; were one not, its noise would drown it.
        const DROWNED: NonZeroU64 = NonZeroU64::new(VARIANCE_MAX).unwrap();
        self.variances.get(&(entity, drawn_from(family), window)).copied().unwrap_or(DROWNED)
    }

    /// How many σ above the floor a released number must lie: `draws` independent draws are in it.
    pub(crate) fn z(&self, draws: usize) -> f64 {
        if draws == 1 { self.z_draw } else { self.z_sum }
    }

    /// The least released number that is shown.
    pub(crate) fn shown_from(&self, z: f64, sigma: f64) -> f64 {
        // One more, since a discrete Gaussian's tail is bounded by the continuous one's a step earlier (ibid., prop. 25).
        f64::from(self.audience_min) + z * sigma + 1.0
    }
}

/// The family whose noisy cells a family's numbers are computed from.
pub(crate) fn drawn_from(family: Family) -> Family {
    match family {
        Family::Age | Family::Gender => Family::AgeGender,
        own => own,
    }
}

/// Δ₂² of one window: the argument for each is in `docs/PRIVACY.md`, and `sensitivity_tests` tries to beat them.
pub(crate) fn sensitivity_squared(family: Family) -> u64 {
    match family {
        Family::Reach => 1,
        // 2 in windows that hold the day, and 2 in later ones, of which no more hold the viewer's next day of viewing.
        Family::Novelty => 4,
        Family::FollowerStatus
        | Family::Country
        | Family::Region
        | Family::Age
        | Family::Gender
        | Family::AgeGender
        | Family::Device
        | Family::Funnel => 2,
        Family::TrafficSource => Contribution::SOURCES_PER_DAY_MAX as u64,
        Family::ActiveHours => Contribution::HOURS_PER_DAY_MAX as u64,
        Family::Retention => stairs::sensitivity_squared(),
    }
}

/// Windows of a kind that one day lies in.
pub(crate) fn windows_per_day(window: WindowKind, step_days: u16) -> u32 {
    let step = u32::from(step_days.max(1));
    match window {
        WindowKind::Last7Days => 7_u32.div_ceil(step),
        WindowKind::Last28Days => 28_u32.div_ceil(step),
        _ => 1,
    }
}

/// Parts of ρ by kind of window, in percent. Most goes to the windows that dashboards open with: a day lies in four of
/// 28 days. Long windows have more viewers and bear more noise.
fn window_weight(entity: EntityKind, window: WindowKind) -> u64 {
    let (creator, video) = match window {
        WindowKind::Day => (8, 6),
        WindowKind::Last7Days => (12, 8),
        WindowKind::Last28Days => (52, 34),
        WindowKind::Month => (13, 9),
        WindowKind::Quarter => (8, 6),
        WindowKind::Year => (7, 5),
        WindowKind::First1Day | WindowKind::First365Days => (0, 5),
        WindowKind::First7Days | WindowKind::First28Days => (0, 8),
        WindowKind::First90Days => (0, 6),
    };
    if entity == EntityKind::Video { video } else { creator }
}

/// What ρ is divided by for one entity of a kind: all hashtags of a video together cost what the video does, all overlaps
/// of a channel what the channel does. The platform's numbers are large and bear much noise.
fn rho_divisor(entity: EntityKind) -> u32 {
    match entity {
        EntityKind::Creator | EntityKind::Video => 1,
        EntityKind::Hashtag => Contribution::HASHTAGS_PER_VIDEO_MAX as u32,
        EntityKind::Platform => 10,
        EntityKind::Overlap => OVERLAPS_MAX as u32,
    }
}

/// Parts of ρ by family. More for families of many small cells; none for those computed from another one's cells.
fn family_weight(family: Family) -> u64 {
    match family {
        Family::Reach | Family::FollowerStatus | Family::Device | Family::ActiveHours => 6,
        Family::Novelty => 10,
        Family::Country | Family::TrafficSource => 13,
        Family::Region | Family::Funnel => 5,
        Family::Age | Family::Gender => 0,
        Family::AgeGender => 22,
        Family::Retention => 8,
    }
}

/// Δ₂² ÷ 2ρ of one window, rounded up; in integers, so that every machine finds the same.
fn variance(
    policy: &Policy,
    entity: EntityKind,
    family: Family,
    window: WindowKind,
    windows: u32,
) -> Option<NonZeroU64> {
    let families = Family::ALL.into_iter().filter(|&family| entity.has_family(family));
    let family_weights: u64 = families.map(family_weight).sum();
    let kinds = WindowKind::ALL.into_iter().filter(|&window| entity.has_window(window));
    let window_weights: u64 = kinds.map(|window| window_weight(entity, window)).sum();
    let part = u128::from(family_weight(family) * window_weight(entity, window)) * u128::from(policy.rho_millionths());
    let whole = u128::from(family_weights * window_weights) * u128::from(windows * rho_divisor(entity)) * 1_000_000;
    let variance = (u128::from(sensitivity_squared(family)) * whole).checked_div(2 * part)? + 1;
    u64::try_from(variance).ok().and_then(NonZeroU64::new)
}

/// How far above the floor a number must lie to be shown, in σ: for single draws, and for sums of several.
///
/// The release rule asks the true count too, which is no function of the noisy one: where a unit takes a cell below the
/// floor, the cell could show with it and never without it. So the chance of that, summed over every number that a unit
/// can change, must stay below [`DELTA_FLOOR`]. Half of it is for single draws, whose tail is bounded by the Gaussian's,
/// φ(z) ÷ z; half for sums, which are sub-Gaussian: exp(−z² ÷ 2).
fn margins(costs: &[(EntityKind, Family, WindowKind, u32)]) -> (f64, f64) {
    let mut changed: BTreeMap<EntityKind, (u32, u32)> = BTreeMap::new();
    for &(entity, family, _, windows) in costs {
        let (draws, sums) = changed.entry(entity).or_default();
        let (more_draws, more_sums) = numbers_changed(family);
        *draws += windows * more_draws;
        *sums += windows * more_sums;
    }
    let most = |of: fn(&(u32, u32)) -> u32| f64::from(changed.values().map(of).max().unwrap_or(0).max(1));
    let half = DELTA_FLOOR / 2.0;
    let z_sum = (2.0 * (most(|changed| changed.1) / half).ln()).sqrt();
    let draws = most(|changed| changed.0);
    let tail = |z: f64| (-z * z / 2.0).exp() / (z * (2.0 * std::f64::consts::PI).sqrt());
    let z_draw = (0..).map(|step| 3.0 + f64::from(step) / 100.0).find(|&z| draws * tail(z) <= half);
    (z_draw.unwrap_or(z_sum), z_sum)
}

/// How many released numbers of one window a unit can change: those with one draw in them, and those with several.
fn numbers_changed(family: Family) -> (u32, u32) {
    match family {
        Family::Reach => (1, 0),
        Family::Novelty => (4, 0),
        Family::FollowerStatus | Family::Country | Family::Region | Family::AgeGender | Family::Device => (2, 0),
        Family::Age | Family::Gender => (0, 2),
        Family::TrafficSource => (Contribution::SOURCES_PER_DAY_MAX as u32, 0),
        Family::ActiveHours => (Contribution::HOURS_PER_DAY_MAX as u32, 0),
        Family::Retention => (0, stairs::POINTS as u32),
        Family::Funnel => (0, Stage::ALL.len() as u32),
    }
}

fn ages() -> usize {
    AgeBand::ALL.len() + 1
}

fn genders() -> usize {
    Gender::ALL.len() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Protection;

    fn policy(step: u16, rho: f64) -> Policy {
        Policy::new(50, Protection::Noise, step).and_then(|policy| policy.with_rho(rho)).expect("policy")
    }

    #[test]
    fn what_is_spent_is_rho_and_no_more() {
        for step in [1, 2, 7, 10, 28] {
            for rho in [0.001, 0.1, 0.5, 10.0] {
                let budget = Budget::of(&policy(step, rho));
                for entity in EntityKind::ALL {
                    let lines = budget.allocations().into_iter().filter(|line| line.entity == entity);
                    let spent: f64 = lines.map(|line| line.rho).sum();
                    let rho = rho / f64::from(rho_divisor(entity));
                    assert!(spent <= rho && (spent > 0.9 * rho || rho > 1.5), "{entity:?} {step} {rho}: {spent}");
                }
            }
        }
    }

    #[test]
    fn every_variance_is_one_that_the_sampler_is_argued_for() {
        for (step, rho) in [(1, crate::RHO_MIN), (28, crate::RHO_MIN), (1, crate::RHO_MAX)] {
            let budget = Budget::of(&policy(step, rho));
            assert!(!budget.variances.is_empty());
            assert!(budget.variances.values().all(|variance| variance.get() <= VARIANCE_MAX), "{step} {rho}");
        }
    }

    #[test]
    fn a_day_lies_in_as_many_windows_as_declared() {
        use throng_model::{Day, Window};
        let day = Day::parse("2026-03-11").expect("day");
        for step in [1, 3, 7, 10, 28] {
            for kind in WindowKind::ALL.into_iter().filter(|kind| kind.age_days().is_none()) {
                let ends = (-400..400).filter_map(|back| Window::at(kind, day.saturating_add(back), step).ok());
                let holding = ends.map(|window| window.days).filter(|days| days.contains(day));
                let holding: std::collections::BTreeSet<_> = holding.collect();
                assert!(holding.len() <= windows_per_day(kind, step) as usize, "{kind:?} {step}: {holding:?}");
            }
        }
    }

    #[test]
    fn no_unit_shows_a_number_under_the_floor_with_more_than_its_share_of_delta() {
        let budget = Budget::of(&policy(7, 0.5));
        assert!((5.5..6.6).contains(&budget.z_draw), "{}", budget.z_draw);
        assert!((6.0..7.2).contains(&budget.z_sum), "{}", budget.z_sum);
    }

    #[test]
    fn age_and_gender_cost_nothing_of_their_own() {
        for line in Budget::of(&policy(7, 0.5)).allocations() {
            let derived = matches!(line.family, Family::Age | Family::Gender);
            assert_eq!(line.rho == 0.0, derived, "{line:?}");
            assert!(line.sigma.is_finite() && line.sigma > 0.0);
        }
    }
}
