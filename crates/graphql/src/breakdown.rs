//! A breakdown of the reach by one trait.

use async_graphql::SimpleObject;
use throng_model::{Cell, Follower};
use throng_privacy as privacy;

use crate::aggregate::{INSIGHT, MIN, aggregate};
use crate::counters::Measure;
use crate::flat::Rows;
use crate::plain::{Chosen, Pen, Plain};
use crate::scalar::CountryCode;

/// The reach split by one trait. Where each viewer stands in one row, shown rows + `other` = `total`, or neither is shown.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Breakdown {
    /// Distinct viewers of the whole: the reach.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    total: Measure,
    /// The rows: the largest first, ages in their own order. Short fixed lists are complete, with withheld cells last; of
    /// countries and regions only disclosed rows appear.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    rows: Rows<BreakdownRow>,
    /// Distinct viewers of the total that no row shows; NOT_APPLICABLE where a viewer can stand in several rows.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    other: Measure,
}

/// One row of a breakdown.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct BreakdownRow {
    /// The value of the trait, as events spell it: `DE`, `US-CA`, `18-24`, `female`, `ios`, `for_you`, `follower`,
    /// `non_follower`; `unknown` where the platform does not say.
    key: String,
    /// The country of a row by COUNTRY or REGION; null otherwise, and where it is unknown.
    country: Option<CountryCode>,
    /// Viewers of the row ÷ viewers of the total, 0 to 1; null where either is not disclosed.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    share: Option<f64>,
    /// Distinct viewers of the row.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    measure: Measure,
}

impl Plain for Breakdown {
    fn write(&self, field: &Chosen<'_>, pen: &mut Pen) -> Option<()> {
        match field.name {
            "total" => pen.object(&self.total.0, &field.fields),
            "rows" => pen.list(self.rows.iter(), &field.fields),
            "other" => pen.object(&self.other.0, &field.fields),
            _ => None,
        }
    }
}

impl Plain for BreakdownRow {
    fn write(&self, field: &Chosen<'_>, pen: &mut Pen) -> Option<()> {
        match field.name {
            "key" => pen.value(&self.key),
            "country" => pen.value(&self.country),
            "share" => pen.value(&self.share),
            "measure" => pen.object(&self.measure.0, &field.fields),
            _ => None,
        }
    }
}

impl From<&privacy::AudienceTable> for Breakdown {
    fn from(table: &privacy::AudienceTable) -> Self {
        Self {
            total: table.total().into(),
            rows: table.rows().iter().map(BreakdownRow::from).collect(),
            other: table.other().into(),
        }
    }
}

impl From<&privacy::AudienceRow> for BreakdownRow {
    fn from(row: &privacy::AudienceRow) -> Self {
        let country = match row.cell() {
            Cell::Country(country) => country,
            Cell::Region(region) => region.map(|region| region.country()),
            _ => None,
        };
        Self {
            key: key(row.cell()),
            country: country.map(CountryCode),
            share: row.share(),
            measure: row.measure().into(),
        }
    }
}

fn key(cell: Cell) -> String {
    let name = match cell {
        Cell::Country(country) => country.map(|country| country.code().to_owned()),
        Cell::Region(region) => region.map(|region| region.code()),
        Cell::Age(age) => age.map(|age| age.name().to_owned()),
        Cell::Gender(gender) => gender.map(|gender| gender.name().to_owned()),
        Cell::Device(device) => device.map(|device| device.name().to_owned()),
        Cell::Source(source) => Some(source.name().to_owned()),
        Cell::Follower(Some(Follower::Yes)) => Some("follower".to_owned()),
        Cell::Follower(Some(Follower::No)) => Some("non_follower".to_owned()),
        // The other families have shapes of their own.
        _ => None,
    };
    name.unwrap_or_else(|| "unknown".to_owned())
}
