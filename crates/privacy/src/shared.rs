//! What two channels have in common, through the gate.

use throng_model::{ChannelPair, CreatorId, Day, Entity, Family, WindowKind};

use crate::shapes::share;
use crate::{AskedWindow, Gate, GateError, Measure, Released};

/// The viewers that two channels have in common over one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlap {
    window: AskedWindow,
    reach: Measure,
    shares: [Option<f64>; 2],
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

    /// These ÷ the reach of each channel, in the order of the pair; `None` where either is not disclosed.
    pub fn shares(&self) -> [Option<f64>; 2] {
        self.shares
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
        // Of released numbers, so it says nothing more.
        let share = |channel: &CreatorId<'static>| {
            let (_, all) = self.reach(&Entity::Creator(channel.clone()), kind, Some(window.days().last()))?;
            Ok::<_, GateError>(share(&reach, &all))
        };
        let [one, other] = pair.channels();
        let shares = [share(one)?, share(other)?];
        Ok(self.release(Overlap { window, reach, shares }).settled(true))
    }

    fn reach(&self, entity: &Entity, kind: WindowKind, date: Option<Day>) -> Result<(AskedWindow, Measure), GateError> {
        let audience = self.audience(entity, kind, date, &[Family::Reach])?.into_inner();
        let table = audience.table(Family::Reach).ok_or(GateError::Unavailable)?;
        Ok((audience.window(), table.total()))
    }
}
