//! Insights of a channel, from the frames of its days: what each family counts of them. The counting itself is the wall's.

use std::sync::Arc;

use throng_model::{Cell, Day, DayRange, Family, Source};
use throng_privacy::{BitGroup, Coded, Contribution, Marked, RawAudience, Viewers};
use throng_store::{CreatorOrd, ReadError, Snapshot};

use crate::frame::{Frame, Traits, Wants, hours_of, nobody};
use crate::frames::Frames;
use crate::novelty::FORGOTTEN_DAYS;
use crate::traits::{self, Of, codes};

/// One table per family, in the same order.
pub(crate) fn tables(
    snapshot: &Snapshot,
    frames: &Frames,
    channel: CreatorOrd,
    window: DayRange,
    families: &[Family],
    bound: Contribution,
) -> Result<Vec<RawAudience>, ReadError> {
    let has = |family| families.contains(&family);
    let wants = Wants {
        traits: families.iter().any(|&family| traits::is_trait(family)),
        positions: has(Family::Retention),
        sources: has(Family::TrafficSource).then_some(bound),
        hours: has(Family::ActiveHours).then_some(bound),
        stages: has(Family::Funnel),
    };
    let days = frames.of(snapshot, channel, window, wants)?;
    let latest = if wants.traits { Latest::of(&days) } else { Latest::default() };
    let table = |&family: &Family| {
        Ok(match family {
            Family::Reach => RawAudience::reach(days.iter().map(|(_, frame)| frame.viewers()).collect()),
            Family::Novelty => novelty(snapshot, frames, channel, window, &days)?,
            Family::TrafficSource => sources(&days, bound),
            Family::ActiveHours => hours(&days, bound),
            Family::Retention => RawAudience::furthest(marked(&days, |frame| (frame.viewers(), frame.positions()))),
            Family::Funnel => RawAudience::stages(marked(&days, Frame::stages)),
            Family::FollowerStatus
            | Family::Country
            | Family::Region
            | Family::Age
            | Family::Gender
            | Family::AgeGender
            | Family::Device => latest.table(&days, family),
        })
    };
    families.iter().map(table).collect()
}

type Days = [(Day, Arc<Frame>)];

fn marked(days: &Days, of: impl Fn(&Frame) -> (Arc<Viewers>, Arc<[u8]>)) -> Vec<Marked> {
    let list = |(viewers, marks)| Marked { viewers, marks };
    days.iter().map(|(_, frame)| list(of(frame))).collect()
}

fn sources(days: &Days, bound: Contribution) -> RawAudience {
    let cells = Source::ALL.iter().copied().map(Cell::Source).collect();
    let lists = days.iter().filter_map(|(_, frame)| Some((frame.viewers(), frame.sources(bound)?))).collect();
    RawAudience::bits(vec![BitGroup { cells, lists }])
}

fn hours(days: &Days, bound: Contribution) -> RawAudience {
    let of_weekday = |weekday: u8| {
        let lists = days.iter().flat_map(|(_, frame)| frame.hours(bound)).filter(|day| day.weekday == weekday);
        BitGroup {
            cells: hours_of(weekday).map(Cell::Hour).collect(),
            lists: lists.map(|day| (day.viewers.clone(), day.masks.clone())).collect(),
        }
    };
    RawAudience::bits((0..7).map(of_weekday).collect())
}

/// A viewer's first view in the window lies on a day. It is new if it had no view on the 365 days before that one.
fn novelty(
    snapshot: &Snapshot,
    frames: &Frames,
    channel: CreatorOrd,
    window: DayRange,
    days: &Days,
) -> Result<RawAudience, ReadError> {
    let first = window.first();
    // Days before the calendar's first one hold nothing.
    let start = first.saturating_add(-i64::from(FORGOTTEN_DAYS));
    let before = match DayRange::new(start, first.previous()) {
        Ok(before) if start < first => frames.of(snapshot, channel, before, Wants::default())?,
        _ => Vec::new(),
    };
    let count = usize::from(window.last().number() - start.number()) + 1;
    let mut lists = vec![nobody(); count];
    for (day, frame) in before.iter().chain(days) {
        if let Some(list) = lists.get_mut(usize::from(day.number() - start.number())) {
            *list = frame.viewers();
        }
    }
    Ok(RawAudience::novelty(lists, window.days() as usize, FORGOTTEN_DAYS as usize))
}

/// Viewers whose last view is not in the newest of their days: an event that comes late counts in a later day than its own.
#[derive(Default)]
struct Latest {
    viewers: Arc<Viewers>,
    places: Arc<[u32]>,
    persons: Arc<[u32]>,
}

impl Latest {
    /// Looks for them among days that ascend.
    fn of(days: &Days) -> Self {
        let mut candidates: Vec<u32> = Vec::new();
        let mut latest = i64::MIN;
        for (frame, traits) in with_traits(days) {
            let (earliest_here, latest_here) = traits.span_ms;
            // A view after all of the days before is later than whatever its viewer did on them.
            if earliest_here <= latest {
                let viewers = frame.viewers();
                let late = viewers.iter().zip(&traits.last_ms).filter(|&(_, &ms)| ms <= latest);
                candidates.extend(late.map(|(viewer, _)| viewer));
            }
            latest = latest.max(latest_here);
        }
        candidates.sort_unstable();
        candidates.dedup();
        let last = |&viewer: &u32| {
            let of_day = |(frame, traits): (&Frame, &Traits)| {
                let place = frame.viewers().place_of(viewer)?;
                Some((*traits.last_ms.get(place)?, *traits.places.get(place)?, *traits.persons.get(place)?))
            };
            with_traits(days).filter_map(of_day).max()
        };
        let lasts: Vec<(u32, u32)> =
            candidates.iter().map(|viewer| last(viewer).map_or((0, 0), |(_, place, person)| (place, person))).collect();
        Self {
            // They were just sorted.
            viewers: Viewers::from_ascending(candidates).map_or_else(nobody, Arc::new),
            places: lasts.iter().map(|last| last.0).collect(),
            persons: lasts.iter().map(|last| last.1).collect(),
        }
    }

    /// A family's table: those who are late first, then by the newest day.
    fn table(&self, days: &Days, family: Family) -> RawAudience {
        let Some((of, codes)) = codes(family) else { return RawAudience::reach(Vec::new()) };
        let pick = |places: &Arc<[u32]>, persons: &Arc<[u32]>| match of {
            Of::Place => places.clone(),
            Of::Person => persons.clone(),
        };
        let late = Coded { viewers: self.viewers.clone(), codes: pick(&self.places, &self.persons) };
        let list = |(frame, traits): (&Frame, &Traits)| Coded {
            viewers: frame.viewers(),
            codes: pick(&traits.places, &traits.persons),
        };
        let newest_first = with_traits(days).rev().map(list);
        RawAudience::first(std::iter::once(late).chain(newest_first).collect(), codes)
    }
}

fn with_traits(days: &Days) -> impl DoubleEndedIterator<Item = (&Frame, &Traits)> {
    days.iter().filter_map(|(_, frame)| Some((&**frame, frame.traits()?)))
}
