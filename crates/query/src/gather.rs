//! Frames of days that lie in several places: rows of segments, rows that are in none yet, and digests where segments have them.
//!
//! A digest knows the minutes of views and not their instants. That decides only where views of one minute lie in several
//! places and contributions are bounded: which of them came first is then asked of the rows.

use std::collections::BTreeMap;

use throng_model::{DayRange, Kind, playback_position};
use throng_privacy::Contribution;
use throng_store::{Catalogue, CreatorOrd, DamageError};

use crate::block::{Block, Columns};
use crate::clock::Clock;
use crate::collect::{VIEW, kind_of};
use crate::frame::{Frame, Seen, Wants, stage_bits};
use crate::frozen::Length;

const MINUTE_MS: i64 = 60_000;

/// One view, in the order in which a day's are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct View {
    viewer: u32,
    ts: i64,
    source: u8,
    place: u32,
    person: u32,
    position: u8,
}

/// What one digest says of a day. Columns by viewer are as long as the viewers where they are wanted, others are empty.
pub(crate) struct OfDigest {
    pub(crate) viewers: Vec<u32>,
    /// The instants of last views.
    pub(crate) last_ms: Vec<i64>,
    pub(crate) places: Vec<u32>,
    pub(crate) persons: Vec<u32>,
    pub(crate) positions: Vec<u32>,
    /// Views, by viewer, then by time, then by source.
    pub(crate) seen: Vec<Seen>,
    /// Everyone with any event, with the bits of its stage.
    pub(crate) acts: Vec<(u32, u8)>,
}

/// The rows of one day, and what digests say of others.
#[derive(Default)]
struct Rows {
    views: Vec<View>,
    /// One for each viewer of each digest: its last view, with its furthest position.
    lasts: Vec<View>,
    /// The views of digests.
    timed: Vec<Timed>,
    /// How many digests there are.
    digests: u16,
    /// Everyone with any event, with the bits of its stage.
    acts: Vec<(u32, u8)>,
}

/// A view whose minute is known.
#[derive(Debug, Clone, Copy)]
struct Timed {
    viewer: u32,
    minute: i64,
    source: u8,
    /// Which digest tells of it, from 1 on; 0 for a row. Within one of them views are in order.
    of: u16,
}

/// Gathers the rows of some of a channel's days, in any order.
pub(crate) struct Gather<'c> {
    catalogue: &'c Catalogue,
    channel: CreatorOrd,
    wants: Wants,
    days: BTreeMap<u32, Rows>,
}

impl<'c> Gather<'c> {
    /// Of these days, by their numbers.
    pub(crate) fn new(
        catalogue: &'c Catalogue,
        channel: CreatorOrd,
        wants: Wants,
        days: impl Iterator<Item = u32>,
    ) -> Self {
        Self { catalogue, channel, wants, days: days.map(|day| (day, Rows::default())).collect() }
    }

    /// The columns to read.
    pub(crate) fn columns(&self) -> Columns {
        let Wants { traits, positions, .. } = self.wants;
        Columns { ts: traits || self.wants.views(), watch_ms: positions, source: self.wants.sources.is_some(), traits }
    }

    /// Takes a block of rows; those of other days are passed over.
    pub(crate) fn take(&mut self, block: &Block) {
        for piece in &block.pieces {
            let length = Length::of(self.catalogue, piece.video, Some(self.channel));
            for row in piece.rows.clone() {
                let of_row = block.day.get(row).zip(block.kind.get(row)).zip(block.viewer.get(row));
                let Some(((&day, &kind), &viewer)) = of_row else { continue };
                let Some(rows) = self.days.get_mut(&day) else { continue };
                if self.wants.stages {
                    rows.acts.push((viewer, kind_of(kind).map_or(0, |kind: Kind| stage_bits(kind.stage()))));
                }
                if kind == VIEW {
                    let position = length
                        .on(day)
                        .and_then(|duration_ms| playback_position(block.watch_ms.get(row).copied()?, duration_ms));
                    let traits = if self.wants.traits { block.traits_at(row) } else { 0 };
                    rows.views.push(View {
                        viewer,
                        ts: block.ts.get(row).copied().unwrap_or(0),
                        source: block.source.get(row).map_or(0, |&source| source as u8),
                        place: (traits >> 16) as u32,
                        person: (traits & 0xffff) as u32,
                        position: position.map_or(0, |position| position + 1),
                    });
                }
            }
        }
    }

