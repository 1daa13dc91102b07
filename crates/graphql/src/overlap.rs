//! What two channels have in common.

use async_graphql::{Context, ID, Result, SimpleObject};
use throng_model::{ChannelPair, CreatorId};
use throng_privacy::GateError;

use crate::access::Access;
use crate::aggregate::{INSIGHT, MIN, aggregate};
use crate::audience::Window;
use crate::counters::Measure;
use crate::creator::Creator;
use crate::error::{bad_input, of_gate};
use crate::input::WindowInput;
use crate::measured::gate;
use crate::scope::Scopes;
use crate::settled::open;

/// The type, as it is named in the schema.
const OVERLAP: &str = "Overlap";

/// Viewers that two channels have in common, over a window of each channel's own days. From sealed days only, and only of
/// days that were not sealed yet when both channels agreed.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Overlap {
    /// The window that the numbers cover.
    window: Window,
    /// Distinct viewers with at least one view of each channel in the window, not necessarily on one day.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    reach: Measure,
    /// What part of each channel's reach this is; of those channels that the token may see so much of.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    shares: Vec<OverlapShare>,
}

/// What part of one channel's reach two channels have in common.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct OverlapShare {
    /// The channel.
    creator: Creator,
    /// Viewers in common ÷ the channel's reach in the window, 0 to 1; null where either is not disclosed.
    #[graphql(directive = aggregate::apply(INSIGHT, MIN))]
    share: Option<f64>,
}

/// Of two channels, one of which the caller may see; `None` where they do not both agree, or are not both there.
pub(crate) fn ask(ctx: &Context<'_>, ids: &[ID], window: &WindowInput) -> Result<Option<Overlap>> {
    let access = Access::known(ctx)?;
    let [one, other] = ids else { return Err(bad_input("creators must be two ids")) };
    let parse = |id: &ID| CreatorId::parse(id.to_string()).ok();
    let (Some(one), Some(other)) = (parse(one), parse(other)) else { return Ok(None) };
    let needs = Scopes::INSIGHTS | access.needed(ctx, OVERLAP);
    if !(access.sees(&one, needs) || access.sees(&other, needs)) {
        return Ok(None);
    }
    let pair = ChannelPair::new(one, other).ok_or_else(|| bad_input("creators must be two different ids"))?;
    let gate = gate(ctx)?;
    let overlap = match gate.overlap(&pair, window.kind.into(), window.date()) {
        Err(GateError::Unknown) => return Ok(None),
        answer => open(ctx, answer.map_err(of_gate)?),
    };
    let wanted = ctx.look_ahead().field("shares").exists();
    let seen = pair.channels().iter().filter(|channel| wanted && access.sees(channel, needs));
    let share_of = |channel: &CreatorId<'static>| {
        let share = gate.share_of(channel, &overlap).map_err(of_gate)?;
        Ok(gate.creator(channel).map(|facts| OverlapShare { creator: Creator(facts), share }))
    };
    let shares = seen.filter_map(|channel| share_of(channel).transpose()).collect::<Result<_>>()?;
    Ok(Some(Overlap { window: overlap.window().into(), reach: overlap.reach().into(), shares }))
}
