//! Noise drawn once for ever: a pure function of the noise key and of the question's public words.
//!
//! ```text
//! seed = BLAKE3-keyed(noise key, "noise" | version | entity | window | family | σ² | reopened days | cell | epoch)
//! ```
//!
//! Nothing is remembered and nothing used up, so the same question has the same answer on every machine, for every caller,
//! after every restart. σ² is in the seed: another ρ draws afresh, instead of scaling a known draw.

use std::num::NonZeroU64;

use throng_model::{Cell, DayRange, Entity, Family, Stage, WindowKind};

use crate::sampler::{Bits, discrete_gaussian};
use crate::{NoiseKey, Rewrites};

/// Raise it when anything changes what is drawn.
const VERSION: u8 = 1;

/// The cell of a number without a row, such as the reach.
const NO_CELL: [u8; 5] = [0xff; 5];

/// The noise of one family, entity and window.
pub(crate) struct Noise {
    prefix: blake3::Hasher,
    variance: NonZeroU64,
    epochs: Vec<u64>,
}

impl Noise {
    pub(crate) fn new(
        key: &NoiseKey,
        entity: &Entity,
        (window, days): (WindowKind, DayRange),
        family: Family,
        variance: NonZeroU64,
        rewrites: &Rewrites,
    ) -> Self {
        let mut prefix = key.hasher(b"noise");
        let (kind, ids) = match entity {
            Entity::Creator(id) => (0, [Some(id.as_str()), None]),
            Entity::Video(id) => (1, [Some(id.as_str()), None]),
            Entity::Hashtag(tag) => (2, [Some(tag.as_str()), None]),
            Entity::Platform => (3, [None; 2]),
            Entity::Overlap(pair) => (4, pair.channels().each_ref().map(|id| Some(id.as_str()))),
        };
        prefix.update(&[VERSION, kind]);
        ids.into_iter().flatten().for_each(|id| put_text(&mut prefix, id));
        prefix.update(&[window_code(window), family_code(family)]);
        prefix.update(&days.first().number().to_le_bytes());
        prefix.update(&days.last().number().to_le_bytes());
        prefix.update(&variance.get().to_le_bytes());
        prefix.update(&(rewrites.reopened.len() as u64).to_le_bytes());
        for (creator, day, generation) in &rewrites.reopened {
            put_text(&mut prefix, creator.as_str());
            prefix.update(&day.number().to_le_bytes());
            prefix.update(&generation.to_le_bytes());
        }
        Self { prefix, variance, epochs: rewrites.epochs.clone() }
    }

    /// Independent draws in each cell's noise: one, and one more for each erasure since the window was over. What was
    /// released before an erasure and what is released after it differ by a whole draw, and nobody can average the first
    /// one away, since it stays.
    pub(crate) fn draws(&self) -> usize {
        1 + self.epochs.len()
    }

    /// Variance of a cell's noise.
    pub(crate) fn variance(&self) -> f64 {
        self.variance.get() as f64 * self.draws() as f64
    }

    /// The noise of a cell; `None` is the family's number without a row.
    pub(crate) fn of(&self, cell: Option<Cell>) -> i64 {
        let draw = |epoch| discrete_gaussian(self.variance, &mut Bits::new(self.seed(cell, epoch)));
        draw(None) + self.epochs.iter().map(|&nonce| draw(Some(nonce))).sum::<i64>()
    }

    fn seed(&self, cell: Option<Cell>, epoch: Option<u64>) -> [u8; 32] {
        let mut hasher = self.prefix.clone();
        hasher.update(&cell.map_or(NO_CELL, cell_code)).update(&[u8::from(epoch.is_some())]);
        hasher.update(&epoch.unwrap_or(0).to_le_bytes());
        *hasher.finalize().as_bytes()
    }
}

fn put_text(hasher: &mut blake3::Hasher, text: &str) {
    // The length in front keeps texts apart from what follows.
    hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
}

// Codes are part of every seed: a number once given stays.

fn window_code(window: WindowKind) -> u8 {
    match window {
        WindowKind::Day => 0,
        WindowKind::Last7Days => 1,
        WindowKind::Last28Days => 2,
        WindowKind::Month => 3,
        WindowKind::Quarter => 4,
        WindowKind::Year => 5,
        WindowKind::First1Day => 6,
        WindowKind::First7Days => 7,
        WindowKind::First28Days => 8,
        WindowKind::First90Days => 9,
        WindowKind::First365Days => 10,
    }
}

fn family_code(family: Family) -> u8 {
    match family {
        Family::Reach => 0,
        Family::Novelty => 1,
        Family::FollowerStatus => 2,
        Family::Country => 3,
        Family::Region => 4,
        Family::Age => 5,
        Family::Gender => 6,
        Family::AgeGender => 7,
        Family::Device => 8,
        Family::TrafficSource => 9,
        Family::ActiveHours => 10,
        Family::Retention => 11,
        Family::Funnel => 12,
    }
}

