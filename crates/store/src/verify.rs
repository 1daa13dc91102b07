//! `verify`: reads everything and holds it against itself.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;
use throng_model::{Day, DayRange, Kind, Tally};

use crate::codec::DamageError;
use crate::digest_check::Expected;
use crate::kv::KvError;
use crate::object::{ReadError, number_of_key};
use crate::root::ROOT_KEY;
use crate::row::{CreatorOrd, Row};
use crate::segment::{AudienceOf, DayRollup, Segment, VideoSpan};
use crate::usage::{self, Usage};
use crate::writer::Writer;

/// What a whole store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyReport {
    /// Number of the last commit.
    pub generation: u64,
    /// Events whose rows are there.
    pub events: u64,
    /// Events whose rows have expired: summaries count them.
    pub expired_events: u64,
    /// Distinct viewers who were not erased.
    pub viewers: u64,
    /// Creators known.
    pub creators: u64,
    /// Videos known.
    pub videos: u64,
    /// Segments.
    pub segments: u64,
    /// Events that are in no segment yet.
    pub tail_events: u64,
    /// Bytes of all values, before the key-value store's own overhead.
    pub bytes: u64,
    /// What they are for: bytes by part, such as `rows.viewer`; their sum is `bytes`.
    pub parts: BTreeMap<String, u64>,
}

/// Why a store is not whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Something cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Everything can be read, but two things do not agree.
    #[error("{0}")]
    Disagreement(String),
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

impl From<KvError> for VerifyError {
    fn from(error: KvError) -> Self {
        Self::Read(error.into())
    }
}

impl From<DamageError> for VerifyError {
    fn from(error: DamageError) -> Self {
        Self::Read(error.into())
    }
}

pub(crate) fn verify(writer: &Writer) -> Result<VerifyReport, VerifyError> {
    let parts = check_keys(writer)?;
    let snapshot = writer.shared.snapshot();
    let known = writer.known_viewers()?;
    if known.max().is_some_and(|last| last >= writer.root.viewers) {
        return Err(disagree(format!("{} viewers numbered, but one has a higher number", writer.root.viewers)));
    }
    if !writer.root.epochs.iter().map(|epoch| epoch.number).eq(1..=writer.root.epochs.len() as u32) {
        return Err(disagree("epochs out of order".to_owned()));
    }
    let may_have_rows = &known | snapshot.pending_erasures.as_ref();
    let mut segment_rows = 0;
    for segment in snapshot.segments() {
        if segment.is_bare() && !writer.may_leave_bare() {
            return Err(disagree("a segment without rollups".to_owned()));
        }
        segment_rows += check_segment(segment, &may_have_rows)?;
    }
    if !snapshot.tail().rows().all(|row| known.contains(row.viewer)) {
        return Err(disagree("a logged row of nobody".to_owned()));
    }
    let tail_events = snapshot.tail().len() as u64;
    let events = segment_rows + tail_events;
    let mut expired_events = 0;
    for summary in snapshot.summaries() {
        expired_events += summary.check(snapshot.rows_from())?;
    }
    let fingerprints = writer.fingerprint_count()?;
    let erased = writer.root.rows_erased;
    if fingerprints != events + expired_events + erased {
        return Err(disagree(format!(
            "{events} events, {expired_events} expired and {erased} erased, but {fingerprints} fingerprints"
        )));
    }
    Ok(VerifyReport {
        generation: snapshot.generation(),
        events,
        expired_events,
        viewers: known.len(),
        creators: u64::from(snapshot.catalogue().creator_count()),
        videos: u64::from(snapshot.catalogue().video_count()),
        segments: snapshot.segments().len() as u64,
        tail_events,
        bytes: parts.values().sum(),
        parts,
    })
}

fn disagree(what: String) -> VerifyError {
    VerifyError::Disagreement(what)
}

/// Reads every listed value, and finds none that is not listed.
fn check_keys(writer: &Writer) -> Result<Usage, VerifyError> {
    let kv = &writer.kv;
    let mut parts = Usage::new();
    let mut listed = BTreeSet::new();
    for (kind, object) in writer.root.kinds() {
        usage::add(&mut parts, kv, kind, object)?;
        listed.extend(object.keys());
    }
    // Merged segments wait for their last reader, and a running merge writes ahead of being listed.
    let live: BTreeSet<u64> = writer.root.objects().map(|object| object.number).collect();
    let mut from = Vec::new();
    let mut found = 0;
    while let Some(key) = kv.first_key_from(&from)? {
        if listed.contains(&key) {
            found += 1;
        } else if key != ROOT_KEY && number_of_key(&key).is_none_or(|number| live.contains(&number)) {
            return Err(disagree("a key that nothing lists".to_owned()));
        }
        from = key;
        from.push(0);
    }
    if found != listed.len() {
        return Err(disagree(format!("{} values listed, {found} found", listed.len())));
    }
    Ok(parts)
}

