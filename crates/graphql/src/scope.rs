//! What of a channel was granted, and what a question would need.
//!
//! A question that selects anything beyond what was granted is answered as if the channel did not exist: not there in lists, null
//! by its id, and the engine is not asked. So what is selected is looked at before the channel is looked up.

use std::collections::HashMap;
use std::ops::BitOr;

use async_graphql::parser::types::{FragmentDefinition, Selection, SelectionSet};
use async_graphql::{Context, Name, Positioned};
use throng_model::CreatorId;

/// A set of scopes. Without any there are public facts: ids, handles, titles, and which videos there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// Public facts alone.
    pub const FACTS: Self = Self(0);
    /// Public counters, their series, and the best videos by one.
    pub const COUNTERS: Self = Self(1);
    /// Audience insights.
    pub const INSIGHTS: Self = Self(2);
    /// All there is.
    pub const ALL: Self = Self(3);

    /// Whether all of the others are among these.
    pub fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

impl BitOr for Scopes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A channel that may be seen, and how much of it and of its videos.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    /// The channel.
    pub creator: CreatorId<'static>,
    /// How much of it.
    pub scopes: Scopes,
}

/// The types that fields with scopes stand on, directly or below.
pub(crate) const CHANNEL: &str = "Creator";
pub(crate) const VIDEO: &str = "Video";

/// Fragments by their names.
pub(crate) type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// What is selected below the field that is being resolved needs, where that is of this type. Skipped fields are gone already.
pub(crate) fn needed(ctx: &Context<'_>, ty: &str) -> Scopes {
    let selected = &ctx.item.node.selection_set.node;
    below(selected, Some(ty), &ctx.query_env.fragments)
}

/// `ty` is that of the selection, as long as that is known; below its fields every condition is taken to hold. The limits on
/// documents bound what fragments expand to.
fn below(selected: &SelectionSet, ty: Option<&str>, fragments: &Fragments) -> Scopes {
    let conditional = |condition: Option<&str>, selected| match (condition, ty) {
        (Some(VIDEO), Some(CHANNEL)) | (Some(CHANNEL), Some(VIDEO)) => Scopes::FACTS,
        _ => below(selected, ty, fragments),
    };
    let needs = selected.items.iter().map(|selection| match &selection.node {
        Selection::Field(field) => {
            own(field.node.name.node.as_str()) | below(&field.node.selection_set.node, None, fragments)
        }
        Selection::InlineFragment(fragment) => {
            let condition = fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
            conditional(condition, &fragment.node.selection_set.node)
        }
        Selection::FragmentSpread(spread) => {
            fragments.get(&spread.node.fragment_name.node).map_or(Scopes::FACTS, |fragment| {
                let condition = fragment.node.type_condition.node.on.node.as_str();
                conditional(Some(condition), &fragment.node.selection_set.node)
            })
        }
    });
    needs.fold(Scopes::FACTS, BitOr::bitor)
}

/// What a field of a channel or a video needs itself; no other type below them has fields of these names.
fn own(field: &str) -> Scopes {
    match field {
        "counters" | "series" | "topVideos" => Scopes::COUNTERS,
        "audience" | "audiences" => Scopes::INSIGHTS,
        _ => Scopes::FACTS,
    }
}