fn cell_code(cell: Cell) -> [u8; 5] {
    let (tag, [a, b, c, d]) = match cell {
        Cell::New => (0, [0; 4]),
        Cell::Returning => (1, [0; 4]),
        Cell::Follower(follower) => (2, small(follower.map(|value| value.code()))),
        Cell::Country(country) => (3, small(country.map(|value| value.ordinal()))),
        Cell::Region(region) => {
            let [low, high] = region.map_or(0, |value| value.suffix()).to_le_bytes();
            (4, [region.map_or(0, |value| value.country().ordinal()), low, high, 0])
        }
        Cell::Age(age) => (5, small(age.map(|value| value.code()))),
        Cell::Gender(gender) => (6, small(gender.map(|value| value.code()))),
        Cell::AgeGender(age, gender) => {
            (7, [age.map_or(0, |value| value.code()), gender.map_or(0, |value| value.code()), 0, 0])
        }
        Cell::Device(device) => (8, small(device.map(|value| value.code()))),
        Cell::Source(source) => (9, small(Some(source.code()))),
        Cell::Hour(hour) => (10, small(Some(hour.index()))),
        Cell::Position(position) => (11, small(Some(position))),
        Cell::Stage(stage) => (12, small(Some(stage_code(stage)))),
    };
    [tag, a, b, c, d]
}

/// A code, where 0 is "unknown": codes of the model begin at 1 where a value can be unknown.
fn small(code: Option<u8>) -> [u8; 4] {
    [code.unwrap_or(0), 0, 0, 0]
}

fn stage_code(stage: Stage) -> u8 {
    match stage {
        Stage::Saw => 0,
        Stage::Viewed => 1,
        Stage::Engaged => 2,
        Stage::Followed => 3,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cells;
    use throng_model::{AgeBand, Country, CreatorId, Day, Gender, Region, VideoId};

    fn days() -> DayRange {
        DayRange::day(Day::parse("2026-03-01").expect("day"))
    }

    fn variance() -> NonZeroU64 {
        NonZeroU64::new(1 << 30).expect("not 0")
    }

    fn noise(entity: &Entity, window: WindowKind, family: Family, rewrites: &Rewrites) -> Noise {
        Noise::new(&NoiseKey::from_bytes([7; 32]), entity, (window, days()), family, variance(), rewrites)
    }

    fn creator(id: &'static str) -> Entity {
        Entity::Creator(CreatorId::parse(id).expect("id"))
    }

    #[test]
    fn every_cell_of_the_catalogue_has_a_seed_of_its_own() {
        let (mut seen, mut count) = (BTreeSet::new(), 0);
        let entities = [creator("c1"), creator("c2"), Entity::Video(VideoId::parse("c1").expect("id"))];
        let reopened = vec![(CreatorId::parse("c1").expect("id"), days().first(), 1)];
        for rewrites in [Rewrites::default(), Rewrites { reopened, epochs: vec![] }] {
            for (entity, window) in entities.iter().flat_map(|entity| WindowKind::ALL.map(|window| (entity, window))) {
                for family in Family::ALL {
                    let noise = noise(entity, window, family, &rewrites);
                    for cell in cells_of(family).into_iter().map(Some).chain([None]) {
                        count += 2;
                        seen.extend([noise.seed(cell, None), noise.seed(cell, Some(0))]);
                    }
                }
            }
        }
        assert_eq!(seen.len(), count);
    }

    fn cells_of(family: Family) -> Vec<Cell> {
        match family {
            Family::Country => (0..=249).map(|ordinal| Cell::Country(Country::from_ordinal(ordinal))).collect(),
            Family::Region => ["DE-BY", "DE-BE", "FR-75", ""].map(|code| Cell::Region(Region::from_code(code))).into(),
            _ => cells::fixed(family).unwrap_or_default(),
        }
    }

    #[test]
    fn published_seeds_never_change() {
        let noise = noise(&creator("c1"), WindowKind::Last28Days, Family::AgeGender, &Rewrites::default());
        let cell = Cell::AgeGender(Some(AgeBand::From25), Some(Gender::Female));
        assert_eq!(noise.seed(Some(cell), None)[..8], [115, 240, 76, 241, 66, 145, 223, 9]);
    }

    #[test]
    fn the_same_question_has_the_same_noise() {
        let draw = || noise(&creator("c1"), WindowKind::Day, Family::Reach, &Rewrites::default()).of(None);
        assert_eq!(draw(), draw());
    }

    #[test]
    fn an_erasure_adds_a_draw_and_takes_none_away() {
        let after = |epochs: &[u64]| {
            let rewrites = Rewrites { epochs: epochs.to_vec(), ..Rewrites::default() };
            let noise = noise(&creator("c1"), WindowKind::Day, Family::Reach, &rewrites);
            (noise.of(None), noise.variance())
        };
        let (first, second, third) = (after(&[]), after(&[5]), after(&[5, 9]));
        assert_ne!(first.0, second.0);
        assert_ne!(second.0 - first.0, third.0 - second.0);
        assert_eq!(third.1, 3.0 * first.1);
        assert_ne!(after(&[6]).0, second.0, "another copy of the store that erases others");
    }
}
