//! Twin of `noise_key_read`: anyone may make one and tell it from another.
use throng_privacy::NoiseKey;

fn main() {
    let key = NoiseKey::from_bytes([7; 32]);
    let _: [u8; 16] = key.check();
}
