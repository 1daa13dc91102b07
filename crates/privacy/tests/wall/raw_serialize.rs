//! Rejected: a sealed value is written nowhere.
use throng_privacy::Raw;

fn write<T: serde::Serialize>(_: &T) {}

fn main() {
    let raw: Raw<u64> = Raw::seal(3, (0..3).collect());
    write(&raw);
}
