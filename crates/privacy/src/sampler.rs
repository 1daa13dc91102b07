//! Draws from the discrete Gaussian, exactly and in integers only.
//!
//! Algorithms 1 to 3 of Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy" (2020,
//! arXiv 2004.00010). A sampler in floating point has gaps and clusters from which the true count can be told
//! (Mironov 2012); here each integer has its own probability, and every coin is thrown by comparing whole numbers.
//!
//! A draw is a pure function of a seed, and so is its running time. What seeds are made of is the business of `noise`.

use std::num::NonZeroU64;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// The largest σ² that the arithmetic below is argued for.
pub(crate) const VARIANCE_MAX: u64 = 1 << 40;

/// Where the geometric part of a proposal is thrown again. Changes the law by e^−65536, and bounds every product.
const STEPS_MAX: u64 = 1 << 16;

/// The keystream of ChaCha20 (RFC 8439; counter and nonce 0) under a 32-byte seed, as little-endian words.
pub(crate) struct Bits(ChaCha20Rng);

impl Bits {
    /// The stream of this seed, from its start.
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// Uniform below `bound`; 0, without using bits, for bounds of 0 and 1. Lemire 2019, "Fast Random Integer
    /// Generation in an Interval": multiplies, and throws again where a multiple of the bound would get more than its share.
    fn below(&mut self, bound: u64) -> u64 {
        if bound <= 1 {
            return 0;
        }
        let mut scaled = u128::from(self.0.next_u64()) * u128::from(bound);
        if (scaled as u64) < bound {
            let surplus = bound.wrapping_neg() % bound;
            while (scaled as u64) < surplus {
                scaled = u128::from(self.0.next_u64()) * u128::from(bound);
            }
        }
        (scaled >> 64) as u64
    }

    /// Like [`Self::below`] for bounds beyond 64 bits: cuts words to the bound's length and throws again above it.
    fn below_wide(&mut self, bound: u128) -> u128 {
        if let Ok(bound) = u64::try_from(bound) {
            return u128::from(self.below(bound));
        }
        loop {
            let word = u128::from(self.0.next_u64()) << 64 | u128::from(self.0.next_u64());
            let cut = word >> bound.leading_zeros();
            if cut < bound {
                return cut;
            }
        }
    }

    /// True with probability e^−(numerator/denominator), for any ratio (algorithm 1).
    fn exp_minus(&mut self, numerator: u128, denominator: u128) -> bool {
        // e^−1 once for each whole; nearly always the first or second throw ends it.
        let mut wholes = numerator / denominator;
        while wholes > 0 {
            if !self.exp_minus_fraction(1, 1) {
                return false;
            }
            wholes -= 1;
        }
        self.exp_minus_fraction(numerator % denominator, denominator)
    }

    /// The same for a ratio γ of at most 1. The first n throws of γ/1, γ/2, γ/3 … succeed with probability γⁿ/n!,
    /// so the first failure is an odd one with probability 1 − γ + γ²/2! − … = e^−γ. A throw of γ/n is one of 1/n and
    /// one of γ, which keeps the numbers small.
    fn exp_minus_fraction(&mut self, numerator: u128, denominator: u128) -> bool {
        let mut throw = 1;
        while self.below(throw) == 0 && self.below_wide(denominator) < numerator {
            throw += 1;
        }
        throw % 2 == 1
    }

    /// Magnitude and sign of the discrete Laplace with this integer scale (algorithm 2): probability ∝ e^−|x|/scale.
    fn laplace(&mut self, scale: u64) -> (u64, bool) {
        loop {
            let word = self.below(2 * scale);
            let (negative, rest) = (word % 2 == 1, word / 2);
            if !self.exp_minus_fraction(rest.into(), scale.into()) {
                continue;
            }
            let mut steps = 0;
            while steps < STEPS_MAX && self.exp_minus_fraction(1, 1) {
                steps += 1;
            }
            let magnitude = rest + scale * steps;
            // Zero has one sign only, or it would come twice as often.
            if steps < STEPS_MAX && !(negative && magnitude == 0) {
                return (magnitude, negative);
            }
        }
    }
}

/// One draw from N_ℤ(0, σ²): x with probability ∝ e^−x²/2σ² (algorithm 3).
///
/// # Panics
/// If the variance is above [`VARIANCE_MAX`]: less noise than asked for would be worse.
pub(crate) fn discrete_gaussian(variance: NonZeroU64, bits: &mut Bits) -> i64 {
    let variance = variance.get();
    assert!(variance <= VARIANCE_MAX, "a budget keeps its variances below 2^40");
    let scale = variance.isqrt() + 1;
    loop {
        let (magnitude, negative) = bits.laplace(scale);
        let (numerator, denominator) = tilt(magnitude, variance, scale);
        if bits.exp_minus(numerator, denominator) {
            // Below 2^37, so the sign fits.
            let magnitude = magnitude as i64;
            return if negative { -magnitude } else { magnitude };
        }
    }
}

