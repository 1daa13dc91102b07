//! The root of all subscriptions.
//!
//! A subscription is a query that is asked again: each value is computed from the start, for what the caller may see at that
//! moment, within the limits of one answer. So no resolver waits for anything, and when to ask again is the server's business.

use async_graphql::futures_util::stream::{self, Stream};
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, OperationType, Selection, SelectionSet,
};
use async_graphql::{Context, ID, Positioned, Result, Subscription};
use throng_model::{DayRange, Entity, VideoId};
use throng_privacy::GateError;

use crate::access::Access;
use crate::aggregate::{MIN, PUBLIC, aggregate};
use crate::cost::cost;
use crate::counters::Counters;
use crate::error::of_gate;
use crate::flat::Flat;
use crate::measured::gate;
use crate::scope::{Fragments, Scopes};
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

/// A subscription that selects something else than one field.
#[derive(Debug)]
pub(crate) struct NoSingleRoot;

/// The document as it is executed, where that is not the document itself: with the one field of each subscription (§5.2.4.1 of the
/// specification) in the place of root fragments. The library looks past those, and would answer several fields in turn.
///
/// What is validated is the document itself, so this may take for granted that fragments exist and fit.
pub(crate) fn with_single_roots(document: &ExecutableDocument) -> Result<Option<ExecutableDocument>, NoSingleRoot> {
    let mut copy = None;
    for (name, operation) in document.operations.iter() {
        if operation.node.ty != OperationType::Subscription {
            continue;
        }
        let (root, is_plain) = single_root(&operation.node.selection_set.node, &document.fragments)?;
        if is_plain {
            continue;
        }
        let operations = &mut copy.get_or_insert_with(|| document.clone()).operations;
        let changed = match (operations, name) {
            (DocumentOperations::Single(operation), _) => Some(operation),
            (DocumentOperations::Multiple(operations), name) => name.and_then(|name| operations.get_mut(name)),
        };
        if let Some(operation) = changed {
            operation.node.selection_set.node.items = vec![root];
        }
    }
    Ok(copy)
}

/// The field that a selection comes to, and whether it is all there is.
fn single_root(selected: &SelectionSet, fragments: &Fragments) -> Result<(Positioned<Selection>, bool), NoSingleRoot> {
    let mut fields = Vec::new();
    collect(selected, fragments, &mut fields)?;
    let mut fields = fields.into_iter();
    let first = fields.next().ok_or(NoSingleRoot)?;
    let mut merged = first.clone();
    for field in fields {
        let same = field.node.response_key().node == first.node.response_key().node
            && field.node.name.node == first.node.name.node
            && field.node.arguments == first.node.arguments;
        if !same {
            return Err(NoSingleRoot);
        }
        merged.node.selection_set.node.items.extend(field.node.selection_set.node.items.iter().cloned());
    }
    let is_plain = matches!(selected.items.as_slice(), [only] if matches!(only.node, Selection::Field(_)));
    Ok((Positioned::new(Selection::Field(merged.clone()), merged.pos), is_plain))
}

/// All fields of a selection and its fragments. Conditions make it depend on the variables what is subscribed to.
fn collect<'a>(
    selected: &'a SelectionSet,
    fragments: &'a Fragments,
    fields: &mut Vec<&'a Positioned<Field>>,
) -> Result<(), NoSingleRoot> {
    for selection in &selected.items {
        if !selection.node.directives().is_empty() {
            return Err(NoSingleRoot);
        }
        match &selection.node {
            Selection::Field(field) => fields.push(field),
            Selection::InlineFragment(fragment) => collect(&fragment.node.selection_set.node, fragments, fields)?,
            Selection::FragmentSpread(spread) => {
                let fragment = fragments.get(&spread.node.fragment_name.node);
                fragment.map_or(Ok(()), |fragment| collect(&fragment.node.selection_set.node, fragments, fields))?;
            }
        }
    }
    Ok(())
}
