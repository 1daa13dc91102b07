//! Audience insights: all tables of one entity and window, from as few readings as possible.

use roaring::{MultiOps, RoaringBitmap};
use throng_model::{Cell, DayRange, Entity, Family};
use throng_privacy::{Raw, RawTable};
use throng_store::{AudienceOf, ReadError, Snapshot};

use crate::block::{Block, scan};
use crate::collect::{DayCells, Need, by_days};
use crate::novelty::{self, Novelty};
use crate::pass::{Pass, Split};
use crate::plan::Plan;
use crate::scope::{Asked, Failure};

/// One table per family, in the same order. Novelty of anything but a channel is not defined, so nobody stands in it.
pub(crate) fn tables(
    snapshot: &Snapshot,
    plan: Plan,
    entity: &Entity,
    window: DayRange,
    families: &[Family],
) -> Result<Vec<RawTable<Cell, ()>>, Failure> {
    let asked = Asked::find(snapshot, entity)?;
    let novelty = if novelty::wanted(families) && matches!(entity, Entity::Creator(_)) {
        Some(Novelty::of(snapshot, plan, &asked, window)?)
    } else {
        None
    };
    let reach = match &novelty {
        Some(novelty) => &novelty.new | &novelty.returning,
        None => viewers(snapshot, plan, &asked, window, AudienceOf::View)?,
    };
    let any = if families.contains(&Family::Funnel) {
        viewers(snapshot, plan, &asked, window, AudienceOf::AnyEvent)?
    } else {
        RoaringBitmap::new()
    };
    let mut pass = Pass::new(families, window, &reach, &any, &asked.zone);
    if let Some(pass) = &mut pass {
        run(pass, snapshot, &asked, window)?;
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

/// Everyone with a view, or with any event, in a range.
fn viewers(
    snapshot: &Snapshot,
    plan: Plan,
    asked: &Asked,
    range: DayRange,
    of: AudienceOf,
) -> Result<RoaringBitmap, Failure> {
    let cells = by_days(snapshot, plan, asked, &DayCells::whole(range), Need::audience(of))?;
    Ok(cells.finish_audiences().into_iter().union())
}

fn run(pass: &mut Pass<'_>, snapshot: &Snapshot, asked: &Asked, window: DayRange) -> Result<(), ReadError> {
    let catalogue = snapshot.catalogue();
    let (first, last) = (u32::from(window.first().number()), u32::from(window.last().number()));
    let wanted = |day| (first..=last).contains(&day);
    for part in asked.parts(snapshot, window)? {
        scan(part.segment, &part.spans, catalogue, pass.columns(), wanted, |block| pass.take(block))?;
    }
    pass.take(&Block::of_rows(&asked.tail(snapshot), catalogue, wanted));
    Ok(())
}

fn seal((everyone, cells): Split) -> RawTable<Cell, ()> {
    let rows = cells.into_iter().filter(|(_, viewers)| !viewers.is_empty());
    RawTable::seal(Raw::seal((), everyone), rows.map(|(cell, viewers)| (cell, Raw::seal((), viewers))).collect())
}
