//! A segment: an immutable, sorted run of rows with its directory, rollups and audiences.
//!
//! Rows are sorted by (creator, video, time), so a creator's rows are one slice and a video's rows are one slice of it.
//! The directory is read at first use and stays; columns pass through the chunk cache.

use std::ops::{Range, RangeInclusive};
use std::sync::{Arc, OnceLock};

use bincode::{Decode, Encode};
use roaring::RoaringBitmap;
use throng_model::{Day, DayRange, Metric, Tally};

use crate::audience::{AudienceRef, read_set};
use crate::codec::{DamageError, Last};
use crate::digest::{Digest, DigestColumn, DigestHead, MINUTE_MS};
use crate::garbage::Garbage;
use crate::kv::Kv;
use crate::object::{Object, ObjectRef, ReadError, Sequence, ValueRef};
use crate::row::{Column, CreatorOrd, Row, VideoOrd, day_of_code, day_of_number, video_of_code};
use crate::table::{CHUNK_VALUES, ChunkCache, Table, TableHead};

#[derive(Encode, Decode)]
pub(crate) struct SegmentHead {
    pub(crate) first_day: u16,
    pub(crate) last_day: u16,
    pub(crate) rows: TableHead,
    /// Per (creator, video): video code, rows, length in ms or 0, rows of `video_days`.
    pub(crate) spans: TableHead,
    /// Per creator: creator, spans, rows of `creator_days`.
    pub(crate) creators: TableHead,
    /// Per (creator, day): day, audience (block, offset, bytes of views, bytes of others); one wide column a metric.
    pub(crate) creator_days: TableHead,
    /// Per (creator, video, day), the same.
    pub(crate) video_days: TableHead,
    pub(crate) audiences: Vec<ValueRef>,
    pub(crate) digests: Last<DigestHead>,
}

/// One video of a creator in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoSpan {
    /// The video; `None` for events without one.
    pub video: Option<VideoOrd>,
    /// Its rows.
    pub rows: Range<u32>,
    /// The length in ms that the rollups' completion was judged by; `None` where it was unknown then.
    pub duration_ms: Option<u32>,
    days: Range<u32>,
}

impl VideoSpan {
    /// Number of its days; 0 for events without a video, whose days are not kept.
    pub fn day_count(&self) -> usize {
        self.days.len()
    }
}

/// What reading rows from front to back needs, from one chunk to the next.
#[derive(Default)]
pub(crate) struct Buffers {
    sequence: Sequence,
    days: Vec<u32>,
    values: Vec<u32>,
    ts: Vec<i64>,
}

struct CreatorSpan {
    creator: CreatorOrd,
    spans: Range<u32>,
    days: Range<u32>,
}

struct Directory {
    creators: Vec<CreatorSpan>,
    spans: Vec<VideoSpan>,
}

/// (video, creator's place, span's place), sorted.
type ByVideo = Vec<(VideoOrd, u32, u32)>;

/// Sums of one day of a creator or video, within one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRollup {
    /// The day.
    pub day: Day,
    /// Its sums.
    pub tally: Tally,
    audience: AudienceRef,
    /// The viewers with a view, in the day's digest; empty where it has none.
    viewers: Range<u32>,
}

/// Whose audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudienceOf {
    /// Viewers with any event.
    AnyEvent,
    /// Viewers with a view.
    View,
}

/// A segment opened for reading.
pub struct Segment {
    kv: Arc<Kv>,
    cache: Arc<ChunkCache>,
    object: Object,
    head: SegmentHead,
    directory: OnceLock<Directory>,
    /// Made when a video is first asked for: most questions name a channel.
    by_video: OnceLock<ByVideo>,
    garbage: Arc<Garbage>,
}

impl Segment {
    pub(crate) fn open(
        kv: &Arc<Kv>,
        cache: &Arc<ChunkCache>,
        garbage: &Arc<Garbage>,
        listed: ObjectRef,
    ) -> Result<Self, ReadError> {
        let (object, head) = Object::open::<SegmentHead>(kv, listed)?;
        Ok(Self {
            kv: kv.clone(),
            cache: cache.clone(),
            object,
            head,
            directory: OnceLock::new(),
            by_video: OnceLock::new(),
            garbage: garbage.clone(),
        })
    }

