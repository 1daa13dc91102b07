//! JSON Web Tokens (RFC 7519) for browsers: signed by the platform's own service, verified here against configured keys.
//!
//! A key is good for one algorithm, which is fixed where the key is read and never by the token, so neither `none` nor a public
//! key as a shared secret opens anything. Tokens are short-lived and name this server; nothing that a token says is fetched.

mod claims;
mod crypto;
mod key_set;

use std::sync::Arc;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation, decode, decode_header};
use quick_cache::sync::Cache;
use throng_model::{CreatorId, Timestamp};

use crate::authn::Refusal;
use crate::config;
use crate::keys::Role;
use crate::watched::Watched;
use claims::{Claims, Rules};
use key_set::{KeyPrint, KeySet};

pub(crate) use claims::is_subject;
pub(crate) use key_set::KeyFileError;

/// Verified tokens that are remembered: a page sends the same one with each request.
const REMEMBERED_MAX: usize = 4_096;
/// Media types of a token that says its own; one for something else is refused (RFC 8725 §3.11).
const TYPES: [&str; 2] = ["JWT", "at+jwt"];

/// Why JWTs cannot be taken as configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum JwtError {
    /// Two files of keys.
    #[error(
        "only one of jwt.hs256_file, jwt.eddsa_file and jwt.jwks_file can be given: a JWKS file holds keys of both kinds"
    )]
    TwoFiles,
    /// Keys without what tokens must say.
    #[error("jwt.issuer and jwt.audience must be given: a token for another service would be taken otherwise")]
    NoAudience,
    /// The keys were not read.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
}

/// What a verified token says, without its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passport {
    pub(crate) subject: String,
    pub(crate) role: Role,
    /// The channel of the role `creator`.
    pub(crate) creator: Option<CreatorId<'static>>,
    /// The first instant at which it no longer works, leeway included.
    pub(crate) until: Timestamp,
    /// The key that it was signed with.
    key: KeyPrint,
}

/// Why a token was refused: for the log, at debug level. The words hold nothing of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Flaw {
    #[error("it is too long")]
    Length,
    #[error("it is no JWT")]
    Form,
    #[error("its header has critical extensions, or another type")]
    Header,
    #[error("no key has its kid")]
    Key,
    #[error("its algorithm is not that of the key")]
    Algorithm,
    #[error("its signature is wrong")]
    Signature,
    #[error("a claim that it must have is missing or malformed")]
    Claims,
    #[error("it is from another issuer")]
    Issuer,
    #[error("it is for another audience")]
    Audience,
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet")]
    Early,
    #[error("it lives longer than jwt.life_ms_max")]
    Life,
    #[error("its role is not in jwt.roles, or is none")]
    Role,
}

/// Verifies tokens by the keys of one file.
pub(crate) struct Verifier {
    keys: Watched<KeySet, KeyFileError>,
    rules: Rules,
    bytes_max: usize,
    /// By the hash of the token. What is found is looked at again as if it had just been verified.
    remembered: Cache<[u8; 32], Arc<Passport>>,
}

impl Verifier {
    /// By the configuration; `None` where it names no keys.
    pub(crate) fn open(config: &config::Jwt) -> Result<Option<Self>, JwtError> {
        let files = [
            config.hs256_file.as_ref().zip(Some(key_set::hs256 as fn(&_) -> _)),
            config.eddsa_file.as_ref().zip(Some(key_set::eddsa as fn(&_) -> _)),
            config.jwks_file.as_ref().zip(Some(key_set::jwks as fn(&_) -> _)),
        ];
        let mut files = files.into_iter().flatten();
        let Some((path, load)) = files.next() else { return Ok(None) };
        if files.next().is_some() {
            return Err(JwtError::TwoFiles);
        }
        let names = config.issuer.clone().zip(config.audience.clone());
        let (issuer, audience) = names.ok_or(JwtError::NoAudience)?;
        crypto::install();
        let rules = Rules {
            issuer,
            audience,
            roles: config.roles.clone(),
            life_ms_max: config.life_ms_max,
            leeway_ms: config.leeway_ms,
        };
        let keys = Watched::open(path.clone(), load, "no JWT is let in")?;
        let remembered = Cache::new(REMEMBERED_MAX);
        Ok(Some(Self { keys, rules, bytes_max: config.token_bytes_max, remembered }))
    }

    /// What a token says, if all of it holds now.
    pub(crate) fn verify(&self, token: &str) -> Result<Arc<Passport>, Refusal> {
        // Before anything is computed over it.
        if token.len() > self.bytes_max {
            return refused(Flaw::Length);
        }
        let keys = self.keys.get().map_err(|_| Refusal::Unreadable)?;
        let (hash, now) = (*blake3::hash(token.as_bytes()).as_bytes(), Timestamp::now());
        if let Some(known) = self.remembered.get(&hash).filter(|known| holds(known, &keys, now)) {
            return Ok(known);
        }
        match self.read(token, &keys, now) {
            Ok(passport) => {
                let passport = Arc::new(passport);
                self.remembered.insert(hash, passport.clone());
                Ok(passport)
            }
            Err(flaw) => refused(flaw),
        }
    }

    /// Whether a token that was verified before would be now.
    pub(crate) fn still_holds(&self, passport: &Passport) -> Result<(), Refusal> {
        let keys = self.keys.get().map_err(|_| Refusal::Unreadable)?;
        if holds(passport, &keys, Timestamp::now()) { Ok(()) } else { Err(Refusal::Invalid) }
    }

    fn read(&self, token: &str, keys: &KeySet, now: Timestamp) -> Result<Passport, Flaw> {
        let header = decode_header(token).map_err(|_| Flaw::Form)?;
        if !is_understood(&header) {
            return Err(Flaw::Header);
        }
        let key = keys.find(header.kid.as_deref()).ok_or(Flaw::Key)?;
        let mut validation = Validation::new(key.algorithm);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&self.rules.issuer]);
        validation.set_audience(&[&self.rules.audience]);
        // Times are compared in `claims`, to the millisecond and together with the longest life.
        validation.validate_exp = false;
        let claims = decode::<Claims>(token, &key.key, &validation).map_err(|error| flaw_of(error.kind()))?.claims;
        let (role, creator, until) = self.rules.judge(&claims, now)?;
        Ok(Passport { subject: claims.sub, role, creator, until, key: key.print })
    }
}

fn holds(passport: &Passport, keys: &KeySet, now: Timestamp) -> bool {
    now < passport.until && keys.has(passport.key)
}

fn refused<T>(flaw: Flaw) -> Result<T, Refusal> {
    tracing::debug!(reason = %flaw, "a JWT was refused");
    Err(Refusal::Invalid)
}

/// RFC 7515 §4.1.11: what is critical must be understood, and nothing of the kind is here.
fn is_understood(header: &Header) -> bool {
    let is_type = |typ: &String| TYPES.iter().any(|known| known.eq_ignore_ascii_case(typ));
    header.crit.is_none() && header.typ.as_ref().is_none_or(is_type)
}

/// The library's errors can quote the token, so they are told by our own words.
fn flaw_of(kind: &ErrorKind) -> Flaw {
    match kind {
        ErrorKind::InvalidSignature => Flaw::Signature,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidKeyFormat => Flaw::Algorithm,
        ErrorKind::InvalidIssuer => Flaw::Issuer,
        ErrorKind::InvalidAudience => Flaw::Audience,
        ErrorKind::Json(_) | ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => Flaw::Claims,
        _ => Flaw::Form,
    }
}

#[cfg(test)]
mod tests;
