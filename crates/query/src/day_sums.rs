//! The sums of a channel's days in a segment, and of each day's viewers as many as suffice.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use throng_model::DayRange;
use throng_store::{AudienceOf, CreatorOrd, DayRollup, ReadError, Segment, Snapshot, VideoSpan};

use crate::kept_sums::Bytes;

/// Days of a segment that are read at once: few enough for a range.
const DAYS_A_READ: i64 = 1_024;

/// A channel's days in a segment.
pub(crate) struct DaySums {
    rollups: Vec<DayRollup>,
    /// By day, read when first asked for; `None` where the segment keeps no audience of the day.
    witnesses: Vec<OnceLock<Option<Box<[u32]>>>>,
    enough: u64,
    lengths: Agreed,
}

impl DaySums {
    pub(crate) fn read(segment: &Segment, creator: CreatorOrd, enough: u64) -> Result<Self, ReadError> {
        let (mut from, last) = segment.days()?;
        let mut rollups = Vec::new();
        // A segment may hold more days than a range: its rows come when they come.
        while let Ok(days) = DayRange::new(from, last.min(from.saturating_add(DAYS_A_READ))) {
            rollups.extend(segment.creator_days(creator, days)?);
            from = days.last().next();
            if days.last() == last {
                break;
            }
        }
        let witnesses = rollups.iter().map(|_| OnceLock::new()).collect();
        Ok(Self { rollups, witnesses, enough, lengths: Agreed::default() })
    }

    /// The days within a range, each with its place.
    pub(crate) fn within(&self, range: DayRange) -> impl Iterator<Item = (usize, &DayRollup)> {
        let from = self.rollups.partition_point(|rollup| rollup.day < range.first());
        let days = self.rollups.iter().enumerate().skip(from);
        days.take_while(move |(_, rollup)| rollup.day <= range.last())
    }

    /// Viewers of a day with any event: all where they are fewer than enough, otherwise enough of them. `None` where only
    /// the rows tell.
    pub(crate) fn witness(&self, segment: &Segment, place: usize) -> Result<Option<&[u32]>, ReadError> {
        let (Some(rollup), Some(kept)) = (self.rollups.get(place), self.witnesses.get(place)) else { return Ok(None) };
        if let Some(witness) = kept.get() {
            return Ok(witness.as_deref());
        }
        let enough = usize::try_from(self.enough).unwrap_or(usize::MAX);
        let audience = segment.audience(rollup, AudienceOf::AnyEvent)?;
        let witness = audience.map(|audience| audience.iter().take(enough).collect());
        Ok(kept.get_or_init(|| witness).as_deref())
    }

    /// Whether the sums judge completion by the lengths that the catalogue has now.
    pub(crate) fn lengths_hold(&self, snapshot: &Snapshot, spans: &[VideoSpan]) -> bool {
        self.lengths.ask(snapshot, spans)
    }
}

impl Bytes for DaySums {
    fn bytes(&self) -> usize {
        let of_day = |rollup: &DayRollup| {
            let viewers = rollup.tally.events().min(self.enough) as usize;
            size_of::<DayRollup>() + size_of::<OnceLock<Box<[u32]>>>() + viewers * size_of::<u32>()
        };
        self.rollups.iter().map(of_day).sum()
    }
}

/// Whether the lengths of a segment's videos are those of the catalogue: asked once per commit where they are.
#[derive(Default)]
pub(crate) struct Agreed {
    /// The generation of a snapshot with which they agreed.
    generation: AtomicU64,
}

impl Agreed {
    pub(crate) fn ask(&self, snapshot: &Snapshot, spans: &[VideoSpan]) -> bool {
        // Says nothing of other memory. A store's first commit is its generation 1.
        if snapshot.generation() > 0 && self.generation.load(Ordering::Relaxed) == snapshot.generation() {
            return true;
        }
        let now = |span: &VideoSpan| span.video.and_then(|video| snapshot.catalogue().duration_ms(video));
        let agree = spans.iter().all(|span| now(span) == span.duration_ms);
        if agree {
            self.generation.store(snapshot.generation(), Ordering::Relaxed);
        }
        agree
    }
}
