//! `throng restore DIR`: the way back from a backup.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use crate::backup;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) const RESTORE_HELP: &str = "\
The data directory must be empty or absent. The viewer key and the noise key must be where the configuration says, unless the
backup has them; keys that are there are never replaced. Answers are then the same, to the byte, as when the backup was made.

What happened since is not in it: erase again whom you erased since, and import again what came in since. API keys and grants are those
of the backup too: revoke again what you revoked since (`throng key audit` lists it, and what the restore brought back).

Example:
  throng restore /backups/2026-03-09 --data /srv/throng";

/// Restores a backup into the data directory.
pub(crate) fn restore(from: &Path, config: &Config, output: Output) -> Result<ExitCode, Failure> {
    let taken = backup::restore(from, config).map_err(Failure::Restore)?;
    let data = config.data.display();
    let text = format!("{} events, as of {}, are in {data}, and the store is whole", taken.events, taken.created);
    output.result(
        &text,
        &json!({ "data": data.to_string(), "events": taken.events, "generation": taken.generation, "created": taken.created }),
    )?;
    Ok(ExitCode::SUCCESS)
}
