//! The key of the noise: whoever holds it and the released numbers holds the true ones, so it lives apart from the data.

/// The secret that all noise is drawn from. Neither printed nor cloned; wiping memory is left to the process's end.
pub struct NoiseKey([u8; 32]);

impl NoiseKey {
    /// A key of these bytes, which come from the system's random source.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Tells keys apart without saying anything about them: a store remembers it, so that another key is noticed.
    pub fn check(&self) -> [u8; 16] {
        let mut check = [0; 16];
        self.hasher(b"check").finalize_xof().fill(&mut check);
        check
    }

    /// A keyed hash for one purpose; what is hashed beneath different purposes never meets.
    pub(crate) fn hasher(&self, purpose: &[u8; 5]) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(purpose);
        hasher
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_tell_keys_apart() {
        let check = |byte| NoiseKey::from_bytes([byte; 32]).check();
        assert_eq!(check(1), check(1));
        assert_ne!(check(1), check(2));
    }
}
