//! The root: one small value that lists everything the store holds. Each commit replaces it.

use std::sync::Arc;

use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};
use roaring::RoaringBitmap;
use throng_model::{Day, Timestamp, Zone};

use crate::catalogue::{CreatorRecord, VideoRecord};
use crate::codec::{self, DamageError, Last};
use crate::object::ObjectRef;
use crate::past::PastRecord;
use crate::row::RowChunk;
use crate::run::RunRef;
use crate::secret::{Fingerprint, Pseudonym};
use crate::snapshot::Epoch;

/// Key of the root.
pub(crate) const ROOT_KEY: &[u8] = b"root";

/// Everything the store holds, by reference.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub(crate) struct Root {
    pub(crate) store_id: [u8; 8],
    /// Tells whether the viewer key is the right one.
    pub(crate) key_check: [u8; 16],
    /// Grows by one with each commit.
    pub(crate) generation: u64,
    /// Objects from this number on do not exist.
    pub(crate) next_object: u64,
    /// Viewer ordinals given out.
    pub(crate) viewers: u32,
    pub(crate) seals: Seals,
    /// Acknowledged commits that are in no segment yet, oldest first.
    pub(crate) log: Vec<ObjectRef>,
    pub(crate) segments: Vec<ObjectRef>,
    /// Parts of the catalogue; later ones replace earlier ones entry by entry.
    pub(crate) catalogue: Vec<ObjectRef>,
    pub(crate) fingerprints: Vec<RunRef>,
    pub(crate) pseudonyms: Vec<RunRef>,
    // From here on since version 2; see `Root::open`.
    /// Compactions that removed rows, by number from 1 on.
    pub(crate) epochs: Vec<EpochRecord>,
    /// Rows that went with their viewers; the fingerprints of their events are still known.
    pub(crate) rows_erased: u64,
    /// Erased viewers whose rows or traces may still be in the files.
    pub(crate) pending_erasures: Ordinals,
    pub(crate) retention: Retention,
    /// Tells whether the noise key is the right one, once it is bound.
    pub(crate) noise_key_check: Option<[u8; 16]>,
}

impl Root {
    /// Every object that exists.
    pub(crate) fn objects(&self) -> impl Iterator<Item = ObjectRef> {
        self.kinds().map(|(_, object)| object)
    }

    /// Every object that exists, with what it is.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (&'static str, ObjectRef)> {
        let lists = [
            ("log", &self.log),
            ("segments", &self.segments),
            ("catalogue", &self.catalogue),
            ("summaries", &self.retention.summaries),
        ];
        let lists = lists.into_iter().flat_map(|(kind, list)| list.iter().map(move |&object| (kind, object)));
        let runs = [("fingerprints", &self.fingerprints), ("pseudonyms", &self.pseudonyms)];
        lists.chain(runs.into_iter().flat_map(|(kind, runs)| runs.iter().map(move |run| (kind, run.object))))
    }

    /// Compactions that removed rows of erased viewers.
    pub(crate) fn epochs(&self) -> Arc<[Epoch]> {
        let day = |number| Day::from_number(i64::from(number)).unwrap_or(Day::MAX);
        self.epochs
            .iter()
            .map(|&EpochRecord { number, day: of, nonce }| Epoch { number, day: day(of), nonce })
            .collect()
    }

    /// The value stored under [`ROOT_KEY`].
    pub(crate) fn seal(&self) -> Vec<u8> {
        codec::seal(ROOT_KEY, &codec::encode(self))
    }

    /// A root from the value stored under [`ROOT_KEY`].
    pub(crate) fn open(value: &[u8]) -> Result<Self, DamageError> {
        let (frame, payload) = codec::open(ROOT_KEY, value)?;
        if frame.version > 1 {
            return codec::decode(payload);
        }
        // A record is its fields one after the other, so version 1 only lacks the last ones.
        let since = (Vec::<EpochRecord>::new(), 0_u64, Ordinals::default(), Retention::default(), None::<[u8; 16]>);
        codec::decode(&[payload, &codec::encode(&since)].concat())
    }
}

/// One compaction that removed rows of erased viewers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct EpochRecord {
    pub(crate) number: u32,
    pub(crate) day: u16,
    pub(crate) nonce: u64,
}

/// What became of rows that are too old.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub(crate) struct Retention {
    /// Rows of days before this number are gone.
    pub(crate) rows_from: Option<u16>,
    /// Objects that remember the sums of those days.
    pub(crate) summaries: Vec<ObjectRef>,
}

impl Retention {
    /// The first day whose rows are all kept.
    pub(crate) fn rows_from(&self) -> Option<Day> {
        self.rows_from.and_then(|number| Day::from_number(i64::from(number)).ok())
    }
}

/// A set of viewer ordinals, stored in roaring's portable serialisation.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Ordinals(pub(crate) Arc<RoaringBitmap>);

