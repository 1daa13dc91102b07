//! Builds a segment: rows in order go in, columns, rollups and audiences come out.

use throng_model::{Day, Kind, Metric, Stage, Tally};

use crate::audience::{AudienceRef, AudienceWriter};
use crate::codec::Last;
use crate::digest::{DigestWriter, View};
use crate::kv::{Batch, Kv, KvError};
use crate::object::{ObjectRef, ObjectWriter};
use crate::row::{Column, CreatorOrd, Row, VideoOrd, video_code};
use crate::segment::SegmentHead;
use crate::table::TableWriter;

/// A video's day gets bitmaps from this many rows on; below, a scan of its rows is as fast and takes no room.
pub(crate) const VIDEO_AUDIENCE_ROWS_MIN: usize = 256;

/// A creator's day, likewise: most days of most creators are small, and their sets took a tenth of the disk.
const CREATOR_AUDIENCE_ROWS_MIN: usize = 64;

const COLUMNS: usize = Column::ALL.len();
const METRICS: usize = Metric::ALL.len();

/// Takes rows sorted by (creator, video, …), a span at a time.
pub(crate) struct SegmentWriter<'kv> {
    out: ObjectWriter<'kv>,
    /// Nothing but rows and where they lie: for a segment that is merged before anybody asks it.
    is_bare: bool,
    rows: TableWriter<COLUMNS, 1>,
    spans: TableWriter<4, 0>,
    creators: TableWriter<3, 0>,
    creator_days: TableWriter<5, METRICS>,
    video_days: TableWriter<5, METRICS>,
    audiences: AudienceWriter,
    digests: DigestWriter,
    open: Option<OpenCreator>,
    days: Option<(Day, Day)>,
}

/// The creator whose spans are coming in.
struct OpenCreator {
    creator: CreatorOrd,
    spans: u32,
    days: Vec<(Day, Tally)>,
    /// Sorts into days, and views before other events.
    seen: Vec<Seen>,
    views: Vec<View>,
}

/// Day, viewer, whether it is not a view, and the stage that it says of the viewer.
type Seen = (Day, u32, bool, Stage);

impl<'kv> SegmentWriter<'kv> {
    pub(crate) fn new(kv: &'kv Kv, number: u64, is_bare: bool) -> Self {
        Self {
            out: ObjectWriter::new(kv, number),
            is_bare,
            rows: if is_bare { TableWriter::quick() } else { TableWriter::new() },
            spans: TableWriter::new(),
            creators: TableWriter::new(),
            creator_days: TableWriter::new(),
            video_days: TableWriter::new(),
            audiences: AudienceWriter::default(),
            digests: DigestWriter::new(),
            open: None,
            days: None,
        }
    }

    /// Adds all rows of one creator and video, sorted. `duration_ms` is the length that completion is judged by.
    pub(crate) fn push_span(
        &mut self,
        creator: CreatorOrd,
        video: Option<VideoOrd>,
        duration_ms: Option<u32>,
        rows: &[Row],
    ) -> Result<(), KvError> {
        if self.open.as_ref().is_none_or(|open| open.creator != creator) {
            self.finish_creator()?;
            self.open = Some(OpenCreator { creator, spans: 0, days: Vec::new(), seen: Vec::new(), views: Vec::new() });
        }
        let narrow = |place: usize, rows: &[Row], out: &mut Vec<u32>| {
            Column::ALL.get(place).into_iter().for_each(|column| column.append(rows, out));
        };
        let wide = |_, rows: &[Row], out: &mut Vec<i64>| out.extend(rows.iter().map(|row| row.ts.millis()));
        self.rows.extend(&mut self.out, rows, narrow, wide)?;
        for row in rows {
            self.days = Some(match self.days {
                Some((first, last)) => (first.min(row.day), last.max(row.day)),
                None => (row.day, row.day),
            });
        }
        let day_count = if self.is_bare { 0 } else { self.write_sums(video, duration_ms, rows)? };
        let row_count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        self.spans.push(&mut self.out, [video_code(video), row_count, duration_ms.unwrap_or(0), day_count], [])?;
        if let Some(open) = &mut self.open {
            open.spans += 1;
        }
        Ok(())
    }

