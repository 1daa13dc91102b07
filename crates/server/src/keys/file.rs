//! `keys.json` in the data directory: `{"format": 1, "blake3": <hash of the text of "keys">, "keys": [...]}`.
//!
//! The checksum makes damage an error: a file cut short or altered must never read as "no keys", nor bring a revoked key
//! back. Changes are made under a lock, so that two commands at once lose nothing.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use throng_model::{CreatorId, Timestamp};

use super::{Audit, Key, Role, SecretHash};
use crate::files;

/// The file's name in the data directory.
pub(crate) const FILE: &str = "keys.json";
/// The format this version writes and reads.
const FORMAT: u32 = 1;

/// Why the keys could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum KeysError {
    /// The file could not be read or written.
    #[error("cannot access the keys in {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what was written.
    #[error("{} is damaged: restore it from a backup, or delete it and make new keys", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of Throng wrote the file.
    #[error("{} was written by a newer version of Throng", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
    },
    /// The system gave no random numbers.
    #[error("the system gave no random numbers")]
    Random(#[source] getrandom::Error),
    /// What is done to keys could not be noted, so it was not done.
    #[error("cannot access the audit log {}", path.display())]
    Audit {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No key has this id.
    #[error("there is no key {id}; `throng key list` prints the ids")]
    Unknown {
        /// The id as given.
        id: String,
    },
}

#[derive(Serialize, Deserialize)]
struct FileText {
    format: u32,
    blake3: String,
    keys: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    role: Role,
    creators: Vec<String>,
    name: Option<String>,
    created: String,
    expires: Option<String>,
    revoked: Option<String>,
    hash: String,
}

/// All keys, in the order they were made; none where there is no file yet.
pub(crate) fn load(path: &Path) -> Result<Vec<Key>, KeysError> {
    match std::fs::read(path) {
        Ok(text) => parse(path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(KeysError::Io { path: path.to_owned(), source }),
    }
}

fn parse(path: &Path, text: &[u8]) -> Result<Vec<Key>, KeysError> {
    let file: FileText = serde_json::from_slice(text).map_err(|_| damaged(path))?;
    if file.format > FORMAT {
        return Err(KeysError::Newer { path: path.to_owned() });
    }
    if file.blake3 != checksum(file.keys.get()) {
        return Err(damaged(path));
    }
    let entries: Vec<Entry> = serde_json::from_str(file.keys.get()).map_err(|_| damaged(path))?;
    entries.into_iter().map(|entry| read(entry).ok_or_else(|| damaged(path))).collect()
}

/// Reads the keys, lets `edit` change them, notes what changed in the audit log, and writes them back, all under one lock.
pub(crate) fn change<T>(path: &Path, edit: impl FnOnce(&mut Vec<Key>) -> Result<T, KeysError>) -> Result<T, KeysError> {
    let failed = |source| KeysError::Io { path: path.to_owned(), source };
    let _lock = files::lock(path).map_err(failed)?;
    let before = load(path)?;
    let mut keys = before.clone();
    let answer = edit(&mut keys)?;
    let text = write(&keys).map_err(|error| failed(error.into()))?;
    // First, so that no change can lack its line.
    Audit::of(path).note(&before, &keys)?;
    files::replace(path, text.as_bytes()).map_err(failed)?;
    Ok(answer)
}

fn write(keys: &[Key]) -> Result<String, serde_json::Error> {
    let entries: Vec<Entry> = keys.iter().map(entry).collect();
    let keys = serde_json::to_string_pretty(&entries)?;
    let file = FileText { format: FORMAT, blake3: checksum(&keys), keys: RawValue::from_string(keys)? };
    serde_json::to_string(&file)
}

fn entry(key: &Key) -> Entry {
    Entry {
        id: key.id.clone(),
        role: key.role,
        creators: key.creators.iter().map(|creator| creator.as_str().to_owned()).collect(),
        name: key.name.clone(),
        created: key.created.to_string(),
        expires: key.expires.map(|expires| expires.to_string()),
        revoked: key.revoked.map(|revoked| revoked.to_string()),
        hash: key.hash.to_hex(),
    }
}

fn read(entry: Entry) -> Option<Key> {
    let instant = |text: Option<String>| text.map(|text| Timestamp::parse(&text)).transpose().ok();
    Some(Key {
        id: entry.id,
        role: entry.role,
        creators: entry.creators.into_iter().map(CreatorId::parse).collect::<Result<_, _>>().ok()?,
        name: entry.name,
        created: Timestamp::parse(&entry.created).ok()?,
        expires: instant(entry.expires)?,
        revoked: instant(entry.revoked)?,
        hash: SecretHash::from_hex(&entry.hash)?,
    })
}

fn checksum(keys: &str) -> String {
    blake3::hash(keys.as_bytes()).to_hex().to_string()
}

fn damaged(path: &Path) -> KeysError {
    KeysError::Damaged { path: path.to_owned() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::super::Token;
    use super::*;

    fn key(name: &str) -> Key {
        let secret = "0123456789abcdef".repeat(4);
        let token = Token::parse(&format!("thr_0123456789ab_{secret}")).unwrap();
        Key {
            id: token.id().to_owned(),
            role: Role::Partner,
            creators: vec![CreatorId::parse("c1").unwrap(), CreatorId::parse("c\"2").unwrap()],
            name: Some(name.to_owned()),
            created: Timestamp::parse("2026-03-09T12:00:00.123Z").unwrap(),
            expires: Some(Timestamp::MAX),
            revoked: None,
            hash: token.hash(),
        }
    }

    fn add(path: &Path, key: Key) {
        let push = |keys: &mut Vec<Key>| {
            keys.push(key);
            Ok(())
        };
        change(path, push).unwrap();
    }

    #[test]
    fn keys_survive_the_file() {
        let folder = tempfile::tempdir().unwrap();
        // The audit log lies beside the folder of the keys.
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let path = data.join(FILE);
        assert_eq!(load(&path).unwrap(), []);
        let (first, second) = (key("first"), key("second"));
        for key in [&first, &second] {
            add(&path, key.clone());
        }
        assert_eq!(load(&path).unwrap(), [first, second]);
    }

    #[test]
    fn any_damage_is_an_error_and_never_no_keys() {
        let path = Path::new(FILE);
        let keys = [key("only")];
        let whole = write(&keys).unwrap().into_bytes();
        assert_eq!(parse(path, &whole).unwrap(), keys);
        for cut in 0..whole.len() {
            assert!(matches!(parse(path, &whole[..cut]), Err(KeysError::Damaged { .. })), "cut at {cut}");
        }
        for (at, bit) in (0..whole.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut altered = whole.clone();
            altered[at] ^= 1 << bit;
            match parse(path, &altered) {
                // A lower format number, say, leaves the keys as they are.
                Ok(read) => assert_eq!(read, keys, "bit {bit} of byte {at}"),
                Err(error) => assert!(matches!(error, KeysError::Damaged { .. } | KeysError::Newer { .. }), "{error}"),
            }
        }
    }

    #[test]
    fn a_damaged_file_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::write(&path, "").unwrap();
        assert!(matches!(change(&path, |_| Ok(())), Err(KeysError::Damaged { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }
}
