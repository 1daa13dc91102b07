//! What is true of an entity: plain loops over everything that happened, written from the definitions alone.
//!
//! The attacker of the likelihood ratio knows all of this but the target; the check of small cells compares with it.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;
use throng_model::{Cell, Day, DayRange, Family, HourOfWeek, Kind, Source, Stage, Timestamp, Traits};
use throng_privacy::Contribution;

/// One thing that happened with the entity.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The day it counts in.
    pub(crate) day: Day,
    pub(crate) ts: Timestamp,
    pub(crate) kind: Kind,
    pub(crate) viewer: u32,
    pub(crate) watch_ms: u32,
    pub(crate) duration_ms: Option<u32>,
    /// In the entity's zone.
    pub(crate) hour: HourOfWeek,
    pub(crate) source: Source,
    pub(crate) traits: Traits,
}

/// A family's table over one window, with the viewers of each cell.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) total: RoaringBitmap,
    pub(crate) cells: BTreeMap<Cell, RoaringBitmap>,
}

impl Table {
    /// Viewers of a cell; of a stage or position, those who went at least so far. `None` is the total.
    pub(crate) fn behind(&self, family: Family, cell: Option<Cell>) -> u64 {
        match cell {
            None => self.total.len(),
            Some(cell) if family.is_curve() => self.cells.range(cell..).map(|(_, viewers)| viewers.len()).sum(),
            Some(cell) => self.cells.get(&cell).map_or(0, RoaringBitmap::len),
        }
    }

    /// Viewers of exactly this cell.
    pub(crate) fn count(&self, cell: Cell) -> u64 {
        self.cells.get(&cell).map_or(0, RoaringBitmap::len)
    }
}

/// Everyone with any event on these days.
pub(crate) fn everyone(seen: &[Seen], days: DayRange) -> RoaringBitmap {
    seen.iter().filter(|seen| days.contains(seen.day)).map(|seen| seen.viewer).collect()
}

/// A family's table over some days.
pub(crate) fn table(seen: &[Seen], family: Family, days: DayRange, contribution: Contribution) -> Table {
    let mut by_viewer: BTreeMap<u32, Vec<&Seen>> = BTreeMap::new();
    for event in seen.iter().filter(|event| days.contains(event.day)) {
        by_viewer.entry(event.viewer).or_default().push(event);
    }
    let mut table = Table::default();
    for (viewer, events) in by_viewer {
        let Some(cells) = cells_of(seen, viewer, &events, family, contribution) else { continue };
        table.total.insert(viewer);
        for cell in cells {
            table.cells.entry(cell).or_default().insert(viewer);
        }
    }
    table
}

/// The cells that one viewer stands in; `None` where the viewer is not in the family at all.
fn cells_of(
    all: &[Seen],
    viewer: u32,
    events: &[&Seen],
    family: Family,
    contribution: Contribution,
) -> Option<Vec<Cell>> {
    if family == Family::Funnel {
        return Some(vec![Cell::Stage(events.iter().map(|event| stage(event.kind)).max()?)]);
    }
    let views: Vec<&Seen> = events.iter().copied().filter(|event| event.kind == Kind::View).collect();
    let last = views.iter().max_by_key(|view| (view.ts, codes(&view.traits)))?.traits;
    Some(match family {
        Family::Reach | Family::Funnel => Vec::new(),
        Family::Novelty => vec![novelty(all, viewer, &views)?],
        Family::FollowerStatus => vec![Cell::Follower(last.follower)],
        Family::Country => vec![Cell::Country(last.country)],
        Family::Region => vec![Cell::Region(last.region)],
        Family::Age => vec![Cell::Age(last.age)],
        Family::Gender => vec![Cell::Gender(last.gender)],
        Family::AgeGender => vec![Cell::AgeGender(last.age, last.gender)],
        Family::Device => vec![Cell::Device(last.device)],
        Family::TrafficSource => {
            overlapping(&views, contribution, Contribution::SOURCES_PER_DAY_MAX, |view| Cell::Source(view.source))
        }
        Family::ActiveHours => {
            overlapping(&views, contribution, Contribution::HOURS_PER_DAY_MAX, |view| Cell::Hour(view.hour))
        }
        Family::Retention => vec![Cell::Position(views.iter().filter_map(|view| position(view)).max()?)],
    })
}

/// Of two views at the same instant, the one with the larger codes is the last.
fn codes(traits: &Traits) -> [u16; 6] {
    [
        traits.country.map_or(0, |country| u16::from(country.ordinal())),
        traits.region.map_or(0, |region| region.suffix()),
        traits.age.map_or(0, |age| u16::from(age.code())),
        traits.gender.map_or(0, |gender| u16::from(gender.code())),
        traits.device.map_or(0, |device| u16::from(device.code())),
        traits.follower.map_or(0, |follower| u16::from(follower.code())),
    ]
}

/// Cells of any view; where contributions are bounded, the first few of each day.
fn overlapping(
    views: &[&Seen],
    contribution: Contribution,
    per_day_max: usize,
    cell: impl Fn(&Seen) -> Cell,
) -> Vec<Cell> {
    let mut by_day: BTreeMap<Day, Vec<(Timestamp, Cell)>> = BTreeMap::new();
    for view in views {
        by_day.entry(view.day).or_default().push((view.ts, cell(view)));
    }
    let mut counted = BTreeSet::new();
    for (_, mut day) in by_day {
        day.sort_unstable();
        let mut of_day = BTreeSet::new();
        for (_, cell) in day {
            if contribution == Contribution::Whole || of_day.len() < per_day_max {
                of_day.insert(cell);
            }
        }
        counted.extend(of_day);
    }
    counted.into_iter().collect()
}

fn novelty(all: &[Seen], viewer: u32, views: &[&Seen]) -> Option<Cell> {
    let first = views.iter().map(|view| view.day).min()?;
    let earlier = |event: &&Seen| {
        event.viewer == viewer
            && event.kind == Kind::View
            && event.day < first
            && first.number() - event.day.number() <= 365
    };
    Some(if all.iter().any(|event| earlier(&event)) { Cell::Returning } else { Cell::New })
}

fn position(view: &Seen) -> Option<u8> {
    let percent = u64::from(view.watch_ms) * 100 / u64::from(view.duration_ms?.max(1));
    u8::try_from(percent.min(100)).ok()
}

fn stage(kind: Kind) -> Stage {
    match kind {
        Kind::Follow => Stage::Followed,
        Kind::Like | Kind::Comment | Kind::Share | Kind::Save => Stage::Engaged,
        Kind::View => Stage::Viewed,
        _ => Stage::Saw,
    }
}
