//! Sorting what comes by the hundred thousand: by packed numbers, which costs a fraction of comparing the things.

use crate::row::{CreatorOrd, Row, video_code};

/// Bits of a time in a packed key, in ms: 34 years from the earliest.
const TIME_BITS: u32 = 40;
/// Bits of a place in a packed key.
const PLACE_BITS: u32 = 24;

/// Rows of a part that is sorted at once: a few hundred kilobytes, which stay in the processor's caches.
const PART_ROWS: usize = 4_096;

/// Hashes of such a part.
const PART_HASHES: usize = 4_096;

/// Sorts rows, as their own order says: by creators into parts first, so that no part is fetched from far memory.
/// `spare` is overwritten; with room for all rows it saves making some.
pub(crate) fn sort_rows(rows: &mut Vec<Row>, spare: &mut Vec<Row>) {
    let creators = rows.iter().map(|row| row.creator.0 as usize + 1).max().unwrap_or(0);
    if rows.len() <= PART_ROWS || creators > rows.len() {
        return sort_part(rows, spare);
    }
    let mut counts = vec![0; creators];
    for row in &*rows {
        if let Some(count) = counts.get_mut(row.creator.0 as usize) {
            *count += 1;
        }
    }
    // Creators that follow each other share a part until it is long enough.
    let (mut part_of, mut parts) = (Vec::with_capacity(creators), vec![0_usize]);
    for count in counts {
        if parts.last().is_some_and(|&length| length >= PART_ROWS) {
            parts.push(0);
        }
        part_of.push(parts.len() - 1);
        if let Some(length) = parts.last_mut() {
            *length += count;
        }
    }
    let parts_of = |row: &Row| part_of.get(row.creator.0 as usize).copied().unwrap_or(0);
    spare.resize(rows.len(), Row::blank(CreatorOrd(0), None));
    scatter(rows.iter().copied(), &parts, parts_of, spare);
    std::mem::swap(rows, spare);
    let (mut rest, mut few) = (rows.as_mut_slice(), Vec::new());
    for length in parts {
        let (part, after) = std::mem::take(&mut rest).split_at_mut_checked(length).unwrap_or_default();
        sort_part(part, &mut few);
        rest = after;
    }
}

/// Puts items where the parts lie that they belong to, in each as they came. `lengths` are those of the parts.
fn scatter<T>(items: impl Iterator<Item = T>, lengths: &[usize], part_of: impl Fn(&T) -> usize, out: &mut [T]) {
    let mut next: Vec<usize> = lengths
        .iter()
        .scan(0, |end, length| {
            *end += length;
            Some(*end - length)
        })
        .collect();
    for item in items {
        if let Some(place) = next.get_mut(part_of(&item)) {
            if let Some(slot) = out.get_mut(*place) {
                *slot = item;
            }
            *place += 1;
        }
    }
}

/// Sorts rows by packed keys, and fetches each by its place.
fn sort_part(rows: &mut [Row], spare: &mut Vec<Row>) {
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
    spare.clear();
    spare.extend(keys.iter().filter_map(|&key| rows.get(place(key)).copied()));
    rows.iter_mut().zip(&*spare).for_each(|(slot, row)| *slot = *row);
    // Rows of one video and millisecond are in the order of the other fields.
    let same = |a: &Row, b: &Row| (a.ts, a.creator, a.video) == (b.ts, b.creator, b.video);
    for equal in rows.chunk_by_mut(same).filter(|equal| equal.len() > 1) {
        equal.sort_unstable();
    }
}

/// Hashes in their order, each with its place; equal ones in the order of their places. A hash and its place are one
/// number, so that nothing is fetched by place afterwards.
pub(crate) fn sort_hashes<const K: usize>(hashes: impl Iterator<Item = [u8; K]> + Clone) -> Vec<([u8; K], u32)> {
    const { assert!(K <= 12, "a hash and its place are one number of 16 bytes") };
    let packed = |(hash, place): ([u8; K], u32)| {
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash).for_each(|(byte, of_hash)| *byte = of_hash);
        u128::from_be_bytes(bytes) | u128::from(place)
    };
    let keys = sort_random(hashes.zip(0..).map(packed));
    let unpacked = |key: u128| {
        let (bytes, mut hash) = (key.to_be_bytes(), [0; K]);
        hash.iter_mut().zip(bytes).for_each(|(of_hash, byte)| *of_hash = byte);
        (hash, key as u32)
    };
    keys.into_iter().map(unpacked).collect()
}

/// Sorts numbers whose first bits are random: by these into parts first.
fn sort_random(keys: impl Iterator<Item = u128> + Clone) -> Vec<u128> {
    let count = keys.clone().count();
    let bits = (count / PART_HASHES).next_power_of_two().ilog2().min(12);
    let part_of = |key: &u128| key.checked_shr(u128::BITS - bits).unwrap_or(0) as usize;
    let mut lengths = vec![0; 1 << bits];
    for key in keys.clone() {
        if let Some(length) = lengths.get_mut(part_of(&key)) {
            *length += 1;
        }
    }
    let mut sorted = vec![0; count];
    scatter(keys, &lengths, part_of, &mut sorted);
    let mut rest = sorted.as_mut_slice();
    for length in lengths {
        let (part, after) = std::mem::take(&mut rest).split_at_mut_checked(length).unwrap_or_default();
        part.sort_unstable();
        rest = after;
    }
    sorted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use throng_model::Timestamp;

    use super::*;
    use crate::row::VideoOrd;

    fn row(creator: u32, video: Option<u32>, ts: i64, viewer: u32) -> Row {
        let mut row = Row::blank(CreatorOrd(creator), video.map(VideoOrd));
        row.ts = Timestamp::from_millis(ts).unwrap_or(Timestamp::MIN);
        row.viewer = viewer;
        row
    }

    #[test]
    fn many_rows_and_hashes_are_sorted_part_by_part() {
        let mix = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let hash = |n: u64| mix(n).to_be_bytes();
        let hashes: Vec<[u8; 8]> = (0..50_000).map(|n| hash(n % 30_000)).collect();
        let mut expected: Vec<([u8; 8], u32)> = hashes.iter().copied().zip(0..).collect();
        expected.sort();
        assert_eq!(sort_hashes(hashes.into_iter()), expected);

        // One creator has half of the rows, and the last one none but its own.
        let creator = |n: u64| if n.is_multiple_of(2) { 7 } else { mix(n) as u32 % 5_000 };
        let mut rows: Vec<Row> = (0..40_000)
            .map(|n| {
                row(creator(n), (n % 3 > 0).then_some(n as u32 % 11), 1_700_000_000_000 + (n % 977) as i64, n as u32)
            })
            .collect();
        rows.push(row(9_999, None, 1_700_000_000_000, 1));
        let mut expected = rows.clone();
        expected.sort();
        sort_rows(&mut rows, &mut Vec::new());
        assert!(rows == expected);
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
            sort_rows(&mut rows, &mut Vec::new());
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
