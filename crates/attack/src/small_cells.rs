//! Small cells: every number that any question discloses, against the viewers who truly stand behind it.

use std::sync::Arc;

use throng_model::{Counter, DayRange, Entity, Family, Kind, Source};
use throng_privacy::{AUDIENCE_MIN_FLOOR, Gate, Policy, Protection};

use crate::card::{Line, Result as Measured, Verdict};
use crate::dice::Dice;
use crate::layer::Layer;
use crate::planted::all_questions;
use crate::question::{Question, disclosed};
use crate::scene::{Side, contribution};
use crate::suite::Run;
use crate::world::{Act, Clip, World, day, random_traits};
use crate::{AttackError, platform, truth};

pub(crate) const NAME: &str = "small-cells";

/// Every line of this attack.
pub(crate) fn run(run: &Run<'_>) -> Result<Vec<Line>, AttackError> {
    let threshold = Policy::new(AUDIENCE_MIN_FLOOR, Protection::Threshold, 7)?;
    let noise = Policy::new(AUDIENCE_MIN_FLOOR, Protection::Noise, 7)?;
    // With little noise, numbers show from close above the floor on.
    let faint = noise.clone().with_rho(10.0)?;
    let mut totals = [Tally::default(); 4];
    for index in 0..run.size(2, 30) as u64 {
        let mut dice = Dice::new(run.seed(NAME), index);
        let world = random(&mut dice);
        let side = Side::of(&world)?;
        let questions = all_questions(&world, &[0, 3, 6])?;
        for (policy, total) in [&threshold, &noise, &faint].into_iter().zip(&mut totals) {
            let gate = Gate::new(side.source.clone(), policy.clone(), dice.noise_key());
            total.add(check(&gate, &side, &questions)?);
        }
        let mut wider = Layer::over(side.source.clone());
        wider.wider_days = 13;
        let gate = Gate::new(Arc::new(wider), threshold.clone(), dice.noise_key());
        totals[3].add(check(&gate, &side, &questions)?);
    }
    let [exact, noisy, faintly, weak] = totals.map(Tally::result);
    let (side, questions) = platform::sample(&run.untouched()?, &run.platform.policy, run.size(4, 30))?;
    let policy = run.platform.policy.clone();
    let gate = Gate::new(side.source.clone(), policy, Dice::new(run.seed(NAME), u64::MAX).noise_key());
    let of_platform = check(&gate, &side, &questions)?;
    let name = run.platform.name;
    let of_platform = if of_platform.shown == 0 {
        Line::remark(NAME, format!("{name}: no number reaches the floor"), Verdict::Information)
    } else {
        Line::held(NAME, format!("{name}, all families"), of_platform.result())
    };
    Ok(vec![
        Line::held(NAME, "random worlds, threshold mode, floor 10", exact),
        Line::held(NAME, "random worlds, noise, floor 10", noisy),
        Line::held(NAME, "random worlds, faint noise, floor 10", faintly),
        of_platform,
        Line::control(NAME, "breaks weakened gate (counts wider days)", weak),
    ])
}

#[derive(Clone, Copy, Default)]
struct Tally {
    questions: u64,
    shown: u64,
    small: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.questions += other.questions;
        self.shown += other.shown;
        self.small += other.small;
    }

    /// Where nothing is shown, nothing was checked.
    fn result(self) -> Measured {
        if self.shown == 0 {
            return Measured::count("silence", self.questions, 1);
        }
        Measured::count("numbers", self.questions, self.small)
    }
}

/// Compares every disclosed number with the viewers behind it.
fn check(gate: &Gate, side: &Side, questions: &[Question]) -> Result<Tally, AttackError> {
    let floor = u64::from(gate.policy().audience_min());
    let mut tally = Tally::default();
    for question in questions {
        let tables = side.tables(question, contribution(gate.policy()));
        for (family, cell, _) in disclosed(&question.ask(gate)?) {
            // A noisy table's total is the reach, whatever the family.
            let behind = tables.get(&family).map_or(0, |table| table.behind(family, cell));
            tally.shown += 1;
            tally.small += u64::from(behind < floor);
        }
        tally.questions += 1;
        if matches!(question.entity, Entity::Overlap(_)) {
            continue; // it has no counters
        }
        let days = DayRange::day(question.days.last());
        let counters = gate.counters(&question.entity, days, None)?.into_inner();
        let any = Counter::ALL.into_iter().any(|counter| counters.get(counter).value().is_some());
        let audience = truth::everyone(side.seen(&question.entity), days).len();
        tally.shown += u64::from(any);
        tally.small += u64::from(any && audience < floor);
        tally.questions += 1;
    }
    Ok(tally)
}

/// A world of a few hundred viewers who come and go, so that cells of every size are there.
pub(crate) fn random(dice: &mut Dice) -> World {
    let clip =
        |id, channel, published, duration_ms, tag| Clip { id, channel, published: day(published), duration_ms, tag };
    let clips = vec![
        clip("v1", "ana", 0, Some(60_000), Some("dance")),
        clip("v2", "ana", -3, Some(15_000), None),
        clip("v3", "ben", 0, Some(30_000), Some("dance")),
        clip("v4", "ben", 2, None, Some("food")),
    ];
    let viewers = 40 + dice.below(160);
    let people: Vec<_> = (0..viewers).map(|_| random_traits(dice)).collect();
    let acts = 200 + dice.below(500);
    let mut act = || {
        let viewer = dice.below(viewers).min(dice.below(viewers));
        let traits = if dice.chance(5) { Some(random_traits(dice)) } else { people.get(viewer as usize).copied() };
        let kind =
            if dice.chance(70) { Some(Kind::View) } else { dice.pick(&[Kind::Impression, Kind::Like, Kind::Follow]) };
        let kind = kind.unwrap_or(Kind::View);
        Act {
            viewer,
            day: day(i64::from(dice.below(8))),
            minute: dice.below(1_440) as u16,
            kind,
            clip: dice.below(4) as usize,
            watch_ms: if kind == Kind::View { dice.below(70_000) } else { 0 },
            source: dice.pick(Source::ALL).unwrap_or(Source::Other),
            traits: traits.unwrap_or_default(),
        }
    };
    let acts = (0..acts).map(|_| act()).collect();
    World { clips, acts, sealed_through: day(400), zone: "UTC" }
}

/// Families of one table each that add up by themselves.
pub(crate) const PARTITIONS: [Family; 8] = [
    Family::Novelty,
    Family::FollowerStatus,
    Family::Country,
    Family::Region,
    Family::Age,
    Family::Gender,
    Family::AgeGender,
    Family::Device,
];
