//! Digests: a channel's day as a table of its viewers, so that insights need not read the day's rows.
//!
//! A day of a creator with [`VIEWS_MIN`] views or more in a segment has, for each viewer with a view, what the last view
//! said of it and how far it watched; for each view, minute and source; and the viewers who engaged or followed. That is
//! all that insights ask of rows, in a tenth of the bytes, and sorted by viewer. It speaks of the segment's rows alone:
//! where others have rows of the same day, readers turn to the rows.
//!
//! ```text
//! days    per row of creator_days: first viewer row, viewer rows, first view row, view rows, then an audience reference to
//!         the viewers who engaged and did not follow, and to those who followed; wide: base in ms. No viewer rows: no digest.
//! viewers viewer minus the one before, last view's ms of its minute (since the base in version 1), country | region, age | gender | device | follower,
//!         furthest position plus 1 (0: none)
//! views   by viewer, time and source: minute since base times 2, plus 1 at a viewer's first one; source
//! ```

use std::ops::Range;

use bincode::{Decode, Encode};
use throng_model::{Day, playback_position};

use crate::audience::{AudienceRef, AudienceWriter};
use crate::kv::KvError;
use crate::object::ObjectWriter;
use crate::row::Row;
use crate::table::{TableHead, TableWriter};

/// A day gets a digest from this many views on; below, a scan of its rows is as fast.
pub(crate) const VIEWS_MIN: usize = 64;

pub(crate) const MINUTE_MS: i64 = 60_000;

/// 1973-01-01: from here on every zone's offset is of whole minutes, so that a minute lies in one hour of any clock.
const WHOLE_MINUTES_FROM: i64 = 94_694_400_000;

/// Where the tables of digests lie.
#[derive(Debug, Encode, Decode)]
pub(crate) struct DigestHead {
    pub(crate) days: TableHead,
    pub(crate) viewers: TableHead,
    pub(crate) views: TableHead,
}

/// One day's digest within a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Offsets in time count from here, in ms since 1970-01-01; a whole minute.
    pub base_ms: i64,
    pub(crate) viewers: Range<u32>,
    pub(crate) views: Range<u32>,
    pub(crate) acts: AudienceRef,
}

/// A column of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestColumn {
    /// Per viewer with a view, ascending: the ordinal.
    Viewer,
    /// Per viewer: the time of its last view, the one with the largest (time, place, person), in ms since the base.
    LastMs,
    /// Per viewer: country (8 bits) and region (16 bits) of its last view.
    Place,
    /// Per viewer: age, gender, device and follower status of its last view, 4 bits each.
    Person,
    /// Per viewer: 1 plus the furthest playback position in percent, by the span's length; 0 for none.
    Position,
    /// Per view, by viewer, time and source: twice the minutes since the base, plus 1 at each viewer's first one. Of
    /// views in a row with equal minute and source only one is kept.
    Minute,
    /// Per view: the source.
    Source,
}

/// What a digest takes from a view. Sorts into days, and viewers within, and views by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct View {
    pub(crate) day: Day,
    viewer: u32,
    ts: i64,
    source: u8,
    place: u32,
    person: u32,
    position: u8,
}

impl View {
    /// Of a row that is a view of a video of this length.
    pub(crate) fn of(row: &Row, duration_ms: Option<u32>) -> Self {
        let position = duration_ms.and_then(|duration_ms| playback_position(row.watch_ms, duration_ms));
        let person = [row.age, row.gender, row.device, row.follower];
        Self {
            day: row.day,
            viewer: row.viewer,
            ts: row.ts.millis(),
            source: row.source,
            place: u32::from(row.country) << 16 | u32::from(row.region),
            person: person.iter().fold(0, |bits, &code| bits << 4 | u32::from(code)),
            position: position.map_or(0, |position| position + 1),
        }
    }
}

/// Writes digests, a row per day of `creator_days`.
pub(crate) struct DigestWriter {
    days: TableWriter<8, 1>,
    viewers: TableWriter<5, 0>,
    views: TableWriter<2, 0>,
}

impl DigestWriter {
    pub(crate) fn new() -> Self {
        Self { days: TableWriter::new(), viewers: TableWriter::new(), views: TableWriter::new() }
    }

    /// Adds a day: its views, sorted, and who engaged without following and who followed, each sorted. Tells whether the
    /// day has a digest.
    pub(crate) fn put(
        &mut self,
        out: &mut ObjectWriter<'_>,
        audiences: &mut AudienceWriter,
        views: &[View],
        acts: [&[u32]; 2],
    ) -> Result<bool, KvError> {
        let Some(base_ms) = base_of(views) else {
            self.days.push(out, [0; 8], [0])?;
            return Ok(false);
        };
        let (first_viewer, first_view) = (self.viewers.rows(), self.views.rows());
        let mut before = 0;
        for of_viewer in views.chunk_by(|a, b| a.viewer == b.viewer) {
            let last = of_viewer.iter().map(|view| (view.ts, view.place, view.person)).max();
            let furthest = of_viewer.iter().map(|view| view.position).max().unwrap_or(0);
            let (Some(first), Some((ts, place, person))) = (of_viewer.first(), last) else { continue };
            let row = [first.viewer - before, ((ts - base_ms) % MINUTE_MS) as u32, place, person, furthest.into()];
            self.viewers.push(out, row, [])?;
            before = first.viewer;
            let minute = |view: &View| ((view.ts - base_ms) / MINUTE_MS) as u32;
            let same = |a: &View, b: &View| (minute(a), a.source) == (minute(b), b.source);
            for (place, view) in of_viewer.chunk_by(same).filter_map(<[View]>::first).enumerate() {
                self.views.push(out, [minute(view) * 2 + u32::from(place == 0), view.source.into()], [])?;
            }
        }
        let AudienceRef { block, offset, view_bytes, other_bytes } = audiences.put(out, acts[0], acts[1])?;
        let (viewers, views) = (self.viewers.rows() - first_viewer, self.views.rows() - first_view);
        let row = [first_viewer, viewers, first_view, views, block, offset, view_bytes, other_bytes];
        self.days.push(out, row, [base_ms])?;
        Ok(true)
    }

    /// `None` where no day has a digest.
    pub(crate) fn finish(self, out: &mut ObjectWriter<'_>) -> Result<Option<DigestHead>, KvError> {
        if self.viewers.rows() == 0 {
            return Ok(None);
        }
        let (days, viewers) = (self.days.finish(out)?, self.viewers.finish(out)?);
        Ok(Some(DigestHead { days, viewers, views: self.views.finish(out)? }))
    }
}

/// The minute of a day's earliest view; `None` where the day gets no digest: few views, or times too far apart or too long
/// ago for what is kept of them.
fn base_of(views: &[View]) -> Option<i64> {
    let times = || views.iter().map(|view| view.ts);
    let (first, last) = (times().min()?, times().max()?);
    let base_ms = first - first.rem_euclid(MINUTE_MS);
    let fits = first >= WHOLE_MINUTES_FROM && u32::try_from(last - base_ms).is_ok();
    (views.len() >= VIEWS_MIN && fits).then_some(base_ms)
}
