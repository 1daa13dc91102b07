//! Frames from rows: of several segments and of those that are in none yet.

use std::collections::BTreeMap;

use throng_model::{DayRange, Kind, playback_position};
use throng_store::{Catalogue, CreatorOrd, DamageError};

use crate::block::{Block, Columns};
use crate::clock::Clock;
use crate::collect::{VIEW, kind_of};
use crate::frame::{Frame, Seen, Wants, stage_bits};
use crate::frozen::Length;

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

/// The rows of one day.
#[derive(Default)]
struct Rows {
    views: Vec<View>,
    /// Everyone with any event, with the bits of its stage.
    acts: Vec<(u32, u8)>,
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

    /// Fills in a day's frame.
    pub(crate) fn fill(&mut self, day: u32, frame: &Frame, clock: impl FnOnce() -> Clock) -> Result<(), DamageError> {
        let Some(Rows { mut views, acts }) = self.days.remove(&day) else { return Ok(()) };
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
            let of_viewer = |(place, views): (usize, &[View])| -> Vec<Seen> {
                views.iter().map(|view| Seen { place, ts: view.ts, source: view.source }).collect()
            };
            let seen: Vec<Seen> = of_viewers().enumerate().flat_map(of_viewer).collect();
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
        Ok(())
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
