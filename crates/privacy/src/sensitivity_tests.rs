//! Tries to beat the declared sensitivities: one unit is taken out of random histories, and the whole catalogue computed
//! before and after.
//!
//! Counts are sums over viewers, so one viewer's history is a world: what anybody else does cancels. It is evaluated here
//! naively, from the words of the catalogue alone.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use throng_model::{Day, DayRange, Family, Window, WindowKind};

use crate::budget::{sensitivity_squared, windows_per_day};
use crate::{Budget, Contribution, EntityKind, Policy, Protection, cells, stairs};

/// What happened, as far as a family can tell. Traits are small codes.
#[derive(Debug, Clone)]
struct Act {
    ts: u32,
    view: bool,
    stage: u8,
    trait_code: u8,
    source: u8,
    hour: u8,
    position: Option<u8>,
}

/// Acts by the day they count in, as days after the first.
type History = BTreeMap<u16, Vec<Act>>;

fn act() -> impl Strategy<Value = Act> {
    let traits = (0..50_u32, any::<bool>(), 0..4_u8, 0..3_u8, 1..11_u8, 0..168_u8, proptest::option::of(0..101_u8));
    traits.prop_map(|(ts, view, stage, trait_code, source, hour, position)| Act {
        ts,
        view: view || stage == 1,
        stage: if view { stage.max(1) } else { stage },
        trait_code,
        source,
        hour,
        position,
    })
}

/// Days in clusters, with gaps around the 365 days that newness looks back.
fn history() -> impl Strategy<Value = History> {
    let cluster = (0..6_u16, proptest::collection::btree_map(0..40_u16, proptest::collection::vec(act(), 1..5), 1..8));
    proptest::collection::vec(cluster, 1..4).prop_map(|clusters| {
        let starts = [0, 30, 340, 365, 366, 400];
        let days = clusters.into_iter().flat_map(|(start, days)| {
            let start = starts.get(usize::from(start)).copied().unwrap_or(0);
            days.into_iter().map(move |(day, acts)| (start + day, acts))
        });
        days.collect()
    })
}

/// The cells of one family that the viewer stands in, over the days given; a retention cell in the coordinates of its noise.
fn stands_in(history: &History, family: Family, window: std::ops::RangeInclusive<u16>) -> BTreeMap<u32, i64> {
    let acts: Vec<(u16, &Act)> =
        history.range(window).flat_map(|(&day, acts)| acts.iter().map(move |act| (day, act))).collect();
    let views: Vec<(u16, &Act)> = acts.iter().copied().filter(|(_, act)| act.view).collect();
    let one = |cell: u32| BTreeMap::from([(cell, 1)]);
    let Some(&(first, _)) = views.first() else {
        return match family {
            Family::Funnel => {
                acts.iter().map(|(_, act)| act.stage).max().map(|stage| one(stage.into())).unwrap_or_default()
            }
            _ => BTreeMap::new(),
        };
    };
    match family {
        Family::Reach => one(0),
        Family::Novelty => {
            let seen = history.range(first.saturating_sub(365)..first).any(|(_, acts)| acts.iter().any(|act| act.view));
            one(u32::from(seen))
        }
        Family::Funnel => one(acts.iter().map(|(_, act)| act.stage).max().unwrap_or(0).into()),
        Family::TrafficSource => bounded(&views, Contribution::SOURCES_PER_DAY_MAX, |act| act.source.into()),
        Family::ActiveHours => bounded(&views, Contribution::HOURS_PER_DAY_MAX, |act| act.hour.into()),
        Family::Retention => {
            let Some(furthest) = views.iter().filter_map(|(_, act)| act.position).max() else { return BTreeMap::new() };
            let mut histogram = [0; stairs::POINTS];
            histogram[usize::from(furthest)] = 1;
            (0..).zip(stairs::forward(&histogram)).collect()
        }
        _ => views
            .iter()
            .max_by_key(|(_, act)| (act.ts, act.trait_code))
            .map(|(_, act)| one(act.trait_code.into()))
            .unwrap_or_default(),
    }
}

fn bounded(views: &[(u16, &Act)], most: usize, cell: impl Fn(&Act) -> u32) -> BTreeMap<u32, i64> {
    let mut cells = BTreeMap::new();
    for day in views.chunk_by(|a, b| a.0 == b.0) {
        let mut ordered: Vec<(u32, u32)> = day.iter().map(|(_, act)| (act.ts, cell(act))).collect();
        ordered.sort_unstable();
        let mut counted = BTreeSet::new();
        for (_, cell) in ordered {
            if counted.len() < most {
                counted.insert(cell);
            }
        }
        cells.extend(counted.into_iter().map(|cell| (cell, 1)));
    }
    cells
}

