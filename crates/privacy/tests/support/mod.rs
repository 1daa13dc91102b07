//! A small exact world behind the gate: blocks of alike viewers, counted here without any help from the crate.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::expect_used, reason = "a broken test world should stop the test")]

pub(crate) mod solver;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use roaring::RoaringBitmap;
use throng_model::{
    AgeBand, Cell, ChannelPair, Country, CreatorFacts, CreatorId, Day, DayRange, Device, Entity, Family, Follower,
    Gender, Granularity, Hashtag, HourOfWeek, Kind, Metric, Region, Source as Traffic, Stage, Tally, Timestamp, Topic,
    TopicKind, VideoFacts, VideoId, Zone,
};
use throng_privacy::{
    Best, Contribution, Epoch, Raw, RawAudience, RawRanking, RawTable, RawTopicDay, Rewrites, SeriesStep, Source,
    SourceError,
};

/// Some viewers who all did the same. Small numbers stand for traits; see `World::cells`.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) viewers: u32,
    pub(crate) region: u8,
    pub(crate) age: u8,
    pub(crate) gender: u8,
    pub(crate) sources: u8,
    pub(crate) hours: u8,
    pub(crate) position: u8,
    pub(crate) stage: u8,
    pub(crate) days: u8,
    pub(crate) videos: u8,
}

impl Block {
    /// Viewers of unknown traits who viewed the first video on the first day, from one source.
    pub(crate) fn plain(viewers: u32) -> Self {
        Self { viewers, region: 0, age: 0, gender: 0, sources: 1, hours: 1, position: 50, stage: 1, days: 1, videos: 1 }
    }
}

/// The world as an engine that answers from its blocks.
pub(crate) struct World {
    pub(crate) blocks: Vec<(Block, RoaringBitmap)>,
    pub(crate) sealed_through: Option<Day>,
    pub(crate) duration_ms: Option<u32>,
    pub(crate) rewrites: Rewrites,
    pub(crate) rows_from: Option<Day>,
    pub(crate) audience_calls: AtomicUsize,
}

pub(crate) fn day(text: &str) -> Day {
    Day::parse(text).expect(text)
}

/// Monday of the world's week; its last day is also the last sealed one.
pub(crate) fn week() -> DayRange {
    DayRange::new(day("2026-03-02"), day("2026-03-08")).expect("week")
}

pub(crate) fn creator() -> CreatorId<'static> {
    CreatorId::parse("ada").expect("id")
}

pub(crate) fn video(index: u8) -> VideoId<'static> {
    VideoId::parse(format!("v{index}")).expect("id")
}

impl World {
    pub(crate) fn new(blocks: Vec<Block>) -> Self {
        let mut next = 0;
        let with_set = |block: Block| {
            let set = (next..next + block.viewers).collect();
            next += block.viewers;
            (block, set)
        };
        Self {
            blocks: blocks.into_iter().map(with_set).collect(),
            sealed_through: Some(week().last()),
            duration_ms: Some(10_000),
            rewrites: Rewrites::default(),
            rows_from: None,
            audience_calls: AtomicUsize::new(0),
        }
    }

    /// The viewers of all blocks for which this holds.
    pub(crate) fn viewers(&self, holds: impl Fn(&Block) -> bool) -> RoaringBitmap {
        let mut all = RoaringBitmap::new();
        for (block, set) in &self.blocks {
            if holds(block) {
                all |= set;
            }
        }
        all
    }

    /// The viewers of each nonempty cell of a family, and its population.
    pub(crate) fn family(&self, family: Family) -> (RoaringBitmap, BTreeMap<Cell, RoaringBitmap>) {
        let in_family = |block: &Block| match family {
            Family::Funnel => true,
            Family::Retention => block.stage >= 1 && block.position <= 100,
            _ => block.stage >= 1,
        };
        let mut cells: BTreeMap<Cell, RoaringBitmap> = BTreeMap::new();
        for (block, set) in self.blocks.iter().filter(|(block, set)| in_family(block) && !set.is_empty()) {
            for cell in cells_of(block, family) {
                *cells.entry(cell).or_default() |= set;
            }
        }
        (self.viewers(in_family), cells)
    }

