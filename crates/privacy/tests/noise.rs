//! What the gate answers with noise: how it is spread, when it is drawn anew, and what never shows.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a surprise should stop the test")]

mod support;

use std::sync::Arc;

use support::{Block, World, creator, day, video};
use throng_model::{
    AgeBand, Cell, Country, Day, Entity, Family, Gender, HourOfWeek, Source, Stage, Timestamp, WindowKind,
};
use throng_privacy::{Audience, CurvePoint, Disclosure, Gate, Measure, NoiseKey, Policy, Protection, Rewrites};

const FLOOR: u64 = 50;

fn policy() -> Policy {
    Policy::new(FLOOR as u32, Protection::Noise, 7).expect("policy")
}

fn gate(world: &Arc<World>, key: u32) -> Gate {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&key.to_le_bytes());
    let now = || Timestamp::parse("2026-03-09T12:00:00Z").expect("time");
    Gate::with_clock(world.clone(), policy(), NoiseKey::from_bytes(bytes), now)
}

fn ask(gate: &Gate, entity: &Entity, families: &[Family]) -> Audience {
    let kind = if matches!(entity, Entity::Video(_)) { WindowKind::First7Days } else { WindowKind::Last7Days };
    gate.audience(entity, kind, None, families).expect("answer").into_inner()
}

fn channel() -> Entity {
    Entity::Creator(creator())
}

/// 3,000 viewers in a few large cells and one small one.
fn crowd() -> Vec<Block> {
    vec![
        Block { age: 2, gender: 1, region: 0, position: 20, stage: 1, ..Block::plain(1_200) },
        Block { age: 2, gender: 2, region: 3, position: 60, stage: 2, ..Block::plain(900) },
        Block { age: 3, gender: 1, region: 6, position: 100, stage: 3, days: 2, ..Block::plain(860) },
        Block { age: 5, gender: 3, region: 1, position: 90, stage: 3, ..Block::plain(40) },
    ]
}

fn every_measure(audience: &Audience) -> Vec<Measure> {
    let tables = Family::ALL.into_iter().filter_map(|family| audience.table(family));
    let of_tables = tables.flat_map(|table| {
        table.rows().iter().map(|row| row.measure()).chain([table.total(), table.other()]).collect::<Vec<_>>()
    });
    let curves = Family::ALL.into_iter().filter_map(|family| audience.curve(family));
    let of_curves = curves
        .flat_map(|curve| curve.points().iter().map(CurvePoint::measure).chain([curve.total()]).collect::<Vec<_>>());
    of_tables.chain(of_curves).collect()
}

#[test]
fn noise_is_spread_as_stated_around_the_true_number() {
    let world = Arc::new(World::new(crowd()));
    let keys = 800;
    let row = |family, cell| move |audience: &Audience| audience.cell(family, cell).expect("a row");
    let point = |family, index: usize| {
        move |audience: &Audience| audience.curve(family).expect("a curve").points()[index].measure()
    };
    type Read = Box<dyn Fn(&Audience) -> Measure>;
    let germany = Cell::Country(Country::from_code("DE"));
    let read: Vec<(&str, f64, Read)> = vec![
        ("reach", 3_000.0, Box::new(|audience| audience.table(Family::Reach).expect("a table").total())),
        ("country", 1_240.0, Box::new(row(Family::Country, germany))),
        ("age", 2_100.0, Box::new(row(Family::Age, Cell::Age(Some(AgeBand::From18))))),
        ("gender", 2_060.0, Box::new(row(Family::Gender, Cell::Gender(Some(Gender::Female))))),
        ("source", 3_000.0, Box::new(row(Family::TrafficSource, Cell::Source(Source::ForYou)))),
        ("hour", 3_000.0, Box::new(row(Family::ActiveHours, Cell::Hour(HourOfWeek::new(0, 0))))),
        ("other", 1_760.0, Box::new(|audience| audience.table(Family::Country).expect("a table").first(1).other())),
        ("saw", 3_000.0, Box::new(point(Family::Funnel, 0))),
        ("engaged", 1_800.0, Box::new(point(Family::Funnel, 2))),
        ("retention", 3_000.0, Box::new(|audience| audience.curve(Family::Retention).expect("a curve").total())),
    ];
    let mut sums = vec![(0.0, 0.0, 0.0); read.len()];
    for key in 0..keys {
        let audience = ask(&gate(&world, key), &channel(), &Family::ALL);
        for ((name, truth, read), (sum, squares, sigma)) in read.iter().zip(&mut sums) {
            let measure = read(&audience);
            let error = measure.value().unwrap_or_else(|| panic!("{name} is withheld")) - truth;
            *sum += error;
            *squares += error * error;
            *sigma = measure.margin_of_error().expect("noisy") / 1.96;
        }
    }
    let count = f64::from(keys);
    for ((name, ..), (sum, squares, sigma)) in read.iter().zip(sums) {
        let (mean, deviation) = (sum / count, (squares / count).sqrt());
        // The mean within 5 standard errors, the spread within 5 of its own; a fallen curve may only be narrower.
        let slack = 5.0 * sigma / (2.0 * count).sqrt();
        let curve = matches!(*name, "retention" | "saw" | "engaged");
        assert!(
            mean.abs() < 5.0 * sigma / count.sqrt() + if curve { sigma } else { 0.0 },
            "{name}: mean {mean}, sigma {sigma}"
        );
        assert!(deviation < sigma + slack && (curve || deviation > sigma - slack), "{name}: {deviation} for {sigma}");
    }
}

