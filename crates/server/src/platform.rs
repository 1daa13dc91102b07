//! The store, the engine over it, the gate before the engine, and the schema over the gate: how the floors are joined.

use std::ffi::OsStr;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use throng_graphql::Schema;
use throng_privacy::{Gate, Policy};
use throng_query::Engine;
use throng_store::{OpenError, Options, Store};

use crate::config::Config;
use crate::failure::Failure;
use crate::noise_key;

/// Which part of a store may be freed room before it is given back.
pub(crate) const FREED: NonZero<u64> = NonZero::new(8).unwrap();
/// The same after an import that filled most of the store.
pub(crate) const FREED_AFTER_FILLING: NonZero<u64> = NonZero::new(32).unwrap();

/// Opens the data directory, or makes a store in an empty one.
pub(crate) fn open(config: &Config) -> Result<Store, Failure> {
    Ok(Store::open(&config.data, &options(config))?)
}

/// Decoded columns that stay in memory during an import: nobody asks, and a merge reads each once.
const IMPORT_CACHE_BYTES_MAX: usize = 64 << 20;

/// Batches of an import that wait for the writer: about a segment of them, so that decoding goes on while it writes one.
const IMPORT_QUEUE_MAX: usize = 16;

/// Opens the data directory for an import, whose memory is for gathering events.
pub(crate) fn open_to_import(config: &Config) -> Result<Store, Failure> {
    let options = options(config);
    let cache_bytes_max = options.cache_bytes_max.min(IMPORT_CACHE_BYTES_MAX);
    Ok(Store::open(
        &config.data,
        &Options { cache_bytes_max, queue_max: IMPORT_QUEUE_MAX, merges_late: true, ..options },
    )?)
}

/// Whether the data directory holds a store, whole or not.
pub(crate) fn exists(config: &Config) -> bool {
    // The database's own name changes with each compaction.
    let of_store = |name: &OsStr| name == "generation" || name.as_encoded_bytes().starts_with(b"db");
    std::fs::read_dir(&config.data).is_ok_and(|entries| entries.flatten().any(|entry| of_store(&entry.file_name())))
}

/// Opens a store that is there; for commands that make no sense without one.
pub(crate) fn open_existing(config: &Config) -> Result<Store, Failure> {
    // Opening would make one, and a mistyped directory would look like an empty platform.
    if !exists(config) {
        return Err(Failure::NoStore { path: config.data.clone() });
    }
    open(config)
}

/// The schema over a store, under a policy. Neither the engine nor the noise key leaves this function: only the gate knows
/// them.
pub(crate) fn schema(store: &Store, config: &Config, policy: Policy) -> Result<Schema, Failure> {
    let noise_key = noise_key::open(store, &config.noise_key_file())?;
    store.prepare().map_err(OpenError::from)?;
    let engine = Engine::new(store.clone());
    let gate = Gate::new(Arc::new(engine), policy, noise_key);
    Ok(throng_graphql::schema(Arc::new(gate), config.graphql.limits.clone()))
}

/// Opens a copy of the store with the keys in force, and lets it be as it is.
pub(crate) fn open_to_check(data: &Path, config: &Config) -> Result<Store, OpenError> {
    Store::open(data, &Options { merges: false, ..options(config) })
}

fn options(config: &Config) -> Options {
    Options {
        cache_bytes_max: config.store.cache_bytes_max,
        disk_free_min_bytes: config.store.disk_free_min_bytes,
        flush_timeout: Duration::from_millis(config.store.flush_timeout_ms),
        viewer_key: Some(config.viewer_key_file()),
        bulk_rows: config.ingest.batch_events_max,
        ..Options::default()
    }
}
