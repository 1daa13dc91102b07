//! Summaries: what is left of days whose rows have expired. Sums and numbers of viewers, never a viewer.
//!
//! ```text
//! spans = a row per creator and scope: creator, scope, days       sorted
//! days  = a row per span and day: day, viewers; one wide column a metric
//! scope = 0 everything of the creator | 1 events without a video | 2 + video
//! ```
//!
//! A creator's day is in at most one summary: it expires once, whole, and nothing may be added to it afterwards. This
//! file reads and writes; `expire` says what goes into a summary and when.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bincode::{Decode, Encode};
use throng_model::{Day, DayRange, Kind, Metric, Tally};

use crate::codec::DamageError;
use crate::garbage::Garbage;
use crate::kv::{Batch, Kv, KvError};
use crate::object::{Object, ObjectRef, ObjectWriter, ReadError};
use crate::row::{CreatorOrd, VideoOrd, day_of_number};
use crate::table::{ChunkCache, Table, TableHead, TableWriter};

const METRICS: usize = Metric::ALL.len();

const BAD: DamageError = DamageError::Malformed("summary");

/// What is known of an expired day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaySummary {
    /// The day.
    pub day: Day,
    /// Its sums; completion is judged by the lengths that the catalogue held when the rows went.
    pub tally: Tally,
    /// Distinct viewers with any event. Those of two days, or of two videos, may be the same people.
    pub viewers: u32,
}

/// Whose days: all events of a creator, those without a video, or those of one video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ScopeOf {
    Everything,
    NoVideo,
    Video(VideoOrd),
}

impl ScopeOf {
    pub(crate) fn of_video(video: Option<VideoOrd>) -> Self {
        video.map_or(Self::NoVideo, Self::Video)
    }

    fn code(self) -> u32 {
        match self {
            Self::Everything => 0,
            Self::NoVideo => 1,
            Self::Video(video) => video.0.saturating_add(2),
        }
    }

    fn from_code(code: u32) -> Self {
        match code.checked_sub(2) {
            Some(video) => Self::Video(VideoOrd(video)),
            None if code == 1 => Self::NoVideo,
            None => Self::Everything,
        }
    }
}

/// A creator's days by scope, as they are gathered and written.
pub(crate) type Scopes = BTreeMap<ScopeOf, Vec<DaySummary>>;

#[derive(Encode, Decode)]
struct SummaryHead {
    first_day: u16,
    last_day: u16,
    spans: TableHead,
    days: TableHead,
}

/// A summary opened for reading.
pub struct Summary {
    kv: Arc<Kv>,
    cache: Arc<ChunkCache>,
    object: Object,
    head: SummaryHead,
    directory: OnceLock<Directory>,
    garbage: Arc<Garbage>,
}

struct Span {
    creator: CreatorOrd,
    scope: ScopeOf,
    days: Range<u32>,
}

struct Directory {
    spans: Vec<Span>,
    /// (video, place in `spans`), sorted.
    by_video: Vec<(VideoOrd, u32)>,
}

impl Directory {
    fn of_creator(&self, creator: CreatorOrd) -> &[Span] {
        let start = self.spans.partition_point(|span| span.creator < creator);
        let end = self.spans.partition_point(|span| span.creator <= creator);
        self.spans.get(start..end).unwrap_or_default()
    }
}

impl Summary {
    pub(crate) fn open(
        kv: &Arc<Kv>,
        cache: &Arc<ChunkCache>,
        garbage: &Arc<Garbage>,
        listed: ObjectRef,
    ) -> Result<Self, ReadError> {
        let (object, head) = Object::open::<SummaryHead>(kv, listed)?;
        let (kv, cache, garbage) = (kv.clone(), cache.clone(), garbage.clone());
        Ok(Self { kv, cache, object, head, directory: OnceLock::new(), garbage })
    }

    /// Days of everything on a channel within a range, ascending.
    pub fn creator_days(&self, creator: CreatorOrd, range: DayRange) -> Result<Vec<DaySummary>, ReadError> {
        let everything = |span: &&Span| span.scope == ScopeOf::Everything;
        match self.touched(range)?.and_then(|directory| directory.of_creator(creator).iter().find(everything)) {
            Some(span) => self.days(span, range),
            None => Ok(Vec::new()),
        }
    }

