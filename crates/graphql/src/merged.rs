//! A document with each field of a selection once.
//!
//! Pages are put together from parts that each select what they need, so a channel's audience of one window is often selected
//! several times. The library would resolve it as often and merge the answers; here the selections are merged (§5.3.2 and §6.4.3 of
//! the specification), so that the gate is asked once. Fields that fragments or conditions select stay where they are.

use async_graphql::Positioned;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Field, Selection, SelectionSet};

/// The document with equal fields of a selection as one; `None` where there are none.
pub(crate) fn merged(document: &ExecutableDocument) -> Option<ExecutableDocument> {
    let mut copy = document.clone();
    let mut found = match &mut copy.operations {
        DocumentOperations::Single(operation) => merge(&mut operation.node.selection_set.node),
        DocumentOperations::Multiple(operations) => operations
            .values_mut()
            .fold(false, |found, operation| merge(&mut operation.node.selection_set.node) | found),
    };
    for fragment in copy.fragments.values_mut() {
        found |= merge(&mut fragment.node.selection_set.node);
    }
    found.then_some(copy)
}

/// Whether there was anything to merge.
fn merge(selection: &mut SelectionSet) -> bool {
    let mut items = Vec::with_capacity(selection.items.len());
    // Fields on both sides of a fragment or a condition stay apart: what these select comes between them.
    let (mut found, mut run) = (false, 0);
    for mut item in std::mem::take(&mut selection.items) {
        let first = items.iter_mut().skip(run).find_map(|known| twin(known, &item.node));
        match (first, &mut item.node) {
            (Some(first), Selection::Field(field)) => {
                first.selection_set.node.items.append(&mut field.node.selection_set.node.items);
                found = true;
            }
            (_, node) => {
                let is_sure = matches!(node, Selection::Field(_)) && node.directives().is_empty();
                items.push(item);
                run = if is_sure { run } else { items.len() };
            }
        }
    }
    for item in &mut items {
        found |= match &mut item.node {
            Selection::Field(field) => merge(&mut field.node.selection_set.node),
            Selection::InlineFragment(fragment) => merge(&mut fragment.node.selection_set.node),
            Selection::FragmentSpread(_) => false,
        };
    }
    selection.items = items;
    found
}

/// The field of an earlier item, if a later one is the same but for what is selected in it.
fn twin<'a>(known: &'a mut Positioned<Selection>, later: &Selection) -> Option<&'a mut Field> {
    let (Selection::Field(known), Selection::Field(later)) = (&mut known.node, later) else { return None };
    let (known, later) = (&mut known.node, &later.node);
    let is_same = known.response_key().node == later.response_key().node
        && known.name.node == later.name.node
        && known.arguments == later.arguments
        && later.directives.is_empty();
    is_same.then_some(known)
}
