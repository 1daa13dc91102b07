//! The judgement of one exact number: the floor (P1).

use roaring::RoaringBitmap;

use crate::{Measure, Policy};

/// Judges single numbers under a policy; whole tables are `suppress`, `sums` and `curve`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judge {
    floor: u64,
}

impl Judge {
    pub(crate) fn new(policy: &Policy) -> Self {
        Self { floor: u64::from(policy.audience_min()) }
    }

    /// Distinct viewers that must stand behind a disclosed number.
    pub(crate) fn floor(self) -> u64 {
        self.floor
    }

    /// P1 for one cell.
    pub(crate) fn passes(self, audience: &RoaringBitmap) -> bool {
        audience.len() >= self.floor
    }

    /// The exact number of viewers in an insight cell, as it leaves the wall: every such number passes here. Noisy ones
    /// pass `noisy::Noisy::judge`.
    pub(crate) fn viewers(self, viewers: u64, shown: bool) -> Measure {
        // The floor is asked once more, so that a wrong decision about a table cannot show a small cell.
        Measure::viewers((shown && viewers >= self.floor).then_some(viewers))
    }
}
