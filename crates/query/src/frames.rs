//! The frames of a channel's days: kept in a bounded cache, read from a digest, or gathered from several and from rows.
//!
//! Segments never change, and of sealed days neither do zones and lengths. So a sealed day's frame, kept under the segments
//! that hold the day's rows, is right for ever: whatever brings or takes rows writes another segment. Days that are open,
//! or have rows in no segment yet, are made anew each time.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use quick_cache::sync::Cache;
use throng_model::{Day, DayRange, Zone};
use throng_store::{
    AudienceOf, Column, CreatorOrd, Digest, DigestColumn, KvError, ReadError, Row, Segment, Snapshot, may_wait,
};

use crate::block::{Block, Gaps, scan_runs};
use crate::clock::Clock;
use crate::frame::{Frame, Seen, Wants};
use crate::frozen::{Length, zones};
use crate::gather::{Gather, OfDigest};
use crate::scope::{Asked, Part, Scope};

/// Bytes of frames that stay in memory: the last month of the largest channels of a platform with some 10⁸ events.
const BYTES_MAX: u64 = 256 << 20;
/// Bytes of lists of days.
const DAYS_BYTES_MAX: u64 = 32 << 20;

/// Another thread helps where there are so many days to fill in for each: reading one takes longer than starting it.
const DAYS_A_THREAD: usize = 4;

const MINUTE_MS: i64 = 60_000;

/// Which rows a frame speaks of.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    creator: CreatorOrd,
    day: Day,
    holders: Holders,
}

/// The numbers of the segments that hold a day's rows.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Holders {
    One(u64),
    Several(Arc<[u64]>),
}

/// A creator's days in a segment, each with its digest.
type SegmentDays = Arc<[(Day, Option<Digest>)]>;

#[derive(Clone)]
struct Weight;

/// A frame and what it weighed when it was put in: it grows when more is asked for, and is put in again then.
#[derive(Clone)]
struct Kept {
    frame: Arc<Frame>,
    bytes: u64,
}

impl quick_cache::Weighter<Key, Kept> for Weight {
    fn weight(&self, _: &Key, kept: &Kept) -> u64 {
        kept.bytes
    }
}

impl quick_cache::Weighter<(u64, CreatorOrd), SegmentDays> for Weight {
    fn weight(&self, _: &(u64, CreatorOrd), days: &SegmentDays) -> u64 {
        (size_of_val::<[_]>(days) + 64) as u64
    }
}

/// Frames that were made before.
pub(crate) struct Frames {
    frames: Cache<Key, Kept, Weight>,
    days: Cache<(u64, CreatorOrd), SegmentDays, Weight>,
}

impl Frames {
    pub(crate) fn new() -> Self {
        Self {
            frames: Cache::with_weighter(1 << 16, BYTES_MAX, Weight),
            days: Cache::with_weighter(1 << 14, DAYS_BYTES_MAX, Weight),
        }
    }

    /// The frames of a channel's days that have rows, ascending, with what is wanted of them filled in.
    pub(crate) fn of(
        &self,
        snapshot: &Snapshot,
        channel: CreatorOrd,
        days: DayRange,
        wants: Wants,
    ) -> Result<Vec<(Day, Arc<Frame>)>, ReadError> {
        let asked = Asked { scope: Scope::Channel(channel), zone: Zone::UTC };
        let mut tail = asked.tail(snapshot);
        tail.retain(|row| days.contains(row.day));
        let source = Sources { snapshot, channel, parts: asked.parts(snapshot, days)?, tail, days, wants };
        let held = self.held(&source)?;
        let sealed = snapshot.sealed_through(channel);
        let mut found = Vec::with_capacity(held.len());
        let mut unfilled = Vec::new();
        for (day, places) in held {
            let is_kept = sealed.is_some_and(|sealed| day <= sealed) && !places.in_tail;
            let key = is_kept.then(|| places.key(&source, day));
            let kept = key.as_ref().and_then(|key| self.frames.get(key));
            let frame = kept.map(|kept| kept.frame).unwrap_or_default();
            if !frame.has(wants) {
                unfilled.push((day, frame.clone(), places, key));
            }
            found.push((day, frame));
        }
        source.fill(&unfilled)?;
        for (_, frame, _, key) in unfilled {
            if let Some(key) = key {
                let bytes = (frame.bytes() + size_of::<Key>()) as u64;
                self.frames.insert(key, Kept { frame, bytes });
            }
        }
        Ok(found)
    }

