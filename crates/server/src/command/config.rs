//! `throng config`: prints the configuration in force.

use std::process::ExitCode;

use crate::config::Effective;
use crate::failure::Failure;
use crate::output::Output;

/// Prints every key with its value and where the value came from.
pub(crate) fn config(effective: &Effective, output: Output) -> Result<ExitCode, Failure> {
    output.result(&effective.to_file(), &effective.to_json())?;
    Ok(ExitCode::SUCCESS)
}