    /// A channel's videos with their days within a range, ascending. Videos without such a day are left out.
    pub fn channel_videos(
        &self,
        creator: CreatorOrd,
        range: DayRange,
    ) -> Result<Vec<(VideoOrd, Vec<DaySummary>)>, ReadError> {
        let mut videos = Vec::new();
        let spans = self.touched(range)?.map_or(&[][..], |directory| directory.of_creator(creator));
        for span in spans {
            if let ScopeOf::Video(video) = span.scope {
                let days = self.days(span, range)?;
                if !days.is_empty() {
                    videos.push((video, days));
                }
            }
        }
        Ok(videos)
    }

    /// A video's days within a range. A day comes once for each channel that the video's events were counted for; nearly
    /// always that is one.
    pub fn video_days(&self, video: VideoOrd, range: DayRange) -> Result<Vec<DaySummary>, ReadError> {
        let Some(directory) = self.touched(range)? else { return Ok(Vec::new()) };
        let start = directory.by_video.partition_point(|entry| entry.0 < video);
        let mut days = Vec::new();
        for &(_, place) in directory.by_video.iter().skip(start).take_while(|entry| entry.0 == video) {
            if let Some(span) = directory.spans.get(place as usize) {
                days.append(&mut self.days(span, range)?);
            }
        }
        Ok(days)
    }

    pub(crate) fn listed(&self) -> ObjectRef {
        self.object.listed
    }

    /// Rows of `days`: what reading or writing the summary costs.
    pub(crate) fn len(&self) -> u32 {
        self.head.days.rows
    }

    /// Creators with days here, ascending.
    pub fn creators(&self) -> Result<Vec<CreatorOrd>, ReadError> {
        let mut creators: Vec<_> = self.directory()?.spans.iter().map(|span| span.creator).collect();
        creators.dedup();
        Ok(creators)
    }

    /// Everything of a creator.
    pub(crate) fn scopes(&self, creator: CreatorOrd) -> Result<Scopes, ReadError> {
        let spans = self.directory()?.of_creator(creator);
        spans.iter().map(|span| Ok((span.scope, self.read(span.days.clone())?))).collect()
    }

    /// Reads everything and holds it against itself; gives the number of events.
    pub(crate) fn check(&self, rows_from: Option<Day>) -> Result<u64, ReadError> {
        let order: Vec<_> = self.directory()?.spans.iter().map(|span| (span.creator, span.scope)).collect();
        let mut holds = order.is_sorted_by(|a, b| a < b);
        let mut events = 0;
        for creator in self.creators()? {
            let scopes = self.scopes(creator)?;
            let everything = scopes.get(&ScopeOf::Everything).map_or(&[][..], Vec::as_slice);
            holds &= scopes.values().all(|days| days.is_sorted_by(|a, b| a.day < b.day));
            holds &= everything.last().is_some_and(|last| Some(last.day) < rows_from);
            let parts = scopes.iter().filter(|(scope, _)| **scope != ScopeOf::Everything);
            let mut sums: BTreeMap<Day, (Tally, u32, u32)> = BTreeMap::new();
            for day in parts.flat_map(|(_, days)| days) {
                let (tally, most, all) = sums.entry(day.day).or_default();
                *tally += day.tally;
                (*most, *all) = ((*most).max(day.viewers), all.saturating_add(day.viewers));
            }
            holds &= everything.len() == sums.len();
            for (whole, (day, (tally, most, all))) in everything.iter().zip(sums) {
                holds &= (whole.day, whole.tally) == (day, tally) && (most.max(1)..=all).contains(&whole.viewers);
                events += Kind::ALL.iter().map(|&kind| tally[Metric::of(kind)]).sum::<u64>();
            }
        }
        if holds { Ok(events) } else { Err(BAD.into()) }
    }

    fn touched(&self, range: DayRange) -> Result<Option<&Directory>, ReadError> {
        let touches = range.first().number() <= self.head.last_day && self.head.first_day <= range.last().number();
        if touches { self.directory().map(Some) } else { Ok(None) }
    }

