//! `throng seal --through DATE`: closes days by hand.

use std::process::ExitCode;

use serde_json::json;
use throng_model::Day;

use crate::config::Config;
use crate::failure::Failure;
use crate::output::Output;
use crate::platform;

/// Closes every creator's days through this one, each in its own zone.
pub(crate) fn seal(through: Day, config: &Config, output: Output) -> Result<ExitCode, Failure> {
    let store = platform::open_existing(config)?;
    store.seal_through(through)?;
    output.result(&format!("sealed through {through}"), &json!({ "sealed_through": through.to_string() }))?;
    Ok(ExitCode::SUCCESS)
}
