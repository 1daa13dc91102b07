//! The schema's closed sets, one to one with those of the crates below.

use async_graphql::Enum;
use throng_model::AgeBand as ModelAge;
use throng_model::Gender as ModelGender;

/// What a measure says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "throng_privacy::Disclosure")]
pub(crate) enum Disclosure {
    /// `value` is the exact number.
    Exact,
    /// `value` is the number with noise, `marginOfError` says how much. Not used under the protection THRESHOLD.
    Noisy,
    /// Too few viewers stand behind the number, or showing it would give such a number away. The same for none and for few.
    Withheld,
    /// The days asked for are not all sealed yet. Ask again when the creator's `sealedThrough` has passed them.
    NotSealed,
    /// There is no such number: a ratio without denominator, a position in a video of unknown length, a family that this
    /// entity does not have, or a window whose events have been dropped for their age.
    NotApplicable,
}

/// A public counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "throng_model::Counter")]
pub(crate) enum Counter {
    /// Times that a video was shown in a list, before anyone chose it.
    Impressions,
    /// Plays.
    Views,
    /// Likes given minus likes taken back.
    Likes,
    /// Likes given, whether taken back or not.
    LikesGross,
    /// Comments written.
    Comments,
    /// Times that a video was passed on.
    Shares,
    /// Saves minus saves undone.
    Saves,
    /// Saves, whether undone or not.
    SavesGross,
    /// Followers gained.
    FollowsGained,
    /// Followers lost.
    FollowsLost,
    /// Openings of the creator's profile.
    ProfileViews,
    /// Total time watched, in seconds.
    WatchTime,
    /// Watch time ÷ views, in seconds.
    AverageWatchTime,
    /// Views that reached 97 % of the video's length ÷ views of videos whose length is known; 0 to 1.
    CompletionRate,
    /// (Net likes + comments + shares) ÷ views.
    EngagementRate,
}

/// What can trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "throng_model::TopicKind")]
pub(crate) enum TrendKind {
    /// Hashtags, over all channels that carry them.
    Hashtag,
    /// Sounds, over all channels that use them.
    Sound,
    /// Videos of the channels that the token may see.
    Video,
}

/// Order of a channel's videos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Enum)]
pub(crate) enum VideoOrder {
    /// By id: the cheapest, and the same for ever.
    #[default]
    Id,
    /// By `publishedAt`, the newest first; those of which it is not known come last.
    Newest,
    /// By `publishedAt`, the oldest first; those of which it is not known come last.
    Oldest,
}

/// Step of a series, in the entity's reporting zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "throng_model::Granularity")]
pub(crate) enum Granularity {
    /// Clock hours.
    Hour,
    /// Days.
    Day,
    /// Weeks from Monday to Sunday.
    Week,
    /// Calendar months.
    Month,
    /// Calendar quarters.
    Quarter,
    /// Calendar years.
    Year,
}

/// What a range of days is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "throng_privacy::Comparison")]
pub(crate) enum Comparison {
    /// As many days, right before.
    PreviousPeriod,
    /// The same weekdays: as many days, earlier by the fewest whole weeks that keep both ranges apart.
    SameWeekdays,
}

/// A kind of window for audience insights. There are no others: free ranges would let answers be subtracted from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "throng_model::WindowKind")]
pub(crate) enum WindowKind {
    /// One day.
    Day,
    /// Seven days that end on a step of the policy (`rollingStepDays`; with 7, on a Sunday).
    #[graphql(name = "LAST_7_DAYS")]
    Last7Days,
    /// Twenty-eight days that end on a step of the policy (`rollingStepDays`; with 7, on a Sunday).
    #[graphql(name = "LAST_28_DAYS")]
    Last28Days,
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
    /// A calendar year.
    Year,
    /// The day on which a video was published. Videos only.
    #[graphql(name = "FIRST_1_DAY")]
    First1Day,
    /// The first 7 days of a video, the day of publication included. Videos only.
    #[graphql(name = "FIRST_7_DAYS")]
    First7Days,
    /// The first 28 days of a video. Videos only.
    #[graphql(name = "FIRST_28_DAYS")]
    First28Days,
    /// The first 90 days of a video. Videos only.
    #[graphql(name = "FIRST_90_DAYS")]
    First90Days,
    /// The first 365 days of a video. Videos only.
    #[graphql(name = "FIRST_365_DAYS")]
    First365Days,
}

