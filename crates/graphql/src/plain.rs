//! Answers that are written as JSON where they are resolved.
//!
//! The library makes a tree of every answer: a map, a key and a value in boxes of their own for each of the 168 cells of a heat map.
//! Making it, writing it and taking it down takes longer than counting most channels. So objects whose fields are all at hand are
//! written at once, and stand in the tree as the bytes of their JSON.
//!
//! *Invariant:* nothing is merged with what is written: a request writes only where its document cannot select a field with
//! fields of its own twice in one place (see [`merges`]).

use std::collections::HashMap;
use std::io::{self, Write};

use async_graphql::parser::types::{ExecutableDocument, Field, FragmentDefinition, Selection, SelectionSet};
use async_graphql::resolver_utils::EnumType;
use async_graphql::{Name, OutputType, Positioned, Response, Value};
use serde::Serialize;
use serde_json::ser::Formatter;
use throng_privacy::Disclosure;

use crate::settled::{Counts, Watch};

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// How many fields of an object are at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtHand {
    All,
    Some,
    None,
}

/// An object that can write its fields itself.
pub(crate) trait Plain: OutputType {
    const AT_HAND: AtHand = AtHand::All;

    /// Writes the value of a field; `None` where it is not at hand. Then the library resolves it.
    fn write(&self, field: &Chosen<'_>, pen: &mut Pen) -> Option<()>;
}

/// A field as it is selected.
pub(crate) struct Chosen<'d> {
    pub(crate) name: &'d str,
    /// What is selected of its value; empty for scalars.
    pub(crate) fields: Vec<Chosen<'d>>,
    /// With quotes and the colon.
    key: String,
}

impl<'d> Chosen<'d> {
    /// What a selection of a valid document comes to, on an object: any fragment stands on its type or on one that holds it.
    /// `None` where there are directives or nothing is left.
    pub(crate) fn of(selection: &'d SelectionSet, fragments: &'d Fragments) -> Option<Vec<Self>> {
        let mut fields = Vec::with_capacity(selection.items.len());
        Self::collect(selection, fragments, &mut fields)?;
        (!fields.is_empty()).then_some(fields)
    }

    fn collect(selection: &'d SelectionSet, fragments: &'d Fragments, fields: &mut Vec<Self>) -> Option<()> {
        for item in &selection.items {
            if !item.node.directives().is_empty() {
                return None;
            }
            match &item.node {
                Selection::Field(field) => Self::add(&field.node, fragments, fields)?,
                Selection::InlineFragment(inline) => {
                    Self::collect(&inline.node.selection_set.node, fragments, fields)?;
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &fragments.get(&spread.node.fragment_name.node)?.node;
                    Self::collect(&fragment.selection_set.node, fragments, fields)?;
                }
            }
        }
        Some(())
    }

    /// One field alone.
    pub(crate) fn one(field: &'d Field, fragments: &'d Fragments) -> Option<Self> {
        let mut fields = Vec::with_capacity(1);
        Self::add(field, fragments, &mut fields)?;
        fields.pop()
    }

    fn add(field: &'d Field, fragments: &'d Fragments, fields: &mut Vec<Self>) -> Option<()> {
        let key = format!("\"{}\":", field.response_key().node);
        // The same scalar once more: validation found that both are the same.
        if fields.iter().any(|known| known.key == key) {
            return Some(());
        }
        let selection = &field.selection_set.node;
        let chosen = if selection.items.is_empty() { Vec::new() } else { Self::of(selection, fragments)? };
        fields.push(Self { name: field.name.node.as_str(), fields: chosen, key });
        Some(())
    }
}

/// JSON in the making.
#[derive(Default)]
pub(crate) struct Pen {
    json: Vec<u8>,
    counts: Counts,
}

impl Pen {
    /// Writes something, or nothing at all; what it discloses is noted.
    pub(crate) fn written(watch: &Watch, write: impl FnOnce(&mut Self) -> Option<()>) -> Option<Value> {
        let mut pen = Self::default();
        write(&mut pen)?;
        watch.note(&pen.counts);
        Some(Value::Binary(pen.json.into()))
    }

