//! Twin of the rejected programs about `Raw`: anyone may seal.
use throng_privacy::{Raw, RawTable};

fn main() {
    let total: Raw<u64> = Raw::seal(3, (0..3).collect());
    let table: RawTable<&str, u64> = RawTable::seal(total, vec![("row", Raw::seal(2, (0..2).collect()))]);
    let moved = table;
    drop(moved);
}
