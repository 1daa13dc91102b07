//! Who is asking: the holder of an API key, or of a JWT where the configuration takes them.
//!
//! Whatever is wrong with a token, its bearer learns the same: that it is not valid.

use std::sync::Arc;

use throng_graphql::Access;
use throng_model::Timestamp;

use crate::jwt::{Passport, Verifier};
use crate::keys::{KeyRing, Role};

/// What a valid token says of its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) credential: Credential,
    pub(crate) role: Role,
    /// What it may see now.
    pub(crate) access: Access,
    /// The next instant at which any of this holds no longer by itself.
    pub(crate) until: Option<Timestamp>,
}

/// What a caller has shown, without any secret: enough to find out later whether it still works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// The public id of an API key.
    Key(String),
    Jwt(Arc<Passport>),
}

/// Whom queries, streams and points are counted for. A JWT counts for its subject, so a fresh one brings no fresh bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Caller {
    Key(String),
    Subject(String),
}

impl Credential {
    pub(crate) fn caller(&self) -> Caller {
        match self {
            Self::Key(id) => Caller::Key(id.clone()),
            Self::Jwt(passport) => Caller::Subject(passport.subject.clone()),
        }
    }

    /// What log lines call it. A subject may be a person, so it stays out of them.
    pub(crate) fn name_in_logs(&self) -> &str {
        match self {
            Self::Key(id) => id,
            Self::Jwt(_) => "jwt",
        }
    }
}

/// Why a token opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Unknown, wrong, expired or revoked: all look the same.
    #[error("the token is not valid")]
    Invalid,
    /// The keys cannot be read, so nobody is let in. The log has said why.
    #[error("the keys cannot be read")]
    Unreadable,
}

/// Tells holders of tokens from others.
pub(crate) struct Authenticator {
    keys: KeyRing,
    /// `None` where JWTs are not taken.
    jwt: Option<Verifier>,
}

impl Authenticator {
    pub(crate) fn new(keys: KeyRing, jwt: Option<Verifier>) -> Self {
        Self { keys, jwt }
    }

    /// The holder of a token.
    pub(crate) fn holder(&self, token: &str) -> Result<Holder, Refusal> {
        match &self.jwt {
            Some(jwt) if !token.starts_with("thr_") => self.holder_of(&jwt.verify(token)?),
            _ => self.keys.holder(token),
        }
    }

    /// What a credential that worked before says now.
    pub(crate) fn again(&self, credential: &Credential) -> Result<Holder, Refusal> {
        match (credential, &self.jwt) {
            (Credential::Key(id), _) => self.keys.holder_of(id),
            (Credential::Jwt(passport), Some(jwt)) => {
                jwt.still_holds(passport)?;
                self.holder_of(passport)
            }
            (Credential::Jwt(_), None) => Err(Refusal::Invalid),
        }
    }

    fn holder_of(&self, passport: &Arc<Passport>) -> Result<Holder, Refusal> {
        let credential = Credential::Jwt(passport.clone());
        let (access, changes) = match (passport.role, &passport.creator) {
            (Role::Operator, _) => (Access::Operator, None),
            (Role::Creator, Some(creator)) => (Access::Creator(creator.clone()), None),
            (Role::Partner, _) => self.keys.granted(&credential.caller())?,
            (Role::Creator, None) | (Role::Ingest, _) => (Access::Ingest, None),
        };
        let until = changes.into_iter().chain([passport.until]).min();
        Ok(Holder { credential, role: passport.role, access, until })
    }
}
