//! Sorting what comes by the hundred thousand: by packed numbers, which costs a fraction of comparing the things.

use crate::row::{Row, video_code};

/// Bits of a time in a packed key, in ms: 34 years from the earliest.
const TIME_BITS: u32 = 40;
/// Bits of a place in a packed key.
const PLACE_BITS: u32 = 24;

/// Sorts rows, as their own order says.
pub(crate) fn sort_rows(rows: &mut Vec<Row>) {
    let (Some(first), Some(last)) = (rows.iter().map(|row| row.ts).min(), rows.iter().map(|row| row.ts).max()) else {
        return;
    };
    let span_ms = last.millis().saturating_sub(first.millis());
    if rows.len() >> PLACE_BITS != 0 || span_ms >> TIME_BITS != 0 {
        return rows.sort_unstable();
    }
    let time = |row: &Row| (row.ts.millis() - first.millis()) as u128;
    let key = |row: &Row| {
        let group = u128::from(row.creator.0) << 32 | u128::from(video_code(row.video));
        (group << TIME_BITS | time(row)) << PLACE_BITS
    };
    let mut keys: Vec<u128> = (0..).zip(&*rows).map(|(place, row): (u128, _)| key(row) | place).collect();
    keys.sort_unstable();
    let place = |key: u128| key as usize & ((1 << PLACE_BITS) - 1);
    let mut sorted: Vec<Row> = keys.iter().filter_map(|&key| rows.get(place(key)).copied()).collect();
    // Rows of one video and millisecond are in the order of the other fields.
    let same = |a: &Row, b: &Row| (a.ts, a.creator, a.video) == (b.ts, b.creator, b.video);
    for equal in sorted.chunk_by_mut(same).filter(|equal| equal.len() > 1) {
        equal.sort_unstable();
    }
    *rows = sorted;
}

/// Hashes in their order, each with its place; equal ones in the order of their places. A hash and its place are one
/// number, so that nothing is fetched by place afterwards.
pub(crate) fn sort_hashes<const K: usize>(hashes: impl Iterator<Item = [u8; K]>) -> Vec<([u8; K], u32)> {
    const { assert!(K <= 12, "a hash and its place are one number of 16 bytes") };
    let packed = |(hash, place): ([u8; K], u32)| {
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash).for_each(|(byte, of_hash)| *byte = of_hash);
        u128::from_be_bytes(bytes) | u128::from(place)
    };
    let mut keys: Vec<u128> = hashes.zip(0..).map(packed).collect();
    keys.sort_unstable();
    let unpacked = |key: u128| {
        let (bytes, mut hash) = (key.to_be_bytes(), [0; K]);
        hash.iter_mut().zip(bytes).for_each(|(of_hash, byte)| *of_hash = byte);
        (hash, key as u32)
    };
    keys.into_iter().map(unpacked).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use throng_model::Timestamp;

    use super::*;
    use crate::row::{CreatorOrd, VideoOrd};

    fn row(creator: u32, video: Option<u32>, ts: i64, viewer: u32) -> Row {
        let mut row = Row::blank(CreatorOrd(creator), video.map(VideoOrd));
        row.ts = Timestamp::from_millis(ts).unwrap_or(Timestamp::MIN);
        row.viewer = viewer;
        row
    }

    proptest! {
        #[test]
        fn rows_come_in_the_order_of_their_fields(
            fields in prop::collection::vec((
                0..3_u32, prop::option::of(0..3_u32),
                prop_oneof![1_700_000_000_000..1_700_000_000_004_i64, 946_684_800_000..4_000_000_000_000_i64],
                any::<u32>(),
            ), 0..60)
        ) {
            let mut rows: Vec<Row> = fields.iter().map(|&(c, v, ts, viewer)| row(c, v, ts, viewer)).collect();
            let mut expected = rows.clone();
            expected.sort();
            sort_rows(&mut rows);
            prop_assert_eq!(rows, expected);
        }

        #[test]
        fn hashes_come_in_the_order_of_their_bytes_then_places(
            hashes in prop::collection::vec(
                (prop_oneof![Just([0_u8; 8]), any::<[u8; 8]>()], 0..2_u8, 0..2_u8), 0..60)
        ) {
            let hashes = hashes.iter().map(|&([a, b, c, d, e, f, g, h], i, j)| [a, b, c, d, e, f, g, h, i, j]);
            let mut expected: Vec<([u8; 10], u32)> = hashes.clone().zip(0..).collect();
            expected.sort();
            prop_assert_eq!(sort_hashes(hashes), expected);
        }
    }
}