    /// Where the rows of each day lie.
    fn held(&self, source: &Sources<'_>) -> Result<BTreeMap<Day, Places>, ReadError> {
        let mut held: BTreeMap<Day, Places> = BTreeMap::new();
        for (part, Part { segment, .. }) in source.parts.iter().enumerate() {
            let days = self.days_in(segment, source.channel)?;
            let from = days.partition_point(|(day, _)| *day < source.days.first());
            for (day, digest) in days.iter().skip(from).take_while(|(day, _)| *day <= source.days.last()) {
                held.entry(*day).or_default().parts.push((part, digest.clone()));
            }
        }
        for row in &source.tail {
            held.entry(row.day).or_default().in_tail = true;
        }
        Ok(held)
    }

    fn days_in(&self, segment: &Segment, channel: CreatorOrd) -> Result<SegmentDays, ReadError> {
        let key = (segment.number(), channel);
        if let Some(days) = self.days.get(&key) {
            return Ok(days);
        }
        let days: SegmentDays = segment.digests(channel, Day::MIN..=Day::MAX)?.into();
        self.days.insert(key, days.clone());
        Ok(days)
    }
}

/// Where one day's rows lie.
#[derive(Default)]
struct Places {
    /// Parts by their place, each with the day's digest there.
    parts: Vec<(usize, Option<Digest>)>,
    in_tail: bool,
}

impl Places {
    fn key(&self, source: &Sources<'_>, day: Day) -> Key {
        let number = |&(part, _): &(usize, _)| source.parts.get(part).map_or(0, |part| part.segment.number());
        let holders = match &*self.parts {
            [one] => Holders::One(number(one)),
            several => Holders::Several(several.iter().map(number).collect()),
        };
        Key { creator: source.channel, day, holders }
    }
}

/// A day that misses something.
type Unfilled = (Day, Arc<Frame>, Places, Option<Key>);

/// A day that lies in several places, or that no digest speaks of.
struct Scattered<'s> {
    day: Day,
    frame: &'s Arc<Frame>,
    /// Parts whose digests are read.
    digests: Vec<(usize, &'s Digest)>,
    /// Parts whose rows are read.
    of_rows: Vec<usize>,
}

/// What frames are made of.
struct Sources<'s> {
    snapshot: &'s Snapshot,
    channel: CreatorOrd,
    parts: Vec<Part<'s>>,
    tail: Vec<&'s Row>,
    days: DayRange,
    wants: Wants,
}

