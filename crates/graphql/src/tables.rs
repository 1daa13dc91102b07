//! The insights that have a shape of their own: heat maps and curves.

use async_graphql::SimpleObject;
use throng_model::Cell;
use throng_privacy::{AudienceRow, CurvePoint};

use crate::aggregate::{INSIGHT, MIN, aggregate};
use crate::counters::Measure;
use crate::plain::{Chosen, Pen, Plain};
use crate::words::{AgeBand, Gender, Stage, Weekday};

/// Viewers of one age band and gender, by their last view in the window.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct AgeGenderCell {
    /// Age band.
    age: AgeBand,
    /// Gender.
    gender: Gender,
    /// Viewers of the cell ÷ reach, 0 to 1; null where either is not disclosed.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    share: Option<f64>,
    /// Distinct viewers of the cell.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    measure: Measure,
}

impl Plain for AgeGenderCell {
    fn write(&self, field: &Chosen<'_>, pen: &mut Pen) -> Option<()> {
        match field.name {
            "age" => pen.word(self.age),
            "gender" => pen.word(self.gender),
            "share" => pen.value(&self.share),
            "measure" => pen.object(&self.measure.0, &field.fields),
            _ => None,
        }
    }
}

impl AgeGenderCell {
    pub(crate) fn of(row: &AudienceRow) -> Option<Self> {
        let Cell::AgeGender(age, gender) = row.cell() else { return None };
        Some(Self { age: age.into(), gender: gender.into(), share: row.share(), measure: row.measure().into() })
    }
}

/// Viewers with a view in one hour of the week.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ActiveHour {
    /// Day of the week, in the reporting zone.
    weekday: Weekday,
    /// Hour of the clock, 0 to 23, in the reporting zone.
    hour: u8,
    /// Viewers of the cell ÷ reach, 0 to 1; null where either is not disclosed.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    share: Option<f64>,
    /// Distinct viewers with a view in this hour on any such day of the window.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    measure: Measure,
}

impl Plain for ActiveHour {
    fn write(&self, field: &Chosen<'_>, pen: &mut Pen) -> Option<()> {
        match field.name {
            "weekday" => pen.word(self.weekday),
            "hour" => pen.value(&self.hour),
            "share" => pen.value(&self.share),
            "measure" => pen.object(&self.measure.0, &field.fields),
            _ => None,
        }
    }
}

impl ActiveHour {
    pub(crate) fn of(row: &AudienceRow) -> Option<Self> {
        let Cell::Hour(hour) = row.cell() else { return None };
        let weekday = Weekday::of(hour.weekday());
        Some(Self { weekday, hour: hour.hour(), share: row.share(), measure: row.measure().into() })
    }
}

/// Viewers who watched at least this far.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct RetentionPoint {
    /// Position, in percent of the video's length: 1 to 100.
    position: u8,
    /// Viewers who reached the position ÷ all viewers of videos of known length, 0 to 1; null where not disclosed.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    share: Option<f64>,
    /// Distinct viewers who reached the position.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    measure: Measure,
}

impl Plain for RetentionPoint {
    fn write(&self, field: &Chosen<'_>, pen: &mut Pen) -> Option<()> {
        match field.name {
            "position" => pen.value(&self.position),
            "share" => pen.value(&self.share),
            "measure" => pen.object(&self.measure.0, &field.fields),
            _ => None,
        }
    }
}

impl RetentionPoint {
    pub(crate) fn of(point: &CurvePoint) -> Option<Self> {
        let Cell::Position(position) = point.cell() else { return None };
        Some(Self { position, share: point.share(), measure: point.measure().into() })
    }
}

/// Viewers who went at least this far.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct FunnelStage {
    /// The stage.
    stage: Stage,
    /// Viewers who reached the stage ÷ viewers who saw, 0 to 1; null where either is not disclosed.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    share: Option<f64>,
    /// Distinct viewers who reached the stage.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    measure: Measure,
}

impl Plain for FunnelStage {
    fn write(&self, field: &Chosen<'_>, pen: &mut Pen) -> Option<()> {
        match field.name {
            "stage" => pen.word(self.stage),
            "share" => pen.value(&self.share),
            "measure" => pen.object(&self.measure.0, &field.fields),
            _ => None,
        }
    }
}

impl FunnelStage {
    pub(crate) fn of(point: &CurvePoint) -> Option<Self> {
        let Cell::Stage(stage) = point.cell() else { return None };
        Some(Self { stage: stage.into(), share: point.share(), measure: point.measure().into() })
    }
}
