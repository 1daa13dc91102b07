//! The noise key: made once, kept in a file apart from the data, and told to nobody but the gate.
//!
//! Noise hides people only while it is drawn once for ever: the mean of several draws nears the true number. So a store
//! remembers by what its key can be told, and a lost or other key is an error, never a reason to make a new one.

use std::path::{Path, PathBuf};

use throng_privacy::NoiseKey;
use throng_store::{KeyError, KeyKind, Store, WriteError};

/// Why there is no noise key to draw from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum NoiseKeyError {
    /// The file could not be read or made.
    #[error(transparent)]
    File(#[from] KeyError),
    /// There is no file, and the store has answered with a key.
    #[error(
        "the noise key file {} is missing, and this store has been served with it: put the file back from your backup of \
         the keys. A new key would draw all noise anew, and the mean of old and new answers would be nearer to the true \
         numbers than was promised; so none is made", path.display()
    )]
    Lost {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file holds another key than the store has answered with.
    #[error(
        "{} holds another noise key than the one that this store has been served with: put the right file back from your \
         backup of the keys. Another key would draw all noise anew, and the mean of old and new answers would be nearer to \
         the true numbers than was promised", path.display()
    )]
    Other {
        /// The file.
        path: PathBuf,
    },
    /// The store could not remember the key.
    #[error("the store could not remember the noise key")]
    Bind(#[from] WriteError),
}

/// The store's noise key. Made, and bound to the store, where the store was never served before.
pub(crate) fn open(store: &Store, path: &Path) -> Result<NoiseKey, NoiseKeyError> {
    if let Some(key) = find(store, path)? {
        return Ok(key);
    }
    let key = match KeyKind::Noise.read(path)? {
        // A crash came between making and binding, or the operator brought a key.
        Some(bytes) => NoiseKey::from_bytes(bytes),
        None => NoiseKey::from_bytes(KeyKind::Noise.make(path)?),
    };
    store.bind_noise_key(key.check())?;
    Ok(key)
}

/// The key that the store is bound to; `None` where it is bound to none yet.
pub(crate) fn find(store: &Store, path: &Path) -> Result<Option<NoiseKey>, NoiseKeyError> {
    let Some(bound) = store.noise_key_check() else { return Ok(None) };
    let bytes = KeyKind::Noise.read(path)?.ok_or_else(|| NoiseKeyError::Lost { path: path.to_owned() })?;
    let key = NoiseKey::from_bytes(bytes);
    if key.check() == bound { Ok(Some(key)) } else { Err(NoiseKeyError::Other { path: path.to_owned() }) }
}
