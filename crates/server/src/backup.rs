//! Backups: a consistent copy of the store with what belongs beside it, and the way back.
//!
//! ```text
//! DIR/data/         a data directory: the store, keys.json (hashes, no secrets)
//! DIR/keys/         with --with-keys: viewer-key and noise-key
//! DIR/backup.json   written last, so a backup that was interrupted has none
//! ```
//!
//! The secrets stay apart unless asked for: with them a copy links pseudonyms to people and noise to true numbers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use throng_model::Timestamp;
use throng_store::{CopyError, OpenError, Store, VerifyError};

use crate::config::Config;
use crate::keys::KeysError;
use crate::noise_key::NoiseKeyError;
use crate::{files, keys, noise_key, platform};

const DATA: &str = "data";
const KEYS: &str = "keys";
const VIEWER_KEY: &str = "viewer-key";
const NOISE_KEY: &str = "noise-key";
/// The store's file without which nothing opens it.
const GENERATION: &str = "generation";
const MANIFEST: &str = "backup.json";
const FORMAT: u32 = 1;

/// Why a backup was not made or not taken back. Nothing was overwritten.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum BackupError {
    /// A file or directory could not be used.
    #[error("cannot {act} {}", path.display())]
    File {
        /// What was tried.
        act: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The target holds something.
    #[error("{} is not empty: name another directory, or empty it yourself", path.display())]
    NotEmpty {
        /// The target.
        path: PathBuf,
    },
    /// The backup is none, or was interrupted.
    #[error("{} holds no finished backup: there is no {MANIFEST} that this version can read", path.display())]
    Unfinished {
        /// The backup.
        path: PathBuf,
    },
    /// The API keys could not be read, or what is done to them not be noted.
    #[error(transparent)]
    ApiKeys(#[from] KeysError),
    /// The noise key does not fit.
    #[error(transparent)]
    NoiseKey(#[from] NoiseKeyError),
    /// The store could not be copied.
    #[error("the store was not copied")]
    Copy(#[from] CopyError),
    /// The copy does not open.
    #[error("the copy does not open")]
    Open(#[from] OpenError),
    /// The copy is damaged.
    #[error("the copy is not whole")]
    Verify(#[from] VerifyError),
    /// The copy holds something else than what was copied.
    #[error("the copy holds another state than was copied: do not use it")]
    Differs,
}

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    format: u32,
    pub(crate) created: String,
    pub(crate) generation: u64,
    pub(crate) events: u64,
    /// Whether the keys lie beside the data.
    pub(crate) with_keys: bool,
}

/// Copies a store and what belongs to it into an empty directory, and reads the whole copy once.
pub(crate) fn back_up(store: &Store, config: &Config, dir: &Path, with_keys: bool) -> Result<Manifest, BackupError> {
    must_be_empty(dir)?;
    let data = dir.join(DATA);
    files::make_private_folder(dir).map_err(fails("create", dir))?;
    let copied = store.copy_to(&data)?;
    let listed = config.data.join(keys::FILE);
    if listed.exists() {
        copy_private(&listed, &data.join(keys::FILE))?;
    }
    if with_keys {
        let folder = dir.join(KEYS);
        files::make_private_folder(&folder).map_err(fails("create", &folder))?;
        copy_private(&config.viewer_key_file(), &folder.join(VIEWER_KEY))?;
        // A store that never answered has none.
        if noise_key::find(store, &config.noise_key_file())?.is_some() {
            copy_private(&config.noise_key_file(), &folder.join(NOISE_KEY))?;
        }
    }
    let report = platform::open_to_check(&data, config)?.verify()?;
    if report.generation != copied.generation {
        return Err(BackupError::Differs);
    }
    let created = Timestamp::now().to_string();
    let (generation, events) = (report.generation, report.events);
    let manifest = Manifest { format: FORMAT, created, generation, events, with_keys };
    let text = serde_json::to_string(&manifest).map_err(io::Error::other);
    let path = dir.join(MANIFEST);
    text.and_then(|text| files::replace(&path, text.as_bytes())).map_err(fails("write", &path))?;
    Ok(manifest)
}

/// Fills an empty data directory from a backup, and reads all of it once. Keys that are missing come from the backup too,
/// where it has them; keys that are there are never replaced. On failure the directory is empty again.
pub(crate) fn restore(dir: &Path, config: &Config) -> Result<Manifest, BackupError> {
    let manifest: Manifest = fs::read(dir.join(MANIFEST))
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .filter(|manifest: &Manifest| manifest.format == FORMAT)
        .ok_or_else(|| BackupError::Unfinished { path: dir.to_owned() })?;
    must_be_empty(&config.data)?;
    let filled = fill(dir, config, &manifest);
    if filled.is_err() {
        // The backup still has all of it. The directory itself stays, since others may count on it.
        _ = files::clear_folder(&config.data);
    }
    filled.map(|()| manifest)
}

fn fill(dir: &Path, config: &Config, manifest: &Manifest) -> Result<(), BackupError> {
    let (from, to) = (dir.join(DATA), &config.data);
    fs::create_dir_all(to).map_err(fails("create", to))?;
    // First, as with every change of keys: keys that were revoked since the backup work again from now on.
    let listed = keys::load(&from.join(keys::FILE))?;
    keys::Audit::of(&to.join(keys::FILE)).note_restored(&listed)?;
    files::copy_folder(&from, to, GENERATION).map_err(fails("copy the backup to", to))?;
    // Last: what has no such file is no store, so an interrupted restore is noticed.
    files::copy(&from.join(GENERATION), &to.join(GENERATION)).map_err(fails("copy the backup to", to))?;
    for (name, path) in [(VIEWER_KEY, config.viewer_key_file()), (NOISE_KEY, config.noise_key_file())] {
        let kept = dir.join(KEYS).join(name);
        if kept.exists() && !path.exists() {
            copy_private(&kept, &path)?;
        }
    }
    let store = platform::open_to_check(to, config)?;
    // Found now rather than when the server refuses to start.
    noise_key::find(&store, &config.noise_key_file())?;
    let report = store.verify()?;
    let same = (report.generation, report.events) == (manifest.generation, manifest.events);
    if same { Ok(()) } else { Err(BackupError::Differs) }
}

fn copy_private(from: &Path, to: &Path) -> Result<(), BackupError> {
    files::copy_private(from, to).map_err(fails("copy", from))
}

fn must_be_empty(dir: &Path) -> Result<(), BackupError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(BackupError::NotEmpty { path: dir.to_owned() }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(fails("read", dir)(source)),
    }
}

fn fails(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    move |source| BackupError::File { act, path: path.to_owned(), source }
}