/// What a proposal of Laplace must be thinned by: γ = (|x| − σ²/t)² / 2σ², both sides times t².
///
/// Nothing overflows: t ≤ 2^20 + 1 and |x| < t · 2^16, so |x|·t < 2^57, its square is below 2^114, and 2σ²t² below
/// 2^82.
fn tilt(magnitude: u64, variance: u64, scale: u64) -> (u128, u128) {
    let distance = u128::from((magnitude * scale).abs_diff(variance));
    (distance * distance, 2 * u128::from(variance) * u128::from(scale * scale))
}

/// A draw for a seed of the caller's own, so that another implementation can be compared with this one. It says nothing
/// about any answer, whose seeds come from the noise key.
#[doc(hidden)]
pub fn sample_for_tests(seeds: impl IntoIterator<Item = [u8; 32]>, variance: NonZeroU64) -> Vec<i64> {
    seeds.into_iter().map(|seed| discrete_gaussian(variance, &mut Bits::new(seed))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn seed(number: u64) -> [u8; 32] {
        *blake3::hash(&number.to_le_bytes()).as_bytes()
    }

    fn variance(value: u64) -> NonZeroU64 {
        NonZeroU64::new(value).expect("positive")
    }

    /// One draw for each of many seeds, as the gate draws.
    fn draws(value: u64, count: u64) -> Vec<i64> {
        (0..count).map(|number| discrete_gaussian(variance(value), &mut Bits::new(seed(number)))).collect()
    }

    /// Probabilities of the classes `x div width`, for all within ten standard deviations. Wide classes are summed in
    /// steps, whose error of (step/σ)² is far below what a test can see.
    fn law(value: u64, width: i64) -> BTreeMap<i64, f64> {
        let step = 1.max(width / 64);
        let middle = (step - 1) as f64 / 2.0;
        let weight = |x: i64| (-(x as f64 + middle).powi(2) / (2.0 * value as f64)).exp();
        let reach = 1 + 10 * (value.isqrt() as i64 + 1) / width;
        let class = |class: i64| (0..width / step).map(|n| weight(class * width + n * step)).sum::<f64>();
        let whole: f64 = (-reach..reach).map(class).sum();
        (-reach..reach).map(|number| (number, class(number) / whole)).collect()
    }

    /// The statistic and its degrees of freedom; classes that expect fewer than ten draws are one class.
    fn chi_squared(sample: &[i64], law: &BTreeMap<i64, f64>, width: i64) -> (f64, f64) {
        let mut seen = BTreeMap::new();
        sample.iter().for_each(|x| *seen.entry(x.div_euclid(width)).or_insert(0.0) += 1.0);
        let (mut statistic, mut classes) = (0.0, 0.0);
        let (mut rare_expected, mut rare_seen) = (0.0, sample.len() as f64);
        for (class, weight) in law {
            let expected = weight * sample.len() as f64;
            if expected < 10.0 {
                rare_expected += expected;
                continue;
            }
            let seen = seen.get(class).copied().unwrap_or(0.0);
            rare_seen -= seen;
            statistic += (seen - expected).powi(2) / expected;
            classes += 1.0;
        }
        statistic += (rare_seen - rare_expected).powi(2) / rare_expected.max(1.0);
        (statistic, classes)
    }

    /// The point that χ² passes with probability 10⁻⁶ (Wilson and Hilferty).
    fn quantile(freedom: f64) -> f64 {
        let spread = 2.0 / (9.0 * freedom);
        freedom * (1.0 - spread + 4.753_424 * spread.sqrt()).powi(3)
    }

    #[test]
    fn draws_follow_the_discrete_gaussian() {
        for value in [1, 2, 3, 7, 100, 256, 12_345, 1 << 26, VARIANCE_MAX] {
            let width = 1.max(value.isqrt() as i64 / 8);
            let (statistic, freedom) = chi_squared(&draws(value, 20_000), &law(value, width), width);
            assert!(statistic < quantile(freedom), "σ² = {value}: χ² = {statistic} at {freedom} degrees of freedom");
        }
    }

    #[test]
    fn the_test_of_the_law_notices_a_variance_off_by_a_seventh() {
        let (statistic, freedom) = chi_squared(&draws(115, 20_000), &law(100, 1), 1);
        assert!(statistic > quantile(freedom), "χ² = {statistic} at {freedom} degrees of freedom");
    }

    #[test]
    fn mean_is_zero_and_variance_as_asked() {
        for value in [2, 300, 1 << 20, VARIANCE_MAX] {
            let sample = draws(value, 20_000);
            let count = sample.len() as f64;
            let mean = sample.iter().sum::<i64>() as f64 / count;
            let square = sample.iter().map(|&x| (x as f64).powi(2)).sum::<f64>() / count;
            assert!(mean.abs() < 5.0 * (value as f64 / count).sqrt(), "σ² = {value}: mean {mean}");
            // From σ² = 2 on, the discrete variance differs from σ² by less than 10⁻¹⁴ of it.
            let error = square / value as f64 - 1.0;
            assert!(error.abs() < 5.0 * (2.0 / count).sqrt(), "σ² = {value}: variance off by {error}");
        }
    }

    #[test]
    fn tails_are_neither_cut_nor_heavy() {
        let sample = draws(10_000, 100_000);
        let beyond = |limit: i64| sample.iter().filter(|x| x.abs() >= limit).count();
        // Expected: 6,330 · 100,000 · 10⁻⁸ = 6.3 beyond four σ, 0.06 beyond five.
        assert!((1..20).contains(&beyond(400)), "{}", beyond(400));
        assert!(beyond(500) <= 2);
    }

    #[test]
    fn arithmetic_holds_at_its_bounds() {
        for value in [1, 2, 3, VARIANCE_MAX - 1, VARIANCE_MAX] {
            let scale = value.isqrt() + 1;
            let farthest = scale - 1 + scale * (STEPS_MAX - 1);
            for magnitude in [0, 1, value / scale, farthest] {
                // Overflow would panic: tests check arithmetic.
                let (numerator, denominator) = tilt(magnitude, value, scale);
                assert!(numerator < 1 << 114 && denominator < 1 << 83);
            }
            assert!(i64::try_from(farthest).is_ok_and(|farthest| farthest < 1 << 37));
        }
    }

    #[test]
    #[should_panic(expected = "a budget keeps its variances")]
    fn a_variance_beyond_the_argued_bound_is_refused() {
        discrete_gaussian(variance(VARIANCE_MAX + 1), &mut Bits::new(seed(0)));
    }

    #[test]
    fn uniform_integers_are_uniform_for_narrow_and_wide_bounds() {
        let mut bits = Bits::new(seed(1));
        // Just above half of a power of two, where a careless reduction is at its worst.
        for bound in [3, (1 << 63) + 1, (1 << 64) - 1, (1 << 64) + 3, 3 << 80, (1 << 81) + 1] {
            let mut thirds = [0_u32; 3];
            for _ in 0..30_000 {
                let drawn = bits.below_wide(bound);
                assert!(drawn < bound);
                thirds[usize::try_from(drawn / bound.div_ceil(3)).expect("below 3")] += 1;
            }
            let chi_squared: f64 = thirds.iter().map(|&count| (f64::from(count) - 1e4).powi(2) / 1e4).sum();
            assert!(chi_squared < 27.7, "{bound}: {thirds:?}");
        }
        assert_eq!((bits.below(0), bits.below(1)), (0, 0));
    }

    #[test]
    fn exponential_coins_fall_as_often_as_they_should() {
        let mut bits = Bits::new(seed(2));
        let wide = u128::from(u64::MAX) * 1000;
        for (numerator, denominator) in [(0, 1), (1, 7), (1, 1), (5, 2), (wide / 3, wide), (3 * wide, wide)] {
            let chance = (-(numerator as f64) / denominator as f64).exp();
            let hits = (0..40_000).filter(|_| bits.exp_minus(numerator, denominator)).count() as f64;
            let error = hits / 40_000.0 - chance;
            assert!(
                error.abs() <= 5.0 * (chance * (1.0 - chance) / 40_000.0).sqrt(),
                "{numerator}/{denominator}: {error}"
            );
        }
    }

    #[test]
    fn the_stream_is_that_of_rfc_8439() {
        // Appendix A.1, test vectors 1 and 2: key, nonce 0; blocks 0 and 1.
        let mut bits = Bits::new([0; 32]);
        let words: Vec<u64> = (0..9).map(|_| bits.0.next_u64()).collect();
        assert_eq!(words[0].to_le_bytes(), [0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90]);
        assert_eq!(words[8].to_le_bytes(), [0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a]);
    }

    /// A change here changes noise that has been published: old and new answers could be averaged.
    #[test]
    fn published_noise_never_changes() {
        assert_eq!(draws(1, 6), [0, 0, 1, 0, 1, 0]);
        assert_eq!(draws(256, 6), [1, -5, 32, 7, -8, 17]);
        assert_eq!(draws(12_345, 6), [-9, 38, 211, 48, 59, -114]);
        assert_eq!(draws(VARIANCE_MAX, 6), [89_372, -360_301, 838_724, 450_181, 553_313, -222_792]);
    }
}
