//! An attacker who knows every answer of one window and subtracts. Random worlds never give it fewer than the floor.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a surprise should stop the test")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use roaring::RoaringBitmap;
use support::{Block, World, creator, week};
use throng_model::{Cell, Counter, Country, Entity, Family, Granularity, Stage, WindowKind};
use throng_privacy::{Audience, AudienceTable, Disclosure, Gate, NoiseKey, Policy, Protection};

const FLOOR: u64 = 10;

fn gate(world: Arc<World>) -> Gate {
    Gate::new(world, Policy::new(10, Protection::Threshold, 7).expect("policy"), NoiseKey::from_bytes([7; 32]))
}

fn blocks() -> impl Strategy<Value = Vec<Block>> {
    let block =
        (0_u32..30, 0_u8..11, 0_u8..4, 0_u8..4, any::<u8>(), any::<u8>(), 0_u8..104, 0_u8..4, 1_u8..128, any::<u8>());
    let block = block.prop_map(|(viewers, region, age, gender, sources, hours, position, stage, days, videos)| Block {
        viewers,
        region,
        age,
        gender,
        sources,
        hours,
        position,
        stage,
        days,
        videos,
    });
    proptest::collection::vec(block, 0..24)
}

fn audience(world: &Arc<World>) -> Audience {
    let entity = Entity::Creator(creator());
    gate(world.clone()).audience(&entity, WindowKind::Last7Days, None, &Family::ALL).expect("answer").into_inner()
}

fn enough(viewers: u64) -> bool {
    viewers == 0 || viewers >= FLOOR
}

fn number(value: Option<f64>) -> Option<u64> {
    value.map(|value| value as u64)
}

/// Shown rows with their numbers, and the truth about the hidden ones.
struct Seen {
    shown: BTreeMap<Cell, u64>,
    hidden: Vec<RoaringBitmap>,
    total: Option<u64>,
}

fn look(world: &World, family: Family, table: &AudienceTable) -> Seen {
    let (_, truth) = world.family(family);
    let mut seen = Seen { shown: BTreeMap::new(), hidden: vec![], total: number(table.total().value()) };
    for row in table.rows() {
        if let Some(viewers) = number(row.measure().value()) {
            assert_eq!(Some(viewers), truth.get(&row.cell()).map(RoaringBitmap::len), "{family:?} {:?}", row.cell());
            assert!(viewers >= FLOOR, "{family:?} shows {viewers}");
            seen.shown.insert(row.cell(), viewers);
        }
    }
    seen.hidden = truth.into_iter().filter(|(cell, _)| !seen.shown.contains_key(cell)).map(|(_, set)| set).collect();
    seen
}

