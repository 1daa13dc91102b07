//! Which directory the database lies in: a compaction moves it to a fresh one, and so does giving room back.
//!
//! ```text
//! db         the first one
//! db-<n>     one that the store moved to, n its generation: the highest counts
//! db.new     one that is being written: never read
//! ```
//!
//! Renaming `db.new` is the step that makes a new one count; what is older goes afterwards, or at the next opening.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

const FIRST: &str = "db";
const UNFINISHED: &str = "db.new";

/// Where a database that is being written lies.
pub(crate) fn unfinished(dir: &Path) -> PathBuf {
    dir.join(UNFINISHED)
}

/// Where the database that counts from a generation on lies.
pub(crate) fn finished(dir: &Path, generation: u64) -> PathBuf {
    dir.join(format!("{FIRST}-{generation}"))
}

/// The database that counts; where there is none, where the first one goes.
pub(crate) fn current(dir: &Path) -> io::Result<PathBuf> {
    let newest = databases(dir)?.into_iter().max_by_key(|(number, _)| *number);
    Ok(newest.map_or_else(|| dir.join(FIRST), |(_, path)| path))
}

/// Removes every database but the one that counts.
pub(crate) fn clear(dir: &Path) -> io::Result<()> {
    let current = current(dir)?;
    let old = databases(dir)?.into_iter().map(|(_, path)| path).filter(|path| *path != current);
    for path in old.chain([unfinished(dir)]) {
        remove(&path)?;
    }
    File::open(dir)?.sync_all()
}

/// Removes a directory; fine where there is none.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes every file and name below a directory survive power loss.
pub(crate) fn sync(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    File::open(dir)?.sync_all()
}

/// Bytes of every file below a directory. The database removes files of its own at any time: what goes meanwhile is nothing.
pub(crate) fn bytes(dir: &Path) -> io::Result<u64> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut bytes = 0;
    for entry in entries {
        let entry = entry?;
        bytes += match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => self::bytes(&entry.path())?,
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
    }
    Ok(bytes)
}

fn databases(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let number = match name.to_str().and_then(|name| name.strip_prefix(FIRST)) {
            Some("") => Some(0),
            Some(rest) => rest.strip_prefix('-').and_then(|number| number.parse().ok()),
            None => None,
        };
        found.extend(number.map(|number| (number, entry.path())));
    }
    Ok(found)
}
