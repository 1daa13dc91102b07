//! Rejected: a measure is made by the gate alone.
use throng_privacy::{Disclosure, Measure};

fn main() {
    let _ = Measure {
        value: Some(1.0),
        disclosure: Disclosure::Exact,
        sigma: 0.0,
        previous: None,
        comparable: false,
    };
}
