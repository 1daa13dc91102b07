//! The keys of a running server: read again whenever the file changes, so that a revoked key stops working at once.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use throng_model::{CreatorId, Timestamp};

use super::{Key, KeysError, Role, State, Token, load};

/// Who is asking: what a valid key says of its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The key's public id.
    pub(crate) key_id: String,
    pub(crate) role: Role,
    pub(crate) creators: Vec<CreatorId<'static>>,
}

impl Holder {
    fn of(key: &Key) -> Self {
        Self { key_id: key.id.clone(), role: key.role, creators: key.creators.clone() }
    }
}

/// Why a token opens nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// Unknown, wrong, expired or revoked: all look the same.
    #[error("the token is not valid")]
    Invalid,
    /// The keys cannot be read, so nobody is let in.
    #[error("the keys cannot be read")]
    Unreadable(#[source] Arc<KeysError>),
}

/// The keys of one file, kept in memory while the file stays the same.
pub(crate) struct KeyRing {
    path: PathBuf,
    read: RwLock<Option<Read>>,
}

struct Read {
    stamp: Stamp,
    keys: Result<Arc<[Key]>, Arc<KeysError>>,
}

/// Changes whenever the file is replaced, since each replacement is a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
    file: u64,
}

impl KeyRing {
    /// The keys of a file, which must be readable now.
    pub(crate) fn open(path: PathBuf) -> Result<Self, KeysError> {
        load(&path)?;
        Ok(Self { path, read: RwLock::new(None) })
    }

    /// Whether there is any key that works now.
    pub(crate) fn is_empty(&self) -> bool {
        let now = Timestamp::now();
        self.keys().is_ok_and(|keys| !keys.iter().any(|key| key.state(now) == State::Active))
    }

    /// The holder of a token.
    pub(crate) fn holder(&self, token: &str) -> Result<Holder, Refusal> {
        let keys = self.keys().map_err(Refusal::Unreadable)?;
        let token = Token::parse(token).ok_or(Refusal::Invalid)?;
        let key = keys.iter().find(|key| key.id == token.id());
        // An unknown id costs the same comparison as a known one.
        let kept = key.map_or(token.hash().inverted(), |key| key.hash);
        let matches = token.hash().matches(kept);
        key.filter(|key| matches && key.state(Timestamp::now()) == State::Active)
            .map(Holder::of)
            .ok_or(Refusal::Invalid)
    }

    /// What the key of a caller, who showed its secret before, says now.
    pub(crate) fn holder_of(&self, key_id: &str) -> Result<Holder, Refusal> {
        let keys = self.keys().map_err(Refusal::Unreadable)?;
        let key = keys.iter().find(|key| key.id == key_id && key.state(Timestamp::now()) == State::Active);
        key.map(Holder::of).ok_or(Refusal::Invalid)
    }

    fn keys(&self) -> Result<Arc<[Key]>, Arc<KeysError>> {
        // Taken before reading: a change while reading shows in the next stamp.
        let stamp = self.stamp().map_err(Arc::new)?;
        {
            let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(read) = read.as_ref().filter(|read| read.stamp == stamp) {
                return read.keys.clone();
            }
        }
        let keys = load(&self.path).map(Arc::from).map_err(Arc::new);
        if let Err(error) = &keys {
            tracing::error!(%error, "nobody is let in");
        }
        *self.read.write().unwrap_or_else(PoisonError::into_inner) = Some(Read { stamp, keys: keys.clone() });
        keys
    }

    fn stamp(&self) -> Result<Stamp, KeysError> {
        match fs::metadata(&self.path) {
            Ok(metadata) => {
                #[cfg(unix)]
                let file = std::os::unix::fs::MetadataExt::ino(&metadata);
                #[cfg(not(unix))]
                let file = 0;
                Ok(Stamp { modified: metadata.modified().ok(), bytes: metadata.len(), file })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Stamp { modified: None, bytes: 0, file: 0 }),
            Err(source) => Err(KeysError::Io { path: self.path.clone(), source }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::super::change;
    use super::*;

    fn add(path: &std::path::Path, edit: impl FnOnce(&mut Key)) -> Token {
        let token = Token::mint().unwrap();
        let mut key = Key {
            id: token.id().to_owned(),
            role: Role::Creator,
            creators: vec![CreatorId::parse("c1").unwrap()],
            name: None,
            created: Timestamp::now(),
            expires: None,
            revoked: None,
            hash: token.hash(),
        };
        edit(&mut key);
        let push = |keys: &mut Vec<Key>| {
            keys.push(key);
            Ok(())
        };
        change(path, push).unwrap();
        token
    }

    /// The audit log lies beside the folder of the keys.
    fn in_data(folder: &tempfile::TempDir) -> PathBuf {
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        data.join("keys.json")
    }

    fn invalid(answer: &Result<Holder, Refusal>) -> bool {
        matches!(answer, Err(Refusal::Invalid))
    }

    #[test]
    fn a_key_works_from_creation_to_revocation_without_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = in_data(&folder);
        let ring = KeyRing::open(path.clone()).unwrap();
        assert!(ring.is_empty());
        let token = add(&path, |_| {});
        let holder = ring.holder(&token.reveal()).unwrap();
        assert_eq!((holder.role, holder.key_id.as_str()), (Role::Creator, token.id()));
        assert_eq!(ring.holder_of(token.id()).unwrap(), holder);
        let revoke = |keys: &mut Vec<Key>| {
            keys.iter_mut().for_each(|key| key.revoked = Some(Timestamp::now()));
            Ok(())
        };
        change(&path, revoke).unwrap();
        assert!(invalid(&ring.holder(&token.reveal())));
        assert!(invalid(&ring.holder_of(token.id())));
        assert!(ring.is_empty());
    }

    #[test]
    fn wrong_expired_and_unknown_tokens_are_refused_alike() {
        let folder = tempfile::tempdir().unwrap();
        let path = in_data(&folder);
        let good = add(&path, |_| {});
        let expired = add(&path, |key| key.expires = Some(Timestamp::MIN));
        let ring = KeyRing::open(path).unwrap();
        let other = Token::mint().unwrap();
        let secret_of_other = other.reveal().split('_').nth(2).unwrap().to_owned();
        let crossed = format!("thr_{}_{secret_of_other}", good.id());
        for token in [expired.reveal(), other.reveal(), crossed, String::new()] {
            assert!(invalid(&ring.holder(&token)));
        }
        assert!(invalid(&ring.holder_of(expired.id())) && invalid(&ring.holder_of(other.id())));
        assert!(ring.holder(&good.reveal()).is_ok());
    }

    #[test]
    fn a_file_that_gets_damaged_lets_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = in_data(&folder);
        let token = add(&path, |_| {});
        let ring = KeyRing::open(path.clone()).unwrap();
        assert!(ring.holder(&token.reveal()).is_ok());
        fs::write(&path, "{}").unwrap();
        assert!(matches!(ring.holder(&token.reveal()), Err(Refusal::Unreadable(_))));
        assert!(KeyRing::open(path).is_err());
    }
}
