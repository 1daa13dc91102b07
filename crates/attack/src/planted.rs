//! The made world that most attacks are played over: a crowd large enough for every cell to show, and a target whose one
//! day moves as much as a unit can move.

use throng_model::{Entity, Family, Kind, Source};
use throng_privacy::ROLLING_STEP_DAYS_DEFAULT;

use crate::AttackError;
use crate::question::Question;
use crate::world::{Act, Clip, World, day, traits};

/// The target's number.
pub(crate) const TARGET: u32 = 0;
/// The channel, its videos, the hashtag of the first, and another channel that everybody looks in at on day 0.
pub(crate) const CHANNEL: &str = "ana";
pub(crate) const OTHER: &str = "bo";
pub(crate) const VIDEO: &str = "v1";
pub(crate) const TAG: &str = "dance";

/// What a planted world is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Viewers of each of two kinds.
    pub(crate) crowd: u32,
    /// Whether the target's day is there.
    pub(crate) target: bool,
    /// Whether that day has many more sources and hours than may count.
    pub(crate) heavy: bool,
}

impl Plan {
    /// A crowd for the default policy.
    pub(crate) fn new(target: bool) -> Self {
        Self { crowd: 320, target, heavy: false }
    }

    /// The world. The crowd's first half comes three times on day 0, sees everything and follows; the other half looks in
    /// once. The target was one of the second kind the day before, and is, or is not, one of the first on day 0. So its day
    /// moves it from one cell to another in every window that holds both. Who is there on day 0 looks in at the other channel.
    pub(crate) fn world(self) -> World {
        let clip = |id, tag, duration_ms| Clip { id, channel: CHANNEL, published: day(0), duration_ms, tag };
        let elsewhere = Clip { channel: OTHER, ..clip("v3", None, None) };
        let clips = vec![clip(VIDEO, Some(TAG), Some(60_000)), clip("v2", None, Some(30_000)), elsewhere];
        let mut acts = Vec::new();
        for viewer in 1..=self.crowd {
            acts.extend(eager(viewer));
            acts.push(casual(viewer + self.crowd, 0));
        }
        acts.push(casual(TARGET, -1));
        if self.target {
            acts.extend(eager(TARGET));
        }
        let viewers = (1..=2 * self.crowd).chain(self.target.then_some(TARGET));
        acts.extend(viewers.map(|viewer| Act { clip: 2, ..view(viewer, 0, true) }));
        if self.heavy {
            acts.extend(self.every_hour());
        }
        World { clips, acts, sealed_through: day(400), zone: "UTC" }
    }

    /// Views by everybody of the first kind in every hour and from every source, besides those of [`eager`].
    fn every_hour(self) -> Vec<Act> {
        let viewers = (1..=self.crowd).chain(self.target.then_some(TARGET));
        let views = |viewer| {
            let hours = (0..24).zip(Source::ALL.iter().copied().cycle());
            hours.map(move |(hour, source)| Act { minute: hour * 60 + 5, source, ..view(viewer, 0, true) })
        };
        viewers.flat_map(views).collect()
    }
}

/// A day of a viewer of the first kind.
pub(crate) fn eager(viewer: u32) -> Vec<Act> {
    let each = [(10, Source::ForYou), (12, Source::Following), (14, Source::ForYou)];
    let views = each.map(|(hour, source)| Act { minute: hour * 60, source, ..view(viewer, 0, true) });
    let follow = Act { minute: 14 * 60 + 1, kind: Kind::Follow, watch_ms: 0, ..view(viewer, 0, true) };
    views.into_iter().chain([follow]).collect()
}

/// A day of a viewer of the second kind.
pub(crate) fn casual(viewer: u32, offset: i64) -> Act {
    view(viewer, offset, false)
}

fn view(viewer: u32, offset: i64, first: bool) -> Act {
    Act {
        viewer,
        day: day(offset),
        minute: 16 * 60,
        kind: Kind::View,
        clip: 0,
        watch_ms: if first { 60_000 } else { 12_000 },
        source: Source::Search,
        traits: traits(first),
    }
}

/// Every question about every entity of a world over every window that holds one of these days.
pub(crate) fn all_questions(world: &World, offsets: &[i64]) -> Result<Vec<Question>, AttackError> {
    let mut questions: Vec<Question> = Vec::new();
    for entity in world.entities()? {
        let clip = world.clips.iter().find(|clip| matches!(&entity, Entity::Video(id) if id.as_str() == clip.id));
        for &offset in offsets {
            let published = clip.map(|clip| clip.published);
            for question in Question::holding(&entity, day(offset), published, ROLLING_STEP_DAYS_DEFAULT, &Family::ALL)
            {
                if !questions.contains(&question) {
                    questions.push(question);
                }
            }
        }
    }
    Ok(questions)
}
