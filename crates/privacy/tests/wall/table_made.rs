//! Rejected: released shapes are made by the gate alone.
use throng_model::Cell;
use throng_privacy::{AudienceRow, Measure};

fn forge(measure: Measure) -> AudienceRow {
    AudienceRow { cell: Cell::New, measure, share: None }
}

fn main() {
    let _: fn(Measure) -> AudienceRow = forge;
}
