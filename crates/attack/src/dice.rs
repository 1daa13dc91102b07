//! Chance from a seed: the same run on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use throng_privacy::NoiseKey;

/// One stream of random numbers.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// Streams of one seed are independent.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        Self(random)
    }

    /// A number below a bound, which is not 0. The slight bias of the remainder is far below what anything here measures.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        (self.0.next_u64() % u64::from(bound.max(1))) as u32
    }

    /// True in so many of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of several; `None` of none.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        from.get(self.below(from.len() as u32) as usize).copied()
    }

    /// A noise key that nobody else has.
    pub(crate) fn noise_key(&mut self) -> NoiseKey {
        NoiseKey::from_bytes(self.key_bytes())
    }

    /// The bytes of one, for a key that is to be made more than once.
    pub(crate) fn key_bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}
