//! Each question through the gate, over an in-memory store of a million events: a channel with a tenth of them, and one in
//! the middle.
//!
//! The gate is the default one, with noise; columns are decoded already, as they are in a server that was asked before.

#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark fails by panicking, and Criterion's macros write items"
)]

mod support;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use throng_model::{ChannelPair, Counter, CreatorId, Entity, Family, Granularity, WindowKind};
use throng_privacy::{AUDIENCE_MIN_DEFAULT, Gate, NoiseKey, Policy, Protection, ROLLING_STEP_DAYS_DEFAULT};
use throng_query::Engine;
use throng_store::Options;

fn gate() -> Gate {
    let policy = Policy::new(AUDIENCE_MIN_DEFAULT, Protection::Noise, ROLLING_STEP_DAYS_DEFAULT).expect("a policy");
    Gate::new(Arc::new(Engine::new(support::platform(&Options::default()))), policy, NoiseKey::from_bytes([7; 32]))
}

fn questions(criterion: &mut Criterion) {
    let gate = gate();
    for (size, id) in [("head", support::HEAD), ("middle", support::MIDDLE)] {
        let creator = CreatorId::parse(id).expect("an id");
        counters(criterion, &gate, size, &creator);
        insights(criterion, &gate, size, &Entity::Creator(creator));
    }
}

fn counters(criterion: &mut Criterion, gate: &Gate, size: &str, creator: &CreatorId<'static>) {
    let (entity, days) = (Entity::Creator(creator.clone()), support::month());
    let mut group = criterion.benchmark_group(format!("counters/{size}"));
    group.bench_function("totals", |bench| {
        bench.iter(|| black_box(gate.counters(&entity, days, None).expect("an answer")));
    });
    group.bench_function("daily series", |bench| {
        bench.iter(|| black_box(gate.series(&entity, days, Granularity::Day).expect("an answer")));
    });
    group.bench_function("hourly series", |bench| {
        bench.iter(|| black_box(gate.series(&entity, days, Granularity::Hour).expect("an answer")));
    });
    group.bench_function("top videos", |bench| {
        bench.iter(|| black_box(gate.top_videos(creator, days, Counter::Views, 10).expect("an answer")));
    });
    group.finish();
}

fn insights(criterion: &mut Criterion, gate: &Gate, size: &str, entity: &Entity) {
    let mut group = criterion.benchmark_group(format!("insights/{size}"));
    let ask = |families: &[Family]| {
        gate.audience(entity, WindowKind::Last28Days, Some(support::last_day()), families).expect("an answer")
    };
    for family in Family::ALL {
        group.bench_function(format!("{family:?}"), |bench| bench.iter(|| black_box(ask(&[family]))));
    }
    group.bench_function("all families", |bench| bench.iter(|| black_box(ask(&Family::ALL))));
    group.finish();
}

/// The whole platform, and what two channels have in common.
fn beyond(criterion: &mut Criterion) {
    let gate = gate();
    let days = support::month();
    let mut group = criterion.benchmark_group("platform");
    group.bench_function("totals", |bench| {
        bench.iter(|| black_box(gate.counters(&Entity::Platform, days, None).expect("an answer")));
    });
    let reach = |kind, date| gate.audience(&Entity::Platform, kind, Some(date), &[Family::Reach]).expect("an answer");
    group.bench_function("reach of each day", |bench| {
        bench.iter(|| days.iter().for_each(|day| _ = black_box(reach(WindowKind::Day, day))));
    });
    group.bench_function("reach", |bench| {
        bench.iter(|| black_box(reach(WindowKind::Last28Days, support::last_day())));
    });
    group.finish();
    let [one, other] = [support::HEAD, support::MIDDLE].map(|id| CreatorId::parse(id).expect("an id"));
    let pair = ChannelPair::new(one, other).expect("two channels");
    criterion.bench_function("overlap", |bench| {
        let ask = || gate.overlap(&pair, WindowKind::Last28Days, Some(support::last_day())).expect("an answer");
        bench.iter(|| black_box(ask()));
    });
}

criterion_group!(benches, questions, beyond);
criterion_main!(benches);