    /// The same segment for one job: what was read only for it goes with it.
    pub(crate) fn apart(self: &Arc<Self>) -> Result<Arc<Self>, ReadError> {
        if self.directory.get().is_some() {
            return Ok(self.clone());
        }
        // Whoever has this one keeps the object; when it may go is for that handle to tell.
        let nobody = Arc::new(Garbage::default());
        Self::open(&self.kv, &self.cache, &nobody, self.listed()).map(Arc::new)
    }

    /// Tells the segment from all others that the store has or ever had: another one never has this number.
    pub fn number(&self) -> u64 {
        self.object.listed.number
    }

    /// Number of rows.
    pub fn rows(&self) -> u32 {
        self.head.rows.rows
    }

    /// Whether it has neither rollups nor audiences: it was written in the middle of an import, to be merged.
    pub(crate) fn is_bare(&self) -> bool {
        self.head.rows.rows > 0 && self.head.creator_days.rows == 0
    }

    /// Whether any row can count in these days.
    pub fn touches(&self, range: DayRange) -> bool {
        range.first().number() <= self.head.last_day && self.head.first_day <= range.last().number()
    }

    /// The first and the last day of any row.
    pub fn days(&self) -> Result<(Day, Day), ReadError> {
        Ok((day_of_number(self.head.first_day.into())?, day_of_number(self.head.last_day.into())?))
    }

    /// Whether any row counts before a day.
    pub(crate) fn begins_before(&self, day: Day) -> bool {
        self.head.first_day < day.number()
    }

    pub(crate) fn listed(&self) -> ObjectRef {
        self.object.listed
    }

    /// A creator's rows.
    pub fn creator_rows(&self, creator: CreatorOrd) -> Result<Option<Range<u32>>, ReadError> {
        let spans = self.creator_videos(creator)?;
        Ok(match (spans.first(), spans.last()) {
            (Some(first), Some(last)) => Some(first.rows.start..last.rows.end),
            _ => None,
        })
    }

    /// A creator's videos, in order, events without a video first; empty where there are no rows.
    pub fn creator_videos(&self, creator: CreatorOrd) -> Result<&[VideoSpan], ReadError> {
        let directory = self.directory()?;
        let Some(found) = directory.creator(creator) else { return Ok(&[]) };
        Ok(directory.spans.get(places(&found.spans)).unwrap_or_default())
    }

    /// Reads what every question begins with, so that the first one need not.
    pub fn prepare(&self) -> Result<(), ReadError> {
        self.directory().map(drop)
    }

    /// A video's rows, with the creator they were counted for; nearly always at most one span.
    pub fn video_spans(&self, video: VideoOrd) -> Result<Vec<(CreatorOrd, VideoSpan)>, ReadError> {
        let directory = self.directory()?;
        let by_video = self.by_video.get_or_init(|| directory.by_video());
        let start = by_video.partition_point(|entry| entry.0 < video);
        let found = by_video.iter().skip(start).take_while(|entry| entry.0 == video);
        Ok(found
            .filter_map(|&(_, creator, span)| {
                let creator = directory.creators.get(creator as usize)?;
                Some((creator.creator, directory.spans.get(span as usize)?.clone()))
            })
            .collect())
    }

    /// All videos of all creators; together they are all rows, in order.
    pub fn spans(&self) -> Result<&[VideoSpan], ReadError> {
        Ok(&self.directory()?.spans)
    }

