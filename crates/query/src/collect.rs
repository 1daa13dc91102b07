//! Sums and audiences of an entity by cell, from rollups, bitmaps and rows as the plan says.

use std::sync::Arc;

use throng_model::{Day, DayRange, Kind, Metric, Tally};
use throng_store::{AudienceOf, Catalogue, ReadError, Segment, Snapshot, VideoSpan};

use crate::block::{Block, Columns, Piece, scan};
use crate::cells::Cells;
use crate::clock::Hours;
use crate::counters::Counting;
use crate::day_sums::DaySums;
use crate::plan::{Choice, Plan};
use crate::platform::PlatformSums;
use crate::scope::{Asked, Part, Scope};

/// What is wanted of each cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    pub(crate) sums: bool,
    pub(crate) audience: Option<AudienceOf>,
}

impl Need {
    /// A public counter: sums, and everyone with any event.
    pub(crate) const COUNTERS: Self = Self { sums: true, audience: Some(AudienceOf::AnyEvent) };

    /// An audience alone.
    pub(crate) fn audience(of: AudienceOf) -> Self {
        Self { sums: false, audience: Some(of) }
    }
}

/// The cell of each day.
#[derive(Debug, Clone)]
pub(crate) struct DayCells {
    range: DayRange,
    cells: Vec<Option<u32>>,
    count: usize,
}

impl DayCells {
    /// All days in one cell.
    pub(crate) fn whole(range: DayRange) -> Self {
        Self { range, cells: vec![Some(0); range.days() as usize], count: 1 }
    }

    /// A cell per run of days; together they are `range`, in order.
    pub(crate) fn periods(range: DayRange, periods: impl Iterator<Item = DayRange>) -> Self {
        let mut cells = Vec::with_capacity(range.days() as usize);
        let mut count = 0;
        for period in periods {
            cells.extend(period.iter().map(|_| Some(count)));
            count += 1;
        }
        Self { range, cells, count: count as usize }
    }

    /// A cell per day.
    pub(crate) fn daily(range: DayRange) -> Self {
        Self::periods(range, range.iter().map(DayRange::day))
    }

    /// Every day in the same one of `count` cells.
    pub(crate) fn in_cell(range: DayRange, cell: usize, count: usize) -> Self {
        let cell = u32::try_from(cell).ok();
        Self { range, cells: vec![cell; range.days() as usize], count }
    }

    /// The same for some days, and no cell for others.
    fn only(&self, days: &[Day]) -> Self {
        let mut cells = vec![None; self.cells.len()];
        for day in days {
            let place = self.place(day.number().into());
            if let Some((to, from)) = place.and_then(|place| cells.get_mut(place).zip(self.cells.get(place))) {
                *to = *from;
            }
        }
        Self { range: self.range, cells, count: self.count }
    }

    fn place(&self, day: u32) -> Option<usize> {
        day.checked_sub(self.range.first().number().into()).map(|place| place as usize)
    }

    #[inline]
    fn of(&self, day: u32) -> Option<usize> {
        let cell = *self.cells.get(self.place(day)?)?;
        cell.map(|cell| cell as usize)
    }
}

/// How rows and days fall into cells.
pub(crate) enum By<'a> {
    /// By the day they count in.
    Days(&'a DayCells),
    /// By hour of those days; only rows tell.
    Hours(&'a Hours),
}

impl By<'_> {
    fn columns(&self, need: Need) -> Columns {
        Columns { ts: matches!(self, Self::Hours(_)), watch_ms: need.sums, ..Columns::default() }
    }

    fn wants(&self, day: u32) -> bool {
        match self {
            Self::Days(cells) => cells.of(day).is_some(),
            Self::Hours(hours) => hours.step_of(day, i64::MIN).is_some(),
        }
    }

    fn cells_of(&self, block: &Block, piece: &Piece) -> Vec<Option<usize>> {
        let days = Block::of(&block.day, piece).iter();
        match self {
            Self::Days(cells) => days.map(|&day| cells.of(day)).collect(),
            Self::Hours(hours) => {
                days.zip(Block::of(&block.ts, piece)).map(|(&day, &ts)| hours.step_of(day, ts)).collect()
            }
        }
    }
}

/// Sums and audiences of an entity, by day cell.
pub(crate) fn by_days(
    snapshot: &Snapshot,
    plan: Plan,
    asked: &Asked,
    days: &DayCells,
    need: Need,
) -> Result<Cells, ReadError> {
    let mut cells = Cells::new(days.count);
    for part in asked.parts(snapshot, days.range)? {
        let choice = plan.choose(part.rows(), days.range.days());
        add_part(&mut cells, snapshot.catalogue(), &part, choice, days, need)?;
    }
    add_tail(&mut cells, snapshot, asked, &By::Days(days), need);
    if need.sums {
        add_expired(&mut cells, snapshot, asked, days)?;
    }
    Ok(cells)
}

