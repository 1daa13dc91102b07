//! The root of all subscriptions.
//!
//! A subscription is a query that is asked again: each value is computed from the start, for what the caller may see at that
//! moment, within the limits of one answer. So no resolver waits for anything, and when to ask again is the server's business.

use async_graphql::futures_util::stream::{self, Stream};
use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection};
use async_graphql::{Context, ID, Result, Subscription};
use throng_model::{DayRange, Entity, VideoId};
use throng_privacy::GateError;

use crate::access::Access;
use crate::aggregate::{MIN, PUBLIC, aggregate};
use crate::cost::cost;
use crate::counters::Counters;
use crate::error::of_gate;
use crate::flat::Flat;
use crate::measured::gate;
use crate::scope::Scopes;
use crate::settled::open;

pub(crate) struct Subscription;

/// Public numbers that are sent at once, and again when they have changed. Whatever a token may not see answers as if it did
/// not exist.
#[Subscription]
impl Subscription {
    /// Public counters of a video's day that is under way in its creator's `timeZone`: what a query over this one day answers,
    /// looked at every few seconds. The error has the code NOT_FOUND where there is no such video, or the token may not see its
    /// channel's counters.
    #[graphql(
        complexity = "25 + child_complexity",
        directive = cost::apply(25, "1".into()),
        directive = aggregate::apply(PUBLIC, MIN)
    )]
    async fn counters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The platform's own id of the video.")] video: ID,
    ) -> Result<impl Stream<Item = Flat<Counters>>> {
        Ok(stream::iter([of_today(ctx, video.as_str())?]))
    }
}

fn of_today(ctx: &Context<'_>, video: &str) -> Result<Flat<Counters>> {
    let (access, gate) = (Access::known(ctx)?, gate(ctx)?);
    let facts = VideoId::parse(video).ok().and_then(|id| gate.video(&id));
    let facts = facts.filter(|facts| access.sees(&facts.creator, Scopes::COUNTERS));
    let entity = Entity::Video(facts.ok_or_else(|| of_gate(GateError::Unknown))?.id);
    let today = gate.today(&entity).map_err(of_gate)?;
    let answer = gate.counters(&entity, DayRange::day(today), None).map_err(of_gate)?;
    Ok(Flat((&open(ctx, answer)).into()))
}

/// Whether each subscription selects one field and nothing else, as the specification has it (§5.2.4.1). The library looks at
/// neither, and would answer several fields in turn.
pub(crate) fn has_single_roots(document: &ExecutableDocument) -> bool {
    let mut operations = document.operations.iter().map(|(_, operation)| &operation.node);
    operations.all(|operation| match operation.selection_set.node.items.as_slice() {
        _ if operation.ty != OperationType::Subscription => true,
        [root] => matches!(&root.node, Selection::Field(field) if field.node.directives.is_empty()),
        _ => false,
    })
}