    /// The sums of all creators' days, ascending; days without rows are left out.
    pub fn day_sums(&self) -> Result<Vec<(Day, Tally)>, ReadError> {
        let table = self.table(&self.head.creator_days);
        let (first, last) = (u32::from(self.head.first_day), u32::from(self.head.last_day));
        let mut sums: Vec<Option<Tally>> = (first..=last).map(|_| None).collect();
        let (mut days, mut values) = (Vec::new(), Vec::new());
        // Chunk by chunk: together the columns are much larger than what is made of them.
        for start in (0..table.head.rows).step_by(CHUNK_VALUES) {
            let rows = start..start.saturating_add(CHUNK_VALUES as u32).min(table.head.rows);
            days.clear();
            table.read_once(0, rows.clone(), &mut days)?;
            for (column, metric) in Metric::ALL.into_iter().enumerate() {
                values.clear();
                table.read_wide_once(column, rows.clone(), &mut values)?;
                for (&day, &value) in days.iter().zip(&values) {
                    let sum = day.checked_sub(first).and_then(|place| sums.get_mut(place as usize));
                    let sum = sum.ok_or(DamageError::Malformed("day of a segment"))?;
                    sum.get_or_insert_default()[metric] += value as u64;
                }
            }
        }
        let days = (first..).zip(sums).filter_map(|(day, sum)| Some((day, sum?)));
        days.map(|(day, tally)| Ok((day_of_number(day)?, tally))).collect()
    }

