//! Questions of the catalogue, and every number that an answer discloses.

use throng_model::{Cell, Day, DayRange, Entity, Family, Window, WindowKind};
use throng_privacy::{Audience, Disclosure, EntityKind, Gate, Measure};

use crate::AttackError;

/// One question: the insights of an entity over a window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    pub(crate) entity: Entity,
    pub(crate) kind: WindowKind,
    pub(crate) date: Option<Day>,
    /// The days that this means.
    pub(crate) days: DayRange,
    pub(crate) families: Vec<Family>,
}

impl Question {
    /// Asks it.
    pub(crate) fn ask(&self, gate: &Gate) -> Result<Audience, AttackError> {
        Ok(gate.audience(&self.entity, self.kind, self.date, &self.families)?.into_inner())
    }

    /// Every window that holds a day, each with these families where the entity has them. `published` is a video's day.
    pub(crate) fn holding(
        entity: &Entity,
        day: Day,
        published: Option<Day>,
        step_days: u16,
        families: &[Family],
    ) -> Vec<Self> {
        let kind_of = EntityKind::of(entity);
        let families: Vec<Family> = families.iter().copied().filter(|&family| kind_of.has_family(family)).collect();
        let of = |kind, date, days| Self { entity: entity.clone(), kind, date, days, families: families.clone() };
        let mut questions: Vec<Self> = Vec::new();
        for kind in WindowKind::ALL {
            if kind.age_days().is_some() {
                let window = published.and_then(|published| Window::by_age(kind, published));
                questions.extend(window.map(|window| of(kind, None, window.days)));
                continue;
            }
            for date in (0..28).map(|ahead| day.saturating_add(ahead)) {
                let Ok(window) = Window::at(kind, date, step_days) else { continue };
                let question = of(kind, Some(date), window.days);
                if !questions.iter().any(|asked| asked.kind == kind && asked.days == window.days) {
                    questions.push(question);
                }
            }
        }
        questions.retain(|question| question.days.contains(day));
        questions
    }
}

/// Every gate's answers to these questions.
pub(crate) fn ask_all(gate: &Gate, questions: &[Question]) -> Result<Vec<Audience>, AttackError> {
    questions.iter().map(|question| question.ask(gate)).collect()
}

/// Every number of viewers that an answer discloses, under its family and cell; `None` is the total.
pub(crate) fn disclosed(audience: &Audience) -> Vec<(Family, Option<Cell>, Measure)> {
    let mut found = Vec::new();
    for family in Family::ALL {
        if let Some(table) = audience.table(family) {
            found.push((family, None, table.total()));
            found.extend(table.rows().iter().map(|row| (family, Some(row.cell()), row.measure())));
        }
        if let Some(curve) = audience.curve(family) {
            found.push((family, None, curve.total()));
            found.extend(curve.points().iter().map(|point| (family, Some(point.cell()), point.measure())));
        }
    }
    found.retain(|(_, _, measure)| measure.value().is_some());
    found
}

/// The number of a cell, or of the total, where disclosed.
pub(crate) fn measure(audience: &Audience, family: Family, cell: Option<Cell>) -> Option<Measure> {
    let measure = match (audience.table(family), audience.curve(family), cell) {
        (Some(table), _, None) => table.total(),
        (Some(table), _, Some(cell)) => table.cell(cell)?,
        (_, Some(curve), None) => curve.total(),
        (_, Some(curve), Some(cell)) => curve.points().iter().find(|point| point.cell() == cell)?.measure(),
        (None, None, _) => return None,
    };
    matches!(measure.disclosure(), Disclosure::Exact | Disclosure::Noisy).then_some(measure)
}

/// Standard deviation of a disclosed number, as its margin of error says.
pub(crate) fn sigma(measure: &Measure) -> f64 {
    measure.margin_of_error().unwrap_or(0.0) / 1.96
}
