//! What public counters need of a channel's share of a segment, decoded once and kept while there is room.
//!
//! Segments never change, so nothing here grows old. Three things are kept apart, so that a question pays for what it
//! needs only: a channel's days, where its videos' days lie, and one metric's sums of the latter.

use std::sync::{Arc, Weak};

use quick_cache::sync::Cache;
use throng_model::Metric;
use throng_store::{CreatorOrd, KvError, ReadError, Segment, may_wait};

use crate::day_sums::DaySums;
use crate::platform::PlatformSums;
use crate::video_sums::VideoSums;

/// Bytes that all of this together may take.
const BYTES_MAX: u64 = 48 << 20;
/// Stands for all channels in a key.
const ALL_CHANNELS: CreatorOrd = CreatorOrd(u32::MAX);
/// How many entries are expected; the bound is on bytes.
const ENTRIES: usize = 1 << 12;

/// The kept sums of an engine.
pub(crate) struct KeptSums {
    days: Shelf<DaySums>,
    videos: Shelf<VideoSums>,
    sums: Shelf<Box<[u64]>>,
    platform: Shelf<PlatformSums>,
}

impl KeptSums {
    pub(crate) fn new() -> Self {
        Self { days: Shelf::new(), videos: Shelf::new(), sums: Shelf::new(), platform: Shelf::new() }
    }

    /// A channel's days. What of audiences is kept suffices for so many viewers.
    pub(crate) fn days(
        &self,
        segment: &Arc<Segment>,
        creator: CreatorOrd,
        enough: u64,
    ) -> Result<Arc<Kept<DaySums>>, ReadError> {
        self.days.get(segment, (creator, enough), || DaySums::read(segment, creator, enough))
    }

    /// Where the days of a channel's videos lie.
    pub(crate) fn videos(
        &self,
        segment: &Arc<Segment>,
        creator: CreatorOrd,
        enough: u64,
    ) -> Result<Arc<Kept<VideoSums>>, ReadError> {
        self.videos.get(segment, (creator, enough), || VideoSums::read(segment, segment.creator_videos(creator)?))
    }

    /// The days of all channels together.
    pub(crate) fn platform(&self, segment: &Arc<Segment>, enough: u64) -> Result<Arc<Kept<PlatformSums>>, ReadError> {
        self.platform.get(segment, (ALL_CHANNELS, enough), || PlatformSums::read(segment, enough))
    }

    /// A metric of the days of a channel's videos, each value the sum of all days before.
    pub(crate) fn sums(
        &self,
        segment: &Arc<Segment>,
        creator: CreatorOrd,
        metric: Metric,
    ) -> Result<Arc<Kept<Box<[u64]>>>, ReadError> {
        self.sums.get(segment, (creator, metric as u64), || {
            let mut values = Vec::new();
            segment.read_span_sums(segment.creator_videos(creator)?, metric, &mut values)?;
            let mut sum = 0;
            let sums = values.into_iter().map(|value| {
                sum += value as u64;
                sum
            });
            Ok(std::iter::once(0).chain(sums).collect())
        })
    }
}

/// A thing that is kept, and the segment it is about.
///
/// Invariant: while it is kept, no other segment can have the address that is its key, since this reference holds it.
pub(crate) struct Kept<T> {
    _segment: Weak<Segment>,
    pub(crate) value: T,
}

/// The segment's address, the channel, and what else tells things of one kind apart.
type Key = (usize, CreatorOrd, u64);

struct Shelf<T> {
    cache: Cache<Key, Arc<Kept<T>>, ByBytes>,
}

impl<T: Bytes> Shelf<T> {
    fn new() -> Self {
        Self { cache: Cache::with_weighter(ENTRIES, BYTES_MAX / 4, ByBytes) }
    }

    fn get(
        &self,
        segment: &Arc<Segment>,
        (creator, of): (CreatorOrd, u64),
        read: impl FnOnce() -> Result<T, ReadError>,
    ) -> Result<Arc<Kept<T>>, ReadError> {
        let key = (Arc::as_ptr(segment).addr(), creator, of);
        let keep = || Ok(Arc::new(Kept { _segment: Arc::downgrade(segment), value: read()? }));
        if !may_wait() {
            return self.cache.get(&key).ok_or(ReadError::Kv(KvError::WouldWait));
        }
        self.cache.get_or_insert_with(&key, keep)
    }
}

/// The bytes that a thing may come to take.
pub(crate) trait Bytes {
    fn bytes(&self) -> usize;
}

impl Bytes for Box<[u64]> {
    fn bytes(&self) -> usize {
        size_of_val::<[u64]>(self)
    }
}

#[derive(Clone)]
struct ByBytes;

impl<T: Bytes> quick_cache::Weighter<Key, Arc<Kept<T>>> for ByBytes {
    fn weight(&self, _: &Key, kept: &Arc<Kept<T>>) -> u64 {
        (kept.value.bytes() + 256) as u64
    }
}
