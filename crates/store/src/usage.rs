//! What the bytes of a store are for, part by part: `verify` reports it, so that growth has a name.

use std::collections::BTreeMap;

use crate::kv::Kv;
use crate::object::{Object, ObjectRef, ReadError, ValueRef};
use crate::segment::SegmentHead;
use crate::table::TableHead;

/// Payload bytes by part. A head is the part of its object's kind that lists items; for runs it holds the filters.
pub(crate) type Usage = BTreeMap<String, u64>;

/// Columns of the tables with a name; others go by their number.
const ROWS: &[&str] =
    &["day", "kind", "viewer", "watch_ms", "source", "country", "region", "age", "gender", "device", "follower", "ts"];

/// Reads every value of an object and adds its bytes up.
pub(crate) fn add(usage: &mut Usage, kv: &Kv, kind: &str, listed: ObjectRef) -> Result<(), ReadError> {
    let bytes = Object::open_blind(kv, listed)?.check(kv)?;
    *usage.entry(format!("{kind}.head")).or_default() += Object::head_bytes(kv, listed)?;
    if kind != "segments" {
        *usage.entry(kind.to_owned()).or_default() += bytes;
        return Ok(());
    }
    let (object, head) = Object::open::<SegmentHead>(kv, listed)?;
    let mut put = |part: String, values: &[ValueRef]| {
        let length = |&value| object.read(kv, value).map(|value| value.len() as u64);
        let bytes: u64 = values.iter().map(length).sum::<Result<_, _>>()?;
        *usage.entry(part).or_default() += bytes;
        Ok::<_, ReadError>(())
    };
    let tables: [(&str, &TableHead); 5] = [
        ("rows", &head.rows),
        ("spans", &head.spans),
        ("creators", &head.creators),
        ("creator_days", &head.creator_days),
        ("video_days", &head.video_days),
    ];
    let digests = head.digests.0.iter().flat_map(|digests| {
        [("digests.days", &digests.days), ("digests.viewers", &digests.viewers), ("digests.views", &digests.views)]
    });
    for (table, head) in tables.into_iter().chain(digests) {
        for (number, spans) in head.columns().enumerate() {
            let named = ROWS.get(number).filter(|_| table == "rows");
            put(named.map_or_else(|| format!("{table}.{number}"), |name| format!("{table}.{name}")), spans)?;
        }
    }
    put("audiences".to_owned(), &head.audiences)
}
