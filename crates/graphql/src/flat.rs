//! Objects and lists whose fields are at hand, resolved one after the other.
//!
//! The library resolves the fields of an object concurrently: each in a box of its own, in a set of futures that is made for
//! the object. For a dashboard, which is hundreds of small objects whose fields never wait, that costs more than the
//! answers. Objects that can are written as JSON, see `plain`; the others are resolved one field at a time. Selections with
//! directives, those with fragments of objects that are not written, and keys that are there twice go the library's way.

use std::borrow::Cow;

use async_graphql::futures_util::FutureExt as _;
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::{ContainerType, resolve_container};
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value};

use crate::plain::{AtHand, Chosen, Pen, Plain};
use crate::settled::Watch;

/// An object whose fields never wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flat<T>(pub(crate) T);

impl<T> From<T> for Flat<T> {
    fn from(object: T) -> Self {
        Self(object)
    }
}

impl<T: Plain + ContainerType> OutputType for Flat<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        if T::AT_HAND == AtHand::All
            && let Some(value) = written::<T>(ctx, |fields, pen| pen.object(&self.0, fields))
        {
            return Ok(value);
        }
        match plain(&ctx.item.node) {
            // Boxed: futures of objects in objects in objects would be too large a type for the compiler.
            Some(fields) => Ok(object(ctx, &fields, &self.0).boxed().await),
            None => resolve_container(ctx, &self.0).await,
        }
    }
}

/// A list of such objects.
#[derive(Debug, Clone)]
pub(crate) struct Rows<T>(Vec<T>);

impl<T> Rows<T> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }
}

impl<T> FromIterator<T> for Rows<T> {
    fn from_iter<I: IntoIterator<Item = T>>(rows: I) -> Self {
        Self(rows.into_iter().collect())
    }
}

impl<T: Plain + ContainerType> OutputType for Rows<T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<T>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<T>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        if let Some(value) = written::<T>(ctx, |fields, pen| pen.list(&self.0, fields)) {
            return Ok(value);
        }
        let fields = plain(&ctx.item.node);
        let mut rows = Vec::with_capacity(self.0.len());
        for (index, row) in self.0.iter().enumerate() {
            let ctx = ctx.with_index(index);
            rows.push(match &fields {
                Some(fields) => object(&ctx, fields, row).await,
                None => resolve_container(&ctx, row).await.map_err(|error| ctx.set_error_path(error))?,
            });
        }
        Ok(Value::List(rows))
    }
}

/// What is selected of such objects as JSON, where all of it is at hand.
fn written<T: Plain>(
    ctx: &ContextSelectionSet<'_>,
    write: impl FnOnce(&[Chosen<'_>], &mut Pen) -> Option<()>,
) -> Option<Value> {
    let watch = watch::<T>(ctx)?;
    let fields = Chosen::of(&ctx.item.node, &ctx.query_env.fragments)?;
    Pen::written(watch, |pen| write(&fields, pen))
}

/// Of a request that may write such objects.
fn watch<'a, T: Plain>(ctx: &ContextSelectionSet<'a>) -> Option<&'a Watch> {
    Watch::of(ctx).map(AsRef::as_ref).filter(|watch| T::AT_HAND != AtHand::None && watch.may_write)
}

/// The selected fields, where there is nothing else and no two have the same key.
fn plain(selection: &SelectionSet) -> Option<Vec<&Positioned<Field>>> {
    let mut fields: Vec<&Positioned<Field>> = Vec::with_capacity(selection.items.len());
    for item in &selection.items {
        let Selection::Field(field) = &item.node else { return None };
        let key = &field.node.response_key().node;
        let again = fields.iter().any(|known| known.node.response_key().node == *key);
        if again || !field.node.directives.is_empty() {
            return None;
        }
        fields.push(field);
    }
    Some(fields)
}

async fn object<T: Plain + ContainerType>(
    ctx: &ContextSelectionSet<'_>,
    fields: &[&Positioned<Field>],
    root: &T,
) -> Value {
    let watch = watch::<T>(ctx);
    let written = |field| {
        let chosen = Chosen::one(field, &ctx.query_env.fragments)?;
        Pen::written(watch?, |pen| root.write(&chosen, pen))
    };
    let mut values = IndexMap::with_capacity(fields.len());
    for field in fields {
        let value = if field.node.name.node == "__typename" {
            Ok(Some(Value::String(root.introspection_type_name().into_owned())))
        } else if let Some(value) = written(&field.node) {
            Ok(Some(value))
        } else {
            root.resolve_field(&ctx.with_field(field)).await
        };
        match value {
            Ok(value) => _ = values.insert(field.node.response_key().node.clone(), value.unwrap_or_default()),
            Err(error) => ctx.add_error(error),
        }
    }
    // As the library does where every field failed.
    if values.is_empty() { Value::Null } else { Value::Object(values) }
}
