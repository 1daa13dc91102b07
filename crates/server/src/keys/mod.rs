//! API keys: made once, shown once, kept as hashes, revocable, effective at once on a running server; and what channels granted to
//! partners, whether they hold keys or JWTs.
//!
//! A key is `thr_<id>_<secret>`. The id is public and names the key in lists and logs; the secret is 256 random bits, of
//! which only a hash is kept, so that a stolen `keys.json` opens nothing. What a role may see is decided in `access`.

mod audit;
mod file;
mod grant;
mod ring;
mod token;

use throng_model::{CreatorId, Timestamp};

pub(crate) use audit::{Audit, Record};
pub(crate) use file::{FILE, KeysError, Register, change, load};
pub(crate) use grant::{Grant, Scope};
pub(crate) use ring::KeyRing;
pub(crate) use token::{SecretHash, Token};

/// What the holder of a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Runs the platform: sees every channel's released numbers, and may send events.
    Operator,
    /// Sends events and catalogue rows; sees nothing.
    Ingest,
    /// Owns one channel, and sees it.
    Creator,
    /// Sees the channels that granted it access.
    Partner,
}

impl Role {
    /// The name in files and answers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Ingest => "ingest",
            Self::Creator => "creator",
            Self::Partner => "partner",
        }
    }

    /// Whether keys of this role may send events and catalogue rows.
    pub(crate) fn may_ingest(self) -> bool {
        matches!(self, Self::Operator | Self::Ingest)
    }
}

/// One key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// Public name of the key: 12 hexadecimal digits.
    pub(crate) id: String,
    pub(crate) role: Role,
    /// Channels it may see whatever is granted; empty for `Operator` and `Ingest`.
    pub(crate) creators: Vec<CreatorId<'static>>,
    /// What the operator calls it.
    pub(crate) name: Option<String>,
    pub(crate) created: Timestamp,
    /// The first instant at which it no longer works.
    pub(crate) expires: Option<Timestamp>,
    /// Since when it no longer works.
    pub(crate) revoked: Option<Timestamp>,
    pub(crate) hash: SecretHash,
}

/// Where a key stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Active,
    Expired,
    Revoked,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl Key {
    /// Its state at an instant.
    pub(crate) fn state(&self, now: Timestamp) -> State {
        if self.revoked.is_some() {
            State::Revoked
        } else if self.expires.is_some_and(|expires| expires <= now) {
            State::Expired
        } else {
            State::Active
        }
    }
}