/// Sums and audiences of public counters, by day cell: of a channel and of the platform from kept sums. An audience of
/// enough viewers may be there in part.
pub(crate) fn sums_by_days(counting: &Counting<'_>, asked: &Asked, days: &DayCells) -> Result<Cells, ReadError> {
    let Counting { kept, snapshot, plan, enough } = *counting;
    let mut cells = Cells::new(days.count);
    match asked.scope {
        Scope::Channel(creator) if plan.keeps_sums() => {
            for part in asked.parts(snapshot, days.range)? {
                let sums = kept.days(part.segment, creator, enough)?;
                add_sums(&mut cells, snapshot, &part, &sums.value, days, enough)?;
            }
        }
        Scope::Platform if plan.keeps_sums() => {
            for segment in snapshot.segments().iter().filter(|segment| segment.touches(days.range)) {
                let sums = kept.platform(segment, enough)?;
                add_platform(&mut cells, snapshot, segment, &sums.value, days, enough)?;
            }
        }
        _ => return by_days(snapshot, plan, asked, days, Need::COUNTERS),
    }
    add_tail(&mut cells, snapshot, asked, &By::Days(days), Need::COUNTERS);
    add_expired(&mut cells, snapshot, asked, days)?;
    Ok(cells)
}

fn add_sums(
    cells: &mut Cells,
    snapshot: &Snapshot,
    part: &Part<'_>,
    sums: &DaySums,
    days: &DayCells,
    enough: u64,
) -> Result<(), ReadError> {
    let catalogue = snapshot.catalogue();
    let mut unkept = Vec::new();
    for (place, rollup) in sums.within(days.range) {
        let Some(cell) = days.of(rollup.day.number().into()) else { continue };
        cells.add(cell, rollup.tally);
        if cells.sees(cell, enough) {
            continue;
        }
        match sums.witness(part.segment, place)? {
            Some(viewers) => cells.see_sorted(cell, viewers),
            None => unkept.push(rollup.day),
        }
    }
    if !sums.lengths_hold(snapshot, &part.spans) {
        correct_lengths(cells, catalogue, part, days)?;
    }
    if unkept.is_empty() {
        return Ok(());
    }
    let days = days.only(&unkept);
    add_rows(cells, catalogue, part.segment, &part.spans, &By::Days(&days), Need::audience(AudienceOf::AnyEvent))
}

fn add_platform(
    cells: &mut Cells,
    snapshot: &Snapshot,
    segment: &Arc<Segment>,
    sums: &PlatformSums,
    days: &DayCells,
    enough: u64,
) -> Result<(), ReadError> {
    for (place, (day, tally)) in sums.within(days.range) {
        let Some(cell) = days.of(u32::from(day.number())) else { continue };
        cells.add(cell, *tally);
        if !cells.sees(cell, enough) {
            cells.see_sorted(cell, sums.witness(snapshot.catalogue(), segment, place)?);
        }
    }
    if !sums.lengths_hold(snapshot, segment.spans()?) {
        for creator in segment.creators()? {
            if let Some(part) = Part::of_channel(segment, creator)? {
                correct_lengths(cells, snapshot.catalogue(), &part, days)?;
            }
        }
    }
    Ok(())
}

/// The days of a range whose rows may have expired.
pub(crate) fn expired(snapshot: &Snapshot, range: DayRange) -> Option<DayRange> {
    let rows_from = snapshot.rows_from()?;
    DayRange::new(range.first(), rows_from.previous().min(range.last())).ok()
}

/// Adds what summaries know of expired days. A row is in a segment or in a summary, never in both.
fn add_expired(cells: &mut Cells, snapshot: &Snapshot, asked: &Asked, days: &DayCells) -> Result<(), ReadError> {
    let Some(range) = expired(snapshot, days.range) else { return Ok(()) };
    cells.may_have_expired();
    for summary in snapshot.summaries() {
        let found = match &asked.scope {
            Scope::Channel(creator) => summary.creator_days(*creator, range)?,
            Scope::Videos(videos) => {
                let of_videos = videos.iter().map(|&video| summary.video_days(video, range));
                of_videos.collect::<Result<Vec<_>, _>>()?.concat()
            }
            Scope::Platform => {
                let of_channels = summary.creators()?.into_iter().map(|creator| summary.creator_days(creator, range));
                of_channels.collect::<Result<Vec<_>, _>>()?.concat()
            }
        };
        for day in &found {
            if let Some(cell) = days.of(day.day.number().into()) {
                cells.add_expired(cell, day);
            }
        }
    }
    Ok(())
}

/// Sums and audiences of an entity, by hour.
pub(crate) fn by_hours(
    snapshot: &Snapshot,
    asked: &Asked,
    range: DayRange,
    hours: &Hours,
    need: Need,
) -> Result<Cells, ReadError> {
    let mut cells = Cells::new(hours.steps().len());
    let by = By::Hours(hours);
    for part in asked.parts(snapshot, range)? {
        add_rows(&mut cells, snapshot.catalogue(), part.segment, &part.spans, &by, need)?;
    }
    add_tail(&mut cells, snapshot, asked, &by, need);
    Ok(cells)
}

