//! The content of a small file, kept in memory while the file stays the same and read again once it is another.
//!
//! This is how a running server follows what is done to keys: no signal, no timer, one look at the file's stamp per use.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

/// A file and what it says.
pub(crate) struct Watched<T, E> {
    path: PathBuf,
    load: fn(&Path) -> Result<T, E>,
    /// What follows from a file that cannot be read, for the log.
    consequence: &'static str,
    read: RwLock<Option<Read<T, E>>>,
}

struct Read<T, E> {
    stamp: Stamp,
    content: Result<Arc<T>, Arc<E>>,
}

/// Changes whenever the file is replaced, since each replacement is a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
    file: u64,
}

impl<T, E: Error> Watched<T, E> {
    /// Reads the file, which must be readable now.
    pub(crate) fn open(path: PathBuf, load: fn(&Path) -> Result<T, E>, consequence: &'static str) -> Result<Self, E> {
        load(&path)?;
        Ok(Self { path, load, consequence, read: RwLock::new(None) })
    }

    /// What the file says now.
    pub(crate) fn get(&self) -> Result<Arc<T>, Arc<E>> {
        // Taken before reading: a change while reading shows in the next stamp.
        let stamp = Stamp::of(&self.path);
        {
            let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(read) = read.as_ref().filter(|read| Some(read.stamp) == stamp) {
                return read.content.clone();
            }
        }
        let content = (self.load)(&self.path).map(Arc::new).map_err(Arc::new);
        if let Err(error) = &content {
            tracing::error!(%error, "{}", self.consequence);
        }
        let mut read = self.read.write().unwrap_or_else(PoisonError::into_inner);
        *read = stamp.map(|stamp| Read { stamp, content: content.clone() });
        content
    }
}

impl Stamp {
    /// Of a file that may be missing; `None` where nothing can be found out.
    fn of(path: &Path) -> Option<Self> {
        match fs::metadata(path) {
            Ok(metadata) => {
                #[cfg(unix)]
                let file = std::os::unix::fs::MetadataExt::ino(&metadata);
                #[cfg(not(unix))]
                let file = 0;
                Some(Self { modified: metadata.modified().ok(), bytes: metadata.len(), file })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Some(Self { modified: None, bytes: 0, file: 0 })
            }
            Err(_) => None,
        }
    }
}
