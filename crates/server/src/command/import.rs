//! `throng import FILE…`: says what was taken, of what, and what was wrong with the rest.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;

use crate::config::Config;
use crate::failure::Failure;
use crate::import::{self, End, Interrupt, Plan};
use crate::output::{Output, note};
use crate::platform;
use crate::receipt::Receipt;

/// Rejected lines that the summary for people shows.
const SHOWN_MAX: usize = 10;
/// What a shell gives a process that SIGINT ended.
const INTERRUPTED: u8 = 130;

pub(crate) const IMPORT_HELP: &str = "\
Files are NDJSON, CSV with a header, or Parquet; plain, or compressed by gzip or zstd; which, is told by their bytes.
Files of the catalogue (videos and creators) are read first. An event that is in the store already is a duplicate and
changes nothing, so an import that was interrupted is simply run again. A bad line never stops the good ones.

Examples:
  throng import videos.ndjson.gz events.ndjson.gz --seal
  throng import 'events-2026-03-*.parquet' --errors rejected.ndjson
  zcat events.ndjson.gz | throng import - --json";

/// What to import, and how.
#[derive(Debug, Args)]
pub(crate) struct ImportOptions {
    /// Files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Afterwards close the whole days that were brought, per creator, so that audience insights cover them
    #[arg(long)]
    seal: bool,
    /// Put history into sealed days instead of the first open one; they get a new generation. Days whose events were dropped for
    /// their age stay closed
    #[arg(long)]
    reopen: bool,
    /// Write every rejected line's error to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,
}

/// Imports. Lines that are rejected are told and are no failure of the command.
pub(crate) fn import(options: ImportOptions, config: &Config, output: Output) -> Result<ExitCode, Failure> {
    let interrupt = Interrupt::listen().map_err(Failure::Signals)?;
    let store = platform::open_to_import(config)?;
    let plan = Plan {
        files: options.files,
        seal: options.seal,
        reopen: options.reopen,
        errors: options.errors,
        progress: output == Output::Text,
    };
    let began = Instant::now();
    let rows_before: u64 = store.snapshot().segments().iter().map(|segment| u64::from(segment.rows())).sum();
    let (receipt, end) = import::import(&store, config, &plan, &interrupt);
    // What is mostly new was all written a moment ago, so writing it once more for little room costs little.
    let freed = if receipt.accepted > rows_before { platform::FREED_AFTER_FILLING } else { platform::FREED };
    if matches!(end, End::Done)
        && let Err(error) = store.trim(freed)
    {
        // All rows are in, and the next import tries again.
        tracing::warn!(error = &error as &dyn std::error::Error, "freed room in the files was not given back");
    }
    let elapsed = began.elapsed();
    // Closing waits for the writer, so that nothing runs any more when the summary is read.
    drop(store);
    output.result(&summary(&receipt, elapsed), &receipt.to_json())?;
    match end {
        End::Done => Ok(ExitCode::SUCCESS),
        End::Failed(failure) => Err(failure),
        End::Interrupted => {
            note(
                "Interrupted. What was taken is durable; run the same command again for the rest: lines that were \
                  taken already count as duplicates and change nothing.",
            );
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

fn summary(receipt: &Receipt, elapsed: Duration) -> String {
    let mut text = String::new();
    let mut line = |name: &str, count: u64| _ = writeln!(text, "{name:<24} {count:>13}");
    line("accepted", receipt.accepted);
    if receipt.catalogue_rows > 0 {
        line("  of them catalogue rows", receipt.catalogue_rows);
    }
    line("duplicates", receipt.duplicates);
    line("late", receipt.late);
    line("rejected", receipt.rejected_count());
    for (code, count) in receipt.codes() {
        _ = writeln!(text, "  {code:<22} {count:>13}");
    }
    if receipt.ignored_fields > 0 {
        _ = writeln!(text, "{} fields have no meaning here and were ignored", receipt.ignored_fields);
    }
    for rejected in receipt.rejected().iter().take(SHOWN_MAX) {
        let file = rejected.file.as_ref().map(|file| format!("{file}, ")).unwrap_or_default();
        _ = writeln!(text, "  {file}line {}: {}", rejected.error.line, rejected.error.message);
    }
    if receipt.rejected_count() > SHOWN_MAX as u64 {
        _ = writeln!(text, "  …; --errors FILE writes them all");
    }
    let rate = receipt.lines() as f64 / elapsed.as_secs_f64().max(0.001);
    _ = writeln!(text, "{} lines in {:.1} s, {rate:.0} a second", receipt.lines(), elapsed.as_secs_f64());
    text
}
