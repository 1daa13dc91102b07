//! Released tables as CSV: which ones there are, the GraphQL document that asks for each, and how its answer becomes rows.
//!
//! There is no second way to the gate: an export is a GraphQL question that this module writes, asked by the caller's own
//! token, and a file made of nothing but its answer. HTTP is the business of `http/export.rs`.

mod ask;
mod audience;
mod params;
mod public;
mod sheet;
#[cfg(test)]
mod tests;

pub(crate) use ask::{Ask, Subject};
pub(crate) use params::{ParamError, Params};

/// A table that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    /// Public counters by step.
    Counters,
    /// A channel's best videos.
    TopVideos,
    /// One family of audience insights.
    Audience,
    /// What trends.
    Trending,
}

impl Table {
    /// What the parameters ask for, or which of them is wrong.
    pub(crate) fn ask(self, params: Params) -> Result<Ask, ParamError> {
        match self {
            Self::Counters => public::counters(params),
            Self::TopVideos => public::top_videos(params),
            Self::Audience => audience::audience(params),
            Self::Trending => public::trending(params),
        }
    }
}
