//! Public counters through the gate: single cells, series, and a channel's best videos.
//!
//! All counters of a cell stand on one audience, everyone with any event in it, so they are shown or withheld together.

use roaring::RoaringBitmap;
use throng_model::{Counter, CreatorId, DayRange, Entity, Granularity, Tally};

use crate::suppress::{self, Decision};
use crate::{
    Comparison, Counters, Gate, GateError, Measure, RankedVideo, Raw, RawTable, Released, SeriesPoint, question,
};

impl Gate {
    /// Counters of an entity over some days, beside those of another range where asked for.
    pub fn counters(
        &self,
        entity: &Entity,
        days: DayRange,
        compare: Option<Comparison>,
    ) -> Result<Released<Counters>, GateError> {
        let counters = self.cell(entity, days)?;
        let Some(earlier) = compare.and_then(|comparison| comparison.range(days)) else {
            return Ok(self.release(counters));
        };
        let previous = self.cell(entity, earlier)?;
        // A day that is not over would make every change look like a fall.
        let over = days.last() <= self.yesterday(entity)?;
        Ok(self.release(counters.beside(&previous, over)))
    }

    /// Counters per step of a range, every step there, in order.
    pub fn series(
        &self,
        entity: &Entity,
        days: DayRange,
        granularity: Granularity,
    ) -> Result<Released<Vec<SeriesPoint>>, GateError> {
        question::check_steps(days, granularity)?;
        let table = self.source.series(entity, days, granularity)?;
        let shown = self.decide(&table).rows;
        let points = table.rows.iter().zip(shown).map(|((step, raw), shown)| SeriesPoint {
            start: step.start,
            counters: counters_of(step.days, raw, shown),
        });
        Ok(self.release(points.collect()))
    }

    /// A channel's videos by one counter over some days, the largest first. Only disclosed videos are ranked.
    pub fn top_videos(
        &self,
        creator: &CreatorId<'_>,
        days: DayRange,
        by: Counter,
        first: usize,
    ) -> Result<Released<Vec<RankedVideo>>, GateError> {
        let table = self.source.videos(creator, days)?;
        let shown = self.decide(&table).rows;
        let disclosed = table.rows.iter().zip(shown).filter(|&(_, shown)| shown);
        let mut ranked: Vec<_> = disclosed
            .filter_map(|((video, raw), _)| Some((video, by.of(&raw.value)?)))
            .map(|(video, value)| RankedVideo { video: video.clone(), value: Measure::exact(value) })
            .collect();
        let value = |ranked: &RankedVideo| ranked.value.value().unwrap_or(f64::NEG_INFINITY);
        ranked.sort_by(|a, b| value(b).total_cmp(&value(a)).then_with(|| a.video.cmp(&b.video)));
        ranked.truncate(first);
        Ok(self.release(ranked))
    }

    fn cell(&self, entity: &Entity, days: DayRange) -> Result<Counters, GateError> {
        let raw = self.source.counters(entity, days)?;
        Ok(counters_of(days, &raw, self.judge.passes(&raw.audience)))
    }

    fn decide<K>(&self, table: &RawTable<K, Tally>) -> Decision {
        let rows: Vec<&RoaringBitmap> = table.rows.iter().map(|(_, raw)| &raw.audience).collect();
        let mut sum = Tally::default();
        table.rows.iter().for_each(|(_, raw)| sum += raw.value);
        suppress::sums(self.judge.floor(), &table.total.audience, &rows, sum == table.total.value)
    }
}

fn counters_of(days: DayRange, raw: &Raw<Tally>, shown: bool) -> Counters {
    Counters::new(days, |counter| match (shown, counter.of(&raw.value)) {
        (false, _) => Measure::withheld(),
        (true, Some(value)) => Measure::exact(value),
        (true, None) => Measure::not_applicable(),
    })
}
