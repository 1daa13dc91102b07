//! Which days an import brought that have ended: what `--seal` closes.

use std::collections::HashMap;

use throng_model::{Day, Timestamp, Zone};
use throng_store::{Catalogue, CreatorOrd, Owner, PreparedEvents, Store};

/// The newest ended day that was brought, per creator.
#[derive(Debug)]
pub(super) struct BroughtDays {
    now: Timestamp,
    /// Of creators that the store knew, by their ordinals.
    known: Vec<Option<Brought>>,
    /// Of those that it did not know yet.
    named: HashMap<String, Brought>,
}

/// An event of a video that the store does not know, or not yet: nobody can tell whose channel it is on.
pub(super) type OfVideo = (String, Timestamp);

#[derive(Debug)]
struct Brought {
    zone: Zone,
    /// First instant of the day that has not ended.
    open_from: Timestamp,
    newest: Option<Timestamp>,
}

impl BroughtDays {
    /// None yet. Days are judged by one clock reading, so that an import over midnight seals what it meant to.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { now, known: Vec::new(), named: HashMap::new() }
    }

    /// Notes events, and gives those that have to be noted again once what came before them is in the store.
    pub(super) fn note(&mut self, events: &PreparedEvents, store: &Store) -> Vec<OfVideo> {
        let snapshot = store.snapshot();
        let catalogue = snapshot.catalogue();
        let mut unknown = Vec::new();
        for (owner, ts) in events.owners(catalogue) {
            match owner {
                Owner::Known(creator) => self.note_known(creator, ts, catalogue),
                Owner::Named(creator) => match self.named.get_mut(creator) {
                    Some(brought) => brought.note(ts),
                    None => {
                        let mut brought = Brought::in_zone(Zone::UTC, self.now);
                        brought.note(ts);
                        self.named.insert(creator.to_owned(), brought);
                    }
                },
                Owner::OfVideo(video) => unknown.push((video.to_owned(), ts)),
            }
        }
        unknown
    }

    /// Notes events whose video has come meanwhile.
    pub(super) fn note_videos(&mut self, events: &[OfVideo], store: &Store) {
        let snapshot = store.snapshot();
        let catalogue = snapshot.catalogue();
        for (video, ts) in events {
            if let Some(entry) = catalogue.video_ord(video).and_then(|video| catalogue.video(video)) {
                self.note_known(entry.creator, *ts, catalogue);
            }
        }
    }

    fn note_known(&mut self, creator: CreatorOrd, ts: Timestamp, catalogue: &Catalogue) {
        let place = creator.0 as usize;
        if place >= self.known.len() {
            self.known.resize_with(place + 1, || None);
        }
        if let Some(brought) = self.known.get_mut(place) {
            let zone = || catalogue.creator(creator).map(|entry| entry.zone.clone()).unwrap_or_default();
            brought.get_or_insert_with(|| Brought::in_zone(zone(), self.now)).note(ts);
        }
    }

    /// The last day to close, per creator; the same one may come twice.
    pub(super) fn days(&self, store: &Store) -> Vec<(CreatorOrd, Day)> {
        let snapshot = store.snapshot();
        let known =
            (0..).map(CreatorOrd).zip(&self.known).filter_map(|(creator, brought)| Some((creator, brought.as_ref()?)));
        let named = self.named.iter();
        let named = named.filter_map(|(id, brought)| Some((snapshot.catalogue().creator_ord(id)?, brought)));
        known.chain(named).filter_map(|(creator, brought)| Some((creator, brought.day()?))).collect()
    }
}

impl Brought {
    fn in_zone(zone: Zone, now: Timestamp) -> Self {
        Self { open_from: zone.day_start(zone.day_of(now)), zone, newest: None }
    }

    fn note(&mut self, ts: Timestamp) {
        if ts < self.open_from {
            self.newest = self.newest.max(Some(ts));
        }
    }

    fn day(&self) -> Option<Day> {
        Some(self.zone.day_of(self.newest?))
    }
}
