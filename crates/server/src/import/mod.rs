//! `throng import`: files into the store, in bounded memory, on both cores, in the order of their rows.
//!
//! ```text
//! reader ─ bounded queue ─ decoders (any order) ─ turnstile ─ store (in order) ─ receipt, once on disk
//! ```
//!
//! An import that was interrupted is simply run again: events that are in the store already are duplicates and change
//! nothing. There is no note of progress beside the store: it could outlive a restored backup, and skip rows for ever.

mod days;
mod interrupt;
mod pipeline;
mod progress;
mod sink;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use throng_store::Store;

use crate::config::Config;
use crate::failure::Failure;
use crate::ingest::{Content, InputError, Limits, Reader};
use crate::receipt::Receipt;

pub(crate) use interrupt::Interrupt;
use progress::Progress;
use sink::Sink;

/// What to import, and how.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Files; `-` is standard input.
    pub(crate) files: Vec<PathBuf>,
    /// Close the whole days that were brought, after their last row.
    pub(crate) seal: bool,
    /// Put history into sealed days.
    pub(crate) reopen: bool,
    /// Where to write every rejected line's error.
    pub(crate) errors: Option<PathBuf>,
    /// Whether to draw a progress bar.
    pub(crate) progress: bool,
}

/// How an import ended.
#[derive(Debug)]
pub(crate) enum End {
    /// At the end of the last file.
    Done,
    /// By a signal; what was taken is durable.
    Interrupted,
    /// By an error; what was taken before is durable.
    Failed(Failure),
}

/// Reads every file into the store. The receipt counts what was taken, however it ended.
pub(crate) fn import(store: &Store, config: &Config, plan: &Plan, interrupt: &Interrupt) -> (Receipt, End) {
    let mut sink = match Sink::new(store, config, plan) {
        Ok(sink) => sink,
        Err(failure) => return (Receipt::default(), End::Failed(failure)),
    };
    let end = run(&mut sink, store, config, plan, interrupt).unwrap_or_else(End::Failed);
    // What was counted must be on disk before it is told.
    let end = match (sink.finish(), end) {
        (Err(failure), End::Done | End::Interrupted) => End::Failed(failure),
        (_, end) => end,
    };
    (sink.receipt, end)
}

fn run(
    sink: &mut Sink<'_>,
    store: &Store,
    config: &Config,
    plan: &Plan,
    interrupt: &Interrupt,
) -> Result<End, Failure> {
    let limits = Limits { errors_max: usize::MAX, ..config.limits() };
    let mut inputs = plan.files.iter().map(|path| Input::open(path, &limits)).collect::<Result<Vec<_>, _>>()?;
    // Events may name no creator, so what the catalogue says of their videos must be known first.
    inputs.sort_by_key(|input| input.reader.content() != Content::Catalogue);
    let progress = Progress::new(plan.progress, inputs.iter().map(|input| input.reader.bytes()).sum());
    let several = inputs.len() > 1;
    for input in inputs {
        let name = several.then(|| input.path.display().to_string());
        sink.begin(name);
        let path = input.path;
        let end = pipeline::run(input.reader, sink, &limits, interrupt, &progress).map_err(|error| error.of(path))?;
        if matches!(end, pipeline::End::Interrupted) {
            return Ok(End::Interrupted);
        }
    }
    progress.finish();
    sink.settle()?;
    store.checkpoint()?;
    sink.seal()?;
    Ok(End::Done)
}

struct Input {
    path: PathBuf,
    reader: Reader,
}

impl Input {
    fn open(path: &Path, limits: &Limits) -> Result<Self, Failure> {
        let opened =
            if path == Path::new("-") { Reader::stream(io::stdin(), limits) } else { Reader::open(path, limits) };
        let reader = opened.map_err(|source: InputError| Failure::Input { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), reader })
    }
}
