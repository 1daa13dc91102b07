//! Twin of `raw_serialize`: the same function takes a plain number.
fn write<T: serde::Serialize>(_: &T) {}

fn main() {
    write(&3_u64);
}
