//! Runs: immutable sorted maps from hashes to numbers, on disk, that answer "is it known?" without holding the keys.
//!
//! Event fingerprints (for duplicates) and viewer pseudonyms (for ordinals) grow with the store, so memory holds only a
//! Bloom filter of 10 bits a key and the first key of each block. Filters are not stored, since reading a block makes its
//! own: so the first look-up that comes to a block pays for it. New keys come as small runs that merge as they pile up.
//!
//! ```text
//! block = length u32 | first u64 | the keys' first 8 bytes, as big-endian numbers in Elias–Fano's code from the first on
//!       | length u32 | u32 stream of values | the keys' other bytes, in order
//! ```

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use bincode::{Decode, Encode};

use crate::codec::DamageError;
use crate::elias_fano;
use crate::kv::{Batch, Kv, KvError};
use crate::object::{Object, ObjectRef, ObjectWriter, ReadError, Sequence, ValueRef};
use crate::pack;

/// Keys per block.
const BLOCK_KEYS: usize = 4_096;

/// Bloom filter: bits a key and probes, about 1 % false positives.
const BITS_PER_KEY: usize = 10;
const PROBES: u64 = 6;

/// A merge takes in an older run once all newer ones together are so many times as long, and with it all of those: a key is
/// written again about twice in the first hundred million, and there are about ten runs.
const MERGE_FACTOR: u64 = 4;

/// A run's blocks are searched without decoding them where fewer keys are looked up than this part of its own: finding one takes
/// as long as decoding so many.
const SEARCHED_PART: u64 = 16;

/// Bytes of decoded blocks that stay in memory.
const CACHE_BYTES: u64 = 32 * 1024 * 1024;

#[derive(Encode, Decode)]
struct RunHead {
    keys: u64,
    blocks: Vec<BlockHead>,
}

#[derive(Encode, Decode)]
struct BlockHead {
    first: Vec<u8>,
    keys: u32,
    span: ValueRef,
    /// Not written since version 2, and not used.
    filter: Vec<u8>,
}

/// A run as the root lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct RunRef {
    pub(crate) object: ObjectRef,
    pub(crate) keys: u64,
}

struct Run {
    listed: RunRef,
    object: Object,
    blocks: Vec<BlockHead>,
    /// Of the blocks that were read.
    filters: Vec<OnceCell<Filter>>,
}

/// A Bloom filter of a block's keys.
struct Filter(Box<[u8]>);

#[derive(Default)]
struct Block {
    /// The keys' first bytes, as big-endian numbers.
    heads: Vec<u64>,
    /// Their other bytes.
    tails: Vec<u8>,
    values: Vec<u32>,
}

/// Bytes of a key in a block's numbers.
const HEAD: usize = 8;

type BlockCache = quick_cache::sync::Cache<(u64, ValueRef), Arc<Block>, BlockWeight>;

#[derive(Clone)]
struct BlockWeight;

impl quick_cache::Weighter<(u64, ValueRef), Arc<Block>> for BlockWeight {
    fn weight(&self, _: &(u64, ValueRef), block: &Arc<Block>) -> u64 {
        (block.heads.len() * 12 + block.tails.len() + 64) as u64
    }
}

/// All runs of one kind of key, `K` bytes long, at least 8, of which the last 8 are random.
pub(crate) struct Runs<const K: usize> {
    listed: Vec<RunRef>,
    /// The first of those listed: the rest is opened at the next look-up, since readers never need them.
    open: Vec<Run>,
    cache: BlockCache,
}

impl<const K: usize> Runs<K> {
    pub(crate) fn new(listed: Vec<RunRef>) -> Self {
        let items = CACHE_BYTES as usize / (BLOCK_KEYS * (K + 4));
        let cache = quick_cache::sync::Cache::with_weighter(items, CACHE_BYTES, BlockWeight);
        Self { listed, open: Vec::new(), cache }
    }

    pub(crate) fn listed(&self) -> &[RunRef] {
        &self.listed
    }

