//! The noise key: made once, kept in a file apart from the data, and told to nobody but the gate.
//!
//! Noise hides people only while it is drawn once for ever: the mean of several draws converges to the true number. So the
//! key is never made anew for a store that has answered with one.

use std::path::Path;

use throng_privacy::NoiseKey;
use throng_store::{KeyError, KeyKind};

/// The key in this file, which is made where there is none.
pub(crate) fn load(path: &Path) -> Result<NoiseKey, KeyError> {
    let bytes = match KeyKind::Noise.read(path)? {
        Some(bytes) => bytes,
        None => KeyKind::Noise.make(path)?,
    };
    Ok(NoiseKey::from_bytes(bytes))
}
