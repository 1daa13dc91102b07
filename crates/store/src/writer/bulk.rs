//! Bulk appends: many batches at once become a segment, without a log.
//!
//! What is looked up hash by hash elsewhere is looked up here in the order of the hashes, so that each block of a run is read
//! once at most, and a map of all hashes is never made.

use std::collections::{HashMap, HashSet};
use std::panic::resume_unwind;
use std::thread;

use super::checkpoint::Checkpoint;
use super::{CreatorDays, Pending, Writer};
use crate::append::{AppendMode, Outcome, Prepared, PreparedEvents};
use crate::kv::Kv;
use crate::merge;
use crate::object::ReadError;
use crate::root::Root;
use crate::row::CreatorOrd;
use crate::run::Runs;
use crate::secret::{Fingerprint, Pseudonym};
use crate::sorted;
use crate::store::WriteError;

/// The events of one append.
type Batch = (PreparedEvents, AppendMode);

impl Writer {
    /// Takes the events of many appends, in their order, and makes them durable.
    pub(crate) fn append_bulk(&mut self, appends: Vec<Batch>) -> Result<Vec<Vec<Outcome>>, WriteError> {
        // What is in the log would have to be asked hash by hash.
        self.checkpoint()?;
        let done = self.try_append_bulk(appends);
        self.poisoned |= done.is_err();
        done
    }

