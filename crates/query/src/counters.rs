//! Public counters: over a range, by step, by video.
//!
//! Days whose rows have expired keep their sums, by day and by video; how their audiences are judged, `cells` says. Their
//! hours are lost.

use std::collections::BTreeMap;

use throng_model::{DayRange, Granularity, Tally, VideoId};
use throng_privacy::{Raw, SeriesStep};
use throng_store::{CreatorOrd, DaySummary, Snapshot, VideoOrd, VideoSpan};

use crate::block::{Block, Columns, scan};
use crate::cells::Cells;
use crate::clock::Hours;
use crate::collect::{DayCells, Need, add_part, add_piece, by_hours, expired, sums_by_days};
use crate::facts::video_id;
use crate::kept_sums::KeptSums;
use crate::plan::{Choice, Plan};
use crate::scope::{Asked, Failure, Part, Scope};

/// What a question about public counters is answered from.
pub(crate) struct Counting<'a> {
    pub(crate) kept: &'a KeptSums,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) plan: Plan,
    /// How many viewers of an audience suffice; see `Source::counters`.
    pub(crate) enough: u64,
}

/// Sums over a range.
pub(crate) fn counters(counting: &Counting<'_>, asked: &Asked, range: DayRange) -> Result<Raw<Tally>, Failure> {
    let cells = sums_by_days(counting, asked, &DayCells::whole(range))?;
    let (tally, audience) = cells.finish().into_iter().next().unwrap_or_default();
    Ok(Raw::seal(tally, audience))
}

/// Sums by step. Hours of days whose rows may have expired stand on nobody, so they are withheld: a day that some
/// channels of a hashtag still have rows of would show a part for the whole.
pub(crate) fn series(
    counting: &Counting<'_>,
    asked: &Asked,
    range: DayRange,
    granularity: Granularity,
) -> Result<Vec<(SeriesStep, Raw<Tally>)>, Failure> {
    let (steps, cells) = if granularity == Granularity::Hour {
        let hours = Hours::new(&asked.zone, range);
        let mut cells = by_hours(counting.snapshot, asked, range, &hours, Need::COUNTERS)?.finish();
        let lost = expired(counting.snapshot, range);
        let is_lost = |step: &SeriesStep| lost.is_some_and(|days| days.contains(step.days.first()));
        for (cell, _) in cells.iter_mut().zip(hours.steps()).filter(|(_, step)| is_lost(step)) {
            *cell = Default::default();
        }
        (hours.into_steps(), cells)
    } else {
        let steps =
            range.periods(granularity).map(|days| SeriesStep { start: asked.zone.day_start(days.first()), days });
        let days = DayCells::periods(range, range.periods(granularity));
        (steps.collect(), sums_by_days(counting, asked, &days)?.finish())
    };
    Ok(steps.into_iter().zip(cells).map(|(step, (tally, audience))| (step, Raw::seal(tally, audience))).collect())
}

/// Sums by video of a channel, without kept ones.
pub(crate) fn videos(
    snapshot: &Snapshot,
    plan: Plan,
    creator: CreatorOrd,
    range: DayRange,
) -> Result<Vec<(VideoId<'static>, Raw<Tally>)>, Failure> {
    let asked = Asked { scope: Scope::Channel(creator), zone: Default::default() };
    let parts = asked.parts(snapshot, range)?;
    let tail = asked.tail(snapshot);
    let past = expired_videos(snapshot, creator, range)?;
    let in_parts = parts.iter().flat_map(|part| part.spans.iter().filter_map(|span| span.video));
    let in_tail = tail.iter().filter_map(|row| row.video);
    let mut videos: Vec<VideoOrd> = in_parts.chain(in_tail).chain(past.keys().copied()).collect();
    videos.sort_unstable();
    videos.dedup();

    let mut cells = Cells::new(videos.len());
    for part in &parts {
        add_spans(&mut cells, snapshot, plan, part, &videos, range)?;
    }
    let wanted = |day| wants(range, day);
    add_block(&mut cells, &Block::of_rows(&tail, snapshot.catalogue(), wanted), &videos, range);
    if expired(snapshot, range).is_some() {
        cells.may_have_expired();
    }
    for (video, days) in &past {
        let Ok(cell) = videos.binary_search(video) else { continue };
        days.iter().for_each(|day| cells.add_expired(cell, day));
    }

    let mut rows = Vec::new();
    for (&video, (tally, audience)) in videos.iter().zip(cells.finish()) {
        if !audience.is_empty()
            && let Some(id) = video_id(snapshot.catalogue(), video)
        {
            rows.push((id, Raw::seal(tally, audience)));
        }
    }
    Ok(rows)
}

/// Expired days of a channel's videos.
fn expired_videos(
    snapshot: &Snapshot,
    creator: CreatorOrd,
    range: DayRange,
) -> Result<BTreeMap<VideoOrd, Vec<DaySummary>>, Failure> {
    let mut videos: BTreeMap<VideoOrd, Vec<DaySummary>> = BTreeMap::new();
    if let Some(range) = expired(snapshot, range) {
        for summary in snapshot.summaries() {
            for (video, mut days) in summary.channel_videos(creator, range)? {
                videos.entry(video).or_default().append(&mut days);
            }
        }
    }
    Ok(videos)
}

/// Adds a channel's part: videos with many rows each by its summaries, all others in one scan.
fn add_spans(
    cells: &mut Cells,
    snapshot: &Snapshot,
    plan: Plan,
    part: &Part<'_>,
    videos: &[VideoOrd],
    range: DayRange,
) -> Result<(), Failure> {
    let catalogue = snapshot.catalogue();
    let mut scanned: Vec<VideoSpan> = Vec::new();
    for span in part.spans.iter() {
        let Some(cell) = span.video.and_then(|video| videos.binary_search(&video).ok()) else { continue };
        let one = Part::of_span(part.segment, span);
        match plan.choose(one.rows(), range.days()) {
            Choice::SCAN => scanned.push(span.clone()),
            choice => {
                let days = DayCells::in_cell(range, cell, videos.len());
                add_part(cells, catalogue, &one, choice, &days, Need::COUNTERS)?;
            }
        }
    }
    let columns = Columns { watch_ms: true, ..Columns::default() };
    scan(
        part.segment,
        &scanned,
        catalogue,
        columns,
        |day| wants(range, day),
        |block| {
            add_block(cells, block, videos, range);
        },
    )?;
    Ok(())
}

fn add_block(cells: &mut Cells, block: &Block, videos: &[VideoOrd], range: DayRange) {
    for piece in &block.pieces {
        let Some(cell) = piece.video.and_then(|video| videos.binary_search(&video).ok()) else { continue };
        let days = Block::of(&block.day, piece).iter();
        let places: Vec<Option<usize>> = days.map(|&day| wants(range, day).then_some(cell)).collect();
        add_piece(cells, block, piece, &places, Need::COUNTERS);
    }
}

fn wants(range: DayRange, day: u32) -> bool {
    (u32::from(range.first().number())..=u32::from(range.last().number())).contains(&day)
}
