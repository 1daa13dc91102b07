//! Small events and the store's whole content, for comparing.

use std::collections::{BTreeMap, BTreeSet};

use throng_model::{
    Country, CreatorId, CreatorRow, Day, Event, EventId, Kind, Source, Timestamp, Traits, VideoId, VideoRow, ViewerId,
    Zone,
};
use throng_store::{AppendMode, Column, Options, Outcome, Snapshot, Store};

/// 2026-03-01T00:00:00Z.
pub(crate) const START_MS: i64 = 1_772_323_200_000;

pub(crate) const HOUR_MS: i64 = 3_600_000;

/// One accepted event in plain words. `watch_ms` doubles as a number that tells events apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fact {
    pub(crate) creator: String,
    pub(crate) video: Option<String>,
    pub(crate) ts: i64,
    pub(crate) kind: u8,
    pub(crate) mark: u32,
    pub(crate) day: u16,
    pub(crate) country: u8,
}

pub(crate) fn options() -> Options {
    Options { disk_free_min_bytes: 0, checkpoint_rows: 60, cache_bytes_max: 1 << 20, ..Options::default() }
}

/// Appends as an import does: in parts, all of which are durable together.
pub(crate) fn append_bulk(store: &Store, events: &[Event<'_>], mode: AppendMode) -> Vec<Outcome> {
    let parts = events.chunks(events.len().div_ceil(3).max(1));
    let tickets: Vec<_> = parts.map(|part| store.append_bulk(store.preparer().prepare(part), mode).unwrap()).collect();
    store.checkpoint().unwrap();
    tickets.iter().flat_map(|ticket| ticket.poll().expect("a checkpoint comes after").unwrap()).collect()
}

pub(crate) fn event(
    id: &str,
    mark: u32,
    creator: Option<&str>,
    video: Option<&str>,
    viewer: &str,
    ts: i64,
) -> Event<'static> {
    Event {
        event_id: EventId::parse(id.to_owned()).unwrap(),
        ts: Timestamp::from_millis(ts).unwrap(),
        kind: if video.is_some() { Kind::View } else { Kind::Follow },
        viewer: ViewerId::parse(viewer.to_owned()).unwrap(),
        creator: creator.map(|id| CreatorId::parse(id.to_owned()).unwrap()),
        video: video.map(|id| VideoId::parse(id.to_owned()).unwrap()),
        watch_ms: mark,
        source: Source::ForYou,
        traits: Traits { country: Country::from_code(["DE", "US", "NP"][mark as usize % 3]), ..Traits::default() },
    }
}

pub(crate) fn video_row(video: &str, creator: &str, duration_ms: Option<u32>) -> VideoRow {
    VideoRow {
        video: VideoId::parse(video.to_owned()).unwrap(),
        creator: CreatorId::parse(creator.to_owned()).unwrap(),
        published_at: None,
        duration_ms,
        hashtags: vec![throng_model::Hashtag::parse("tag").unwrap().into_owned()],
        sound: None,
        title: Some(format!("title of {video}")),
        language: None,
    }
}

pub(crate) fn creator_row(creator: &str, zone: &str) -> CreatorRow {
    CreatorRow {
        creator: CreatorId::parse(creator.to_owned()).unwrap(),
        handle: None,
        time_zone: Zone::parse(zone).unwrap(),
        overlap_with: vec![],
    }
}

pub(crate) fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

/// Everything a snapshot holds, with the ordinal of each event's viewer by mark.
pub(crate) fn content(snapshot: &Snapshot) -> (BTreeSet<Fact>, BTreeMap<u32, u32>) {
    let catalogue = snapshot.catalogue();
    let (mut facts, mut viewers) = (BTreeSet::new(), BTreeMap::new());
    let mut add = |fact: Fact, viewer: u32| {
        assert_eq!(viewers.insert(fact.mark, viewer), None, "an event is there twice: {fact:?}");
        facts.insert(fact);
    };
    for row in snapshot.tail().rows() {
        let fact = Fact {
            creator: catalogue.creator(row.creator).unwrap().id.as_str().to_owned(),
            video: row.video.map(|video| catalogue.video(video).unwrap().id.as_str().to_owned()),
            ts: row.ts.millis(),
            kind: row.kind,
            mark: row.watch_ms,
            day: row.day.number(),
            country: row.country,
        };
        add(fact, row.viewer);
    }
    for segment in snapshot.segments() {
        for creator in segment.creators().unwrap() {
            for span in segment.creator_videos(creator).unwrap() {
                let column = |column| {
                    let mut values = vec![];
                    segment.read(column, span.rows.clone(), &mut values).unwrap();
                    values
                };
                let mut ts = vec![];
                segment.read_ts(span.rows.clone(), &mut ts).unwrap();
                let (kinds, marks, days) = (column(Column::Kind), column(Column::WatchMs), column(Column::Day));
                let (countries, ordinals) = (column(Column::Country), column(Column::Viewer));
                for place in 0..ts.len() {
                    let fact = Fact {
                        creator: catalogue.creator(creator).unwrap().id.as_str().to_owned(),
                        video: span.video.map(|video| catalogue.video(video).unwrap().id.as_str().to_owned()),
                        ts: ts[place],
                        kind: kinds[place] as u8,
                        mark: marks[place],
                        day: days[place] as u16,
                        country: countries[place] as u8,
                    };
                    add(fact, ordinals[place]);
                }
            }
        }
    }
    (facts, viewers)
}
