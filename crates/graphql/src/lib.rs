//! The GraphQL schema: the product's face, over released values only.
//!
//! Resolvers get the gate, never an engine: this crate does not know `throng-query` or `throng-store`. No other crate
//! names async-graphql, so what a server needs of it is passed on from here. `schema/schema.graphql` is [`sdl`],
//! committed; a test holds the two together.

mod access;
mod aggregate;
mod audience;
mod breakdown;
mod connection;
mod cost;
mod counters;
mod creator;
mod erased;
mod error;
mod execute;
mod federation;
mod flat;
mod hashtag;
mod input;
mod limits;
mod measured;
mod merged;
mod node;
mod overlap;
mod plain;
mod platform;
mod policy;
mod proven;
mod query;
mod scalar;
mod scope;
mod settled;
mod subscription;
mod tables;
mod trending;
mod video;
mod words;

pub use access::Access;
pub use async_graphql::{Pos, Request, Response, ServerError, Value, Variables};
pub use cost::Budget;
pub use error::code;
pub use execute::{
    Answer, Document, OperationKind, Priced, Schema, execute, execute_at_once, execute_document, execute_priced,
    schema, sdl,
};
pub use federation::federation_sdl;
pub use limits::Limits;
pub use plain::to_json;
pub use scope::{Grant, Scopes};
pub use throng_privacy::Standing;
