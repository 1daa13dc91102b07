//! What was done to keys and grants, by whom and when: one JSON object a line, appended and never rewritten.
//!
//! The file lies beside the data directory, so that neither a backup nor a restore touches it. A line is on disk before the
//! change that it tells of, so no change can lack one; a change that failed after that has a line all the same. It names
//! keys by their public ids and never holds a token. It shows what was done with this program, not what somebody did who can
//! write the files himself.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use throng_model::{CreatorId, Timestamp};

use super::{Grant, Key, KeysError, Register, Role, Scope};
use crate::authn::Caller;
use crate::config::beside;

/// The file's name, after the data directory's.
const FILE: &str = "audit.jsonl";

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    /// A key was made.
    #[serde(rename = "key.create")]
    Make,
    /// A key was revoked.
    #[serde(rename = "key.revoke")]
    Revoke,
    /// A key was taken out of the list: those of an older demo.
    #[serde(rename = "key.remove")]
    Remove,
    /// A key came back from a backup, with what it says of it.
    #[serde(rename = "key.restore")]
    Restore,
    /// A channel was granted, or granted otherwise.
    #[serde(rename = "grant.give")]
    Give,
    /// A grant was taken back.
    #[serde(rename = "grant.revoke")]
    TakeBack,
    /// A grant came back from a backup.
    #[serde(rename = "grant.restore")]
    RestoreGrant,
}

impl Action {
    /// The name in the file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Make => "key.create",
            Self::Revoke => "key.revoke",
            Self::Remove => "key.remove",
            Self::Restore => "key.restore",
            Self::Give => "grant.give",
            Self::TakeBack => "grant.revoke",
            Self::RestoreGrant => "grant.restore",
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) at: String,
    /// The user of the command line, as the environment has it.
    pub(crate) by: String,
    pub(crate) action: Action,
    /// The key's public id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// Instead: the subject of JWTs, whom something was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    pub(crate) role: String,
    pub(crate) creators: Vec<String>,
    /// Of a grant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) scopes: Vec<Scope>,
    pub(crate) expires: Option<String>,
    /// Of a key from a backup that works no more: since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revoked: Option<String>,
}

impl Record {
    /// Of something that happens now.
    fn now(action: Action, role: Role, creators: &[CreatorId<'_>], expires: Option<Timestamp>) -> Self {
        let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        Self {
            at: Timestamp::now().to_string(),
            by: format!("cli:{}", user.unwrap_or_else(|| "unknown".to_owned())),
            action,
            key: None,
            subject: None,
            role: role.name().to_owned(),
            creators: creators.iter().map(|creator| creator.as_str().to_owned()).collect(),
            scopes: Vec::new(),
            expires: expires.map(|expires| expires.to_string()),
            revoked: None,
        }
    }

    fn of_key(action: Action, key: &Key) -> Self {
        Self { key: Some(key.id.clone()), ..Self::now(action, key.role, &key.creators, key.expires) }
    }

    fn of_grant(action: Action, grant: &Grant) -> Self {
        let (key, subject) = match grant.to.clone() {
            Caller::Key(id) => (Some(id), None),
            Caller::Subject(subject) => (None, Some(subject)),
        };
        let creators = std::slice::from_ref(&grant.creator);
        Self { key, subject, scopes: grant.scopes.clone(), ..Self::now(action, Role::Partner, creators, grant.expires) }
    }
}

/// The file of one data directory.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    path: PathBuf,
}

impl Audit {
    /// Of the data directory that the keys lie in.
    pub(crate) fn of(keys: &Path) -> Self {
        Self { path: beside(keys.parent().unwrap_or(Path::new("")), FILE) }
    }

    /// Adds a line for each difference between two states of the file, durably.
    pub(super) fn note(&self, before: &Register, after: &Register) -> Result<(), KeysError> {
        let keys = keys_changed(&before.keys, &after.keys);
        let grants = grants_changed(&before.grants, &after.grants);
        keys.into_iter().chain(grants).try_for_each(|record| self.append(&record))
    }

    /// Adds a line for each key and grant that a backup brings back, durably and before it does.
    pub(crate) fn note_restored(&self, register: &Register) -> Result<(), KeysError> {
        let keys = register.keys.iter().map(|key| Record {
            revoked: key.revoked.map(|revoked| revoked.to_string()),
            ..Record::of_key(Action::Restore, key)
        });
        let grants = register.grants.iter().map(|grant| Record::of_grant(Action::RestoreGrant, grant));
        keys.chain(grants).try_for_each(|record| self.append(&record))
    }

    fn append(&self, record: &Record) -> Result<(), KeysError> {
        write(&self.path, record).map_err(|source| KeysError::Audit { path: self.path.clone(), source })
    }

    /// All lines, oldest first; `None` for one that is no record, such as one that a crash cut short.
    pub(crate) fn read(&self) -> Result<Vec<Option<Record>>, KeysError> {
        match std::fs::read(&self.path) {
            Ok(text) => {
                let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
                Ok(lines.map(|line| serde_json::from_slice(line).ok()).collect())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(KeysError::Audit { path: self.path.clone(), source }),
        }
    }
}

fn keys_changed(before: &[Key], after: &[Key]) -> Vec<Record> {
    let find = |key: &Key, keys: &[Key]| keys.iter().find(|known| known.id == key.id).cloned();
    let changed = after.iter().filter_map(|key| match find(key, before) {
        None => Some(Record::of_key(Action::Make, key)),
        Some(old) if old.revoked != key.revoked => Some(Record::of_key(Action::Revoke, key)),
        Some(_) => None,
    });
    let removed = before.iter().filter(|key| find(key, after).is_none());
    changed.chain(removed.map(|key| Record::of_key(Action::Remove, key))).collect()
}

fn grants_changed(before: &[Grant], after: &[Grant]) -> Vec<Record> {
    let given = after.iter().filter(|grant| !before.contains(grant));
    let taken = before.iter().filter(|grant| !after.iter().any(|kept| kept.replaces(grant)));
    let given = given.map(|grant| Record::of_grant(Action::Give, grant));
    given.chain(taken.map(|grant| Record::of_grant(Action::TakeBack, grant))).collect()
}

fn write(path: &Path, record: &Record) -> io::Result<()> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let is_new = !path.exists();
    let mut file = options.create(true).read(true).append(true).open(path)?;
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    // A line that was cut short stays alone on its line.
    if !ends_a_line(&mut file)? {
        line.insert(0, b'\n');
    }
    file.write_all(&line)?;
    file.sync_all()?;
    if is_new { crate::files::sync_folder(path) } else { Ok(()) }
}

fn ends_a_line(file: &mut std::fs::File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn record(key: &str) -> Record {
        Record {
            at: "2026-03-09T12:00:00Z".to_owned(),
            by: "cli:ada".to_owned(),
            action: Action::Make,
            key: Some(key.to_owned()),
            subject: None,
            role: "operator".to_owned(),
            creators: Vec::new(),
            scopes: Vec::new(),
            expires: None,
            revoked: None,
        }
    }

    #[test]
    fn lines_are_added_and_a_torn_one_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let audit = Audit { path: path.clone() };
        assert_eq!(audit.read().unwrap(), []);
        audit.append(&record("a")).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], &whole[..20]].concat()).unwrap();
        audit.append(&record("b")).unwrap();
        assert_eq!(audit.read().unwrap(), [Some(record("a")), None, Some(record("b"))]);
        assert!(std::fs::read(&path).unwrap().starts_with(&whole), "what is there stays as it is");
    }
}
