//! Random questions, asked of two gates that must answer alike.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use throng_model::{
    ChannelPair, Counter, CreatorId, Day, DayRange, Entity, Family, Granularity, Hashtag, Topic, TopicKind, VideoId,
    VideoOrder, WindowKind,
};
use throng_privacy::{
    AUDIENCE_MIN_FLOOR, Audience, Comparison, Gate, NoiseKey, Policy, Protection, RHO_MAX, Released, Source, TopicDay,
};

use super::world::{Dice, World};

/// Entities that a question may name, the last ones of which no world holds.
const CREATORS: [&str; 4] = ["ana", "ben", "cleo", "nobody"];
const VIDEOS: [&str; 6] = ["v0", "v1", "v2", "v3", "v5", "nothing"];
const TAGS: [&str; 4] = ["dance", "food", "cats", "silence"];

/// How many numbers were disclosed, by kind of question and family.
#[derive(Debug, Default)]
pub struct Shown(BTreeMap<String, usize>);

impl Shown {
    /// Labels that a test of everything must have shown numbers of.
    pub fn labels() -> Vec<String> {
        let families = Family::ALL.iter().map(|family| format!("{family:?}"));
        ["counters", "days", "hours", "videos", "platform", "Hashtag", "Sound", "Video"]
            .into_iter()
            .map(str::to_owned)
            .chain(families)
            .collect()
    }

    /// Disclosed numbers of a label.
    pub fn of(&self, label: &str) -> usize {
        self.0.get(label).copied().unwrap_or(0)
    }

    fn count(&mut self, label: &str, value: Option<f64>) {
        *self.0.entry(label.to_owned()).or_default() += usize::from(value.is_some());
    }

    fn count_audience(&mut self, entity: &Entity, audience: &Audience) {
        let reach = audience.table(Family::Reach).and_then(|table| table.total().value());
        if *entity == Entity::Platform {
            self.count("platform", reach);
        }
        for family in Family::ALL {
            let label = format!("{family:?}");
            if let Some(table) = audience.table(family) {
                let values = table.rows().iter().map(|row| row.measure().value());
                let total = (family == Family::Reach).then(|| table.total().value());
                values.chain(total).for_each(|value| self.count(&label, value));
            }
            if let Some(curve) = audience.curve(family) {
                curve.points().iter().for_each(|point| self.count(&label, point.measure().value()));
            }
        }
    }
}

/// A gate in threshold mode at the lowest floor, whose rolling windows may end on any day.
pub fn gate(source: Arc<dyn Source>) -> Gate {
    let policy = Policy::new(AUDIENCE_MIN_FLOOR, Protection::Threshold, 1).expect("valid");
    Gate::new(source, policy, NoiseKey::from_bytes([7; 32]))
}

/// A gate in noise mode, with as little noise as a policy may ask for.
pub fn noisy_gate(source: Arc<dyn Source>) -> Gate {
    let policy =
        Policy::new(AUDIENCE_MIN_FLOOR, Protection::Noise, 1).expect("valid").with_rho(RHO_MAX).expect("valid");
    Gate::new(source, policy, NoiseKey::from_bytes([7; 32]))
}

