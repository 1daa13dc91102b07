//! What trends on the whole platform.

use std::sync::Arc;

use async_graphql::{Context, Result, SimpleObject};
use throng_model::{Topic, VideoFacts};
use throng_recommend::Trends;

use crate::access::Access;
use crate::aggregate::{MIN, PUBLIC, aggregate};
use crate::counters::Measure;
use crate::error::{internal, of_gate};
use crate::hashtag::Hashtag;
use crate::input::page_size;
use crate::measured::gate;
use crate::scalar::Date;
use crate::scope::Scopes;
use crate::settled::unsettled;
use crate::video::Video;
use crate::words::TrendKind;

/// The type, as it is named in the schema.
const TREND: &str = "Trend";

/// A hashtag, a sound or a video whose views rose. Made of public counters of single sealed days, and of nothing that is not
/// disclosed: a day counts as nothing where it has fewer views, or fewer distinct viewers, than the policy's `audienceMin`.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Trend {
    /// The hashtag; null for other kinds.
    hashtag: Option<Hashtag>,
    /// The sound, by the platform's name for it; null for other kinds.
    sound: Option<String>,
    /// The video; null for other kinds.
    video: Option<Video>,
    /// The day that stands out, one of the last seven. Each event counts in its own channel's day.
    peak: Date,
    /// Views on that day; always EXACT. A video counts for the first five hashtags that it carried on the day, for the sound
    /// that it uses now, and on its own channel.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    views: Measure,
    /// Views that were to be expected: the mean of the seven days before, at least `audienceMin`.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    expected: f64,
    /// (Views − expected)² ÷ expected, halved for each day since the peak; above 0. Trends are ordered by it.
    #[graphql(directive = aggregate::apply(PUBLIC, MIN))]
    score: f64,
    /// How many channels have a video with it: a fact of the catalogue, at least 2 for hashtags and sounds.
    creators: i32,
}

/// The first so many that the caller may see.
pub(crate) fn ask(ctx: &Context<'_>, kind: TrendKind, date: Option<Date>, first: i32) -> Result<Vec<Trend>> {
    let access = Access::known(ctx)?;
    let (size, gate) = (page_size(first)?, gate(ctx)?);
    if !access.sees_hashtags() {
        return Ok(Vec::new());
    }
    let trends: &Arc<Trends> = ctx.data_opt().ok_or_else(internal)?;
    let trending = trends.of(kind.into(), date.map(|Date(day)| day)).map_err(of_gate)?;
    if !trending.is_settled() {
        unsettled(ctx);
    }
    let needs = Scopes::COUNTERS | access.needed(ctx, TREND);
    let visible = |facts: &VideoFacts| access.sees(&facts.creator, needs);
    let trend = |trend: &throng_recommend::Trend| {
        let mut shown = Trend {
            hashtag: None,
            sound: None,
            video: None,
            peak: Date(trend.day),
            views: trend.views.into(),
            expected: trend.expected,
            score: trend.score,
            creators: i32::try_from(trend.creators).unwrap_or(i32::MAX),
        };
        match &trend.topic {
            Topic::Hashtag(tag) => shown.hashtag = Some(Hashtag(tag.clone())),
            Topic::Sound(sound) => shown.sound = Some(sound.as_str().to_owned()),
            Topic::Video(video) => shown.video = Some(Video(gate.video(video).filter(visible)?)),
        }
        Some(shown)
    };
    Ok(trending.trends().iter().filter_map(trend).take(size).collect())
}
