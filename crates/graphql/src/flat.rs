//! Objects and lists whose fields are at hand, resolved one after the other.
//!
//! The library resolves the fields of an object concurrently: each in a box of its own, in a set of futures that is made for
//! the object. For a dashboard, which is hundreds of small objects whose fields never wait, that costs more than the
//! answers. Selections with fragments, directives or a key that is there twice go the library's way.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::{ContainerType, resolve_container};
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value};

/// An object whose fields never wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flat<T>(pub(crate) T);

impl<T> From<T> for Flat<T> {
    fn from(object: T) -> Self {
        Self(object)
    }
}

impl<T: ContainerType> OutputType for Flat<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        match plain(&ctx.item.node) {
            Some(fields) => Ok(object(ctx, &fields, &self.0).await),
            None => resolve_container(ctx, &self.0).await,
        }
    }
}

/// A list of such objects.
#[derive(Debug, Clone)]
pub(crate) struct Rows<T>(Vec<T>);

impl<T> FromIterator<T> for Rows<T> {
    fn from_iter<I: IntoIterator<Item = T>>(rows: I) -> Self {
        Self(rows.into_iter().collect())
    }
}

impl<T: ContainerType> OutputType for Rows<T> {
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

async fn object<T: ContainerType>(ctx: &ContextSelectionSet<'_>, fields: &[&Positioned<Field>], root: &T) -> Value {
    let mut values = IndexMap::with_capacity(fields.len());
    for field in fields {
        let value = if field.node.name.node == "__typename" {
            Ok(Some(Value::String(root.introspection_type_name().into_owned())))
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
