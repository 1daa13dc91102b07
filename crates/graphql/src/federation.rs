//! What a router of a federated graph asks for, after Apollo Federation 2: the schema as a subgraph's, and channels and
//! videos by their keys.
//!
//! Both fields are answered, but neither is introspected or stands in the committed schema: they are between a router and
//! its subgraphs. The library's own `_entities` fails whole queries for one entity that may not be seen; here it is null.

use std::borrow::Cow;
use std::sync::LazyLock;

use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaType, Registry};
use async_graphql::resolver_utils::{ContainerType, resolve_container};
use async_graphql::{
    Any, Context, ContextSelectionSet, ID, Object, ObjectType, OutputType, Positioned, Result, SDLExportOptions,
    ServerResult, SimpleObject, Union, Value,
};

use crate::creator::Creator;
use crate::error::bad_input;
use crate::execute::plain;
use crate::node;
use crate::query::Query;
use crate::video::Video;

/// Types that other subgraphs may refer to and extend, by `id`.
const ENTITIES: [&str; 2] = ["Creator", "Video"];

/// The schema as a subgraph's, in the schema definition language.
pub fn federation_sdl() -> &'static str {
    // Anybody may ask for it, so it is written once.
    static SDL: LazyLock<String> = LazyLock::new(written);
    &SDL
}

fn written() -> String {
    let options = SDLExportOptions::new().federation().include_specified_by().use_space_ident();
    let mut sdl = plain().sdl_with_options(options);
    for entity in ENTITIES {
        let head = format!("\ntype {entity} implements Node & Measured ");
        sdl = sdl.replace(&head, &format!("{head}@key(fields: \"id\") "));
    }
    // Pages look alike in every graph with connections.
    sdl.replace("\ntype PageInfo ", "\ntype PageInfo @shareable ")
}

/// The root of all questions: those of callers, and those of a router.
pub(crate) struct Root;

impl ContainerType for Root {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        match Query.resolve_field(ctx).await? {
            Some(value) => Ok(Some(value)),
            None => Federation.resolve_field(ctx).await,
        }
    }
}

impl OutputType for Root {
    fn type_name() -> Cow<'static, str> {
        Query::type_name()
    }

    /// The type of [`Query`] with the fields of [`Federation`].
    fn create_type_info(registry: &mut Registry) -> String {
        let router = registry.create_fake_output_type::<Federation>();
        let ty = Query::create_type_info(registry);
        let types = &mut registry.types;
        types.remove(&*Federation::type_name());
        let root = types.get_mut(&*Query::type_name());
        if let (Some(MetaType::Object { fields, .. }), MetaType::Object { fields: more, .. }) = (root, router) {
            fields.extend(more);
        }
        ty
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl ObjectType for Root {}

struct Federation;

#[derive(SimpleObject)]
#[graphql(name = "_Service")]
struct Service {
    sdl: &'static str,
}

#[derive(Union)]
#[graphql(name = "_Entity")]
enum FoundEntity {
    Creator(Creator),
    Video(Video),
}

#[Object(name = "_Federation")]
impl Federation {
    #[graphql(name = "_service", visible = false)]
    async fn service(&self) -> Service {
        Service { sdl: federation_sdl() }
    }

    #[graphql(
        name = "_entities",
        visible = false,
        complexity = "1 + representations.len().saturating_mul(child_complexity)"
    )]
    async fn entities(&self, ctx: &Context<'_>, representations: Vec<Any>) -> Result<Vec<Option<FoundEntity>>> {
        representations.iter().map(|Any(representation)| found(ctx, representation)).collect()
    }
}

fn found(ctx: &Context<'_>, representation: &Value) -> Result<Option<FoundEntity>> {
    let text = |name: &str| match representation {
        Value::Object(fields) => match fields.get(name) {
            Some(Value::String(text)) => Some(text.as_str()),
            _ => None,
        },
        _ => None,
    };
    let id = || text("id").map(ID::from);
    match (text("__typename"), id()) {
        (Some("Creator"), Some(id)) => Ok(node::creator(ctx, &id)?.map(FoundEntity::Creator)),
        (Some("Video"), Some(id)) => Ok(node::video(ctx, &id)?.map(FoundEntity::Video)),
        _ => Err(bad_input("a representation is {__typename, id} of a Creator or a Video")),
    }
}
