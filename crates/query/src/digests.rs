//! Which days of a channel are answered from digests instead of rows.
//!
//! A digest speaks of one segment's rows, and of the lengths that the segment was written with. So where playback positions
//! are asked for, each video must have had that length on that day. And where only a viewer's earliest views of a day count,
//! the segment must hold all of the day's rows, or the viewer's earliest views may lie elsewhere.

use std::collections::BTreeMap;

use throng_model::{Day, DayRange, Family};
use throng_privacy::Contribution;
use throng_store::{CreatorOrd, Digest, ReadError, Segment, Snapshot};

use crate::frozen::{Frozen, Length};
use crate::plan::Plan;
use crate::scope::Part;

/// The digests of a window that answer for all rows of their segment's day.
#[derive(Default)]
pub(crate) struct Digests<'s> {
    /// By the part's place and the day; `None` where there are rows that a digest does not answer for.
    days: BTreeMap<(usize, Day), Option<(&'s Segment, Digest)>>,
}

impl<'s> Digests<'s> {
    /// The digests for these families. `parts` are all of the entity's.
    pub(crate) fn find(
        snapshot: &Snapshot,
        plan: Plan,
        asked: &Frozen,
        parts: &[(Part<'s>, DayRange)],
        families: &[Family],
        contribution: Contribution,
    ) -> Result<Self, ReadError> {
        let mut found = Self::default();
        let Some(channel) = asked.channel().filter(|_| plan.digests()) else { return Ok(found) };
        for (place, (part, days)) in parts.iter().enumerate() {
            for (day, digest) in part.segment.digests(channel, *days)? {
                found.days.insert((place, day), digest.map(|digest| (part.segment, digest)));
            }
            if families.contains(&Family::Retention) {
                found.leave_changed_lengths(snapshot, place, part, *days, channel)?;
            }
        }
        let overlapping = [Family::TrafficSource, Family::ActiveHours];
        if contribution == Contribution::Bounded && overlapping.iter().any(|family| families.contains(family)) {
            found.leave_shared_days(asked.tail(snapshot).iter().map(|row| row.day));
        }
        Ok(found)
    }

    /// Each digest, with its day.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Day, &'s Segment, &Digest)> {
        self.days
            .iter()
            .filter_map(|(&(_, day), digest)| digest.as_ref().map(|(segment, digest)| (day, *segment, digest)))
    }

    /// Whether any row of a part is to be read.
    pub(crate) fn leave_any(&self, place: usize) -> bool {
        let mut days = self.days.range((place, Day::MIN)..=(place, Day::MAX)).peekable();
        days.peek().is_none() || days.any(|(_, digest)| digest.is_none())
    }

    /// Whether a part's rows of a day are to be read.
    pub(crate) fn leave(&self, place: usize, day: u32) -> bool {
        let digest = Day::from_number(day.into()).ok().and_then(|day| self.days.get(&(place, day)));
        !matches!(digest, Some(Some(_)))
    }

    fn leave_changed_lengths(
        &mut self,
        snapshot: &Snapshot,
        place: usize,
        part: &Part<'s>,
        days: DayRange,
        channel: CreatorOrd,
    ) -> Result<(), ReadError> {
        for span in part.spans.iter() {
            let length = Length::of(snapshot.catalogue(), span.video, Some(channel));
            if matches!(length, Length::Always(duration_ms) if duration_ms == span.duration_ms) {
                continue;
            }
            for rollup in part.segment.span_days(span, days)? {
                if length.on(rollup.day.number().into()) != span.duration_ms {
                    self.days.insert((place, rollup.day), None);
                }
            }
        }
        Ok(())
    }

    /// Days of several parts, or of the tail too.
    fn leave_shared_days(&mut self, of_tail: impl Iterator<Item = Day>) {
        let mut holders: BTreeMap<Day, usize> = of_tail.map(|day| (day, 1)).collect();
        self.days.keys().for_each(|&(_, day)| *holders.entry(day).or_default() += 1);
        for (&(_, day), digest) in &mut self.days {
            if holders.get(&day).is_some_and(|&holders| holders > 1) {
                *digest = None;
            }
        }
    }
}
