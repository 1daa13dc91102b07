//! `throng backup DIR`: a checked copy of the data directory.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::backup::back_up;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::platform;

pub(crate) const BACKUP_HELP: &str = "\
The copy holds the store, the hashes of the API keys, and the grants. It holds neither the viewer key nor the noise key, so by itself it
links nobody to an id, and the true numbers behind noisy answers stay hidden from whoever finds it. Nor can it be used without
them: keep both key files somewhere else, or take them along with --with-keys.

Whom you erase later is still in this copy: delete old copies, or erase again after restoring one.
The store of a running server is in use: stop the server first, or snapshot the file system instead.

Examples:
  throng backup /backups/2026-03-09
  throng backup /vault/2026-03-09 --with-keys";

/// Where to, and what of.
#[derive(Debug, Args)]
pub(crate) struct BackupOptions {
    /// A directory that is empty or does not exist
    #[arg(value_name = "DIR")]
    to: PathBuf,
    /// Copy the viewer key and the noise key too, into DIR/keys
    #[arg(long)]
    with_keys: bool,
}

/// Makes a backup.
pub(crate) fn backup(options: &BackupOptions, config: &Config, output: Output) -> Result<ExitCode, Failure> {
    let store = platform::open_existing(config)?;
    let made = back_up(&store, config, &options.to, options.with_keys).map_err(Failure::Backup)?;
    let dir = options.to.display();
    let text = format!("{} events are copied to {dir}, and the copy is whole", made.events);
    output.result(
        &text,
        &json!({ "backup": dir.to_string(), "events": made.events, "generation": made.generation, "with_keys": made.with_keys }),
    )?;
    if output == Output::Text && !made.with_keys {
        let (viewer, noise) = (config.viewer_key_file(), config.noise_key_file());
        note(&format!("Not in it: {} and {}. Keep them, somewhere else.", viewer.display(), noise.display()));
    }
    Ok(ExitCode::SUCCESS)
}
