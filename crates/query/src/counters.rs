//! Public counters: over a range, by step, by video.

use roaring::{MultiOps, RoaringBitmap};
use throng_model::{DayRange, Granularity, Tally, VideoId};
use throng_privacy::{Raw, RawTable, SeriesStep};
use throng_store::{CreatorOrd, Snapshot, VideoOrd, VideoSpan};

use crate::block::{Block, Columns, scan};
use crate::cells::Cells;
use crate::clock::Hours;
use crate::collect::{DayCells, Need, add_part, add_piece, by_days, by_hours};
use crate::facts::video_id;
use crate::plan::{Choice, Plan};
use crate::scope::{Asked, Failure, Part, Scope};

/// Sums over a range.
pub(crate) fn counters(snapshot: &Snapshot, plan: Plan, asked: &Asked, range: DayRange) -> Result<Raw<Tally>, Failure> {
    let cells = by_days(snapshot, plan, asked, &DayCells::whole(range), Need::COUNTERS)?;
    let (tally, audience) = cells.finish().into_iter().next().unwrap_or_default();
    Ok(Raw::seal(tally, audience))
}

/// Sums by step.
pub(crate) fn series(
    snapshot: &Snapshot,
    plan: Plan,
    asked: &Asked,
    range: DayRange,
    granularity: Granularity,
) -> Result<RawTable<SeriesStep, Tally>, Failure> {
    let (steps, cells) = if granularity == Granularity::Hour {
        let hours = Hours::new(&asked.zone, range);
        let cells = by_hours(snapshot, asked, range, &hours, Need::COUNTERS)?;
        (hours.into_steps(), cells)
    } else {
        let steps =
            range.periods(granularity).map(|days| SeriesStep { start: asked.zone.day_start(days.first()), days });
        let days = DayCells::periods(range, range.periods(granularity));
        (steps.collect(), by_days(snapshot, plan, asked, &days, Need::COUNTERS)?)
    };
    Ok(table(steps.into_iter().zip(cells.finish()).collect()))
}

/// Sums by video of a channel.
pub(crate) fn videos(
    snapshot: &Snapshot,
    plan: Plan,
    creator: CreatorOrd,
    range: DayRange,
) -> Result<RawTable<VideoId<'static>, Tally>, Failure> {
    let asked = Asked { scope: Scope::Channel(creator), zone: Default::default() };
    let parts = asked.parts(snapshot, range)?;
    let tail = asked.tail(snapshot);
    let in_parts = parts.iter().flat_map(|part| part.spans.iter().filter_map(|span| span.video));
    let mut videos: Vec<VideoOrd> = in_parts.chain(tail.iter().filter_map(|row| row.video)).collect();
    videos.sort_unstable();
    videos.dedup();

    let mut cells = Cells::new(videos.len());
    for part in &parts {
        add_spans(&mut cells, snapshot, plan, part, &videos, range)?;
    }
    let wanted = |day| wants(range, day);
    add_block(&mut cells, &Block::of_rows(&tail, snapshot.catalogue(), wanted), &videos, range);

    let mut rows = Vec::new();
    for (&video, (tally, audience)) in videos.iter().zip(cells.finish()) {
        if !audience.is_empty()
            && let Some(id) = video_id(snapshot.catalogue(), video)
        {
            rows.push((id, (tally, audience)));
        }
    }
    // The gate breaks ties by place: let the place not depend on which video was seen first.
    rows.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(table(rows))
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

/// Seals rows whose sums add up to the total.
fn table<K>(rows: Vec<(K, (Tally, RoaringBitmap))>) -> RawTable<K, Tally> {
    let mut total = Tally::default();
    for (_, (tally, _)) in &rows {
        total += *tally;
    }
    let everyone = rows.iter().map(|(_, (_, audience))| audience).union();
    let rows = rows.into_iter().map(|(key, (tally, audience))| (key, Raw::seal(tally, audience))).collect();
    RawTable::seal(Raw::seal(total, everyone), rows)
}
