//! Twin of `gate_source`: the gate answers.
use throng_model::{CreatorId, Entity, Family, WindowKind};
use throng_privacy::{Audience, Gate, GateError, Released};

fn ask(gate: &Gate, id: CreatorId<'static>) -> Result<Released<Audience>, GateError> {
    gate.audience(&Entity::Creator(id), WindowKind::Last28Days, None, &[Family::Reach])
}

fn main() {
    let _: fn(&Gate, CreatorId<'static>) -> _ = ask;
}
