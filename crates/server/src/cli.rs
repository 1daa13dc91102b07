//! The command line: what can be said, and who does it. Each command's work is in `command`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use throng_model::Day;

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
    /// Play every attack on privacy that is known, and fail where one comes past its bound
    #[command(after_help = command::ATTACK_HELP)]
    Attack(command::AttackOptions),
    /// Copy the store and the list of API keys into an empty directory, and check the copy
    #[command(after_help = command::BACKUP_HELP)]
    Backup(command::BackupOptions),
    /// Print the configuration in force, every key explained; the output is a valid throng.toml
    #[command(after_help = "Examples:\n  throng config > throng.toml\n  THRONG_PRIVACY_AUDIENCE_MIN=100 throng config")]
    Config,
    /// Make a believable platform, serve it, and print the URLs, a token and a query to paste
    #[command(
        after_help = "The data go to ./throng-demo unless --data or THRONG_DATA says otherwise; a demo that is there is taken as it is.\n\nExamples:\n  throng demo\n  throng demo --listen 127.0.0.1:0 --data /tmp/demo"
    )]
    Demo(command::DemoOptions),
    /// Take viewers out of the store: their ids at once, their rows now or with the next compaction
    #[command(after_help = command::ERASE_HELP)]
    Erase(command::EraseOptions),
    /// Read files of events and catalogue rows into the store
    #[command(after_help = command::IMPORT_HELP)]
    Import(command::ImportOptions),
    /// Say what partners may see of which channels; a running server follows at once
    #[command(subcommand)]
    Grant(command::GrantCommand),
    /// Make, list and revoke API keys; a running server follows at once
    #[command(subcommand)]
    Key(command::KeyCommand),
    /// Fill an empty data directory from a backup, and check it
    #[command(after_help = command::RESTORE_HELP)]
    Restore {
        /// A directory that `throng backup` wrote
        #[arg(value_name = "DIR")]
        from: PathBuf,
    },
    /// Print the GraphQL schema
    #[command(after_help = "Example:\n  throng schema > schema.graphql")]
    Schema(command::SchemaOptions),
    /// Close days by hand: every creator's, through this date, each in its own zone
    #[command(
        after_help = "Sealed days never change: events that come later for them count in the first open day.\n\nExample:\n  throng seal --through 2026-03-09"
    )]
    Seal {
        /// The last day to close
        #[arg(long, value_name = "DATE", value_parser = Day::parse)]
        through: Day,
    },
    /// Serve the API, the dashboard, the playground and ingest until a signal comes
    #[command(after_help = "Examples:\n  throng serve\n  throng serve --listen 127.0.0.1:9000 --data /srv/throng")]
    Serve {
        /// Address and port; port 0 takes a free one [default: 127.0.0.1:8080]
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
    },
    /// Read the whole store and check every part of it against the others; fails where it is damaged
    Verify,
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
        Command::Attack(options) => command::attack(&options, &load(None)?, output),
        Command::Backup(options) => command::backup(&options, &load(None)?.config, output),
        Command::Config => command::config(&load(None)?, output),
        Command::Restore { from } => command::restore(&from, &load(None)?.config, output),
        Command::Schema(options) => command::schema(&options, output),
        Command::Seal { through } => command::seal(through, &load(None)?.config, output),
        Command::Serve { listen } => command::serve(&load(listen)?.config, output),
        Command::Demo(options) => command::demo(&options, load(options.listen)?, output),
        Command::Erase(options) => command::erase(&options, &load(None)?.config, output),
        Command::Import(options) => command::import(options, &load(None)?.config, output),
        Command::Verify => command::verify(&load(None)?.config, output),
        Command::Grant(grant) => command::grant(grant, &load(None)?.config, output),
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
