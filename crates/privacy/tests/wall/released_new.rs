//! Rejected: the constructor of a released answer stays in the crate.
use throng_privacy::Released;

fn main() {
    let _ = Released::new(1, String::new());
}
