//! Erasing viewers, and what to tell of it: the answer of `throng erase --json` and of `POST /v1/erase`.

use std::fmt::Write as _;

use serde_json::{Value, json};
use throng_model::{Timestamp, ViewerId, Zone};
use throng_store::{Compacted, Erased, Store, WriteError};

/// What an erasure does not reach; part of each report, since whoever erases must know.
pub(crate) const NOT_REACHED: &str = "backups and copies made before, what was exported, and remnants that the file system or the disk keeps of deleted files";

/// What came of an erasure.
#[derive(Debug)]
pub(crate) struct Report {
    requested: usize,
    erased: Erased,
    compacted: Option<Compacted>,
    /// Erased viewers whose rows are still there.
    waiting: u64,
}

impl Report {
    /// Erases viewers.
    pub(crate) fn erase(store: &Store, viewers: &[ViewerId<'_>]) -> Result<Self, WriteError> {
        let erased = if viewers.is_empty() { Erased::default() } else { store.erase(viewers)? };
        Ok(Self { requested: viewers.len(), erased, compacted: None, waiting: store.pending_erasures() })
    }

    /// Removes the rows of all erased viewers, also of those who were erased before.
    pub(crate) fn compact(&mut self, store: &Store) -> Result<(), WriteError> {
        self.compacted = Some(store.compact(Zone::UTC.day_of(Timestamp::now()))?);
        self.waiting = store.pending_erasures();
        Ok(())
    }

    pub(crate) fn to_json(&self) -> Value {
        let compacted = self.compacted.map(|done| {
            json!({
                "viewers": done.viewers,
                "rows_removed": done.rows,
                "segments_rewritten": done.segments,
                "epoch": done.epoch.map(|epoch| json!({ "number": epoch.number, "day": epoch.day.to_string() })),
            })
        });
        json!({
            "requested": self.requested,
            "erased": self.erased.erased,
            "already_pending": self.erased.pending,
            "unknown": self.erased.unknown,
            "pending": self.waiting,
            "compacted": compacted,
            "not_reached": NOT_REACHED,
        })
    }

    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, count: u64| _ = writeln!(text, "{name:<24} {count:>13}");
        if self.requested > 0 {
            line("viewers requested", self.requested as u64);
            line("  erased", self.erased.erased);
            line("  erased before", self.erased.pending);
            line("  not known", self.erased.unknown);
        }
        if let Some(done) = self.compacted {
            line("viewers compacted", done.viewers);
            line("  rows removed", done.rows);
            line("  segments rewritten", done.segments);
        }
        line("rows still wait for", self.waiting);
        if let Some(epoch) = self.compacted.and_then(|done| done.epoch) {
            let (number, day) = (epoch.number, epoch.day);
            _ = writeln!(text, "Epoch {number}: insights whose days end by {day} carry one more draw of noise.");
        }
        if self.waiting > 0 {
            text.push_str(
                "Ids no longer lead to rows. The rows count until the next compaction: `throng erase --compact`.\n",
            );
        }
        _ = writeln!(text, "Not reached: {NOT_REACHED}.");
        text
    }
}
