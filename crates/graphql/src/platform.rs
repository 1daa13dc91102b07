//! The whole platform.

use async_graphql::{Context, Object, Result};
use throng_model::Entity;

use crate::aggregate::{INSIGHT, MIN, PUBLIC, aggregate};
use crate::audience::Audience;
use crate::cost::cost;
use crate::counters::Counters;
use crate::error::of_gate;
use crate::flat::{Flat, Rows};
use crate::input::{DateRangeInput, WindowInput};
use crate::measured::{self, SeriesPoint, gate};
use crate::scalar::Date;
use crate::words::{Comparison, Granularity, WindowKind};

/// The whole platform, for its operators.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Platform;

impl Platform {
    fn entity(&self) -> Entity {
        Entity::Platform
    }
}

/// All channels together. Each event counts in its own channel's day; where a zone is needed beyond that, it is UTC. Of
/// audience insights there is the reach alone.
#[Object]
impl Platform {
    /// The last day that is sealed for every channel; null where there is none. Insights exist for sealed days only.
    async fn sealed_through(&self, ctx: &Context<'_>) -> Result<Option<Date>> {
        Ok(gate(ctx)?.sealed_through(&self.entity()).map_err(of_gate)?.map(Date))
    }

    /// Public counters, summed over a range of days, open days included.
    #[graphql(
        complexity = "25 + child_complexity",
        directive = cost::apply(25, "1".into()),
        directive = aggregate::apply(PUBLIC, MIN)
    )]
    pub(crate) async fn counters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The days to sum over.")] range: DateRangeInput,
        #[graphql(desc = "Fills `previous` and `change` of each measure.")] compare_to: Option<Comparison>,
    ) -> Result<Flat<Counters>> {
        measured::counters(ctx, &self.entity(), &range, compare_to)
    }

    /// Public counters per step of a range, every step there, in order. At most 4,000 steps.
    #[graphql(
        complexity = "50 + range.steps(granularity.into()).saturating_mul(child_complexity)",
        directive = cost::apply(50, "steps of range".into()),
        directive = aggregate::apply(PUBLIC, MIN)
    )]
    pub(crate) async fn series(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The days to cover.")] range: DateRangeInput,
        #[graphql(desc = "The step.")] granularity: Granularity,
    ) -> Result<Rows<SeriesPoint>> {
        measured::series(ctx, &self.entity(), &range, granularity)
    }

    /// Audience insights over one window of the catalogue, from sealed days only.
    #[graphql(
        complexity = "200 + child_complexity",
        directive = cost::apply(200, "1".into()),
        directive = aggregate::apply(INSIGHT, MIN)
    )]
    pub(crate) async fn audience(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The window.")] window: WindowInput,
    ) -> Result<Flat<Audience>> {
        Audience::ask(ctx, self.entity(), window).map(Flat)
    }

    /// Audience insights over every window of a kind that ends within a range of days, in order: distinct viewers of each
    /// day, say. At most 100 windows; none of a kind by age.
    #[graphql(
        complexity = "200 + range.windows(kind).saturating_mul(child_complexity)",
        directive = cost::apply(200, "windows".into()),
        directive = aggregate::apply(INSIGHT, MIN)
    )]
    pub(crate) async fn audiences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The kind of window.")] kind: WindowKind,
        #[graphql(desc = "The days that the windows end on.")] range: DateRangeInput,
    ) -> Result<Rows<Audience>> {
        Audience::ask_each(ctx, &self.entity(), kind, &range)
    }
}
