//! What the gate answers, in small worlds.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a surprise should stop the test")]

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use support::{Block, World, creator, day, video, week};
use throng_model::{
    AgeBand, Cell, Counter, Day, DayRange, Entity, Family, Follower, Gender, Granularity, Stage, Timestamp, Topic,
    TopicKind, WindowError, WindowKind, Zone,
};
use throng_privacy::{Audience, Comparison, Disclosure, Gate, GateError, NoiseKey, Policy, Protection, QuestionError};

const FLOOR: u32 = 50;

fn threshold() -> Policy {
    Policy::new(FLOOR, Protection::Threshold, 7).expect("policy")
}

fn entity() -> Entity {
    Entity::Creator(creator())
}

fn gate(world: World) -> Gate {
    Gate::with_clock(Arc::new(world), threshold(), NoiseKey::from_bytes([7; 32]), || {
        Timestamp::parse("2026-03-09T12:00:00Z").expect("time")
    })
}

fn audience(gate: &Gate, entity: &Entity, kind: WindowKind, date: Option<Day>) -> Audience {
    gate.audience(entity, kind, date, &Family::ALL).expect("answer").into_inner()
}

#[test]
fn an_empty_audience_and_one_below_the_floor_look_alike() {
    let answers = |viewers| {
        let everything = Block { sources: 255, hours: 255, stage: 3, days: 127, videos: 255, ..Block::plain(viewers) };
        let gate = gate(World::new(vec![everything]));
        let insights = [WindowKind::Day, WindowKind::Last7Days, WindowKind::First7Days]
            .map(|kind| gate.audience(&Entity::Video(video(0)), kind, None, &Family::ALL).expect("answer"));
        let counters = gate.counters(&entity(), week(), Some(Comparison::PreviousPeriod)).expect("answer");
        let series = gate.series(&entity(), week(), Granularity::Day).expect("answer");
        let top = gate.top_videos(&creator(), week(), Counter::Views, 10).expect("answer");
        format!("{insights:?} {counters:?} {series:?} {top:?}")
    };
    assert_eq!(answers(0), answers(FLOOR - 1));
    assert_eq!(answers(0), answers(1));
    assert_ne!(answers(0), answers(FLOOR));
}

#[test]
fn an_empty_row_and_one_below_the_floor_look_alike() {
    // Two rows are below the floor in any case, so the rest holds with a third one or without.
    let table = |small| {
        let block = |age, viewers| Block { age, ..Block::plain(viewers) };
        let blocks = vec![block(1, 500), block(2, 60), block(3, 49), block(4, 49), block(5, small)];
        let answer = audience(&gate(World::new(blocks)), &entity(), WindowKind::Last7Days, None);
        answer.table(Family::Age).unwrap().rows().iter().map(|row| (row.cell(), row.measure())).collect::<Vec<_>>()
    };
    assert_eq!(table(0), table(49));
    assert_eq!(table(0).iter().filter(|(_, measure)| measure.value().is_some()).count(), 2);
}

#[test]
fn a_true_zero_is_shown_and_a_ratio_without_denominator_is_not_applicable() {
    let gate = gate(World::new(vec![Block::plain(FLOOR)]));
    let counters = gate.counters(&entity(), week(), None).expect("answer").into_inner();
    assert_eq!(counters.get(Counter::Views).value(), Some(100.0));
    assert_eq!(counters.get(Counter::Shares).value(), Some(0.0));
    assert_eq!(counters.get(Counter::CompletionRate).value(), Some(0.5));
    assert_eq!(counters.get(Counter::Shares).disclosure(), Disclosure::Exact);
}

#[test]
fn a_comparison_needs_both_sides() {
    // Monday has 50 viewers, Tuesday 75, Wednesday 10, Thursday 50.
    let on = |days, viewers| Block { days, ..Block::plain(viewers) };
    let gate = gate(World::new(vec![on(1, 50), on(2, 75), on(4, 10), on(8, 50)]));
    let views = |n: i64, compare| {
        let day = DayRange::day(week().first().saturating_add(n));
        gate.counters(&entity(), day, Some(compare)).expect("answer").get().get(Counter::Views)
    };
    let tuesday = views(1, Comparison::PreviousPeriod);
    assert_eq!((tuesday.value(), tuesday.previous(), tuesday.change()), (Some(150.0), Some(100.0), Some(0.5)));
    let wednesday = views(2, Comparison::PreviousPeriod);
    assert_eq!((wednesday.value(), wednesday.previous(), wednesday.change()), (None, Some(150.0), None));
    let thursday = views(3, Comparison::PreviousPeriod);
    assert_eq!((thursday.value(), thursday.previous(), thursday.change()), (Some(100.0), None, None));
    assert_eq!(views(3, Comparison::SameWeekdays).previous(), None);
}

