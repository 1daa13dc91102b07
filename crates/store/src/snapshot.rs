//! A consistent view of the store that never changes.

use std::sync::Arc;

use roaring::RoaringBitmap;
use throng_model::Day;

use crate::catalogue::Catalogue;
use crate::kv::Kv;
use crate::root::Seals;
use crate::row::{CreatorOrd, VideoOrd};
use crate::segment::Segment;
use crate::summary::Summary;
use crate::tail::Tail;

/// One compaction that removed rows of erased viewers: what was asked before it may have counted them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    /// Counts from 1.
    pub number: u32,
    /// The day it ran on, or the newest sealed day of any creator where that is later.
    pub day: Day,
    /// Drawn when it ran: tells it from the epoch of the same number that another copy of the store comes to.
    pub nonce: u64,
}

/// What the store held after one commit.
pub struct Snapshot {
    /// Where the segments lie: a compaction moves to another database.
    pub(crate) kv: Arc<Kv>,
    pub(crate) generation: u64,
    pub(crate) settled_generation: u64,
    pub(crate) catalogue: Catalogue,
    pub(crate) seals: Seals,
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) tail: Tail,
    pub(crate) rows_from: Option<Day>,
    pub(crate) summaries: Vec<Arc<Summary>>,
    /// Grows when a zone changes; see the writer.
    pub(crate) zone_epoch: u64,
    pub(crate) epochs: Arc<[Epoch]>,
    pub(crate) pending_erasures: Arc<RoaringBitmap>,
    pub(crate) noise_key_check: Option<[u8; 16]>,
}

impl Snapshot {
    /// The commit's number; grows by at least one with each commit.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The number of the last commit that was more than rows of open days of known creators and videos.
    ///
    /// Invariant: snapshots of one process that agree in it agree in the catalogue, in what is sealed and in all rows of
    /// sealed days; a commit that cannot be told to keep this counts as one that does not.
    pub fn settled_generation(&self) -> u64 {
        self.settled_generation
    }

    /// Creators, videos and hashtags.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Sorted runs of rows; a creator's rows may lie in all of them.
    pub fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// Rows that are in no segment yet.
    pub fn tail(&self) -> &Tail {
        &self.tail
    }

    /// The first day whose rows are all kept; `None` where no rows ever expired. A creator's days before it have none, bar
    /// those that were not sealed when rows last expired.
    pub fn rows_from(&self) -> Option<Day> {
        self.rows_from
    }

    /// What is known of days whose rows have expired. A creator's day is in at most one of them.
    pub fn summaries(&self) -> &[Arc<Summary>] {
        &self.summaries
    }

    /// A creator's last sealed day, in its zone; `None` where no day is sealed or the creator is unknown.
    pub fn sealed_through(&self, creator: CreatorOrd) -> Option<Day> {
        sealed_through(&self.catalogue, &self.seals, creator)
    }

    /// Compactions that removed rows of erased viewers, in their order.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// A video's last sealed day: on its channel, and on those that it was on before.
    pub fn video_sealed_through(&self, video: VideoOrd) -> Option<Day> {
        self.catalogue.video(video)?.sealed_through(&self.catalogue, &self.seals)
    }

    /// The last day that is sealed for every creator, also for ones that are still to come.
    pub fn sealed_everywhere(&self) -> Option<Day> {
        self.seals.everywhere()
    }

    /// The sealed days of a creator that were reopened, with how often.
    pub fn reopened(&self, creator: CreatorOrd) -> impl Iterator<Item = (Day, u32)> {
        let days = self.catalogue.creator(creator).map(|entry| &entry.reopened);
        days.into_iter().flatten().map(|(&day, &generation)| (day, generation))
    }

    /// The sealed days of any creator that were reopened, with how often.
    pub fn reopened_anywhere(&self) -> impl Iterator<Item = (CreatorOrd, Day, u32)> {
        let creators = self.catalogue.reopened_creators();
        creators.flat_map(|creator| self.reopened(creator).map(move |(day, generation)| (creator, day, generation)))
    }

    /// How often a creator's sealed day was reopened.
    pub fn day_generation(&self, creator: CreatorOrd, day: Day) -> u32 {
        self.catalogue.creator(creator).and_then(|entry| entry.reopened.get(&day).copied()).unwrap_or(0)
    }
}

pub(crate) fn sealed_through(catalogue: &Catalogue, seals: &Seals, creator: CreatorOrd) -> Option<Day> {
    let entry = catalogue.creator(creator)?;
    entry.sealed_through.max(seals.through(&entry.zone))
}