fn squared_change(before: &BTreeMap<u32, i64>, after: &BTreeMap<u32, i64>) -> u64 {
    let cells: BTreeSet<&u32> = before.keys().chain(after.keys()).collect();
    let at = |map: &BTreeMap<u32, i64>, cell| map.get(cell).copied().unwrap_or(0);
    cells.into_iter().map(|cell| (at(before, cell) - at(after, cell)).unsigned_abs().pow(2)).sum()
}

/// Every window of the catalogue that the history can touch, as days after the first. The first day is a Thursday, so
/// that steps, months and years fall anywhere.
fn windows(entity: EntityKind, step: u16) -> Vec<(WindowKind, std::ops::RangeInclusive<u16>)> {
    let origin = Day::parse("2025-10-02").expect("day");
    let relative = |days: DayRange| {
        let to_number = |day: Day| day.number().saturating_sub(origin.number());
        to_number(days.first())..=to_number(days.last())
    };
    let mut found = BTreeSet::new();
    for kind in WindowKind::ALL.into_iter().filter(|&kind| entity.has_window(kind)) {
        match kind.age_days() {
            Some(_) => {
                let window = Window::by_age(kind, origin.saturating_add(3)).expect("window");
                found.insert((kind, window.days.first(), window.days.last()));
            }
            None => {
                let ends = (0..900).filter_map(|day| Window::at(kind, origin.saturating_add(day), step).ok());
                found.extend(ends.map(|window| (kind, window.days.first(), window.days.last())));
            }
        }
    }
    let days = |(kind, first, last)| (kind, relative(DayRange::new(first, last).expect("range")));
    found.into_iter().map(days).collect()
}

/// Squared changes by family and kind of window when one day is taken out of a history.
fn changes(history: &History, without: u16, entity: EntityKind, step: u16) -> BTreeMap<(Family, WindowKind), u64> {
    let mut less = history.clone();
    less.remove(&without);
    let mut changes = BTreeMap::new();
    for (kind, window) in windows(entity, step) {
        for family in Family::ALL.into_iter().filter(|&family| entity.has_family(family)) {
            let looks_back = if family == Family::Novelty { 365 } else { 0 };
            if (window.start().saturating_sub(looks_back)..=*window.end()).contains(&without) {
                let change = squared_change(
                    &stands_in(history, family, window.clone()),
                    &stands_in(&less, family, window.clone()),
                );
                *changes.entry((family, kind)).or_insert(0) += change;
            }
        }
    }
    changes
}

fn policy(step: u16) -> Policy {
    Policy::new(50, Protection::Noise, step).expect("policy")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(20_260_301), ..ProptestConfig::default() })]

    #[test]
    fn no_unit_changes_more_than_declared(history in history(), kind in 0..3_usize, step in 0..4_usize) {
        let (entity, step) = (EntityKind::ALL[kind], [7, 7, 3, 28][step]);
        let policy = policy(step);
        let budget = Budget::of(&policy);
        for &day in history.keys() {
            let changes = changes(&history, day, entity, step);
            let mut spent = 0.0;
            for (&(family, window), &change) in &changes {
                let declared = u64::from(windows_per_day(window, step)) * sensitivity_squared(family);
                prop_assert!(change <= declared, "{family:?} {window:?}: {change} > {declared}, day {day}");
                if !matches!(family, Family::Age | Family::Gender) {
                    spent += change as f64 / (2.0 * budget.variance(entity, family, window).get() as f64);
                }
            }
            prop_assert!(spent <= policy.rho(), "{entity:?}: {spent}");
        }
    }
}

/// Without this the test above could pass by looking at nothing.
#[test]
fn the_declared_bounds_are_reached() {
    let act = |day: u16, trait_code, source| {
        let act = |ts, source, hour| Act { ts, view: true, stage: 1, trait_code, source, hour, position: Some(0) };
        (day, vec![act(0, source, 1), act(1, source + 1, 50), act(2, source + 2, 100)])
    };
    // Two days in the same windows, the later one of another trait.
    let history: History = [act(12, 0, 1), act(13, 1, 4)].into();
    let reached = |day, family: Family, window| {
        changes(&history, day, EntityKind::Creator, 7).get(&(family, window)).copied().unwrap_or(0)
    };
    assert_eq!(reached(13, Family::Country, WindowKind::Last7Days), 2);
    assert_eq!(reached(12, Family::Reach, WindowKind::Day), 1);
    assert_eq!(reached(12, Family::TrafficSource, WindowKind::Month), 2);
    assert_eq!(reached(12, Family::ActiveHours, WindowKind::Day), 3);
    // Alone, it counts in four windows that hold it, and decides in the four that hold the next day of viewing.
    let history: History = [act(12, 0, 1), act(60, 2, 7)].into();
    let reached = changes(&history, 12, EntityKind::Creator, 7);
    assert_eq!(reached.get(&(Family::Novelty, WindowKind::Last28Days)), Some(&(4 + 4 * 2)));
    assert_eq!(cells::days_needed(Family::Novelty, DayRange::day(Day::MIN.saturating_add(400))).days(), 366);
}
