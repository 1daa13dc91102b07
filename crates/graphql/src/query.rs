//! The root of all questions.

use async_graphql::{Context, ID, Object, Result};
use throng_model::{CreatorFacts, CreatorId};
use throng_privacy::Gate;

use crate::access::Access;
use crate::aggregate::{INSIGHT, MIN, PUBLIC, aggregate};
use crate::connection::{Connection, connection, cursor, cursor_id};
use crate::cost::{RateLimit, cost};
use crate::creator::Creator;
use crate::flat::Flat;
use crate::hashtag::Hashtag;
use crate::input::{WindowInput, page_cost, page_size};
use crate::measured::gate;
use crate::node::{self, Node};
use crate::overlap::{self, Overlap};
use crate::platform::Platform;
use crate::policy::{PrivacyPolicy, Status};
use crate::scalar::Date;
use crate::scope::{CHANNEL, Scopes};
use crate::settled::unsettled;
use crate::trending::{self, Trend};
use crate::video::Video;
use crate::words::TrendKind;

pub(crate) struct Query;

/// Questions about crowds. Nothing here is keyed by a viewer, and whatever a token may not see answers as if it did not
/// exist.
#[Object]
impl Query {
    /// One channel; null where there is none, or the token may not see all that is asked of it.
    async fn creator(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The platform's own id of the creator.")] id: ID,
    ) -> Result<Option<Flat<Creator>>> {
        Ok(node::creator(ctx, &id)?.map(Flat))
    }

    /// The channels of which the token may see all that is asked, in the order of their ids.
    #[graphql(complexity = "1 + page_cost(first) * child_complexity", directive = cost::apply(1, "first".into()))]
    async fn creators(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size, 1 to 100.")] first: i32,
        #[graphql(desc = "A cursor of the page before.")] after: Option<String>,
    ) -> Result<Connection<Creator>> {
        let access = Access::known(ctx)?;
        let size = page_size(first)?;
        let after = cursor_id(after.as_deref(), CreatorId::parse)?;
        let facts = visible(access, access.needed(ctx, CHANNEL), gate(ctx)?, after.as_ref(), size + 1);
        let nodes = facts.into_iter().map(|facts| (cursor(facts.id.as_str()), Creator(facts)));
        Ok(connection(nodes, size, after.is_some()))
    }

    /// One video; null where there is none, or the token may not see all that is asked of its channel.
    async fn video(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The platform's own id of the video.")] id: ID,
    ) -> Result<Option<Video>> {
        node::video(ctx, &id)
    }

    /// The channel or video of an id; null where there is none, or the token may not see all that is asked of it. An error where the id is that
    /// of a channel and of a video: then ask `creator` or `video`.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The platform's own id.")] id: ID,
    ) -> Result<Option<Node>> {
        node::node(ctx, &id)
    }

    /// One hashtag; null where no video carries it, now or on a sealed day. Any token that reads may see every hashtag.
    async fn hashtag(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The hashtag, with or without `#`; case does not matter.")] name: String,
    ) -> Result<Option<Hashtag>> {
        let access = Access::known(ctx)?;
        let Ok(tag) = throng_model::Hashtag::parse(&name) else { return Ok(None) };
        let exists = access.sees_hashtags() && gate(ctx)?.hashtag_exists(&tag);
        Ok(exists.then(|| Hashtag(tag.into_owned())))
    }

    /// The whole platform; null for any token but an operator's.
    async fn platform(&self, ctx: &Context<'_>) -> Result<Option<Platform>> {
        Ok((*Access::known(ctx)? == Access::Operator).then_some(Platform))
    }

    /// Viewers that two channels have in common, of which the token must see one. Null where they do not both agree, where
    /// there is no such channel, and where the token may see neither.
    #[graphql(
        complexity = "600 + child_complexity",
        directive = cost::apply(600, "1".into()),
        directive = aggregate::apply(INSIGHT, MIN)
    )]
    async fn overlap(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The platform's own ids of the two creators, in any order.")] creators: Vec<ID>,
        #[graphql(desc = "The window.")] window: WindowInput,
    ) -> Result<Option<Overlap>> {
        overlap::ask(ctx, &creators, &window)
    }

    /// What trends at the end of a day: hashtags, sounds or videos whose views on one of the last seven days rose above the mean of
    /// the seven days before it, the highest score first. Made of days that are sealed for every channel alone. Hashtags and sounds
    /// belong to nobody, so any token that reads may see all that trend; of videos it sees those of channels whose counters, and
    /// all else that is asked, it may see.
    #[graphql(
        complexity = "200 + page_cost(first) * child_complexity",
        directive = cost::apply(200, "first".into()),
        directive = aggregate::apply(PUBLIC, MIN)
    )]
    async fn trending(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What.")] kind: TrendKind,
        #[graphql(
            desc = "The day; without it, the last that is sealed for every channel. Other days are errors until they are."
        )]
        date: Option<Date>,
        #[graphql(desc = "How many at most, 1 to 100.")] first: i32,
    ) -> Result<Vec<Trend>> {
        trending::ask(ctx, kind, date, first)
    }

    /// The points that the calling key may still spend, or all callers without one together; null where the server limits
    /// nothing. Needs no token.
    async fn rate_limit(&self, ctx: &Context<'_>) -> Option<RateLimit> {
        // The next request finds another number.
        unsettled(ctx);
        RateLimit::of(ctx)
    }

    /// The privacy policy in force. Needs no token.
    async fn privacy(&self, ctx: &Context<'_>) -> Result<PrivacyPolicy> {
        Ok(PrivacyPolicy::of(gate(ctx)?))
    }

    /// The state of the server, public facts only. Needs no token.
    async fn status(&self, ctx: &Context<'_>) -> Result<Status> {
        Ok(Status::of(gate(ctx)?))
    }
}

/// At most `limit` channels of which the caller may see so much, by id, after one of them.
fn visible(
    access: &Access,
    needs: Scopes,
    gate: &Gate,
    after: Option<&CreatorId<'_>>,
    limit: usize,
) -> Vec<CreatorFacts> {
    let mut granted: Vec<&CreatorId<'_>> = match access {
        Access::Operator => return gate.creators(after, limit),
        Access::Anonymous | Access::Ingest => return Vec::new(),
        Access::Creator(own) => vec![own],
        Access::Partner(granted) => {
            granted.iter().filter(|grant| grant.scopes.contains(needs)).map(|grant| &grant.creator).collect()
        }
    };
    granted.sort();
    granted.dedup();
    let behind = granted.into_iter().filter(|id| after.is_none_or(|after| *id > after));
    behind.filter_map(|id| gate.creator(id)).take(limit).collect()
}
