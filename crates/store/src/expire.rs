//! Expiry: rows of old sealed days go, and a summary keeps the sums of those days.
//!
//! A row goes where its day lies before the bound and is sealed for its creator: an open day still takes rows in, so it
//! waits for a later expiry. Rewritten segments and summary come in one commit, so each row is counted by one of them,
//! whenever a crash comes. No viewer's ordinal gets into a summary.
//!
//! Rows of erased viewers that wait for a compaction go uncounted. Viewers all of whose rows have gone are treated as
//! erased from then on: nothing is left to link, and the next compaction removes their pseudonyms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use roaring::RoaringBitmap;
use throng_model::{Day, Kind, Tally};

use crate::codec::DamageError;
use crate::kv::Batch;
use crate::merge;
use crate::object::{ObjectRef, ReadError};
use crate::requests::Merged;
use crate::rewrite::rewrite;
use crate::root::Ordinals;
use crate::row::{Column, CreatorOrd, Row, VideoOrd, day_of_number};
use crate::segment::{Segment, VideoSpan};
use crate::snapshot::Snapshot;
use crate::store::WriteError;
use crate::summary::{DaySummary, ScopeOf, Scopes, Summary, SummaryWriter};
use crate::writer::{Shared, Writer};

/// With so many summaries, an expiry writes the newest ones again together with its own.
const SUMMARIES_MAX: usize = 8;

/// Summaries that are written again take in their older neighbour if that is at most so many times as long.
const TAKE_IN_FACTOR: u64 = 3;

/// What an expiry did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expired {
    /// Rows that went.
    pub rows: u64,
    /// Segments that held them.
    pub segments: u64,
    /// The first day whose rows are all kept; `None` where no rows ever expired.
    pub rows_from: Option<Day>,
}

/// An expiry that waits to be listed.
pub(crate) struct Expiry {
    cut: Cut,
    /// Segments that the expiry looked at.
    known: Vec<ObjectRef>,
    rewritten: Merged,
    summary: Option<ObjectRef>,
    /// Summaries that the new one took in.
    taken_in: Vec<ObjectRef>,
    /// Rows of erased viewers, which no summary counts.
    erased: u64,
    /// Viewers all of whose rows go.
    forgotten: RoaringBitmap,
    pub(crate) done: Expired,
}

impl Expiry {
    /// Writes what an expiry needs, beside the writer and ahead of being listed. The snapshot has no tail; the caller
    /// holds `Shared::pause_merging` from before it was taken until the expiry is listed. `None` where nothing is to do.
    pub(crate) fn prepare(shared: &Shared, snapshot: &Snapshot, before: Day) -> Result<Option<Self>, ReadError> {
        let cut = Cut::new(snapshot, before.max(snapshot.rows_from.unwrap_or(Day::MIN)));
        let mut rows = 0;
        let mut concerned = Vec::new();
        for segment in snapshot.segments() {
            let count = cut.count(segment)?;
            if count > 0 {
                rows += count;
                concerned.push(segment.clone());
            }
        }
        let rows_from = snapshot.rows_from.max(Some(cut.before).filter(|&day| day > Day::MIN));
        if rows == 0 && rows_from == snapshot.rows_from {
            return Ok(None);
        }
        let is_concerned = |segment: &Segment| concerned.iter().any(|it| it.listed() == segment.listed());
        let rewritten = rewrite(shared, snapshot, |segment| Ok(is_concerned(segment)), |row| cut.takes(row))?;
        let older = snapshot.summaries.get(taken_in(&snapshot.summaries)..).unwrap_or_default();
        let (mut summary, mut erased, mut forgotten) = (None, 0, RoaringBitmap::new());
        if rows > 0 {
            let (listed, counted) = summarise(shared, snapshot, older, &concerned, &cut)?;
            (summary, erased) = (Some(listed), rows - counted);
            forgotten = cut.left_without_rows(snapshot.segments())?;
        }
        Ok(Some(Self {
            cut,
            erased,
            forgotten,
            known: snapshot.segments().iter().map(|segment| segment.listed()).collect(),
            rewritten,
            taken_in: older.iter().filter(|_| summary.is_some()).map(|summary| summary.listed()).collect(),
            summary,
            done: Expired { rows, segments: concerned.len() as u64, rows_from },
        }))
    }
}

