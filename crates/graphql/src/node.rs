//! What can be found again by its id alone, after Relay's specification of global object identification.

use async_graphql::{Context, ID, Interface, Result};
use throng_model::{CreatorId, VideoId};

use crate::access::Access;
use crate::creator::Creator;
use crate::error::bad_input;
use crate::measured::gate;
use crate::scope::{CHANNEL, VIDEO};
use crate::video::Video;

/// Anything with an id of the platform's own. No two channels have the same id and no two videos, but a channel and a video
/// can: a cache that holds both keeps them apart by `__typename`.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The platform's own id."))]
pub(crate) enum Node {
    Creator(Creator),
    Video(Video),
}

/// The channel of an id; `None` where there is none, or the caller may not see it.
pub(crate) fn creator(ctx: &Context<'_>, id: &ID) -> Result<Option<Creator>> {
    let access = Access::known(ctx)?;
    // What is no id names nothing.
    let Ok(id) = CreatorId::parse(id.as_str()) else { return Ok(None) };
    if !access.sees(&id, access.needed(ctx, CHANNEL)) {
        return Ok(None);
    }
    Ok(gate(ctx)?.creator(&id).map(Creator))
}

/// The video of an id; `None` where there is none, or the caller may not see its channel.
pub(crate) fn video(ctx: &Context<'_>, id: &ID) -> Result<Option<Video>> {
    let access = Access::known(ctx)?;
    let Ok(id) = VideoId::parse(id.as_str()) else { return Ok(None) };
    let facts = gate(ctx)?.video(&id);
    let needs = access.needed(ctx, VIDEO);
    Ok(facts.filter(|facts| access.sees(&facts.creator, needs)).map(Video))
}

/// The channel or video of an id. What the caller may not see is no reason for doubt: it is not there.
pub(crate) fn node(ctx: &Context<'_>, id: &ID) -> Result<Option<Node>> {
    match (creator(ctx, id)?, video(ctx, id)?) {
        (Some(_), Some(_)) => Err(bad_input("a channel and a video have this id: ask creator or video instead")),
        (creator, video) => Ok(creator.map(Node::Creator).or(video.map(Node::Video))),
    }
}