#[test]
fn a_range_that_is_not_over_has_no_change() {
    let gate = Gate::with_clock(
        Arc::new(World::new(vec![Block { days: 3, ..Block::plain(60) }])),
        threshold(),
        NoiseKey::from_bytes([7; 32]),
        || Timestamp::parse("2026-03-03T12:00:00Z").expect("time"),
    );
    let today = DayRange::day(day("2026-03-03"));
    let views =
        gate.counters(&entity(), today, Some(Comparison::PreviousPeriod)).expect("answer").get().get(Counter::Views);
    assert_eq!((views.value(), views.previous(), views.change()), (Some(120.0), Some(120.0), None));
}

#[test]
fn the_last_days_end_with_the_last_sealed_one() {
    let mut world = World::new(vec![]);
    world.sealed_through = Some(day("2026-03-05"));
    let last = gate(world).last_days(&entity(), 3).expect("range");
    assert_eq!((last.first(), last.last()), (day("2026-03-03"), day("2026-03-05")));
    let mut world = World::new(vec![]);
    world.sealed_through = None;
    let gate = gate(world);
    assert_eq!(gate.last_days(&entity(), 1).expect("range").last(), day("2026-03-08"));
    assert!(matches!(gate.last_days(&entity(), 0), Err(GateError::BadQuestion(_))));
    assert!(matches!(gate.last_days(&entity(), 4_000), Err(GateError::BadQuestion(_))));
}

