//! Views of everything that can trend, by sealed day: hashtags, sounds and videos, all from one reading of the day's rows.
//!
//! A sealed day is worked out once for each set of segments that hold it, on all cores, and kept while there is room: which
//! hashtags a video carried is frozen with the day (`frozen`), so nothing of it can change. Sounds alone follow the catalogue of
//! now, as nothing is kept of older ones; so a day remembers which sounds it was worked out with.
//!
//! ```text
//! rows ─▶ a cell per video and day: views, and viewers up to the floor ─▶ tables of hashtags, sounds, videos ─▶ RawTopicDay
//! ```

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use quick_cache::sync::Cache;
use roaring::RoaringBitmap;
use throng_model::{Day, DayRange, Hashtag, Name, Topic, TopicKind};
use throng_privacy::{Contribution, Raw, RawTopicDay};
use throng_store::{
    Catalogue, CreatorOrd, KvError, ReadError, Row, Segment, Snapshot, VideoEntry, VideoOrd, VideoSpan, may_wait,
};

use crate::block::{Block, Columns, Gaps, Piece, scan, scan_runs};
use crate::cells::set_of_sorted;
use crate::collect::{VIEW, expired};

/// Bytes of tables that stay in memory: a fortnight of a platform of a few million videos.
const BYTES_MAX: u64 = 48 << 20;
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
        Self { days: Cache::with_weighter(1 << 8, BYTES_MAX, Weight), at_work: Mutex::default() }
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
        Ok(days.iter().zip(boards).map(|(&day, board)| board.finish(day, sounds_of)).collect())
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
                                views: day.tally[throng_model::Metric::Views] as u32,
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

/// Spans of a segment.
struct Task<'s> {
    segment: &'s Arc<Segment>,
    /// Of videos that are on the channel, and always were.
    whole: Vec<VideoSpan>,
    /// Of videos that were another thing once, each with the channel that its rows are on.
    changed: Vec<(CreatorOrd, VideoSpan)>,
    rows: u32,
}

impl<'s> Task<'s> {
    fn new(segment: &'s Arc<Segment>) -> Self {
        Self { segment, whole: Vec::new(), changed: Vec::new(), rows: 0 }
    }
}

/// Some rows of one video that count in one day.
struct Cell {
    video: VideoOrd,
    day: u32,
    views: u32,
    /// Viewers with any event, ascending, in [`Found::viewers`]; no more than suffice.
    viewers: Range<u32>,
    /// The number of viewers of expired rows.
    expired: u32,
}

/// What one thread has found.
struct Found {
    wanted: Vec<u32>,
    enough: usize,
    cells: Vec<Cell>,
    viewers: Vec<u32>,
}

impl Found {
    fn new(days: &[Day], enough: u64) -> Self {
        let wanted = days.iter().map(|day| u32::from(day.number())).collect();
        Self { wanted, enough: usize::try_from(enough).unwrap_or(usize::MAX), cells: Vec::new(), viewers: Vec::new() }
    }

    fn scan(&mut self, catalogue: &Catalogue, task: &Task<'_>) -> Result<(), ReadError> {
        let wanted = self.wanted.clone();
        let wants = |day: u32| wanted.contains(&day);
        let columns = Columns::default();
        scan_runs(task.segment, &task.whole, catalogue, columns, wants, Gaps::Long, |block| {
            self.add(block, |_, _| true);
        })?;
        for (creator, span) in &task.changed {
            let at_home = |video: VideoOrd, day: u32| {
                let day = Day::from_number(day.into()).ok();
                let period = catalogue.video(video).zip(day).and_then(|(entry, day)| entry.on(day));
                period.is_some_and(|period| period.creator == *creator)
            };
            let spans = std::slice::from_ref(span);
            scan(task.segment, spans, catalogue, columns, wants, |block| self.add(block, at_home))?;
        }
        Ok(())
    }

    fn add(&mut self, block: &Block, counts: impl Fn(VideoOrd, u32) -> bool) {
        for piece in &block.pieces {
            let Some(video) = piece.video else { continue };
            let mut from = piece.rows.start;
            for same in Block::of(&block.day, piece).chunk_by(|a, b| a == b) {
                let rows = from..from + same.len();
                from = rows.end;
                let Some(&day) = same.first().filter(|&&day| self.wanted.contains(&day)) else { continue };
                if counts(video, day) {
                    self.add_rows(block, &Piece { rows, ..*piece }, (video, day));
                }
            }
        }
    }

    /// Adds rows of one video and day.
    fn add_rows(&mut self, block: &Block, piece: &Piece, (video, day): (VideoOrd, u32)) {
        let views = Block::of(&block.kind, piece).iter().filter(|&&kind| kind == VIEW).count();
        let start = self.viewers.len();
        self.viewers.extend_from_slice(Block::of(&block.viewer, piece));
        let added = self.viewers.get_mut(start..).unwrap_or_default();
        added.sort_unstable();
        let distinct = dedup(added).min(self.enough);
        self.viewers.truncate(start + distinct);
        let viewers = start as u32..self.viewers.len() as u32;
        self.cells.push(Cell { video, day, views: views as u32, viewers, expired: 0 });
    }

    fn viewers(&self, cell: &Cell) -> &[u32] {
        self.viewers.get(cell.viewers.start as usize..cell.viewers.end as usize).unwrap_or_default()
    }
}

