//! Who asks, as the server found out from the token.
//!
//! Whatever a token may not see answers as if it did not exist: the same bytes, and the engine is not asked.

use async_graphql::{Context, Error};
use throng_model::CreatorId;

use crate::error::unauthenticated;

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
    /// The channels that granted it.
    Partner(Vec<CreatorId<'static>>),
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

    /// Whether the channel and its videos may be seen.
    pub(crate) fn sees(&self, creator: &CreatorId<'_>) -> bool {
        match self {
            Self::Anonymous | Self::Ingest => false,
            Self::Operator => true,
            Self::Creator(own) => own == creator,
            Self::Partner(granted) => granted.contains(creator),
        }
    }

    /// Whether hashtags may be seen: they belong to nobody, so any reader may.
    pub(crate) fn sees_hashtags(&self) -> bool {
        !matches!(self, Self::Anonymous | Self::Ingest)
    }
}
