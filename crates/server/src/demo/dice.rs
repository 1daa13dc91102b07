//! Chance that is the same on every machine: a generator fixed by its specification, and arithmetic that every processor
//! rounds alike (no logarithms, powers or sines, whose last digits depend on the system's library).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A stream of chance.
#[derive(Debug, Clone)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// One of many independent streams of a seed.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        Self(random)
    }

    /// From 0 up to, but not including, 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From `low` up to, but not including, `high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// 0 to `count` − 1, all alike; 0 where `count` is 0.
    pub(super) fn below(&mut self, count: usize) -> usize {
        // The bias of taking the upper half of a product is 2⁻³² at most.
        ((u64::from(self.0.next_u32()) * count as u64) >> 32) as usize
    }

    /// 0 to `count` − 1, low ones more often: the first hundredth has a tenth of the chance.
    pub(super) fn low_below(&mut self, count: usize) -> usize {
        let unit = self.unit();
        ((unit * unit * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// Whether something of this chance happens.
    pub(super) fn chance(&mut self, chance: f64) -> bool {
        self.unit() < chance
    }

    /// A whole number whose mean is `mean`, give or take a fifth.
    pub(super) fn around(&mut self, mean: f64) -> usize {
        (mean * self.between(0.8, 1.2) + self.unit()) as usize
    }

    /// One of a list; `None` of an empty one.
    pub(super) fn one<'l, T>(&mut self, list: &'l [T]) -> Option<&'l T> {
        list.get(self.below(list.len()))
    }

    /// The index of one weight, by its weight; 0 where there are none.
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut left = self.unit() * weights.clone().sum::<f64>();
        let mut last = 0;
        for (index, weight) in weights.enumerate() {
            last = index;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        last
    }
}
