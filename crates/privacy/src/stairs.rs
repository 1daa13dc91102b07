//! The mechanism under the retention curve: noise that stays small in all 101 cumulative counts.
//!
//! A viewer stands in one cell, the furthest position reached; wanted is how many came *at least* so far. With noise on
//! each cell, a point that sums n cells errs by √n. With noise on each point, one viewer changes up to 101 of them.
//! Between the two stands the square root of summing: A = R·R, where A sums and R is Toeplitz with f(k) = C(2k, k)/4^k
//! (Fichtenberger, Henzinger and Upadhyay, "Constant matters", 2022). R·x gets the noise, and A·R⁻¹ makes the curve of it:
//!
//! ```text
//! cells x ──R──▶ stairs ──+ noise──▶ noisy stairs ──A·R⁻¹──▶ counts "at least p" ──isotonic──▶ a curve
//! ```
//!
//! R is rounded to whole 256ths, so that stairs are integers and noise can be too. All that follows is computed from
//! the rounded R, so nothing is lost. Sums start at position 100: the far end, where few viewers are, errs least.
//! After the noise there are only sums, products, quotients and roots of `f64`, the same on every machine.

use std::iter::repeat_n;
use std::sync::OnceLock;

/// Positions 0 to 100 %: as many cells as stairs and points.
pub(crate) const POINTS: usize = 101;

/// What a viewer weighs on its own stair: stairs and their noise are in units of 1/256 viewer.
pub(crate) const SCALE: u64 = 1 << 8;

/// R's entries, f(k) in units of 1/[`SCALE`]: a viewer adds `STEPS[k]` to the stair k positions below its own.
const STEPS: [u64; POINTS] = steps();

const fn steps() -> [u64; POINTS] {
    const ONE: u64 = 1 << 48;
    let mut steps = [0; POINTS];
    let mut exact = ONE;
    let mut k = 0;
    while k < POINTS {
        steps[k] = (exact * SCALE + ONE / 2) / ONE;
        k += 1;
        exact = exact * (2 * k as u64 - 1) / (2 * k as u64);
    }
    steps
}

/// R·x: the stairs of these cells. Counts of viewers are below 2^32, so sums stay below 2^41; beyond `i64` they would
/// saturate, which never sets two inputs further apart.
pub(crate) fn forward(cells: &[u64; POINTS]) -> [i64; POINTS] {
    std::array::from_fn(|position| {
        let weighed = cells.iter().skip(position).zip(&STEPS).map(|(cell, step)| cell.saturating_mul(*step));
        i64::try_from(weighed.fold(0, u64::saturating_add)).unwrap_or(i64::MAX)
    })
}

/// The largest squared change of all stairs together when a viewer leaves its cell or goes to another: by trying all.
pub(crate) fn sensitivity_squared() -> u64 {
    static FOUND: OnceLock<u64> = OnceLock::new();
    let stair = |cell: usize, at: usize| cell.checked_sub(at).and_then(|below| STEPS.get(below)).copied().unwrap_or(0);
    let moved = |from, to| (0..POINTS).map(|at| stair(from, at).abs_diff(stair(to, at)).pow(2)).sum();
    let left = |from| (0..POINTS).map(|at| stair(from, at).pow(2)).sum();
    let worst = |from| (0..from).map(|to| moved(from, to)).fold(left(from), u64::max);
    *FOUND.get_or_init(|| (0..POINTS).map(worst).fold(0, u64::max))
}

/// A·R⁻¹·z: of noisy stairs, the viewers who came at least to each position. Neither falling nor positive yet.
pub(crate) fn cumulative(noisy: &[i64; POINTS]) -> [f64; POINTS] {
    let sum = |position| noisy.iter().skip(position).zip(weights()).map(|(stair, weight)| *stair as f64 * weight).sum();
    std::array::from_fn(sum)
}

/// By what the standard deviation of the stairs' noise is multiplied in each point of [`cumulative`].
pub(crate) fn spread() -> [f64; POINTS] {
    let squares = |position| weights().iter().take(POINTS - position).map(|weight| weight * weight).sum::<f64>();
    std::array::from_fn(|position| squares(position).sqrt())
}

/// The nearest curve that never rises, by pooling neighbours that do (pool adjacent violators), and never below 0.
pub(crate) fn isotonic(values: &mut [f64]) {
    let mean = |&(sum, count): &(f64, usize)| sum / count as f64;
    let mut pools: Vec<(f64, usize)> = Vec::with_capacity(values.len());
    for &value in &*values {
        let mut pool = (value, 1);
        while let Some((sum, count)) = pools.pop_if(|before| mean(before) < mean(&pool)) {
            pool = (pool.0 + sum, pool.1 + count);
        }
        pools.push(pool);
    }
    let curve = pools.iter().flat_map(|pool| repeat_n(mean(pool).max(0.0), pool.1));
    values.iter_mut().zip(curve).for_each(|(value, level)| *value = level);
}

