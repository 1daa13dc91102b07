//! What channels, videos, hashtags and the platform have in common, and the resolvers behind it.

use std::sync::Arc;

use async_graphql::{Context, Interface, Result, SimpleObject};
use throng_model::Entity;
use throng_privacy::Gate;

use crate::aggregate::{INSIGHT, MIN, PUBLIC, aggregate};
use crate::audience::Audience;
use crate::cost::cost;
use crate::counters::Counters;
use crate::creator::Creator;
use crate::error::{internal, of_gate, timeout};
use crate::flat::{Flat, Rows};
use crate::hashtag::Hashtag;
use crate::input::{DateRangeInput, WindowInput};
use crate::limits::Deadline;
use crate::plain::{Chosen, Pen, Plain};
use crate::platform::Platform;
use crate::scalar::{Date, DateTime};
use crate::settled::open;
use crate::video::Video;
use crate::words::{Comparison, Granularity, WindowKind};

/// Anything whose crowd is measured: a channel, a video, a hashtag, the whole platform.
#[derive(Interface)]
#[graphql(
    field(
        name = "counters",
        ty = "Flat<Counters>",
        desc = "Public counters, summed over a range of days, open days included.",
        arg(name = "range", ty = "DateRangeInput", desc = "The days to sum over."),
        arg(name = "compare_to", ty = "Option<Comparison>", desc = "Fills `previous` and `change` of each measure."),
        directive = cost::apply(25, "1".into()),
        directive = aggregate::apply(PUBLIC, MIN)
    ),
    field(
        name = "series",
        ty = "Rows<SeriesPoint>",
        desc = "Public counters per step of a range, every step there, in order. At most 4,000 steps.",
        arg(name = "range", ty = "DateRangeInput", desc = "The days to cover."),
        arg(name = "granularity", ty = "Granularity", desc = "The step."),
        directive = cost::apply(50, "steps of range".into()),
        directive = aggregate::apply(PUBLIC, MIN)
    ),
    field(
        name = "audience",
        ty = "Flat<Audience>",
        desc = "Audience insights over one window of the catalogue, from sealed days only.",
        arg(name = "window", ty = "WindowInput", desc = "The window."),
        directive = cost::apply(200, "1".into()),
        directive = aggregate::apply(INSIGHT, MIN)
    ),
    field(
        name = "audiences",
        ty = "Rows<Audience>",
        desc = "Audience insights over every window of a kind that ends within a range of days, in order: distinct viewers of each day, say. At most 100 windows; none of a kind by age.",
        arg(name = "kind", ty = "WindowKind", desc = "The kind of window."),
        arg(name = "range", ty = "DateRangeInput", desc = "The days that the windows end on."),
        directive = cost::apply(200, "windows".into()),
        directive = aggregate::apply(INSIGHT, MIN)
    )
)]
pub(crate) enum Measured {
    Creator(Creator),
    Video(Video),
    Hashtag(Hashtag),
    Platform(Platform),
}

/// One step of a series.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct SeriesPoint {
    /// The step's first day, cut to the range asked for; of an hour, the day that holds it.
    date: Date,
    /// The step's first instant, with the offset of the entity's reporting zone.
    start: DateTime,
    /// Whether the counters are about a part of the step alone: it is not over yet, or the range asked for cuts it. Do not
    /// compare it with whole ones.
    partial: bool,
    /// Public counters of the step.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    counters: Flat<Counters>,
}

impl Plain for SeriesPoint {
    fn write(&self, field: &Chosen<'_>, pen: &mut Pen) -> Option<()> {
        match field.name {
            "date" => pen.value(&self.date),
            "start" => pen.value(&self.start),
            "partial" => pen.value(&self.partial),
            "counters" => pen.object(&self.counters.0, &field.fields),
            _ => None,
        }
    }
}

/// The gate that `schema` put into the schema's data; an error once the answer has taken too long.
pub(crate) fn gate<'a>(ctx: &'a Context<'_>) -> Result<&'a Arc<Gate>> {
    if ctx.data_opt::<Deadline>().is_some_and(|deadline| deadline.is_over()) {
        return Err(timeout());
    }
    ctx.data_opt().ok_or_else(internal)
}

pub(crate) fn counters(
    ctx: &Context<'_>,
    entity: &Entity,
    range: &DateRangeInput,
    compare_to: Option<Comparison>,
) -> Result<Flat<Counters>> {
    let gate = gate(ctx)?;
    let days = range.resolve(gate, entity)?;
    let answer = gate.counters(entity, days, compare_to.map(Into::into)).map_err(of_gate)?;
    Ok(Flat((&open(ctx, answer)).into()))
}

pub(crate) fn series(
    ctx: &Context<'_>,
    entity: &Entity,
    range: &DateRangeInput,
    granularity: Granularity,
) -> Result<Rows<SeriesPoint>> {
    let gate = gate(ctx)?;
    let days = range.resolve(gate, entity)?;
    let zone = gate.zone(entity).map_err(of_gate)?;
    let answer = gate.series(entity, days, granularity.into()).map_err(of_gate)?;
    let point = |point: &throng_privacy::SeriesPoint| SeriesPoint {
        date: Date(point.days().first()),
        start: DateTime::in_zone(point.start(), &zone),
        partial: point.partial(),
        counters: Flat(point.counters().into()),
    };
    Ok(open(ctx, answer).iter().map(point).collect())
}
