//! `throng erase`: takes viewers out of the store.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::config::Config;
use crate::erasure::Report;
use crate::failure::Failure;
use crate::output::Output;
use crate::platform;
use crate::viewers::Viewers;

pub(crate) const ERASE_HELP: &str = "\
Erasing cuts the link from a viewer's id to the rows at once, for good. The rows themselves go with the next compaction:
now with --compact, otherwise when `throng serve` does it (store.erasure_every_days). A compaction copies the whole store,
so as much disk again must be free. Insights over days that may have held such rows get one more draw of noise.

The store of a running server is in use: send the same to its POST /v1/erase, with an operator's key.
Other people of this machine can see a command line while it runs; a file or standard input tells them nothing.

Examples:
  throng erase --file leavers.txt
  throng erase --file - --compact < leavers.txt
  throng erase --compact

Exit codes: 0 done, also where some viewers are not known; 1 nothing was erased, or rows could not be removed.";

/// Whom to erase.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct EraseOptions {
    /// Viewers, by the ids that their events carry
    #[arg(value_name = "VIEWER")]
    viewers: Vec<String>,
    /// A file with one id a line; `-` is standard input. Nothing is erased unless all are valid
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Remove the rows of all erased viewers now
    #[arg(long)]
    compact: bool,
}

/// Erases, and says what came of it.
pub(crate) fn erase(options: &EraseOptions, config: &Config, output: Output) -> Result<ExitCode, Failure> {
    let mut viewers = Viewers::default();
    for (number, viewer) in (1..).zip(&options.viewers) {
        viewers.push(viewer, || format!("viewer {number} of the command line"));
    }
    if let Some(path) = &options.file {
        viewers.push_lines(&read(path)?, &path.display().to_string());
    }
    let viewers = viewers.all()?;
    let store = platform::open_existing(config)?;
    let mut report = Report::erase(&store, &viewers)?;
    let compacted = if options.compact { report.compact(&store) } else { Ok(()) };
    // Also where the rows are still there: the viewers are erased all the same.
    output.result(&report.to_text(), &report.to_json())?;
    compacted.map_err(Failure::Compact)?;
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = match path.to_str() {
        Some("-") => std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes),
        _ => std::fs::read(path),
    };
    read.map_err(|source| Failure::File { act: "read", path: path.to_owned(), source })
}
