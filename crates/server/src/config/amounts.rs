//! What a privacy policy amounts to, as comments of the printed configuration: what it costs, and how much noise there is.

use std::fmt::Write as _;

use throng_model::{Family, WindowKind};
use throng_privacy::{Allocation, Budget, DELTA, EntityKind, Policy, Protection};

/// Lines of comments, without `#`.
pub(super) fn amounts(policy: &Policy) -> String {
    let floor = policy.audience_min();
    match policy.protection() {
        Protection::Threshold => format!(
            "What this amounts to: audience insights are exact numbers of at least {floor} viewers, without noise. Comparing\n\
             answers can isolate people.\n"
        ),
        Protection::Noise => noise(policy),
    }
}

fn noise(policy: &Policy) -> String {
    let (floor, rho, epsilon) = (policy.audience_min(), policy.rho(), policy.epsilon());
    let mut text = format!(
        "What this amounts to: what one viewer does with one channel, video or hashtag on one day changes the law of all\n\
         answers about it by at most ρ = {rho}, which is ε = {epsilon:.2} at δ = {DELTA:e}. Days and entities add up by ρ.\n\
         A number is shown where at least {floor} viewers are behind it and, with its noise, it reaches the second number of its\n\
         table; the first is σ, the standard deviation of the noise, in viewers. After erasures both grow.\n"
    );
    let lines = Budget::of(policy).allocations();
    for entity in EntityKind::ALL {
        text.push_str(&table(entity, &lines));
    }
    text
}

fn table(entity: EntityKind, lines: &[Allocation]) -> String {
    let windows = WindowKind::ALL.into_iter().filter(|&window| entity.has_window(window));
    let mut text = format!("\n{:<17}", entity_name(entity));
    windows.for_each(|window| _ = write!(text, "{:>11}", window_name(window)));
    for family in Family::ALL.into_iter().filter(|&family| entity.has_family(family)) {
        _ = write!(text, "\n  {:<15}", family_name(family));
        for line in lines.iter().filter(|line| (line.entity, line.family) == (entity, family)) {
            _ = write!(text, "{:>11}", format!("{:.1} {:.0}", line.sigma, line.shown_from.ceil()));
        }
    }
    text.push('\n');
    text
}

fn entity_name(entity: EntityKind) -> &'static str {
    match entity {
        EntityKind::Creator => "channels",
        EntityKind::Video => "videos",
        EntityKind::Hashtag => "hashtags",
        EntityKind::Platform => "platform",
        EntityKind::Overlap => "overlaps",
    }
}

fn window_name(window: WindowKind) -> &'static str {
    match window {
        WindowKind::Day => "day",
        WindowKind::Last7Days => "7 days",
        WindowKind::Last28Days => "28 days",
        WindowKind::Month => "month",
        WindowKind::Quarter => "quarter",
        WindowKind::Year => "year",
        WindowKind::First1Day => "first day",
        WindowKind::First7Days => "first 7",
        WindowKind::First28Days => "first 28",
        WindowKind::First90Days => "first 90",
        WindowKind::First365Days => "first 365",
    }
}

fn family_name(family: Family) -> &'static str {
    match family {
        Family::Reach => "reach",
        Family::Novelty => "novelty",
        Family::FollowerStatus => "follower status",
        Family::Country => "country",
        Family::Region => "region",
        Family::Age => "age",
        Family::Gender => "gender",
        Family::AgeGender => "age × gender",
        Family::Device => "device",
        Family::TrafficSource => "traffic source",
        Family::ActiveHours => "active hours",
        Family::Retention => "retention",
        Family::Funnel => "funnel",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_budget_is_in_a_table() {
        let policy = Policy::default();
        let text = amounts(&policy);
        let cells: usize =
            text.lines().filter(|line| line.starts_with("  ")).map(|line| line.matches('.').count()).sum();
        let budget = Budget::of(&policy).allocations();
        assert_eq!(cells, budget.len(), "{text}");
        for line in budget {
            assert!(text.contains(&format!(" {:.1} {:.0}", line.sigma, line.shown_from.ceil())), "{line:?}");
        }
        assert!(text.contains("ρ = 0.5, which is ε = 5.78 at δ = 1e-6"), "{text}");
    }

    #[test]
    fn without_noise_no_sigma_is_named() {
        let policy = Policy::new(60, Protection::Threshold, 7).unwrap();
        let text = amounts(&policy);
        assert!(text.contains("at least 60 viewers") && text.contains("can isolate people") && !text.contains('σ'));
    }
}