/// Moves the distinct values of a sorted slice to its front; gives their number.
fn dedup(sorted: &mut [u32]) -> usize {
    let mut end = 0;
    for at in 0..sorted.len() {
        if end == 0 || sorted.get(at) != sorted.get(end - 1) {
            sorted.swap(end, at);
            end += 1;
        }
    }
    end
}

/// Shows all cells of each video and day together, video by video.
fn for_each_cell<'f>(found: &'f [Found], mut each: impl FnMut(VideoOrd, u32, &[(&'f Found, &'f Cell)])) {
    let mut cells: Vec<(&Found, &Cell)> =
        found.iter().flat_map(|found| found.cells.iter().map(move |cell| (found, cell))).collect();
    let place = |(_, cell): &(&Found, &Cell)| (cell.video, cell.day);
    // Mostly sorted already, in long runs.
    cells.sort_by_key(place);
    for same in cells.chunk_by(|a, b| place(a) == place(b)) {
        if let Some((_, first)) = same.first() {
            each(first.video, first.day, same);
        }
    }
}

/// Views, and viewers up to as many as suffice.
#[derive(Default)]
struct Sum {
    views: u64,
    viewers: Vec<u32>,
    reaches: bool,
    /// The most viewers of any expired part, whoever they are; see `cells`.
    expired: u32,
}

impl Sum {
    fn add(&mut self, cells: &[(&Found, &Cell)], enough: usize) {
        for (found, cell) in cells {
            self.views += u64::from(cell.views);
            self.expired = self.expired.max(cell.expired);
            if !self.reaches {
                self.viewers.extend_from_slice(found.viewers(cell));
            }
        }
        if !self.reaches && self.viewers.len() >= enough {
            self.settle(enough);
            // What is left to find is few, so lists stay short.
            self.viewers.truncate(enough);
        }
    }

    fn settle(&mut self, enough: usize) {
        self.viewers.sort_unstable();
        self.viewers.dedup();
        self.reaches = self.viewers.len() >= enough;
    }

    fn seal(mut self, enough: usize) -> Raw<u64> {
        self.settle(enough);
        let mut viewers = set_of_sorted(self.viewers.iter().copied());
        if viewers.len() < self.expired.into() {
            viewers = RoaringBitmap::new();
            viewers.insert_range(0..self.expired);
        }
        Raw::seal(self.views, viewers)
    }
}

/// One day's sums.
struct Board<'c> {
    catalogue: &'c Catalogue,
    enough: usize,
    hashtags: HashMap<&'c Hashtag<'static>, Sum>,
    sounds: HashMap<&'c Name<'static>, Sum>,
    videos: Vec<(VideoOrd, Raw<u64>)>,
}

impl<'c> Board<'c> {
    fn new(catalogue: &'c Catalogue, enough: u64) -> Self {
        let enough = usize::try_from(enough).unwrap_or(usize::MAX);
        Self { catalogue, enough, hashtags: HashMap::new(), sounds: HashMap::new(), videos: Vec::new() }
    }

    /// Adds everything of a video.
    fn add(&mut self, video: VideoOrd, day: u32, cells: &[(&Found, &Cell)]) {
        let (Some(entry), Ok(day)) = (self.catalogue.video(video), Day::from_number(day.into())) else { return };
        let tags = entry.on(day).map_or(&[][..], |period| period.hashtags);
        let tags = tags.get(..Contribution::HASHTAGS_PER_VIDEO_MAX).unwrap_or(tags);
        for (place, tag) in tags.iter().enumerate() {
            // A row may name one twice.
            if !tags.iter().take(place).any(|before| before == tag) {
                self.hashtags.entry(tag).or_default().add(cells, self.enough);
            }
        }
        if let Some(sound) = &entry.sound {
            self.sounds.entry(sound).or_default().add(cells, self.enough);
        }
        if cells.iter().map(|(_, cell)| cell.views as usize).sum::<usize>() >= self.enough {
            let mut sum = Sum::default();
            sum.add(cells, self.enough);
            self.videos.push((video, sum.seal(self.enough)));
        }
    }

    fn finish(self, day: Day, sounds_of: Sounds) -> Tables {
        let (catalogue, enough) = (self.catalogue, self.enough);
        let large = |sum: &Sum| sum.views >= enough as u64;
        let hashtags = self.hashtags.into_iter().filter(|(_, sum)| large(sum));
        let hashtags = hashtags.map(|(tag, sum)| (Topic::Hashtag(tag.clone()), sum.seal(enough)));
        let sounds = self.sounds.into_iter().filter(|(_, sum)| large(sum));
        let sounds = sounds.map(|(sound, sum)| (Topic::Sound(sound.clone()), sum.seal(enough)));
        let id = |entry: &VideoEntry| Topic::Video(entry.id.clone());
        let videos = self.videos.into_iter().filter_map(|(video, raw)| Some((catalogue.video(video).map(id)?, raw)));
        Tables {
            hashtags: Arc::new(RawTopicDay::seal(day, hashtags)),
            sounds: Arc::new(RawTopicDay::seal(day, sounds)),
            videos: Arc::new(RawTopicDay::seal(day, videos)),
            sounds_of,
        }
    }
}