impl Sources<'_> {
    fn fill(&self, unfilled: &[Unfilled]) -> Result<(), ReadError> {
        if unfilled.is_empty() {
            return Ok(());
        }
        if !may_wait() {
            return Err(ReadError::Kv(KvError::WouldWait));
        }
        let mut changed: BTreeMap<usize, BTreeSet<Day>> = BTreeMap::new();
        let (mut scattered, mut of_digests) = (Vec::new(), Vec::new());
        for (day, frame, places, _) in unfilled {
            let mut scatter = Scattered { day: *day, frame, digests: Vec::new(), of_rows: Vec::new() };
            for (part, digest) in &places.parts {
                if self.wants.positions && digest.is_some() && !changed.contains_key(part) {
                    changed.insert(*part, self.changed_lengths(*part)?);
                }
                let lengths_hold = !changed.get(part).is_some_and(|days| days.contains(day));
                match digest.as_ref().filter(|_| lengths_hold) {
                    Some(digest) => scatter.digests.push((*part, digest)),
                    None => scatter.of_rows.push(*part),
                }
            }
            match (&*scatter.digests, &*scatter.of_rows) {
                (&[(part, digest)], []) if !places.in_tail => of_digests.push((*day, frame, part, digest)),
                _ => scattered.push(scatter),
            }
        }
        let next = AtomicUsize::new(0);
        // Gives the days whose digests do not suffice.
        let read_digests = || {
            let clocks = self.clocks();
            let mut rest = Vec::new();
            while let Some(&(day, frame, part, digest)) = of_digests.get(next.fetch_add(1, Ordering::Relaxed)) {
                if !self.read_digest(frame, day, part, digest, &clocks)? {
                    rest.push(Scattered { day, frame, digests: Vec::new(), of_rows: vec![part] });
                }
            }
            Ok::<_, ReadError>(rest)
        };
        let helpers = available_parallelism().map_or(0, |cores| cores.get() - 1).min(of_digests.len() / DAYS_A_THREAD);
        let rest = std::thread::scope(|scope| {
            let helpers: Vec<_> = (0..helpers).map(|_| scope.spawn(read_digests)).collect();
            let mut rest = self.gather(&scattered)?;
            rest.extend(read_digests()?);
            for helper in helpers {
                rest.extend(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok::<_, ReadError>(rest)
        })?;
        // Rows always suffice.
        self.gather(&rest).map(drop)
    }

    fn clocks(&self) -> Clocks<'_> {
        Clocks::new(self.snapshot, self.channel, self.days)
    }

    /// Fills in a day from its only digest; whether that says all that is wanted.
    fn read_digest(
        &self,
        frame: &Frame,
        day: Day,
        part: usize,
        digest: &Digest,
        clocks: &Clocks<'_>,
    ) -> Result<bool, ReadError> {
        let Some(segment) = self.parts.get(part).map(|part| part.segment) else { return Ok(false) };
        let read = |column| {
            let mut values = Vec::new();
            segment.read_digest(digest, column, &mut values).map(|()| values)
        };
        let viewers = frame.put_viewers(read(DigestColumn::Viewer)?)?;
        if self.wants.traits {
            let last = read(DigestColumn::LastMs)?;
            let last_ms = last.into_iter().map(|ms| digest.base_ms + i64::from(ms)).collect();
            frame.put_traits(last_ms, read(DigestColumn::Place)?, read(DigestColumn::Person)?);
        }
        if self.wants.positions {
            frame.put_positions(read(DigestColumn::Position)?.into_iter().map(|position| position as u8).collect());
        }
        if self.wants.views() {
            let seen = seen(&read(DigestColumn::Minute)?, &read(DigestColumn::Source)?, digest.base_ms);
            if let Some(bound) = self.wants.sources {
                frame.put_sources(&viewers, &seen, bound);
            }
            if let Some(bound) = self.wants.hours {
                frame.put_hours(&viewers, &seen, bound, &mut clocks.of(day))?;
            }
        }
        if self.wants.stages {
            let acts = self.acts(segment, day, digest, |viewer| viewers.place_of(viewer).is_some())?;
            let Some(acts) = acts else { return Ok(false) };
            frame.put_stages(&acts)?;
        }
        Ok(true)
    }

    /// Fills in days from all places that they lie in, rows in one reading; gives those whose digests do not tell enough, to
    /// be read from rows alone.
    fn gather<'d>(&self, days: &[Scattered<'d>]) -> Result<Vec<Scattered<'d>>, ReadError> {
        if days.is_empty() {
            return Ok(Vec::new());
        }
        let (catalogue, clocks) = (self.snapshot.catalogue(), self.clocks());
        let numbers = days.iter().map(|scattered| scattered.day.number().into());
        let mut gather = Gather::new(catalogue, self.channel, self.wants, numbers);
        let columns = gather.columns();
        for (place, part) in self.parts.iter().enumerate() {
            let here = days.iter().filter(|scattered| scattered.of_rows.contains(&place));
            let wanted: BTreeSet<u32> = here.map(|scattered| scattered.day.number().into()).collect();
            if !wanted.is_empty() {
                let is_wanted = |day| wanted.contains(&day);
                scan_runs(part.segment, &part.spans, catalogue, columns, is_wanted, Gaps::None, |block| {
                    gather.take(block);
                })?;
            }
        }
        gather.take(&Block::of_rows(&self.tail, catalogue, |_| true));
        let mut rest = Vec::new();
        for Scattered { day, frame, digests, of_rows } in days {
            let mut is_filled = true;
            for &(part, digest) in digests {
                is_filled = is_filled && self.add_digest(&mut gather, *day, part, digest)?;
            }
            if !is_filled || !gather.fill(day.number().into(), frame, || clocks.of(*day))? {
                let of_rows = of_rows.iter().copied().chain(digests.iter().map(|(part, _)| *part)).collect();
                rest.push(Scattered { day: *day, frame, digests: Vec::new(), of_rows });
            }
        }
        Ok(rest)
    }

    /// Adds what one of a day's digests says to the rows that were gathered; whether it says all that is wanted.
    fn add_digest(&self, gather: &mut Gather<'_>, day: Day, part: usize, digest: &Digest) -> Result<bool, ReadError> {
        let Some(segment) = self.parts.get(part).map(|part| part.segment) else { return Ok(false) };
        let read = |column, is_wanted: bool| {
            let mut values = Vec::new();
            if is_wanted {
                segment.read_digest(digest, column, &mut values)?;
            }
            Ok::<_, ReadError>(values)
        };
        let Wants { traits, positions, stages, .. } = self.wants;
        let viewers = read(DigestColumn::Viewer, true)?;
        let of_day = OfDigest {
            last_ms: read(DigestColumn::LastMs, traits)?.into_iter().map(|ms| digest.base_ms + i64::from(ms)).collect(),
            places: read(DigestColumn::Place, traits)?,
            persons: read(DigestColumn::Person, traits)?,
            positions: read(DigestColumn::Position, positions)?,
            seen: seen(
                &read(DigestColumn::Minute, self.wants.views())?,
                &read(DigestColumn::Source, self.wants.views())?,
                digest.base_ms,
            ),
            acts: match stages {
                true => match self.acts(segment, day, digest, |viewer| viewers.binary_search(&viewer).is_ok())? {
                    Some(acts) => acts,
                    None => return Ok(false),
                },
                false => Vec::new(),
            },
            viewers,
        };
        gather.add(day.number().into(), of_day);
        Ok(true)
    }

    /// Everyone with any event on a digest's day, and what they did; `None` where only the rows tell.
    fn acts(
        &self,
        segment: &Segment,
        day: Day,
        digest: &Digest,
        viewed: impl Fn(u32) -> bool,
    ) -> Result<Option<Vec<(u32, u8)>>, ReadError> {
        let rollup = segment.creator_days(self.channel, DayRange::day(day))?.into_iter().next();
        let any = rollup.map(|rollup| segment.audience(&rollup, AudienceOf::AnyEvent)).transpose()?.flatten();
        let Some(any) = any else { return Ok(None) };
        let [engaged, followed] = segment.digest_acts(digest)?;
        let bits = |viewer| {
            u8::from(viewed(viewer))
                | u8::from(engaged.contains(viewer)) << 1
                | u8::from(followed.contains(viewer)) << 2
        };
        Ok(Some(any.iter().map(|viewer| (viewer, bits(viewer))).collect()))
    }

    /// The days on which a video was of another length than the part's segment was written with.
    fn changed_lengths(&self, part: usize) -> Result<BTreeSet<Day>, ReadError> {
        let mut changed = BTreeSet::new();
        let Some(part) = self.parts.get(part) else { return Ok(changed) };
        for span in part.spans.iter() {
            let length = Length::of(self.snapshot.catalogue(), span.video, Some(self.channel));
            if matches!(length, Length::Always(duration_ms) if duration_ms == span.duration_ms) {
                continue;
            }
            let mut days = Vec::new();
            part.segment.read(Column::Day, span.rows.clone(), &mut days)?;
            days.dedup();
            let other = days.into_iter().filter(|&day| length.on(day) != span.duration_ms);
            changed.extend(other.filter_map(|day| Day::from_number(day.into()).ok()));
        }
        Ok(changed)
    }
}

