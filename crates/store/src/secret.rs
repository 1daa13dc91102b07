//! The files of secret keys, and the viewer key: what turns viewers into pseudonyms and event ids into fingerprints.
//!
//! Keys lie outside the data directory, so that a copy of the directory alone links no pseudonym to a person. They are
//! made at the first start. Losing the viewer key would let every known viewer come back as a new one, so a store that has
//! data refuses to open without the very key it was written with. What the noise key is for is known above this crate.

use std::fmt;
use std::fs::OpenOptions;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A viewer's pseudonym: BLAKE3 keyed, cut to 80 bits. Any two of 10⁹ viewers share one with a chance of 4 × 10⁻⁷.
pub(crate) type Pseudonym = [u8; 10];

/// An event id's fingerprint: BLAKE3 keyed, cut to 64 bits. Any two of 10⁸ events share one with a chance of 3 × 10⁻⁴, of 10⁹ with one of 3 %.
pub(crate) type Fingerprint = [u8; 8];

/// What a key is for. The first words of its file say so, and no key is taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Turns viewers into pseudonyms.
    Viewer,
    /// All noise is drawn from it.
    Noise,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Viewer => "viewer key",
            Self::Noise => "noise key",
        })
    }
}

/// Why a key could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file could not be read or written.
    #[error("the {kind} file {path} could not be used")]
    Io {
        /// Which key.
        kind: KeyKind,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no key.
    #[error("{path} is no {kind} file")]
    Malformed {
        /// Which key.
        kind: KeyKind,
        /// The file.
        path: PathBuf,
    },
    /// There is data but no key.
    #[error("the viewer key file {path} is missing: put back the one that this store was written with")]
    Lost {
        /// Where it should be.
        path: PathBuf,
    },
    /// The key is not the one that the data was written with.
    #[error("the viewer key is not the one that this store was written with: put back the right file")]
    Wrong,
    /// The system gave no random bytes.
    #[error("no random bytes from the system")]
    NoRandom,
}

impl KeyKind {
    /// The key in a file; `None` where there is no file.
    pub fn read(self, path: &Path) -> Result<Option<[u8; 32]>, KeyError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(KeyError::Io { kind: self, path: path.to_owned(), source }),
        };
        let key = text.strip_prefix(&self.header()).and_then(parse);
        key.map(Some).ok_or_else(|| KeyError::Malformed { kind: self, path: path.to_owned() })
    }

    /// Draws a key and writes its file, which only its owner may read. Never replaces a file.
    pub fn make(self, path: &Path) -> Result<[u8; 32], KeyError> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|_| KeyError::NoRandom)?;
        let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("{}\n{digits}\n", self.header());
        let write = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            sync_parent(path)
        };
        write().map_err(|source| KeyError::Io { kind: self, path: path.to_owned(), source })?;
        Ok(key)
    }

    fn header(self) -> String {
        format!("throng {self} 1")
    }
}

/// The viewer key, ready to use. Never printed.
#[derive(Clone)]
pub(crate) struct Secret {
    viewer: [u8; 32],
    event: [u8; 32],
    check: [u8; 16],
}

impl Secret {
    pub(crate) fn from_bytes(key: &[u8; 32]) -> Self {
        let mut check = [0; 16];
        check.copy_from_slice(&blake3::derive_key("throng viewer key check 1", key)[..16]);
        Self {
            viewer: blake3::derive_key("throng viewer pseudonym 1", key),
            event: blake3::derive_key("throng event fingerprint 1", key),
            check,
        }
    }

    /// Reads the viewer key file, or makes it where `may_create`.
    pub(crate) fn load(path: &Path, may_create: bool) -> Result<Self, KeyError> {
        let key = match KeyKind::Viewer.read(path)? {
            Some(key) => key,
            None if may_create => KeyKind::Viewer.make(path)?,
            None => return Err(KeyError::Lost { path: path.to_owned() }),
        };
        Ok(Self::from_bytes(&key))
    }

    /// What the root keeps to know the key again; tells nothing about it.
    pub(crate) fn check(&self) -> [u8; 16] {
        self.check
    }

    pub(crate) fn pseudonym(&self, viewer: &str) -> Pseudonym {
        cut(&self.viewer, viewer)
    }

    pub(crate) fn fingerprint(&self, event_id: &str) -> Fingerprint {
        cut(&self.event, event_id)
    }
}

/// Hashes pseudonyms and fingerprints, which are random already, to their last bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AlreadyRandom(u64);

impl Hasher for AlreadyRandom {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(tail) = bytes.last_chunk::<8>() {
            self.0 = u64::from_le_bytes(*tail);
        }
    }

    /// The length prefix of a byte array; the same for all keys of a map.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Builds [`AlreadyRandom`].
pub(crate) type RandomKeys = BuildHasherDefault<AlreadyRandom>;

fn cut<const N: usize>(key: &[u8; 32], text: &str) -> [u8; N] {
    let mut out = [0; N];
    out.iter_mut().zip(blake3::keyed_hash(key, text.as_bytes()).as_bytes()).for_each(|(out, byte)| *out = *byte);
    out
}

fn parse(digits: &str) -> Option<[u8; 32]> {
    let digits = digits.trim();
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; 32];
    for (byte, at) in key.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
    }
    Some(key)
}

/// Makes a new name in a directory survive power loss.
pub(crate) fn sync_parent(path: &Path) -> std::io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(parent)?.sync_all()
}
