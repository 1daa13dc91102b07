//! The made-up viewers: who they are, and which of them come to a channel.

use throng_model::{AgeBand, Device, Gender, Traits};

use super::channels::Channel;
use super::dice::Dice;
use super::places::Place;
use super::words::NICHES;

/// A viewer.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) id: String,
    /// Index of the place.
    pub(super) place: usize,
    /// What events say of the viewer; `follower` is left to the moment.
    pub(super) traits: Traits,
}

/// Every viewer, and the viewers of each place.
#[derive(Debug)]
pub(super) struct People {
    pub(super) all: Vec<Person>,
    by_place: Vec<Vec<u32>>,
}

impl People {
    pub(super) fn new(count: usize, places: &[Place], dice: &mut Dice) -> Self {
        let mut by_place = vec![Vec::new(); places.len()];
        let mut all = Vec::with_capacity(count);
        for number in 0..count {
            let place = dice.weighted(places.iter().map(|place| place.weight));
            if let Some(of_place) = by_place.get_mut(place) {
                of_place.push(number as u32);
            }
            // Not in the order of anything, as real ones are.
            let id = format!("u{:08x}", (number as u32).wrapping_mul(0x9e37_79b1));
            all.push(Person { id, place, traits: traits(places.get(place), dice) });
        }
        Self { all, by_place }
    }

    pub(super) fn get(&self, viewer: u32) -> Option<&Person> {
        self.all.get(viewer as usize)
    }

    /// A viewer who comes across a channel: often from its own country, mostly of the age and gender that its subject
    /// draws, and for each subject from other corners, so that channels of one subject share viewers.
    pub(super) fn passer_by(&self, channel: &Channel, dice: &mut Dice) -> u32 {
        let mut viewer = 0;
        for _ in 0..6 {
            viewer = if dice.chance(channel.home_share) {
                let home = self.by_place.get(channel.place).map(Vec::as_slice).unwrap_or_default();
                home.get(corner(home.len(), channel.niche, dice)).copied().unwrap_or(0)
            } else {
                corner(self.all.len(), channel.niche, dice) as u32
            };
            if self.get(viewer).is_some_and(|person| dice.chance(channel.draws(&person.traits))) {
                break;
            }
        }
        viewer
    }
}

/// An index, near the subject's own corner more often.
fn corner(count: usize, niche: usize, dice: &mut Dice) -> usize {
    (dice.low_below(count) + niche * count / NICHES.len()) % count.max(1)
}

fn traits(place: Option<&Place>, dice: &mut Dice) -> Traits {
    const AGES: [f64; 7] = [1.4, 3.2, 3.0, 1.7, 1.0, 0.6, 0.3];
    const DEVICES: [f64; 6] = [5.5, 3.2, 0.6, 0.4, 0.2, 0.1];
    let told = !dice.chance(0.06);
    let located = !dice.chance(0.03);
    let age = AgeBand::ALL.get(dice.weighted(AGES.into_iter())).copied();
    let gender = Gender::ALL.get(dice.weighted([0.5, 0.47, 0.03].into_iter())).copied();
    let device = Device::ALL.get(dice.weighted(DEVICES.into_iter())).copied();
    let region = place.and_then(|place| place.region).filter(|_| dice.chance(0.9));
    Traits {
        country: place.and_then(|place| place.country).filter(|_| located),
        region: region.filter(|_| located),
        age: age.filter(|_| told),
        gender: gender.filter(|_| told),
        device,
        follower: None,
    }
}
