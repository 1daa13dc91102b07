//! Public counters: what is summed per day (`Metric`), and what is asked for (`Counter`).

use std::ops::{AddAssign, Index, IndexMut};

use crate::Kind;

/// What a day's rollup sums. Counts of events but for `WatchMs`, which is in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum Metric {
    /// Videos shown in a list.
    Impressions,
    /// Plays.
    Views,
    /// Plays of videos whose length is known.
    TimedViews,
    /// Plays that reached 97 % of the video's known length.
    CompletedViews,
    /// Total time watched, in milliseconds.
    WatchMs,
    /// Likes given.
    Likes,
    /// Likes taken back.
    Unlikes,
    /// Comments written.
    Comments,
    /// Videos passed on.
    Shares,
    /// Videos kept for later.
    Saves,
    /// Kept videos dropped.
    Unsaves,
    /// Followers gained.
    Follows,
    /// Followers lost.
    Unfollows,
    /// Openings of the creator's profile.
    ProfileViews,
}

impl Metric {
    /// Every metric, in the order of the store's rollup columns.
    pub const ALL: [Self; 14] = [
        Self::Impressions,
        Self::Views,
        Self::TimedViews,
        Self::CompletedViews,
        Self::WatchMs,
        Self::Likes,
        Self::Unlikes,
        Self::Comments,
        Self::Shares,
        Self::Saves,
        Self::Unsaves,
        Self::Follows,
        Self::Unfollows,
        Self::ProfileViews,
    ];

    /// The metric that counts events of this kind.
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Impression => Self::Impressions,
            Kind::View => Self::Views,
            Kind::Like => Self::Likes,
            Kind::Unlike => Self::Unlikes,
            Kind::Comment => Self::Comments,
            Kind::Share => Self::Shares,
            Kind::Save => Self::Saves,
            Kind::Unsave => Self::Unsaves,
            Kind::Follow => Self::Follows,
            Kind::Unfollow => Self::Unfollows,
            Kind::ProfileView => Self::ProfileViews,
        }
    }
}

/// One sum per metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally([u64; Metric::ALL.len()]);

impl Tally {
    /// Counts one event. `duration_ms` is the video's length where known; only views look at it and at `watch_ms`.
    pub fn record(&mut self, kind: Kind, watch_ms: u32, duration_ms: Option<u32>) {
        self[Metric::of(kind)] += 1;
        if kind == Kind::View {
            self[Metric::WatchMs] += u64::from(watch_ms);
            if let Some(duration_ms) = duration_ms {
                self[Metric::TimedViews] += 1;
                self[Metric::CompletedViews] += u64::from(reached_end(watch_ms, duration_ms));
            }
        }
    }

    /// Number of events, of any kind.
    pub fn events(&self) -> u64 {
        Kind::ALL.iter().map(|&kind| self[Metric::of(kind)]).sum()
    }

    /// Whether every sum is 0.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&sum| sum == 0)
    }
}

/// A view reached the end when 97 % of the length was watched.
fn reached_end(watch_ms: u32, duration_ms: u32) -> bool {
    u64::from(watch_ms) * 100 >= u64::from(duration_ms) * 97
}

/// Playback position in whole percent, rounded down, at most 100; `None` for a length of 0, which is none.
pub fn playback_position(watch_ms: u32, duration_ms: u32) -> Option<u8> {
    let percent = (u64::from(watch_ms) * 100).checked_div(duration_ms.into())?;
    u8::try_from(percent.min(100)).ok()
}

impl Index<Metric> for Tally {
    type Output = u64;

    fn index(&self, metric: Metric) -> &u64 {
        &self.0[metric as usize]
    }
}

impl IndexMut<Metric> for Tally {
    fn index_mut(&mut self, metric: Metric) -> &mut u64 {
        &mut self.0[metric as usize]
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }
}

/// A public counter as it is asked for: a net sum, a gross sum, or a ratio of sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// Videos shown in a list.
    Impressions,
    /// Plays.
    Views,
    /// Likes given minus likes taken back; can be negative over a range.
    Likes,
    /// Likes given.
    LikesGross,
    /// Comments written.
    Comments,
    /// Videos passed on.
    Shares,
    /// Saves minus unsaves; can be negative over a range.
    Saves,
    /// Saves.
    SavesGross,
    /// Followers gained.
    FollowsGained,
    /// Followers lost.
    FollowsLost,
    /// Openings of the profile.
    ProfileViews,
    /// Total watch time, in seconds.
    WatchTime,
    /// Watch time ÷ views, in seconds.
    AverageWatchTime,
    /// Views that reached 97 % ÷ views with a known length, 0 to 1.
    CompletionRate,
    /// (Likes + comments + shares) ÷ views, net likes.
    EngagementRate,
}

impl Counter {
    /// Every counter.
    pub const ALL: [Self; 15] = [
        Self::Impressions,
        Self::Views,
        Self::Likes,
        Self::LikesGross,
        Self::Comments,
        Self::Shares,
        Self::Saves,
        Self::SavesGross,
        Self::FollowsGained,
        Self::FollowsLost,
        Self::ProfileViews,
        Self::WatchTime,
        Self::AverageWatchTime,
        Self::CompletionRate,
        Self::EngagementRate,
    ];