impl Writer {
    /// Lists an expiry in one commit. `false`: days that it takes got rows meanwhile, or segments changed; nothing
    /// happened.
    pub(crate) fn expire(&mut self, expiry: Expiry) -> Result<bool, WriteError> {
        let Expiry { cut, known, rewritten, summary, taken_in, erased, mut forgotten, done } = expiry;
        let written: Vec<ObjectRef> = rewritten.outputs.iter().copied().chain(summary).collect();
        let mut came = false;
        for row in self.tail.rows() {
            came |= cut.takes(row);
            forgotten.remove(row.viewer);
        }
        for segment in self.segments.iter().filter(|segment| !known.contains(&segment.listed())) {
            came |= cut.count(segment)? > 0;
            let mut viewers = Vec::new();
            segment.read(Column::Viewer, 0..segment.rows(), &mut viewers)?;
            viewers.into_iter().for_each(|viewer| _ = forgotten.remove(viewer));
        }
        let change = |writer: &mut Self, _: &mut Batch| {
            writer.root.retention.rows_from = done.rows_from.map(Day::number);
            let Some(object) = summary else { return Ok(()) };
            let shared = &writer.shared;
            let opened = Summary::open(&writer.kv, &shared.cache, &shared.garbage, object)?;
            taken_in.iter().for_each(|&old| shared.garbage.retire(old));
            writer.summaries.retain(|summary| !taken_in.contains(&summary.listed()));
            writer.summaries.push(Arc::new(opened));
            writer.root.retention.summaries = writer.summaries.iter().map(|summary| summary.listed()).collect();
            writer.root.rows_erased += erased;
            writer.viewer_cache.retain(|_, viewer| !forgotten.contains(*viewer));
            forgotten |= writer.root.pending_erasures.0.as_ref();
            writer.root.pending_erasures = Ordinals(Arc::new(forgotten));
            Ok(())
        };
        let listed = !came && self.install_with(rewritten, change)?;
        if !listed {
            self.shared.garbage.unused(written);
        }
        Ok(listed)
    }
}

/// Which rows go: a bound per creator.
struct Cut {
    /// By the creator's ordinal: the first day that stays.
    first_kept: Vec<Day>,
    /// No creator's bound is later.
    before: Day,
}

impl Cut {
    /// Rows of sealed days before a day. The bound stays within what is sealed for anyone: days that nobody has sealed do
    /// not expire, whatever was asked for.
    fn new(snapshot: &Snapshot, before: Day) -> Self {
        let creators = (0..snapshot.catalogue().creator_count()).map(CreatorOrd);
        let first_open = |creator| merge::first_open(snapshot.sealed_through(creator)).min(before);
        let first_kept: Vec<Day> = creators.map(first_open).collect();
        let before = first_kept.iter().copied().max().unwrap_or(Day::MIN);
        Self { first_kept, before }
    }

    /// Whether a row goes.
    fn takes(&self, row: &Row) -> bool {
        row.day < self.first_kept(row.creator)
    }

    /// Number of rows of a segment that go.
    fn count(&self, segment: &Segment) -> Result<u64, ReadError> {
        let (mut count, mut days) = (0, Vec::new());
        if !segment.begins_before(self.before) {
            return Ok(0);
        }
        for creator in segment.creators()? {
            let Some(rows) = segment.creator_rows(creator)? else { continue };
            days.clear();
            segment.read(Column::Day, rows, &mut days)?;
            let first_kept = u32::from(self.first_kept(creator).number());
            count += days.iter().filter(|&&day| day < first_kept).count() as u64;
        }
        Ok(count)
    }

    /// Viewers all of whose rows go.
    fn left_without_rows(&self, segments: &[Arc<Segment>]) -> Result<RoaringBitmap, ReadError> {
        let (mut going, mut staying) = (RoaringBitmap::new(), RoaringBitmap::new());
        let (mut days, mut viewers) = (Vec::new(), Vec::new());
        for segment in segments {
            for creator in segment.creators()? {
                let Some(rows) = segment.creator_rows(creator)? else { continue };
                days.clear();
                viewers.clear();
                segment.read(Column::Day, rows.clone(), &mut days)?;
                segment.read(Column::Viewer, rows, &mut viewers)?;
                let first_kept = u32::from(self.first_kept(creator).number());
                for (&day, &viewer) in days.iter().zip(&viewers) {
                    if day < first_kept { &mut going } else { &mut staying }.insert(viewer);
                }
            }
        }
        Ok(going - staying)
    }

    fn first_kept(&self, creator: CreatorOrd) -> Day {
        self.first_kept.get(creator.0 as usize).copied().unwrap_or(Day::MIN)
    }
}

/// The newest summaries that the next one takes in: from this place on.
fn taken_in(summaries: &[Arc<Summary>]) -> usize {
    let mut start = summaries.len();
    if start < SUMMARIES_MAX {
        return start;
    }
    let mut taken = 0;
    for summary in summaries.iter().rev() {
        let length = u64::from(summary.len());
        if taken > 0 && length > taken * TAKE_IN_FACTOR {
            break;
        }
        taken += length;
        start -= 1;
    }
    start
}

