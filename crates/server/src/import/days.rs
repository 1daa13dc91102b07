//! Which days an import brought that have ended: what `--seal` closes.

use std::collections::HashMap;

use throng_model::{Day, Event, Timestamp, Zone};
use throng_store::{Catalogue, CreatorOrd, Store};

/// The newest ended day that was brought, per creator.
#[derive(Debug)]
pub(super) struct BroughtDays {
    now: Timestamp,
    creators: HashMap<String, Brought>,
}

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
        Self { now, creators: HashMap::new() }
    }

    /// Notes events; `false` where the store does not know, or not yet, whose channel some of them are on.
    pub(super) fn note(&mut self, events: &[Event<'_>], store: &Store) -> bool {
        let snapshot = store.snapshot();
        let catalogue = snapshot.catalogue();
        let mut all = true;
        for event in events {
            let Some(creator) = owner(event, catalogue) else {
                all = false;
                continue;
            };
            if !self.creators.contains_key(creator) {
                let brought = Brought::of(creator, catalogue, self.now);
                self.creators.insert(creator.to_owned(), brought);
            }
            if let Some(brought) = self.creators.get_mut(creator).filter(|brought| event.ts < brought.open_from) {
                brought.newest = brought.newest.max(Some(event.ts));
            }
        }
        all
    }

    /// The last day to close, per creator.
    pub(super) fn days(&self, store: &Store) -> Vec<(CreatorOrd, Day)> {
        let snapshot = store.snapshot();
        let day = |(creator, brought): (&String, &Brought)| {
            Some((snapshot.catalogue().creator_ord(creator)?, brought.zone.day_of(brought.newest?)))
        };
        self.creators.iter().filter_map(day).collect()
    }
}

impl Brought {
    fn of(creator: &str, catalogue: &Catalogue, now: Timestamp) -> Self {
        let entry = catalogue.creator_ord(creator).and_then(|ord| catalogue.creator(ord));
        let zone = entry.map(|entry| entry.zone.clone()).unwrap_or_default();
        Self { open_from: zone.day_start(zone.day_of(now)), zone, newest: None }
    }
}

/// Whose channel an event is on, as the store sees it.
fn owner<'a>(event: &'a Event<'_>, catalogue: &'a Catalogue) -> Option<&'a str> {
    if let Some(creator) = &event.creator {
        return Some(creator.as_str());
    }
    let video = catalogue.video_ord(event.video.as_ref()?.as_str())?;
    let creator = catalogue.creator(catalogue.video(video)?.creator)?;
    Some(creator.id.as_str())
}