/// Adds one part as chosen.
pub(crate) fn add_part(
    cells: &mut Cells,
    catalogue: &Catalogue,
    part: &Part<'_>,
    choice: Choice,
    days: &DayCells,
    need: Need,
) -> Result<(), ReadError> {
    let rolled_sums = need.sums && choice.rollups;
    let rolled_audience = need.audience.filter(|_| choice.bitmaps);
    let mut unkept = Vec::new();
    if rolled_sums || rolled_audience.is_some() {
        for rollup in part.days(days.range)? {
            let Some(cell) = days.of(rollup.day.number().into()) else { continue };
            if rolled_sums {
                cells.add(cell, rollup.tally);
            }
            if let Some(of) = rolled_audience {
                match part.audience(&rollup, of)? {
                    Some(audience) => cells.see_all(cell, &audience),
                    None => unkept.push(rollup.day),
                }
            }
        }
    }
    if rolled_sums {
        correct_lengths(cells, catalogue, part, days)?;
    }
    let (segment, spans) = (part.segment, &*part.spans);
    let rest = Need {
        sums: need.sums && !rolled_sums,
        audience: if rolled_audience.is_some() { None } else { need.audience },
    };
    if rest.sums || rest.audience.is_some() {
        add_rows(cells, catalogue, segment, spans, &By::Days(days), rest)?;
    }
    if let Some(of) = rolled_audience.filter(|_| !unkept.is_empty()) {
        add_rows(cells, catalogue, segment, spans, &By::Days(&days.only(&unkept)), Need::audience(of))?;
    }
    Ok(())
}

/// Adds rows of spans.
pub(crate) fn add_rows(
    cells: &mut Cells,
    catalogue: &Catalogue,
    segment: &Segment,
    spans: &[VideoSpan],
    by: &By<'_>,
    need: Need,
) -> Result<(), ReadError> {
    let wanted = |day| by.wants(day);
    scan(segment, spans, catalogue, by.columns(need), wanted, |block| {
        for piece in &block.pieces {
            add_piece(cells, block, piece, &by.cells_of(block, piece), need);
        }
    })
}

fn add_tail(cells: &mut Cells, snapshot: &Snapshot, asked: &Asked, by: &By<'_>, need: Need) {
    let rows = asked.tail(snapshot);
    let block = Block::of_rows(&rows, snapshot.catalogue(), |day| by.wants(day));
    for piece in &block.pieces {
        add_piece(cells, &block, piece, &by.cells_of(&block, piece), need);
    }
}

/// Adds a piece whose rows fall into the cells given.
pub(crate) fn add_piece(cells: &mut Cells, block: &Block, piece: &Piece, places: &[Option<usize>], need: Need) {
    let kinds = Block::of(&block.kind, piece);
    if need.sums {
        let rows = places.iter().zip(kinds).zip(Block::of(&block.watch_ms, piece));
        for ((place, &kind), &watch_ms) in rows {
            if let (Some(cell), Some(kind)) = (*place, kind_of(kind)) {
                cells.sum(cell, |tally| tally.record(kind, watch_ms, piece.duration_ms));
            }
        }
    }
    if let Some(of) = need.audience {
        let rows = places.iter().zip(kinds).zip(Block::of(&block.viewer, piece));
        for ((place, &kind), &viewer) in rows {
            if let Some(cell) = place.filter(|_| of == AudienceOf::AnyEvent || kind == VIEW) {
                cells.see(cell, viewer);
            }
        }
    }
}

/// Rollups judged completion by the lengths of their time. Where a length has changed since, the video's views are judged
/// again.
fn correct_lengths(
    cells: &mut Cells,
    catalogue: &Catalogue,
    part: &Part<'_>,
    days: &DayCells,
) -> Result<(), ReadError> {
    let now = |span: &VideoSpan| span.video.and_then(|video| catalogue.duration_ms(video));
    let changed: Vec<VideoSpan> = part.spans.iter().filter(|span| now(span) != span.duration_ms).cloned().collect();
    let columns = Columns { watch_ms: true, ..Columns::default() };
    scan(
        part.segment,
        &changed,
        catalogue,
        columns,
        |day| days.of(day).is_some(),
        |block| {
            for piece in &block.pieces {
                let rows = Block::of(&block.day, piece).iter().zip(Block::of(&block.kind, piece));
                for ((&day, &kind), &watch_ms) in rows.zip(Block::of(&block.watch_ms, piece)) {
                    if let Some(cell) = days.of(day).filter(|_| kind == VIEW) {
                        cells.sum(cell, |tally| judge_again(tally, watch_ms, piece));
                    }
                }
            }
        },
    )
}

fn judge_again(tally: &mut Tally, watch_ms: u32, piece: &Piece) {
    let (mut then, mut now) = (Tally::default(), Tally::default());
    then.record(Kind::View, watch_ms, piece.rolled_ms);
    now.record(Kind::View, watch_ms, piece.duration_ms);
    for metric in [Metric::TimedViews, Metric::CompletedViews] {
        tally[metric] = (tally[metric] + now[metric]).saturating_sub(then[metric]);
    }
}

/// Code of a view in the column of kinds.
pub(crate) const VIEW: u32 = Kind::View as u32;

/// The kind of a code in the column.
pub(crate) fn kind_of(code: u32) -> Option<Kind> {
    u8::try_from(code).ok().and_then(Kind::from_code)
}