/// Writes a summary of the rows that go from these segments, and of older summaries. It counts once a root lists it. Gives
/// the number of rows that it counts.
fn summarise(
    shared: &Shared,
    snapshot: &Snapshot,
    older: &[Arc<Summary>],
    segments: &[Arc<Segment>],
    cut: &Cut,
) -> Result<(ObjectRef, u64), ReadError> {
    let mut creators = BTreeSet::new();
    for summary in older {
        creators.extend(summary.creators()?);
    }
    for segment in segments {
        creators.extend(segment.creators()?);
    }
    let mut counted = 0;
    let mut writer = SummaryWriter::new(&snapshot.kv, shared.next_object());
    for creator in creators {
        let (mut scopes, rows) = sum_creator(segments, creator, cut.first_kept(creator), snapshot)?;
        counted += rows;
        for summary in older {
            for (scope, mut days) in summary.scopes(creator)? {
                scopes.entry(scope).or_default().append(&mut days);
            }
        }
        scopes.values_mut().for_each(|days| days.sort_by_key(|summary| summary.day));
        writer.push(creator, &scopes)?;
    }
    let mut batch = Batch::default();
    let listed = writer.finish(&mut batch)?;
    snapshot.kv.commit(batch)?;
    Ok((listed, counted))
}

/// Sums a creator's rows of the days before `first_kept`, over all segments: a viewer may have rows in several. Gives their
/// number too.
fn sum_creator(
    segments: &[Arc<Segment>],
    creator: CreatorOrd,
    first_kept: Day,
    snapshot: &Snapshot,
) -> Result<(Scopes, u64), ReadError> {
    let mut spans: Vec<(Option<VideoOrd>, &Segment, &VideoSpan)> = Vec::new();
    for segment in segments {
        spans.extend(segment.creator_videos(creator)?.iter().map(|span| (span.video, segment.as_ref(), span)));
    }
    spans.sort_by_key(|&(video, ..)| video);
    let (mut scopes, mut everything, mut rows) = (Scopes::new(), Sums::default(), 0);
    for group in spans.chunk_by(|a, b| a.0 == b.0) {
        let Some(&(video, ..)) = group.first() else { continue };
        let duration_ms = video.and_then(|video| snapshot.catalogue().duration_ms(video));
        let mut sums = Sums::default();
        for (_, segment, span) in group {
            rows += sums.read(segment, span, first_kept, duration_ms, &snapshot.pending_erasures)?;
        }
        if !sums.tallies.is_empty() {
            scopes.insert(ScopeOf::of_video(video), sums.days());
            everything.absorb(sums);
        }
    }
    if !everything.tallies.is_empty() {
        scopes.insert(ScopeOf::Everything, everything.days());
    }
    Ok((scopes, rows))
}

/// Sums by day, and who is behind them.
#[derive(Default)]
struct Sums {
    tallies: BTreeMap<Day, Tally>,
    /// In any order and with repeats until [`days`](Self::days).
    seen: Vec<(Day, u32)>,
}

impl Sums {
    fn read(
        &mut self,
        segment: &Segment,
        span: &VideoSpan,
        first_kept: Day,
        duration_ms: Option<u32>,
        erased: &RoaringBitmap,
    ) -> Result<u64, ReadError> {
        let mut rows = 0;
        let mut columns = [const { Vec::new() }; 4];
        for (column, values) in [Column::Day, Column::Kind, Column::Viewer, Column::WatchMs].iter().zip(&mut columns) {
            segment.read(*column, span.rows.clone(), values)?;
        }
        let [days, kinds, viewers, watch_ms] = &columns;
        for (((&day, &kind), &viewer), &watch_ms) in days.iter().zip(kinds).zip(viewers).zip(watch_ms) {
            let day = day_of_number(day)?;
            if day < first_kept && !erased.contains(viewer) {
                rows += 1;
                let kind = u8::try_from(kind).ok().and_then(Kind::from_code).ok_or(DamageError::Malformed("kind"))?;
                self.tallies.entry(day).or_default().record(kind, watch_ms, duration_ms);
                self.seen.push((day, viewer));
            }
        }
        Ok(rows)
    }

    fn absorb(&mut self, mut other: Self) {
        for (day, tally) in other.tallies {
            *self.tallies.entry(day).or_default() += tally;
        }
        self.seen.append(&mut other.seen);
    }

    fn days(&mut self) -> Vec<DaySummary> {
        self.seen.sort_unstable();
        self.seen.dedup();
        let viewers = self.seen.chunk_by(|a, b| a.0 == b.0).map(|day| u32::try_from(day.len()).unwrap_or(u32::MAX));
        // Every row has a viewer, so both hold the same days.
        let days = self.tallies.iter().zip(viewers);
        days.map(|((&day, &tally), viewers)| DaySummary { day, tally, viewers }).collect()
    }
}
