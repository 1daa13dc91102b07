//! One pass over a window's rows, for all families that need rows.
//!
//! What is known of a viewer lies in vectors by the viewer's slot among the reach, and only for what the asked families
//! need. Nothing depends on the order in which rows come.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use roaring::RoaringBitmap;
use throng_model::{Cell, Day, DayRange, Family, HourOfWeek, Kind, Source, Stage, Zone, playback_position};
use throng_privacy::Contribution;
use throng_store::{Catalogue, CreatorOrd};

use crate::block::{Block, Columns};
use crate::cells::set_of_sorted;
use crate::clock::Clock;
use crate::collect::{VIEW, kind_of};
use crate::earliest::Earliest;
use crate::frozen::{Frozen, Length};
use crate::slots::Slots;
use crate::traits;

/// A table's cells, and everyone in it.
pub(crate) type Split = (RoaringBitmap, BTreeMap<Cell, RoaringBitmap>);

/// What a pass gathers; a vector that no family asked for stays empty.
pub(crate) struct Pass<'r> {
    catalogue: &'r Catalogue,
    /// The channel that rows are on, where there is one for all.
    channel: Option<CreatorOrd>,
    reach: &'r RoaringBitmap,
    slots: Slots,
    columns: Columns,
    /// The largest (time, traits) of the viewer's views: time first, and traits so that ties have one outcome.
    last: Vec<(i64, u64)>,
    /// A bit per code of traffic source.
    sources: Vec<u16>,
    /// A bit per hour of the week.
    hours: Vec<[u64; 3]>,
    /// Clocks, each with the last day whose rows it reads.
    clocks: Vec<(u32, Clock)>,
    /// What counts of the sources and of the hours, where contributions are bounded.
    bounds: Option<(Earliest, Earliest)>,
    /// The furthest playback position plus 1; 0 for none.
    positions: Vec<u8>,
    /// Of everyone with any event: whether they engaged or followed; lower stages follow from the sets of viewers.
    acts: Option<(Slots, Vec<Stage>)>,
    /// Row and slot of the block's views; kept for its memory.
    views: Vec<(u32, u32)>,
}

impl<'r> Pass<'r> {
    /// A pass for these families; `None` where none of them needs rows. `any` is everyone with any event; only the funnel
    /// looks at it.
    pub(crate) fn new(
        families: &[Family],
        contribution: Contribution,
        asked: &Frozen,
        catalogue: &'r Catalogue,
        reach: &'r RoaringBitmap,
        any: &RoaringBitmap,
    ) -> Option<Self> {
        let has = |family| families.contains(&family);
        let traits = families.iter().any(|&family| traits::is_trait(family));
        let (sources, hours, positions) =
            (has(Family::TrafficSource), has(Family::ActiveHours), has(Family::Retention));
        let funnel = has(Family::Funnel);
        if !(traits || sources || hours || positions || funnel) {
            return None;
        }
        let len = |set: &RoaringBitmap| usize::try_from(set.len()).unwrap_or(usize::MAX);
        let viewers = len(reach);
        let zones = if hours { asked.zones(catalogue) } else { Vec::new() };
        let clock = |(last, zone): (Day, Zone)| (u32::from(last.number()), Clock::new(zone, asked.window()));
        let is_bounded = contribution == Contribution::Bounded;
        Some(Self {
            catalogue,
            channel: asked.channel(),
            reach,
            slots: Slots::new(reach),
            columns: Columns {
                ts: traits || hours || (sources && is_bounded),
                watch_ms: positions,
                source: sources,
                traits,
            },
            last: vec![(i64::MIN, 0); if traits { viewers } else { 0 }],
            sources: vec![0; if sources { viewers } else { 0 }],
            hours: vec![[0; 3]; if hours { viewers } else { 0 }],
            clocks: zones.into_iter().map(clock).collect(),
            bounds: is_bounded.then(|| {
                (Earliest::new(Contribution::SOURCES_PER_DAY_MAX), Earliest::new(Contribution::HOURS_PER_DAY_MAX))
            }),
            positions: vec![0; if positions { viewers } else { 0 }],
            acts: funnel.then(|| (Slots::new(any), vec![Stage::Saw; len(any)])),
            views: Vec::new(),
        })
    }

    /// The columns to read.
    pub(crate) fn columns(&self) -> Columns {
        self.columns
    }