    pub(crate) fn object<T: Plain>(&mut self, object: &T, fields: &[Chosen<'_>]) -> Option<()> {
        self.json.push(b'{');
        for (place, field) in fields.iter().enumerate() {
            self.comma(place);
            self.json.extend_from_slice(field.key.as_bytes());
            if field.name == "__typename" {
                self.value(&T::type_name())?;
            } else {
                object.write(field, self)?;
            }
        }
        self.json.push(b'}');
        Some(())
    }

    pub(crate) fn object_or_null<T: Plain>(&mut self, object: Option<&T>, fields: &[Chosen<'_>]) -> Option<()> {
        match object {
            Some(object) => self.object(object, fields),
            None => self.value(&()),
        }
    }

    pub(crate) fn list<T: Plain>(&mut self, rows: impl IntoIterator<Item = T>, fields: &[Chosen<'_>]) -> Option<()> {
        self.json.push(b'[');
        for (place, row) in rows.into_iter().enumerate() {
            self.comma(place);
            self.object(&row, fields)?;
        }
        self.json.push(b']');
        Some(())
    }

    /// A number, a text, whether something is so, or null.
    pub(crate) fn value(&mut self, value: &(impl Serialize + ?Sized)) -> Option<()> {
        serde_json::to_writer(&mut self.json, value).ok()
    }

    /// A word of the schema.
    pub(crate) fn word<E: EnumType>(&mut self, word: E) -> Option<()> {
        let item = E::items().iter().find(|item| item.value == word)?;
        self.value(item.name)
    }

    /// Notes that a measure is part of the answer.
    pub(crate) fn note(&mut self, disclosure: Disclosure) {
        self.counts.add(disclosure);
    }

    fn comma(&mut self, place: usize) {
        if place > 0 {
            self.json.push(b',');
        }
    }
}

impl<T: Plain> Plain for &T {
    const AT_HAND: AtHand = T::AT_HAND;

    fn write(&self, field: &Chosen<'_>, pen: &mut Pen) -> Option<()> {
        (*self).write(field, pen)
    }
}

/// A response, or its data, as JSON. No other way of writing one knows what stands in it written.
pub fn to_json(answer: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut json = Vec::with_capacity(512);
    answer.serialize(&mut serde_json::Serializer::with_formatter(&mut json, Spliced))?;
    Ok(json)
}

/// The response with a tree in the place of what was written.
pub(crate) fn unwritten(mut response: Response) -> serde_json::Result<Response> {
    response.data = serde_json::from_slice(&to_json(&response.data)?)?;
    Ok(response)
}

/// As short as can be; bytes, which no field of the schema has, are JSON already.
struct Spliced;

impl Formatter for Spliced {
    fn write_byte_array<W: ?Sized + Write>(&mut self, writer: &mut W, value: &[u8]) -> io::Result<()> {
        writer.write_all(value)
    }
}

/// Whether some place of a document may select a field with fields of its own twice, be it through fragments: the library resolves
/// both, and merges the trees. The document is within the limits, so it expands to few fields.
pub(crate) fn merges(document: &ExecutableDocument) -> bool {
    let mut selections = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    selections.any(|selection| merges_in(selection, &document.fragments))
}

fn merges_in(selection: &SelectionSet, fragments: &Fragments) -> bool {
    let mut keys = HashMap::new();
    is_again(selection, fragments, &mut keys)
}

/// Keys that were met in a place, and whether fields are selected of their values.
type Keys<'d> = HashMap<&'d str, bool>;

fn is_again<'d>(selection: &'d SelectionSet, fragments: &'d Fragments, keys: &mut Keys<'d>) -> bool {
    selection.items.iter().any(|item| match &item.node {
        Selection::Field(field) => {
            let inner = &field.node.selection_set.node;
            let has_fields = !inner.items.is_empty();
            let known = keys.insert(field.node.response_key().node.as_str(), has_fields);
            known.is_some_and(|had_fields| had_fields || has_fields) || merges_in(inner, fragments)
        }
        Selection::InlineFragment(inline) => is_again(&inline.node.selection_set.node, fragments, keys),
        Selection::FragmentSpread(spread) => fragments
            .get(&spread.node.fragment_name.node)
            .is_some_and(|fragment| is_again(&fragment.node.selection_set.node, fragments, keys)),
    })
}
