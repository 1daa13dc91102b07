//! Digests held against the rows that they were made of, for `verify`: the same, by plain sets.

use std::collections::{BTreeMap, BTreeSet};

use throng_model::{Day, Kind, Stage, playback_position};

use crate::digest::{Digest, DigestColumn, VIEWS_MIN};
use crate::object::ReadError;
use crate::row::{CreatorOrd, Row};
use crate::segment::Segment;

/// What a creator's digests must say.
#[derive(Default)]
pub(crate) struct Expected {
    days: BTreeMap<Day, DayViews>,
}

#[derive(Default)]
struct DayViews {
    count: usize,
    first_ms: Option<i64>,
    viewers: BTreeMap<u32, Viewer>,
    engaged: BTreeSet<u32>,
    followed: BTreeSet<u32>,
}

#[derive(Default)]
struct Viewer {
    /// (time, place, person) and (time, source).
    last: BTreeSet<(i64, u32, u32)>,
    views: BTreeSet<(i64, u8)>,
    position: u32,
}

impl Expected {
    /// Adds a row.
    pub(crate) fn add(&mut self, row: &Row, duration_ms: Option<u32>) {
        let Some(kind) = row.kind() else { return };
        let day = self.days.entry(row.day).or_default();
        match kind.stage() {
            Stage::Engaged => _ = day.engaged.insert(row.viewer),
            Stage::Followed => _ = day.followed.insert(row.viewer),
            Stage::Saw | Stage::Viewed => {}
        }
        if kind != Kind::View {
            return;
        }
        let ts = row.ts.millis();
        day.count += 1;
        day.first_ms = Some(day.first_ms.map_or(ts, |first| first.min(ts)));
        let viewer = day.viewers.entry(row.viewer).or_default();
        let [age, gender, device, follower] = [row.age, row.gender, row.device, row.follower].map(u32::from);
        let place = u32::from(row.country) * 0x1_0000 + u32::from(row.region);
        viewer.last.insert((ts, place, age * 0x1000 + gender * 0x100 + device * 0x10 + follower));
        viewer.views.insert((ts, row.source));
        let position = duration_ms.and_then(|duration_ms| playback_position(row.watch_ms, duration_ms));
        viewer.position = viewer.position.max(position.map_or(0, |position| u32::from(position) + 1));
    }

    /// Whether the segment says the same. A day of many views may still have no digest, which only costs time.
    pub(crate) fn agree(&self, segment: &Segment, creator: CreatorOrd) -> Result<bool, ReadError> {
        for (&day, views) in &self.days {
            match segment.digests(creator, day..=day)?.as_slice() {
                [(found, None)] if *found == day => {}
                [(found, Some(digest))] if *found == day && views.agrees(segment, digest)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

impl DayViews {
    fn agrees(&self, segment: &Segment, digest: &Digest) -> Result<bool, ReadError> {
        let read = |column| {
            let mut values = Vec::new();
            segment.read_digest(digest, column, &mut values).map(|()| values)
        };
        let base = digest.base_ms;
        if self.count < VIEWS_MIN || base.rem_euclid(60_000) != 0 || self.first_ms.is_none_or(|first| first < base) {
            return Ok(false);
        }
        let viewers = || self.viewers.values();
        let last = || viewers().filter_map(|viewer| viewer.last.last());
        let (mut minutes, mut sources) = (Vec::new(), Vec::new());
        for viewer in viewers() {
            let mut kept: Vec<(i64, u8)> =
                viewer.views.iter().map(|&(ts, source)| ((ts - base) / 60_000, source)).collect();
            kept.dedup();
            minutes.extend((0..).zip(&kept).map(|(place, (minute, _))| *minute as u32 * 2 + u32::from(place == 0)));
            sources.extend(kept.iter().map(|&(_, source)| u32::from(source)));
        }
        let [engaged, followed] = segment.digest_acts(digest)?;
        Ok(read(DigestColumn::Viewer)?.iter().eq(self.viewers.keys())
            && read(DigestColumn::LastMs)?.into_iter().eq(last().map(|&(ts, ..)| (ts - base) as u32))
            && read(DigestColumn::Place)?.into_iter().eq(last().map(|&(_, place, _)| place))
            && read(DigestColumn::Person)?.into_iter().eq(last().map(|&(.., person)| person))
            && read(DigestColumn::Position)?.into_iter().eq(viewers().map(|viewer| viewer.position))
            && read(DigestColumn::Minute)? == minutes
            && read(DigestColumn::Source)? == sources
            && followed.iter().eq(self.followed.iter().copied())
            && engaged.iter().eq(self.engaged.difference(&self.followed).copied()))
    }
}