    /// Takes a block of rows, some of which may lie outside the days that are wanted of it.
    pub(crate) fn take(&mut self, block: &Block, days: DayRange) {
        let mut views = std::mem::take(&mut self.views);
        // Which rows are views is as good as random, so they are picked without a branch.
        views.resize(block.day.len(), (0, 0));
        let mut picked = 0;
        let (first, last) = (u32::from(days.first().number()), u32::from(days.last().number()));
        let rows = block.day.iter().zip(&block.kind).zip(&block.viewer);
        for (row, ((&day, &kind), &viewer)) in (0..).zip(rows) {
            if let Some(place) = views.get_mut(picked) {
                *place = (row, viewer);
            }
            picked += usize::from((first <= day) & (day <= last) & (kind == VIEW));
        }
        views.truncate(picked);
        for (_, viewer) in &mut views {
            // Every viewer with a view in the window is in the reach, which comes from the same snapshot. Were one not,
            // its slot would lie past every vector, and its views would be passed over.
            *viewer = self.slots.of(*viewer).map_or(u32::MAX, |slot| slot as u32);
        }
        self.take_acts(block, first..=last);
        self.take_last(block, &views);
        self.take_sources(block, &views);
        self.take_hours(block, &views);
        self.take_positions(block, &views);
        self.views = views;
    }

    fn take_acts(&mut self, block: &Block, days: RangeInclusive<u32>) {
        let Some((slots, acts)) = &mut self.acts else { return };
        for ((&day, &kind), &viewer) in block.day.iter().zip(&block.kind).zip(&block.viewer) {
            let stage = kind_of(kind).map_or(Stage::Saw, Kind::stage);
            if stage > Stage::Viewed
                && days.contains(&day)
                && let Some(furthest) = slots.of(viewer).and_then(|slot| acts.get_mut(slot))
            {
                *furthest = stage.max(*furthest);
            }
        }
    }

    fn take_last(&mut self, block: &Block, views: &[(u32, u32)]) {
        if !self.columns.traits {
            return;
        }
        for &(row, slot) in views {
            let Some((&ts, last)) = block.ts.get(row as usize).zip(self.last.get_mut(slot as usize)) else { continue };
            if ts >= last.0 {
                *last = (*last).max((ts, block.traits_at(row as usize)));
            }
        }
    }

    fn take_sources(&mut self, block: &Block, views: &[(u32, u32)]) {
        if !self.columns.source {
            return;
        }
        for &(row, slot) in views {
            let Some((&code, used)) = block.source.get(row as usize).zip(self.sources.get_mut(slot as usize)) else {
                continue;
            };
            match &mut self.bounds {
                None => *used |= source_bit(code),
                Some((sources, _)) => {
                    if let Some((&day, &ts)) = block.day.get(row as usize).zip(block.ts.get(row as usize)) {
                        // Codes are below 16.
                        sources.see(slot, day, ts, code as u8);
                    }
                }
            }
        }
    }

    fn take_hours(&mut self, block: &Block, views: &[(u32, u32)]) {
        if self.clocks.is_empty() {
            return;
        }
        for &(row, slot) in views {
            let at = block.ts.get(row as usize).zip(block.day.get(row as usize));
            let Some(((&ts, &day), used)) = at.zip(self.hours.get_mut(slot as usize)) else { continue };
            let Some((_, clock)) = self.clocks.iter_mut().find(|(last, _)| day <= *last) else { continue };
            let hour = clock.hour_of_week(ts);
            match &mut self.bounds {
                None => use_hour(used, hour),
                Some((_, hours)) => hours.see(slot, day, ts, hour),
            }
        }
    }

    fn take_positions(&mut self, block: &Block, views: &[(u32, u32)]) {
        if !self.columns.watch_ms {
            return;
        }
        let mut pieces = block.pieces.iter();
        let (mut end, mut length) = (0, Length::Always(None));
        for &(row, slot) in views {
            while end <= row as usize {
                let Some(piece) = pieces.next() else { return };
                (end, length) = (piece.rows.end, Length::of(self.catalogue, piece.video, self.channel));
            }
            let watched = block.watch_ms.get(row as usize).zip(block.day.get(row as usize));
            let Some(((&watch_ms, &day), furthest)) = watched.zip(self.positions.get_mut(slot as usize)) else {
                continue;
            };
            let Some(duration_ms) = length.on(day) else { continue };
            // Divides only for views that come further than the furthest so far.
            if u64::from(watch_ms) * 100 >= u64::from(*furthest) * u64::from(duration_ms)
                && let Some(position) = playback_position(watch_ms, duration_ms)
            {
                *furthest = (*furthest).max(position + 1);
            }
        }
    }

