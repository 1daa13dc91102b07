//! What two channels have in common, through the gate.

use throng_model::{ChannelPair, CreatorId, Day, Entity, Family, WindowKind};

use crate::shapes::share;
use crate::{AskedWindow, Gate, GateError, Measure, Released};

/// The viewers that two channels have in common over one window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overlap {
    window: AskedWindow,
    reach: Measure,
}

impl Overlap {
    /// The window, of days of each channel.
    pub fn window(&self) -> AskedWindow {
        self.window
    }

    /// Distinct viewers with a view on each channel.
    pub fn reach(&self) -> Measure {
        self.reach
    }
}

impl Gate {
    /// What two channels have in common over a window of the catalogue; unknown unless both agreed to share it. Windows
    /// that begin before are not applicable.
    pub fn overlap(
        &self,
        pair: &ChannelPair,
        kind: WindowKind,
        date: Option<Day>,
    ) -> Result<Released<Overlap>, GateError> {
        // Also where nothing of the window is sealed.
        self.source.overlap_from(pair).ok_or(GateError::Unknown)?;
        let (window, reach) = self.reach(&Entity::Overlap(pair.clone()), kind, date)?;
        Ok(self.release(Overlap { window, reach }).settled(true))
    }

    /// What part of a channel's reach an overlap of it is, 0 to 1; `None` where either is not disclosed. Of released numbers,
    /// so it says nothing more.
    pub fn share_of(&self, channel: &CreatorId<'static>, overlap: &Overlap) -> Result<Option<f64>, GateError> {
        let date = overlap.window.days().last();
        let (_, all) = self.reach(&Entity::Creator(channel.clone()), overlap.window.kind(), Some(date))?;
        Ok(share(&overlap.reach, &all))
    }

    fn reach(&self, entity: &Entity, kind: WindowKind, date: Option<Day>) -> Result<(AskedWindow, Measure), GateError> {
        let audience = self.audience(entity, kind, date, &[Family::Reach])?.into_inner();
        let table = audience.table(Family::Reach).ok_or(GateError::Unavailable)?;
        Ok((audience.window(), table.total()))
    }
}
