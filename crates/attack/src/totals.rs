//! Totals minus shown rows, in exact tables: what can be computed from the tables of one window, and whom it isolates.

use std::collections::BTreeMap;

use throng_model::{AgeBand, Cell, Family, Gender};
use throng_privacy::{AUDIENCE_MIN_FLOOR, Audience, Contribution, Gate, Measure, Policy, Protection};

use crate::card::{Line, Result as Measured};
use crate::dice::Dice;
use crate::planted::all_questions;
use crate::question::disclosed;
use crate::scene::{Side, Tables};
use crate::small_cells::{PARTITIONS, random};
use crate::suite::Run;
use crate::{AttackError, platform};

pub(crate) const NAME: &str = "totals";

/// The exact numbers that someone knows of one window; `None` is a family's total.
type Known = BTreeMap<(Family, Option<Cell>), u64>;

/// Every line of this attack.
pub(crate) fn run(run: &Run<'_>) -> Result<Vec<Line>, AttackError> {
    let policy = Policy::new(AUDIENCE_MIN_FLOOR, Protection::Threshold, 7)?;
    let floor = u64::from(policy.audience_min());
    let (mut found, mut naively, mut questions) = (0, 0, 0);
    for index in 0..run.size(3, 30) as u64 {
        let mut dice = Dice::new(run.seed(NAME), index);
        let world = random(&mut dice);
        let side = Side::of(&world)?;
        let gate = Gate::new(side.source.clone(), policy.clone(), dice.noise_key());
        for question in all_questions(&world, &[0, 3, 6])? {
            let tables = side.tables(&question, Contribution::Whole);
            found += isolated(&known(&question.ask(&gate)?), &tables, floor);
            naively += isolated(&naive(&tables, floor), &tables, floor);
            questions += 1;
        }
    }
    let of_platform = &run.platform.policy;
    let (side, asked) = platform::sample(&run.untouched()?, of_platform, run.size(4, 30))?;
    let exact = Policy::new(of_platform.audience_min(), Protection::Threshold, of_platform.rolling_step_days())?;
    let floor = u64::from(exact.audience_min());
    let gate = Gate::new(side.source.clone(), exact, Dice::new(run.seed(NAME), u64::MAX).noise_key());
    let mut on_platform = 0;
    for question in &asked {
        let tables = side.tables(question, Contribution::Whole);
        on_platform += isolated(&known(&question.ask(&gate)?), &tables, floor);
    }
    let of_platform = Measured::count("remainders", asked.len() as u64, on_platform);
    Ok(vec![
        Line::held(NAME, "random worlds, threshold mode", Measured::count("remainders", questions, found)),
        Line::held(NAME, format!("{}, threshold mode", run.platform.name), of_platform),
        Line::control(NAME, "breaks weakened gate (floor alone)", Measured::count("remainders", questions, naively)),
    ])
}

/// What an answer discloses.
fn known(answer: &Audience) -> Known {
    let exact =
        |(family, cell, measure): (Family, Option<Cell>, Measure)| Some(((family, cell), measure.value()? as u64));
    disclosed(answer).into_iter().filter_map(exact).collect()
}

/// What a gate would disclose that looks at each number alone.
fn naive(tables: &Tables, floor: u64) -> Known {
    let mut known = Known::new();
    for (&family, table) in tables {
        let cells = table.cells.keys().copied().map(Some).chain([None]);
        known.extend(
            cells.map(|cell| ((family, cell), table.behind(family, cell))).filter(|(_, viewers)| *viewers >= floor),
        );
    }
    known
}

