//! `keys.json` in the data directory: `{"format": 2, "blake3": <hash of both texts>, "keys": [...], "grants": [...]}`. Format 1 had no
//! grants, and its hash was of the text of "keys".
//!
//! The checksum makes damage an error: a file cut short or altered must never read as "no keys", nor bring a revoked key
//! back. Changes are made under a lock, so that two commands at once lose nothing.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use throng_model::{CreatorId, Timestamp};

use super::{Audit, Grant, Key, Role, Scope, SecretHash};
use crate::authn::Caller;
use crate::files;

/// The file's name in the data directory.
pub(crate) const FILE: &str = "keys.json";
/// The format this version writes; it reads those before as well.
const FORMAT: u32 = 2;

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
    /// The key's holder cannot be granted anything.
    #[error("{id} is no key of the role partner that works: channels are granted to partners")]
    NoPartner {
        /// The key's id.
        id: String,
    },
    /// There is nothing to revoke.
    #[error("no such grant; `throng grant list` prints them")]
    NoGrant,
}

/// All that the file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Register {
    /// In the order they were made.
    pub(crate) keys: Vec<Key>,
    /// In the order they were first given.
    pub(crate) grants: Vec<Grant>,
}

#[derive(Serialize, Deserialize)]
struct FileText {
    format: u32,
    blake3: String,
    keys: Box<RawValue>,
    /// Absent in format 1 alone.
    grants: Option<Box<RawValue>>,
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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantEntry {
    /// The id of a key, or else a subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    creator: String,
    scopes: Vec<Scope>,
    given: String,
    expires: Option<String>,
}

/// All keys and grants; none where there is no file yet.
pub(crate) fn load(path: &Path) -> Result<Register, KeysError> {
    match std::fs::read(path) {
        Ok(text) => parse(path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Register::default()),
        Err(source) => Err(KeysError::Io { path: path.to_owned(), source }),
    }
}

fn parse(path: &Path, text: &[u8]) -> Result<Register, KeysError> {
    let file: FileText = serde_json::from_slice(text).map_err(|_| damaged(path))?;
    if file.format > FORMAT {
        return Err(KeysError::Newer { path: path.to_owned() });
    }
    let grants = file.grants.as_deref().map(RawValue::get);
    if file.blake3 != checksum(file.keys.get(), grants) || grants.is_some() != (file.format == FORMAT) {
        return Err(damaged(path));
    }
    register(file.keys.get(), grants.unwrap_or("[]")).ok_or_else(|| damaged(path))
}

fn register(keys: &str, grants: &str) -> Option<Register> {
    let keys: Vec<Entry> = serde_json::from_str(keys).ok()?;
    let grants: Vec<GrantEntry> = serde_json::from_str(grants).ok()?;
    Some(Register {
        keys: keys.into_iter().map(read).collect::<Option<_>>()?,
        grants: grants.into_iter().map(read_grant).collect::<Option<_>>()?,
    })
}

/// Reads the file, lets `edit` change what it holds, notes what changed in the audit log, and writes it back, all under one lock.
pub(crate) fn change<T>(path: &Path, edit: impl FnOnce(&mut Register) -> Result<T, KeysError>) -> Result<T, KeysError> {
    let failed = |source| KeysError::Io { path: path.to_owned(), source };
    let _lock = files::lock(path).map_err(failed)?;
    let before = load(path)?;
    let mut after = before.clone();
    let answer = edit(&mut after)?;
    let text = write(&after).map_err(|error| failed(error.into()))?;
    // First, so that no change can lack its line.
    Audit::of(path).note(&before, &after)?;
    files::replace(path, text.as_bytes()).map_err(failed)?;
    Ok(answer)
}

fn write(register: &Register) -> Result<String, serde_json::Error> {
    let keys: Vec<Entry> = register.keys.iter().map(entry).collect();
    let grants: Vec<GrantEntry> = register.grants.iter().map(grant_entry).collect();
    let (keys, grants) = (serde_json::to_string_pretty(&keys)?, serde_json::to_string_pretty(&grants)?);
    let blake3 = checksum(&keys, Some(&grants));
    let (keys, grants) = (RawValue::from_string(keys)?, Some(RawValue::from_string(grants)?));
    serde_json::to_string(&FileText { format: FORMAT, blake3, keys, grants })
}

fn grant_entry(grant: &Grant) -> GrantEntry {
    let (key, subject) = match &grant.to {
        Caller::Key(id) => (Some(id.clone()), None),
        Caller::Subject(subject) => (None, Some(subject.clone())),
    };
    GrantEntry {
        key,
        subject,
        creator: grant.creator.as_str().to_owned(),
        scopes: grant.scopes.clone(),
        given: grant.given.to_string(),
        expires: grant.expires.map(|expires| expires.to_string()),
    }
}

fn read_grant(entry: GrantEntry) -> Option<Grant> {
    Some(Grant {
        to: match (entry.key, entry.subject) {
            (Some(id), None) => Caller::Key(id),
            (None, Some(subject)) => Caller::Subject(subject),
            _ => return None,
        },
        creator: CreatorId::parse(entry.creator).ok()?,
        scopes: entry.scopes,
        given: Timestamp::parse(&entry.given).ok()?,
        expires: entry.expires.map(|text| Timestamp::parse(&text)).transpose().ok()?,
    })
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

fn checksum(keys: &str, grants: Option<&str>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(keys.as_bytes());
    // JSON has no such byte, so the texts cannot be cut elsewhere.
    grants.inspect(|grants| _ = hasher.update(b"\0").update(grants.as_bytes()));
    hasher.finalize().to_hex().to_string()
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

    fn grants() -> Vec<Grant> {
        let given = Timestamp::parse("2026-03-09T12:00:00Z").unwrap();
        let grant = |to, scopes: &[Scope], expires| {
            let creator = CreatorId::parse("c\"2").unwrap();
            Grant { to, creator, scopes: scopes.to_vec(), given, expires }
        };
        vec![
            grant(Caller::Key("0123456789ab".to_owned()), &[Scope::Counters, Scope::Insights], None),
            grant(Caller::Subject("an \"agency\"".to_owned()), &[Scope::Counters], Some(Timestamp::MAX)),
        ]
    }

    /// As the version before grants wrote it.
    const FORMAT_1: &str = include_str!("format_1.json");

    #[test]
    fn files_of_the_format_before_are_still_read() {
        let path = Path::new(FILE);
        let read = parse(path, FORMAT_1.trim_end().as_bytes()).unwrap();
        assert_eq!(read.grants, []);
        let [operator, partner] = &read.keys[..] else { panic!("{read:?}") };
        assert_eq!((operator.role, operator.id.as_str()), (Role::Operator, "86d73e6fca8e"));
        assert_eq!((partner.role, partner.creators.len()), (Role::Partner, 2));
        // With grants it would be of this format, and without them this one is none.
        for wrong in
            [FORMAT_1.replace("\"format\":1", "\"format\":2"), FORMAT_1.replace("\"keys\":", "\"grants\":[],\"keys\":")]
        {
            assert!(matches!(parse(path, wrong.as_bytes()), Err(KeysError::Damaged { .. })), "{wrong}");
        }
    }

    fn add(path: &Path, key: Key) {
        let push = |register: &mut Register| {
            register.keys.push(key);
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
        assert_eq!(load(&path).unwrap(), Register::default());
        let (first, second) = (key("first"), key("second"));
        for key in [&first, &second] {
            add(&path, key.clone());
        }
        let given = |register: &mut Register| {
            register.grants = grants();
            Ok(())
        };
        change(&path, given).unwrap();
        assert_eq!(load(&path).unwrap(), Register { keys: vec![first, second], grants: grants() });
    }

    #[test]
    fn any_damage_is_an_error_and_never_no_keys() {
        let path = Path::new(FILE);
        let keys = Register { keys: vec![key("only")], grants: grants() };
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