    /// The value of a key.
    pub(crate) fn get(&mut self, kv: &Kv, key: &[u8; K]) -> Result<Option<u32>, ReadError> {
        self.open(kv)?;
        for run in self.open.iter().rev() {
            if let Some(value) = run.get(kv, &self.cache, key)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Looks many keys up, which come in ascending order: `found` gets the places and values of those that are known. No
    /// block is read twice.
    pub(crate) fn get_sorted<'k>(
        &mut self,
        kv: &Kv,
        keys: &(impl ExactSizeIterator<Item = &'k [u8; K]> + Clone),
        mut found: impl FnMut(usize, u32),
    ) -> Result<(), ReadError> {
        self.open(kv)?;
        // What a newer run says comes last, and so counts.
        for run in &self.open {
            let is_sparse = (keys.len() as u64).saturating_mul(SEARCHED_PART) < run.listed.keys;
            let (mut sequence, mut block) = (Sequence::default(), Block::default());
            let mut keys = keys.clone().enumerate().peekable();
            for (place, head) in run.blocks.iter().enumerate() {
                let next = run.blocks.get(place + 1);
                let mut here = || keys.next_if(|(_, key)| next.is_none_or(|next| !next.is_up_to(key)));
                let Some(first) = here() else { continue };
                let bytes = run.object.read_next(kv, head.span, &mut sequence)?;
                let here = std::iter::once(first).chain(std::iter::from_fn(here));
                block.find_sorted(bytes, head, run.object.version, is_sparse, here, &mut found)?;
            }
        }
        Ok(())
    }

    /// Opens the runs that are not yet open.
    fn open(&mut self, kv: &Kv) -> Result<(), ReadError> {
        for &run in self.listed.iter().skip(self.open.len()) {
            self.open.push(Run::open(kv, run)?);
        }
        Ok(())
    }

    /// Adds new keys, sorted, and merges what has piled up, without older entries whose value `keep` refuses.
    /// `next_object` gives fresh numbers. What must be committed with the new root goes into `batch`; the objects given
    /// back are no longer needed after that commit.
    pub(crate) fn add(
        &mut self,
        kv: &Kv,
        sorted: &[([u8; K], u32)],
        keep: impl Fn(u32) -> bool,
        next_object: impl FnMut() -> u64,
        batch: &mut Batch,
    ) -> Result<Vec<ObjectRef>, ReadError> {
        if sorted.is_empty() {
            return Ok(Vec::new());
        }
        let (mut newer, mut first) = (sorted.len() as u64, self.listed.len());
        for (place, older) in self.listed.iter().enumerate().rev() {
            if older.keys.saturating_mul(MERGE_FACTOR) <= newer {
                first = place;
            }
            newer += older.keys;
        }
        self.merge_from(first, kv, sorted, keep, next_object, batch)
    }

    /// Writes all runs as one, without the entries whose value `keep` refuses. The rest is as with [`add`](Self::add).
    pub(crate) fn retain(
        &mut self,
        kv: &Kv,
        keep: impl Fn(u32) -> bool,
        next_object: impl FnMut() -> u64,
        batch: &mut Batch,
    ) -> Result<Vec<ObjectRef>, ReadError> {
        self.merge_from(0, kv, &[], keep, next_object, batch)
    }

    /// Writes the runs from the one at `first` on and the new keys as one run.
    fn merge_from(
        &mut self,
        first: usize,
        kv: &Kv,
        sorted: &[([u8; K], u32)],
        keep: impl Fn(u32) -> bool,
        mut next_object: impl FnMut() -> u64,
        batch: &mut Batch,
    ) -> Result<Vec<ObjectRef>, ReadError> {
        let merged: Vec<RunRef> = self.listed.drain(first..).collect();
        self.open.truncate(first);
        self.listed.extend(write_merged(kv, &merged, sorted, keep, kv, next_object(), batch)?);
        Ok(merged.into_iter().map(|run| run.object).collect())
    }

    /// Reads every block of every run, in order, and hands over the values; for `verify`.
    pub(crate) fn check(&self, kv: &Kv, mut each: impl FnMut(u32)) -> Result<u64, ReadError> {
        let mut keys = 0;
        for &run in &self.listed {
            let mut source = Source::<K>::open(kv, run)?;
            let (mut last, mut count) = (0, 0);
            while let Some(key) = source.front()? {
                // Two fingerprints of a longer kind, from an older version, may be cut to equal ones.
                if last > key {
                    return Err(DamageError::Malformed("run out of order").into());
                }
                last = key;
                count += 1;
                source
                    .take_before(Some(0))
                    .filter_map(|place| source.block.values.get(place))
                    .for_each(|&value| each(value));
            }
            if count != run.keys {
                return Err(DamageError::Malformed("run shorter than listed").into());
            }
            keys += count;
        }
        Ok(keys)
    }
}

/// Writes some runs of a database and new keys as one run, without the entries of runs whose value `keep` refuses; nothing where
/// none is left. What must be committed with the root that lists it goes into `batch`.
pub(crate) fn write_merged<const K: usize>(
    from: &Kv,
    runs: &[RunRef],
    sorted: &[([u8; K], u32)],
    keep: impl Fn(u32) -> bool,
    to: &Kv,
    number: u64,
    batch: &mut Batch,
) -> Result<Option<RunRef>, ReadError> {
    let mut writer = RunWriter::<K>::new(to, number);
    // Of equal keys the newest comes first, which is the one that is found.
    let mut sources = vec![Source::<K>::of(Entries::New(sorted))];
    for &run in runs.iter().rev() {
        sources.push(Source::open(from, run)?);
    }
    let mut fronts = sources.iter_mut().map(Source::front).collect::<Result<Vec<_>, _>>()?;
    loop {
        // The source whose turn it is, and the entry up to which it is.
        let mut order = fronts.iter().zip(0..).filter_map(|(front, place)| Some(((*front)?, place)));
        let Some(mut least) = order.next() else { break };
        let mut bound = None;
        for other in order {
            if other < least {
                bound = Some(std::mem::replace(&mut least, other));
            } else if bound.is_none_or(|bound| other < bound) {
                bound = Some(other);
            }
        }
        let place: usize = least.1;
        let (Some(source), Some(front)) = (sources.get_mut(place), fronts.get_mut(place)) else { break };
        let entries = source.take_before(bound.map(|(key, _)| key));
        for place in entries.filter(|&place| source.block.values.get(place).is_some_and(|&value| keep(value))) {
            writer.push(&source.block, place)?;
        }
        *front = source.front()?;
    }
    Ok(if writer.is_empty() { None } else { Some(writer.finish(batch)?) })
}

impl BlockHead {
    /// Whether the block begins at a key or before it. Runs of older stores have longer keys.
    fn is_up_to<const K: usize>(&self, key: &[u8; K]) -> bool {
        self.first.get(..K).unwrap_or_default() <= key.as_slice()
    }
}

impl Run {
    fn open(kv: &Kv, listed: RunRef) -> Result<Self, ReadError> {
        let (object, head) = Object::open::<RunHead>(kv, listed.object)?;
        let filters = head.blocks.iter().map(|_| OnceCell::new()).collect();
        Ok(Self { listed, object, blocks: head.blocks, filters })
    }

    fn get<const K: usize>(&self, kv: &Kv, cache: &BlockCache, key: &[u8; K]) -> Result<Option<u32>, ReadError> {
        let after = self.blocks.partition_point(|block| block.is_up_to(key));
        let Some(place) = after.checked_sub(1) else { return Ok(None) };
        let (Some(head), Some(filter)) = (self.blocks.get(place), self.filters.get(place)) else { return Ok(None) };
        if filter.get().is_some_and(|filter| !filter.has(key)) {
            return Ok(None);
        }
        let block = self.block::<K>(kv, cache, head)?;
        filter.get_or_init(|| Filter::of::<K>(&block));
        Ok(block.find(key))
    }

    fn block<const K: usize>(&self, kv: &Kv, cache: &BlockCache, head: &BlockHead) -> Result<Arc<Block>, ReadError> {
        let key = (self.listed.object.number, head.span);
        if let Some(block) = cache.get(&key) {
            return Ok(block);
        }
        let mut block = Block::default();
        block.decode::<K>(&self.object.read(kv, head.span)?, head, self.object.version)?;
        let block = Arc::new(block);
        cache.insert(key, block.clone());
        Ok(block)
    }
}

impl Block {
    fn encode(&self) -> Vec<u8> {
        let first = self.heads.first().copied().unwrap_or(0);
        let mut numbers = first.to_le_bytes().to_vec();
        numbers.append(&mut elias_fano::encode(first, self.heads.iter().copied()));
        let mut out = Vec::new();
        for stream in [numbers, pack::encode_u32(&self.values)] {
            out.extend_from_slice(&u32::try_from(stream.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(&stream);
        }
        out.extend_from_slice(&self.tails);
        out
    }

    fn clear(&mut self) {
        self.heads.clear();
        self.tails.clear();
        self.values.clear();
    }

    /// Looks keys up that come in ascending order. Where they are sparse the block is decoded only if one of them may be in it.
    /// What it was before goes, its memory stays.
    fn find_sorted<'k, const K: usize>(
        &mut self,
        bytes: &[u8],
        head: &BlockHead,
        version: u8,
        is_sparse: bool,
        keys: impl Iterator<Item = (usize, &'k [u8; K])>,
        found: &mut impl FnMut(usize, u32),
    ) -> Result<(), DamageError> {
        let mut search = if is_sparse && version > 2 { Some(Streams::of(bytes)?.search(head)?) } else { None };
        let mut from = 0;
        if search.is_none() {
            self.decode::<K>(bytes, head, version)?;
        }
        for (at, key) in keys {
            if let Some(sparse) = &mut search {
                let Some(place) = sparse.place(head_of(key)) else { continue };
                self.decode::<K>(bytes, head, version)?;
                (search, from) = (None, place);
            }
            // Where keys are known or dense, few lie between two of them.
            from = self.heads.get(from..).map_or(from, |rest| from + passed(rest, head_of(key)));
            if let Some(value) = self.find_from(from, key) {
                found(at, value);
            }
        }
        Ok(())
    }

    /// Becomes a block. What it was goes, its memory stays.
    fn decode<const K: usize>(&mut self, bytes: &[u8], head: &BlockHead, version: u8) -> Result<(), DamageError> {
        self.clear();
        let (streams, keys) = (Streams::of(bytes)?, head.keys as usize);
        pack::decode_u32(streams.values, keys, &mut self.values)?;
        if version > 2 {
            let (first, heads) = streams.numbers()?;
            elias_fano::decode(heads, first, keys, &mut self.heads)?;
            self.tails.extend_from_slice(streams.tails);
        } else {
            self.decode_older::<K>(streams.heads, streams.tails, head)?;
        }
        if self.tails.len() == keys * (K - HEAD) { Ok(()) } else { Err(BAD) }
    }

    /// Up to version 2 numbers were made of 4 bytes, and stored were their differences; hashes had more bytes than are used now.
    fn decode_older<const K: usize>(
        &mut self,
        differences: &[u8],
        rest: &[u8],
        head: &BlockHead,
    ) -> Result<(), DamageError> {
        let mut starts = Vec::new();
        pack::decode_u32(differences, head.keys as usize, &mut starts)?;
        let stored = head.first.len().checked_sub(4).filter(|&stored| stored >= K - 4).ok_or(BAD)?;
        if rest.len() != starts.len() * stored {
            return Err(BAD);
        }
        let mut start = 0_u32;
        for (difference, rest) in starts.into_iter().zip(rest.chunks_exact(stored)) {
            start = start.wrapping_add(difference);
            let (next, tail) = rest.split_first_chunk::<4>().ok_or(BAD)?;
            self.heads.push(u64::from(start) << 32 | u64::from(u32::from_be_bytes(*next)));
            self.tails.extend_from_slice(tail.get(..K - HEAD).ok_or(BAD)?);
        }
        Ok(())
    }

    fn find<const K: usize>(&self, key: &[u8; K]) -> Option<u32> {
        self.find_from(self.heads.partition_point(|&known| known < head_of(key)), key)
    }

    /// The value of a key whose first bytes are those at `start`, or none.
    fn find_from<const K: usize>(&self, start: usize, key: &[u8; K]) -> Option<u32> {
        let head = head_of(key);
        let tail = key.get(HEAD..)?;
        for place in start..self.heads.len() {
            if *self.heads.get(place)? != head {
                return None;
            }
            if self.tails.get(place * tail.len()..(place + 1) * tail.len())? == tail {
                return self.values.get(place).copied();
            }
        }
        None
    }

    fn push<const K: usize>(&mut self, key: &[u8; K], value: u32) {
        self.heads.push(head_of(key));
        self.tails.extend_from_slice(key.get(HEAD..).unwrap_or_default());
        self.values.push(value);
    }

    fn key<const K: usize>(&self, place: usize) -> Option<[u8; K]> {
        let mut key = [0; K];
        let (head, tail) = key.split_first_chunk_mut::<HEAD>()?;
        *head = self.heads.get(place)?.to_be_bytes();
        tail.copy_from_slice(self.tails.get(place * (K - HEAD)..(place + 1) * (K - HEAD))?);
        Some(key)
    }
}

const BAD: DamageError = DamageError::Malformed("run block");

/// An encoded block, taken apart.
struct Streams<'b> {
    heads: &'b [u8],
    values: &'b [u8],
    tails: &'b [u8],
}

impl<'b> Streams<'b> {
    fn of(bytes: &'b [u8]) -> Result<Self, DamageError> {
        let stream = |bytes: &'b [u8]| {
            let (length, after) = bytes.split_first_chunk::<4>()?;
            after.split_at_checked(u32::from_le_bytes(*length) as usize)
        };
        let (heads, rest) = stream(bytes).ok_or(BAD)?;
        let (values, tails) = stream(rest).ok_or(BAD)?;
        Ok(Self { heads, values, tails })
    }

    /// The first number, and all of them in code.
    fn numbers(&self) -> Result<(u64, &'b [u8]), DamageError> {
        let (first, numbers) = self.heads.split_first_chunk().ok_or(BAD)?;
        Ok((u64::from_le_bytes(*first), numbers))
    }

    fn search(&self, head: &BlockHead) -> Result<elias_fano::Search<'b>, DamageError> {
        let (first, numbers) = self.numbers()?;
        elias_fano::Search::new(numbers, first, head.keys as usize)
    }
}

fn head_of<const K: usize>(key: &[u8; K]) -> u64 {
    const { assert!(K >= HEAD, "shorter keys are no numbers of 8 bytes") };
    key.first_chunk().map_or(0, |head| u64::from_be_bytes(*head))
}

/// How many of these come before a value: where many values are looked up in order, few lie between two.
fn passed(sorted: &[u64], value: u64) -> usize {
    sorted.iter().position(|&known| known >= value).unwrap_or(sorted.len())
}

/// Entries in the order of their keys, block by block.
struct Source<'s, const K: usize> {
    rest: Entries<'s, K>,
    block: Block,
    /// Of the block's entries, how many were taken.
    taken: usize,
}