    /// Views of these viewers: two each.
    fn tally(set: &RoaringBitmap) -> Tally {
        let mut tally = Tally::default();
        for _ in 0..set.len() {
            tally.record(Kind::View, 5_000, Some(10_000));
            tally.record(Kind::View, 10_000, Some(10_000));
        }
        tally
    }

    fn cell(&self, holds: impl Fn(&Block) -> bool) -> Raw<Tally> {
        let set = self.viewers(holds);
        Raw::seal(Self::tally(&set), set)
    }
}

/// Countries DE, FR, US with three regions each and viewers without one; 9 and more is unknown.
fn region_of(block: &Block) -> (Option<Country>, Option<Region>) {
    const CODES: [[&str; 3]; 3] = [["DE-BY", "DE-BE", ""], ["FR-75", "FR-69", ""], ["US-CA", "US-NY", ""]];
    const COUNTRIES: [&str; 3] = ["DE", "FR", "US"];
    let index = usize::from(block.region);
    match COUNTRIES.get(index / 3) {
        Some(code) => (Country::from_code(code), Region::from_code(CODES[index / 3][index % 3])),
        None => (None, None),
    }
}

fn cells_of(block: &Block, family: Family) -> Vec<Cell> {
    let bits = |mask: u8, count: u8| (0..count).filter(move |bit| mask >> bit & 1 == 1);
    let age = AgeBand::from_code(block.age);
    let gender = Gender::from_code(block.gender);
    match family {
        Family::Reach => vec![],
        Family::Novelty => vec![if block.days & 1 == 1 { Cell::New } else { Cell::Returning }],
        Family::FollowerStatus => vec![Cell::Follower(Follower::from_code(block.gender))],
        Family::Country => vec![Cell::Country(region_of(block).0)],
        Family::Region => vec![Cell::Region(region_of(block).1)],
        Family::Age => vec![Cell::Age(age)],
        Family::Gender => vec![Cell::Gender(gender)],
        Family::AgeGender => vec![Cell::AgeGender(age, gender)],
        Family::Device => vec![Cell::Device(Device::from_code(block.region))],
        Family::TrafficSource => {
            bits(block.sources.max(1), 8).filter_map(|bit| Traffic::from_code(bit + 1)).map(Cell::Source).collect()
        }
        Family::ActiveHours => {
            bits(block.hours.max(1), 8).map(|bit| Cell::Hour(HourOfWeek::new(bit % 7, bit * 3))).collect()
        }
        Family::Retention => vec![Cell::Position(block.position)],
        Family::Funnel => vec![Cell::Stage(Stage::ALL[usize::from(block.stage.min(3))])],
    }
}

impl Source for World {
    fn counters(&self, entity: &Entity, range: DayRange, _: u64) -> Result<Raw<Tally>, SourceError> {
        let on_video = |block: &Block| match entity {
            Entity::Video(id) => (0..8).any(|index| block.videos >> index & 1 == 1 && *id == video(index)),
            _ => true,
        };
        Ok(self.cell(|block| on_video(block) && (0..7).any(|n| block.days >> n & 1 == 1 && range.contains(weekday(n)))))
    }

    fn series(
        &self,
        _: &Entity,
        range: DayRange,
        granularity: Granularity,
        _: u64,
    ) -> Result<Vec<(SeriesStep, Raw<Tally>)>, SourceError> {
        let active =
            |block: &Block, days: DayRange| (0..7).any(|n| block.days >> n & 1 == 1 && days.contains(weekday(n)));
        let steps = range.periods(granularity).map(|days| {
            let step = SeriesStep { start: Zone::UTC.day_start(days.first()), days };
            (step, self.cell(|block| active(block, days)))
        });
        Ok(steps.collect())
    }