    /// Creators with rows here, ascending.
    pub fn creators(&self) -> Result<impl Iterator<Item = CreatorOrd> + '_, ReadError> {
        Ok(self.directory()?.creators.iter().map(|span| span.creator))
    }

    /// Appends a range of a column to `out`.
    pub fn read(&self, column: Column, rows: Range<u32>, out: &mut Vec<u32>) -> Result<(), ReadError> {
        let start = out.len();
        self.table(&self.head.rows).read(column as usize, rows.clone(), out)?;
        if column == Column::Day {
            let mut ts = Vec::with_capacity(rows.len());
            self.read_ts(rows, &mut ts)?;
            self.set_days(out.get_mut(start..).unwrap_or_default(), &ts);
        }
        Ok(())
    }

    /// The same as [`Self::read`], past the cache: for more rows than should push everything else out of it. `times` is room
    /// for the rows' times.
    pub fn read_once(
        &self,
        column: Column,
        rows: Range<u32>,
        out: &mut Vec<u32>,
        times: &mut Vec<i64>,
    ) -> Result<(), ReadError> {
        let start = out.len();
        self.table(&self.head.rows).read_once(column as usize, rows.clone(), out)?;
        if column == Column::Day {
            times.clear();
            self.table(&self.head.rows).read_wide_once(0, rows, times)?;
            self.set_days(out.get_mut(start..).unwrap_or_default(), times);
        }
        Ok(())
    }

    /// Whether the days of a span's rows are known to ascend with the rows, without a look at their times: rows lie by time, so
    /// they do where all count as many days from that of their time.
    pub fn days_ascend(&self, span: &VideoSpan) -> Result<bool, ReadError> {
        let mut codes = Vec::with_capacity(span.rows.len());
        self.table(&self.head.rows).read(Column::Day as usize, span.rows.clone(), &mut codes)?;
        let in_order = |a: &u32, b: &u32| if self.object.version > 1 { a == b } else { a <= b };
        Ok(codes.is_sorted_by(in_order))
    }

    /// Appends a range of times to `out`, in ms since 1970-01-01.
    pub fn read_ts(&self, rows: Range<u32>, out: &mut Vec<i64>) -> Result<(), ReadError> {
        self.table(&self.head.rows).read_wide(0, rows, out)
    }

    /// Reads whole rows of one span onto the end of `out`.
    pub(crate) fn read_rows(&self, creator: CreatorOrd, span: &VideoSpan, out: &mut Vec<Row>) -> Result<(), ReadError> {
        let start = out.len();
        out.resize(start + (span.rows.end - span.rows.start) as usize, Row::blank(creator, span.video));
        let rows = out.get_mut(start..).unwrap_or_default();
        let mut values = Vec::new();
        for column in Column::ALL {
            values.clear();
            self.read(column, span.rows.clone(), &mut values)?;
            Row::fill(rows, column, &values)?;
        }
        let mut ts = Vec::new();
        self.read_ts(span.rows.clone(), &mut ts)?;
        Ok(Row::fill_ts(rows, &ts)?)
    }

    /// Fills rows that are a whole chunk, but for creator and video, past the cache.
    pub(crate) fn read_chunk(&self, chunk: usize, buffers: &mut Buffers, rows: &mut [Row]) -> Result<(), ReadError> {
        let Buffers { sequence, days, values, ts } = buffers;
        let table = self.table(&self.head.rows);
        for column in Column::ALL {
            let values = if column == Column::Day { &mut *days } else { &mut *values };
            values.clear();
            table.read_next(column as usize, chunk, sequence, values)?;
            if column != Column::Day {
                Row::fill(rows, column, values)?;
            }
        }
        ts.clear();
        table.read_next_wide(0, chunk, sequence, ts)?;
        self.set_days(days, ts);
        Row::fill(rows, Column::Day, days)?;
        Ok(Row::fill_ts(rows, ts)?)
    }

    /// Makes days of what is stored for them.
    fn set_days(&self, days: &mut [u32], ts: &[i64]) {
        if self.object.version > 1 {
            days.iter_mut().zip(ts).for_each(|(day, &ts)| *day = day_of_code(*day, ts));
        }
    }

    /// A creator's days within a range, ascending; days without rows are left out.
    pub fn creator_days(&self, creator: CreatorOrd, range: DayRange) -> Result<Vec<DayRollup>, ReadError> {
        match self.directory()?.creator(creator) {
            Some(found) if self.touches(range) => {
                let (mut rollups, rows) = self.rollups(&self.head.creator_days, found.days.clone(), range)?;
                self.add_viewers(&mut rollups, rows)?;
                Ok(rollups)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Notes where the viewers of a creator's days lie in digests.
    fn add_viewers(&self, rollups: &mut [DayRollup], rows: Range<u32>) -> Result<(), ReadError> {
        let Last(Some(head)) = &self.head.digests else { return Ok(()) };
        let (mut firsts, mut counts) = (Vec::new(), Vec::new());
        self.table(&head.days).read(0, rows.clone(), &mut firsts)?;
        self.table(&head.days).read(1, rows, &mut counts)?;
        for (rollup, (first, count)) in rollups.iter_mut().zip(firsts.into_iter().zip(counts)) {
            rollup.viewers = first..first.saturating_add(count);
        }
        Ok(())
    }

    /// A video's days within a range, ascending; days without rows are left out. Spans without a video have none.
    pub fn span_days(&self, span: &VideoSpan, range: DayRange) -> Result<Vec<DayRollup>, ReadError> {
        if !self.touches(range) {
            return Ok(Vec::new());
        }
        let mut rollups = self.rollups(&self.head.video_days, span.days.clone(), range)?.0;
        if self.object.version > 2 && span.duration_ms.is_some() {
            for DayRollup { tally, .. } in &mut rollups {
                tally[Metric::TimedViews] = tally[Metric::Views];
            }
        }
        Ok(rollups)
    }

    /// Appends the day numbers of all days of spans that follow each other, span by span. Whoever asks for many keeps them.
    pub fn read_span_days(&self, spans: &[VideoSpan], out: &mut Vec<u32>) -> Result<(), ReadError> {
        let (table, days) = (self.table(&self.head.video_days), days_of(spans));
        match days.len() {
            ..CHUNK_VALUES => table.read(0, days, out),
            _ => table.read_once(0, days, out),
        }
    }

    /// Appends the sums of one metric, in the same order.
    pub fn read_span_sums(&self, spans: &[VideoSpan], metric: Metric, out: &mut Vec<i64>) -> Result<(), ReadError> {
        if metric != Metric::TimedViews || self.object.version <= 2 {
            let (table, days) = (self.table(&self.head.video_days), days_of(spans));
            let column = metric as usize;
            return match days.len() {
                ..CHUNK_VALUES => table.read_wide(column, days, out),
                _ => table.read_wide_once(column, days, out),
            };
        }
        let start = out.len();
        self.read_span_sums(spans, Metric::Views, out)?;
        let mut sums = out.iter_mut().skip(start);
        for span in spans {
            for sum in sums.by_ref().take(span.days.len()) {
                *sum = if span.duration_ms.is_some() { *sum } else { 0 };
            }
        }
        Ok(())
    }

    /// The audience of a rollup of this segment; `None` where none was kept and the rows must be scanned.
    pub fn audience(&self, rollup: &DayRollup, of: AudienceOf) -> Result<Option<RoaringBitmap>, ReadError> {
        if rollup.audience == AudienceRef::ABSENT {
            return Ok(None);
        }
        let at = match of {
            AudienceOf::View => AudienceRef { other_bytes: 0, ..rollup.audience },
            AudienceOf::AnyEvent => rollup.audience,
        };
        let [viewed, others] = self.sets(at)?;
        if at.view_bytes > 0 || rollup.viewers.is_empty() {
            return Ok(Some(viewed | others));
        }
        let mut viewers = Vec::new();
        self.read_viewers(rollup.viewers.clone(), &mut viewers)?;
        let viewed = RoaringBitmap::from_sorted_iter(viewers).map_err(|_| DamageError::Malformed("digest"))?;
        Ok(Some(viewed | others))
    }

    /// A creator's days from one to another, ascending, each with its digest where it has one; days without rows are left
    /// out.
    pub fn digests(
        &self,
        creator: CreatorOrd,
        days: RangeInclusive<Day>,
    ) -> Result<Vec<(Day, Option<Digest>)>, ReadError> {
        let Some(found) = self.directory()?.creator(creator) else { return Ok(Vec::new()) };
        let (days, rows) = self.days_within(&self.head.creator_days, found.days.clone(), days)?;
        let Last(Some(head)) = &self.head.digests else { return Ok(days.into_iter().map(|day| (day, None)).collect()) };
        let table = self.table(&head.days);
        let mut columns = [const { Vec::new() }; 8];
        for (column, values) in columns.iter_mut().enumerate() {
            table.read(column, rows.clone(), values)?;
        }
        let mut bases = Vec::new();
        table.read_wide(0, rows, &mut bases)?;
        let digest = |place: usize| {
            let mut row = [0; 8];
            row.iter_mut().zip(&columns).for_each(|(value, column)| *value = column.get(place).copied().unwrap_or(0));
            let [viewer, viewers, view, views, block, offset, view_bytes, other_bytes] = row;
            (viewers > 0).then(|| Digest {
                base_ms: bases.get(place).copied().unwrap_or(0),
                viewers: viewer..viewer.saturating_add(viewers),
                views: view..view.saturating_add(views),
                acts: AudienceRef { block, offset, view_bytes, other_bytes },
            })
        };
        Ok(days.into_iter().enumerate().map(|(place, day)| (day, digest(place))).collect())
    }

    /// Appends a column of a digest of this segment to `out`.
    pub fn read_digest(&self, digest: &Digest, column: DigestColumn, out: &mut Vec<u32>) -> Result<(), ReadError> {
        let Last(Some(head)) = &self.head.digests else { return Ok(()) };
        let (viewers, views) = ((&head.viewers, &digest.viewers), (&head.views, &digest.views));
        let ((table, rows), number) = match column {
            DigestColumn::Viewer => (viewers, 0),
            DigestColumn::LastMs => (viewers, 1),
            DigestColumn::Place => (viewers, 2),
            DigestColumn::Person => (viewers, 3),
            DigestColumn::Position => (viewers, 4),
            DigestColumn::Minute => (views, 0),
            DigestColumn::Source => (views, 1),
        };
        match column {
            DigestColumn::Viewer => self.read_viewers(digest.viewers.clone(), out),
            DigestColumn::LastMs if self.object.version > 1 => self.read_last_ms(head, digest, out),
            _ => self.table(table).read(number, rows.clone(), out),
        }
    }

    fn read_viewers(&self, rows: Range<u32>, out: &mut Vec<u32>) -> Result<(), ReadError> {
        let Last(Some(head)) = &self.head.digests else { return Ok(()) };
        let start = out.len();
        self.table(&head.viewers).read(0, rows, out)?;
        let mut viewer = 0_u32;
        for value in out.iter_mut().skip(start) {
            viewer = viewer.wrapping_add(*value);
            *value = viewer;
        }
        Ok(())
    }

    /// The minute of each viewer's last view is in the table of views.
    fn read_last_ms(&self, head: &DigestHead, digest: &Digest, out: &mut Vec<u32>) -> Result<(), ReadError> {
        let (mut rests, mut minutes) = (Vec::new(), Vec::new());
        self.table(&head.viewers).read(1, digest.viewers.clone(), &mut rests)?;
        self.table(&head.views).read(0, digest.views.clone(), &mut minutes)?;
        let of_viewers = minutes.chunk_by(|_, next| next & 1 == 0);
        let lasts = of_viewers.zip(rests).filter_map(|(minutes, rest)| Some((minutes.last()? >> 1, rest)));
        let before = out.len();
        out.extend(lasts.map(|(minute, rest)| minute.wrapping_mul(MINUTE_MS as u32).wrapping_add(rest)));
        if out.len() - before != digest.viewers.len() {
            return Err(DamageError::Malformed("digest").into());
        }
        Ok(())
    }

    /// Who engaged on a digest's day without following, and who followed.
    pub fn digest_acts(&self, digest: &Digest) -> Result<[RoaringBitmap; 2], ReadError> {
        self.sets(digest.acts)
    }

    fn sets(&self, at: AudienceRef) -> Result<[RoaringBitmap; 2], ReadError> {
        if (at.view_bytes, at.other_bytes) == (0, 0) {
            // Nothing was written, perhaps not even a block.
            return Ok(Default::default());
        }
        let bad = DamageError::Malformed("audience reference");
        let span = *self.head.audiences.get(at.block as usize).ok_or(bad)?;
        let block = self.cache.blob(&self.kv, &self.object, span)?;
        let (start, middle) = (at.offset as usize, (at.offset as usize).saturating_add(at.view_bytes as usize));
        let end = middle.saturating_add(at.other_bytes as usize);
        let part = |range: Range<usize>| block.get(range).ok_or(DamageError::Malformed("audience reference"));
        Ok([read_set(part(start..middle)?)?, read_set(part(middle..end)?)?])
    }

    /// The days of a table of days that lie within a range, and their rows.
    fn days_within(
        &self,
        head: &TableHead,
        rows: Range<u32>,
        range: RangeInclusive<Day>,
    ) -> Result<(Vec<Day>, Range<u32>), ReadError> {
        let mut days = Vec::new();
        self.table(head).read(0, rows.clone(), &mut days)?;
        let (first, last) = (u32::from(range.start().number()), u32::from(range.end().number()));
        let skip = days.partition_point(|&day| day < first);
        let stop = days.partition_point(|&day| day <= last);
        let days = days.get(skip..stop).unwrap_or_default().iter().map(|&day| day_of_number(day));
        Ok((days.collect::<Result<_, _>>()?, rows.start + skip as u32..rows.start + stop as u32))
    }

    fn rollups(
        &self,
        head: &TableHead,
        rows: Range<u32>,
        range: DayRange,
    ) -> Result<(Vec<DayRollup>, Range<u32>), ReadError> {
        let table = self.table(head);
        let (days, rows) = self.days_within(head, rows, range.first()..=range.last())?;
        let mut places = [const { Vec::new() }; 4];
        for (column, values) in (1..).zip(&mut places) {
            table.read(column, rows.clone(), values)?;
        }
        let mut rollups = Vec::with_capacity(days.len());
        let [blocks, offsets, views, others] = &places;
        let refs = blocks.iter().zip(offsets).zip(views.iter().zip(others));
        for (day, ((&block, &offset), (&view_bytes, &other_bytes))) in days.into_iter().zip(refs) {
            let audience = AudienceRef { block, offset, view_bytes, other_bytes };
            rollups.push(DayRollup { day, tally: Tally::default(), audience, viewers: 0..0 });
        }
        let mut sums = Vec::new();
        for (column, metric) in Metric::ALL.into_iter().enumerate() {
            sums.clear();
            table.read_wide(column, rows.clone(), &mut sums)?;
            for (rollup, &sum) in rollups.iter_mut().zip(&sums) {
                rollup.tally[metric] = sum as u64;
            }
        }
        Ok((rollups, rows))
    }

    fn table<'s>(&'s self, head: &'s TableHead) -> Table<'s> {
        Table { kv: &self.kv, cache: &self.cache, object: &self.object, head }
    }

    fn directory(&self) -> Result<&Directory, ReadError> {
        if let Some(directory) = self.directory.get() {
            return Ok(directory);
        }
        let read = self.read_directory()?;
        Ok(self.directory.get_or_init(|| read))
    }

    fn read_directory(&self) -> Result<Directory, ReadError> {
        let column = |head: &TableHead, column: usize| -> Result<Vec<u32>, ReadError> {
            // The last chunk is decoded with a little room behind it.
            let mut values = Vec::with_capacity(head.rows as usize + 128);
            self.table(head).read_whole(column, &mut values)?;
            Ok(values)
        };
        let (mut row, mut day) = (Cursor(0), Cursor(0));
        let mut spans = Vec::with_capacity(self.head.spans.rows as usize);
        let (videos, rows) = (column(&self.head.spans, 0)?, column(&self.head.spans, 1)?);
        let (durations, days) = (column(&self.head.spans, 2)?, column(&self.head.spans, 3)?);
        for (((&video, &rows), &duration), &days) in videos.iter().zip(&rows).zip(&durations).zip(&days) {
            spans.push(VideoSpan {
                video: video_of_code(video),
                rows: row.take(rows)?,
                duration_ms: (duration > 0).then_some(duration),
                days: day.take(days)?,
            });
        }
        let (mut span, mut day) = (Cursor(0), Cursor(0));
        let mut creators = Vec::with_capacity(self.head.creators.rows as usize);
        let (ordinals, counts) = (column(&self.head.creators, 0)?, column(&self.head.creators, 1)?);
        let days = column(&self.head.creators, 2)?;
        for ((&creator, &count), &days) in ordinals.iter().zip(&counts).zip(&days) {
            creators.push(CreatorSpan {
                creator: CreatorOrd(creator),
                spans: span.take(count)?,
                days: day.take(days)?,
            });
        }
        Ok(Directory { creators, spans })
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        self.garbage.dropped(self.object.listed);
    }
}

impl Directory {
    fn creator(&self, creator: CreatorOrd) -> Option<&CreatorSpan> {
        let place = self.creators.binary_search_by_key(&creator, |span| span.creator).ok()?;
        self.creators.get(place)
    }

    fn by_video(&self) -> ByVideo {
        let mut by_video = Vec::with_capacity(self.spans.len());
        for (place, creator) in (0..).zip(&self.creators) {
            for span in creator.spans.clone() {
                if let Some(video) = self.spans.get(span as usize).and_then(|span| span.video) {
                    by_video.push((video, place, span));
                }
            }
        }
        by_video.sort_unstable();
        by_video
    }
}

fn days_of(spans: &[VideoSpan]) -> Range<u32> {
    match (spans.first(), spans.last()) {
        (Some(first), Some(last)) => first.days.start..last.days.end,
        _ => 0..0,
    }
}

/// Turns lengths into ranges.
struct Cursor(u32);

impl Cursor {
    fn take(&mut self, length: u32) -> Result<Range<u32>, DamageError> {
        let start = self.0;
        self.0 = start.checked_add(length).ok_or(DamageError::Malformed("directory"))?;
        Ok(start..self.0)
    }
}

fn places(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}
