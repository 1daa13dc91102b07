//! The shapes of released answers. Fields are private: outside this crate they can be read, not made.

use std::collections::BTreeMap;

use throng_model::{Cell, Counter, DayRange, Family, Stage, Timestamp, VideoId};

use crate::{AskedWindow, Disclosure, Measure};

/// Every public counter of one cell: an entity over some days.
#[derive(Debug, Clone, PartialEq)]
pub struct Counters {
    days: DayRange,
    compared_with: Option<DayRange>,
    measures: [Measure; Counter::ALL.len()],
}

impl Counters {
    /// The days summed over.
    pub fn days(&self) -> DayRange {
        self.days
    }

    /// The days compared with, where a comparison was asked for and the calendar reaches back so far.
    pub fn compared_with(&self) -> Option<DayRange> {
        self.compared_with
    }

    /// One counter.
    pub fn get(&self, counter: Counter) -> Measure {
        let position = Counter::ALL.iter().position(|&each| each == counter);
        position.and_then(|index| self.measures.get(index)).copied().unwrap_or_else(Measure::withheld)
    }

    pub(crate) fn new(days: DayRange, measure: impl Fn(Counter) -> Measure) -> Self {
        Self { days, compared_with: None, measures: Counter::ALL.map(measure) }
    }

    /// These counters beside those of another range. `over` says that both ranges have ended.
    pub(crate) fn beside(mut self, previous: &Self, over: bool) -> Self {
        self.compared_with = Some(previous.days);
        for (measure, before) in self.measures.iter_mut().zip(&previous.measures) {
            *measure = measure.beside(before, over);
        }
        self
    }
}

/// One step of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesPoint {
    pub(crate) start: Timestamp,
    pub(crate) partial: bool,
    pub(crate) counters: Counters,
}

impl SeriesPoint {
    /// First instant of the step.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// Whether the counters are about a part of the step alone: it is not over yet, or the range asked for cuts it.
    pub fn partial(&self) -> bool {
        self.partial
    }

    /// The step's days, cut to the range asked for; an hour's is the day that holds it.
    pub fn days(&self) -> DayRange {
        self.counters.days
    }

    /// The step's counters.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

/// A video among a channel's best by one counter.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedVideo {
    pub(crate) video: VideoId<'static>,
    pub(crate) value: Measure,
}

impl RankedVideo {
    /// The video.
    pub fn video(&self) -> &VideoId<'static> {
        &self.video
    }

    /// The counter that it is ranked by; always disclosed.
    pub fn value(&self) -> Measure {
        self.value
    }
}

/// One row of a family's table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AudienceRow {
    pub(crate) cell: Cell,
    pub(crate) measure: Measure,
    pub(crate) share: Option<f64>,
}

impl AudienceRow {
    /// The row's key.
    pub fn cell(&self) -> Cell {
        self.cell
    }

    /// Distinct viewers.
    pub fn measure(&self) -> Measure {
        self.measure
    }

    /// Viewers ÷ viewers of the total, where both are disclosed.
    pub fn share(&self) -> Option<f64> {
        self.share
    }
}

/// A family's table over one window.
///
/// Invariant: where the family is a partition, shown rows + other = total, or other is not disclosed; exact ones show it
/// wherever they show the total.
#[derive(Debug, Clone, PartialEq)]
pub struct AudienceTable {
    total: Measure,
    rows: Vec<AudienceRow>,
    other: Measure,
    rest: Rest,
}

/// What the viewers in no shown row are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rest {
    /// No number: a viewer can stand in several rows.
    NotApplicable,
    /// Total minus rows.
    Exact,
    /// Total minus rows, shown as any noisy number is: this many viewers above the floor, and so many σ.
    Noisy { floor: f64, z: f64 },
}

impl AudienceTable {
    /// Viewers of the whole family.
    pub fn total(&self) -> Measure {
        self.total
    }

    /// The rows, in order.
    pub fn rows(&self) -> &[AudienceRow] {
        &self.rows
    }

    /// Viewers of the total that no row shows; not applicable where a viewer can stand in several rows.
    pub fn other(&self) -> Measure {
        self.other
    }

    /// The measure of one cell, where the table has a row for it.
    pub fn cell(&self, cell: Cell) -> Option<Measure> {
        self.rows.iter().find(|row| row.cell == cell).map(|row| row.measure)
    }

