//! Measures and public counters as the schema shows them.

use async_graphql::{Context, Object, SimpleObject};
use throng_model::{Counter, DayRange};
use throng_privacy as privacy;

use crate::aggregate::{MIN, PUBLIC, aggregate};
use crate::flat::Flat;
use crate::plain::{Chosen, Pen, Plain};
use crate::scalar::Date;
use crate::settled::note;
use crate::words::Disclosure;

/// One judged number.
pub(crate) type Measure = Flat<Number>;

/// What [`Measure`] holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number(privacy::Measure);

impl From<privacy::Measure> for Measure {
    fn from(measure: privacy::Measure) -> Self {
        Self(Number(measure))
    }
}

/// A disclosed number, or the reason why there is none. Its unit is that of the field that returns it. Never disclosed with
/// fewer distinct viewers behind it than the policy's `audienceMin`.
#[Object(name = "Measure")]
impl Number {
    /// The number; null unless `disclosure` is EXACT or NOISY.
    async fn value(&self, ctx: &Context<'_>) -> Option<f64> {
        note(ctx, self.0.disclosure());
        self.0.value()
    }

    /// What the number is, or why there is none.
    async fn disclosure(&self) -> Disclosure {
        self.0.disclosure().into()
    }

    /// Half the width of the 95 % interval around a NOISY number, in the same unit; null for exact ones.
    async fn margin_of_error(&self) -> Option<f64> {
        self.0.margin_of_error()
    }

    /// The number of the range compared with, in the same unit; null without `compareTo`, or where it is not disclosed.
    async fn previous(&self) -> Option<f64> {
        self.0.previous()
    }

    /// (Value − previous) ÷ |previous|: 0.25 is a quarter more. Null unless both are disclosed, previous is not 0, and the
    /// range has ended.
    async fn change(&self) -> Option<f64> {
        self.0.change()
    }
}

impl Plain for Number {
    fn write(&self, field: &Chosen<'_>, pen: &mut Pen) -> Option<()> {
        let Self(measure) = self;
        match field.name {
            "value" => {
                pen.note(measure.disclosure());
                pen.value(&measure.value())
            }
            "disclosure" => pen.word(Disclosure::from(measure.disclosure())),
            "marginOfError" => pen.value(&measure.margin_of_error()),
            "previous" => pen.value(&measure.previous()),
            "change" => pen.value(&measure.change()),
            _ => None,
        }
    }
}

/// A range of days in the entity's reporting zone.
#[derive(Debug, Clone, Copy, SimpleObject)]
pub(crate) struct DateRange {
    /// First day.
    #[graphql(name = "from")]
    first: Date,
    /// Last day, included.
    #[graphql(name = "to")]
    last: Date,
}

impl Plain for DateRange {
    fn write(&self, field: &Chosen<'_>, pen: &mut Pen) -> Option<()> {
        match field.name {
            "from" => pen.value(&self.first),
            "to" => pen.value(&self.last),
            _ => None,
        }
    }
}

impl From<DayRange> for DateRange {
    fn from(days: DayRange) -> Self {
        Self { first: Date(days.first()), last: Date(days.last()) }
    }
}

/// Public counters of an entity over some days: what anyone sees under a video. They stand on one audience, everyone with
/// any event there, so all are disclosed or withheld together. Sums are net of what was taken back, with the gross beside.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Counters {
    /// The days summed over.
    range: DateRange,
    /// The days compared with; null without `compareTo`, and where the calendar does not reach back so far.
    previous_range: Option<DateRange>,
    /// Times that a video was shown in a list, before anyone chose it.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    impressions: Measure,
    /// Plays.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    views: Measure,
    /// Likes given minus likes taken back, by when each happened; can be negative.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    likes: Measure,
    /// Likes given, whether taken back or not.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    likes_gross: Measure,
    /// Comments written.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    comments: Measure,
    /// Times that a video was passed on.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    shares: Measure,
    /// Saves minus saves undone, by when each happened; can be negative.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    saves: Measure,
    /// Saves, whether undone or not.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    saves_gross: Measure,
    /// Followers gained.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    follows_gained: Measure,
    /// Followers lost.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    follows_lost: Measure,
    /// Openings of the creator's profile.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    profile_views: Measure,
    /// Total time watched, in seconds; loops count.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    watch_time: Measure,
    /// Watch time ÷ views, in seconds.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    average_watch_time: Measure,
    /// Views that reached 97 % of the video's length ÷ views of videos whose length is known; 0 to 1.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    completion_rate: Measure,
    /// (Net likes + comments + shares) ÷ views.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    engagement_rate: Measure,
}

impl Plain for Counters {
    fn write(&self, field: &Chosen<'_>, pen: &mut Pen) -> Option<()> {
        let measure = match field.name {
            "range" => return pen.object(&self.range, &field.fields),
            "previousRange" => return pen.object_or_null(self.previous_range.as_ref(), &field.fields),
            "impressions" => self.impressions,
            "views" => self.views,
            "likes" => self.likes,
            "likesGross" => self.likes_gross,
            "comments" => self.comments,
            "shares" => self.shares,
            "saves" => self.saves,
            "savesGross" => self.saves_gross,
            "followsGained" => self.follows_gained,
            "followsLost" => self.follows_lost,
            "profileViews" => self.profile_views,
            "watchTime" => self.watch_time,
            "averageWatchTime" => self.average_watch_time,
            "completionRate" => self.completion_rate,
            "engagementRate" => self.engagement_rate,
            _ => return None,
        };
        pen.object(&measure.0, &field.fields)
    }
}

impl From<&privacy::Counters> for Counters {
    fn from(counters: &privacy::Counters) -> Self {
        let get = |counter| counters.get(counter).into();
        Self {
            range: counters.days().into(),
            previous_range: counters.compared_with().map(DateRange::from),
            impressions: get(Counter::Impressions),
            views: get(Counter::Views),
            likes: get(Counter::Likes),
            likes_gross: get(Counter::LikesGross),
            comments: get(Counter::Comments),
            shares: get(Counter::Shares),
            saves: get(Counter::Saves),
            saves_gross: get(Counter::SavesGross),
            follows_gained: get(Counter::FollowsGained),
            follows_lost: get(Counter::FollowsLost),
            profile_views: get(Counter::ProfileViews),
            watch_time: get(Counter::WatchTime),
            average_watch_time: get(Counter::AverageWatchTime),
            completion_rate: get(Counter::CompletionRate),
            engagement_rate: get(Counter::EngagementRate),
        }
    }
}