    /// Takes what a digest says of a day.
    pub(crate) fn add(&mut self, day: u32, digest: OfDigest) {
        let Some(rows) = self.days.get_mut(&day) else { return };
        let OfDigest { viewers, last_ms, places, persons, positions, seen, acts } = digest;
        rows.digests += 1;
        let of = rows.digests;
        let timed = |view: Seen| {
            let minute = view.ts.div_euclid(MINUTE_MS);
            Some(Timed { viewer: *viewers.get(view.place)?, minute, source: view.source, of })
        };
        rows.timed.extend(seen.into_iter().filter_map(timed));
        rows.lasts.extend(viewers.iter().enumerate().map(|(place, &viewer)| View {
            viewer,
            ts: last_ms.get(place).copied().unwrap_or(0),
            source: 0,
            place: places.get(place).copied().unwrap_or(0),
            person: persons.get(place).copied().unwrap_or(0),
            position: positions.get(place).map_or(0, |&position| position as u8),
        }));
        rows.acts.extend(acts);
    }

    /// Fills in a day's frame; whether all that is wanted is known.
    pub(crate) fn fill(&mut self, day: u32, frame: &Frame, clock: impl FnOnce() -> Clock) -> Result<bool, DamageError> {
        let Some(Rows { mut views, lasts, mut timed, digests, acts }) = self.days.remove(&day) else { return Ok(true) };
        views.sort_unstable();
        if self.wants.views() && digests > 0 {
            let of_row = |view: &View| {
                let minute = view.ts.div_euclid(MINUTE_MS);
                Timed { viewer: view.viewer, minute, source: view.source, of: 0 }
            };
            timed.extend(views.iter().map(of_row));
            // Views of one place stay in their order.
            timed.sort_by_key(|view| (view.viewer, view.minute, view.of));
            if self.wants.sources == Some(Contribution::Bounded) && !tells_first_sources(&timed) {
                return Ok(false);
            }
        }
        views.extend(lasts);
        views.sort_unstable();
        let of_viewers = || views.chunk_by(|a, b| a.viewer == b.viewer);
        let viewers = frame.put_viewers(of_viewers().filter_map(<[View]>::first).map(|view| view.viewer))?;
        if self.wants.traits {
            let lasts: Vec<(i64, u32, u32)> = of_viewers()
                .filter_map(|views| views.iter().map(|view| (view.ts, view.place, view.person)).max())
                .collect();
            let (places, persons) = lasts.iter().map(|&(_, place, person)| (place, person)).unzip();
            frame.put_traits(lasts.iter().map(|last| last.0).collect(), places, persons);
        }
        if self.wants.positions {
            let furthest = |views: &[View]| views.iter().map(|view| view.position).max().unwrap_or(0);
            frame.put_positions(of_viewers().map(furthest).collect());
        }
        if self.wants.views() {
            let mut seen = Vec::with_capacity(views.len().max(timed.len()));
            if digests == 0 {
                for (place, views) in of_viewers().enumerate() {
                    seen.extend(views.iter().map(|view| Seen { place, ts: view.ts, source: view.source }));
                }
            } else {
                for (place, views) in timed.chunk_by(|a, b| a.viewer == b.viewer).enumerate() {
                    seen.extend(views.iter().map(|view| Seen {
                        place,
                        ts: view.minute * MINUTE_MS,
                        source: view.source,
                    }));
                }
            }
            if let Some(bound) = self.wants.sources {
                frame.put_sources(&viewers, &seen, bound);
            }
            if let Some(bound) = self.wants.hours {
                frame.put_hours(&viewers, &seen, bound, &mut clock())?;
            }
        }
        if self.wants.stages {
            frame.put_stages(&united(acts))?;
        }
        Ok(true)
    }
}

/// Each viewer once, ascending, with all its bits.
fn united(mut acts: Vec<(u32, u8)>) -> Vec<(u32, u8)> {
    acts.sort_unstable();
    let of_viewer = |acts: &[(u32, u8)]| Some((acts.first()?.0, acts.iter().fold(0, |bits, act| bits | act.1)));
    acts.chunk_by(|a, b| a.0 == b.0).filter_map(of_viewer).collect()
}

/// The numbers of some days.
pub(crate) fn numbers(days: DayRange) -> std::ops::RangeInclusive<u32> {
    u32::from(days.first().number())..=u32::from(days.last().number())
}

/// Whether minutes tell each viewer's earliest sources: not where it has more than count, and views from several in one
/// minute that different places tell of.
fn tells_first_sources(timed: &[Timed]) -> bool {
    timed.chunk_by(|a, b| a.viewer == b.viewer).all(|views| {
        let sources =
            views.iter().fold(0, |sources: u32, view| sources | 1_u32.checked_shl(view.source.into()).unwrap_or(0));
        let differ = |minute: &[Timed]| {
            minute.iter().zip(minute.iter().skip(1)).any(|(a, b)| a.of != b.of)
                && minute.iter().zip(minute.iter().skip(1)).any(|(a, b)| a.source != b.source)
        };
        sources.count_ones() as usize <= Contribution::SOURCES_PER_DAY_MAX
            || !views.chunk_by(|a, b| a.minute == b.minute).any(differ)
    })
}
