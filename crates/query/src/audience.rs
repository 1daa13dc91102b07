//! Audience insights: all tables of one entity and window, from as few readings as possible.

use roaring::{MultiOps, RoaringBitmap};
use throng_model::{Cell, DayRange, Entity, Family};
use throng_privacy::{Contribution, Raw, RawTable};
use throng_store::{AudienceOf, ReadError, Snapshot};

use crate::block::{Block, Gaps, scan_runs};
use crate::cells::Cells;
use crate::collect::{DayCells, Need, VIEW, add_part};
use crate::digests::Digests;
use crate::frozen::Frozen;
use crate::novelty::{self, Novelty};
use crate::pass::{Pass, Split};
use crate::plan::Plan;
use crate::scope::{Failure, Part};

/// One table per family, in the same order. Novelty of anything but a channel is not defined, so nobody stands in it.
pub(crate) fn tables(
    snapshot: &Snapshot,
    plan: Plan,
    entity: &Entity,
    window: DayRange,
    families: &[Family],
    contribution: Contribution,
) -> Result<Vec<RawTable<Cell, ()>>, Failure> {
    let asked = Frozen::find(snapshot, entity, window, contribution)?;
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
        let parts = asked.parts(snapshot)?;
        let digests = Digests::find(snapshot, plan, &asked, &parts, families, contribution)?;
        run(pass, snapshot, &asked, &parts, &digests)?;
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
fn viewers(snapshot: &Snapshot, plan: Plan, asked: &Frozen, of: AudienceOf) -> Result<RoaringBitmap, ReadError> {
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

fn run(
    pass: &mut Pass<'_>,
    snapshot: &Snapshot,
    asked: &Frozen,
    parts: &[(Part<'_>, DayRange)],
    digests: &Digests<'_>,
) -> Result<(), ReadError> {
    let catalogue = snapshot.catalogue();
    for (day, segment, digest) in digests.iter() {
        pass.take_digest(day, segment, digest)?;
    }
    let gaps = if digests.iter().next().is_some() { Gaps::None } else { Gaps::Short };
    let columns = pass.columns();
    for (place, (part, days)) in parts.iter().enumerate().filter(|(place, _)| digests.leave_any(*place)) {
        let is_in = |day| (u32::from(days.first().number())..=days.last().number().into()).contains(&day);
        let wanted = |day| is_in(day) && digests.leave(place, day);
        scan_runs(part.segment, &part.spans, catalogue, columns, wanted, gaps, |block| pass.take(block, *days))?;
    }
    // These lie in the window, on days that are the entity's.
    pass.take(&Block::of_rows(&asked.tail(snapshot), catalogue, |_| true), asked.window());
    pass.finish();
    Ok(())
}

fn seal((everyone, cells): Split) -> RawTable<Cell, ()> {
    let rows = cells.into_iter().filter(|(_, viewers)| !viewers.is_empty());
    RawTable::seal(Raw::seal((), everyone), rows.map(|(cell, viewers)| (cell, Raw::seal((), viewers))).collect())
}
