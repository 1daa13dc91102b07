//! The whole platform: sums of its days, and who viewed anything on a day.
//!
//! A sealed day's viewers are worked out from all rows of that day, once for each set of segments that hold them, and kept
//! while there is room. Rows are read for a month of days at a time, since each reading passes over most of the store.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;

use quick_cache::sync::Cache;
use roaring::RoaringBitmap;
use throng_model::{Day, DayRange, Tally};
use throng_privacy::RawAudience;
use throng_store::{
    AudienceOf, Catalogue, CreatorOrd, DamageError, KvError, ReadError, Segment, Snapshot, VideoSpan, may_wait,
};

use crate::audience::{seal, viewers};
use crate::block::{Gaps, scan_once};
use crate::cells::{Cells, set_of_sorted};
use crate::collect::{DayCells, Need, VIEW, add_part};
use crate::day_sums::Agreed;
use crate::frozen::Frozen;
use crate::kept_sums::Bytes;
use crate::plan::{Choice, Plan};
use crate::scope::Part;

/// Bytes of sets of viewers that stay in memory: some three months of a platform with a million viewers a day.
const BYTES_MAX: u64 = 128 << 20;
/// Days whose rows are read together.
const DAYS_A_READ: u16 = 32;
/// Rows that a thread takes at a time.
const ROWS_A_TASK: u32 = 1 << 20;

/// The days of all channels together, in one segment.
pub(crate) struct PlatformSums {
    days: Vec<(Day, Tally)>,
    /// By day, found when first asked for.
    witnesses: Vec<OnceLock<Box<[u32]>>>,
    enough: u64,
    lengths: Agreed,
}

impl PlatformSums {
    pub(crate) fn read(segment: &Segment, enough: u64) -> Result<Self, ReadError> {
        let days = segment.day_sums()?;
        let witnesses = days.iter().map(|_| OnceLock::new()).collect();
        Ok(Self { days, witnesses, enough, lengths: Agreed::default() })
    }

    /// The days within a range, each with its place.
    pub(crate) fn within(&self, range: DayRange) -> impl Iterator<Item = (usize, &(Day, Tally))> {
        self.days.iter().enumerate().filter(move |(_, (day, _))| range.contains(*day))
    }

    /// Viewers of a day with any event: all where they are fewer than enough, otherwise enough of them.
    pub(crate) fn witness(
        &self,
        catalogue: &Catalogue,
        segment: &Arc<Segment>,
        place: usize,
    ) -> Result<&[u32], ReadError> {
        let (Some((day, _)), Some(kept)) = (self.days.get(place), self.witnesses.get(place)) else { return Ok(&[]) };
        if let Some(found) = kept.get() {
            return Ok(found);
        }
        if !may_wait() {
            return Err(ReadError::Kv(KvError::WouldWait));
        }
        let mut cells = Cells::new(1);
        let (days, need) = (DayCells::whole(DayRange::day(*day)), Need::audience(AudienceOf::AnyEvent));
        for creator in segment.creators()? {
            if let Some(part) = Part::of_channel(segment, creator)? {
                add_part(&mut cells, catalogue, &part, Choice::BITMAPS, &days, need)?;
            }
            cells.settle();
            if cells.sees(0, self.enough) {
                break;
            }
        }
        let found = cells.finish_audiences().into_iter().flatten();
        let found = found.take(usize::try_from(self.enough).unwrap_or(usize::MAX)).collect();
        Ok(kept.get_or_init(|| found))
    }

    /// Whether the sums judge completion by the lengths that the catalogue has now.
    pub(crate) fn lengths_hold(&self, snapshot: &Snapshot, spans: &[VideoSpan]) -> bool {
        self.lengths.ask(snapshot, spans)
    }
}

impl Bytes for PlatformSums {
    fn bytes(&self) -> usize {
        let of_day = |(_, tally): &(Day, Tally)| tally.events().min(self.enough) as usize * size_of::<u32>();
        let each = size_of::<(Day, Tally)>() + size_of::<OnceLock<Box<[u32]>>>();
        self.days.len() * each + self.days.iter().map(of_day).sum::<usize>()
    }
}

/// A day, and the numbers of the segments that may hold its rows.
type Key = (Day, Arc<[u64]>);

#[derive(Clone)]
struct Weight;

impl quick_cache::Weighter<Key, Arc<RoaringBitmap>> for Weight {
    fn weight(&self, (_, segments): &Key, viewers: &Arc<RoaringBitmap>) -> u64 {
        viewers.serialized_size() as u64 + (size_of_val::<[u64]>(segments) + size_of::<Key>()) as u64
    }
}

