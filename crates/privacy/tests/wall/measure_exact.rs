//! Rejected: the constructors of a measure stay in the crate.
use throng_privacy::Measure;

fn main() {
    let _ = Measure::exact(1.0);
}
