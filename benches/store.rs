//! The store's own work, in memory, so that no disk is measured: taking events in, making segments, decoding columns, and
//! uniting audiences.

#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark fails by panicking, and Criterion's macros write items"
)]

mod support;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use roaring::{MultiOps, RoaringBitmap};
use throng_store::{AppendMode, AudienceOf, Column, Options, Segment, Store};

/// Fewer than a store gathers before it makes a segment by itself.
const BATCH_EVENTS: u64 = 100_000;

/// What a run needs is made outside the clock, and dropped there.
fn ingest(criterion: &mut Criterion) {
    let batches = support::batches(0, BATCH_EVENTS);
    let full = || {
        let store = support::empty(&Options::default());
        support::append(&store, &batches);
        store
    };
    let mut group = criterion.benchmark_group("ingest");
    group.throughput(Throughput::Elements(BATCH_EVENTS)).sample_size(10);
    group.bench_function("append", |bench| {
        let run = |store: Store| {
            support::append(&store, &batches);
            store
        };
        bench.iter_batched(|| support::empty(&Options::default()), run, BatchSize::PerIteration);
    });
    group.bench_function("append in bulk, into a segment", |bench| {
        let run = |store: Store| {
            let mut preparer = store.preparer();
            for batch in &batches {
                store.append_bulk(preparer.prepare(batch), AppendMode::Normal).expect("handed over");
            }
            store.checkpoint().expect("checkpoint");
            store
        };
        bench.iter_batched(|| support::empty(&Options::default()), run, BatchSize::PerIteration);
    });
    group.bench_function("append again, all duplicates", |bench| {
        let store = full();
        bench.iter(|| support::append(&store, &batches));
    });
    group.bench_function("checkpoint: sort, encode, roll up", |bench| {
        let run = |store: Store| {
            store.checkpoint().expect("checkpoint");
            store
        };
        bench.iter_batched(full, run, BatchSize::PerIteration);
    });
    group.bench_function("seal", |bench| {
        let run = |store: Store| {
            store.seal_through(support::last_day()).expect("sealed");
            store
        };
        bench.iter_batched(full, run, BatchSize::PerIteration);
    });
    group.finish();
}

/// The cache has no room, so every read decodes.
fn decode(criterion: &mut Criterion) {
    let store = support::platform(&Options { cache_bytes_max: 0, ..Options::default() });
    let snapshot = store.snapshot();
    let segment = snapshot.segments().iter().max_by_key(|segment| segment.rows()).expect("a segment");
    let mut group = criterion.benchmark_group("read a segment's column");
    group.throughput(Throughput::Elements(segment.rows().into()));
    let mut values = Vec::new();
    for column in [Column::Day, Column::Viewer, Column::WatchMs, Column::Country] {
        group.bench_function(format!("{column:?}"), |bench| {
            bench.iter(|| {
                values.clear();
                segment.read(column, 0..segment.rows(), &mut values).expect("read");
                black_box(values.len())
            });
        });
    }
    let mut instants = Vec::new();
    group.bench_function("time", |bench| {
        bench.iter(|| {
            instants.clear();
            segment.read_ts(0..segment.rows(), &mut instants).expect("read");
            black_box(instants.len())
        });
    });
    group.finish();
}

fn unite(criterion: &mut Criterion) {
    let store = support::platform(&Options::default());
    let mut group = criterion.benchmark_group("audience of 28 days");
    for (size, id) in [("head", support::HEAD), ("middle", support::MIDDLE)] {
        group.bench_function(format!("read/{size}"), |bench| bench.iter(|| black_box(audiences(&store, id))));
        let days = audiences(&store, id);
        group.bench_function(format!("unite/{size}"), |bench| bench.iter(|| black_box(days.as_slice().union())));
    }
    group.finish();
}

/// The viewers of each day of a channel, from every segment.
fn audiences(store: &Store, creator: &str) -> Vec<RoaringBitmap> {
    let snapshot = store.snapshot();
    let creator = snapshot.catalogue().creator_ord(creator).expect("known");
    let of = |segment: &Arc<Segment>| {
        let days = segment.creator_days(creator, support::month()).expect("read");
        let sets = days.iter().filter_map(|day| segment.audience(day, AudienceOf::View).expect("read"));
        sets.collect::<Vec<_>>()
    };
    snapshot.segments().iter().flat_map(of).collect()
}

criterion_group!(benches, ingest, decode, unite);
criterion_main!(benches);
