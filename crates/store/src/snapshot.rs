//! A consistent view of the store that never changes.

use std::sync::Arc;

use throng_model::Day;

use crate::catalogue::Catalogue;
use crate::root::Seals;
use crate::row::CreatorOrd;
use crate::segment::Segment;
use crate::tail::Tail;

/// What the store held after one commit.
pub struct Snapshot {
    pub(crate) generation: u64,
    pub(crate) catalogue: Catalogue,
    pub(crate) seals: Seals,
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) tail: Tail,
    /// Grows when a zone changes; see the writer.
    pub(crate) zone_epoch: u64,
}

impl Snapshot {
    /// The commit's number; grows by at least one with each commit.
    pub fn generation(&self) -> u64 {
        self.generation
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

    /// A creator's last sealed day, in its zone; `None` where no day is sealed or the creator is unknown.
    pub fn sealed_through(&self, creator: CreatorOrd) -> Option<Day> {
        sealed_through(&self.catalogue, &self.seals, creator)
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