/// Who viewed anything, by day.
pub(crate) struct PlatformViewers {
    days: Cache<Key, Arc<RoaringBitmap>, Weight>,
}

impl PlatformViewers {
    pub(crate) fn new() -> Self {
        Self { days: Cache::with_weighter(1 << 10, BYTES_MAX, Weight) }
    }

    /// Everyone with a view in a window.
    pub(crate) fn reach(&self, snapshot: &Snapshot, plan: Plan, window: DayRange) -> Result<RawAudience, ReadError> {
        if plan.digests() {
            return Ok(RawAudience::any_of(self.of(snapshot, window)?));
        }
        let mut everyone = RoaringBitmap::new();
        for creator in (0..snapshot.catalogue().creator_count()).map(CreatorOrd) {
            everyone |= viewers(snapshot, plan, &Frozen::channel_of(creator, window), AudienceOf::View)?;
        }
        Ok(seal((everyone, [].into())))
    }

    /// The viewers of each day of a range.
    fn of(&self, snapshot: &Snapshot, days: DayRange) -> Result<Vec<Arc<RoaringBitmap>>, ReadError> {
        let reader = Reader::new(snapshot);
        let mut found: BTreeMap<Day, Arc<RoaringBitmap>> = BTreeMap::new();
        for day in days.iter() {
            if found.contains_key(&day) {
                continue;
            }
            if let Some(kept) = reader.key(day).and_then(|key| self.days.get(&key)) {
                found.insert(day, kept);
                continue;
            }
            if !may_wait() {
                return Err(ReadError::Kv(KvError::WouldWait));
            }
            for (day, viewers) in reader.read(&self.missing(&reader, day, days))? {
                if let Some(key) = reader.key(day) {
                    self.days.insert(key, viewers.clone());
                }
                found.insert(day, viewers);
            }
        }
        Ok(days.iter().filter_map(|day| found.remove(&day)).collect())
    }

    /// The days to read together with one that is missing: those of its month that are asked for, or will stay.
    fn missing(&self, reader: &Reader<'_>, day: Day, asked: DayRange) -> BTreeSet<Day> {
        let first = day.number() - day.number() % DAYS_A_READ;
        let month =
            (first..first.saturating_add(DAYS_A_READ)).filter_map(|number| Day::from_number(number.into()).ok());
        let is_missing = |day: &Day| match reader.key(*day) {
            Some(key) => !self.days.contains_key(&key),
            None => asked.contains(*day),
        };
        month.filter(is_missing).chain([day]).collect()
    }
}

/// Spans of a segment that follow each other.
type Task<'s> = (&'s Arc<Segment>, &'s [VideoSpan]);

/// The rows of one snapshot.
struct Reader<'s> {
    snapshot: &'s Snapshot,
    /// The last day that is sealed everywhere and has no rows but those in segments.
    settled: Option<Day>,
}

impl<'s> Reader<'s> {
    fn new(snapshot: &'s Snapshot) -> Self {
        let before_tail = snapshot.tail().first_day().map_or(Day::MAX, Day::previous);
        Self { snapshot, settled: snapshot.sealed_everywhere().map(|sealed| sealed.min(before_tail)) }
    }

    /// What a day's viewers are kept under; `None` where they may still change.
    fn key(&self, day: Day) -> Option<Key> {
        if self.settled.is_none_or(|settled| settled < day) {
            return None;
        }
        let touching = self.snapshot.segments().iter().filter(|segment| segment.touches(DayRange::day(day)));
        Some((day, touching.map(|segment| segment.number()).collect()))
    }

