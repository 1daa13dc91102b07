//! Every bound on input in one place, and the rules that follow from them at a given moment.

use throng_model::Timestamp;

/// Rows in one batch of an import, at most.
pub(crate) const BATCH_ROWS_MAX: usize = 65_536;
/// Bytes after which a batch of an import is closed. It can be longer by one chunk that was read.
pub(crate) const BATCH_BYTES_MAX: usize = 16 << 20;

/// What input may be, as the operator configures it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bytes of one NDJSON line or CSV record, without its line end. Longer ones are skipped and reported.
    pub(crate) line_bytes_max: usize,
    /// Bytes of one HTTP body as it comes over the wire.
    pub(crate) body_bytes_max: usize,
    /// Bytes of one HTTP body after decompression.
    pub(crate) decompressed_bytes_max: usize,
    /// Rejected rows that one answer (or batch) lists in full; the others are counted.
    pub(crate) errors_max: usize,
    /// How far ahead of this clock an event may lie.
    pub(crate) future_skew_ms: i64,
    /// Events before this instant are refused.
    pub(crate) ts_min: Timestamp,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_bytes_max: 64 << 10,
            body_bytes_max: 16 << 20,
            decompressed_bytes_max: 64 << 20,
            errors_max: 10_000,
            future_skew_ms: 10 * 60 * 1_000,
            ts_min: Timestamp::MIN,
        }
    }
}

impl Limits {
    /// The rules for rows that are decoded at `now`.
    pub(crate) fn rules(&self, now: Timestamp) -> Rules {
        Rules {
            line_bytes_max: self.line_bytes_max,
            errors_max: self.errors_max,
            ts_min: self.ts_min,
            ts_max: now.saturating_add_millis(self.future_skew_ms.max(0)),
        }
    }
}

/// What a row must keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(super) line_bytes_max: usize,
    pub(super) errors_max: usize,
    pub(super) ts_min: Timestamp,
    pub(super) ts_max: Timestamp,
}