/// The entries of A·R⁻¹, which is Toeplitz like its factors: how much the stair k positions above counts in a point.
/// Solves R·w = (1, 1, …), A's column.
fn weights() -> &'static [f64; POINTS] {
    static SOLVED: OnceLock<[f64; POINTS]> = OnceLock::new();
    SOLVED.get_or_init(|| {
        let mut weights = [0.0; POINTS];
        for k in 0..POINTS {
            let known = weights.iter().take(k).rev().zip(STEPS.iter().skip(1));
            let rest: f64 = known.map(|(weight, step)| weight * *step as f64).sum();
            weights[k] = (1.0 - rest) / SCALE as f64;
        }
        weights
    })
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;
    use crate::sampler::{Bits, discrete_gaussian};

    /// Viewers who fall away as they do in short videos, with a bump at the end.
    fn cells() -> [u64; POINTS] {
        std::array::from_fn(|position| if position == 100 { 12_345 } else { 90_000 / (position as u64 + 1) + 7 })
    }

    fn at_least(cells: &[u64; POINTS]) -> [u64; POINTS] {
        std::array::from_fn(|position| cells[position..].iter().sum())
    }

    fn squared(change: impl Iterator<Item = i64>) -> u64 {
        change.map(|change| change.unsigned_abs().pow(2)).sum()
    }

    #[test]
    fn steps_are_the_rounded_central_binomials() {
        let mut exact = 1.0;
        for (k, &step) in STEPS.iter().enumerate() {
            assert!((step as f64 - 256.0 * exact).abs() <= 0.5, "{k}");
            exact *= (2 * k + 1) as f64 / (2 * k + 2) as f64;
        }
    }

    #[test]
    fn without_noise_the_curve_is_exact() {
        let mut worlds = vec![cells(), [0; POINTS], [1_000_000; POINTS]];
        worlds.extend((0..POINTS).map(|one| std::array::from_fn(|position| u64::from(position == one))));
        for world in worlds {
            for (found, exact) in cumulative(&forward(&world)).iter().zip(at_least(&world)) {
                assert!((found - exact as f64).abs() < 1e-6, "{found} for {exact}");
            }
        }
    }

    #[test]
    fn no_viewer_moves_the_stairs_further_than_declared() {
        let before = forward(&cells());
        let mut worst = 0;
        for from in 0..POINTS {
            for to in 0..=POINTS {
                let mut after = cells();
                after[from] -= 1;
                after.iter_mut().skip(to).take(1).for_each(|cell| *cell += 1); // none at POINTS: the viewer leaves
                worst = worst.max(squared(before.iter().zip(forward(&after)).map(|(before, after)| before - after)));
            }
        }
        assert_eq!(worst, sensitivity_squared());
    }

    #[test]
    fn beats_noise_on_cells_and_noise_on_points() {
        let scale = SCALE as f64;
        let sensitivity = (sensitivity_squared() as f64).sqrt() / scale;
        let error = spread().map(|factor| factor * scale * sensitivity);
        // In units of the noise of a single count. Cells: a move changes two, a point sums up to 101.
        // Points: a viewer is in up to 101.
        assert!(error[0] < 3.2 && error[100] < 2.0, "{error:?}");
        assert!((2.0_f64 * 101.0).sqrt() > 4.0 * error[0]);
        assert!(101.0_f64.sqrt() > 3.0 * error[0]);
        assert!(error.is_sorted_by(|nearer, farther| nearer >= farther));
    }

    #[test]
    fn points_spread_as_declared() {
        const TRIALS: u64 = 2_000;
        let variance = NonZeroU64::new(SCALE * SCALE * 100).expect("positive");
        let (exact, stairs) = (at_least(&cells()), forward(&cells()));
        let mut squares = [0.0; POINTS];
        for trial in 0..TRIALS {
            let mut bits = Bits::new(*blake3::hash(&trial.to_le_bytes()).as_bytes());
            let noisy = stairs.map(|stair| stair + discrete_gaussian(variance, &mut bits));
            for (square, (found, exact)) in squares.iter_mut().zip(cumulative(&noisy).iter().zip(exact)) {
                *square += (found - exact as f64).powi(2) / TRIALS as f64;
            }
        }
        for (position, (square, factor)) in squares.iter().zip(spread()).enumerate() {
            let ratio = square.sqrt() / (factor * (variance.get() as f64).sqrt());
            // The standard error of a standard deviation of 2,000 trials is 1.6 %.
            assert!((ratio - 1.0).abs() < 0.07, "{position}: {ratio}");
        }
    }

    #[test]
    fn neighbours_that_rise_are_pooled() {
        let pooled = |mut values: Vec<f64>| {
            isotonic(&mut values);
            values
        };
        assert_eq!(pooled(vec![5.0, 3.0, 1.0]), [5.0, 3.0, 1.0]);
        assert_eq!(pooled(vec![5.0, 1.0, 3.0, 1.0]), [5.0, 2.0, 2.0, 1.0]);
        assert_eq!(pooled(vec![1.0, 2.0, 3.0]), [2.0, 2.0, 2.0]);
        assert_eq!(pooled(vec![4.0, 2.0, 3.0, 4.0]), [4.0, 3.0, 3.0, 3.0]);
        assert_eq!(pooled(vec![2.0, -3.0, 1.0, -8.0]), [2.0, 0.0, 0.0, 0.0]);
        assert!(pooled(vec![]).is_empty());
    }

    #[test]
    fn a_pooled_curve_falls_and_is_nowhere_worse_than_the_worst_point() {
        let mut bits = Bits::new([7; 32]);
        let variance = NonZeroU64::new(900).expect("positive");
        let truth: Vec<f64> = at_least(&cells()).iter().map(|&viewers| viewers as f64).collect();
        let farthest = |values: &[f64]| values.iter().zip(&truth).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        for _ in 0..20 {
            let noisy: Vec<f64> =
                truth.iter().map(|value| value + discrete_gaussian(variance, &mut bits) as f64).collect();
            let mut curve = noisy.clone();
            isotonic(&mut curve);
            assert!(curve.is_sorted_by(|before, after| before >= after) && curve.iter().all(|&value| value >= 0.0));
            assert!(farthest(&curve) <= farthest(&noisy) + 1e-6);
        }
    }
}