    fn try_append_bulk(&mut self, appends: Vec<Batch>) -> Result<Vec<Vec<Outcome>>, WriteError> {
        let events = || appends.iter().flat_map(|(events, _)| &events.events);
        let (kv, root) = (&self.kv, &self.root);
        let (known, pseudonyms) = (&mut self.fingerprints, &mut self.pseudonyms);
        let (fingerprints, viewers) = thread::scope(|scope| {
            let viewers = scope.spawn(|| Viewers::new(pseudonyms, kv, root, events()));
            let fingerprints = Fingerprints::new(known, kv, events());
            (fingerprints, viewers.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        let (mut fingerprints, mut viewers) = (fingerprints?, viewers?);
        let [mut rows, mut spare] = std::mem::take(&mut self.spare_rows);
        rows.clear();
        rows.reserve(fingerprints.sorted.len());
        let mut pending = Pending { rows, ..Pending::default() };
        let mut days = KnownDays::default();
        let mut place = 0;
        let mut answers = Vec::with_capacity(appends.len());
        // Batches go as their rows come: the largest part of the memory is never held twice.
        for (PreparedEvents { events, names }, mode) in appends {
            let mut outcomes = Vec::with_capacity(events.len());
            for event in &events {
                outcomes.push(if fingerprints.is_known(place) {
                    Outcome::Duplicate
                } else {
                    let viewer =
                        |writer: &mut Self, _: &mut Pending| Ok(viewers.ordinal(place, &mut writer.root.viewers));
                    let outcome = self.place(
                        event,
                        &names,
                        mode,
                        &mut pending,
                        |writer, creator| days.of(writer, creator),
                        viewer,
                    )?;
                    fingerprints.note(place, outcome);
                    outcome
                });
                place += 1;
            }
            answers.push(outcomes);
        }
        if pending.is_empty() {
            return Ok(answers);
        }
        self.count_reopened(&mut pending);
        self.dirty.creators.append(&mut pending.changes.creators);
        self.dirty.videos.append(&mut pending.changes.videos);
        sorted::sort_rows(&mut pending.rows, &mut spare);
        let (fingerprints, viewers) = (fingerprints.into_taken(), viewers.into_new());
        let is_bare = self.is_bare(pending.rows.len());
        let new = Checkpoint { rows: pending.rows, fingerprints, viewers, is_bare };
        self.write_segment(&new)?;
        self.spare_rows = [new.rows, spare];
        Ok(answers)
    }
}

impl Writer {
    /// Whether segments may have no rollups and audiences yet.
    pub(crate) fn may_leave_bare(&self) -> bool {
        self.bare_bulk_rows.is_some()
    }

    /// Whether a bulk is as good as merged: a long one, of a store that merges before it is asked, with so many of its size that
    /// they merge anyway. Rollups and audiences are more than half of what writing a segment costs.
    fn is_bare(&self, rows: usize) -> bool {
        let Some(bulk_rows) = self.bare_bulk_rows else { return false };
        let is_long = |rows: usize| (bulk_rows / 2..bulk_rows.saturating_mul(2)).contains(&rows);
        is_long(rows) && self.segments.iter().filter(|it| is_long(it.rows() as usize)).count() >= merge::FAN_IN - 1
    }
}

/// By what days are told, per creator of a bulk: none of it changes meanwhile.
#[derive(Default)]
struct KnownDays(Vec<Option<CreatorDays>>);

impl KnownDays {
    fn of(&mut self, writer: &Writer, creator: CreatorOrd) -> CreatorDays {
        let place = creator.0 as usize;
        if place >= self.0.len() {
            self.0.resize(place + 1, None);
        }
        let make = || writer.days_of(creator);
        self.0.get_mut(place).map_or_else(make, |known| known.get_or_insert_with(make).clone())
    }
}

/// Which events of a bulk are duplicates.
struct Fingerprints {
    /// With the events' places.
    sorted: Vec<(Fingerprint, u32)>,
    states: Vec<State>,
    /// Of events that share a fingerprint: the first one's place, and whether one of them was taken.
    shared: HashMap<usize, u32>,
    taken: HashSet<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// Shares its fingerprint with other events of the bulk: the first of them that can be placed counts.
    Shared,
    /// Taken before.
    Known,
    /// A row now.
    Taken,
}

impl Fingerprints {
    fn new<'e>(
        runs: &mut Runs<8>,
        kv: &Kv,
        events: impl Iterator<Item = &'e Prepared> + Clone,
    ) -> Result<Self, ReadError> {
        let sorted = sorted::sort_hashes(events.map(|event| event.fingerprint));
        let mut known =
            Self { states: vec![State::New; sorted.len()], sorted, shared: HashMap::new(), taken: HashSet::new() };
        let Self { sorted, states, shared, .. } = &mut known;
        let mut set = |place: u32, state| {
            if let Some(old) = states.get_mut(place as usize) {
                *old = state;
            }
        };
        for group in sorted.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
            for &(_, place) in group {
                set(place, State::Shared);
                shared.extend(group.first().map(|&(_, first)| (place as usize, first)));
            }
        }
        runs.get_sorted(kv, &sorted.iter().map(|(key, _)| key), |at, _| {
            if let Some(&(_, place)) = sorted.get(at) {
                set(place, State::Known);
            }
        })?;
        Ok(known)
    }

    fn is_known(&self, place: usize) -> bool {
        match self.states.get(place) {
            Some(State::Known) => true,
            Some(State::Shared) => self.shared.get(&place).is_some_and(|first| self.taken.contains(first)),
            _ => false,
        }
    }

    fn note(&mut self, place: usize, outcome: Outcome) {
        let Some(state) = self.states.get_mut(place).filter(|_| outcome.is_taken()) else { return };
        if *state == State::Shared {
            self.taken.extend(self.shared.get(&place));
        }
        *state = State::Taken;
    }

    /// Those of rows, sorted.
    fn into_taken(self) -> Vec<(Fingerprint, u32)> {
        let Self { mut sorted, states, .. } = self;
        sorted.retain(|&(_, place)| states.get(place as usize) == Some(&State::Taken));
        sorted.iter_mut().for_each(|(_, value)| *value = 0);
        sorted
    }
}

/// The viewers of a bulk.
struct Viewers {
    /// Sorted, each once.
    pseudonyms: Vec<Pseudonym>,
    ordinals: Vec<Option<u32>>,
    /// Ordinals from here on are new.
    first_new: u32,
    /// Per event, its viewer's place above.
    viewer_of: Vec<u32>,
}

impl Viewers {
    fn new<'e>(
        runs: &mut Runs<10>,
        kv: &Kv,
        root: &Root,
        events: impl Iterator<Item = &'e Prepared> + Clone,
    ) -> Result<Self, ReadError> {
        let sorted = sorted::sort_hashes(events.map(|event| event.viewer));
        let mut viewer_of = vec![0; sorted.len()];
        let mut pseudonyms = Vec::new();
        for group in sorted.chunk_by(|a, b| a.0 == b.0) {
            for &(_, place) in group {
                if let Some(of) = viewer_of.get_mut(place as usize) {
                    *of = pseudonyms.len() as u32;
                }
            }
            pseudonyms.extend(group.first().map(|&(pseudonym, _)| pseudonym));
        }
        let mut ordinals = vec![None; pseudonyms.len()];
        runs.get_sorted(kv, &pseudonyms.iter(), |at, known| {
            if let Some(ordinal) = ordinals.get_mut(at) {
                *ordinal = Some(known);
            }
        })?;
        let erased = &root.pending_erasures.0;
        if !erased.is_empty() {
            // Whoever was erased comes again as a new viewer.
            ordinals.iter_mut().for_each(|ordinal| *ordinal = ordinal.filter(|&known| !erased.contains(known)));
        }
        Ok(Self { pseudonyms, ordinals, first_new: root.viewers, viewer_of })
    }

    /// The ordinal of an event's viewer, who gets the next one where there is none yet.
    fn ordinal(&mut self, place: usize, next: &mut u32) -> u32 {
        let ordinal = self.viewer_of.get(place).and_then(|&viewer| self.ordinals.get_mut(viewer as usize));
        let new = || {
            *next += 1;
            *next - 1
        };
        // Every event has a viewer.
        ordinal.map_or(u32::MAX, |ordinal| *ordinal.get_or_insert_with(new))
    }

    /// Those that are new, sorted.
    fn into_new(self) -> Vec<(Pseudonym, u32)> {
        let all = self.pseudonyms.into_iter().zip(self.ordinals);
        let new = all.filter_map(|(pseudonym, ordinal)| Some((pseudonym, ordinal?)));
        new.filter(|&(_, ordinal)| ordinal >= self.first_new).collect()
    }
}