/// Groups of viewers that follow from what is known, and are smaller than the floor but not nobody.
fn isolated(known: &Known, tables: &Tables, floor: u64) -> u64 {
    let number = |family, cell| known.get(&(family, cell)).copied();
    let small = |viewers: u64| u64::from(viewers > 0 && viewers < floor);
    let rest = |family: Family, total: u64, within: &dyn Fn(Cell) -> bool| {
        let shown = known.iter().filter(|((of, cell), _)| *of == family && cell.is_some_and(within));
        total.saturating_sub(shown.map(|(_, viewers)| viewers).sum())
    };
    let mut found = 0;
    for family in PARTITIONS {
        found += number(family, None).map_or(0, |total| small(rest(family, total, &|_| true)));
    }
    for ((family, cell), viewers) in known {
        let outside = |total: u64| small(total.saturating_sub(*viewers));
        found += match (family, cell) {
            (Family::Country, Some(Cell::Country(Some(country)))) => {
                let inside = |cell| matches!(cell, Cell::Region(Some(region)) if region.country() == *country);
                let any = known.keys().any(|(of, cell)| *of == Family::Region && cell.is_some_and(inside));
                if any { small(rest(Family::Region, *viewers, &inside)) } else { 0 }
            }
            (Family::TrafficSource | Family::ActiveHours, Some(_)) => number(*family, None).map_or(0, outside),
            (Family::Retention, None) => {
                number(Family::Reach, None).map_or(0, |reach| small(reach.saturating_sub(*viewers)))
            }
            _ => 0,
        };
    }
    found + steps(known, Family::Retention, small) + steps(known, Family::Funnel, small) + cuts(known, tables, floor)
}

/// Viewers between two shown points of a curve.
fn steps(known: &Known, family: Family, small: impl Fn(u64) -> u64) -> u64 {
    let mut points: Vec<u64> = known.iter().filter(|((of, _), _)| *of == family).map(|(_, viewers)| *viewers).collect();
    points.sort_unstable();
    points
        .windows(2)
        .map(|pair| match pair {
            [few, many] => small(many - few),
            _ => 0,
        })
        .sum()
}

/// Sums of hidden cells of age × gender that follow from ages and genders: for any rows and columns, the rows' rests minus
/// the columns' rests are the hidden cells of these rows outside the columns minus those of the columns outside the rows.
/// Where one of the two groups has no hidden cell, the other is known.
fn cuts(known: &Known, tables: &Tables, floor: u64) -> u64 {
    let Some(table) = tables.get(&Family::AgeGender) else { return 0 };
    let ages: Vec<_> = AgeBand::ALL.iter().copied().map(Some).chain([None]).collect();
    let genders: Vec<_> = Gender::ALL.iter().copied().map(Some).chain([None]).collect();
    let is_known = |family, cell| known.contains_key(&(family, Some(cell)));
    let rows: Vec<bool> = ages.iter().map(|&age| is_known(Family::Age, Cell::Age(age))).collect();
    let columns: Vec<bool> = genders.iter().map(|&gender| is_known(Family::Gender, Cell::Gender(gender))).collect();
    let mut hidden = Vec::new();
    for (row, &age) in ages.iter().enumerate() {
        for (column, &gender) in genders.iter().enumerate() {
            let cell = Cell::AgeGender(age, gender);
            if !is_known(Family::AgeGender, cell) {
                hidden.push((row, column, table.count(cell)));
            }
        }
    }
    let sides = |count: usize, known: &[bool]| {
        let all = known.iter().enumerate().filter(|(_, known)| **known).fold(0_u32, |bits, (at, _)| bits | 1 << at);
        (0..1_u32 << count).filter(move |side| side & !all == 0)
    };
    let mut found = 0;
    for chosen_rows in sides(ages.len(), &rows) {
        for chosen_columns in sides(genders.len(), &columns) {
            let (mut plus, mut minus, mut plus_cells, mut minus_cells) = (0, 0, 0, 0);
            for &(row, column, viewers) in &hidden {
                match (chosen_rows >> row & 1 == 1, chosen_columns >> column & 1 == 1) {
                    (true, false) => (plus, plus_cells) = (plus + viewers, plus_cells + 1),
                    (false, true) => (minus, minus_cells) = (minus + viewers, minus_cells + 1),
                    _ => {}
                }
            }
            let small = |viewers: u64| viewers > 0 && viewers < floor;
            found += u64::from((minus_cells == 0 && small(plus)) || (plus_cells == 0 && small(minus)));
        }
    }
    found
}
