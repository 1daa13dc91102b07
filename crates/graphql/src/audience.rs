//! Audience insights of one entity over one window.
//!
//! The families that a query selects are found by looking ahead, so that the gate, and behind it the engine, is asked once.

use std::collections::BTreeSet;

use async_graphql::{Context, InputType, Lookahead, Object, Result, SimpleObject};
use throng_model::{Cell, Entity, Family, Follower};
use throng_privacy as privacy;

use crate::aggregate::{INSIGHT, MIN, aggregate};
use crate::breakdown::Breakdown;
use crate::cost::cost;
use crate::counters::Measure;
use crate::error::{bad_input, internal, of_gate};
use crate::flat::{Flat, Rows};
use crate::input::{DateRangeInput, FIRST_MAX, WINDOWS_MAX, WindowInput, page_cost, page_size};
use crate::measured::gate;
use crate::plain::{AtHand, Chosen, Pen, Plain};
use crate::scalar::Date;
use crate::settled::open;
use crate::tables::{ActiveHour, AgeGenderCell, FunnelStage, RetentionPoint};
use crate::words::{Trait, WindowKind};

/// A window of the catalogue.
#[derive(Debug, Clone, Copy, SimpleObject)]
pub(crate) struct Window {
    /// Its kind.
    kind: WindowKind,
    /// Its first day.
    from: Date,
    /// Its last day, included.
    to: Date,
    /// Whether all its days are sealed. Until then the measures of the audience say NOT_SEALED.
    sealed: bool,
}

impl From<privacy::AskedWindow> for Window {
    fn from(window: privacy::AskedWindow) -> Self {
        Self {
            kind: window.kind().into(),
            from: Date(window.days().first()),
            to: Date(window.days().last()),
            sealed: window.sealed(),
        }
    }
}

impl Plain for Window {
    fn write(&self, field: &Chosen<'_>, pen: &mut Pen) -> Option<()> {
        match field.name {
            "kind" => pen.word(self.kind),
            "from" => pen.value(&self.from),
            "to" => pen.value(&self.to),
            "sealed" => pen.value(&self.sealed),
            _ => None,
        }
    }
}

/// Insights as they were asked for, and those families that the query selects.
#[derive(Debug, Clone)]
pub(crate) struct Audience {
    entity: Entity,
    asked: WindowInput,
    answer: privacy::Audience,
}

impl Audience {
    pub(crate) fn ask(ctx: &Context<'_>, entity: Entity, asked: WindowInput) -> Result<Self> {
        let families: Vec<Family> = selected(&ctx.look_ahead()).into_iter().collect();
        let answer = question(ctx, &entity, &asked, &families)?;
        Ok(Self { entity, asked, answer })
    }

    /// One for each window that ends within the range.
    pub(crate) fn ask_each(
        ctx: &Context<'_>,
        entity: &Entity,
        kind: WindowKind,
        range: &DateRangeInput,
    ) -> Result<Rows<Self>> {
        let days = range.resolve(gate(ctx)?, entity)?;
        let dates = gate(ctx)?.windows(kind.into(), days).map_err(of_gate)?;
        if dates.len() > WINDOWS_MAX {
            return Err(bad_input(format!("at most {WINDOWS_MAX} windows: ask for fewer days or a longer kind")));
        }
        let families: Vec<Family> = selected(&ctx.look_ahead()).into_iter().collect();
        let of_window = |date| {
            let asked = WindowInput { kind, date: Some(Date(date)) };
            let answer = question(ctx, entity, &asked, &families)?;
            Ok(Self { entity: entity.clone(), asked, answer })
        };
        dates.into_iter().map(of_window).collect()
    }

    /// Reads a family from the answer; asks again in the case that looking ahead has missed it.
    fn read<T>(
        &self,
        ctx: &Context<'_>,
        families: &[Family],
        read: impl Fn(&privacy::Audience) -> Option<T>,
    ) -> Result<T> {
        if let Some(found) = read(&self.answer) {
            return Ok(found);
        }
        read(&question(ctx, &self.entity, &self.asked, families)?).ok_or_else(internal)
    }

    fn cell(&self, ctx: &Context<'_>, family: Family, cell: Cell) -> Result<Measure> {
        Ok(self.read(ctx, &[family], |answer| answer.cell(family, cell))?.into())
    }

    fn table<T>(&self, ctx: &Context<'_>, family: Family, read: impl Fn(&privacy::AudienceTable) -> T) -> Result<T> {
        self.read(ctx, &[family], |answer| answer.table(family).map(&read))
    }

