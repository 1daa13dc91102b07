//! A video.

use async_graphql::{Context, ID, Object, Result};
use throng_model::{Entity, VideoFacts};

use crate::access::Access;
use crate::aggregate::{INSIGHT, MIN, PUBLIC, aggregate};
use crate::audience::Audience;
use crate::cost::cost;
use crate::counters::Counters;
use crate::creator::Creator;
use crate::flat::{Flat, Rows};
use crate::input::{DateRangeInput, WindowInput};
use crate::measured::{self, SeriesPoint, gate};
use crate::plain::{AtHand, Chosen, Pen, Plain};
use crate::scalar::DateTime;
use crate::scope::Scopes;
use crate::words::{Comparison, Granularity, WindowKind};

/// A video of a channel that the caller may see.
#[derive(Debug, Clone)]
pub(crate) struct Video(pub(crate) VideoFacts);

impl Video {
    fn entity(&self) -> Entity {
        Entity::Video(self.0.id.clone())
    }
}

/// Its facts are at hand; the other fields ask the gate.
impl Plain for Video {
    const AT_HAND: AtHand = AtHand::Some;

    fn write(&self, field: &Chosen<'_>, pen: &mut Pen) -> Option<()> {
        let Self(facts) = self;
        match field.name {
            "id" => pen.value(facts.id.as_str()),
            "title" => pen.value(&facts.title),
            "publishedAt" => pen.value(&facts.published_at.map(DateTime::utc)),
            "duration" => pen.value(&seconds(facts)),
            "sound" => pen.value(&facts.sound.as_ref().map(|sound| sound.as_str())),
            "language" => pen.value(&facts.language.as_ref().map(|language| language.as_str())),
            _ => None,
        }
    }
}

fn seconds(facts: &VideoFacts) -> Option<f64> {
    facts.duration_ms.map(|millis| f64::from(millis) / 1_000.0)
}

/// A published short video. Its days are those of its creator's `timeZone`.
#[Object]
impl Video {
    /// The platform's own id of the video.
    pub(crate) async fn id(&self) -> ID {
        ID(self.0.id.as_str().to_owned())
    }

    /// Whose channel it is on; null where neither catalogue nor log knows the channel.
    async fn creator(&self, ctx: &Context<'_>) -> Result<Option<Creator>> {
        Ok(gate(ctx)?.creator(&self.0.creator).map(Creator))
    }

    /// Its title; null where the catalogue has none.
    async fn title(&self) -> Option<&str> {
        self.0.title.as_deref()
    }

    /// When it went public, in UTC; null where the catalogue does not say.
    async fn published_at(&self) -> Option<DateTime> {
        self.0.published_at.map(DateTime::utc)
    }

    /// Its length, in seconds; null where the catalogue does not say.
    async fn duration(&self) -> Option<f64> {
        seconds(&self.0)
    }

    /// Its hashtags, without `#`, in lower case.
    async fn hashtags(&self) -> Vec<&str> {
        self.0.hashtags.iter().map(|tag| tag.as_str()).collect()
    }

    /// The sound that it uses, by the platform's name for it; null where the catalogue does not say.
    async fn sound(&self) -> Option<&str> {
        self.0.sound.as_ref().map(|sound| sound.as_str())
    }

    /// Its language as the platform writes it, usually BCP 47; null where the catalogue does not say.
    async fn language(&self) -> Option<&str> {
        self.0.language.as_ref().map(|language| language.as_str())
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
        Access::check(ctx, &self.0.creator, Scopes::COUNTERS)?;
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
        Access::check(ctx, &self.0.creator, Scopes::COUNTERS)?;
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
        Access::check(ctx, &self.0.creator, Scopes::INSIGHTS)?;
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
        Access::check(ctx, &self.0.creator, Scopes::INSIGHTS)?;
        Audience::ask_each(ctx, &self.entity(), kind, &range)
    }
}
