//! `throng schema`: prints the GraphQL schema.

use std::process::ExitCode;

use serde_json::json;

use crate::failure::Failure;
use crate::output::Output;

/// Prints the schema in the schema definition language.
pub(crate) fn schema(output: Output) -> Result<ExitCode, Failure> {
    let sdl = throng_graphql::sdl();
    output.result(&sdl, &json!({ "sdl": sdl }))?;
    Ok(ExitCode::SUCCESS)
}
