//! A channel.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use throng_model::{CreatorFacts, Entity, VideoFacts, VideoId};

use crate::access::Access;
use crate::aggregate::{INSIGHT, MIN, PUBLIC, aggregate};
use crate::audience::Audience;
use crate::connection::{Connection, age_cursor, connection, cursor, cursor_age, cursor_id};
use crate::cost::cost;
use crate::counters::{Counters, Measure};
use crate::error::of_gate;
use crate::flat::{Flat, Rows};
use crate::input::{DateRangeInput, WindowInput, page_cost, page_size};
use crate::measured::{self, SeriesPoint, gate};
use crate::plain::{AtHand, Chosen, Pen, Plain};
use crate::scalar::Date;
use crate::scope::Scopes;
use crate::settled::open;
use crate::video::Video;
use crate::words::{Comparison, Counter, Granularity, VideoOrder, WindowKind};

/// A channel that the caller may see.
#[derive(Debug, Clone)]
pub(crate) struct Creator(pub(crate) CreatorFacts);

impl Creator {
    fn entity(&self) -> Entity {
        Entity::Creator(self.0.id.clone())
    }
}

/// A video among a channel's best by one counter.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct RankedVideo {
    /// The video.
    video: Flat<Video>,
    /// The counter that it is ranked by, in that counter's unit; always disclosed.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    value: Measure,
}

impl Plain for RankedVideo {
    fn write(&self, field: &Chosen<'_>, pen: &mut Pen) -> Option<()> {
        match field.name {
            "video" => pen.object(&self.video.0, &field.fields),
            "value" => pen.object(&self.value.0, &field.fields),
            _ => None,
        }
    }
}

/// Most of its fields ask the gate.
impl Plain for Creator {
    const AT_HAND: AtHand = AtHand::None;

    fn write(&self, _: &Chosen<'_>, _: &mut Pen) -> Option<()> {
        None
    }
}

/// A creator's channel: everything that happened on it, with or without a video. Its days begin and end at midnight of
/// its `timeZone`.
#[Object]
impl Creator {
    /// The platform's own id of the creator.
    pub(crate) async fn id(&self) -> ID {
        ID(self.0.id.as_str().to_owned())
    }

    /// The name shown to people; null where the catalogue has none.
    async fn handle(&self) -> Option<&str> {
        self.0.handle.as_ref().map(|handle| handle.as_str())
    }

    /// The reporting zone, an IANA name: it says where this channel's days begin.
    async fn time_zone(&self) -> &str {
        self.0.time_zone.name()
    }

    /// The last sealed day; null where no day is sealed yet. Insights exist for sealed days only.
    async fn sealed_through(&self) -> Option<Date> {
        self.0.sealed_through.map(Date)
    }

    /// The channel's videos, in the order of their ids unless another is asked for.
    #[graphql(complexity = "1 + page_cost(first) * child_complexity", directive = cost::apply(1, "first".into()))]
    async fn videos(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size, 1 to 100.")] first: i32,
        #[graphql(desc = "A cursor of the page before, in the same order.")] after: Option<String>,
        #[graphql(desc = "The order.", default)] order_by: VideoOrder,
    ) -> Result<Connection<Video>> {
        let (size, gate, after) = (page_size(first)?, gate(ctx)?, after.as_deref());
        let order = match order_by {
            VideoOrder::Id => None,
            VideoOrder::Newest => Some(throng_model::VideoOrder::Newest),
            VideoOrder::Oldest => Some(throng_model::VideoOrder::Oldest),
        };
        let facts = match order {
            None => gate.videos_of(&self.0.id, cursor_id(after, VideoId::parse)?.as_ref(), size + 1),
            Some(order) => {
                let place = cursor_age(order, after)?;
                let place = place.as_ref().map(|(rank, id)| (*rank, id));
                gate.videos_by_age(&self.0.id, order, place, size + 1)
            }
        };
        let cursor = |facts: &VideoFacts| match order {
            None => cursor(facts.id.as_str()),
            Some(order) => age_cursor(order, facts),
        };
        let nodes = facts.into_iter().map(|facts| (cursor(&facts), Video(facts)));
        Ok(connection(nodes, size, after.is_some()))
    }

    /// The channel's videos by one counter over some days, the largest first. Only disclosed videos are ranked: how many
    /// others there are, and in which order, is not said.
    #[graphql(
        complexity = "100 + page_cost(first) * child_complexity",
        directive = cost::apply(100, "first".into()),
        directive = aggregate::apply(PUBLIC, MIN)
    )]
    async fn top_videos(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The days to sum over.")] range: DateRangeInput,
        #[graphql(desc = "The counter to rank by.")] by: Counter,
        #[graphql(desc = "How many at most, 1 to 100.")] first: i32,
    ) -> Result<Rows<RankedVideo>> {
        Access::check(ctx, &self.0.id, Scopes::COUNTERS)?;
        let (size, gate) = (page_size(first)?, gate(ctx)?);
        let days = range.resolve(gate, &self.entity())?;
        let answer = gate.top_videos(&self.0.id, days, by.into(), size).map_err(of_gate)?;
        let ranked = |ranked: throng_privacy::RankedVideo| {
            let value = ranked.value().into();
            gate.video(ranked.video()).map(|facts| RankedVideo { video: Flat(Video(facts)), value })
        };
        Ok(open(ctx, answer).into_iter().filter_map(ranked).collect())
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
        Access::check(ctx, &self.0.id, Scopes::COUNTERS)?;
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
        Access::check(ctx, &self.0.id, Scopes::COUNTERS)?;
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
        Access::check(ctx, &self.0.id, Scopes::INSIGHTS)?;
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
        Access::check(ctx, &self.0.id, Scopes::INSIGHTS)?;
        Audience::ask_each(ctx, &self.entity(), kind, &range)
    }
}
