//! Who is asking: the holder of an API key, or of a JWT where the configuration takes them.
//!
//! Whatever is wrong with a token, its bearer learns the same: that it is not valid.

use std::sync::Arc;

use throng_model::{CreatorId, Timestamp};

use crate::jwt::{Passport, Verifier};
use crate::keys::{KeyRing, Role};

/// What a valid token says of its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) credential: Credential,
    pub(crate) role: Role,
    pub(crate) creators: Vec<CreatorId<'static>>,
    /// The first instant at which the token no longer works by itself.
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
            Some(jwt) if !token.starts_with("thr_") => jwt.verify(token).map(holder_of),
            _ => self.keys.holder(token),
        }
    }

    /// What a credential that worked before says now.
    pub(crate) fn again(&self, credential: &Credential) -> Result<Holder, Refusal> {
        match (credential, &self.jwt) {
            (Credential::Key(id), _) => self.keys.holder_of(id),
            (Credential::Jwt(passport), Some(jwt)) => {
                jwt.still_holds(passport)?;
                Ok(holder_of(passport.clone()))
            }
            (Credential::Jwt(_), None) => Err(Refusal::Invalid),
        }
    }
}

fn holder_of(passport: Arc<Passport>) -> Holder {
    Holder {
        role: passport.role,
        creators: passport.creator.iter().cloned().collect(),
        until: Some(passport.until),
        credential: Credential::Jwt(passport),
    }
}
