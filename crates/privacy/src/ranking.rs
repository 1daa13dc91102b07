//! A channel's videos by one counter, sealed: the best few, and as much of the others as it takes to judge them.
//!
//! A channel has thousands of videos of which a ranking shows ten, so the engine does not hand all of them over. What the
//! judgement of the whole table (`sums`) needs besides the best: the audiences below the floor, or enough of them to see
//! that they are enough viewers together; and where they are not, which video is hidden with them.

use std::cmp::Reverse;

use roaring::RoaringBitmap;
use throng_model::{Counter, Tally, VideoId};

use crate::Raw;

/// Which videos of a channel are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Best {
    /// Ranked by this counter, the largest first, then by id.
    pub by: Counter,
    /// How many.
    pub first: usize,
    /// How many viewers a video needs to be ranked; larger audiences may be handed over in part.
    pub enough: u64,
}

/// A channel's best videos over some days. Only this crate opens it.
pub struct RawRanking {
    pub(crate) best: Vec<(VideoId<'static>, Raw<f64>)>,
    pub(crate) few: Vec<RoaringBitmap>,
    pub(crate) least: Option<VideoId<'static>>,
}

impl RawRanking {
    /// Seals a ranking:
    /// - `best`: the first videos with enough viewers and a value, one more than asked for, in order, or all there are;
    /// - `few`: the audiences of videos with events but not enough viewers, each whole: all of them, or as many as are two
    ///   videos and enough viewers together;
    /// - `least`: where `few` is all of them, but not that: of the videos with enough viewers the one with the fewest
    ///   events, of equals the last by id.
    pub fn seal(
        best: Vec<(VideoId<'static>, Raw<f64>)>,
        few: Vec<RoaringBitmap>,
        least: Option<VideoId<'static>>,
    ) -> Self {
        Self { best, few, least }
    }

    /// The same from all videos with events.
    pub fn of(videos: Vec<(VideoId<'static>, Raw<Tally>)>, asked: Best) -> Self {
        let (mut enough, few): (Vec<_>, Vec<_>) =
            videos.into_iter().partition(|(_, raw)| raw.audience.len() >= asked.enough);
        let least = enough.iter().min_by_key(|(id, raw)| (raw.value.events(), Reverse(id)));
        let least = least.map(|(id, _)| id.clone());
        enough.sort_by(|(a, _), (b, _)| a.cmp(b));
        let ranked = enough.into_iter().filter_map(|(id, raw)| Some((id, (asked.by.of(&raw.value)?, raw.audience))));
        let mut best: Vec<_> = ranked.collect();
        best.sort_by(|(_, (a, _)), (_, (b, _))| b.total_cmp(a));
        best.truncate(asked.first.saturating_add(1));
        let best = best.into_iter().map(|(id, (value, audience))| (id, Raw::seal(value, audience)));
        Self { best: best.collect(), few: few.into_iter().map(|(_, raw)| raw.audience).collect(), least }
    }
}
