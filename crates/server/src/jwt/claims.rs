//! What a token claims, and whether that is acceptable at an instant. Its signature, issuer and audience were checked before.

use serde::Deserialize;
use throng_model::{CreatorId, Timestamp};

use super::Flaw;
use crate::keys::Role;

/// Longest subject, in bytes.
const SUBJECT_BYTES_MAX: usize = 128;

/// The claims that are read; others are ignored, and one that comes twice is refused.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Claims {
    pub(super) sub: String,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    role: String,
    /// Instead of the subject, where that is no channel.
    creator: Option<String>,
}

/// What the configuration accepts.
pub(super) struct Rules {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) roles: Vec<Role>,
    pub(super) life_ms_max: u64,
    pub(super) leeway_ms: u64,
}

impl Rules {
    /// The role of a token, its channel where the role has one, and the instant at which it ends.
    pub(super) fn judge(
        &self,
        claims: &Claims,
        now: Timestamp,
    ) -> Result<(Role, Option<CreatorId<'static>>, Timestamp), Flaw> {
        let until = self.times(claims, now)?;
        if !is_subject(&claims.sub) {
            return Err(Flaw::Claims);
        }
        let role = self.roles.iter().copied().find(|role| role.name() == claims.role).ok_or(Flaw::Role)?;
        let creator = match (role, &claims.creator) {
            (Role::Creator, named) => Some(named.as_ref().unwrap_or(&claims.sub)),
            // A channel that would count for nothing is a mistake of whoever signed.
            (_, Some(_)) => return Err(Flaw::Claims),
            (_, None) => None,
        };
        let creator = creator.map(|id| CreatorId::parse(id.clone())).transpose().map_err(|_| Flaw::Claims)?;
        Ok((role, creator, until))
    }

    /// The end of a token that has begun, is not over, and does not live too long.
    fn times(&self, claims: &Claims, now: Timestamp) -> Result<Timestamp, Flaw> {
        let leeway = i64::try_from(self.leeway_ms).unwrap_or(i64::MAX);
        let (issued, ends) = (instant(claims.iat)?, instant(claims.exp)?);
        let begins = claims.nbf.map_or(Ok(issued), instant)?.max(issued);
        let until = ends.saturating_add_millis(leeway);
        if now >= until {
            return Err(Flaw::Expired);
        }
        if now.saturating_add_millis(leeway) < begins {
            return Err(Flaw::Early);
        }
        let life = ends.millis() - issued.millis();
        if u64::try_from(life).is_ok_and(|life| life <= self.life_ms_max) { Ok(until) } else { Err(Flaw::Life) }
    }
}

/// Whether a text can be a subject here.
pub(crate) fn is_subject(text: &str) -> bool {
    (1..=SUBJECT_BYTES_MAX).contains(&text.len()) && !text.contains(char::is_control)
}

/// A `NumericDate`: seconds since 1970, which may have a fraction.
fn instant(seconds: f64) -> Result<Timestamp, Flaw> {
    // Saturates, and what is no number becomes 0: either is out of range then.
    Timestamp::from_millis((seconds * 1_000.0) as i64).map_err(|_| Flaw::Claims)
}
