//! The tail: acknowledged rows that are in no segment yet, in memory and in the log.

use std::sync::Arc;

use throng_model::Day;

use crate::row::{CreatorOrd, Row, VideoOrd};

/// A batch takes in its older neighbour as long as that is at most this many times as long: few batches, little copying.
const MERGE_FACTOR: usize = 2;

/// Rows of the tail, in few sorted batches; cheap to clone.
#[derive(Clone, Default)]
pub struct Tail {
    batches: Vec<Arc<TailBatch>>,
}

struct TailBatch {
    /// Sorted.
    rows: Vec<Row>,
    /// (video, place in `rows`), sorted.
    by_video: Vec<(VideoOrd, u32)>,
    first_day: Day,
}

impl Tail {
    /// Every row.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.batches.iter().flat_map(|batch| &batch.rows)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.batches.iter().map(|batch| batch.rows.len()).sum()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// The first day that any row counts in.
    pub fn first_day(&self) -> Option<Day> {
        self.batches.iter().map(|batch| batch.first_day).min()
    }

    /// A creator's rows.
    pub fn creator_rows(&self, creator: CreatorOrd) -> impl Iterator<Item = &Row> {
        self.batches.iter().flat_map(move |batch| {
            let start = batch.rows.partition_point(|row| row.creator < creator);
            let stop = batch.rows.partition_point(|row| row.creator <= creator);
            batch.rows.get(start..stop).unwrap_or_default()
        })
    }

    /// A video's rows, of any creator.
    pub fn video_rows(&self, video: VideoOrd) -> impl Iterator<Item = &Row> {
        self.batches.iter().flat_map(move |batch| {
            let start = batch.by_video.partition_point(|entry| entry.0 < video);
            let found = batch.by_video.iter().skip(start).take_while(move |entry| entry.0 == video);
            found.filter_map(|&(_, place)| batch.rows.get(place as usize))
        })
    }

    pub(crate) fn push(&mut self, mut rows: Vec<Row>) {
        if rows.is_empty() {
            return;
        }
        while self.batches.last().is_some_and(|older| older.rows.len() <= rows.len() * MERGE_FACTOR) {
            if let Some(older) = self.batches.pop() {
                rows.extend_from_slice(&older.rows);
            }
        }
        rows.sort_unstable();
        let mut by_video: Vec<(VideoOrd, u32)> =
            (0..).zip(&rows).filter_map(|(place, row)| Some((row.video?, place))).collect();
        by_video.sort_unstable();
        let first_day = rows.iter().map(|row| row.day).min().unwrap_or(Day::MAX);
        self.batches.push(Arc::new(TailBatch { rows, by_video, first_day }));
    }
}