#[test]
fn an_answer_does_not_depend_on_what_else_is_asked() {
    let world = Arc::new(World::new(crowd()));
    let whole = ask(&gate(&world, 1), &channel(), &Family::ALL);
    assert_eq!(ask(&gate(&world, 1), &channel(), &Family::ALL), whole);
    for family in Family::ALL {
        let alone = ask(&gate(&world, 1), &channel(), &[family]);
        assert_eq!(alone.table(family), whole.table(family), "{family:?}");
        assert_eq!(alone.curve(family), whole.curve(family), "{family:?}");
    }
    assert_ne!(ask(&gate(&world, 2), &channel(), &Family::ALL), whole);
}

#[test]
fn entities_and_windows_have_noise_of_their_own() {
    let world = Arc::new(World::new(crowd()));
    let reach = |entity: &Entity, kind| {
        let answer = gate(&world, 1).audience(entity, kind, None, &[Family::Reach]).expect("answer").into_inner();
        answer.table(Family::Reach).and_then(|table| table.total().value()).expect("shown")
    };
    let mut seen = vec![reach(&channel(), WindowKind::Last7Days), reach(&channel(), WindowKind::Last28Days)];
    seen.extend([WindowKind::Last7Days, WindowKind::First7Days].map(|kind| reach(&Entity::Video(video(0)), kind)));
    seen.push(reach(&Entity::Video(video(1)), WindowKind::Last7Days));
    // The true number is the same everywhere; two equal draws of five would be chance.
    seen.sort_by(f64::total_cmp);
    seen.dedup();
    assert!(seen.len() >= 4, "{seen:?}");
}

#[test]
fn no_number_shows_with_fewer_viewers_than_the_floor() {
    for viewers in [0, 1, 10, 49] {
        let world = Arc::new(World::new(vec![Block { age: 2, gender: 1, ..Block::plain(viewers) }]));
        let empty = ask(&gate(&Arc::new(World::new(vec![])), 0), &channel(), &Family::ALL);
        for key in 0..200 {
            let audience = ask(&gate(&world, key), &channel(), &Family::ALL);
            assert_eq!(audience, empty, "{viewers} viewers look like none");
            assert!(every_measure(&audience).iter().all(|measure| measure.value().is_none()));
        }
    }
}

#[test]
fn a_small_cell_beside_large_ones_never_shows() {
    let world = Arc::new(World::new(crowd()));
    for key in 0..500 {
        let audience = ask(&gate(&world, key), &channel(), &Family::ALL);
        let small = [
            audience.cell(Family::Age, Cell::Age(Some(AgeBand::From45))),
            audience.cell(Family::Gender, Cell::Gender(Some(Gender::Other))),
            audience.cell(Family::AgeGender, Cell::AgeGender(Some(AgeBand::From45), Some(Gender::Other))),
            audience.table(Family::AgeGender).map(|table| table.other()),
        ];
        assert!(
            small.iter().flatten().all(|measure| measure.disclosure() == Disclosure::Withheld),
            "key {key}: {small:?}"
        );
    }
}

