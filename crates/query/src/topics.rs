//! Views of everything that can trend, by sealed day: hashtags, sounds and videos, all from one reading of the day's rows.
//!
//! A sealed day is worked out once for each set of segments that hold it, on all cores, and kept while there is room: which
//! hashtags a video carried is frozen with the day (`frozen`), so nothing of it can change. Sounds alone follow the catalogue of
//! now, as nothing is kept of older ones; so a day remembers which sounds it was worked out with.
//!
//! ```text
//! rows ─▶ `topic_rows`: a cell per video and day ─▶ `topic_sums`: tables of hashtags, sounds and videos ─▶ RawTopicDay
//! ```

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use quick_cache::sync::Cache;
use throng_model::{Day, DayRange, Metric, Topic, TopicKind};
use throng_privacy::RawTopicDay;
use throng_store::{Catalogue, KvError, ReadError, Row, Segment, Snapshot, VideoOrd, may_wait};

use crate::block::Block;
use crate::collect::expired;
use crate::topic_rows::{Cell, Found, Task, for_each_cell};
use crate::topic_sums::Board;

/// Bytes of tables that stay in memory: a fortnight of a platform of a few million videos.
const BYTES_MAX: u64 = 64 << 20;
/// Days that are expected to be kept: few, so that the cache is in one piece and a large day fits.
const DAYS: usize = 32;
/// Days whose rows are read together; the more, the more memory while they are.
const DAYS_A_READ: usize = 8;
/// Rows that a thread takes at a time.
const ROWS_A_TASK: u32 = 1 << 18;

/// A day, the segments that may hold its rows, what else its rows depend on where some are in no segment yet, and how many viewers
/// suffice.
type Key = (Day, Arc<[u64]>, Option<u64>, u64);

/// The tables of one day.
struct Tables {
    hashtags: Arc<RawTopicDay>,
    sounds: Arc<RawTopicDay>,
    videos: Arc<RawTopicDay>,
    sounds_of: Sounds,
}

#[derive(Clone)]
struct Weight;

impl quick_cache::Weighter<Key, Arc<Tables>> for Weight {
    fn weight(&self, (_, segments, ..): &Key, tables: &Arc<Tables>) -> u64 {
        let of_tables: usize = [&tables.hashtags, &tables.sounds, &tables.videos].iter().map(|day| day.bytes()).sum();
        (of_tables + size_of_val::<[u64]>(segments) + size_of::<Key>()) as u64
    }
}

/// Views by topic, by day.
pub(crate) struct TopicDays {
    days: Cache<Key, Arc<Tables>, Weight>,
    /// Held while days are worked out: who comes second finds them done.
    at_work: Mutex<()>,
}

impl TopicDays {
    pub(crate) fn new() -> Self {
        Self { days: Cache::with_weighter(DAYS, BYTES_MAX, Weight), at_work: Mutex::default() }
    }

    /// The tables of a kind, a day each.
    pub(crate) fn of(
        &self,
        snapshot: &Snapshot,
        kind: TopicKind,
        days: DayRange,
        enough: u64,
    ) -> Result<Vec<Arc<RawTopicDay>>, ReadError> {
        let reading = Reading { snapshot, enough };
        if let Some(tables) = self.kept(&reading, kind, days) {
            return Ok(tables);
        }
        if !may_wait() {
            return Err(ReadError::Kv(KvError::WouldWait));
        }
        let _at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        let mut prints = Prints::default();
        let mut found: Vec<Option<Arc<Tables>>> =
            days.iter().map(|day| self.kept_day(&reading, kind, day, &mut prints)).collect();
        let missing: Vec<Day> = days.iter().zip(&found).filter(|(_, it)| it.is_none()).map(|(day, _)| day).collect();
        for some in missing.chunks(DAYS_A_READ) {
            for (&day, tables) in some.iter().zip(reading.read(some)?) {
                let tables = Arc::new(tables);
                if let Some(key) = reading.key(day) {
                    self.days.insert(key, tables.clone());
                }
                let place = (day.number() - days.first().number()) as usize;
                found.get_mut(place).into_iter().for_each(|slot| *slot = Some(tables.clone()));
            }
        }
        Ok(found.into_iter().flatten().map(|tables| tables.of(kind)).collect())
    }

