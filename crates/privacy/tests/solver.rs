//! An attacker who puts all exact answers of one window into a linear system. It finds no group below the floor.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a surprise should stop the test")]

mod support;

use std::sync::Arc;

use proptest::prelude::*;
use support::solver::{Group, Solver};
use support::{Block, World, creator};
use throng_model::{AgeBand, Cell, Country, Entity, Family, Gender, Region, WindowKind};
use throng_privacy::{Audience, Gate, NoiseKey, Policy, Protection};

const FLOOR: u64 = 10;
const AGES: u8 = 8;
const GENDERS: u8 = 4;

fn audience(blocks: Vec<Block>) -> Audience {
    let policy = Policy::new(10, Protection::Threshold, 7).expect("policy");
    let gate = Gate::new(Arc::new(World::new(blocks)), policy, NoiseKey::from_bytes([7; 32]));
    gate.audience(&Entity::Creator(creator()), WindowKind::Last7Days, None, &Family::ALL).expect("answer").into_inner()
}

/// Lines of the ages × genders table, whose cell (age, gender) is bit `age * 4 + gender`.
fn ages() -> Vec<Group> {
    (0..AGES).map(|age| 0b1111 << (age * GENDERS)).collect()
}

fn genders() -> Vec<Group> {
    (0..GENDERS).map(|gender| 0x1111_1111 << gender).collect()
}

fn people(counts: &[u32]) -> Vec<Block> {
    let block = |(cell, &viewers): (u8, &u32)| Block { age: cell / 4, gender: cell % 4, ..Block::plain(viewers) };
    (0..).zip(counts).map(block).collect()
}

/// What the answers tell about 32 cells.
fn reader(counts: &[u32], audience: &Audience) -> Solver {
    let mut solver = Solver::new(counts.iter().map(|&count| u64::from(count)).collect());
    let mut tell = |family, cell, group| {
        if let Some(value) = audience.cell(family, cell).and_then(|measure| measure.value()) {
            assert_eq!(value as u64, solver.viewers(group), "{cell:?}");
            solver.tell(group);
        }
    };
    for (code, group) in (0..).zip(ages()) {
        tell(Family::Age, Cell::Age(AgeBand::from_code(code)), group);
    }
    for (code, group) in (0..).zip(genders()) {
        tell(Family::Gender, Cell::Gender(Gender::from_code(code)), group);
    }
    for cell in 0..32 {
        let pair = Cell::AgeGender(AgeBand::from_code(cell / 4), Gender::from_code(cell % 4));
        tell(Family::AgeGender, pair, 1 << cell);
    }
    tell_totals(&mut solver, audience);
    solver
}

fn tell_totals(solver: &mut Solver, audience: &Audience) {
    if audience.table(Family::Reach).unwrap().total().value().is_some() {
        solver.tell(Group::MAX);
    }
}

fn unions(groups: &[Group]) -> Vec<Group> {
    let chosen = |set: u32| groups.iter().enumerate().filter(move |(n, _)| set >> n & 1 == 1);
    (0..1 << groups.len()).map(|set| chosen(set).fold(0, |all, (_, group)| all | group)).collect()
}

/// For every set of ages and every set of genders, the cells of one and not of the other.
fn all_cuts() -> Vec<Group> {
    let genders = unions(&genders());
    unions(&ages()).iter().flat_map(|ages| genders.iter().map(move |genders| ages & !genders)).collect()
}

/// Cells around the floor, many of them empty.
fn count() -> impl Strategy<Value = u32> {
    prop_oneof![4 => Just(0_u32), 3 => 1_u32..10, 4 => 10_u32..60]
}

/// Two cycles of hidden cells, joined by one of three viewers: rows and columns have enough hidden viewers each.
#[rustfmt::skip]
const BRIDGE: [u32; 16] = [
     3,  8, 20, 20,
     8,  3,  3, 20,
    20, 20,  4,  6,
    20, 20,  4,  6,
];

