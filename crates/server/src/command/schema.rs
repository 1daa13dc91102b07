//! `throng schema`: prints the GraphQL schema.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::failure::Failure;
use crate::output::Output;

/// Which schema to print.
#[derive(Debug, Args)]
pub(crate) struct SchemaOptions {
    /// As a subgraph of a federated graph (Apollo Federation 2)
    #[arg(long)]
    federation: bool,
}

/// Prints the schema in the schema definition language.
pub(crate) fn schema(options: &SchemaOptions, output: Output) -> Result<ExitCode, Failure> {
    let sdl = if options.federation { throng_graphql::federation_sdl().to_owned() } else { throng_graphql::sdl() };
    output.result(&sdl, &json!({ "sdl": sdl }))?;
    Ok(ExitCode::SUCCESS)
}