/// Entries that are still to be read.
enum Entries<'s, const K: usize> {
    New(&'s [([u8; K], u32)]),
    Run { kv: &'s Kv, run: Run, next_block: usize, sequence: Sequence },
}

impl<'s, const K: usize> Source<'s, K> {
    fn of(rest: Entries<'s, K>) -> Self {
        Self { rest, block: Block::default(), taken: 0 }
    }

    fn open(kv: &'s Kv, listed: RunRef) -> Result<Self, ReadError> {
        let run = Run::open(kv, listed)?;
        Ok(Self::of(Entries::Run { kv, run, next_block: 0, sequence: Sequence::default() }))
    }

    /// The next entry's key as a number.
    fn front(&mut self) -> Result<Option<u128>, ReadError> {
        while self.taken == self.block.heads.len() {
            if !self.read_block()? {
                return Ok(None);
            }
        }
        Ok(self.block.key::<K>(self.taken).map(|key| number_of(&key)))
    }

    /// Takes the next entry, and those after it of the same block whose first bytes come before those of a key. Gives their places.
    fn take_before(&mut self, bound: Option<u128>) -> Range<usize> {
        let first = self.taken;
        let more = self.block.heads.get(first + 1..).unwrap_or_default();
        self.taken += 1 + bound.map_or(more.len(), |bound| passed(more, (bound >> 64) as u64));
        first..self.taken
    }

    /// Goes on to the next block; `false` where there is none.
    fn read_block(&mut self) -> Result<bool, ReadError> {
        self.taken = 0;
        match &mut self.rest {
            Entries::New(rest) => {
                let (now, after) = rest.split_at(rest.len().min(BLOCK_KEYS));
                *rest = after;
                self.block.clear();
                now.iter().for_each(|(key, value)| self.block.push(key, *value));
                Ok(!now.is_empty())
            }
            Entries::Run { kv, run, next_block, sequence } => {
                let Some(head) = run.blocks.get(*next_block) else {
                    self.block.clear();
                    return Ok(false);
                };
                let bytes = run.object.read_next(kv, head.span, sequence)?;
                self.block.decode::<K>(bytes, head, run.object.version)?;
                *next_block += 1;
                Ok(true)
            }
        }
    }
}

/// A key as a number, in the same order.
fn number_of<const K: usize>(key: &[u8; K]) -> u128 {
    const { assert!(K <= 16, "longer keys are no numbers of 16 bytes") };
    let mut padded = [0; 16];
    padded.iter_mut().zip(key).for_each(|(byte, of_key)| *byte = *of_key);
    u128::from_be_bytes(padded)
}

struct RunWriter<'kv, const K: usize> {
    out: ObjectWriter<'kv>,
    number: u64,
    pending: Block,
    head: RunHead,
}

