//! The generation file: the last acknowledged generation, kept outside the key-value files.
//!
//! A damaged metadata log can make the database open an older state, or an empty one, without a word. This file tells.
//!
//! ```text
//! two slots of 32 bytes: "THRONGG1" | generation u64 LE | store id 8 bytes | CRC32C u32 LE | 4 zero bytes
//! ```
//!
//! Slots are written in turn, so a torn write leaves the other one whole. One damaged slot is harmless: the other says
//! at least the generation before.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::secret::sync_parent;

const MAGIC: &[u8; 8] = b"THRONGG1";
const SLOT: usize = 32;

/// What the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    pub(crate) generation: u64,
    pub(crate) store_id: [u8; 8],
}

/// Why the generation file could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerationError {
    /// Reading or writing failed.
    #[error("the generation file {path} could not be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Both slots are damaged.
    #[error("the generation file {path} is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

pub(crate) struct GenerationFile {
    path: PathBuf,
    file: File,
}

impl GenerationFile {
    /// Reads the file; `None` where there is none.
    pub(crate) fn read(path: &Path) -> Result<Option<Acknowledged>, GenerationError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(GenerationError::Io { path: path.to_owned(), source }),
        };
        let newest = bytes.chunks(SLOT).filter_map(decode).max_by_key(|slot| slot.generation);
        newest.map(Some).ok_or_else(|| GenerationError::Damaged { path: path.to_owned() })
    }

    /// Makes the file with its first generation. It appears whole or not at all.
    pub(crate) fn create(path: &Path, first: Acknowledged) -> Result<Self, GenerationError> {
        let io = |source| GenerationError::Io { path: path.to_owned(), source };
        let unfinished = path.with_extension("new");
        let mut slots = [0; SLOT * 2];
        let place = usize::from(first.generation % 2 == 1) * SLOT;
        slots[place..place + SLOT].copy_from_slice(&encode(first));
        let mut file = File::create(&unfinished).map_err(io)?;
        file.write_all(&slots).and_then(|()| file.sync_all()).map_err(io)?;
        std::fs::rename(&unfinished, path).and_then(|()| sync_parent(path)).map_err(io)?;
        Self::open(path)
    }

    /// Opens the file for writing.
    pub(crate) fn open(path: &Path) -> Result<Self, GenerationError> {
        let file = OpenOptions::new().write(true).open(path);
        let file = file.map_err(|source| GenerationError::Io { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Writes one generation into its slot, durably.
    pub(crate) fn write(&self, acknowledged: Acknowledged) -> Result<(), GenerationError> {
        let offset = acknowledged.generation % 2 * SLOT as u64;
        let written = self.file.write_all_at(&encode(acknowledged), offset).and_then(|()| self.file.sync_data());
        written.map_err(|source| GenerationError::Io { path: self.path.clone(), source })
    }
}

fn encode(acknowledged: Acknowledged) -> [u8; SLOT] {
    let mut slot = [0; SLOT];
    slot[..8].copy_from_slice(MAGIC);
    slot[8..16].copy_from_slice(&acknowledged.generation.to_le_bytes());
    slot[16..24].copy_from_slice(&acknowledged.store_id);
    let crc = crc32c::crc32c(&slot[..24]);
    slot[24..28].copy_from_slice(&crc.to_le_bytes());
    slot
}

fn decode(slot: &[u8]) -> Option<Acknowledged> {
    let (_, rest) = slot.split_first_chunk::<8>()?;
    let (generation, rest) = rest.split_first_chunk::<8>()?;
    let (store_id, _) = rest.split_first_chunk::<8>()?;
    let found = Acknowledged { generation: u64::from_le_bytes(*generation), store_id: *store_id };
    (encode(found) == slot).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_whole_slot_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("generation");
        assert_eq!(GenerationFile::read(&path).unwrap(), None);
        let at = |generation| Acknowledged { generation, store_id: *b"12345678" };
        let file = GenerationFile::create(&path, at(1)).unwrap();
        assert_eq!(GenerationFile::read(&path).unwrap(), Some(at(1)));
        file.write(at(2)).unwrap();
        file.write(at(3)).unwrap();
        assert_eq!(GenerationFile::read(&path).unwrap(), Some(at(3)));
        let whole = std::fs::read(&path).unwrap();
        for at_byte in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at_byte] ^= 1;
            std::fs::write(&path, &flipped).unwrap();
            let read = GenerationFile::read(&path).unwrap();
            assert!(read == Some(at(3)) || read == Some(at(2)), "byte {at_byte}");
        }
        std::fs::write(&path, b"").unwrap();
        assert!(matches!(GenerationFile::read(&path), Err(GenerationError::Damaged { .. })));
    }
}
