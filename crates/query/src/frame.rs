//! A channel's day as insights see it: what its viewers were and did, by viewer.
//!
//! A day is read from one segment's digest, or gathered from rows, wherever they lie. Either way the frame says the same:
//!
//! - *traits* are those of the viewer's last view of the day, the one with the largest (time, place, person);
//! - *position* is the furthest one, by the lengths that the day's videos had;
//! - *sources* and *hours* are those of all views, or where contributions are bounded those of the earliest.

use std::sync::{Arc, OnceLock};

use throng_model::{HourOfWeek, Stage};
use throng_privacy::{Contribution, Masks, StageBits, Viewers};
use throng_store::DamageError;

use crate::clock::Clock;

const HOURS: u8 = 24;

/// What is wanted of frames, besides who viewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Wants {
    pub(crate) traits: bool,
    pub(crate) positions: bool,
    /// Where contributions are bounded, or not.
    pub(crate) sources: Option<Contribution>,
    pub(crate) hours: Option<Contribution>,
    pub(crate) stages: bool,
}

impl Wants {
    /// Whether views must be read one by one.
    pub(crate) fn views(self) -> bool {
        self.sources.is_some() || self.hours.is_some()
    }
}

/// One day. Parts are filled in when they are first asked for, and never change.
#[derive(Default)]
pub(crate) struct Frame {
    viewers: OnceLock<Arc<Viewers>>,
    traits: OnceLock<Traits>,
    /// 1 plus the furthest position in percent; 0 for none.
    positions: OnceLock<Arc<[u8]>>,
    /// A bit per source, in the order of its code.
    sources: [OnceLock<Arc<Masks>>; 2],
    hours: [OnceLock<Vec<Weekday>>; 2],
    /// Everyone with any event, and [`StageBits`].
    stages: OnceLock<(Arc<Viewers>, Arc<[u8]>)>,
}

/// Of the last view of the day, per viewer.
pub(crate) struct Traits {
    /// In ms since 1970-01-01.
    pub(crate) last_ms: Box<[i64]>,
    /// The earliest and the latest of them.
    pub(crate) span_ms: (i64, i64),
    /// Country (8 bits) and region (16 bits).
    pub(crate) places: Arc<[u32]>,
    /// Age, gender, device and follower status, 4 bits each.
    pub(crate) persons: Arc<[u32]>,
}

/// Viewers with views on one weekday. That is one weekday for nearly all views of a day; late ones may be of others.
pub(crate) struct Weekday {
    pub(crate) weekday: u8,
    pub(crate) viewers: Arc<Viewers>,
    /// A bit per hour of the day.
    pub(crate) masks: Arc<Masks>,
}

/// One view: of which viewer, by place among the day's, when and from where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) place: usize,
    pub(crate) ts: i64,
    pub(crate) source: u8,
}

impl Frame {
    /// Whether all that is wanted is filled in.
    pub(crate) fn has(&self, wants: Wants) -> bool {
        self.viewers.get().is_some()
            && (!wants.traits || self.traits.get().is_some())
            && (!wants.positions || self.positions.get().is_some())
            && wants.sources.is_none_or(|bound| of(&self.sources, bound).get().is_some())
            && wants.hours.is_none_or(|bound| of(&self.hours, bound).get().is_some())
            && (!wants.stages || self.stages.get().is_some())
    }

    /// Everyone with a view.
    pub(crate) fn viewers(&self) -> Arc<Viewers> {
        self.viewers.get().map_or_else(nobody, Arc::clone)
    }

    pub(crate) fn traits(&self) -> Option<&Traits> {
        self.traits.get()
    }

    pub(crate) fn positions(&self) -> Arc<[u8]> {
        self.positions.get().cloned().unwrap_or_default()
    }

    /// Which sources each viewer came from; `None` where nobody viewed.
    pub(crate) fn sources(&self, bound: Contribution) -> Option<Arc<Masks>> {
        of(&self.sources, bound).get().cloned()
    }

    pub(crate) fn hours(&self, bound: Contribution) -> &[Weekday] {
        of(&self.hours, bound).get().map_or(&[], Vec::as_slice)
    }

    pub(crate) fn stages(&self) -> (Arc<Viewers>, Arc<[u8]>) {
        self.stages.get().cloned().unwrap_or_else(|| (nobody(), Arc::default()))
    }

    /// Fills in who viewed: ordinals that ascend.
    pub(crate) fn put_viewers(&self, ordinals: impl IntoIterator<Item = u32>) -> Result<Arc<Viewers>, DamageError> {
        if let Some(viewers) = self.viewers.get() {
            return Ok(viewers.clone());
        }
        let viewers = list(ordinals)?;
        Ok(self.viewers.get_or_init(|| viewers).clone())
    }

    /// Fills in the traits: times, places and persons in the order of the viewers.
    pub(crate) fn put_traits(&self, last_ms: Vec<i64>, places: Vec<u32>, persons: Vec<u32>) {
        let span_ms =
            (last_ms.iter().copied().min().unwrap_or(i64::MAX), last_ms.iter().copied().max().unwrap_or(i64::MIN));
        let traits = Traits { last_ms: last_ms.into(), span_ms, places: places.into(), persons: persons.into() };
        self.traits.get_or_init(|| traits);
    }

    pub(crate) fn put_positions(&self, positions: Vec<u8>) {
        self.positions.get_or_init(|| positions.into());
    }