    /// Ends the taking of rows.
    pub(crate) fn finish(&mut self) {
        let Some((sources, hours)) = &mut self.bounds else { return };
        for (slot, code) in sources.finish() {
            if let Some(used) = self.sources.get_mut(slot as usize) {
                *used |= source_bit(code.into());
            }
        }
        for (slot, hour) in hours.finish() {
            if let Some(used) = self.hours.get_mut(slot as usize) {
                use_hour(used, hour);
            }
        }
    }

    /// The table of a family that needed the pass. `any` is the set that the pass was made with.
    pub(crate) fn split(&self, family: Family, any: &RoaringBitmap) -> Split {
        match family {
            Family::TrafficSource => (self.reach.clone(), self.split_sources()),
            Family::ActiveHours => (self.reach.clone(), self.split_hours()),
            Family::Retention => self.split_positions(),
            Family::Funnel => (any.clone(), self.split_stages(any)),
            _ => {
                let viewers = self.reach.iter().zip(&self.last).map(|(viewer, &(_, traits))| (viewer, traits));
                (self.reach.clone(), traits::split(family, viewers))
            }
        }
    }

    fn split_sources(&self) -> BTreeMap<Cell, RoaringBitmap> {
        let mut lists = vec![Vec::new(); 16];
        for (viewer, &used) in self.reach.iter().zip(&self.sources) {
            put_bits(viewer, used.into(), &mut lists);
        }
        let used = |source: Source| lists.get(usize::from(source.code())).map_or_else(RoaringBitmap::new, set_of_list);
        Source::ALL.iter().map(|&source| (Cell::Source(source), used(source))).collect()
    }

    fn split_hours(&self) -> BTreeMap<Cell, RoaringBitmap> {
        let mut lists = vec![Vec::new(); 64 * 3];
        for (viewer, words) in self.reach.iter().zip(&self.hours) {
            for (word, lists) in words.iter().zip(lists.chunks_mut(64)) {
                put_bits(viewer, *word, lists);
            }
        }
        let sets = lists.iter().map(set_of_list);
        HourOfWeek::all().map(Cell::Hour).zip(sets).collect()
    }

    fn split_positions(&self) -> Split {
        let mut lists = vec![Vec::new(); 102];
        for (viewer, &furthest) in self.reach.iter().zip(&self.positions) {
            if let Some(list) = lists.get_mut(usize::from(furthest)) {
                list.push(viewer);
            }
        }
        let sets = lists.iter().map(set_of_list);
        let cells: BTreeMap<_, _> = (0..=100).map(Cell::Position).zip(sets.skip(1)).collect();
        let everyone = self.reach.iter().zip(&self.positions).filter(|(_, furthest)| **furthest > 0);
        (set_of_sorted(everyone.map(|(viewer, _)| viewer)), cells)
    }

    fn split_stages(&self, any: &RoaringBitmap) -> BTreeMap<Cell, RoaringBitmap> {
        let acts = self.acts.as_ref().map_or(&[][..], |(_, acts)| acts);
        let did = |wanted: Stage| {
            set_of_sorted(any.iter().zip(acts).filter(move |(_, act)| **act == wanted).map(|(viewer, _)| viewer))
        };
        let (engaged, followed) = (did(Stage::Engaged), did(Stage::Followed));
        let viewed = self.reach - &followed - &engaged;
        let saw = any - &followed - &engaged - &viewed;
        let stages = [Stage::Saw, Stage::Viewed, Stage::Engaged, Stage::Followed].map(Cell::Stage);
        stages.into_iter().zip([saw, viewed, engaged, followed]).collect()
    }
}

fn source_bit(code: u32) -> u16 {
    1_u16.checked_shl(code).unwrap_or(0)
}

fn use_hour(used: &mut [u64; 3], hour: u8) {
    if let Some(word) = used.get_mut(usize::from(hour / 64)) {
        *word |= 1 << (hour % 64);
    }
}

/// Adds a viewer to the list of each bit.
fn put_bits(viewer: u32, mut bits: u64, lists: &mut [Vec<u32>]) {
    while bits != 0 {
        if let Some(list) = lists.get_mut(bits.trailing_zeros() as usize) {
            list.push(viewer);
        }
        bits &= bits - 1;
    }
}

#[expect(clippy::ptr_arg, reason = "mapped over lists of lists")]
fn set_of_list(list: &Vec<u32>) -> RoaringBitmap {
    set_of_sorted(list.iter().copied())
}