/// A digest's views: by viewer, time and source.
fn seen(minutes: &[u32], sources: &[u32], base_ms: i64) -> Vec<Seen> {
    let mut viewers = 0_usize;
    let one = |(&minute, &source): (&u32, &u32)| {
        viewers += (minute & 1) as usize;
        let ts = base_ms + i64::from(minute >> 1) * MINUTE_MS;
        Seen { place: viewers.saturating_sub(1), ts, source: source as u8 }
    };
    minutes.iter().zip(sources).map(one).collect()
}

/// The clocks of a channel's days, made when first needed.
struct Clocks<'s> {
    snapshot: &'s Snapshot,
    channel: CreatorOrd,
    days: DayRange,
    zones: OnceCell<Vec<(Day, Zone)>>,
}

impl<'s> Clocks<'s> {
    fn new(snapshot: &'s Snapshot, channel: CreatorOrd, days: DayRange) -> Self {
        Self { snapshot, channel, days, zones: OnceCell::new() }
    }

    /// The clock that a day's rows are read by.
    fn of(&self, day: Day) -> Clock {
        let zones = self.zones.get_or_init(|| zones(self.snapshot.catalogue(), self.channel, self.days));
        let zone = zones.iter().find(|(last, _)| day <= *last).map(|(_, zone)| zone.clone());
        Clock::new(zone.unwrap_or_default(), DayRange::day(day))
    }
}
