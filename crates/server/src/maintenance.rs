//! What a running server does by itself, off its request threads: it seals ended days, drops rows that are too old, removes
//! the rows of erased viewers when their day has come, and gives freed room in the files back once a day.
//!
//! Each piece is repeated until it succeeds, and none holds up another. A failure is logged without data.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use throng_model::{Day, Timestamp, Zone};
use throng_store::{Store, WriteError};

use crate::config::Config;
use crate::files;
use crate::platform::FREED;

/// The note of the last compaction, in the data directory. Where it is missing, the wait begins anew, so a restored backup
/// that comes without one does no harm.
const NOTE: &str = "maintenance.json";

/// The store and what is due when.
pub(crate) struct Maintenance {
    store: Store,
    note: PathBuf,
    lateness_ms: i64,
    rows_kept_days: u16,
    erasure_every_days: u16,
    /// Rows of days before it have been dropped by this process: expiring again within a day would find nothing new.
    expired_before: Option<Day>,
    /// The last day on which freed room was looked for; on the first one it is not.
    trimmed_on: Option<Day>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    /// The day of the last compaction, or since when one was waited for.
    erasures_since: String,
}

impl Maintenance {
    pub(crate) fn new(store: Store, config: &Config) -> Self {
        Self {
            store,
            note: config.data.join(NOTE),
            lateness_ms: i64::try_from(config.store.lateness_ms).unwrap_or(i64::MAX),
            rows_kept_days: config.store.rows_kept_days,
            erasure_every_days: config.store.erasure_every_days,
            expired_before: None,
            trimmed_on: None,
        }
    }

    /// Does what is due at an instant.
    pub(crate) fn run(&mut self, now: Timestamp) {
        let today = Zone::UTC.day_of(now);
        self.seal(now);
        if let Err(error) = self.expire(today) {
            tracing::error!(%error, "old rows could not be dropped");
        }
        if let Err(error) = self.compact(today) {
            tracing::error!(%error, "the rows of erased viewers could not be removed");
        }
        if let Err(error) = self.trim(today) {
            tracing::error!(%error, "freed room in the files was not given back");
        }
    }

    /// Seals the days that ended long enough ago.
    pub(crate) fn seal(&self, now: Timestamp) {
        if let Err(error) = self.store.seal_ended_by(now.saturating_add_millis(self.lateness_ms.saturating_neg())) {
            tracing::error!(%error, "days could not be sealed");
        }
    }

    fn expire(&mut self, today: Day) -> Result<(), WriteError> {
        let before = today.saturating_add(-i64::from(self.rows_kept_days));
        if self.rows_kept_days == 0 || self.expired_before == Some(before) {
            return Ok(());
        }
        let expired = self.store.expire_before(before)?;
        self.expired_before = Some(before);
        if expired.rows > 0 {
            tracing::info!(%before, "old rows were dropped");
        }
        Ok(())
    }

    fn trim(&mut self, today: Day) -> Result<(), WriteError> {
        if self.trimmed_on.is_some_and(|before| before != today) && self.store.trim(FREED)? {
            tracing::info!("freed room in the files was given back");
        }
        self.trimmed_on = Some(today);
        Ok(())
    }