    fn curve<T>(
        &self,
        ctx: &Context<'_>,
        family: Family,
        read: impl Fn(&privacy::CurvePoint) -> Option<T>,
    ) -> Result<Rows<T>> {
        self.read(ctx, &[family], |answer| {
            answer.curve(family).map(|curve| curve.points().iter().filter_map(&read).collect())
        })
    }
}

fn question(ctx: &Context<'_>, entity: &Entity, asked: &WindowInput, families: &[Family]) -> Result<privacy::Audience> {
    let answer = gate(ctx)?.audience(entity, asked.kind.into(), asked.date(), families).map_err(of_gate)?;
    Ok(open(ctx, answer))
}

/// The families behind the selected fields.
fn selected(ahead: &Lookahead<'_>) -> BTreeSet<Family> {
    const FIELDS: [(&str, &[Family]); 10] = [
        ("reach", &[Family::Reach]),
        ("newViewers", &[Family::Novelty]),
        ("returningViewers", &[Family::Novelty]),
        ("followers", &[Family::FollowerStatus]),
        ("nonFollowers", &[Family::FollowerStatus]),
        ("ageGender", &[Family::AgeGender]),
        ("activeHours", &[Family::ActiveHours]),
        ("retention", &[Family::Retention]),
        ("funnel", &[Family::Funnel]),
        ("engagementPerReach", &[Family::Reach, Family::Funnel]),
    ];
    let wanted = FIELDS.iter().filter(|(field, _)| ahead.field(field).exists());
    let mut families: BTreeSet<Family> = wanted.flat_map(|(_, families)| families.iter().copied()).collect();
    for field in ahead.field("breakdown").selection_fields() {
        let arguments = field.arguments().unwrap_or_default();
        let by = arguments.into_iter().find(|(name, _)| name == "by").map(|(_, value)| value);
        families.extend(Trait::parse(by).ok().map(Trait::family));
    }
    families
}

/// Audience insights: numbers of distinct viewers over one window, counted once however often they came, from sealed days
/// only. Reach is the viewers with at least one view in the window; unless a field says otherwise, its number is a part of
/// the reach.
#[Object]
impl Audience {
    /// The window that these numbers cover.
    async fn window(&self) -> Window {
        self.answer.window().into()
    }

