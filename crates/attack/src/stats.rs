//! The statistics of the verdicts: the normal law, bounds on advantages, and confidence intervals that hold for any sample.
//!
//! Every interval here errs with a probability of at most [`ALPHA`], so a whole run raises no false alarm in some thousands.

/// The probability with which one verdict may be wrong about a system that keeps its promise.
pub(crate) const ALPHA: f64 = 1e-4;

/// Φ, the standard normal distribution function; relative error below 10⁻⁶ also far out on the left.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x / std::f64::consts::SQRT_2)
}

/// Φ⁻¹ by halving.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    bisect(-9.0, 9.0, |x| normal_cdf(x) < p)
}

/// The most by which true positives can outweigh false ones where units of this ρ in all are at stake: the mechanisms are
/// Gaussian, and of all Gaussians of this ρ none tells the two worlds apart better than means √(2ρ) apart do.
pub(crate) fn advantage_max(rho: f64) -> f64 {
    2.0 * normal_cdf((2.0 * rho).sqrt() / 2.0) - 1.0
}

/// δ(ε) of two normal laws whose means lie √(2ρ) apart (Balle and Wang 2018, theorem 8): the tightest there is.
pub(crate) fn delta_of(epsilon: f64, rho: f64) -> f64 {
    let apart = (2.0 * rho).sqrt();
    let (near, far) = (apart / 2.0 - epsilon / apart, -apart / 2.0 - epsilon / apart);
    (normal_cdf(near) - epsilon.exp() * normal_cdf(far)).max(0.0)
}

/// How far an empirical distribution may lie from the true one anywhere (Dvoretzky, Kiefer, Wolfowitz; Massart's constant).
pub(crate) fn dkw(samples: usize, alpha: f64) -> f64 {
    ((2.0 / alpha).ln() / (2.0 * samples.max(1) as f64)).sqrt()
}

/// How far the mean of independent values in [0, 1] may lie above its expectation (Hoeffding).
pub(crate) fn hoeffding(samples: usize, alpha: f64) -> f64 {
    ((1.0 / alpha).ln() / (2.0 * samples.max(1) as f64)).sqrt()
}

/// The interval of Clopper and Pearson around a proportion, with `alpha` on each side.
pub(crate) fn clopper_pearson(hits: u64, of: u64, alpha: f64) -> (f64, f64) {
    let (hit, missed) = (hits as f64, of.saturating_sub(hits) as f64);
    let low = if hits == 0 { 0.0 } else { bisect(0.0, 1.0, |p| beta(hit, missed + 1.0, p) < alpha) };
    let high = if hits >= of { 1.0 } else { bisect(0.0, 1.0, |p| beta(hit + 1.0, missed, p) < 1.0 - alpha) };
    (low, high)
}

/// A quantile of χ² (Wilson and Hilferty); good to a percent from twenty degrees of freedom on.
pub(crate) fn chi_squared(degrees: f64, p: f64) -> f64 {
    let step = 2.0 / (9.0 * degrees);
    degrees * (1.0 - step + normal_quantile(p) * step.sqrt()).powi(3)
}

/// The largest difference of two empirical distribution functions: the advantage at the best threshold.
pub(crate) fn largest_gap(with: &[f64], without: &[f64]) -> f64 {
    let mut all: Vec<(f64, f64)> = Vec::with_capacity(with.len() + without.len());
    all.extend(with.iter().map(|&value| (value, 1.0 / with.len() as f64)));
    all.extend(without.iter().map(|&value| (value, -1.0 / without.len() as f64)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut gap, mut largest) = (0.0_f64, 0.0_f64);
    for group in all.chunk_by(|a, b| a.0 == b.0) {
        gap += group.iter().map(|(_, weight)| weight).sum::<f64>();
        largest = largest.max(gap.abs());
    }
    largest
}

/// The complementary error function by Chebyshev's fit of Numerical Recipes (`erfcc`).
fn erfc(x: f64) -> f64 {
    const FIT: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let t = 1.0 / (1.0 + 0.5 * x.abs());
    let power = FIT.iter().rev().fold(0.0, |sum, &each| sum * t + each);
    let tail = t * (-x * x + power).exp();
    if x >= 0.0 { tail } else { 2.0 - tail }
}

/// Iₓ(a, b), the regularised incomplete beta function, by its continued fraction.
fn beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta(b, a, 1.0 - x);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp() / a;
    let away = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let (mut c, mut fraction) = (1.0, d);
    for step in 1..2_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = fraction;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            fraction *= d * c;
        }
        if ((fraction - before) / fraction).abs() < 1e-14 {
            break;
        }
    }
    front * fraction
}

/// ln Γ by Stirling's series, for positive arguments.
fn ln_gamma(x: f64) -> f64 {
    if x < 10.0 {
        return ln_gamma(x + 1.0) - x.ln();
    }
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1_260.0 * x.powi(5));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

/// Where a condition that holds on the left stops holding.
fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if holds(middle) { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(is: f64, must_be: f64, by: f64) {
        assert!((is - must_be).abs() <= by, "{is} must be {must_be}");
    }

    #[test]
    fn the_normal_law_has_its_known_values() {
        near(normal_cdf(0.0), 0.5, 1e-7);
        near(normal_cdf(1.959_964), 0.975, 1e-6);
        near(normal_cdf(-4.0) / 3.167_124e-5, 1.0, 1e-5);
        near(normal_quantile(0.975), 1.959_964, 1e-5);
    }

    #[test]
    fn one_unit_at_half_gives_little_more_than_a_third() {
        near(advantage_max(0.5), 0.382_925, 1e-6);
        near(advantage_max(0.0), 0.0, 1e-7);
        near(delta_of(0.0, 0.5), 0.382_925, 1e-6);
        near(delta_of(1.0, 0.5), 0.126_937, 1e-6);
    }

    #[test]
    fn intervals_of_proportions_have_their_known_values() {
        let (low, high) = clopper_pearson(5, 10, 0.025);
        near(low, 0.187_086, 1e-5);
        near(high, 0.812_914, 1e-5);
        let (low, high) = clopper_pearson(0, 100, 0.025);
        near(low, 0.0, 0.0);
        near(high, 0.036_217, 1e-5);
        near(clopper_pearson(900, 1_000, 0.025).0, 0.879_712, 1e-6);
    }

    #[test]
    fn bands_and_quantiles_have_their_known_values() {
        near(dkw(1_000, 0.05), 0.042_947, 1e-6);
        near(hoeffding(1_000, 0.05), 0.038_702, 1e-6);
        near(chi_squared(100.0, 0.95), 124.342, 0.05);
        near(chi_squared(50.0, 0.025), 32.357, 0.05);
    }

    #[test]
    fn the_gap_counts_equal_values_together() {
        near(largest_gap(&[1.0, 1.0, 1.0], &[1.0, 1.0, 1.0]), 0.0, 1e-12);
        near(largest_gap(&[2.0, 3.0], &[0.0, 1.0]), 1.0, 1e-12);
        near(largest_gap(&[0.0, 1.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0]), 0.25, 1e-12);
    }
}