impl<'kv, const K: usize> RunWriter<'kv, K> {
    fn new(kv: &'kv Kv, number: u64) -> Self {
        let head = RunHead { keys: 0, blocks: Vec::new() };
        Self { out: ObjectWriter::new(kv, number), number, pending: Block::default(), head }
    }

    fn is_empty(&self) -> bool {
        self.pending.heads.is_empty() && self.head.keys == 0
    }

    /// Adds an entry of a block.
    fn push(&mut self, block: &Block, place: usize) -> Result<(), KvError> {
        let tail_bytes = K - HEAD;
        self.pending.heads.extend(block.heads.get(place));
        self.pending.values.extend(block.values.get(place));
        let tail = block.tails.get(place * tail_bytes..(place + 1) * tail_bytes);
        self.pending.tails.extend_from_slice(tail.unwrap_or_default());
        if self.pending.heads.len() == BLOCK_KEYS { self.write_block() } else { Ok(()) }
    }

    fn write_block(&mut self) -> Result<(), KvError> {
        let Some(first) = self.pending.key::<K>(0) else { return Ok(()) };
        let keys = u32::try_from(self.pending.heads.len()).unwrap_or(u32::MAX);
        let span = self.out.put(&self.pending.encode())?;
        self.head.blocks.push(BlockHead { first: first.to_vec(), keys, span, filter: Vec::new() });
        self.head.keys += u64::from(keys);
        self.pending.clear();
        Ok(())
    }

