//! Public counters through the gate: single cells, series, and a channel's best videos.
//!
//! All counters of a cell stand on one audience, everyone with any event in it, so they are shown or withheld together.

use throng_model::{Counter, CreatorId, DayRange, Entity, Granularity, Tally, VideoId};

use crate::{
    Best, Comparison, Counters, Gate, GateError, Measure, RankedVideo, Raw, Released, SeriesPoint, question, sums,
};

impl Gate {
    /// Counters of an entity over some days, beside those of another range where asked for.
    pub fn counters(
        &self,
        entity: &Entity,
        days: DayRange,
        compare: Option<Comparison>,
    ) -> Result<Released<Counters>, GateError> {
        let settled = self.is_settled(entity, days);
        let counters = self.cell(entity, days)?;
        let Some(earlier) = compare.and_then(|comparison| comparison.range(days)) else {
            return Ok(self.release(counters).settled(settled));
        };
        let previous = self.cell(entity, earlier)?;
        // A day that is not over would make every change look like a fall.
        let over = days.last() <= self.yesterday(entity)?;
        // The range compared with ends before this one.
        Ok(self.release(counters.beside(&previous, over)).settled(settled))
    }

    /// Counters per step of a range, every step there, in order.
    pub fn series(
        &self,
        entity: &Entity,
        days: DayRange,
        granularity: Granularity,
    ) -> Result<Released<Vec<SeriesPoint>>, GateError> {
        question::check_steps(days, granularity)?;
        let settled = self.is_settled(entity, days);
        let floor = self.judge.floor();
        let steps = self.source.series(entity, days, granularity, floor)?;
        let shown = sums::shown(floor, &steps.iter().map(|(_, raw)| raw).collect::<Vec<_>>());
        let (now, end) = (self.now(), self.zone(entity)?.day_end(days.last()));
        let ends = steps.iter().skip(1).map(|(step, _)| step.start).chain([end]);
        let points = steps.iter().zip(ends).zip(shown).map(|(((step, raw), end), shown)| SeriesPoint {
            start: step.start,
            partial: now < end || question::is_cut(step.days, granularity),
            counters: counters_of(step.days, raw, shown),
        });
        Ok(self.release(points.collect()).settled(settled))
    }

    /// A channel's videos by one counter over some days, the largest first. Only disclosed videos are ranked.
    pub fn top_videos(
        &self,
        creator: &CreatorId<'_>,
        days: DayRange,
        by: Counter,
        first: usize,
    ) -> Result<Released<Vec<RankedVideo>>, GateError> {
        let settled = self.is_settled(&Entity::Creator(creator.clone().into_owned()), days);
        let floor = self.judge.floor();
        let ranking = self.source.videos(creator, days, Best { by, first, enough: floor })?;
        let whole = sums::rest_holds(floor, ranking.few.iter());
        if !whole && ranking.least.is_none() {
            return Ok(self.release(Vec::new()).settled(settled));
        }
        let is_hidden = |video: &VideoId<'_>| !whole && ranking.least.as_ref() == Some(video);
        let disclosed =
            ranking.best.into_iter().filter(|(video, raw)| self.judge.passes(&raw.audience) && !is_hidden(video));
        let ranked = disclosed.take(first).map(|(video, raw)| RankedVideo { video, value: Measure::exact(raw.value) });
        Ok(self.release(ranked.collect()).settled(settled))
    }

    fn cell(&self, entity: &Entity, days: DayRange) -> Result<Counters, GateError> {
        let raw = self.source.counters(entity, days, self.judge.floor())?;
        Ok(counters_of(days, &raw, self.judge.passes(&raw.audience)))
    }
}

fn counters_of(days: DayRange, raw: &Raw<Tally>, shown: bool) -> Counters {
    Counters::new(days, |counter| match (shown, counter.of(&raw.value)) {
        (false, _) => Measure::withheld(),
        (true, Some(value)) => Measure::exact(value),
        (true, None) => Measure::not_applicable(),
    })
}
