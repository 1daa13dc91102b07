//! The keys of a running server: read again whenever the file changes, so that a revoked key stops working at once.

use std::path::PathBuf;
use std::sync::Arc;

use throng_graphql::Access;
use throng_model::Timestamp;

use super::grant::granted;
use super::{Key, KeysError, Register, Role, State, Token, load};
use crate::authn::{Caller, Credential, Holder, Refusal};
use crate::watched::Watched;

/// The keys of one file.
pub(crate) struct KeyRing {
    file: Watched<Register, KeysError>,
}

/// What a key lets its holder see at an instant.
fn holder_of(key: &Key, register: &Register, now: Timestamp) -> Holder {
    let (access, changes) = match key.role {
        Role::Operator => (Access::Operator, None),
        Role::Ingest => (Access::Ingest, None),
        Role::Creator => (key.creators.first().cloned().map_or(Access::Ingest, Access::Creator), None),
        Role::Partner => {
            let (seen, changes) = granted(&Caller::Key(key.id.clone()), &key.creators, &register.grants, now);
            (Access::Partner(seen), changes)
        }
    };
    let until = key.expires.into_iter().chain(changes).min();
    Holder { credential: Credential::Key(key.id.clone()), role: key.role, access, until }
}

impl KeyRing {
    /// The keys of a file, which must be readable now.
    pub(crate) fn open(path: PathBuf) -> Result<Self, KeysError> {
        Ok(Self { file: Watched::open(path, load, "nobody is let in")? })
    }

    /// Whether there is any key that works now.
    pub(crate) fn is_empty(&self) -> bool {
        let now = Timestamp::now();
        self.register().is_ok_and(|register| !register.keys.iter().any(|key| key.state(now) == State::Active))
    }

    /// The holder of a token.
    pub(crate) fn holder(&self, token: &str) -> Result<Holder, Refusal> {
        let (register, now) = (self.register()?, Timestamp::now());
        let token = Token::parse(token).ok_or(Refusal::Invalid)?;
        let key = register.keys.iter().find(|key| key.id == token.id());
        // An unknown id costs the same comparison as a known one.
        let kept = key.map_or(token.hash().inverted(), |key| key.hash);
        let matches = token.hash().matches(kept);
        key.filter(|key| matches && key.state(now) == State::Active)
            .map(|key| holder_of(key, &register, now))
            .ok_or(Refusal::Invalid)
    }

    /// What the key of a caller, who showed its secret before, says now.
    pub(crate) fn holder_of(&self, key_id: &str) -> Result<Holder, Refusal> {
        let (register, now) = (self.register()?, Timestamp::now());
        let key = register.keys.iter().find(|key| key.id == key_id && key.state(now) == State::Active);
        key.map(|key| holder_of(key, &register, now)).ok_or(Refusal::Invalid)
    }

    /// What a partner who holds no key may see now, and the next instant at which that is less.
    pub(crate) fn granted(&self, to: &Caller) -> Result<(Access, Option<Timestamp>), Refusal> {
        let (seen, changes) = granted(to, &[], &self.register()?.grants, Timestamp::now());
        Ok((Access::Partner(seen), changes))
    }

    fn register(&self) -> Result<Arc<Register>, Refusal> {
        self.file.get().map_err(|_| Refusal::Unreadable)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::fs;

    use throng_model::CreatorId;

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
        let push = |register: &mut Register| {
            register.keys.push(key);
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
        assert_eq!((holder.role, &holder.credential), (Role::Creator, &Credential::Key(token.id().to_owned())));
        assert_eq!(ring.holder_of(token.id()).unwrap(), holder);
        let revoke = |register: &mut Register| {
            register.keys.iter_mut().for_each(|key| key.revoked = Some(Timestamp::now()));
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
        assert!(matches!(ring.holder(&token.reveal()), Err(Refusal::Unreadable)));
        assert!(KeyRing::open(path).is_err());
    }
}