    fn videos(&self, _: &CreatorId<'_>, _: DayRange, best: Best) -> Result<RawRanking, SourceError> {
        let rows = (0..8).map(|index| (index, self.cell(|block| block.videos >> index & 1 == 1)));
        let with_events = rows.filter(|(index, _)| !self.viewers(|block| block.videos >> index & 1 == 1).is_empty());
        Ok(RawRanking::of(with_events.map(|(index, raw)| (video(index), raw)).collect(), best))
    }

    fn topic_days(&self, kind: TopicKind, days: DayRange, _: u64) -> Result<Vec<Arc<RawTopicDay>>, SourceError> {
        assert_eq!(kind, TopicKind::Video, "no other topics here");
        let of_day = |day: Day| {
            let on_day = |block: &Block| (0..7).any(|n| block.days >> n & 1 == 1 && weekday(n) == day);
            let row = |index: u8| {
                let set = self.viewers(|block| block.videos >> index & 1 == 1 && on_day(block));
                (Topic::Video(video(index)), Raw::seal(Self::tally(&set)[Metric::Views], set))
            };
            Arc::new(RawTopicDay::seal(day, (0..8).map(row)))
        };
        Ok(days.iter().map(of_day).collect())
    }

    fn creators_with(&self, topics: &[&Topic]) -> Result<Vec<u32>, SourceError> {
        Ok(vec![1; topics.len()])
    }

    fn audience(
        &self,
        _: &Entity,
        _: DayRange,
        families: &[Family],
        _: Contribution,
    ) -> Result<Vec<RawAudience>, SourceError> {
        self.audience_calls.fetch_add(1, Ordering::SeqCst);
        let distinct: BTreeSet<_> = families.iter().collect();
        assert_eq!(distinct.len(), families.len(), "a family is asked for twice");
        let table = |&family: &Family| {
            let (total, cells) = self.family(family);
            let rows = cells.into_iter().map(|(cell, set)| (cell, Raw::seal((), set)));
            RawTable::seal(Raw::seal((), total), rows.collect()).into()
        };
        Ok(families.iter().map(table).collect())
    }

    fn rewrites(&self, _entity: &Entity, _days: DayRange) -> Result<Rewrites, SourceError> {
        Ok(self.rewrites.clone())
    }

    fn overlap_from(&self, _: &ChannelPair) -> Option<Day> {
        None
    }

    fn epochs(&self) -> Vec<Epoch> {
        Vec::new()
    }

    fn rows_from(&self) -> Option<Day> {
        self.rows_from
    }

    fn sealed_through(&self, entity: &Entity) -> Result<Option<Day>, SourceError> {
        match entity {
            Entity::Creator(id) if *id != creator() => Err(SourceError::Unknown),
            Entity::Video(id) if self.video(id).is_none() => Err(SourceError::Unknown),
            _ => Ok(self.sealed_through),
        }
    }

    fn creator(&self, id: &CreatorId<'_>) -> Option<CreatorFacts> {
        (*id == creator()).then(|| CreatorFacts {
            id: creator(),
            handle: None,
            time_zone: Zone::UTC,
            sealed_through: self.sealed_through,
        })
    }

    fn video(&self, id: &VideoId<'_>) -> Option<VideoFacts> {
        (0..8).any(|index| *id == video(index)).then(|| VideoFacts {
            id: id.clone().into_owned(),
            creator: creator(),
            published_at: Timestamp::parse("2026-03-02T09:00:00Z").ok(),
            duration_ms: self.duration_ms,
            hashtags: vec![],
            sound: None,
            title: None,
            language: None,
            windows_from: Day::parse("2026-03-02").ok(),
            past_durations_ms: vec![],
        })
    }

    fn hashtag_exists(&self, _: &Hashtag<'_>) -> bool {
        true
    }

    fn creators(&self, _: Option<&CreatorId<'_>>, _: usize) -> Vec<CreatorFacts> {
        self.creator(&creator()).into_iter().collect()
    }

    fn videos_of(&self, _: &CreatorId<'_>, _: Option<&VideoId<'_>>, _: usize) -> Vec<VideoFacts> {
        vec![]
    }
}

fn weekday(n: u8) -> Day {
    week().first().saturating_add(i64::from(n))
}
