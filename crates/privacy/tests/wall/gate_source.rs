//! Rejected: the engine cannot be taken back out of the gate.
use throng_privacy::Gate;

fn take(gate: &Gate) {
    let _ = &gate.source;
}

fn main() {
    let _: fn(&Gate) = take;
}