/// Reads every row of a segment and computes its rollups and audiences anew.
fn check_segment(segment: &Segment, viewers: &RoaringBitmap) -> Result<u64, VerifyError> {
    let mut rows_seen = 0;
    for creator in segment.creators()? {
        let mut of_creator: BTreeMap<Day, DaySums> = BTreeMap::new();
        let mut digests = Expected::default();
        for span in segment.creator_videos(creator)? {
            let mut rows = Vec::new();
            segment.read_rows(creator, span, &mut rows)?;
            rows_seen += rows.len() as u64;
            if !rows.is_sorted() {
                return Err(disagree("rows out of order".to_owned()));
            }
            if !rows.iter().all(|row| viewers.contains(row.viewer)) {
                return Err(disagree("a row of nobody, or of an erased viewer".to_owned()));
            }
            if segment.is_bare() {
                continue;
            }
            rows.iter().for_each(|row| digests.add(row, span.duration_ms));
            let of_span = sum_days(&rows, span);
            if span.video.is_some() {
                check_days(segment, &of_span, |days| segment.span_days(span, days))?;
            }
            for (day, sums) in of_span {
                of_creator.entry(day).or_default().add(sums);
            }
        }
        check_days(segment, &of_creator, |days| segment.creator_days(creator, days))?;
        check_place(segment, creator)?;
        if !digests.agree(segment, creator)? {
            return Err(disagree("a digest that its rows do not bear out".to_owned()));
        }
    }
    if rows_seen != u64::from(segment.rows()) {
        return Err(disagree(format!("a segment of {} rows, {rows_seen} found", segment.rows())));
    }
    Ok(rows_seen)
}

/// The directory leads back to each video.
fn check_place(segment: &Segment, creator: CreatorOrd) -> Result<(), VerifyError> {
    for span in segment.creator_videos(creator)? {
        if let Some(video) = span.video
            && !segment.video_spans(video)?.contains(&(creator, span.clone()))
        {
            return Err(disagree("a video that its segment's directory does not find".to_owned()));
        }
    }
    Ok(())
}

#[derive(Default)]
struct DaySums {
    tally: Tally,
    viewed: BTreeSet<u32>,
    any: BTreeSet<u32>,
}

impl DaySums {
    fn add(&mut self, other: Self) {
        self.tally += other.tally;
        // Not `append`, which goes through all that is there: the largest channels have a thousand videos a day.
        self.viewed.extend(other.viewed);
        self.any.extend(other.any);
    }
}

fn sum_days(rows: &[Row], span: &VideoSpan) -> BTreeMap<Day, DaySums> {
    let mut days: BTreeMap<Day, DaySums> = BTreeMap::new();
    for row in rows {
        if let Some(kind) = row.kind() {
            let sums = days.entry(row.day).or_default();
            sums.tally.record(kind, row.watch_ms, span.duration_ms);
            sums.any.insert(row.viewer);
            if kind == Kind::View {
                sums.viewed.insert(row.viewer);
            }
        }
    }
    days
}

fn check_days(
    segment: &Segment,
    expected: &BTreeMap<Day, DaySums>,
    rollups: impl Fn(DayRange) -> Result<Vec<DayRollup>, ReadError>,
) -> Result<(), VerifyError> {
    let wrong = || disagree("a rollup that its rows do not bear out".to_owned());
    for (&day, sums) in expected {
        let found = rollups(DayRange::day(day))?;
        let [rollup] = found.as_slice() else { return Err(wrong()) };
        if rollup.tally != sums.tally {
            return Err(wrong());
        }
        for (of, expected) in [(AudienceOf::View, &sums.viewed), (AudienceOf::AnyEvent, &sums.any)] {
            if let Some(audience) = segment.audience(rollup, of)?
                && !audience.iter().eq(expected.iter().copied())
            {
                return Err(wrong());
            }
        }
    }
    Ok(())
}