impl Encode for Ordinals {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let mut bytes = Vec::new();
        self.0.serialize_into(&mut bytes).map_err(|inner| EncodeError::Io { inner, index: 0 })?;
        bytes.encode(encoder)
    }
}

impl<C> Decode<C> for Ordinals {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let bytes = Vec::<u8>::decode(decoder)?;
        let set = RoaringBitmap::deserialize_from(bytes.as_slice());
        set.map(|set| Self(Arc::new(set))).map_err(|_| DecodeError::Other("viewer ordinals"))
    }
}

bincode::impl_borrow_decode!(Ordinals);

/// What is sealed for every creator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub(crate) struct Seals {
    /// Number of the last day sealed by hand, in each creator's zone.
    through: Option<u16>,
    /// Days that ended at or before this instant (ms) are sealed.
    clock_ms: Option<i64>,
}

impl Seals {
    /// Seals through a day; never goes back.
    pub(crate) fn seal_through(&mut self, day: Day) {
        self.through = self.through.max(Some(day.number()));
    }

    /// Seals all days that ended by an instant; never goes back.
    pub(crate) fn seal_ended_by(&mut self, instant: Timestamp) {
        self.clock_ms = self.clock_ms.max(Some(instant.millis()));
    }

    /// The last day that is sealed in every zone: the day ends last where clocks are furthest behind, 12 hours.
    pub(crate) fn everywhere(&self) -> Option<Day> {
        self.through(&Zone::parse("Etc/GMT+12").ok()?)
    }

    /// The last sealed day in a zone.
    pub(crate) fn through(&self, zone: &Zone) -> Option<Day> {
        let by_hand = self.through.and_then(|number| Day::from_number(i64::from(number)).ok());
        let by_clock = self.clock_ms.and_then(|millis| Timestamp::from_millis(millis).ok());
        by_hand.max(by_clock.map(|instant| zone.day_of(instant).previous()))
    }
}

/// One commit as logged, before its rows are in a segment.
#[derive(Default, Encode, Decode)]
pub(crate) struct LogRecord<P = Pseudonym, F = Fingerprint> {
    /// New and changed creators, new ones in the order of their ordinals.
    pub(crate) creators: Vec<CreatorRecord>,
    /// New and changed videos, likewise.
    pub(crate) videos: Vec<VideoRecord>,
    /// Pseudonyms of new viewers, in the order of their ordinals.
    pub(crate) viewers: Vec<P>,
    /// Fingerprints of the rows' events, in the order of the rows.
    pub(crate) fingerprints: Vec<F>,
    pub(crate) rows: Vec<RowChunk>,
    /// What the creators and videos were on sealed days.
    pub(crate) past: Last<PastRecord>,
}

impl LogRecord {
    /// From the value of a log object. In older ones hashes are longer.
    pub(crate) fn open(packed: &[u8], version: u8) -> Result<Self, DamageError> {
        match version {
            1 => Self::open_older::<16, 10>(packed),
            2 => Self::open_older::<12, 9>(packed),
            _ => unpack_record(packed),
        }
    }

    fn open_older<const P: usize, const F: usize>(packed: &[u8]) -> Result<Self, DamageError> {
        let LogRecord { creators, videos, viewers, fingerprints, rows, past } = unpack_record(packed)?;
        let viewers = viewers.into_iter().map(|pseudonym: [u8; P]| first(&pseudonym)).collect();
        let fingerprints = fingerprints.into_iter().map(|fingerprint: [u8; F]| first(&fingerprint)).collect();
        Ok(Self { creators, videos, viewers, fingerprints, rows, past })
    }
}

/// The first bytes of as many or more.
fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or([0; N])
}

/// zstd level of logged commits and catalogue parts: they are read once.
const ZSTD_LEVEL: i32 = 1;

/// The largest record that is unpacked, in bytes.
const RECORD_BYTES_MAX: usize = 1 << 30;

/// A record, compressed; the length before it bounds what unpacking takes.
pub(crate) fn pack_record<T: Encode>(record: &T) -> Vec<u8> {
    let plain = codec::encode(record);
    let mut packed = (plain.len() as u64).to_le_bytes().to_vec();
    // Compressing into memory does not fail; an empty result would be noticed on reading.
    packed.extend_from_slice(&zstd::bulk::compress(&plain, ZSTD_LEVEL).unwrap_or_default());
    packed
}

/// A record from [`pack_record`].
pub(crate) fn unpack_record<T: Decode<()>>(packed: &[u8]) -> Result<T, DamageError> {
    let bad = || DamageError::Malformed("packed record");
    let (length, packed) = packed.split_first_chunk::<8>().ok_or_else(bad)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| bad())?;
    if length > RECORD_BYTES_MAX {
        return Err(bad());
    }
    codec::decode(&zstd::bulk::decompress(packed, length).map_err(|_| bad())?)
}
