//! Rejected: nobody outside the crate reads the rows of a sealed table.
use throng_privacy::{Raw, RawTable};

fn main() {
    let table: RawTable<u8, u64> = RawTable::seal(Raw::seal(3, (0..3).collect()), vec![]);
    let _ = table.rows.len();
}
