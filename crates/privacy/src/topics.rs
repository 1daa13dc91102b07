//! Views of everything that can trend, by day: public counters of sealed days, each judged by itself.
//!
//! What trends is computed from these released numbers and from nothing else, outside the wall (`throng-recommend`). So the
//! order of trends, who is among them and every score say no more than the numbers do. Tables are whole days that never
//! change, so each is judged once.

use std::sync::{Arc, OnceLock};

use throng_model::{Day, DayRange, Entity, Topic, TopicKind};

use crate::judge::Judge;
use crate::{Gate, GateError, Measure, QuestionError, Raw, Released};

/// One day's views by topic, sealed. Only this crate opens it.
pub struct RawTopicDay {
    day: Day,
    rows: Vec<(Topic, Count)>,
    released: OnceLock<(u64, Arc<TopicDay>)>,
}

/// Views, and how many viewers are behind them: counted here, and then the set is let go.
#[derive(Clone, Copy)]
struct Count {
    views: u64,
    viewers: u64,
}

impl RawTopicDay {
    /// Seals a day's table, each topic there once at most.
    pub fn seal(day: Day, rows: impl IntoIterator<Item = (Topic, Raw<u64>)>) -> Self {
        let count = |raw: Raw<u64>| Count { views: raw.value, viewers: raw.audience.len() };
        let rows = rows.into_iter().map(|(topic, raw)| (topic, count(raw))).collect();
        Self { day, rows, released: OnceLock::new() }
    }

    /// Bytes in memory, about.
    pub fn bytes(&self) -> usize {
        // Twice: as sealed, and as released.
        size_of::<Self>() + self.rows.len() * 2 * (size_of::<(Topic, Measure)>() + 16)
    }

    fn release(&self, judge: Judge) -> Arc<TopicDay> {
        let floor = judge.floor();
        let judged = || {
            // A small number of views is left out whoever is behind it, so that engines need not tell.
            let shown = self.rows.iter().filter(|(_, count)| count.views >= floor && count.viewers >= floor);
            let views = shown.map(|(topic, count)| (topic.clone(), Measure::exact(count.views as f64)));
            Arc::new(TopicDay { day: self.day, views: views.collect() })
        };
        let (under, released) = self.released.get_or_init(|| (floor, judged()));
        if *under == floor { released.clone() } else { judged() }
    }
}

/// Views on one sealed day of those topics of a kind that are disclosed. What is not here has fewer viewers, or fewer views,
/// than the policy's floor; how many, or whether any, is not said.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicDay {
    day: Day,
    views: Box<[(Topic, Measure)]>,
}

impl TopicDay {
    /// The day.
    pub fn day(&self) -> Day {
        self.day
    }

    /// Each disclosed topic with its views, in no particular order.
    pub fn views(&self) -> &[(Topic, Measure)] {
        &self.views
    }
}

impl Gate {
    /// Views by topic on each of so many days that end with this one, in order; without a day, with the last one that is sealed for
    /// every channel. None where no day is sealed, and an error where this one is not.
    pub fn topic_days(
        &self,
        kind: TopicKind,
        last: Option<Day>,
        days: u32,
    ) -> Result<Released<Vec<Arc<TopicDay>>>, GateError> {
        let sealed = self.sealed_through(&Entity::Platform)?;
        if last.is_some_and(|last| sealed.is_none_or(|sealed| sealed < last)) {
            return Err(QuestionError::NotSealed.into());
        }
        let Some(last) = last.or(sealed) else { return Ok(self.release(Vec::new())) };
        let range = DayRange::new(last.saturating_add(1 - i64::from(days.max(1))), last)?;
        let settled = self.is_settled(&Entity::Platform, range);
        let raw = self.source.topic_days(kind, range, self.judge.floor())?;
        Ok(self.release(raw.iter().map(|day| day.release(self.judge)).collect()).settled(settled))
    }

    /// How many channels have a video with each of these topics, each there once: facts of the catalogue.
    pub fn creators_with(&self, topics: &[&Topic]) -> Result<Vec<u32>, GateError> {
        Ok(self.source.creators_with(topics)?)
    }
}