    /// Fills in the sources from the day's views: by viewer, then by time, then by source.
    pub(crate) fn put_sources(&self, viewers: &Viewers, views: &[Seen], bound: Contribution) {
        let sources_max = match bound {
            Contribution::Whole => u32::MAX,
            Contribution::Bounded => Contribution::SOURCES_PER_DAY_MAX as u32,
        };
        let mut masks = vec![0_u32; viewers.len()];
        for view in views {
            if let Some(mask) = masks.get_mut(view.place).filter(|mask| mask.count_ones() < sources_max) {
                *mask |= source_bit(view.source);
            }
        }
        of(&self.sources, bound).get_or_init(|| Arc::new(Masks::new(viewers, &masks)));
    }

    /// Fills in the hours, likewise.
    pub(crate) fn put_hours(
        &self,
        viewers: &Arc<Viewers>,
        views: &[Seen],
        bound: Contribution,
        clock: &mut Clock,
    ) -> Result<(), DamageError> {
        let hours_max = match bound {
            Contribution::Whole => u32::MAX,
            Contribution::Bounded => Contribution::HOURS_PER_DAY_MAX as u32,
        };
        let mut masks = vec![[0_u32; 7]; viewers.len()];
        for view in views {
            let hour = clock.hour_of_week(view.ts);
            let Some(week) = masks.get_mut(view.place) else { continue };
            if week.iter().map(|mask| mask.count_ones()).sum::<u32>() < hours_max
                && let Some(mask) = week.get_mut(usize::from(hour / HOURS))
            {
                *mask |= 1 << (hour % HOURS);
            }
        }
        let weekdays = (0..7).filter_map(|weekday| one_weekday(weekday, viewers, &masks).transpose());
        let weekdays = weekdays.collect::<Result<Vec<_>, _>>()?;
        of(&self.hours, bound).get_or_init(|| weekdays);
        Ok(())
    }

    /// Fills in who had any event, ordinals that ascend, with what they did.
    pub(crate) fn put_stages(&self, acts: &[(u32, u8)]) -> Result<(), DamageError> {
        let everyone = list(acts.iter().map(|act| act.0))?;
        let marks: Arc<[u8]> = acts.iter().map(|act| act.1).collect();
        self.stages.get_or_init(|| (everyone, marks));
        Ok(())
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        let list = |viewers: &Arc<Viewers>| viewers.bytes();
        let weekday = |day: &Weekday| list(&day.viewers) + day.masks.bytes() + size_of::<Weekday>();
        size_of::<Self>()
            + self.viewers.get().map_or(0, list)
            + self.traits.get().map_or(0, |traits| traits.last_ms.len() * 16)
            + self.positions.get().map_or(0, |marks| marks.len())
            + self.sources.iter().filter_map(OnceLock::get).map(|masks| masks.bytes()).sum::<usize>()
            + self.hours.iter().filter_map(OnceLock::get).flatten().map(weekday).sum::<usize>()
            + self.stages.get().map_or(0, |(viewers, marks)| list(viewers) + marks.len())
    }
}

/// A list without anybody.
pub(crate) fn nobody() -> Arc<Viewers> {
    Arc::new(Viewers::default())
}

/// The bits of a stage in a frame.
pub(crate) fn stage_bits(stage: Stage) -> u8 {
    match stage {
        Stage::Saw => 0,
        Stage::Viewed => StageBits::VIEWED,
        Stage::Engaged => StageBits::ENGAGED,
        Stage::Followed => StageBits::FOLLOWED,
    }
}

/// The hours of a weekday, in the order of their bits.
pub(crate) fn hours_of(weekday: u8) -> impl Iterator<Item = HourOfWeek> {
    HourOfWeek::all().skip(usize::from(weekday * HOURS)).take(usize::from(HOURS))
}

fn source_bit(code: u8) -> u32 {
    code.checked_sub(1).and_then(|bit| 1_u32.checked_shl(bit.into())).unwrap_or(0)
}

fn of<T>(both: &[T; 2], bound: Contribution) -> &T {
    let [whole, bounded] = both;
    match bound {
        Contribution::Whole => whole,
        Contribution::Bounded => bounded,
    }
}

fn one_weekday(weekday: usize, viewers: &Arc<Viewers>, masks: &[[u32; 7]]) -> Result<Option<Weekday>, DamageError> {
    let mask_of = |week: &[u32; 7]| week.get(weekday).copied().unwrap_or(0);
    let some = masks.iter().filter(|week| mask_of(week) != 0).count();
    if some == 0 {
        return Ok(None);
    }
    let list = if some == viewers.len() {
        viewers.clone()
    } else {
        let present = viewers.iter().zip(masks).filter(|(_, week)| mask_of(week) != 0);
        list(present.map(|(viewer, _)| viewer))?
    };
    let masks: Vec<u32> = masks.iter().map(mask_of).filter(|&mask| mask != 0).collect();
    let masks = Arc::new(Masks::new(&list, &masks));
    Ok(Some(Weekday { weekday: weekday as u8, viewers: list, masks }))
}

fn list(ordinals: impl IntoIterator<Item = u32>) -> Result<Arc<Viewers>, DamageError> {
    let list = Viewers::from_ascending(ordinals).ok_or(DamageError::Malformed("viewers of a day out of order"))?;
    Ok(Arc::new(list))
}