#[test]
fn a_bridge_between_hidden_cycles_is_not_exposed() {
    let counts: Vec<u32> = BRIDGE.into_iter().chain([0; 16]).collect();
    let answers = audience(people(&counts));
    let shown = answers.table(Family::AgeGender).unwrap().rows().iter().filter(|row| row.measure().value().is_some());
    assert!(shown.count() >= 4, "the table is not just hidden");
    assert_eq!(reader(&counts, &answers).broken(FLOOR, &all_cuts(), 0), []);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        rng_seed: proptest::test_runner::RngSeed::Fixed(11),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_cut_of_ages_and_genders_gives_a_small_group(counts in proptest::collection::vec(count(), 32)) {
        let answers = audience(people(&counts));
        prop_assert_eq!(reader(&counts, &answers).broken(FLOOR, &all_cuts(), 0), []);
    }

    #[test]
    fn no_group_at_all_of_a_small_two_way_table_is_small(counts in proptest::collection::vec(count(), 12)) {
        // Three ages. The reader is told that there are no others, and tries each of the 4,096 groups.
        let mut all = counts;
        all.resize(32, 0);
        let answers = audience(people(&all));
        let mut reader = reader(&all, &answers);
        reader.tell_empty(0xffff_f000);
        prop_assert_eq!(reader.broken(FLOOR, &(0..1 << 12).collect::<Vec<_>>(), 0), []);
    }

    #[test]
    fn no_group_of_countries_and_regions_is_small(counts in proptest::collection::vec(count(), 10)) {
        // Cells as in `World`: three countries of two regions and viewers without one, then viewers of no country.
        let (without, nowhere) = (0b0_100_100_100, 0b1_000_000_000);
        let block = |(region, &viewers): (u8, &u32)| Block { region, ..Block::plain(viewers) };
        let answers = audience((0..).zip(&counts).map(block).collect());
        let mut reader = Solver::new(counts.iter().map(|&count| u64::from(count)).collect());
        let mut tell = |family, cell, group| {
            if let Some(value) = answers.cell(family, cell).and_then(|measure| measure.value()) {
                assert_eq!(value as u64, reader.viewers(group), "{cell:?}");
                reader.tell(group);
            }
        };
        for (n, code) in ["DE", "FR", "US"].into_iter().enumerate() {
            tell(Family::Country, Cell::Country(Country::from_code(code)), 0b111 << (3 * n));
        }
        tell(Family::Country, Cell::Country(None), nowhere);
        for (n, code) in ["DE-BY", "DE-BE", "", "FR-75", "FR-69", "", "US-CA", "US-NY"].into_iter().enumerate() {
            if let Some(region) = Region::from_code(code) {
                tell(Family::Region, Cell::Region(Some(region)), 1 << n);
            }
        }
        tell(Family::Region, Cell::Region(None), without | nowhere);
        tell_totals(&mut reader, &answers);
        // Some countries have no regions at all, as everyone knows.
        for regions in [0b011, 0b011_000, 0b011_000_000] {
            if reader.viewers(regions) == 0 {
                reader.tell_empty(regions);
            }
        }
        // Enough viewers of one country without region are no row of a table, so they may be alone.
        prop_assert_eq!(reader.broken(FLOOR, &(0..1 << 10).collect::<Vec<_>>(), without), []);
    }
}

#[test]
fn the_solver_breaks_the_floor_alone() {
    // One viewer among many, next to her line's sum: hiding small cells only is no suppression.
    let counts: Vec<u32> = [40, 30, 20, 1].into_iter().chain([25; 28]).collect();
    let mut solver = Solver::new(counts.iter().map(|&count| u64::from(count)).collect());
    for group in ages().into_iter().chain(genders()).chain((0..32).map(|cell| 1 << cell)) {
        if solver.viewers(group) >= FLOOR {
            solver.tell(group);
        }
    }
    assert!(solver.broken(FLOOR, &[], 0).contains(&0b1000));
}

#[test]
fn the_solver_breaks_lines_that_hold_one_by_one() {
    let mut solver = Solver::new(BRIDGE.map(u64::from).to_vec());
    let lines = (0..4).flat_map(|n| [0b1111 << (4 * n), 0x1111 << n]);
    for group in lines.chain((0..16).map(|cell| 1 << cell)) {
        if solver.viewers(group) >= FLOOR {
            solver.tell(group);
        }
    }
    let cuts: Vec<Group> = all_cuts().iter().map(|cut| cut & 0xffff).collect();
    assert!(solver.broken(FLOOR, &cuts, 0).contains(&(1 << 6)));
}

#[test]
fn the_solver_sees_through_empty_cells() {
    // Column minus row is 3 minus a hidden cell; only that this one is empty makes it exact.
    let truth = vec![100, 0, 3, 100];
    let attack = |told: &[Group]| {
        let mut solver = Solver::new(truth.clone());
        told.iter().for_each(|&group| solver.tell(group));
        solver.broken(FLOOR, &(0..16).collect::<Vec<_>>(), 0)
    };
    let lines = [0b0011, 0b1100, 0b0101, 0b1010];
    assert_eq!(attack(&lines), []);
    assert!(attack(&[&lines[..], &[0b0001]].concat()).contains(&0b0100));
}
