//! A check of the key-value database's own metadata files before it opens them.
//!
//! The database stops reading its log at the first bad frame, without a word, and goes on with what came before. Where a
//! later frame was already acted on, that is a state that never was: look-ups can then loop for ever. So the frames are
//! checked here first. Only the very last frame of the newest log may be bad: that is a write that a crash cut off, and
//! without it the state before is whole.
//!
//! While it opens, the database folds its logs into a snapshot, removes them, and begins a new log. A crash between the
//! last two steps leaves a snapshot without a log, and the next opening takes that snapshot for an outdated one and
//! removes it: all would be lost one opening later. So the new log is begun here where it is missing.
//!
//! ```text
//! frame = length (6 bytes LE) | low half of CRC32 of these 6 bytes (2 bytes LE) | payload
//!       | CRC32 of all before, XOR 0xAF (4 bytes LE)
//! ```

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::kv::KvError;

/// Checks every snapshot and log in the metadata folder and begins the log that must follow the newest snapshot. A folder
/// that is not there is fine; one that a database has open is not touched.
pub(crate) fn prepare(dir: &Path) -> Result<(), KvError> {
    let folder = match File::open(dir) {
        Ok(folder) => folder,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(KvError::Io(error)),
    };
    // The database's own lock: nobody writes here until `folder` is closed.
    folder.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => KvError::Locked,
        TryLockError::Error(error) => KvError::Io(error),
    })?;
    let entries = std::fs::read_dir(dir).map_err(KvError::Io)?;
    let (mut logs, mut snapshots) = (Vec::new(), Vec::new());
    for entry in entries {
        let path = entry.map_err(KvError::Io)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // Both names end in a number of fixed width, so they sort by it.
        if name.starts_with("log_") {
            logs.push((name, path));
        } else if name.starts_with("snapshot_") && !name.ends_with(".tmp") {
            snapshots.push((name, path));
        }
    }
    logs.sort();
    snapshots.sort();
    if let Some((name, path)) = snapshots.last() {
        let bytes = std::fs::read(path).map_err(KvError::Io)?;
        if frame_end(&bytes, 0) != Some(bytes.len()) {
            return Err(KvError::Damaged(name.clone()));
        }
    }
    let newest = logs.len().saturating_sub(1);
    for (place, (name, path)) in logs.iter().enumerate() {
        let bytes = std::fs::read(path).map_err(KvError::Io)?;
        let mut at = 0;
        while let Some(end) = frame_end(&bytes, at) {
            at = end;
        }
        let cut_off = place == newest && (at + 1..bytes.len()).all(|start| frame_end(&bytes, start).is_none());
        if at < bytes.len() && !cut_off {
            return Err(KvError::Damaged(name.clone()));
        }
    }
    if let Some(snapshot) = snapshots.last().and_then(|(name, _)| number(name))
        && logs.last().and_then(|(name, _)| number(name)).is_none_or(|log| log <= snapshot)
    {
        File::create(dir.join(format!("log_{:016x}", snapshot + 1))).map_err(KvError::Io)?;
        folder.sync_all().map_err(KvError::Io)?;
    }
    Ok(())
}

/// The number at the end of a file's name.
fn number(name: &str) -> Option<u64> {
    u64::from_str_radix(name.rsplit_once('_')?.1, 16).ok()
}

/// Where the whole frame that starts at `at` ends.
fn frame_end(bytes: &[u8], at: usize) -> Option<usize> {
    let (head, rest) = bytes.get(at..)?.split_first_chunk::<8>()?;
    let [l0, l1, l2, l3, l4, l5, c0, c1] = *head;
    let length_crc = crc32fast::hash(&[l0, l1, l2, l3, l4, l5]) as u16;
    if length_crc != u16::from_le_bytes([c0, c1]) {
        return None;
    }
    let length = usize::try_from(u64::from_le_bytes([l0, l1, l2, l3, l4, l5, 0, 0])).ok()?;
    let crc = rest.get(length..length.checked_add(4)?)?;
    let body = bytes.get(at..at + 8 + length)?;
    (crc == (crc32fast::hash(body) ^ 0xAF).to_le_bytes()).then_some(at + 12 + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(payload: &[u8]) -> Vec<u8> {
        let mut frame = (payload.len() as u64).to_le_bytes().to_vec();
        let crc = crc32fast::hash(&frame[..6]) as u16;
        frame[6..].copy_from_slice(&crc.to_le_bytes());
        frame.extend_from_slice(payload);
        frame.extend_from_slice(&(crc32fast::hash(&frame) ^ 0xAF).to_le_bytes());
        frame
    }

    #[test]
    fn only_the_last_frame_of_the_newest_log_may_be_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let log = |n: u32, bytes: &[u8]| std::fs::write(dir.path().join(format!("log_{n:016x}")), bytes).unwrap();
        let three = [frame(b"one"), frame(b"two"), frame(b"three")].concat();
        log(1, &three);
        log(2, &three);
        assert!(prepare(dir.path()).is_ok());
        log(2, &three[..three.len() - 3]);
        assert!(prepare(dir.path()).is_ok());
        for at in 0..three.len() {
            let mut flipped = three.clone();
            flipped[at] ^= 8;
            log(2, &flipped);
            let last = at >= frame(b"one").len() + frame(b"two").len();
            assert_eq!(prepare(dir.path()).is_ok(), last, "newest, byte {at}");
            log(2, &three);
            log(1, &flipped);
            assert!(prepare(dir.path()).is_err(), "older, byte {at}");
            log(1, &three);
        }
    }
}