/// One question.
#[derive(Debug, Clone)]
pub enum Question {
    Counters(Entity, DayRange, Option<Comparison>),
    Series(Entity, DayRange, Granularity),
    TopVideos(CreatorId<'static>, DayRange, Counter),
    Audience(Entity, WindowKind, Option<Day>, Vec<Family>),
    Topics(TopicKind, u32),
}

impl Question {
    /// Any question about the world.
    pub fn random(dice: &mut Dice, world: &World) -> Self {
        let entity = entity(dice);
        let first = world.first_day.saturating_add(dice.below(world.days) as i64 - 2);
        let days = dice.pick(&[1, 1, 3, 7, world.days + 2, 30, 400, 800]) as i64;
        let range = |days: i64| DayRange::new(first, first.saturating_add(days - 1)).expect("range");
        match dice.below(10) {
            0 => Self::Counters(entity, range(days), dice.pick(&[None, Some(Comparison::SameWeekdays)])),
            1 | 2 => {
                let granularity = dice.pick(&[
                    Granularity::Day,
                    Granularity::Week,
                    Granularity::Month,
                    Granularity::Quarter,
                    Granularity::Year,
                ]);
                Self::Series(entity, range(days), granularity)
            }
            3 | 4 => Self::Series(entity, range(days.min(9)), Granularity::Hour),
            5 => Self::TopVideos(creator(dice), range(days), dice.pick(&Counter::ALL)),
            _ => {
                let kind = dice.pick(&WindowKind::ALL);
                let date = first.saturating_add(dice.below(4) as i64);
                let date = (kind.age_days().is_none() && dice.chance(90)).then_some(date);
                let mut families = Family::ALL.to_vec();
                if dice.chance(50) {
                    families.retain(|_| dice.chance(30));
                }
                let entity = match dice.below(8) {
                    0 => overlap(dice),
                    1 | 2 => Entity::Platform,
                    _ => entity,
                };
                Self::Audience(entity, kind, date, families)
            }
        }
    }

    /// What trends are made from: a day, and as many as they take.
    pub fn topics() -> Vec<Self> {
        let kinds = [TopicKind::Hashtag, TopicKind::Sound, TopicKind::Video];
        kinds.into_iter().flat_map(|kind| [1, 14].map(|days| Self::Topics(kind, days))).collect()
    }

    /// Asks both gates. Says what was disclosed.
    pub fn ask(&self, engine: &Gate, oracle: &Gate, shown: &mut Shown) {
        match self {
            Self::Counters(entity, range, compare) => {
                let (is, must_be) =
                    (engine.counters(entity, *range, *compare), oracle.counters(entity, *range, *compare));
                assert_eq!(said(&is), said(&must_be), "{self:?}");
                if let Ok(counters) = must_be {
                    shown.count("counters", counters.get().get(Counter::Views).value());
                }
            }
            Self::Series(entity, range, granularity) => {
                let (is, must_be) =
                    (engine.series(entity, *range, *granularity), oracle.series(entity, *range, *granularity));
                assert_eq!(said(&is), said(&must_be), "{self:?}");
                for point in must_be.iter().flat_map(|points| points.get()) {
                    let label = if *granularity == Granularity::Hour { "hours" } else { "days" };
                    shown.count(label, point.counters().get(Counter::Views).value());
                }
            }
            Self::TopVideos(creator, range, by) => {
                let (is, must_be) =
                    (engine.top_videos(creator, *range, *by, 10), oracle.top_videos(creator, *range, *by, 10));
                assert_eq!(said(&is), said(&must_be), "{self:?}");
                must_be
                    .iter()
                    .flat_map(|videos| videos.get())
                    .for_each(|video| shown.count("videos", video.value().value()));
            }
            Self::Topics(kind, days) => {
                let [is, must_be] = [engine, oracle].map(|gate| topics(gate, *kind, *days));
                assert_eq!(is, must_be, "{self:?}");
                must_be.iter().flatten().for_each(|(.., views)| shown.count(&format!("{kind:?}"), *views));
                let asked: BTreeSet<&Topic> = must_be.iter().flatten().map(|(_, topic, _)| topic).collect();
                let asked: Vec<&Topic> = asked.into_iter().collect();
                assert_eq!(engine.creators_with(&asked), oracle.creators_with(&asked), "{self:?}");
            }
            Self::Audience(entity, kind, date, families) => {
                let (is, must_be) =
                    (engine.audience(entity, *kind, *date, families), oracle.audience(entity, *kind, *date, families));
                assert_eq!(said(&is), said(&must_be), "{self:?}");
                must_be.iter().for_each(|audience| shown.count_audience(entity, audience.get()));
            }
        }
    }