    /// Distinct viewers with at least one view in the window.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    async fn reach(&self, ctx: &Context<'_>) -> Result<Measure> {
        self.table(ctx, Family::Reach, |table| table.total().into())
    }

    /// Viewers without a view of this channel in the 365 days before their first view in the window. Channels only.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    async fn new_viewers(&self, ctx: &Context<'_>) -> Result<Measure> {
        self.cell(ctx, Family::Novelty, Cell::New)
    }

    /// Viewers who are not new: with a view of this channel in the 365 days before. Channels only.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    async fn returning_viewers(&self, ctx: &Context<'_>) -> Result<Measure> {
        self.cell(ctx, Family::Novelty, Cell::Returning)
    }

    /// Viewers who followed the creator at their last view in the window.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    async fn followers(&self, ctx: &Context<'_>) -> Result<Measure> {
        self.cell(ctx, Family::FollowerStatus, Cell::Follower(Some(Follower::Yes)))
    }

    /// Viewers who did not follow the creator at their last view in the window.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    async fn non_followers(&self, ctx: &Context<'_>) -> Result<Measure> {
        self.cell(ctx, Family::FollowerStatus, Cell::Follower(Some(Follower::No)))
    }

    /// The reach split by one trait.
    #[graphql(
        complexity = "1 + page_cost(first.unwrap_or(FIRST_MAX)) * child_complexity",
        directive = cost::apply(1, "first".into()),
        directive = aggregate::apply(INSIGHT, MIN)
    )]
    async fn breakdown(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The trait.")] by: Trait,
        #[graphql(desc = "How many rows at most, 1 to 100; 100 if left out. What further rows show is in `other`.")]
        first: Option<i32>,
    ) -> Result<Flat<Breakdown>> {
        let rows = page_size(first.unwrap_or(FIRST_MAX))?;
        self.table(ctx, by.family(), |table| Flat(Breakdown::from(&table.first(rows))))
    }

    /// The reach split by age band and gender: 32 cells in a fixed order, each viewer in one.
    #[graphql(
        complexity = "1 + 32 * child_complexity",
        directive = cost::apply(1, "32".into()),
        directive = aggregate::apply(INSIGHT, MIN)
    )]
    async fn age_gender(&self, ctx: &Context<'_>) -> Result<Rows<AgeGenderCell>> {
        self.table(ctx, Family::AgeGender, |table| table.rows().iter().filter_map(AgeGenderCell::of).collect())
    }

    /// Viewers by hour of the week, in the reporting zone: 168 cells from Monday 00:00 on. A viewer stands in every hour
    /// with a view, so cells do not add up to the reach.
    #[graphql(
        complexity = "1 + 168 * child_complexity",
        directive = cost::apply(1, "168".into()),
        directive = aggregate::apply(INSIGHT, MIN)
    )]
    async fn active_hours(&self, ctx: &Context<'_>) -> Result<Rows<ActiveHour>> {
        self.table(ctx, Family::ActiveHours, |table| table.rows().iter().filter_map(ActiveHour::of).collect())
    }

    /// How far viewers watched: 100 points from 1 to 100 % of the length. Each viewer counts with the furthest position of
    /// all views; viewers without a view of a video of known length are left out.
    #[graphql(
        complexity = "1 + 100 * child_complexity",
        directive = cost::apply(1, "100".into()),
        directive = aggregate::apply(INSIGHT, MIN)
    )]
    async fn retention(&self, ctx: &Context<'_>) -> Result<Rows<RetentionPoint>> {
        self.curve(ctx, Family::Retention, RetentionPoint::of)
    }

    /// How far viewers went: saw, viewed, engaged, followed. It starts with everyone with any event, not with the reach.
    #[graphql(
        complexity = "1 + 4 * child_complexity",
        directive = cost::apply(1, "4".into()),
        directive = aggregate::apply(INSIGHT, MIN)
    )]
    async fn funnel(&self, ctx: &Context<'_>) -> Result<Rows<FunnelStage>> {
        self.curve(ctx, Family::Funnel, FunnelStage::of)
    }

    /// Viewers who liked, commented, shared, saved or followed ÷ reach; can pass 1 where some did so without a view in the
    /// window. Made of the funnel's ENGAGED and the reach, so disclosed where both are.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    async fn engagement_per_reach(&self, ctx: &Context<'_>) -> Result<Measure> {
        let families = [Family::Reach, Family::Funnel];
        Ok(self.read(ctx, &families, privacy::Audience::engagement_per_reach)?.into())
    }
}

/// All that was found by looking ahead is at hand, save breakdowns, whose arguments the library reads.
impl Plain for Audience {
    const AT_HAND: AtHand = AtHand::Some;

    fn write(&self, field: &Chosen<'_>, pen: &mut Pen) -> Option<()> {
        let (answer, fields) = (&self.answer, &field.fields[..]);
        let cell = |family, cell| answer.cell(family, cell);
        let rows = |family| answer.table(family).map(|table| table.rows());
        let points = |family| answer.curve(family).map(|curve| curve.points());
        let measure = match field.name {
            "window" => return pen.object::<Window>(&answer.window().into(), fields),
            "ageGender" => return pen.list(rows(Family::AgeGender)?.iter().filter_map(AgeGenderCell::of), fields),
            "activeHours" => return pen.list(rows(Family::ActiveHours)?.iter().filter_map(ActiveHour::of), fields),
            "retention" => return pen.list(points(Family::Retention)?.iter().filter_map(RetentionPoint::of), fields),
            "funnel" => return pen.list(points(Family::Funnel)?.iter().filter_map(FunnelStage::of), fields),
            "reach" => answer.table(Family::Reach)?.total(),
            "newViewers" => cell(Family::Novelty, Cell::New)?,
            "returningViewers" => cell(Family::Novelty, Cell::Returning)?,
            "followers" => cell(Family::FollowerStatus, Cell::Follower(Some(Follower::Yes)))?,
            "nonFollowers" => cell(Family::FollowerStatus, Cell::Follower(Some(Follower::No)))?,
            "engagementPerReach" => answer.engagement_per_reach()?,
            _ => return None,
        };
        pen.object(&Measure::from(measure).0, fields)
    }
}

impl Trait {
    fn family(self) -> Family {
        match self {
            Self::Country => Family::Country,
            Self::Region => Family::Region,
            Self::Age => Family::Age,
            Self::Gender => Family::Gender,
            Self::Device => Family::Device,
            Self::TrafficSource => Family::TrafficSource,
            Self::FollowerStatus => Family::FollowerStatus,
        }
    }
}