#[test]
fn an_unsealed_window_is_never_asked_of_the_engine() {
    for (sealed_through, date) in [(None, None), (Some(day("2026-03-07")), Some(day("2026-03-08")))] {
        let mut world = World::new(vec![Block::plain(500)]);
        world.sealed_through = sealed_through;
        let world = Arc::new(world);
        let gate = Gate::new(world.clone(), threshold(), NoiseKey::from_bytes([7; 32]));
        let answer = audience(&gate, &entity(), WindowKind::Last7Days, date);
        assert!(!answer.window().sealed());
        for family in Family::ALL {
            let total =
                answer.table(family).map(|table| table.total()).or(answer.curve(family).map(|curve| curve.total()));
            assert_eq!(total.unwrap().disclosure(), Disclosure::NotSealed, "{family:?}");
        }
        assert_eq!(answer.cell(Family::Novelty, Cell::New).unwrap().disclosure(), Disclosure::NotSealed);
        assert_eq!(world.audience_calls.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn sealed_windows_are_asked_once_for_all_families() {
    let world = Arc::new(World::new(vec![Block::plain(500)]));
    let gate = Gate::new(world.clone(), threshold(), NoiseKey::from_bytes([7; 32]));
    let answer = audience(&gate, &entity(), WindowKind::Last7Days, None);
    assert_eq!(answer.window().days(), week());
    assert_eq!(answer.table(Family::Reach).unwrap().total().value(), Some(500.0));
    assert_eq!(world.audience_calls.load(Ordering::SeqCst), 1);
}

#[test]
fn windows_off_the_catalogue_are_refused_with_public_reasons() {
    let gate = gate(World::new(vec![]));
    let ask = |entity: &Entity, kind, date| gate.window(entity, kind, date).unwrap_err();
    let off_step = ask(&entity(), WindowKind::Last7Days, Some(day("2026-03-04")));
    assert!(off_step.to_string().contains("2026-03-01 and 2026-03-08"), "{off_step}");
    let window_error = |error| match error {
        GateError::BadQuestion(QuestionError::Window(error)) => error,
        other => panic!("{other}"),
    };
    assert_eq!(window_error(ask(&entity(), WindowKind::First7Days, None)), WindowError::NotAVideo);
    let of_video = ask(&Entity::Video(video(0)), WindowKind::First7Days, Some(day("2026-03-04")));
    assert_eq!(window_error(of_video), WindowError::DateGiven);
    let first_week = gate.window(&Entity::Video(video(0)), WindowKind::First7Days, None).expect("window");
    assert_eq!((first_week.days(), first_week.sealed()), (week(), true));
    assert_eq!(ask(&Entity::Video(video(9)), WindowKind::Day, None), GateError::Unknown);
}

#[test]
fn what_does_not_exist_is_not_applicable() {
    let mut world = World::new(vec![Block::plain(500)]);
    world.duration_ms = None;
    let gate = gate(world);
    let answer = audience(&gate, &Entity::Video(video(0)), WindowKind::Last7Days, None);
    assert_eq!(answer.cell(Family::Novelty, Cell::New).unwrap().disclosure(), Disclosure::NotApplicable);
    let retention = answer.curve(Family::Retention).unwrap();
    assert_eq!(retention.points().len(), 100);
    assert!(retention.points().iter().all(|point| point.measure().disclosure() == Disclosure::NotApplicable));
    assert_eq!(answer.table(Family::TrafficSource).unwrap().other().disclosure(), Disclosure::NotApplicable);
}

#[test]
fn a_curve_says_how_many_went_at_least_this_far() {
    let until = |position, viewers| Block { position, ..Block::plain(viewers) };
    let gate = gate(World::new(vec![until(0, 100), until(40, 300), until(41, 20), until(100, 180)]));
    let answer = audience(&gate, &entity(), WindowKind::Last7Days, None);
    let curve = answer.curve(Family::Retention).unwrap();
    assert_eq!(curve.total().value(), Some(600.0));
    let point = |percent: usize| (curve.points()[percent - 1].measure().value(), curve.points()[percent - 1].share());
    assert_eq!(point(1), (Some(500.0), Some(500.0 / 600.0)));
    assert_eq!(point(2), (None, None));
    assert_eq!(point(41), (Some(200.0), Some(200.0 / 600.0)));
    assert_eq!(point(42), (None, None));
    let position = |index: usize| curve.points()[index].cell();
    assert_eq!((position(0), position(99)), (Cell::Position(1), Cell::Position(100)));
}

#[test]
fn a_funnel_starts_with_everyone() {
    let stage = |stage, viewers| Block { stage, ..Block::plain(viewers) };
    let gate = gate(World::new(vec![stage(0, 1_000), stage(1, 500), stage(2, 100), stage(3, 60)]));
    let answer = audience(&gate, &entity(), WindowKind::Last7Days, None);
    let funnel = answer.curve(Family::Funnel).unwrap();
    let values: Vec<_> = funnel.points().iter().map(|point| point.measure().value().unwrap()).collect();
    assert_eq!(values, [1_660.0, 660.0, 160.0, 60.0]);
    assert_eq!(funnel.points()[2].cell(), Cell::Stage(Stage::Engaged));
    assert_eq!(answer.engagement_per_reach().unwrap().value(), Some(160.0 / 660.0));
}

#[test]
fn rows_keep_their_order_and_fixed_cells_stay() {
    let person = |age, gender, viewers| Block { age, gender, ..Block::plain(viewers) };
    let gate = gate(World::new(vec![person(3, 2, 70), person(2, 2, 90), person(2, 1, 200), person(3, 1, 80)]));
    let answer = audience(&gate, &entity(), WindowKind::Last7Days, None);
    let keys = |family| answer.table(family).unwrap().rows().iter().map(|row| row.cell()).collect::<Vec<_>>();
    assert_eq!(keys(Family::Age)[1], Cell::Age(Some(AgeBand::From18)));
    assert_eq!(keys(Family::Age).len(), 8);
    let genders = [Some(Gender::Female), Some(Gender::Male), Some(Gender::Other), None].map(Cell::Gender);
    assert_eq!(keys(Family::Gender), genders);
    assert_eq!(keys(Family::FollowerStatus)[0], Cell::Follower(Some(Follower::No)));
    let pair = Cell::AgeGender(Some(AgeBand::From25), Some(Gender::Male));
    assert_eq!(answer.cell(Family::AgeGender, pair).unwrap().value(), Some(70.0));
}

#[test]
fn rows_that_are_cut_off_count_as_other() {
    let from = |region, viewers| Block { region, ..Block::plain(viewers) };
    let gate = gate(World::new(vec![from(0, 300), from(3, 200), from(6, 100)]));
    let answer = audience(&gate, &entity(), WindowKind::Last7Days, None);
    let table = answer.table(Family::Country).unwrap();
    assert_eq!((table.rows().len(), table.other().value()), (3, Some(0.0)));
    let cut = table.first(1);
    assert_eq!((cut.rows().len(), cut.total().value(), cut.other().value()), (1, Some(600.0), Some(300.0)));
    assert_eq!(cut.rows()[0].share(), Some(0.5));
}

#[test]
fn a_small_channel_ranks_no_video() {
    // The second video is hidden with the first: alone it would be the channel's total minus the first.
    let on = |videos, viewers| Block { videos, ..Block::plain(viewers) };
    let names = |blocks| {
        let top = gate(World::new(blocks)).top_videos(&creator(), week(), Counter::Views, 10).expect("answer");
        top.get().iter().map(|ranked| ranked.video().as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(vec![on(1, 100), on(2, 20)]), Vec::<String>::new());
    assert_eq!(names(vec![on(1, 100), on(2, 200), on(4, 20), on(8, 40)]), ["v1", "v0"]);
    assert_eq!(names(vec![on(1, 100), on(2, 100)]), ["v0", "v1"]);
}

#[test]
fn every_answer_carries_the_version_of_its_policy() {
    let gate = gate(World::new(vec![]));
    let answer = gate.counters(&entity(), week(), None).expect("answer");
    assert_eq!(answer.policy_version(), threshold().version());
}

#[test]
fn a_series_that_is_too_long_is_refused() {
    let gate = gate(World::new(vec![]));
    let years = DayRange::new(day("2020-01-01"), day("2026-12-31")).expect("range");
    assert_eq!(
        gate.series(&entity(), years, Granularity::Hour).map(|_| ()),
        Err(GateError::BadQuestion(QuestionError::TooManySteps))
    );
    assert!(gate.series(&entity(), years, Granularity::Day).is_ok());
}

#[test]
fn days_begin_at_whole_quarter_hours() {
    // What `Standing` takes for granted: between two of them nobody's yesterday changes.
    for name in ["UTC", "Asia/Kathmandu", "Australia/Eucla", "Pacific/Chatham", "Australia/Lord_Howe", "Asia/Beirut"] {
        let zone = Zone::parse(name).expect(name);
        for back in 0..800 {
            let start = zone.day_start(day("2027-12-31").saturating_add(-back)).millis();
            assert_eq!(start % (15 * 60 * 1_000), 0, "{name}, {back} days back");
        }
    }
}

#[test]
fn topics_are_disclosed_one_by_one_and_on_sealed_days_only() {
    // Monday is seen by 50, 49 and many viewers; Tuesday by 30 twice each, which are views enough and viewers too few.
    let on = |days, videos, viewers| Block { days, videos, ..Block::plain(viewers) };
    let blocks = || vec![on(1, 1, FLOOR), on(1, 2, FLOOR - 1), on(1, 4, 70), on(2, 1, 30)];
    let days = |gate: &Gate| gate.topic_days(TopicKind::Video, None, 7).expect("answer").into_inner();
    let shown = |gate: &Gate| {
        let rows = days(gate).into_iter().flat_map(|day| {
            let rows = day.views().iter().map(|(topic, views)| (day.day(), topic.clone(), views.value()));
            rows.collect::<Vec<_>>()
        });
        rows.collect::<Vec<_>>()
    };
    let monday = |index, views| (day("2026-03-02"), Topic::Video(video(index)), Some(views));
    assert_eq!(shown(&gate(World::new(blocks()))), [monday(0, 100.0), monday(2, 140.0)]);
    // Nobody, and nearly enough, are the same.
    let without_few = vec![on(1, 1, FLOOR), on(1, 4, 70)];
    assert_eq!(days(&gate(World::new(blocks()))), days(&gate(World::new(without_few))));
    let open = World { sealed_through: Some(day("2026-03-01")), ..World::new(blocks()) };
    assert!(shown(&gate(open)).is_empty());
    assert!(days(&gate(World { sealed_through: None, ..World::new(blocks()) })).is_empty());
    // A day may be named, once it is sealed.
    let gate = gate(World::new(blocks()));
    let last_of = |last| Ok(gate.topic_days(TopicKind::Video, Some(last), 3)?.into_inner().last().map(|day| day.day()));
    assert_eq!(last_of(day("2026-03-02")), Ok(Some(day("2026-03-02"))));
    assert_eq!(last_of(week().last().next()), Err(GateError::BadQuestion(QuestionError::NotSealed)));
}