    /// Everyone with a view on each of some days, all of them within [`DAYS_A_READ`].
    fn read(&self, days: &BTreeSet<Day>) -> Result<BTreeMap<Day, Arc<RoaringBitmap>>, ReadError> {
        let tasks = self.tasks(days)?;
        let next = AtomicUsize::new(0);
        let work = || {
            let mut seen = Seen::new(days);
            while let Some((segment, spans)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                seen.scan(self.snapshot.catalogue(), segment, spans)?;
            }
            Ok::<_, ReadError>(seen)
        };
        let helpers = available_parallelism().map_or(0, |cores| cores.get() - 1).min(tasks.len().saturating_sub(1));
        let mut seen = std::thread::scope(|scope| {
            let helpers: Vec<_> = (0..helpers).map(|_| scope.spawn(work)).collect();
            let mut seen = work()?;
            for helper in helpers {
                seen.add(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok::<_, ReadError>(seen)
        })?;
        for row in self.snapshot.tail().rows().filter(|row| u32::from(row.kind) == VIEW) {
            seen.put(row.day.number().into(), row.viewer);
        }
        seen.finish()
    }

    /// Spans of segments that touch the days, in pieces of some rows each.
    fn tasks(&self, days: &BTreeSet<Day>) -> Result<Vec<Task<'s>>, ReadError> {
        let mut tasks = Vec::new();
        let touches = |segment: &Segment| days.iter().any(|&day| segment.touches(DayRange::day(day)));
        for segment in self.snapshot.segments().iter().filter(|segment| touches(segment)) {
            let task_of = |span: &VideoSpan| span.rows.start / ROWS_A_TASK;
            let pieces = segment.spans()?.chunk_by(|a, b| task_of(a) == task_of(b));
            tasks.extend(pieces.map(|spans| (segment, spans)));
        }
        Ok(tasks)
    }
}

/// A bit per viewer and day.
struct Seen {
    /// The day number of the first set of bits.
    first: u32,
    /// `None` for days that are not wanted.
    days: Vec<Option<Vec<u64>>>,
}

impl Seen {
    fn new(wanted: &BTreeSet<Day>) -> Self {
        let number = |day: Option<&Day>| day.map_or(0, |day| u32::from(day.number()));
        let span: Range<u32> = number(wanted.first())..number(wanted.last()) + 1;
        let is_wanted = |number: u32| wanted.iter().any(|day| u32::from(day.number()) == number);
        Self { first: span.start, days: span.map(|number| is_wanted(number).then(Vec::new)).collect() }
    }

    fn bits_of(&mut self, day: u32) -> Option<&mut Vec<u64>> {
        self.days.get_mut(day.checked_sub(self.first)? as usize)?.as_mut()
    }

    fn put(&mut self, day: u32, viewer: u32) {
        if let Some(bits) = self.bits_of(day) {
            put(bits, viewer);
        }
    }

    fn scan(&mut self, catalogue: &Catalogue, segment: &Segment, spans: &[VideoSpan]) -> Result<(), ReadError> {
        let wanted: Vec<bool> = self.days.iter().map(Option::is_some).collect();
        let first = self.first;
        let is_wanted = |day: u32| day.checked_sub(first).and_then(|place| wanted.get(place as usize)) == Some(&true);
        scan_once(segment, spans, catalogue, is_wanted, Gaps::Short, |block| {
            let mut from = 0;
            for same in block.day.chunk_by(|a, b| a == b) {
                let rows = from..from + same.len();
                from = rows.end;
                let Some(bits) = same.first().and_then(|&day| self.bits_of(day)) else { continue };
                let rows = block
                    .kind
                    .get(rows.clone())
                    .unwrap_or_default()
                    .iter()
                    .zip(block.viewer.get(rows).unwrap_or_default());
                rows.filter(|(kind, _)| **kind == VIEW).for_each(|(_, &viewer)| put(bits, viewer));
            }
        })
    }

    fn add(&mut self, other: Self) {
        for (mine, theirs) in self.days.iter_mut().flatten().zip(other.days.into_iter().flatten()) {
            if mine.len() < theirs.len() {
                mine.resize(theirs.len(), 0);
            }
            mine.iter_mut().zip(theirs).for_each(|(word, more)| *word |= more);
        }
    }

    fn finish(self) -> Result<BTreeMap<Day, Arc<RoaringBitmap>>, ReadError> {
        let list = |(number, bits): (u32, Vec<u64>)| {
            let day = Day::from_number(number.into()).map_err(|_| DamageError::Malformed("day"))?;
            Ok((day, Arc::new(set_of_sorted(ones(&bits)))))
        };
        let days = (self.first..).zip(self.days).filter_map(|(number, bits)| Some((number, bits?)));
        days.map(list).collect()
    }
}

#[inline]
fn put(bits: &mut Vec<u64>, viewer: u32) {
    let place = (viewer / 64) as usize;
    if bits.len() <= place {
        bits.resize((place + 1).next_multiple_of(1 << 10), 0);
    }
    bits[place] |= 1 << (viewer % 64);
}

/// The places of the ones, ascending.
fn ones(bits: &[u64]) -> impl Iterator<Item = u32> + Clone + '_ {
    (0_u32..).step_by(64).zip(bits).flat_map(|(base, &word)| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let bit = (rest != 0).then(|| rest.trailing_zeros())?;
            rest &= rest - 1;
            Some(base + bit)
        })
    })
}