    /// The metrics that the counter is computed from.
    pub fn metrics(self) -> &'static [Metric] {
        match self {
            Self::Impressions => &[Metric::Impressions],
            Self::Views => &[Metric::Views],
            Self::Likes => &[Metric::Likes, Metric::Unlikes],
            Self::LikesGross => &[Metric::Likes],
            Self::Comments => &[Metric::Comments],
            Self::Shares => &[Metric::Shares],
            Self::Saves => &[Metric::Saves, Metric::Unsaves],
            Self::SavesGross => &[Metric::Saves],
            Self::FollowsGained => &[Metric::Follows],
            Self::FollowsLost => &[Metric::Unfollows],
            Self::ProfileViews => &[Metric::ProfileViews],
            Self::WatchTime => &[Metric::WatchMs],
            Self::AverageWatchTime => &[Metric::WatchMs, Metric::Views],
            Self::CompletionRate => &[Metric::CompletedViews, Metric::TimedViews],
            Self::EngagementRate => &[Metric::Likes, Metric::Unlikes, Metric::Comments, Metric::Shares, Metric::Views],
        }
    }

    /// The counter's value; `None` for a ratio whose denominator is 0.
    pub fn of(self, tally: &Tally) -> Option<f64> {
        let sum = |metric: Metric| tally[metric] as f64;
        let ratio = |over: f64, under: f64| (under > 0.0).then(|| over / under);
        let likes = sum(Metric::Likes) - sum(Metric::Unlikes);
        Some(match self {
            Self::Impressions => sum(Metric::Impressions),
            Self::Views => sum(Metric::Views),
            Self::Likes => likes,
            Self::LikesGross => sum(Metric::Likes),
            Self::Comments => sum(Metric::Comments),
            Self::Shares => sum(Metric::Shares),
            Self::Saves => sum(Metric::Saves) - sum(Metric::Unsaves),
            Self::SavesGross => sum(Metric::Saves),
            Self::FollowsGained => sum(Metric::Follows),
            Self::FollowsLost => sum(Metric::Unfollows),
            Self::ProfileViews => sum(Metric::ProfileViews),
            Self::WatchTime => sum(Metric::WatchMs) / 1_000.0,
            Self::AverageWatchTime => return ratio(sum(Metric::WatchMs) / 1_000.0, sum(Metric::Views)),
            Self::CompletionRate => return ratio(sum(Metric::CompletedViews), sum(Metric::TimedViews)),
            Self::EngagementRate => {
                return ratio(likes + sum(Metric::Comments) + sum(Metric::Shares), sum(Metric::Views));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_completes_at_97_percent() {
        let mut tally = Tally::default();
        tally.record(Kind::View, 969, Some(1_000));
        tally.record(Kind::View, 970, Some(1_000));
        tally.record(Kind::View, 5_000, None);
        assert_eq!(Counter::CompletionRate.of(&tally), Some(0.5));
        assert_eq!(Counter::Views.of(&tally), Some(3.0));
        assert_eq!(Counter::WatchTime.of(&tally), Some(6.939));
    }

    #[test]
    fn a_ratio_without_denominator_has_no_value() {
        assert_eq!(Counter::EngagementRate.of(&Tally::default()), None);
        assert_eq!(Counter::Shares.of(&Tally::default()), Some(0.0));
    }

    #[test]
    fn a_counter_depends_on_its_metrics_alone() {
        for counter in Counter::ALL {
            let (mut all, mut own) = (Tally::default(), Tally::default());
            for (n, metric) in (3..).zip(Metric::ALL) {
                all[metric] = n * n;
                if counter.metrics().contains(&metric) {
                    own[metric] = n * n;
                }
            }
            assert_eq!(counter.of(&all), counter.of(&own), "{counter:?}");
        }
    }

    #[test]
    fn every_kind_is_an_event() {
        let mut tally = Tally::default();
        for &kind in Kind::ALL {
            tally.record(kind, 1_000, Some(1_000));
        }
        assert_eq!(tally.events(), Kind::ALL.len() as u64);
    }

    #[test]
    fn undone_likes_leave_the_net_only() {
        let mut tally = Tally::default();
        for kind in [Kind::Like, Kind::Unlike, Kind::Unlike] {
            tally.record(kind, 0, None);
        }
        assert_eq!(Counter::Likes.of(&tally), Some(-1.0));
        assert_eq!(Counter::LikesGross.of(&tally), Some(1.0));
    }

    #[test]
    fn positions_round_down_and_stop_at_the_end() {
        assert_eq!(playback_position(0, 1), Some(0));
        assert_eq!(playback_position(999, 100_000), Some(0));
        assert_eq!(playback_position(99_999, 100_000), Some(99));
        assert_eq!(playback_position(u32::MAX, 1_000), Some(100));
        assert_eq!(playback_position(u32::MAX, u32::MAX), Some(100));
        assert_eq!(playback_position(1, 0), None);
    }
}