    /// Where all days are kept.
    fn kept(&self, reading: &Reading<'_>, kind: TopicKind, days: DayRange) -> Option<Vec<Arc<RawTopicDay>>> {
        let mut prints = Prints::default();
        days.iter().map(|day| Some(self.kept_day(reading, kind, day, &mut prints)?.of(kind))).collect()
    }

    fn kept_day(&self, reading: &Reading<'_>, kind: TopicKind, day: Day, prints: &mut Prints) -> Option<Arc<Tables>> {
        let tables = self.days.get(&reading.key(day)?)?;
        let holds = kind != TopicKind::Sound || prints.hold(reading.snapshot.catalogue(), tables.sounds_of);
        holds.then_some(tables)
    }
}

impl Tables {
    fn of(&self, kind: TopicKind) -> Arc<RawTopicDay> {
        match kind {
            TopicKind::Hashtag => self.hashtags.clone(),
            TopicKind::Sound => self.sounds.clone(),
            TopicKind::Video => self.videos.clone(),
        }
    }
}

/// How many channels have a video with each topic.
pub(crate) fn creators_with(catalogue: &Catalogue, topics: &[&Topic]) -> Vec<u32> {
    let mut creators: Vec<Vec<u32>> = vec![Vec::new(); topics.len()];
    let (mut tags, mut sounds) = (HashMap::new(), HashMap::new());
    for (place, (topic, creators)) in topics.iter().zip(&mut creators).enumerate() {
        match topic {
            Topic::Hashtag(tag) => _ = tags.insert(tag, place),
            Topic::Sound(sound) => _ = sounds.insert(sound, place),
            Topic::Video(video) => creators.extend(catalogue.video_ord(video.as_str()).map(|_| 0)),
        }
    }
    let videos = if tags.is_empty() && sounds.is_empty() { 0 } else { catalogue.video_count() };
    for entry in (0..videos).filter_map(|video| catalogue.video(VideoOrd(video))) {
        let tags = entry.hashtags.iter().filter_map(|tag| tags.get(tag));
        for &place in tags.chain(entry.sound.as_ref().and_then(|sound| sounds.get(sound))) {
            // Most videos follow one of the same channel.
            let list = creators.get_mut(place).filter(|list| list.last() != Some(&entry.creator.0));
            list.into_iter().for_each(|list| list.push(entry.creator.0));
        }
    }
    let distinct = |mut list: Vec<u32>| {
        list.sort_unstable();
        list.dedup();
        u32::try_from(list.len()).unwrap_or(u32::MAX)
    };
    creators.into_iter().map(distinct).collect()
}

/// Sounds of the first so many videos of the catalogue. Later ones have no rows on days that were sealed before them, unless
/// those are reopened, which writes other segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sounds {
    videos: u32,
    print: u64,
}

impl Sounds {
    fn of(catalogue: &Catalogue, videos: u32) -> Self {
        let mut hasher = DefaultHasher::new();
        for video in 0..videos {
            if let Some(sound) = catalogue.video(VideoOrd(video)).and_then(|entry| entry.sound.as_ref()) {
                (video, sound.as_str()).hash(&mut hasher);
            }
        }
        Self { videos, print: hasher.finish() }
    }
}

/// The sounds of now, each looked through once in a question.
#[derive(Default)]
struct Prints(HashMap<u32, Sounds>);

impl Prints {
    fn hold(&mut self, catalogue: &Catalogue, then: Sounds) -> bool {
        *self.0.entry(then.videos).or_insert_with(|| Sounds::of(catalogue, then.videos)) == then
    }
}

/// The rows of one snapshot.
struct Reading<'s> {
    snapshot: &'s Snapshot,
    enough: u64,
}

impl<'s> Reading<'s> {
    /// What a day's tables are kept under; `None` where they may still change.
    fn key(&self, day: Day) -> Option<Key> {
        let snapshot = self.snapshot;
        snapshot.sealed_everywhere().filter(|&sealed| day <= sealed)?;
        let touching = snapshot.segments().iter().filter(|segment| segment.touches(DayRange::day(day)));
        let in_tail = snapshot.tail().first_day().is_some_and(|first| first <= day);
        let tail = in_tail.then(|| snapshot.settled_generation());
        Some((day, touching.map(|segment| segment.number()).collect(), tail, self.enough))
    }