    fn days(&self, span: &Span, range: DayRange) -> Result<Vec<DaySummary>, ReadError> {
        let mut days = Vec::new();
        self.table(&self.head.days).read(0, span.days.clone(), &mut days)?;
        let (first, last) = (u32::from(range.first().number()), u32::from(range.last().number()));
        let skip = days.partition_point(|&day| day < first) as u32;
        let stop = days.partition_point(|&day| day <= last) as u32;
        self.read(span.days.start + skip..span.days.start + stop)
    }

    fn read(&self, rows: Range<u32>) -> Result<Vec<DaySummary>, ReadError> {
        let table = self.table(&self.head.days);
        let (mut days, mut viewers, mut sums) = (Vec::new(), Vec::new(), Vec::new());
        table.read(0, rows.clone(), &mut days)?;
        table.read(1, rows.clone(), &mut viewers)?;
        let mut summaries = Vec::with_capacity(days.len());
        for (&day, &viewers) in days.iter().zip(&viewers) {
            summaries.push(DaySummary { day: day_of_number(day)?, tally: Tally::default(), viewers });
        }
        for (column, metric) in Metric::ALL.into_iter().enumerate() {
            sums.clear();
            table.read_wide(column, rows.clone(), &mut sums)?;
            for (summary, &sum) in summaries.iter_mut().zip(&sums) {
                summary.tally[metric] = sum as u64;
            }
        }
        Ok(summaries)
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
        let mut columns = [const { Vec::new() }; 3];
        for (column, values) in columns.iter_mut().enumerate() {
            self.table(&self.head.spans).read(column, 0..self.head.spans.rows, values)?;
        }
        let [creators, scopes, lengths] = &columns;
        let mut spans = Vec::with_capacity(creators.len());
        let mut start = 0_u32;
        for ((&creator, &scope), &length) in creators.iter().zip(scopes).zip(lengths) {
            let end = start.checked_add(length).ok_or(BAD)?;
            spans.push(Span { creator: CreatorOrd(creator), scope: ScopeOf::from_code(scope), days: start..end });
            start = end;
        }
        let videos = (0..).zip(&spans).filter_map(|(place, span)| match span.scope {
            ScopeOf::Video(video) => Some((video, place)),
            ScopeOf::Everything | ScopeOf::NoVideo => None,
        });
        let mut by_video: Vec<(VideoOrd, u32)> = videos.collect();
        by_video.sort_unstable();
        Ok(Directory { spans, by_video })
    }
}

impl Drop for Summary {
    fn drop(&mut self) {
        self.garbage.dropped(self.object.listed);
    }
}

/// Builds a summary; takes one creator after the other, ascending.
pub(crate) struct SummaryWriter<'kv> {
    out: ObjectWriter<'kv>,
    spans: TableWriter<3, 0>,
    days: TableWriter<2, METRICS>,
    range: Option<(Day, Day)>,
}

impl<'kv> SummaryWriter<'kv> {
    pub(crate) fn new(kv: &'kv Kv, number: u64) -> Self {
        let out = ObjectWriter::new(kv, number);
        Self { out, spans: TableWriter::new(), days: TableWriter::new(), range: None }
    }

    /// Adds everything of a creator; days of each scope ascend.
    pub(crate) fn push(&mut self, creator: CreatorOrd, scopes: &Scopes) -> Result<(), KvError> {
        for (scope, days) in scopes {
            let length = u32::try_from(days.len()).unwrap_or(u32::MAX);
            self.spans.push(&mut self.out, [creator.0, scope.code(), length], [])?;
            for DaySummary { day, tally, viewers } in days {
                let narrow = [u32::from(day.number()), *viewers];
                self.days.push(&mut self.out, narrow, Metric::ALL.map(|metric| tally[metric] as i64))?;
                let (first, last) = self.range.unwrap_or((*day, *day));
                self.range = Some((first.min(*day), last.max(*day)));
            }
        }
        Ok(())
    }

    /// Writes what is left; the summary exists once `batch` is committed with a root that lists it.
    pub(crate) fn finish(mut self, batch: &mut Batch) -> Result<ObjectRef, KvError> {
        let (first_day, last_day) = self.range.unwrap_or((Day::MIN, Day::MIN));
        let head = SummaryHead {
            first_day: first_day.number(),
            last_day: last_day.number(),
            spans: self.spans.finish(&mut self.out)?,
            days: self.days.finish(&mut self.out)?,
        };
        Ok(self.out.finish(head, batch))
    }
}
