//! The trends of each kind, kept as long as nothing that they are made from changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use throng_model::{Day, Topic, TopicKind};
use throng_privacy::{Gate, GateError, Measure, Released, Standing, TopicDay};

use crate::score::{BASELINE_DAYS, PEAK_DAYS, peak};

/// Channels that must have a video with a hashtag or a sound before it can trend: what one channel does is no trend.
pub const CREATORS_MIN: u32 = 2;

/// Something that trends.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// What it is.
    pub topic: Topic,
    /// The day that stands out: one of the last [`PEAK_DAYS`].
    pub day: Day,
    /// Views on that day; always disclosed.
    pub views: Measure,
    /// Views a day over the [`BASELINE_DAYS`] before, days that are not disclosed as 0, but the policy's floor at least.
    pub expected: f64,
    /// (Views − expected)² ÷ expected, halved for each day since; above 0.
    pub score: f64,
    /// Channels that have a video with it now: a fact of the catalogue.
    pub creators: u32,
}

/// Rankings that are kept.
const KEPT_MAX: usize = 8;

/// What trends of a kind: the highest score first, of equals by name.
#[derive(Debug, Clone)]
pub struct Trending {
    trends: Arc<[Trend]>,
    settled: bool,
}

impl Trending {
    /// All of it. Each stands for itself: it would be the same, at the same score, if the others were not there.
    pub fn trends(&self) -> &[Trend] {
        &self.trends
    }

    /// As [`Released::is_settled`].
    pub fn is_settled(&self) -> bool {
        self.settled
    }
}

/// Finds out what trends.
pub struct Trends {
    gate: Arc<Gate>,
    kept: Mutex<HashMap<(TopicKind, Option<Day>), Kept>>,
}

/// An answer, and what it stands on.
#[derive(Clone)]
struct Kept {
    standing: Option<Standing>,
    days: Vec<Arc<TopicDay>>,
    /// Before the catalogue is asked for the creators.
    scored: Arc<[Trend]>,
    trending: Trending,
}

impl Trends {
    /// Of everything behind this gate.
    pub fn new(gate: Arc<Gate>) -> Self {
        Self { gate, kept: Mutex::default() }
    }

    /// What trends of a kind at the end of a day; without one, of the last that is sealed for every channel. Nothing where there is
    /// none, and an error where this one is not.
    pub fn of(&self, kind: TopicKind, day: Option<Day>) -> Result<Trending, GateError> {
        let (asked, standing) = ((kind, day), self.gate.standing());
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&asked).cloned();
        if let Some(kept) = kept.as_ref().filter(|kept| kept.standing.is_some() && kept.standing == standing) {
            return Ok(kept.trending.clone());
        }
        let released: Released<Vec<Arc<TopicDay>>> =
            self.gate.topic_days(kind, day, (BASELINE_DAYS + PEAK_DAYS) as u32)?;
        let settled = released.is_settled();
        let days = released.into_inner();
        let same =
            |kept: &Kept| kept.days.len() == days.len() && kept.days.iter().zip(&days).all(|(a, b)| Arc::ptr_eq(a, b));
        let scored = match kept.filter(same) {
            Some(kept) => kept.scored,
            None => scored(&days, f64::from(self.gate.policy().audience_min())).into(),
        };
        let trending = Trending { trends: self.by_several(kind, &scored)?, settled };
        // What changed meanwhile may be in it or not: then it is not kept.
        let standing = standing.filter(|standing| settled && self.gate.standing() == Some(*standing));
        let kept = Kept { standing, days, scored, trending: trending.clone() };
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT_MAX && !all.contains_key(&asked) {
            // Few ask for more days than that, and engines keep what is dear about them.
            all.clear();
        }
        all.insert(asked, kept);
        Ok(trending)
    }

    /// Those that enough channels have.
    fn by_several(&self, kind: TopicKind, scored: &Arc<[Trend]>) -> Result<Arc<[Trend]>, GateError> {
        if kind == TopicKind::Video {
            return Ok(scored.clone());
        }
        let topics: Vec<&Topic> = scored.iter().map(|trend| &trend.topic).collect();
        let creators = self.gate.creators_with(&topics)?;
        let enough = scored.iter().zip(creators).filter(|(_, creators)| *creators >= CREATORS_MIN);
        Ok(enough.map(|(trend, creators)| Trend { creators, ..trend.clone() }).collect())
    }
}

/// Everything with a peak, in order.
fn scored(days: &[Arc<TopicDay>], least: f64) -> Vec<Trend> {
    let mut views: HashMap<&Topic, Vec<Option<Measure>>> = HashMap::new();
    for (place, day) in days.iter().enumerate() {
        for (topic, measure) in day.views() {
            let of_topic = views.entry(topic).or_insert_with(|| vec![None; days.len()]);
            of_topic.get_mut(place).into_iter().for_each(|slot| *slot = Some(*measure));
        }
    }
    let trend = |(topic, views): (&Topic, Vec<Option<Measure>>)| {
        let values: Vec<_> = views.iter().map(|views| views.and_then(|views| views.value())).collect();
        let peak = peak(&values, least)?;
        let (day, views) = (days.get(peak.place)?.day(), (*views.get(peak.place)?)?);
        Some(Trend { topic: topic.clone(), day, views, expected: peak.expected, score: peak.score, creators: 1 })
    };
    let mut trends: Vec<Trend> = views.into_iter().filter_map(trend).collect();
    trends.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.topic.cmp(&b.topic)));
    trends
}
