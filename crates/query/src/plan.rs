//! Which of the store's ways a question takes through a segment. Every way gives the same answer.

/// How questions are answered. Anything but [`Plan::Auto`] is for tests and benchmarks: a plan changes the time that an
/// answer takes, never the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Plan {
    /// Public counters of channels from kept sums; for everything else chooses per segment: rows where they are few, rollups
    /// and audiences where they pay.
    #[default]
    Auto,
    /// Sums from day rollups, audiences from rows.
    Rollup,
    /// Audiences from the days' bitmaps, sums from rows.
    Bitmap,
    /// Insights of channels from digests, where they hold; everything else from rows.
    Digest,
    /// Everything from rows.
    Scan,
}

/// Below so many rows per day of the range, reading the rows costs less than opening one rollup and one bitmap a day.
const ROWS_PER_DAY_MIN: u32 = 64;

/// What is taken from a segment's summaries; the rest is scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Sums come from day rollups.
    pub(crate) rollups: bool,
    /// Audiences come from bitmaps, where there are any.
    pub(crate) bitmaps: bool,
}

impl Choice {
    /// Rows only.
    pub(crate) const SCAN: Self = Self { rollups: false, bitmaps: false };
    /// Bitmaps where there are any, otherwise rows.
    pub(crate) const BITMAPS: Self = Self { rollups: false, bitmaps: true };
}

impl Plan {
    /// The choice for a part of a segment with so many rows, over so many days.
    pub(crate) fn choose(self, rows: u32, days: u32) -> Choice {
        match self {
            Self::Auto if rows < days.saturating_mul(ROWS_PER_DAY_MIN) => Choice::SCAN,
            Self::Auto => Choice { rollups: true, bitmaps: true },
            Self::Rollup => Choice { rollups: true, bitmaps: false },
            Self::Bitmap => Choice::BITMAPS,
            Self::Digest | Self::Scan => Choice::SCAN,
        }
    }

    /// Whether public counters of channels come from kept sums.
    pub(crate) fn keeps_sums(self) -> bool {
        self == Self::Auto
    }

    /// Whether digests are used.
    pub(crate) fn digests(self) -> bool {
        matches!(self, Self::Auto | Self::Digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_are_scanned() {
        assert_eq!(Plan::Auto.choose(64 * 28 - 1, 28), Choice::SCAN);
        assert_eq!(Plan::Auto.choose(64 * 28, 28), Choice { rollups: true, bitmaps: true });
        assert_eq!(Plan::Scan.choose(u32::MAX, 1), Choice::SCAN);
    }
}