    fn compact(&mut self, today: Day) -> Result<(), Failed> {
        // A note from the future is the work of a clock that has been set back, and counts as none.
        if let Some(since) = since(&self.note).filter(|&since| since <= today) {
            if today < since.saturating_add(i64::from(self.erasure_every_days)) {
                return Ok(());
            }
            if self.store.pending_erasures() > 0 {
                self.store.compact(today)?;
                tracing::info!("the rows of erased viewers were removed");
            }
        }
        // Also where nothing was to be done, so that the next erasure waits for others to join it.
        Ok(write(&self.note, today)?)
    }
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Store(#[from] WriteError),
    #[error("the note of it could not be written")]
    Note(#[from] io::Error),
}

/// What the note says; `None` where there is none, or none that can be read.
fn since(path: &Path) -> Option<Day> {
    let text = std::fs::read(path).ok()?;
    let note: Note = serde_json::from_slice(&text).ok()?;
    Day::parse(&note.erasures_since).ok()
}

fn write(path: &Path, day: Day) -> io::Result<()> {
    let note = Note { erasures_since: day.to_string() };
    files::replace(path, serde_json::to_string(&note).map_err(io::Error::other)?.as_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use throng_model::{CreatorId, Event, EventId, Kind, Source, Traits, VideoId, ViewerId};
    use throng_store::{AppendMode, MemoryMap, Options};

    use super::*;

    const FIRST_DAY: &str = "2026-03-01";

    fn noon(days: i64) -> Timestamp {
        let day = Day::parse(FIRST_DAY).unwrap().saturating_add(days);
        Zone::UTC.day_start(day).saturating_add_millis(43_200_000)
    }

    /// One view of each of five viewers on the first day.
    fn store() -> Store {
        let store = Store::in_memory(&MemoryMap::default(), &Options::default()).unwrap();
        append(&store, &(0..5).map(|n| (format!("e{n}"), format!("u{n}"))).collect::<Vec<_>>());
        store
    }

    /// A view of each event id and viewer on the first day.
    fn append(store: &Store, ids: &[(String, String)]) {
        let event = |(event_id, viewer): &(String, String)| Event {
            event_id: EventId::parse(event_id.clone()).unwrap(),
            ts: noon(0),
            kind: Kind::View,
            viewer: ViewerId::parse(viewer.clone()).unwrap(),
            creator: Some(CreatorId::parse("c").unwrap()),
            video: Some(VideoId::parse("a").unwrap()),
            watch_ms: 1_000,
            source: Source::Other,
            traits: Traits::default(),
        };
        let events: Vec<_> = ids.iter().map(event).collect();
        store.append(&events, AppendMode::Normal).unwrap();
    }

    fn maintenance(store: &Store, data: &Path, rows_kept_days: u16) -> Maintenance {
        let mut config = Config { data: data.to_owned(), ..Config::default() };
        config.store.rows_kept_days = rows_kept_days;
        config.store.lateness_ms = 0;
        Maintenance::new(store.clone(), &config)
    }

    fn erase(store: &Store, viewer: &str) {
        store.erase(&[ViewerId::parse(viewer).unwrap()]).unwrap();
    }

    #[test]
    fn freed_room_is_given_back_once_the_first_day_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let store = Store::open(&data, &Options { merges: false, ..Options::default() }).unwrap();
        let mut server = maintenance(&store, &data, 0);
        // Names as random as they come, so that the log takes room, which the checkpoint frees.
        let name = |n: u64| format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for from in (0..60_000).step_by(5_000) {
            append(&store, &(from..from + 5_000).map(|n| (name(n), name(n + 1_000_000))).collect::<Vec<_>>());
        }
        store.checkpoint().unwrap();
        let grown = store.file_bytes().unwrap();
        server.run(noon(10));
        assert!(store.file_bytes().unwrap() >= grown, "not on the first day");
        server.run(noon(11));
        let trimmed = store.file_bytes().unwrap();
        assert!(trimmed < grown, "{trimmed} of {grown}");
        assert_eq!(store.verify().unwrap().events, 60_000);
    }

    #[test]
    fn erasures_wait_for_one_another_and_for_their_day() {
        let (store, data) = (store(), tempfile::tempdir().unwrap());
        let mut server = maintenance(&store, data.path(), 0);
        server.run(noon(10));
        erase(&store, "u0");
        server.run(noon(16));
        assert_eq!(store.pending_erasures(), 1, "six days are too few");
        erase(&store, "u1");
        // Another process, after a restart, goes by the same note.
        maintenance(&store, data.path(), 0).run(noon(17));
        assert_eq!((store.pending_erasures(), store.verify().unwrap().events), (0, 3));
        assert_eq!(store.snapshot().epochs().len(), 1, "both went together");
        erase(&store, "u2");
        server.run(noon(17));
        assert_eq!(store.pending_erasures(), 1, "the next waits again");
    }

    #[test]
    fn without_a_note_or_with_one_from_the_future_the_wait_begins_anew() {
        for note in [None, Some("{\"erasures_since\": \"2027-01-01\"}"), Some("{")] {
            let (store, data) = (store(), tempfile::tempdir().unwrap());
            if let Some(note) = note {
                std::fs::write(data.path().join(NOTE), note).unwrap();
            }
            erase(&store, "u0");
            let mut server = maintenance(&store, data.path(), 0);
            server.run(noon(10));
            assert_eq!(store.pending_erasures(), 1, "{note:?}");
            server.run(noon(17));
            assert_eq!(store.pending_erasures(), 0, "{note:?}");
        }
    }

    #[test]
    fn rows_go_once_they_are_too_old_and_never_where_they_are_kept() {
        let (store, data) = (store(), tempfile::tempdir().unwrap());
        maintenance(&store, data.path(), 0).run(noon(400));
        let mut server = maintenance(&store, data.path(), 30);
        server.run(noon(30));
        assert_eq!(store.verify().unwrap().events, 5, "thirty days old is not too old");
        server.run(noon(31));
        assert_eq!(store.verify().unwrap().events, 0);
        assert_eq!(store.snapshot().rows_from(), Some(Day::parse(FIRST_DAY).unwrap().saturating_add(1)));
    }
}
