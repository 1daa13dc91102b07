//! What two channels have in common: the viewers with a view on each, in a window of each channel's own days.

use std::sync::Arc;

use throng_model::{ChannelPair, DayRange};
use throng_privacy::{RawAudience, Viewers};
use throng_store::{AudienceOf, CreatorOrd, Snapshot};

use crate::audience::viewers;
use crate::facts::channels;
use crate::frame::Wants;
use crate::frames::Frames;
use crate::frozen::Frozen;
use crate::plan::Plan;
use crate::scope::Failure;

pub(crate) fn reach(
    snapshot: &Snapshot,
    plan: Plan,
    pair: &ChannelPair,
    window: DayRange,
    frames: &Frames,
) -> Result<RawAudience, Failure> {
    let [one, other] = channels(snapshot.catalogue(), pair)?;
    if !plan.digests() {
        let of = |channel| viewers(snapshot, plan, &Frozen::channel_of(channel, window), AudienceOf::View);
        return Ok(RawAudience::in_both_sets(of(one)?, of(other)?));
    }
    let of = |channel: CreatorOrd| -> Result<Vec<Arc<Viewers>>, Failure> {
        let days = frames.of(snapshot, channel, window, Wants::default())?;
        Ok(days.into_iter().map(|(_, frame)| frame.viewers()).collect())
    };
    Ok(RawAudience::in_both(of(one)?, of(other)?))
}
