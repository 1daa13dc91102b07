//! The command line: what can be said, and who does it. Each command's work is in `command`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::command;
use crate::config::{Effective, Overrides};
use crate::failure::{Error, Failure};
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  throng demo                                   a made-up platform, served, with a query to paste
  throng import videos.ndjson.gz events.ndjson.gz --seal
  throng key create --role operator
  throng serve

Exit codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted.";

/// Audience analytics for short-video creators: see the crowd, never the viewer.
#[derive(Debug, Parser)]
#[command(name = "throng", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Common {
    /// Data directory [default: ./throng-data] [env: THRONG_DATA]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Configuration file [default: throng.toml, if it exists]
    #[arg(long, global = true, value_name = "FILE", env = "THRONG_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
    /// Print the result as one JSON object
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the configuration in force, every key explained; the output is a valid throng.toml
    #[command(after_help = "Examples:\n  throng config > throng.toml\n  THRONG_PRIVACY_AUDIENCE_MIN=100 throng config")]
    Config,
    /// Make, list and revoke API keys; a running server follows at once
    #[command(subcommand)]
    Key(command::KeyCommand),
}

/// Runs the program: reads the command line, does what it says, and answers with the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<ExitCode, Error> {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for and go to standard output; the rest is misuse.
            _ = error.print();
            return Ok(if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS });
        }
    };
    dispatch(cli).map_err(Error::from)
}

fn dispatch(cli: Cli) -> Result<ExitCode, Failure> {
    let Common { data, config: file, json } = cli.common;
    let output = if json { Output::Json } else { Output::Text };
    let load = |listen: Option<SocketAddr>| {
        Effective::load(&Overrides { data: data.clone(), file: file.clone(), listen }).map_err(Failure::from)
    };
    match cli.command {
        Command::Config => command::config(&load(None)?, output),
        Command::Key(key) => command::key(key, &load(None)?.config, output),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_is_explained() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments().filter(|argument| !argument.is_global_set()) {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
