//! A document as its cost is counted: without conditions on interfaces.
//!
//! The library knows what the fields of objects cost, but counts a field that is selected through an interface as 1, so that
//! `... on Measured { series(…) { … } }` would be cheap. A channel has all fields of all interfaces, at the price that they
//! have in the other types, so for counting such a fragment stands on a channel.

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Selection, SelectionSet, TypeCondition};
use async_graphql::{Name, Positioned};

/// Every interface of the schema.
const INTERFACES: [&str; 2] = ["Measured", "Node"];
/// The type that implements all of them.
const OBJECT: &str = "Creator";

/// The document without conditions on interfaces; `None` where it has none.
pub(crate) fn erased(document: &ExecutableDocument) -> Option<ExecutableDocument> {
    let mut copy = document.clone();
    let mut found = match &mut copy.operations {
        DocumentOperations::Single(operation) => erase(&mut operation.node.selection_set.node),
        DocumentOperations::Multiple(operations) => operations
            .values_mut()
            .fold(false, |found, operation| erase(&mut operation.node.selection_set.node) | found),
    };
    for fragment in copy.fragments.values_mut() {
        found |= replace(&mut fragment.node.type_condition) | erase(&mut fragment.node.selection_set.node);
    }
    found.then_some(copy)
}

/// Whether there was anything to erase.
fn erase(selection: &mut SelectionSet) -> bool {
    let mut found = false;
    for item in &mut selection.items {
        found |= match &mut item.node {
            Selection::Field(field) => erase(&mut field.node.selection_set.node),
            Selection::InlineFragment(fragment) => {
                let fragment = &mut fragment.node;
                fragment.type_condition.as_mut().is_some_and(replace) | erase(&mut fragment.selection_set.node)
            }
            Selection::FragmentSpread(_) => false,
        };
    }
    found
}

fn replace(condition: &mut Positioned<TypeCondition>) -> bool {
    let name = &mut condition.node.on.node;
    let is_interface = INTERFACES.contains(&name.as_str());
    if is_interface {
        *name = Name::new(OBJECT);
    }
    is_interface
}
