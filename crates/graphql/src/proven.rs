//! Which requests of a document need no validation, because the same was found valid before.
//!
//! Walking a document by all rules of the specification takes the library longer than most answers. What the rules say
//! depends on the document, the operation chosen and the variables; of a variable that takes any text, not on its text.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_graphql::parser::types::{BaseType, OperationDefinition, VariableDefinition};
use async_graphql::{Name, Value, Variables};

/// Most requests remembered of a document: pages ask the same few periods of many channels.
const REQUESTS_MAX: usize = 16;
/// Longest remembered request, in bytes.
const REQUEST_BYTES_MAX: usize = 512;

/// All that the rules look at besides the document.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape(String);

impl Shape {
    /// The shape of a request; `None` where it is not worth remembering.
    pub(crate) fn of(operation: &OperationDefinition, name: Option<&str>, variables: &Variables) -> Option<Self> {
        let declared = |name: &Name| operation.variable_definitions.iter().find(|known| known.node.name.node == *name);
        let seen: Vec<(&Name, bool, Option<&Value>)> = variables
            .iter()
            .map(|(name, value)| {
                let is_text = matches!(value, Value::String(_))
                    && declared(name).is_some_and(|variable| takes_any_text(&variable.node));
                (name, is_text, (!is_text).then_some(value))
            })
            .collect();
        let shape = serde_json::to_string(&(name, seen)).ok()?;
        (shape.len() <= REQUEST_BYTES_MAX).then_some(Self(shape))
    }
}

fn takes_any_text(variable: &VariableDefinition) -> bool {
    matches!(&variable.var_type.node.base, BaseType::Named(name) if name == "ID" || name == "String")
}

/// The valid requests of one document with their costs, which depend on no more; bounded, and the first ones stay.
#[derive(Debug, Default)]
pub(crate) struct Proven(Mutex<HashMap<Shape, u32>>);

impl Proven {
    pub(crate) fn cost(&self, shape: &Shape) -> Option<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(shape).copied()
    }

    pub(crate) fn note(&self, shape: Shape, cost: u32) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < REQUESTS_MAX {
            known.insert(shape, cost);
        }
    }
}