/// What a breakdown splits the reach by. Unless said otherwise a viewer stands in one row: that of the viewer's last view
/// in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum Trait {
    /// ISO 3166-1 country; only disclosed rows appear.
    Country,
    /// ISO 3166-2 subdivision; only disclosed rows appear.
    Region,
    /// Age band.
    Age,
    /// Gender as the viewer stated it.
    Gender,
    /// Kind of device.
    Device,
    /// Where the viewer came from, of any view in the window: a viewer stands in each source used, so rows do not add up
    /// to the total.
    TrafficSource,
    /// Whether the viewer followed the creator at that moment.
    FollowerStatus,
}

/// Age band, in years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum AgeBand {
    /// 13 to 17 years.
    #[graphql(name = "AGE_13_17")]
    From13,
    /// 18 to 24 years.
    #[graphql(name = "AGE_18_24")]
    From18,
    /// 25 to 34 years.
    #[graphql(name = "AGE_25_34")]
    From25,
    /// 35 to 44 years.
    #[graphql(name = "AGE_35_44")]
    From35,
    /// 45 to 54 years.
    #[graphql(name = "AGE_45_54")]
    From45,
    /// 55 to 64 years.
    #[graphql(name = "AGE_55_64")]
    From55,
    /// 65 years and more.
    #[graphql(name = "AGE_65_PLUS")]
    From65,
    /// The platform does not say.
    Unknown,
}

impl From<Option<ModelAge>> for AgeBand {
    fn from(age: Option<ModelAge>) -> Self {
        match age {
            Some(ModelAge::From13) => Self::From13,
            Some(ModelAge::From18) => Self::From18,
            Some(ModelAge::From25) => Self::From25,
            Some(ModelAge::From35) => Self::From35,
            Some(ModelAge::From45) => Self::From45,
            Some(ModelAge::From55) => Self::From55,
            Some(ModelAge::From65) => Self::From65,
            None => Self::Unknown,
        }
    }
}

/// Gender as the viewer stated it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum Gender {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Any other.
    Other,
    /// The platform does not say.
    Unknown,
}

impl From<Option<ModelGender>> for Gender {
    fn from(gender: Option<ModelGender>) -> Self {
        match gender {
            Some(ModelGender::Female) => Self::Female,
            Some(ModelGender::Male) => Self::Male,
            Some(ModelGender::Other) => Self::Other,
            None => Self::Unknown,
        }
    }
}

/// Day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Weekday {
    /// Of 0 for Monday to 6 for Sunday.
    pub(crate) fn of(number: u8) -> Self {
        match number % 7 {
            0 => Self::Monday,
            1 => Self::Tuesday,
            2 => Self::Wednesday,
            3 => Self::Thursday,
            4 => Self::Friday,
            5 => Self::Saturday,
            _ => Self::Sunday,
        }
    }
}

/// How far a viewer went with an entity in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "throng_model::Stage")]
pub(crate) enum Stage {
    /// Any event at all: at least an impression.
    Saw,
    /// A view, or more.
    Viewed,
    /// A like, comment, share or save, or more.
    Engaged,
    /// A follow.
    Followed,
}

/// A family of audience insights: one table over one entity and window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "throng_model::Family")]
pub(crate) enum InsightFamily {
    /// Distinct viewers with at least one view.
    Reach,
    /// New and returning viewers.
    Novelty,
    /// Followers and non-followers.
    FollowerStatus,
    /// By country.
    Country,
    /// By region.
    Region,
    /// By age band.
    Age,
    /// By gender.
    Gender,
    /// By age band and gender.
    AgeGender,
    /// By device.
    Device,
    /// By traffic source; a viewer can stand in several cells.
    TrafficSource,
    /// By hour of the week; a viewer can stand in several cells.
    ActiveHours,
    /// By furthest playback position.
    Retention,
    /// By furthest stage.
    Funnel,
}

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "throng_privacy::EntityKind")]
pub(crate) enum EntityKind {
    /// A channel.
    Creator,
    /// A video.
    Video,
    /// A hashtag.
    Hashtag,
    /// The whole platform.
    Platform,
    /// What two channels have in common.
    Overlap,
}

/// How audience insights are protected beyond the floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "throng_privacy::Protection")]
pub(crate) enum Protection {
    /// Noise on each cell, drawn once for ever: what one viewer does with one entity on one day hardly changes any answer.
    Noise,
    /// Exact numbers above a floor, with suppression of whole tables. Differences between answers can isolate people.
    Threshold,
}
