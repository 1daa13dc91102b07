//! Cells of the families that a viewer's last view decides.
//!
//! ```text
//! traits = country (8 bits) | region (16) | age (4) | gender (4) | device (4) | follower (4)     in one u64
//! ```

use std::collections::BTreeMap;

use roaring::RoaringBitmap;
use throng_model::{AgeBand, Cell, Country, Device, Family, Follower, Gender, Region};
use throng_privacy::Codes;

use crate::cells::set_of_sorted;

/// Codes below this have a list of their own while viewers are split; sparse ones are sorted.
const DENSE_CODES: usize = 256;

/// Whether the viewer's last view says in which cell it stands.
pub(crate) fn is_trait(family: Family) -> bool {
    codes(family).is_some()
}

/// Splits viewers, given ascending with the traits of their last views.
pub(crate) fn split(family: Family, viewers: impl Iterator<Item = (u32, u64)>) -> BTreeMap<Cell, RoaringBitmap> {
    let mut cells = BTreeMap::new();
    let Some((of, Codes { shift, mask, cell })) = codes(family) else { return cells };
    let (shift, mask) = (if of == Of::Place { shift + 16 } else { shift }, u64::from(mask));
    let mut dense: Vec<Vec<u32>> = vec![Vec::new(); DENSE_CODES];
    let mut sparse: Vec<u64> = Vec::new();
    for (viewer, traits) in viewers {
        let code = traits >> shift & mask;
        match dense.get_mut(code as usize) {
            Some(list) => list.push(viewer),
            None => sparse.push(code << 32 | u64::from(viewer)),
        }
    }
    let mut put = |code: u32, set: RoaringBitmap| {
        *cells.entry(cell(code)).or_insert_with(RoaringBitmap::new) |= set;
    };
    for (code, list) in (0..).zip(&dense).filter(|(_, list)| !list.is_empty()) {
        put(code, set_of_sorted(list.iter().copied()));
    }
    sparse.sort_unstable();
    for run in sparse.chunk_by(|a, b| a >> 32 == b >> 32) {
        let code = run.first().map_or(0, |pair| (pair >> 32) as u32);
        put(code, set_of_sorted(run.iter().map(|&pair| pair as u32)));
    }
    cells
}

/// Which of the two numbers that say a viewer's traits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// Country and region: the traits above the lowest 16 bits.
    Place,
    /// The others: the lowest 16 bits.
    Person,
}

/// Where a family's code lies in the traits, and what it stands for. Several codes mean "unknown": a country without a
/// region, for one.
pub(crate) fn codes(family: Family) -> Option<(Of, Codes)> {
    let country = |code| Cell::Country(Country::from_ordinal(low_byte(code)));
    let region = |code: u32| {
        let country = Country::from_ordinal(low_byte(code >> 16));
        Cell::Region(country.and_then(|country| Region::from_parts(country, (code & 0xffff) as u16)))
    };
    let age_gender =
        |code| Cell::AgeGender(AgeBand::from_code(low_byte(code) >> 4), Gender::from_code(low_byte(code) & 0xf));
    let place = |shift, mask, cell| Some((Of::Place, Codes { shift, mask, cell }));
    let person = |shift, mask, cell| Some((Of::Person, Codes { shift, mask, cell }));
    match family {
        Family::Country => place(16, 0xff, country),
        Family::Region => place(0, 0xff_ffff, region),
        Family::Age => person(12, 0xf, |code| Cell::Age(AgeBand::from_code(low_byte(code)))),
        Family::AgeGender => person(8, 0xff, age_gender),
        Family::Gender => person(8, 0xf, |code| Cell::Gender(Gender::from_code(low_byte(code)))),
        Family::Device => person(4, 0xf, |code| Cell::Device(Device::from_code(low_byte(code)))),
        Family::FollowerStatus => person(0, 0xf, |code| Cell::Follower(Follower::from_code(low_byte(code)))),
        Family::Reach
        | Family::Novelty
        | Family::TrafficSource
        | Family::ActiveHours
        | Family::Retention
        | Family::Funnel => None,
    }
}

fn low_byte(code: u32) -> u8 {
    (code & 0xff) as u8
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "tests")]
    use super::*;

    #[test]
    fn unknown_regions_are_one_cell() {
        let bavaria = Region::from_code("DE-BY").expect("region");
        let germany = u64::from(bavaria.country().ordinal()) << 32;
        let traits = [(1, germany | u64::from(bavaria.suffix()) << 16), (2, germany), (3, 0), (9, 5)];
        let cells = split(Family::Region, traits.into_iter());
        let listed: Vec<_> = cells.iter().map(|(cell, set)| (*cell, set.iter().collect::<Vec<_>>())).collect();
        assert_eq!(listed, [(Cell::Region(None), vec![2, 3, 9]), (Cell::Region(Some(bavaria)), vec![1])]);
        let countries = split(Family::Country, traits.into_iter());
        assert_eq!(countries.get(&Cell::Country(None)).map(RoaringBitmap::len), Some(2));
    }

    #[test]
    fn age_and_gender_split_together() {
        let traits = u64::from(AgeBand::From25.code()) << 12 | u64::from(Gender::Other.code()) << 8 | 0x21;
        let cells = split(Family::AgeGender, [(4, traits)].into_iter());
        let cell = Cell::AgeGender(Some(AgeBand::From25), Some(Gender::Other));
        assert_eq!(cells.into_keys().collect::<Vec<_>>(), [cell]);
        let device = split(Family::Device, [(4, traits)].into_iter());
        assert_eq!(device.into_keys().collect::<Vec<_>>(), [Cell::Device(Some(Device::Ios))]);
    }
}