    fn finish(mut self, batch: &mut Batch) -> Result<RunRef, KvError> {
        self.write_block()?;
        let keys = self.head.keys;
        let object = self.out.finish(self.head, batch);
        debug_assert_eq!(object.number, self.number);
        Ok(RunRef { object, keys })
    }
}

impl Filter {
    fn of<const K: usize>(block: &Block) -> Self {
        let mut bytes = vec![0_u8; (block.heads.len() * BITS_PER_KEY).div_ceil(8)];
        for key in (0..block.heads.len()).filter_map(|place| block.key::<K>(place)) {
            for bit in probes(&key, bytes.len()) {
                if let Some(byte) = bytes.get_mut(bit / 8) {
                    *byte |= 1 << (bit % 8);
                }
            }
        }
        Self(bytes.into())
    }

    fn has<const K: usize>(&self, key: &[u8; K]) -> bool {
        let is_set = |bit: usize| self.0.get(bit / 8).is_some_and(|byte| byte & (1 << (bit % 8)) != 0);
        probes(key, self.0.len()).all(is_set)
    }
}

/// Bits of a filter for a key; the last bytes are used, since the first ones are alike within a block.
fn probes<const K: usize>(key: &[u8; K], filter_bytes: usize) -> impl Iterator<Item = usize> {
    let bits = (filter_bytes as u64 * 8).max(1);
    let hash = key.last_chunk::<8>().map_or(0, |tail| u64::from_le_bytes(*tail));
    let (start, step) = (hash, (hash >> 32) | 1);
    (0..PROBES).map(move |probe| {
        (start.wrapping_add(probe.wrapping_mul(step)).wrapping_mul(0x9E37_79B9_7F4A_7C15) % bits) as usize
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use std::collections::BTreeMap;

    use super::*;
    use crate::kv::Memory;

    #[test]
    fn runs_answer_like_a_map_while_they_merge() {
        let kv = Kv::Memory(Memory::default());
        let mut runs = Runs::<8>::new(vec![]);
        let mut model = BTreeMap::new();
        let mut object = 0;
        for round in 0..12_u32 {
            let mut new: Vec<([u8; 8], u32)> = (0..[5_000, 10, 900][round as usize % 3])
                .map(|n: u32| {
                    let hash = blake3::hash(&[round.to_le_bytes(), n.to_le_bytes()].concat());
                    (*hash.as_bytes().first_chunk().unwrap(), round * 10_000 + n)
                })
                .collect();
            new.sort_unstable();
            let mut batch = Batch::default();
            let next = || {
                object += 1;
                object
            };
            runs.add(&kv, &new, |_| true, next, &mut batch).unwrap();
            kv.commit(batch).unwrap();
            model.extend(new);
            if round % 4 == 3 {
                runs = Runs::new(runs.listed().to_vec());
            }
            for (key, value) in &model {
                assert_eq!(runs.get(&kv, key).unwrap(), Some(*value));
            }
            for n in 0..500_u32 {
                let absent = blake3::hash(&n.to_le_bytes());
                assert_eq!(runs.get(&kv, absent.as_bytes().first_chunk().unwrap()).unwrap(), None);
            }
            assert_eq!(runs.check(&kv, |_| {}).unwrap(), model.len() as u64);
            // All and few of those that are known, each beside one that is not.
            for step in [1, 700] {
                let known = model.keys().step_by(step).copied();
                let mut asked: Vec<[u8; 8]> =
                    known.flat_map(|key| [key, (u64::from_be_bytes(key) ^ 1).to_be_bytes()]).collect();
                asked.sort_unstable();
                let mut found = BTreeMap::new();
                runs.get_sorted(&kv, &asked.iter(), |at, value| {
                    found.insert(asked[at], value);
                })
                .unwrap();
                assert_eq!(found, model.iter().step_by(step).map(|(key, value)| (*key, *value)).collect());
            }
        }
        let listed = runs.listed();
        assert!((2..8).contains(&listed.len()), "{:?}", listed.iter().map(|run| run.keys).collect::<Vec<_>>());
        let (to, mut batch) = (Kv::Memory(Memory::default()), Batch::default());
        let one = write_merged::<8>(&kv, listed, &[], |value| value % 2 == 0, &to, 1, &mut batch).unwrap().unwrap();
        to.commit(batch).unwrap();
        let mut merged = Runs::<8>::new(vec![one]);
        for (key, value) in &model {
            assert_eq!(merged.get(&to, key).unwrap(), Some(*value).filter(|value| value % 2 == 0));
        }
    }
}
