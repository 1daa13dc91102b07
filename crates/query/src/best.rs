//! A channel's best videos, from kept sums: sums for all its videos, viewers for as few of them as the judgement needs.
//!
//! The gate hides videos with too few viewers, and if these are not enough viewers together, one more (`RawRanking`). A
//! video with fewer events than that has too few viewers, so nearly always a few small videos settle the matter; only
//! where they do not, every other video must be looked at, and then it is remembered on which days it had enough.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use roaring::RoaringBitmap;
use throng_model::{Counter, DayRange, Metric, Tally, VideoId};
use throng_privacy::{Best, Raw, RawRanking};
use throng_store::{Catalogue, CreatorOrd, ReadError, Segment, Snapshot, VideoOrd, VideoSpan};

use crate::collect::expired;
use crate::kept_sums::{Kept, KeptSums};
use crate::video_sums::VideoSums;

/// The most metrics that a counter is computed from.
const METRICS_MAX: usize = 5;

/// The ranking; `None` where kept sums do not tell: days have expired, or completion is judged by other lengths now.
pub(crate) fn best(
    kept: &KeptSums,
    snapshot: &Snapshot,
    creator: CreatorOrd,
    range: DayRange,
    asked: Best,
) -> Result<Option<RawRanking>, ReadError> {
    if expired(snapshot, range).is_some() {
        return Ok(None);
    }
    let shares = shares(kept, snapshot, creator, range, asked)?;
    let lengths_hold = |share: &Share<'_>| share.sums.value.lengths_hold(snapshot, share.spans);
    if asked.by == Counter::CompletionRate && !shares.iter().all(lengths_hold) {
        return Ok(None);
    }
    let (tail, videos) = in_tail(snapshot, creator, range, asked.by);
    let videos = sums(&shares, videos, kept, creator, range, asked.by)?;
    let channel = Channel { catalogue: snapshot.catalogue(), shares, tail, range, enough: asked.enough };
    let best = channel.best(&videos, asked)?;
    let (few, least) = channel.few(&videos)?;
    Ok(Some(RawRanking::seal(best, few, least)))
}

/// A channel's share of a segment.
struct Share<'s> {
    segment: &'s Arc<Segment>,
    spans: &'s [VideoSpan],
    sums: Arc<Kept<VideoSums>>,
}

fn shares<'s>(
    kept: &KeptSums,
    snapshot: &'s Snapshot,
    creator: CreatorOrd,
    range: DayRange,
    asked: Best,
) -> Result<Vec<Share<'s>>, ReadError> {
    let mut shares = Vec::new();
    for segment in snapshot.segments().iter().filter(|segment| segment.touches(range)) {
        let spans = segment.creator_videos(creator)?;
        if !spans.is_empty() {
            shares.push(Share { segment, spans, sums: kept.videos(segment, creator, asked.enough)? });
        }
    }
    Ok(shares)
}

/// One video's events in the range, and the sums that the counter is computed from, in the order of its metrics.
#[derive(Clone, Copy)]
struct Video {
    video: VideoOrd,
    events: u64,
    sums: [u64; METRICS_MAX],
    /// Known to have enough viewers.
    reaches: bool,
}

impl Video {
    fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.reaches |= other.reaches;
        self.sums.iter_mut().zip(other.sums).for_each(|(sum, more)| *sum += more);
    }

    fn value(&self, by: Counter) -> Option<f64> {
        let mut tally = Tally::default();
        by.metrics().iter().zip(self.sums).for_each(|(&metric, sum)| tally[metric] = sum);
        by.of(&tally)
    }
}

/// Viewers and sums by video of rows that are in no segment yet.
fn in_tail(
    snapshot: &Snapshot,
    creator: CreatorOrd,
    range: DayRange,
    by: Counter,
) -> (BTreeMap<VideoOrd, RoaringBitmap>, Vec<Video>) {
    let mut tallies: BTreeMap<VideoOrd, (RoaringBitmap, Tally)> = BTreeMap::new();
    for row in snapshot.tail().creator_rows(creator).filter(|row| range.contains(row.day)) {
        if let (Some(video), Some(kind)) = (row.video, row.kind()) {
            let (viewers, tally) = tallies.entry(video).or_default();
            viewers.insert(row.viewer);
            tally.record(kind, row.watch_ms, snapshot.catalogue().duration_ms(video));
        }
    }
    let sums_of = |tally: &Tally| {
        let mut sums = [0; METRICS_MAX];
        sums.iter_mut().zip(by.metrics()).for_each(|(sum, &metric)| *sum = tally[metric]);
        sums
    };
    let of_video = |(&video, (_, tally)): (&VideoOrd, &(RoaringBitmap, Tally))| Video {
        video,
        events: tally.events(),
        sums: sums_of(tally),
        reaches: false,
    };
    let videos = tallies.iter().map(of_video).collect();
    (tallies.into_iter().map(|(video, (viewers, _))| (video, viewers)).collect(), videos)
}

