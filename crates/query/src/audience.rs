//! Audience insights: all tables of one entity and window, from as few readings as possible.

use roaring::{MultiOps, RoaringBitmap};
use throng_model::{Cell, DayRange, Entity, Family};
use throng_privacy::{Contribution, Raw, RawAudience, RawTable};
use throng_store::{AudienceOf, ReadError, Snapshot};

use crate::block::{Block, scan};
use crate::cells::Cells;
use crate::channel;
use crate::collect::{DayCells, Need, VIEW, add_part};
use crate::frames::Frames;
use crate::frozen::Frozen;
use crate::gather::numbers;
use crate::novelty::{self, Novelty};
use crate::overlap;
use crate::pass::{Pass, Split};
use crate::plan::Plan;
use crate::platform::PlatformViewers;
use crate::scope::Failure;

/// One table per family, in the same order. What is not in the catalogue for the entity, such as
/// the novelty of anything but a channel, holds nobody.
pub(crate) fn tables(
    snapshot: &Snapshot,
    plan: Plan,
    entity: &Entity,
    window: DayRange,
    families: &[Family],
    contribution: Contribution,
    (frames, platform): (&Frames, &PlatformViewers),
) -> Result<Vec<RawAudience>, Failure> {
    let reach_alone = |reach: &dyn Fn() -> Result<RawAudience, Failure>| {
        let table = |&family: &Family| if family == Family::Reach { reach() } else { Ok(seal(Split::default())) };
        families.iter().map(table).collect()
    };
    match entity {
        Entity::Platform => return reach_alone(&|| Ok(platform.reach(snapshot, plan, window)?)),
        Entity::Overlap(pair) => return reach_alone(&|| overlap::reach(snapshot, plan, pair, window, frames)),
        Entity::Creator(_) | Entity::Video(_) | Entity::Hashtag(_) => {}
    }
    let asked = Frozen::find(snapshot, entity, window, contribution)?;
    if let Some(channel) = asked.channel().filter(|_| plan.digests()) {
        return Ok(channel::tables(snapshot, frames, channel, window, families, contribution)?);
    }
    let channel = asked.channel().filter(|_| novelty::wanted(families));
    let novelty = channel.map(|channel| Novelty::of(snapshot, plan, channel, window)).transpose()?;
    let reach = match &novelty {
        Some(novelty) => &novelty.new | &novelty.returning,
        None => viewers(snapshot, plan, &asked, AudienceOf::View)?,
    };
    let any = if families.contains(&Family::Funnel) {
        viewers(snapshot, plan, &asked, AudienceOf::AnyEvent)?
    } else {
        RoaringBitmap::new()
    };
    let mut pass = Pass::new(families, contribution, &asked, snapshot.catalogue(), &reach, &any);
    if let Some(pass) = &mut pass {
        run(pass, snapshot, &asked)?;
    }
    let table = |&family: &Family| {
        let split: Split = match (family, &novelty, &pass) {
            (Family::Reach, ..) => (reach.clone(), [].into()),
            (Family::Novelty, Some(Novelty { new, returning }), _) => {
                (reach.clone(), [(Cell::New, new.clone()), (Cell::Returning, returning.clone())].into())
            }
            (Family::Novelty, None, _) | (_, _, None) => Split::default(),
            (family, _, Some(pass)) => pass.split(family, &any),
        };
        seal(split)
    };
    Ok(families.iter().map(table).collect())
}

/// Everyone with a view, or with any event.
pub(crate) fn viewers(
    snapshot: &Snapshot,
    plan: Plan,
    asked: &Frozen,
    of: AudienceOf,
) -> Result<RoaringBitmap, ReadError> {
    let mut cells = Cells::new(1);
    for (part, days) in asked.parts(snapshot)? {
        let choice = plan.choose(part.rows(), days.days());
        add_part(&mut cells, snapshot.catalogue(), &part, choice, &DayCells::whole(days), Need::audience(of))?;
    }
    for row in asked.tail(snapshot) {
        if of == AudienceOf::AnyEvent || u32::from(row.kind) == VIEW {
            cells.see(0, row.viewer);
        }
    }
    Ok(cells.finish_audiences().into_iter().union())
}

fn run(pass: &mut Pass<'_>, snapshot: &Snapshot, asked: &Frozen) -> Result<(), ReadError> {
    let catalogue = snapshot.catalogue();
    let columns = pass.columns();
    for (part, days) in asked.parts(snapshot)? {
        let wanted = |day| numbers(days).contains(&day);
        scan(part.segment, &part.spans, catalogue, columns, wanted, |block| pass.take(block, days))?;
    }
    // These lie in the window, on days that are the entity's.
    pass.take(&Block::of_rows(&asked.tail(snapshot), catalogue, |_| true), asked.window());
    pass.finish();
    Ok(())
}

pub(crate) fn seal((everyone, cells): Split) -> RawAudience {
    let rows = cells.into_iter().filter(|(_, viewers)| !viewers.is_empty());
    RawTable::seal(Raw::seal((), everyone), rows.map(|(cell, viewers)| (cell, Raw::seal((), viewers))).collect()).into()
}
