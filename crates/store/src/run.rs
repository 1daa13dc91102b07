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
use std::sync::Arc;

use bincode::{Decode, Encode};

use crate::codec::DamageError;
use crate::elias_fano;
use crate::kv::{Batch, Kv, KvError};
use crate::object::{Object, ObjectRef, ObjectWriter, ReadError, ValueRef};
use crate::pack;

/// Keys per block.
const BLOCK_KEYS: usize = 4_096;

/// Bloom filter: bits a key and probes, about 1 % false positives.
const BITS_PER_KEY: usize = 10;
const PROBES: u64 = 6;

/// A merge takes in an older run as long as it is at most this many times as long as all newer ones together.
const MERGE_FACTOR: u64 = 3;

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
        keys: &(impl Iterator<Item = &'k [u8; K]> + Clone),
        mut found: impl FnMut(usize, u32),
    ) -> Result<(), ReadError> {
        self.open(kv)?;
        // What a newer run says comes last, and so counts.
        for run in &self.open {
            let (mut place, mut block, mut is_read, mut from) = (0, Block::default(), false, 0);
            for (at, key) in keys.clone().enumerate() {
                while run.blocks.get(place + 1).is_some_and(|next| next.is_up_to(key)) {
                    (place, is_read, from) = (place + 1, false, 0);
                }
                let Some(head) = run.blocks.get(place) else { continue };
                if !is_read {
                    block.read::<K>(kv, run, head)?;
                    is_read = true;
                }
                from = block.heads.get(from..).map_or(from, |rest| from + passed(rest, head_of(key)));
                if let Some(value) = block.find_from(from, key) {
                    found(at, value);
                }
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
        let mut total = sorted.len() as u64;
        let mut first = self.listed.len();
        while let Some(older) = first.checked_sub(1).and_then(|place| self.listed.get(place)) {
            if older.keys > total.saturating_mul(MERGE_FACTOR) {
                break;
            }
            total += older.keys;
            first -= 1;
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
        let mut writer = RunWriter::<K>::new(kv, next_object());
        let olds = merged.iter().map(|&run| RunReader::<K>::open(kv, run)).collect::<Result<Vec<_>, _>>()?;
        merge(olds, sorted, |key, value| if keep(value) { writer.push(key, value) } else { Ok(()) })?;
        if !writer.is_empty() {
            self.listed.push(writer.finish(batch)?);
        }
        Ok(merged.into_iter().map(|run| run.object).collect())
    }

    /// Reads every block of every run, in order, and hands over the values; for `verify`.
    pub(crate) fn check(&self, kv: &Kv, mut each: impl FnMut(u32)) -> Result<u64, ReadError> {
        let mut keys = 0;
        for &run in &self.listed {
            let mut reader = RunReader::<K>::open(kv, run)?;
            let mut last = None;
            let mut count = 0;
            while let Some((key, value)) = reader.next()? {
                // Two fingerprints of a longer kind, from an older version, may be cut to equal ones.
                if last.is_some_and(|last| last > key) {
                    return Err(DamageError::Malformed("run out of order").into());
                }
                last = Some(key);
                count += 1;
                each(value);
            }
            if count != run.keys {
                return Err(DamageError::Malformed("run shorter than listed").into());
            }
            keys += count;
        }
        Ok(keys)
    }
}

/// Hands over the entries of all in the order of their keys; of equal keys the newest first, which is the one that is found.
fn merge<const K: usize>(
    mut olds: Vec<RunReader<'_, K>>,
    sorted: &[([u8; K], u32)],
    mut push: impl FnMut(&[u8; K], u32) -> Result<(), KvError>,
) -> Result<(), ReadError> {
    type Source<'s, const K: usize> = Box<dyn FnMut() -> Result<Option<([u8; K], u32)>, ReadError> + 's>;
    let mut new = sorted.iter().copied();
    let mut sources: Vec<Source<'_, K>> = vec![Box::new(move || Ok(new.next()))];
    sources.extend(olds.iter_mut().rev().map(|old| Box::new(|| old.next()) as Source<'_, K>));
    let mut heads = sources.iter_mut().map(|next| next()).collect::<Result<Vec<_>, _>>()?;
    loop {
        // The source whose turn it is, and the key up to which it is.
        let mut order = (0..).zip(&heads).filter_map(|(place, head)| Some((head.as_ref()?.0, place)));
        let Some(mut least) = order.next() else { return Ok(()) };
        let mut bound = None;
        for other in order {
            if other < least {
                bound = Some(std::mem::replace(&mut least, other));
            } else if bound.is_none_or(|bound| other < bound) {
                bound = Some(other);
            }
        }
        let place: usize = least.1;
        let (Some(head), Some(next)) = (heads.get_mut(place), sources.get_mut(place)) else { return Ok(()) };
        while let Some((key, value)) = head.take_if(|head| bound.is_none_or(|bound| (head.0, place) < bound)) {
            push(&key, value)?;
            *head = next()?;
        }
    }
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
        block.read::<K>(kv, self, head)?;
        let block = Arc::new(block);
        cache.insert(key, block.clone());
        Ok(block)
    }
}

impl Block {
    fn encode<const K: usize>(entries: &[([u8; K], u32)]) -> Vec<u8> {
        let heads: Vec<u64> = entries.iter().map(|(key, _)| head_of(key)).collect();
        let values: Vec<u32> = entries.iter().map(|&(_, value)| value).collect();
        let first = heads.first().copied().unwrap_or(0);
        let mut numbers = first.to_le_bytes().to_vec();
        numbers.append(&mut elias_fano::encode(first, heads.iter().copied()));
        let mut out = Vec::new();
        for stream in [numbers, pack::encode_u32(&values)] {
            out.extend_from_slice(&u32::try_from(stream.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(&stream);
        }
        for (key, _) in entries {
            out.extend_from_slice(key.get(HEAD..).unwrap_or_default());
        }
        out
    }

    /// Becomes one of a run's blocks. What it was goes, its memory stays.
    fn read<const K: usize>(&mut self, kv: &Kv, run: &Run, head: &BlockHead) -> Result<(), ReadError> {
        let bytes = run.object.read(kv, head.span)?;
        self.heads.clear();
        self.tails.clear();
        self.values.clear();
        Ok(self.decode::<K>(&bytes, head, run.object.version)?)
    }

    fn decode<const K: usize>(&mut self, bytes: &[u8], head: &BlockHead, version: u8) -> Result<(), DamageError> {
        let bad = || DamageError::Malformed("run block");
        let keys = head.keys as usize;
        let mut rest = bytes;
        let mut stream = || {
            let (length, after) = rest.split_first_chunk::<4>().ok_or_else(bad)?;
            let (stream, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(bad)?;
            rest = after;
            Ok::<_, DamageError>(stream)
        };
        let (heads, values) = (stream()?, stream()?);
        pack::decode_u32(values, keys, &mut self.values)?;
        if version > 2 {
            let (first, heads) = heads.split_first_chunk().ok_or_else(bad)?;
            elias_fano::decode(heads, u64::from_le_bytes(*first), keys, &mut self.heads)?;
            self.tails.extend_from_slice(rest);
        } else {
            self.decode_older::<K>(heads, rest, head)?;
        }
        if self.tails.len() == keys * (K - HEAD) { Ok(()) } else { Err(bad()) }
    }

    /// Up to version 2 numbers were made of 4 bytes, and stored were their differences; hashes had more bytes than are used now.
    fn decode_older<const K: usize>(
        &mut self,
        differences: &[u8],
        rest: &[u8],
        head: &BlockHead,
    ) -> Result<(), DamageError> {
        let bad = || DamageError::Malformed("run block");
        let mut starts = Vec::new();
        pack::decode_u32(differences, head.keys as usize, &mut starts)?;
        let stored = head.first.len().checked_sub(4).filter(|&stored| stored >= K - 4).ok_or_else(bad)?;
        if rest.len() != starts.len() * stored {
            return Err(bad());
        }
        let mut start = 0_u32;
        for (difference, rest) in starts.into_iter().zip(rest.chunks_exact(stored)) {
            start = start.wrapping_add(difference);
            let (next, tail) = rest.split_first_chunk::<4>().ok_or_else(bad)?;
            self.heads.push(u64::from(start) << 32 | u64::from(u32::from_be_bytes(*next)));
            self.tails.extend_from_slice(tail.get(..K - HEAD).ok_or_else(bad)?);
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

    fn entry<const K: usize>(&self, place: usize) -> Option<([u8; K], u32)> {
        let mut key = [0; K];
        let (head, tail) = key.split_first_chunk_mut::<HEAD>()?;
        *head = self.heads.get(place)?.to_be_bytes();
        tail.copy_from_slice(self.tails.get(place * (K - HEAD)..(place + 1) * (K - HEAD))?);
        Some((key, *self.values.get(place)?))
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

struct RunReader<'kv, const K: usize> {
    kv: &'kv Kv,
    run: Run,
    block: Block,
    next_block: usize,
    place: usize,
}

impl<'kv, const K: usize> RunReader<'kv, K> {
    fn open(kv: &'kv Kv, listed: RunRef) -> Result<Self, ReadError> {
        Ok(Self { kv, run: Run::open(kv, listed)?, block: Block::default(), next_block: 0, place: 0 })
    }

    fn next(&mut self) -> Result<Option<([u8; K], u32)>, ReadError> {
        loop {
            if let Some(entry) = self.block.entry(self.place) {
                self.place += 1;
                return Ok(Some(entry));
            }
            let Some(head) = self.run.blocks.get(self.next_block) else { return Ok(None) };
            self.block.read::<K>(self.kv, &self.run, head)?;
            self.next_block += 1;
            self.place = 0;
        }
    }
}

struct RunWriter<'kv, const K: usize> {
    out: ObjectWriter<'kv>,
    number: u64,
    pending: Vec<([u8; K], u32)>,
    head: RunHead,
}

impl<'kv, const K: usize> RunWriter<'kv, K> {
    fn new(kv: &'kv Kv, number: u64) -> Self {
        let head = RunHead { keys: 0, blocks: Vec::new() };
        Self { out: ObjectWriter::new(kv, number), number, pending: Vec::with_capacity(BLOCK_KEYS), head }
    }

    fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.head.keys == 0
    }

    fn push(&mut self, key: &[u8; K], value: u32) -> Result<(), KvError> {
        self.pending.push((*key, value));
        if self.pending.len() == BLOCK_KEYS { self.write_block() } else { Ok(()) }
    }

    fn write_block(&mut self) -> Result<(), KvError> {
        let Some((first, _)) = self.pending.first() else { return Ok(()) };
        let keys = u32::try_from(self.pending.len()).unwrap_or(u32::MAX);
        let span = self.out.put(&Block::encode(&self.pending))?;
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
        for (key, _) in (0..block.heads.len()).filter_map(|place| block.entry::<K>(place)) {
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
        }
        assert!(runs.listed().len() < 6, "{:?}", runs.listed().iter().map(|run| run.keys).collect::<Vec<_>>());
    }
}
