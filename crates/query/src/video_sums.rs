//! Where the days of a channel's videos lie in a segment, how many events they have, and who is behind them.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use roaring::RoaringBitmap;
use throng_model::{DayRange, Kind, Metric};
use throng_store::{ReadError, Segment, Snapshot, VideoOrd, VideoSpan};

use crate::day_sums::Agreed;
use crate::kept_sums::Bytes;
use crate::look::{Found, look, look_at};

/// The most rows of a video whose days are looked at to learn whether they ascend. Of more, a few suffice nearly always.
const ROWS_MAX: usize = 65_536;

/// The days of a channel's videos in a segment, video by video.
pub(crate) struct VideoSums {
    videos: Vec<Option<VideoOrd>>,
    /// Where each video's days begin, and at last where all end.
    starts: Vec<u32>,
    days: Vec<u16>,
    /// Events of all days before.
    events: Vec<u32>,
    /// Per video the first and the last of some days, as one number, that are known to have enough viewers together; 0
    /// where none are known.
    reaching: Vec<AtomicU32>,
    /// Per video whether its days ascend with its rows, once that was asked.
    ascending: Vec<OnceLock<bool>>,
    lengths: Agreed,
}

impl VideoSums {
    pub(crate) fn read(segment: &Segment, spans: &[VideoSpan]) -> Result<Self, ReadError> {
        let (mut days, mut sums) = (Vec::new(), Vec::new());
        segment.read_span_days(spans, &mut days)?;
        let mut events = vec![0_u32; days.len() + 1];
        for &kind in Kind::ALL {
            sums.clear();
            segment.read_span_sums(spans, Metric::of(kind), &mut sums)?;
            events.iter_mut().skip(1).zip(&sums).for_each(|(events, &sum)| *events += sum as u32);
        }
        let mut before = 0;
        events.iter_mut().for_each(|events| {
            before += *events;
            *events = before;
        });
        let mut starts = vec![0];
        starts.extend(spans.iter().scan(0, |end, span| {
            *end += span.day_count() as u32;
            Some(*end)
        }));
        Ok(Self {
            videos: spans.iter().map(|span| span.video).collect(),
            starts,
            days: days.into_iter().map(|day| day as u16).collect(),
            events,
            reaching: spans.iter().map(|_| AtomicU32::new(0)).collect(),
            ascending: spans.iter().map(|_| OnceLock::new()).collect(),
            lengths: Agreed::default(),
        })
    }

    /// Number of videos.
    pub(crate) fn len(&self) -> usize {
        self.videos.len()
    }

    /// Per video with any event in a range its place, where the days of the range lie, and the number of events.
    pub(crate) fn within(&self, range: DayRange) -> impl Iterator<Item = (usize, VideoOrd, Range<usize>, u32)> {
        let bounds = self.starts.iter().zip(self.starts.iter().skip(1)).zip(&self.videos).enumerate();
        bounds.filter_map(move |(place, ((&start, &end), &video))| {
            let days = self.days_within(start as usize..end as usize, range);
            let events = self.events_of(&days);
            (events > 0).then_some((place, video?, days, events))
        })
    }

    /// The place of a video.
    pub(crate) fn place(&self, video: VideoOrd) -> Option<usize> {
        self.videos.binary_search(&Some(video)).ok()
    }

    fn events_of(&self, days: &Range<usize>) -> u32 {
        let before = |day: usize| self.events.get(day).copied().unwrap_or(0);
        before(days.end) - before(days.start)
    }

    fn days_within(&self, of_video: Range<usize>, range: DayRange) -> Range<usize> {
        let days = self.days.get(of_video.clone()).unwrap_or_default();
        let (Some(&first), Some(&last)) = (days.first(), days.last()) else { return 0..0 };
        let (from, past) = (range.first().number(), range.last().number() + 1);
        let is_dense = usize::from(last - first) + 1 == days.len();
        let before = |day: u16| match is_dense {
            true => usize::from(day.saturating_sub(first)).min(days.len()),
            false => days.partition_point(|&each| each < day),
        };
        of_video.start + before(from)..of_video.start + before(past)
    }

    /// Whether a video is known to have enough viewers in a range.
    pub(crate) fn is_known_to_reach(&self, place: usize, range: DayRange) -> bool {
        let known = self.reaching.get(place).map_or(0, |days| days.load(Ordering::Relaxed));
        known > 0 && known >> 16 >= range.first().number().into() && known & 0xffff <= range.last().number().into()
    }

    /// Viewers of a video in a range: all where they are fewer than enough, otherwise enough of them.
    pub(crate) fn viewers(
        &self,
        segment: &Segment,
        (place, span): (usize, &VideoSpan),
        range: DayRange,
        enough: u64,
    ) -> Result<RoaringBitmap, ReadError> {
        let start = self.starts.get(place).map_or(0, |&start| start as usize);
        let of_video = start..start + span.day_count();
        let days = self.days_within(of_video.clone(), range);
        let (before, wanted) = (self.events_of(&(start..days.start)), self.events_of(&days));
        let found = if wanted > 0 && self.ascends(segment, (place, span))? {
            let from = span.rows.start.saturating_add(before);
            let rows = from..from.saturating_add(wanted).min(span.rows.end);
            let (viewers, end) = look_at(segment, rows, enough)?;
            let last = self.day_of(of_video.clone(), before + end.saturating_sub(from + 1));
            let reached = (viewers.len() >= enough).then(|| self.day_of(of_video, before).zip(last)).flatten();
            Found { viewers, reached }
        } else {
            look(segment, &span.rows, range, (before, wanted), enough)?
        };
        if let (Some((first, last)), Some(known)) = (found.reached, self.reaching.get(place)) {
            // True for ever, whoever finds it first: the segment does not change.
            known.store(first << 16 | last, Ordering::Relaxed);
        }
        Ok(found.viewers)
    }

    /// Whether a video's days are known to ascend with its rows.
    fn ascends(&self, segment: &Segment, (place, span): (usize, &VideoSpan)) -> Result<bool, ReadError> {
        let Some(known) = self.ascending.get(place) else { return Ok(false) };
        if let Some(&known) = known.get() {
            return Ok(known);
        }
        let ascends = span.rows.len() <= ROWS_MAX && segment.days_ascend(span)?;
        Ok(*known.get_or_init(|| ascends))
    }

    /// The day of a row of a video whose days ascend with its rows, counted from its first row.
    fn day_of(&self, of_video: Range<usize>, row: u32) -> Option<u32> {
        let before = self.events.get(of_video.start)?.saturating_add(row);
        let ends = self.events.get(of_video.start + 1..=of_video.end)?;
        let day = of_video.start + ends.partition_point(|&end| end <= before);
        self.days.get(day).map(|&day| day.into())
    }

    /// Whether the sums judge completion by the lengths that the catalogue has now.
    pub(crate) fn lengths_hold(&self, snapshot: &Snapshot, spans: &[VideoSpan]) -> bool {
        self.lengths.ask(snapshot, spans)
    }
}

impl Bytes for VideoSums {
    fn bytes(&self) -> usize {
        self.videos.len() * 24 + self.days.len() * 6
    }
}