/// Every video with events, once, in the order of their ordinals.
fn sums(
    shares: &[Share<'_>],
    in_tail: Vec<Video>,
    kept: &KeptSums,
    creator: CreatorOrd,
    range: DayRange,
    by: Counter,
) -> Result<Vec<Video>, ReadError> {
    let mut videos = in_tail;
    for share in shares {
        let read = |&metric: &Metric| kept.sums(share.segment, creator, metric);
        let columns = by.metrics().iter().map(read).collect::<Result<Vec<_>, _>>()?;
        videos.reserve(share.sums.value.len());
        for (place, video, days, events) in share.sums.value.within(range) {
            let mut sums = [0; METRICS_MAX];
            for (sum, column) in sums.iter_mut().zip(&columns) {
                let before = |day: usize| column.value.get(day).copied().unwrap_or(0);
                *sum = before(days.end) - before(days.start);
            }
            let reaches = share.sums.value.is_known_to_reach(place, range);
            videos.push(Video { video, events: events.into(), sums, reaches });
        }
    }
    // Each share comes in order, so this merges.
    videos.sort_by_key(|video| video.video);
    videos.dedup_by(|next, kept| {
        let is_same = next.video == kept.video;
        if is_same {
            kept.add(next);
        }
        is_same
    });
    Ok(videos)
}

/// What is known of a channel's viewers.
struct Channel<'s> {
    catalogue: &'s Catalogue,
    shares: Vec<Share<'s>>,
    tail: BTreeMap<VideoOrd, RoaringBitmap>,
    range: DayRange,
    enough: u64,
}

impl<'s> Channel<'s> {
    /// Videos with enough viewers, the best first, one more than asked for.
    fn best(&self, videos: &[Video], asked: Best) -> Result<Vec<(VideoId<'static>, Raw<f64>)>, ReadError> {
        let large = videos.iter().filter(|video| video.events >= self.enough);
        let candidates = large.filter_map(|video| {
            Some(Candidate { value: video.value(asked.by)?, video: video.video, catalogue: self.catalogue })
        });
        // A heap sorts no more of them than are looked at.
        let mut candidates: BinaryHeap<_> = candidates.collect();
        let mut best = Vec::new();
        while best.len() <= asked.first
            && let Some(candidate) = candidates.pop()
        {
            let viewers = self.viewers(candidate.video)?;
            if let Some(id) = candidate.id().filter(|_| viewers.len() >= self.enough) {
                best.push((id.clone(), Raw::seal(candidate.value, viewers)));
            }
        }
        Ok(best)
    }

    /// Audiences of videos with too few viewers, until they are enough together; and if they never are, the video with the
    /// fewest events among the others.
    fn few(&self, videos: &[Video]) -> Result<(Vec<RoaringBitmap>, Option<VideoId<'static>>), ReadError> {
        let (mut few, mut together) = (Vec::new(), RoaringBitmap::new());
        // Ids are looked up for the few videos that have fewer events than all before them.
        let mut least: Option<(u64, Reverse<&VideoId<'static>>)> = None;
        let (small, large): (Vec<&Video>, Vec<&Video>) = videos.iter().partition(|video| video.events < self.enough);
        for video in small.into_iter().chain(large) {
            let viewers = if video.reaches { RoaringBitmap::new() } else { self.viewers(video.video)? };
            if video.reaches || viewers.len() >= self.enough {
                if least.is_some_and(|(events, _)| events < video.events) {
                    continue;
                }
                let Some(id) = self.id(video.video) else { continue };
                let this = (video.events, Reverse(id));
                least = Some(least.map_or(this, |least| least.min(this)));
                continue;
            }
            together |= &viewers;
            few.push(viewers);
            if few.len() >= 2 && together.len() >= self.enough {
                return Ok((few, None));
            }
        }
        Ok((few, least.map(|(_, Reverse(id))| id.clone())))
    }

    fn id(&self, video: VideoOrd) -> Option<&'s VideoId<'static>> {
        self.catalogue.video(video).map(|entry| &entry.id)
    }

    /// Viewers of a video: all where they are fewer than enough, otherwise enough of them.
    fn viewers(&self, video: VideoOrd) -> Result<RoaringBitmap, ReadError> {
        let mut viewers = self.tail.get(&video).cloned().unwrap_or_default();
        for share in &self.shares {
            if viewers.len() >= self.enough {
                break;
            }
            let sums = &share.sums.value;
            if let Some((place, span)) = sums.place(video).and_then(|place| Some((place, share.spans.get(place)?))) {
                viewers |= sums.viewers(share.segment, (place, span), self.range, self.enough)?;
            }
        }
        Ok(viewers)
    }
}

/// A video by its value; of equals the first by id is the greatest.
struct Candidate<'s> {
    value: f64,
    video: VideoOrd,
    catalogue: &'s Catalogue,
}

impl<'s> Candidate<'s> {
    /// Looked up where values are equal only: most videos are never compared by it.
    fn id(&self) -> Option<&'s VideoId<'static>> {
        self.catalogue.video(self.video).map(|entry| &entry.id)
    }
}

impl Ord for Candidate<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.total_cmp(&other.value).then_with(|| other.id().cmp(&self.id()))
    }
}

impl PartialOrd for Candidate<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate<'_> {}