    /// The first rows alone; what the others show is in `other`.
    pub fn first(&self, rows: usize) -> Self {
        let rows: Vec<_> = self.rows.iter().take(rows).copied().collect();
        let other = self.rest.of(&self.total, &rows);
        Self { rows, other, ..*self }
    }

    /// A table of measures that the gate has judged.
    pub(crate) fn new(total: Measure, rows: Vec<(Cell, Measure)>, rest: Rest) -> Self {
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(cell, measure)| AudienceRow { cell, measure, share: share(&measure, &total) })
            .collect();
        let other = rest.of(&total, &rows);
        Self { total, rows, other, rest }
    }
}

impl Rest {
    /// Total minus shown rows: made of released values alone.
    fn of(self, total: &Measure, rows: &[AudienceRow]) -> Measure {
        let shown = || rows.iter().map(|row| row.measure).filter(|measure| measure.value().is_some());
        let Some(whole) = total.value() else {
            return if self == Self::NotApplicable { Measure::not_applicable() } else { *total };
        };
        let rest = whole - shown().filter_map(|measure| measure.value()).sum::<f64>();
        match self {
            Self::NotApplicable => Measure::not_applicable(),
            Self::Exact => Measure::exact(rest),
            Self::Noisy { floor, z } => {
                let sigma = shown().map(|measure| measure.sigma()).fold(total.sigma(), f64::hypot);
                if rest >= floor + z * sigma { Measure::noisy(rest, sigma) } else { Measure::withheld() }
            }
        }
    }
}

/// Value ÷ total of released numbers; noise is no reason to show more than the whole.
pub(crate) fn share(measure: &Measure, total: &Measure) -> Option<f64> {
    let share = Measure::quotient(measure, total);
    share.value().map(|value| if share.disclosure() == Disclosure::Noisy { value.min(1.0) } else { value })
}

/// One point of a curve: the viewers who went at least this far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    pub(crate) cell: Cell,
    pub(crate) measure: Measure,
    pub(crate) share: Option<f64>,
}

impl CurvePoint {
    /// The position or stage.
    pub fn cell(&self) -> Cell {
        self.cell
    }

    /// Distinct viewers who went at least this far.
    pub fn measure(&self) -> Measure {
        self.measure
    }

    /// Viewers ÷ viewers of the total, where both are disclosed.
    pub fn share(&self) -> Option<f64> {
        self.share
    }
}

/// A family's table read as "at least this far", over one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    total: Measure,
    points: Vec<CurvePoint>,
}

impl Curve {
    /// Viewers of the whole family.
    pub fn total(&self) -> Measure {
        self.total
    }

    /// The points, from the start.
    pub fn points(&self) -> &[CurvePoint] {
        &self.points
    }

    pub(crate) fn new(total: Measure, points: Vec<(Cell, Measure)>) -> Self {
        let points =
            points.into_iter().map(|(cell, measure)| CurvePoint { cell, measure, share: share(&measure, &total) });
        Self { total, points: points.collect() }
    }
}

/// Insights of one entity over one window: those families that were asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Audience {
    pub(crate) window: AskedWindow,
    pub(crate) tables: BTreeMap<Family, AudienceTable>,
    pub(crate) curves: BTreeMap<Family, Curve>,
}

impl Audience {
    /// The window.
    pub fn window(&self) -> AskedWindow {
        self.window
    }

    /// A family's table; `None` where it was not asked for, or is a curve.
    pub fn table(&self, family: Family) -> Option<&AudienceTable> {
        self.tables.get(&family)
    }

    /// A family's curve; `None` where it was not asked for, or is no curve.
    pub fn curve(&self, family: Family) -> Option<&Curve> {
        self.curves.get(&family)
    }

    /// The measure of one cell of a family's table.
    pub fn cell(&self, family: Family, cell: Cell) -> Option<Measure> {
        self.table(family)?.cell(cell)
    }

    /// Viewers who liked, commented, shared, saved or followed ÷ reach; needs the reach and the funnel.
    pub fn engagement_per_reach(&self) -> Option<Measure> {
        let reach = self.table(Family::Reach)?.total();
        let mut stages = self.curve(Family::Funnel)?.points().iter();
        let engaged = stages.find(|point| point.cell == Cell::Stage(Stage::Engaged))?;
        Some(Measure::quotient(&engaged.measure, &reach))
    }
}
