//! Who asks, as the server found out from the token.
//!
//! Whatever a token may not see answers as if it did not exist: the same bytes, and the engine is not asked.

use async_graphql::{Context, Error};
use throng_model::CreatorId;
use throng_privacy::GateError;

use crate::error::{of_gate, unauthenticated};
use crate::scope::{Grant, Scopes, needed};

/// What the caller of one request may see.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Access {
    /// No token: the policy and the status.
    Anonymous,
    /// A token that reads nothing here, such as one for ingest: the policy and the status.
    Ingest,
    /// Everything.
    Operator,
    /// One channel.
    Creator(CreatorId<'static>),
    /// The channels that granted it, each as far as it did, by id and each once: who sees the same shares kept answers.
    Partner(Vec<Grant>),
}

impl Access {
    /// Of this request; anonymous where the server said nothing.
    pub(crate) fn of<'a>(ctx: &'a Context<'_>) -> &'a Self {
        ctx.data_opt().unwrap_or(&Self::Anonymous)
    }

    /// Of this request, refusing callers without a token.
    pub(crate) fn known<'a>(ctx: &'a Context<'_>) -> Result<&'a Self, Error> {
        match Self::of(ctx) {
            Self::Anonymous => Err(unauthenticated()),
            access => Ok(access),
        }
    }

    /// Whether so much of the channel and its videos may be seen.
    pub(crate) fn sees(&self, creator: &CreatorId<'_>, needs: Scopes) -> bool {
        match self {
            Self::Anonymous | Self::Ingest => false,
            Self::Operator => true,
            Self::Creator(own) => own == creator,
            Self::Partner(granted) => {
                granted.iter().any(|grant| grant.creator == *creator && grant.scopes.contains(needs))
            }
        }
    }

    /// What is selected needs, below the field that is being resolved; only a partner's access asks for it.
    pub(crate) fn needed(&self, ctx: &Context<'_>, ty: &str) -> Scopes {
        if matches!(self, Self::Partner(_)) { needed(ctx, ty) } else { Scopes::FACTS }
    }

    /// Refuses what of a channel may not be seen, in the words for what is not there. Whoever finds a channel has looked at what is
    /// selected, so this says nothing new: it is the second lock.
    pub(crate) fn check(ctx: &Context<'_>, creator: &CreatorId<'_>, needs: Scopes) -> Result<(), Error> {
        if Self::of(ctx).sees(creator, needs) { Ok(()) } else { Err(of_gate(GateError::Unknown)) }
    }

    /// Whether hashtags may be seen: they belong to nobody, so any reader may.
    pub(crate) fn sees_hashtags(&self) -> bool {
        !matches!(self, Self::Anonymous | Self::Ingest)
    }
}
