//! The same law, twice: our draws against those of OpenDP, which shares no code with us.
//!
//! OpenDP takes its randomness from the operating system and cannot be seeded, so these tests could fail by chance.
//! Their limit is set where that happens less than once in 10⁹ runs of all of them.

#![allow(clippy::expect_used, reason = "a surprise should stop the test")]

use std::num::NonZeroU64;

use opendp::domains::{AtomDomain, VectorDomain};
use opendp::measurements::make_gaussian;
use opendp::measures::ZeroConcentratedDivergence;
use opendp::metrics::L2Distance;
use opendp::traits::samplers::sample_discrete_gaussian;
use throng_model::Family;
use throng_privacy::{Budget, Policy, Protection, sample_for_tests};

/// Classes of a sample, half a standard deviation wide, rounded up; the outer two hold the tails.
const CLASSES: usize = 13;
const DRAWS: u64 = 50_000;

/// χ² at twelve degrees of freedom passes 78 with probability 10⁻¹¹; the rest is for its being a limit law.
const LIMIT: f64 = 90.0;

fn theirs(deviation: u64) -> Vec<i64> {
    let draw = |_| sample_discrete_gaussian(deviation.into()).expect("entropy");
    (0..DRAWS).map(|number| i64::try_from(draw(number)).expect("small")).collect()
}

fn ours(variance: u64) -> Vec<i64> {
    let seed = |number: u64| {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        seed[8..16].copy_from_slice(&variance.to_le_bytes());
        seed
    };
    sample_for_tests((0..DRAWS).map(seed), NonZeroU64::new(variance).expect("positive"))
}

fn histogram(sample: &[i64], deviation: u64) -> [f64; CLASSES] {
    let half = (CLASSES / 2) as i64;
    let width = (deviation as i64 + 1) / 2;
    let mut counts = [0.0; CLASSES];
    for x in sample {
        // Symmetric about 0, whose class is the middle one.
        let class = (2 * x + width).div_euclid(2 * width).clamp(-half, half);
        counts[usize::try_from(class + half).expect("not below 0")] += 1.0;
    }
    counts
}

/// The two-sample statistic for samples of one size.
fn chi_squared(one: &[f64; CLASSES], other: &[f64; CLASSES]) -> f64 {
    let classes = one.iter().zip(other).filter(|(one, other)| *one + *other > 0.0);
    classes.map(|(one, other)| (one - other).powi(2) / (one + other)).sum()
}

#[test]
fn our_draws_and_those_of_opendp_have_one_law() {
    for deviation in [1, 2, 7, 16, 111, 5_000] {
        let ours = histogram(&ours(deviation * deviation), deviation);
        let theirs = histogram(&theirs(deviation), deviation);
        let statistic = chi_squared(&ours, &theirs);
        assert!(statistic < LIMIT, "σ = {deviation}: χ² = {statistic}\n{ours:?}\n{theirs:?}");
    }
}

#[test]
fn the_comparison_notices_a_fifth_more_variance() {
    let statistic = chi_squared(&histogram(&ours(307), 16), &histogram(&theirs(16), 16));
    assert!(statistic > LIMIT, "χ² = {statistic}");
}

/// What OpenDP says that noise of this deviation costs of ρ, for numbers that change by so much.
fn their_rho(change_squared: f64, deviation: f64) -> f64 {
    let (domain, metric) = (VectorDomain::new(AtomDomain::<i64>::default()), L2Distance::<f64>::default());
    let mechanism = make_gaussian::<_, _, ZeroConcentratedDivergence>(domain, metric, deviation, None).expect("valid");
    mechanism.map(&change_squared.sqrt()).expect("a change that is not negative")
}

#[test]
fn the_budget_costs_what_opendp_says() {
    let policy = Policy::new(50, Protection::Noise, 7).expect("valid");
    // Lines whose σ is that of a single draw.
    let sums = [Family::Age, Family::Gender, Family::Funnel, Family::Retention];
    let lines: Vec<_> = Budget::of(&policy).allocations();
    let lines: Vec<_> = lines.into_iter().filter(|line| !sums.contains(&line.family)).collect();
    assert!(lines.len() > 100, "{}", lines.len());
    for line in lines {
        let theirs = f64::from(line.windows_per_day) * their_rho(line.sensitivity_squared, line.sigma);
        // OpenDP rounds upwards at each step.
        assert!((theirs / line.rho - 1.0).abs() < 1e-12, "{line:?}: {theirs}");
    }
}