    /// Writes a video's days and adds them to the creator's. Gives their number, 0 for events without a video.
    fn write_sums(&mut self, video: Option<VideoOrd>, duration_ms: Option<u32>, rows: &[Row]) -> Result<u32, KvError> {
        let mut days: Vec<(Day, Tally)> = Vec::new();
        let mut seen: Vec<Seen> = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(kind) = row.kind() {
                record(&mut days, row.day, |tally| tally.record(kind, row.watch_ms, duration_ms));
                seen.push((row.day, row.viewer, kind != Kind::View, kind.stage()));
            }
        }
        days.sort_unstable_by_key(|&(day, _)| day);
        let day_rows = u32::try_from(days.len()).unwrap_or(u32::MAX);
        if video.is_some() {
            seen.sort_unstable();
            write_days(
                &mut self.out,
                &mut self.video_days,
                &mut self.audiences,
                &days,
                &seen,
                VIDEO_AUDIENCE_ROWS_MIN,
                None,
            )?;
        }
        if let Some(open) = &mut self.open {
            for (day, tally) in days {
                record(&mut open.days, day, |sum| *sum += tally);
            }
            open.seen.append(&mut seen);
            let views = rows.iter().filter(|row| row.kind() == Some(Kind::View));
            open.views.extend(views.map(|row| View::of(row, duration_ms)));
        }
        Ok(if video.is_some() { day_rows } else { 0 })
    }

    fn finish_creator(&mut self) -> Result<(), KvError> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        open.days.sort_unstable_by_key(|&(day, _)| day);
        open.seen.sort_unstable();
        let digested = self.write_digests(&mut open)?;
        write_days(
            &mut self.out,
            &mut self.creator_days,
            &mut self.audiences,
            &open.days,
            &open.seen,
            CREATOR_AUDIENCE_ROWS_MIN,
            Some(&digested),
        )?;
        let days = u32::try_from(open.days.len()).unwrap_or(u32::MAX);
        self.creators.push(&mut self.out, [open.creator.0, open.spans, days], [])
    }

    /// Tells of each day whether it has a digest.
    fn write_digests(&mut self, open: &mut OpenCreator) -> Result<Vec<bool>, KvError> {
        let mut digested = Vec::with_capacity(open.days.len());
        open.views.sort_unstable();
        let mut views = open.views.as_slice();
        let (mut engaged, mut followed) = (Vec::new(), Vec::new());
        // Every day has events, and so does every day of `open.days`.
        for (seen, &(day, _)) in open.seen.chunk_by(|a, b| a.0 == b.0).zip(&open.days) {
            let (of_day, rest) = views.split_at(views.partition_point(|view| view.day <= day));
            views = rest;
            engaged.clear();
            followed.clear();
            for of_viewer in seen.chunk_by(|a, b| a.1 == b.1) {
                match of_viewer.iter().map(|&(_, viewer, _, stage)| (stage, viewer)).max() {
                    Some((Stage::Engaged, viewer)) => engaged.push(viewer),
                    Some((Stage::Followed, viewer)) => followed.push(viewer),
                    _ => {}
                }
            }
            digested.push(self.digests.put(&mut self.out, &mut self.audiences, of_day, [&engaged, &followed])?);
        }
        Ok(digested)
    }

    /// Writes what is left; the segment exists once `batch` is committed with a root that lists it.
    pub(crate) fn finish(mut self, batch: &mut Batch) -> Result<ObjectRef, KvError> {
        self.finish_creator()?;
        let (first_day, last_day) = self.days.unwrap_or((Day::MIN, Day::MIN));
        let head = SegmentHead {
            first_day: first_day.number(),
            last_day: last_day.number(),
            rows: self.rows.finish(&mut self.out)?,
            spans: self.spans.finish(&mut self.out)?,
            creators: self.creators.finish(&mut self.out)?,
            creator_days: self.creator_days.finish(&mut self.out)?,
            video_days: self.video_days.finish(&mut self.out)?,
            audiences: self.audiences.finish(&mut self.out)?,
            digests: Last(self.digests.finish(&mut self.out)?),
        };
        Ok(self.out.finish(head, batch))
    }
}

/// Adds to the tally of a day. Rows come nearly in order of days, so the wanted one is nearly always the last.
fn record(days: &mut Vec<(Day, Tally)>, day: Day, add: impl FnOnce(&mut Tally)) {
    match days.iter_mut().rev().find(|(known, _)| *known == day) {
        Some((_, tally)) => add(tally),
        None => {
            let mut tally = Tally::default();
            add(&mut tally);
            days.push((day, tally));
        }
    }
}

/// Writes one rollup row per day. `seen` is sorted; days with fewer entries than `rows_min` get no audience, and in that of
/// a day with a digest those with a view are left out, since the digest lists them. Days of a video have none, and their
/// timed views are told by the length in the span.
fn write_days(
    out: &mut ObjectWriter<'_>,
    table: &mut TableWriter<5, METRICS>,
    audiences: &mut AudienceWriter,
    days: &[(Day, Tally)],
    seen: &[Seen],
    rows_min: usize,
    digested: Option<&[bool]>,
) -> Result<(), KvError> {
    let mut seen_days = seen.chunk_by(|a, b| a.0 == b.0);
    let of_video = digested.is_none();
    let mut digested = digested.unwrap_or_default().iter();
    let (mut viewed, mut others) = (Vec::new(), Vec::new());
    for (day, tally) in days {
        let entries = seen_days.next().unwrap_or_default();
        let is_digested = digested.next() == Some(&true);
        let audience = if entries.len() < rows_min {
            AudienceRef::ABSENT
        } else {
            viewed.clear();
            others.clear();
            // A viewer's first entry tells whether there was a view.
            for viewer in entries.chunk_by(|a, b| a.1 == b.1) {
                if let Some(&(_, ordinal, not_a_view, _)) = viewer.first() {
                    if not_a_view { &mut others } else { &mut viewed }.push(ordinal);
                }
            }
            if is_digested {
                viewed.clear();
            }
            audiences.put(out, &viewed, &others)?
        };
        let AudienceRef { block, offset, view_bytes, other_bytes } = audience;
        let narrow = [u32::from(day.number()), block, offset, view_bytes, other_bytes];
        let sum = |metric| if of_video && metric == Metric::TimedViews { 0 } else { tally[metric] as i64 };
        table.push(out, narrow, Metric::ALL.map(sum))?;
    }
    Ok(())
}