    /// Whether it is about an audience, and whether two gates answer it alike.
    pub fn insight_agrees(&self, one: &Gate, other: &Gate) -> Option<bool> {
        let Self::Audience(entity, kind, date, families) = self else { return None };
        let [one, other] = [one, other].map(|gate| gate.audience(entity, *kind, *date, families));
        Some(said(&one) == said(&other))
    }
}

/// Views by day and topic, in order, and those days.
fn topics(gate: &Gate, kind: TopicKind, days: u32) -> Vec<Vec<(Day, Topic, Option<f64>)>> {
    let answer = gate.topic_days(kind, None, days).expect("answered").into_inner();
    let of_day = |day: &Arc<TopicDay>| {
        let rows = day.views().iter().map(|(topic, views)| (day.day(), topic.clone(), views.value()));
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by(|a, b| a.1.cmp(&b.1));
        rows
    };
    answer.iter().map(of_day).collect()
}

/// What an answer says. How long it holds is not compared: the oracle promises nothing about that.
pub fn said<T, E>(answer: &Result<Released<T>, E>) -> Result<&T, &E> {
    answer.as_ref().map(Released::get)
}

/// Asks both gates for every public fact.
pub fn ask_facts(engine: &Gate, oracle: &Gate) {
    let creators = CREATORS.map(|id| Entity::Creator(CreatorId::parse(id).expect("id")));
    let videos = VIDEOS.map(|id| Entity::Video(VideoId::parse(id).expect("id")));
    let tags = TAGS.map(|tag| Entity::Hashtag(Hashtag::parse(tag).expect("tag")));
    let entities = creators.into_iter().chain(videos).chain(tags);
    entities.for_each(|entity| ask_facts_of(&entity, engine, oracle));
}

fn ask_facts_of(entity: &Entity, engine: &Gate, oracle: &Gate) {
    assert_eq!(engine.sealed_through(entity), oracle.sealed_through(entity), "{entity:?}");
    assert_eq!(engine.zone(entity), oracle.zone(entity), "{entity:?}");
    match entity {
        Entity::Creator(id) => {
            assert_eq!(engine.creator(id), oracle.creator(id));
            assert_eq!(engine.creators(Some(id), 2), oracle.creators(Some(id), 2));
            assert_eq!(engine.creators(None, 10), oracle.creators(None, 10));
            assert_eq!(engine.videos_of(id, None, 2), oracle.videos_of(id, None, 2));
            let after = VideoId::parse("v1").expect("id");
            assert_eq!(engine.videos_of(id, Some(&after), 9), oracle.videos_of(id, Some(&after), 9));
            for order in [VideoOrder::Newest, VideoOrder::Oldest] {
                let all = oracle.videos_by_age(id, order, None, 9);
                assert_eq!(engine.videos_by_age(id, order, None, 9), all);
                let places = all.iter().map(|facts| (order.rank(facts.published_at), &facts.id));
                for (index, place) in places.enumerate() {
                    let next: Vec<_> = all.iter().skip(index + 1).take(2).cloned().collect();
                    assert_eq!(engine.videos_by_age(id, order, Some(place), 2), next);
                }
            }
        }
        Entity::Video(id) => assert_eq!(engine.video(id), oracle.video(id)),
        Entity::Hashtag(tag) => assert_eq!(engine.hashtag_exists(tag), oracle.hashtag_exists(tag)),
        Entity::Platform | Entity::Overlap(_) => {}
    }
}

fn creator(dice: &mut Dice) -> CreatorId<'static> {
    let id = if dice.chance(40) { CREATORS[0] } else { dice.pick(&CREATORS) };
    CreatorId::parse(id).expect("id")
}

fn overlap(dice: &mut Dice) -> Entity {
    let other = if dice.chance(80) { CREATORS[1] } else { dice.pick(&CREATORS[1..]) };
    let pair = [CREATORS[0], other].map(|id| CreatorId::parse(id).expect("id"));
    let [one, other] = pair;
    Entity::Overlap(ChannelPair::new(one, other).expect("two"))
}

fn entity(dice: &mut Dice) -> Entity {
    match dice.below(6) {
        0..=2 => Entity::Creator(creator(dice)),
        3 => Entity::Platform,
        4 => Entity::Video(VideoId::parse(dice.pick(&VIDEOS)).expect("id")),
        _ => Entity::Hashtag(Hashtag::parse(dice.pick(&TAGS)).expect("tag")),
    }
}
