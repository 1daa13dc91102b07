//! Twin of the rejected programs about `Released`: anyone may read one, and pass it on.
use throng_privacy::{AudienceRow, AudienceTable, Measure, Released};

fn read(answer: &Released<AudienceTable>) -> (Measure, Vec<AudienceRow>, &str) {
    (answer.get().total(), answer.get().rows().to_vec(), answer.policy_version())
}

fn main() {
    let _: fn(&Released<AudienceTable>) -> (Measure, Vec<AudienceRow>, &str) = read;
}
