//! Twin of the rejected programs about `Measure`: anyone may read one.
use throng_privacy::{Disclosure, Measure};

fn read(measure: &Measure) -> (Option<f64>, Disclosure, Option<f64>) {
    (measure.value(), measure.disclosure(), measure.change())
}

fn main() {
    let _: fn(&Measure) -> _ = read;
}