fn union(sets: &[RoaringBitmap]) -> RoaringBitmap {
    sets.iter().fold(RoaringBitmap::new(), |union, set| union | set)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        rng_seed: proptest::test_runner::RngSeed::Fixed(7),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_rest_of_a_table_isolates_fewer_than_the_floor(blocks in blocks()) {
        let world = Arc::new(World::new(blocks));
        let audience = audience(&world);
        for family in Family::ALL.into_iter().filter(|family| !family.is_curve() && *family != Family::Reach) {
            let table = audience.table(family).unwrap();
            let seen = look(&world, family, table);
            let Some(total) = seen.total else {
                prop_assert!(seen.shown.is_empty(), "{family:?} shows rows without a total");
                continue;
            };
            let hidden = union(&seen.hidden);
            prop_assert!(enough(hidden.len()), "{family:?}: {} viewers hidden", hidden.len());
            prop_assert!(hidden.is_empty() || seen.hidden.len() >= 2, "{family:?}: one row hidden");
            if family.overlaps() {
                let (everyone, truth) = world.family(family);
                let shown: Vec<_> = seen.shown.keys().map(|cell| truth[cell].clone()).collect();
                prop_assert!(enough((&everyone - union(&shown)).len()) || seen.hidden.is_empty(), "{family:?}");
                for viewers in seen.shown.values() {
                    prop_assert!(enough(total - viewers), "{family:?}: {} outside a row", total - viewers);
                }
                prop_assert_eq!(table.other().disclosure(), Disclosure::NotApplicable);
            } else {
                let rest = total - seen.shown.values().sum::<u64>();
                prop_assert!(enough(rest), "{family:?}: total minus rows is {rest}");
                prop_assert_eq!(number(table.other().value()), Some(rest));
            }
        }
    }

    #[test]
    fn finer_tables_do_not_undo_coarser_ones(blocks in blocks()) {
        let world = Arc::new(World::new(blocks));
        let audience = audience(&world);
        let seen = |family| look(&world, family, audience.table(family).unwrap()).shown;
        let check = |coarse: &BTreeMap<Cell, u64>, all: Vec<Cell>, fine: &BTreeMap<Cell, u64>, holds: &dyn Fn(Cell, Cell) -> bool| {
            for cell in all {
                let inside: Vec<u64> = fine.iter().filter(|(each, _)| holds(cell, **each)).map(|(_, n)| *n).collect();
                match coarse.get(&cell) {
                    Some(known) => assert!(inside.is_empty() || enough(known - inside.iter().sum::<u64>()), "{cell:?}"),
                    None => assert!(inside.is_empty(), "{cell:?} is hidden, its parts are not"),
                }
            }
        };
        let (ages, genders) = (seen(Family::Age), seen(Family::Gender));
        let (pairs, countries, regions) = (seen(Family::AgeGender), seen(Family::Country), seen(Family::Region));
        let all = |family| world.family(family).1.into_keys().collect::<Vec<_>>();
        check(&ages, all(Family::Age), &pairs, &|age, pair| matches!((age, pair), (Cell::Age(a), Cell::AgeGender(b, _)) if a == b));
        check(&genders, all(Family::Gender), &pairs, &|gender, pair| matches!((gender, pair), (Cell::Gender(a), Cell::AgeGender(_, b)) if a == b));
        let within = |country: Cell, region: Cell| match (country, region) {
            (Cell::Country(Some(country)), Cell::Region(Some(region))) => country == region.country(),
            _ => false,
        };
        check(&countries, all(Family::Country), &regions, &within);
    }

    #[test]
    fn no_two_points_of_a_curve_isolate_fewer_than_the_floor(blocks in blocks()) {
        let world = Arc::new(World::new(blocks));
        let audience = audience(&world);
        let reach = world.family(Family::Reach).0;
        for family in [Family::Retention, Family::Funnel] {
            let curve = audience.curve(family).unwrap();
            let (everyone, truth) = world.family(family);
            let at_least = |cell: Cell| truth.iter().filter(|(each, _)| **each >= cell).fold(RoaringBitmap::new(), |all, (_, set)| all | set);
            let mut shown: Vec<RoaringBitmap> = vec![];
            if let Some(total) = curve.total().value() {
                prop_assert_eq!(total as u64, everyone.len());
                shown.push(everyone);
            }
            for point in curve.points() {
                let Some(viewers) = number(point.measure().value()) else { continue };
                let set = at_least(point.cell());
                prop_assert_eq!(viewers, set.len());
                prop_assert!(viewers >= FLOOR);
                if point.cell() != Cell::Stage(Stage::Saw) {
                    shown.push(set);
                }
            }
            for (index, set) in shown.iter().enumerate() {
                for later in &shown[index + 1..] {
                    prop_assert!(set.len() - later.len() >= FLOOR, "{family:?}: {} and {}", set.len(), later.len());
                }
                if reach.len() >= FLOOR && (set.is_subset(&reach) || reach.is_subset(set)) {
                    prop_assert!(enough(set.len().abs_diff(reach.len())), "{family:?} beside the reach");
                }
            }
        }
    }

    #[test]
    fn hidden_steps_and_videos_are_enough_viewers_together(blocks in blocks()) {
        let world = Arc::new(World::new(blocks));
        let gate = gate(world.clone());
        let entity = Entity::Creator(creator());
        let series = gate.series(&entity, week(), Granularity::Day).expect("series");
        let mut hidden: Vec<RoaringBitmap> = vec![];
        for (n, point) in series.get().iter().enumerate() {
            let truth = world.viewers(|block| block.days >> n & 1 == 1);
            match point.counters().get(Counter::Views).value() {
                Some(views) => prop_assert!(truth.len() >= FLOOR && views as u64 == truth.len() * 2),
                None if truth.is_empty() => {}
                None => hidden.push(truth),
            }
        }
        if gate.counters(&entity, week(), None).expect("total").get().get(Counter::Views).value().is_some() {
            prop_assert!(enough(union(&hidden).len()) && hidden.len() != 1);
        }

        let top = gate.top_videos(&creator(), week(), Counter::Views, 100).expect("videos").into_inner();
        let values: Vec<_> = top.iter().map(|ranked| ranked.value().value().unwrap() as u64).collect();
        prop_assert!(values.is_sorted_by(|a, b| a >= b));
        let on = |index: u8| world.viewers(|block| block.videos >> index & 1 == 1);
        let is_shown = |index: u8| top.iter().any(|ranked| *ranked.video() == support::video(index));
        let hidden: Vec<_> = (0..8).filter(|&index| !is_shown(index)).map(on).filter(|set| !set.is_empty()).collect();
        prop_assert!((0..8).filter(|&index| is_shown(index)).all(|index| on(index).len() >= FLOOR));
        if world.viewers(|block| block.videos > 0).len() >= FLOOR {
            prop_assert!(enough(union(&hidden).len()) && hidden.len() != 1);
        }
    }
}

#[test]
fn the_random_worlds_show_and_hide() {
    // Guards the properties above against passing because nothing is ever shown.
    let mut blocks: Vec<Block> = (0..9).map(|region| Block { region, ..Block::plain(40) }).collect();
    blocks.push(Block { region: 10, ..Block::plain(3) });
    let world = Arc::new(World::new(blocks));
    let table = audience(&world).table(Family::Country).unwrap().clone();
    let shown: Vec<_> = table.rows().iter().map(|row| (row.cell(), row.measure().value())).collect();
    let country = |code| Cell::Country(Country::from_code(code));
    assert_eq!(shown, [(country("DE"), Some(120.0)), (country("FR"), Some(120.0))]);
    assert_eq!((table.total().value(), table.other().value()), (Some(363.0), Some(123.0)));
}
