//! Rejected: nobody prints a noise key or takes its bytes out again.
use throng_privacy::NoiseKey;

fn main() {
    let key = NoiseKey::from_bytes([7; 32]);
    let _ = format!("{:?}", key);
    let _ = key.0;
}
