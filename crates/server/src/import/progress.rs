//! A progress bar on a terminal, and nothing elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far an import is.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar over all bytes of all files; 0 where the length is not known.
    pub(super) fn new(shown: bool, bytes: u64) -> Self {
        let length = (bytes > 0).then_some(bytes);
        // The target hides itself where standard error is no terminal.
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(length, target);
        let template = "{bar:30} {bytes} of {total_bytes}, {msg}, {elapsed} gone, {eta} to go";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Tells what has been read and taken since.
    pub(super) fn advance(&self, bytes: u64, rows: u64) {
        self.bar.inc(bytes);
        self.bar.set_message(format!("{rows} rows"));
    }

    /// Clears the bar.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}
