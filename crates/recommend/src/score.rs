//! How much a day's views stand out: (observed − expected)² ÷ expected, which is the square of a Poisson count's distance from
//! its mean in standard deviations. The rule is that of Mastodon's trends (`app/models/trends/tags.rb`), by days instead of hours.
//!
//! Only sums, products and halves are used, whose results IEEE 754 fixes: the same numbers on every machine.

/// Days before a day whose mean is what the day is expected to be. A whole week, so that weekends are not trends.
pub const BASELINE_DAYS: usize = 7;

/// The last days, of which one may be the peak. A peak's score halves with each day since.
pub const PEAK_DAYS: usize = 7;

/// The day that stands out most, its score halved for each day since.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Peak {
    /// Its place in the days that were given.
    pub(crate) place: usize,
    /// What was expected of it.
    pub(crate) expected: f64,
    /// Above 0.
    pub(crate) score: f64,
}

/// The peak of some days' views, oldest first. Where there is no number, or one below `least`, the day counts as nothing; at least
/// `least` is expected of every day, as that much may be hidden. `None` where no day is beyond what was expected. Of equal days
/// the last is the peak.
pub(crate) fn peak(views: &[Option<f64>], least: f64) -> Option<Peak> {
    let views: Vec<f64> = views.iter().map(|views| views.filter(|&views| views >= least).unwrap_or(0.0)).collect();
    let candidates = (BASELINE_DAYS..views.len()).rev().take(PEAK_DAYS).scan(1.0, |share, place| {
        let halved = *share;
        *share /= 2.0;
        Some((place, halved))
    });
    let mut best: Option<Peak> = None;
    for (place, share) in candidates {
        let (before, observed) = (views.get(place - BASELINE_DAYS..place)?, *views.get(place)?);
        let expected = (before.iter().sum::<f64>() / BASELINE_DAYS as f64).max(least);
        let score = excess(observed, expected) * share;
        if score > best.map_or(0.0, |best| best.score) {
            best = Some(Peak { place, expected, score });
        }
    }
    best
}

fn excess(observed: f64, expected: f64) -> f64 {
    let more = (observed - expected).max(0.0);
    more * more / expected
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    const LEAST: f64 = 50.0;

    fn week_of(usual: f64) -> Vec<Option<f64>> {
        vec![Some(usual); BASELINE_DAYS]
    }

    #[test]
    fn a_day_is_held_against_the_week_before() {
        let mut views = week_of(100.0);
        views.push(Some(150.0));
        assert_eq!(peak(&views, LEAST), Some(Peak { place: 7, expected: 100.0, score: 25.0 }));
        views[0] = Some(450.0);
        assert_eq!(peak(&views, LEAST), None, "the mean is 150 now");
    }

    #[test]
    fn a_peak_halves_with_each_day() {
        let mut views = week_of(100.0);
        views.push(Some(300.0));
        for score in [400.0, 200.0, 100.0, 50.0, 25.0, 12.5, 6.25] {
            assert_eq!(peak(&views, LEAST).expect("a peak").score, score);
            views.push(Some(100.0));
        }
        assert_eq!(peak(&views, LEAST), None);
    }

    #[test]
    fn nothing_is_expected_to_be_below_the_least() {
        let mut views = vec![None; BASELINE_DAYS];
        views.push(Some(150.0));
        assert_eq!(peak(&views, LEAST), Some(Peak { place: 7, expected: 50.0, score: 200.0 }));
        views[7] = Some(49.0);
        assert_eq!(peak(&views, LEAST), None);
    }

    #[test]
    fn too_few_days_have_no_peak() {
        assert_eq!(peak(&[], LEAST), None);
        assert_eq!(peak(&week_of(1e6), LEAST), None);
    }

    fn days() -> impl Strategy<Value = Vec<Option<f64>>> {
        let views = prop_oneof![Just(None), (0..2_000_u32).prop_map(|views| Some(f64::from(views)))];
        prop::collection::vec(views, 0..BASELINE_DAYS + PEAK_DAYS + 3)
    }

    proptest! {
        #[test]
        fn what_is_withheld_is_as_good_as_nothing(views in days()) {
            let hidden = |views: &Option<f64>| views.filter(|&views| views >= LEAST);
            let filled: Vec<_> = views.iter().map(|views| hidden(views).or(Some(LEAST - 1.0))).collect();
            prop_assert_eq!(peak(&views, LEAST), peak(&views.iter().map(hidden).collect::<Vec<_>>(), LEAST));
            prop_assert_eq!(peak(&views, LEAST), peak(&filled, LEAST));
        }

        #[test]
        fn the_peak_is_the_best_of_the_last_days(views in days()) {
            let value = |place: usize| views[place].filter(|&views| views >= LEAST).unwrap_or(0.0);
            let score = |place: usize| {
                let mean = (place - BASELINE_DAYS..place).map(value).sum::<f64>() / 7.0;
                let (observed, expected) = (value(place), mean.max(LEAST));
                let age = (views.len() - 1 - place) as i32;
                if observed > expected { (observed - expected).powi(2) / expected / 2_f64.powi(age) } else { 0.0 }
            };
            let first = BASELINE_DAYS.max(views.len().saturating_sub(PEAK_DAYS));
            let best = (first..views.len()).map(score).fold(0.0, f64::max);
            let found = peak(&views, LEAST);
            prop_assert_eq!(found.map_or(0.0, |peak| peak.score), best);
            prop_assert!(found.is_none_or(|peak| peak.score > 0.0 && score(peak.place) == best && peak.expected >= LEAST));
        }

        #[test]
        fn more_views_today_never_lower_a_score(views in days(), more in 1..500_u32) {
            let mut risen = views.clone();
            if let Some(today) = risen.last_mut() {
                *today = Some(today.unwrap_or(0.0) + f64::from(more));
            }
            let score = |views: &[Option<f64>]| peak(views, LEAST).map_or(0.0, |peak| peak.score);
            prop_assert!(score(&risen) >= score(&views));
        }
    }
}
