//! The catalogue on disk: parts that hold the entries changed between two checkpoints. Later parts replace earlier ones
//! entry by entry; as parts pile up, small ones are written again together.

use std::collections::BTreeSet;

use bincode::{Decode, Encode};
use roaring::RoaringBitmap;

use crate::catalogue::{Catalogue, CreatorRecord, VideoRecord};
use crate::codec::Last;
use crate::kv::{Batch, Kv, KvError};
use crate::object::{Object, ObjectRef, ObjectWriter, ReadError, ValueRef};
use crate::past::PastRecord;
use crate::root::{pack_record, unpack_record};
use crate::row::{CreatorOrd, VideoOrd};

/// Records per value of a catalogue part.
const PART_RECORDS: usize = 2_048;

/// A catalogue part takes in older ones as long as they are at most this many times as long.
const PART_MERGE_FACTOR: u64 = 3;

/// Catalogue entries that changed.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) creators: BTreeSet<CreatorOrd>,
    pub(crate) videos: BTreeSet<VideoOrd>,
}

/// Every part, oldest first.
pub(crate) struct Parts(Vec<Part>);

/// A catalogue part and which entries it holds.
struct Part {
    object: ObjectRef,
    creators: RoaringBitmap,
    videos: RoaringBitmap,
}

#[derive(Encode, Decode)]
struct PartHead {
    creators: Vec<ValueRef>,
    videos: Vec<ValueRef>,
    /// What the entries were on sealed days.
    past: Last<ValueRef>,
}

impl Parts {
    /// Reads all parts into the catalogue.
    pub(crate) fn restore(kv: &Kv, listed: &[ObjectRef], catalogue: &mut Catalogue) -> Result<Self, ReadError> {
        listed.iter().map(|&object| Part::restore(kv, object, catalogue)).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn listed(&self) -> Vec<ObjectRef> {
        self.0.iter().map(|part| part.object).collect()
    }

    /// Writes the changed entries, together with those of parts that they outgrow; gives back what is no longer needed.
    pub(crate) fn add(
        &mut self,
        kv: &Kv,
        catalogue: &Catalogue,
        changes: &Changes,
        next_object: impl FnOnce() -> u64,
        batch: &mut Batch,
    ) -> Result<Vec<ObjectRef>, KvError> {
        let mut creators: RoaringBitmap = changes.creators.iter().map(|it| it.0).collect();
        let mut videos: RoaringBitmap = changes.videos.iter().map(|it| it.0).collect();
        if creators.is_empty() && videos.is_empty() {
            return Ok(Vec::new());
        }
        let mut unused = Vec::new();
        while let Some(older) = self.0.pop() {
            if older.creators.len() + older.videos.len() > (creators.len() + videos.len()) * PART_MERGE_FACTOR {
                self.0.push(older);
                break;
            }
            creators |= older.creators;
            videos |= older.videos;
            unused.push(older.object);
        }
        let mut out = ObjectWriter::new(kv, next_object());
        let creator_records: Vec<CreatorRecord> =
            creators.iter().filter_map(|it| catalogue.creator_record(CreatorOrd(it))).collect();
        let video_records: Vec<VideoRecord> =
            videos.iter().filter_map(|it| catalogue.video_record(VideoOrd(it))).collect();
        let past = PastRecord::of(catalogue, creators.iter().map(CreatorOrd), videos.iter().map(VideoOrd));
        let head = PartHead {
            creators: put_records(&mut out, &creator_records)?,
            videos: put_records(&mut out, &video_records)?,
            past: Last(past.map(|past| out.put(&pack_record(&past))).transpose()?),
        };
        let object = out.finish(head, batch);
        self.0.push(Part { object, creators, videos });
        Ok(unused)
    }
}

impl Part {
    fn restore(kv: &Kv, listed: ObjectRef, catalogue: &mut Catalogue) -> Result<Self, ReadError> {
        let (object, head) = Object::open::<PartHead>(kv, listed)?;
        let mut part = Self { object: listed, creators: RoaringBitmap::new(), videos: RoaringBitmap::new() };
        for span in head.creators {
            for record in unpack_record::<Vec<CreatorRecord>>(&object.read(kv, span)?)? {
                part.creators.insert(record.ordinal.0);
                catalogue.restore_creator(record)?;
            }
        }
        for span in head.videos {
            for record in unpack_record::<Vec<VideoRecord>>(&object.read(kv, span)?)? {
                part.videos.insert(record.ordinal.0);
                catalogue.restore_video(record)?;
            }
        }
        if let Some(span) = head.past.0 {
            unpack_record::<PastRecord>(&object.read(kv, span)?)?.restore(catalogue)?;
        }
        Ok(part)
    }
}

fn put_records<T: Encode + Clone>(out: &mut ObjectWriter<'_>, records: &[T]) -> Result<Vec<ValueRef>, KvError> {
    let chunks = records.chunks(PART_RECORDS);
    chunks.map(|chunk| out.put(&pack_record(&chunk.to_vec()))).collect()
}
