//! Results go to standard output: text for people, or one JSON object with `--json`.

use std::io::{self, Write as _};

use crate::failure::Failure;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Text,
    Json,
}

impl Output {
    /// Prints the text or the JSON, whichever was asked for.
    pub(crate) fn result(self, text: &str, json: &serde_json::Value) -> Result<(), Failure> {
        match self {
            Self::Text => print(text),
            Self::Json => print(&json.to_string()),
        }
    }
}

/// Prints lines to standard output. A reader that went away (`throng schema | head`) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let line = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
    match write!(out, "{text}{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        _ => Ok(()),
    }
}

/// Prints a note for people to standard error, where it does not mix with results.
pub(crate) fn note(text: &str) {
    // Nothing is left to tell when standard error is closed.
    _ = writeln!(io::stderr(), "{text}");
}