#[test]
fn shown_numbers_lie_above_the_margin_and_say_that_they_are_noisy() {
    let world = Arc::new(World::new(crowd()));
    for key in 0..50 {
        let audience = ask(&gate(&world, key), &channel(), &Family::ALL);
        let mut shown = 0;
        for measure in every_measure(&audience) {
            let Some(value) = measure.value() else { continue };
            shown += 1;
            let sigma = measure.margin_of_error().expect("noisy") / 1.96;
            assert_eq!(measure.disclosure(), Disclosure::Noisy);
            assert!(value > FLOOR as f64 + 4.0 * sigma, "{measure:?}");
        }
        assert!(shown > 100, "{shown}");
        let curve = audience.curve(Family::Retention).expect("a curve");
        let values: Vec<f64> = curve.points().iter().map_while(|point| point.measure().value()).collect();
        assert!(values.windows(2).all(|pair| pair[0] >= pair[1]), "the curve falls: {values:?}");
        for table in Family::ALL.into_iter().filter_map(|family| audience.table(family)) {
            let rows: f64 = table.rows().iter().filter_map(|row| row.measure().value()).sum();
            if let (Some(other), Some(total)) = (table.other().value(), table.total().value()) {
                assert_eq!(rows + other, total);
            }
        }
    }
}

#[test]
fn an_erasure_changes_every_answer_and_widens_its_margin() {
    let world = |epochs| {
        Arc::new(World {
            rewrites: Rewrites { epochs: (0..epochs).collect(), ..Rewrites::default() },
            ..World::new(crowd())
        })
    };
    let reach =
        |epochs| ask(&gate(&world(epochs), 3), &channel(), &[Family::Reach]).table(Family::Reach).unwrap().total();
    let (before, after, later) = (reach(0), reach(1), reach(2));
    assert_ne!(before.value(), after.value());
    assert_ne!(after.value(), later.value());
    let margin = |measure: Measure| measure.margin_of_error().expect("noisy");
    assert!((margin(after) - margin(before) * 2.0_f64.sqrt()).abs() < 1e-9);
    assert!((margin(later) - margin(before) * 3.0_f64.sqrt()).abs() < 1e-9);
}

#[test]
fn a_reopened_day_draws_anew() {
    let reopened = vec![(creator(), day("2026-03-03"), 1)];
    let world = Arc::new(World { rewrites: Rewrites { reopened, epochs: vec![] }, ..World::new(crowd()) });
    let before = ask(&gate(&Arc::new(World::new(crowd())), 3), &channel(), &[Family::Country]);
    let after = ask(&gate(&world, 3), &channel(), &[Family::Country]);
    assert_ne!(before, after);
    let margin = |audience: &Audience| audience.table(Family::Country).unwrap().total().margin_of_error();
    assert_eq!(margin(&before), margin(&after));
}

#[test]
fn insights_over_dropped_days_are_not_applicable() {
    let from = |date: &str| World { rows_from: Some(Day::parse(date).expect("day")), ..World::new(crowd()) };
    let disclosure = |world: World, family| {
        let audience = ask(&gate(&Arc::new(world), 3), &channel(), &[family]);
        audience.table(family).map(|table| table.total().disclosure()).expect("a table")
    };
    assert_eq!(disclosure(from("2026-03-03"), Family::Country), Disclosure::NotApplicable);
    assert_eq!(disclosure(from("2026-03-02"), Family::Country), Disclosure::Noisy);
    // Newness looks back a year.
    assert_eq!(disclosure(from("2026-03-02"), Family::Novelty), Disclosure::NotApplicable);
    assert_eq!(disclosure(from("2025-03-02"), Family::Novelty), Disclosure::Noisy);
}

#[test]
fn open_days_have_no_noisy_numbers() {
    let world = Arc::new(World { sealed_through: None, ..World::new(crowd()) });
    let audience = ask(&gate(&world, 3), &channel(), &Family::ALL);
    let not_sealed = |measure: &Measure| measure.disclosure() != Disclosure::Noisy && measure.value().is_none();
    assert!(every_measure(&audience).iter().all(not_sealed));
    let funnel = audience.curve(Family::Funnel).expect("a curve");
    assert_eq!(
        funnel.points().first().map(|point| (point.cell(), point.measure().disclosure())),
        Some((Cell::Stage(Stage::Saw), Disclosure::NotSealed))
    );
}