    /// The tables of some days, in their order.
    fn read(&self, days: &[Day]) -> Result<Vec<Tables>, ReadError> {
        let tasks = self.tasks(days)?;
        let next = AtomicUsize::new(0);
        let work = || {
            let mut found = Found::new(days, self.enough);
            while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                found.scan(self.snapshot.catalogue(), task)?;
            }
            Ok::<_, ReadError>(found)
        };
        let helpers = available_parallelism().map_or(0, |cores| cores.get() - 1).min(tasks.len().saturating_sub(1));
        let mut found = std::thread::scope(|scope| {
            let helpers: Vec<_> = (0..helpers).map(|_| scope.spawn(work)).collect();
            let mut found = vec![work()?];
            for helper in helpers {
                found.push(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok::<_, ReadError>(found)
        })?;
        found.push(self.tail(days));
        found.push(self.expired(days)?);
        let mut boards: Vec<Board<'_>> =
            days.iter().map(|_| Board::new(self.snapshot.catalogue(), self.enough)).collect();
        for_each_cell(&found, |video, day, cells| {
            let board = days.iter().position(|each| u32::from(each.number()) == day).and_then(|at| boards.get_mut(at));
            board.into_iter().for_each(|board| board.add(video, day, cells));
        });
        let catalogue = self.snapshot.catalogue();
        let sounds_of = Sounds::of(catalogue, catalogue.video_count());
        let tables = |(&day, board): (&Day, Board<'_>)| {
            let [hashtags, sounds, videos] = board.finish(day).map(Arc::new);
            Tables { hashtags, sounds, videos, sounds_of }
        };
        Ok(days.iter().zip(boards).map(tables).collect())
    }

    /// The spans that touch the days, in pieces of some rows each.
    fn tasks(&self, days: &[Day]) -> Result<Vec<Task<'s>>, ReadError> {
        let catalogue = self.snapshot.catalogue();
        let mut tasks = Vec::new();
        let touches = |segment: &Segment| days.iter().any(|&day| segment.touches(DayRange::day(day)));
        for segment in self.snapshot.segments().iter().filter(|segment| touches(segment)) {
            let mut task = Task::new(segment);
            for creator in segment.creators()? {
                for span in segment.creator_videos(creator)? {
                    let Some(entry) = span.video.and_then(|video| catalogue.video(video)) else { continue };
                    match entry.is_unchanged() {
                        true if entry.creator == creator => task.whole.push(span.clone()),
                        true => continue,
                        false => task.changed.push((creator, span.clone())),
                    }
                    task.rows += span.rows.end - span.rows.start;
                }
                if task.rows >= ROWS_A_TASK {
                    tasks.push(std::mem::replace(&mut task, Task::new(segment)));
                }
            }
            tasks.push(task);
        }
        Ok(tasks)
    }

    /// Rows that are in no segment yet.
    fn tail(&self, days: &[Day]) -> Found {
        let catalogue = self.snapshot.catalogue();
        let mut found = Found::new(days, self.enough);
        let at_home = |row: &&Row| {
            let entry = row.video.and_then(|video| catalogue.video(video));
            entry.and_then(|entry| entry.on(row.day)).is_some_and(|period| period.creator == row.creator)
        };
        let rows: Vec<&Row> =
            self.snapshot.tail().rows().filter(|row| days.contains(&row.day)).filter(at_home).collect();
        found.add(&Block::of_rows(&rows, catalogue, |_| true), |_, _| true);
        found
    }

    /// Days whose rows have expired: of their viewers only the number is known.
    fn expired(&self, days: &[Day]) -> Result<Found, ReadError> {
        let mut found = Found::new(days, self.enough);
        let lost = |&&day: &&Day| expired(self.snapshot, DayRange::day(day)).is_some();
        for &day in days.iter().filter(lost) {
            for summary in self.snapshot.summaries() {
                for creator in summary.creators()? {
                    for (video, summaries) in summary.channel_videos(creator, DayRange::day(day))? {
                        let entry = self.snapshot.catalogue().video(video).and_then(|entry| entry.on(day));
                        if entry.is_some_and(|period| period.creator == creator) {
                            found.cells.extend(summaries.iter().map(|day| Cell {
                                video,
                                day: day.day.number().into(),
                                views: day.tally[Metric::Views] as u32,
                                viewers: 0..0,
                                expired: day.viewers,
                            }));
                        }
                    }
                }
            }
        }
        Ok(found)
    }
}
