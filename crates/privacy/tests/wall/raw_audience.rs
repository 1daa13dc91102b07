//! Rejected: nobody outside the crate reads a sealed value.
use throng_privacy::Raw;

fn main() {
    let raw: Raw<u64> = Raw::seal(3, (0..3).collect());
    let _ = raw.audience;
}
