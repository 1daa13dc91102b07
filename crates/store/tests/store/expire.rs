//! Expiry: rows of old sealed days go without a trace, their sums stay, whatever else happens and whenever it is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use proptest::prelude::*;
use throng_model::{Day, DayRange, Kind, Metric, Tally, ViewerId};
use throng_store::{AppendMode, MemoryMap, Options, Outcome, Snapshot, Store};

use crate::world::{Fact, HOUR_MS, START_MS, content, creator_row, day, event, options, video_row};

const ZONES: [&str; 3] = ["UTC", "Asia/Kathmandu", "America/New_York"];

/// Creator, video (`None` for everything of the creator), day.
type Key = (String, Option<String>, u16);

/// Sums and distinct viewers of expired days.
type Sums = BTreeMap<Key, (Tally, usize)>;

#[derive(Debug, Clone)]
enum Step {
    Append { events: Vec<Spec>, reopen: bool },
    Length { video: u8, duration_ms: Option<u32> },
    Zone { creator: u8, zone: u8 },
    Seal { creator: Option<u8>, days: u8 },
    Expire(u8),
    Checkpoint,
    Restart,
}

#[derive(Debug, Clone)]
struct Spec {
    id: u16,
    creator: u8,
    video: Option<u8>,
    viewer: u8,
    hour: u16,
}

fn spec() -> impl Strategy<Value = Spec> {
    (any::<u16>(), 0..3_u8, prop::option::of(0..4_u8), 0..12_u8, 0..240_u16)
        .prop_map(|(id, creator, video, viewer, hour)| Spec { id, creator, video, viewer, hour })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (prop::collection::vec(spec(), 1..40), prop::bool::weighted(0.3))
            .prop_map(|(events, reopen)| Step::Append { events, reopen }),
        2 => (0..4_u8, prop::option::of(1..400_u32)).prop_map(|(video, duration_ms)| Step::Length { video, duration_ms }),
        1 => (0..3_u8, 0..3_u8).prop_map(|(creator, zone)| Step::Zone { creator, zone }),
        3 => (prop::option::of(0..3_u8), 0..9_u8).prop_map(|(creator, days)| Step::Seal { creator, days }),
        3 => (0..12_u8).prop_map(Step::Expire),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Restart),
    ]
}

fn after(days: u8) -> Day {
    day("2026-02-27").saturating_add(i64::from(days))
}

/// The first day of a creator whose rows stay, if rows before `bound` go.
fn first_kept(snapshot: &Snapshot, creator: &str, bound: Day) -> u16 {
    let creator = snapshot.catalogue().creator_ord(creator).unwrap();
    snapshot.sealed_through(creator).map_or(0, |sealed| sealed.next().min(bound).number())
}

fn sum(snapshot: &Snapshot, gone: &[(Fact, u32)]) -> Sums {
    let mut sums: BTreeMap<Key, (Tally, BTreeSet<u32>)> = BTreeMap::new();
    for (fact, viewer) in gone {
        let catalogue = snapshot.catalogue();
        let length = fact.video.as_ref().and_then(|video| catalogue.duration_ms(catalogue.video_ord(video).unwrap()));
        for video in [None, fact.video.clone()].iter().take(1 + usize::from(fact.video.is_some())) {
            let (tally, viewers) = sums.entry((fact.creator.clone(), video.clone(), fact.day)).or_default();
            tally.record(Kind::from_code(fact.kind).unwrap(), fact.mark, length);
            viewers.insert(*viewer);
        }
    }
    sums.into_iter().map(|(key, (tally, viewers))| (key, (tally, viewers.len()))).collect()
}

/// What the summaries hold, read in every way there is.
fn summed(snapshot: &Snapshot) -> Sums {
    let catalogue = snapshot.catalogue();
    let all = DayRange::new(day("2026-01-01"), day("2026-12-31")).unwrap();
    let (mut sums, mut by_video) = (Sums::new(), BTreeSet::new());
    for summary in snapshot.summaries() {
        for creator in catalogue.creators_after(None, 100) {
            let id = catalogue.creator(creator).unwrap().id.as_str().to_owned();
            for found in summary.creator_days(creator, all).unwrap() {
                assert_eq!(summary.creator_days(creator, DayRange::day(found.day)).unwrap().first(), Some(&found));
                let key = (id.clone(), None, found.day.number());
                assert_eq!(sums.insert(key, (found.tally, found.viewers as usize)), None, "a day expires once");
            }
            for (video, days) in summary.channel_videos(creator, all).unwrap() {
                let name = catalogue.video(video).unwrap().id.as_str().to_owned();
                for found in days {
                    assert!(summary.video_days(video, all).unwrap().contains(&found));
                    by_video.insert(video);
                    let key = (id.clone(), Some(name.clone()), found.day.number());
                    assert_eq!(sums.insert(key, (found.tally, found.viewers as usize)), None, "a day expires once");
                }
            }
        }
    }
    let listed = sums.keys().filter(|key| key.1.is_some()).count();
    let days_of = |video| snapshot.summaries().iter().map(move |it| it.video_days(video, all).unwrap().len());
    assert_eq!(by_video.into_iter().flat_map(days_of).sum::<usize>(), listed);
    sums
}

/// Expires and checks that just the right rows went, from rows, rollups and audiences, and that their sums stayed.
fn expire(store: &Store, bound: Day, expected: &mut Sums) {
    let before = store.snapshot();
    let (facts, viewers) = content(&before);
    let bound = bound.max(before.rows_from().unwrap_or(bound));
    let goes = |fact: &Fact| fact.day < first_kept(&before, &fact.creator, bound);
    let (gone, kept): (Vec<Fact>, Vec<Fact>) = facts.into_iter().partition(goes);
    let gone: Vec<(Fact, u32)> = gone.into_iter().map(|fact| (fact.clone(), viewers[&fact.mark])).collect();
    let (rows, fresh) = (gone.len() as u64, sum(&before, &gone));
    drop(before);

    let done = store.expire_before(bound).unwrap();
    assert_eq!((done.rows, done.rows_from), (rows, store.snapshot().rows_from()));
    for (key, sums) in fresh {
        assert_eq!(expected.insert(key, sums), None, "a day expires once");
    }
    let snapshot = store.snapshot();
    assert_eq!(content(&snapshot).0, kept.into_iter().collect());
    assert_eq!(summed(&snapshot), *expected);
    for segment in snapshot.segments() {
        for creator in segment.creators().unwrap() {
            let id = snapshot.catalogue().creator(creator).unwrap().id.as_str().to_owned();
            let first = Day::from_number(first_kept(&snapshot, &id, bound).max(Day::MIN.number()).into()).unwrap();
            let Ok(past) = DayRange::new(day("2026-01-01"), first.previous()) else { continue };
            assert!(segment.creator_days(creator, past).unwrap().is_empty(), "rollups and audiences go with the rows");
            for span in segment.creator_videos(creator).unwrap() {
                assert!(segment.span_days(span, past).unwrap().is_empty());
            }
        }
    }
    assert_eq!(store.expire_before(bound).unwrap().rows, 0, "once is enough");
}

fn append(store: &Store, specs: &[Spec], reopen: bool, mark: &mut u32) -> u64 {
    let mut batch = vec![];
    for Spec { id, creator, video, viewer, hour } in specs {
        *mark += 1;
        let video = video.map(|video| format!("v{video}"));
        let ts = START_MS + i64::from(*hour) * HOUR_MS;
        let (creator, viewer) = (format!("c{creator}"), format!("p{viewer}"));
        batch.push(event(&format!("e{id}"), *mark, Some(&creator), video.as_deref(), &viewer, ts));
    }
    let mode = if reopen { AppendMode::Reopen } else { AppendMode::Normal };
    let rows_from = store.snapshot().rows_from();
    let outcomes = store.append(&batch, mode).unwrap();
    let snapshot = store.snapshot();
    let mut accepted = 0;
    for (event, outcome) in batch.iter().zip(outcomes) {
        let catalogue = snapshot.catalogue();
        let of_channel = catalogue.creator_ord(event.creator.as_ref().unwrap().as_str());
        let zone = of_channel.map(|it| catalogue.creator(it).unwrap().zone.clone()).unwrap_or_default();
        let is_old = rows_from > Some(zone.day_of(event.ts));
        match outcome {
            Outcome::Accepted { creator, day } => {
                assert!(!(reopen && is_old) || snapshot.sealed_through(creator) < Some(day), "it is open");
                accepted += 1;
            }
            Outcome::Late { .. } => {
                assert!(!reopen);
                accepted += 1;
            }
            Outcome::Expired => assert!(reopen && is_old),
            Outcome::Duplicate => {}
            Outcome::UnknownVideo => panic!("every event names its creator"),
        }
    }
    accepted
}

fn run(steps: &[Step]) {
    let map = MemoryMap::default();
    let mut store = Store::in_memory(&map, &options()).unwrap();
    let (mut expected, mut mark, mut accepted) = (Sums::new(), 0, 0);
    for step in steps {
        match step {
            Step::Append { events, reopen } => accepted += append(&store, events, *reopen, &mut mark),
            Step::Length { video, duration_ms } => {
                store.put_catalogue(vec![video_row(&format!("v{video}"), "c0", *duration_ms)], vec![]).unwrap();
            }
            Step::Zone { creator, zone } => {
                let row = creator_row(&format!("c{creator}"), ZONES[*zone as usize]);
                store.put_catalogue(vec![], vec![row]).unwrap();
            }
            Step::Seal { creator: None, days } => store.seal_through(after(*days)).unwrap(),
            Step::Seal { creator: Some(creator), days } => {
                if let Some(creator) = store.snapshot().catalogue().creator_ord(&format!("c{creator}")) {
                    store.seal_creators(vec![(creator, after(*days))]).unwrap();
                }
            }
            Step::Expire(days) => expire(&store, after(*days), &mut expected),
            Step::Checkpoint => store.checkpoint().unwrap(),
            Step::Restart => {
                drop(store);
                store = Store::in_memory(&map, &options()).unwrap();
            }
        }
    }
    assert_eq!(summed(&store.snapshot()), expected);
    let report = store.verify().unwrap();
    assert_eq!(report.events + report.expired_events, accepted);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn expired_rows_leave_their_sums_and_nothing_else(steps in prop::collection::vec(step(), 1..40)) {
        run(&steps);
    }
}

/// A store with days 1 to 9 of March, a hundred events each, in several segments.
fn nine_days(options: &Options, map: &MemoryMap) -> Store {
    let store = Store::in_memory(map, options).unwrap();
    for part in 0..3_u32 {
        let events: Vec<_> = (part * 300..part * 300 + 300)
            .map(|n| {
                let (id, video, viewer) = (format!("e{n}"), format!("v{}", n % 5), format!("p{}", n % 40));
                event(&id, n, Some("c"), Some(&video), &viewer, START_MS + i64::from(n % 9) * 24 * HOUR_MS)
            })
            .collect();
        store.append(&events, AppendMode::Normal).unwrap();
        store.checkpoint().unwrap();
    }
    store
}

fn keys(map: &MemoryMap) -> Vec<Vec<u8>> {
    map.entries().into_iter().map(|entry| entry.0).collect()
}

fn calm() -> Options {
    Options { checkpoint_rows: 1 << 20, merges: false, ..options() }
}

#[test]
fn an_expired_day_is_closed_and_its_events_stay_duplicates() {
    let store = nine_days(&calm(), &MemoryMap::default());
    store.seal_through(day("2026-03-04")).unwrap();
    assert_eq!(store.expire_before(day("2026-03-03")).unwrap().rows, 200);
    let old = |id: &str| event(id, 5_000, Some("c"), Some("v1"), "p1", START_MS);
    let ask = |id: &str, mode| store.append(&[old(id)], mode).unwrap().remove(0);
    assert_eq!(ask("e0", AppendMode::Normal), Outcome::Duplicate);
    assert_eq!(ask("e0", AppendMode::Reopen), Outcome::Duplicate);
    assert_eq!(ask("new", AppendMode::Reopen), Outcome::Expired);
    let first_open = day("2026-03-05");
    assert!(matches!(ask("new", AppendMode::Normal), Outcome::Late { day, .. } if day == first_open));
    // A sealed day whose rows are there can be reopened; and nobody new can slip into an expired one.
    let third = event("third", 5_001, Some("c"), Some("v1"), "p1", START_MS + 48 * HOUR_MS);
    let stranger = event("stranger", 5_002, Some("d"), None, "stranger", START_MS);
    let outcomes = store.append(&[third, stranger], AppendMode::Reopen).unwrap();
    assert!(matches!(outcomes[0], Outcome::Accepted { day: found, .. } if found == day("2026-03-03")));
    assert_eq!(outcomes[1], Outcome::Expired);
    assert_eq!(store.snapshot().catalogue().creator_ord("d"), None, "nothing changed");
    assert_eq!(store.verify().unwrap().viewers, 40, "nothing changed");
}

#[test]
fn days_that_nobody_has_sealed_do_not_expire() {
    let store = nine_days(&calm(), &MemoryMap::default());
    let far = day("2030-01-01");
    let done = store.expire_before(far).unwrap();
    assert_eq!((done.rows, done.rows_from, store.snapshot().rows_from()), (0, None, None));
    store.seal_through(day("2026-03-02")).unwrap();
    let done = store.expire_before(far).unwrap();
    assert_eq!((done.rows, done.rows_from), (200, Some(day("2026-03-03"))));
    assert_eq!(store.expire_before(day("2026-03-01")).unwrap().rows_from, Some(day("2026-03-03")), "never goes back");
}

#[test]
fn old_segments_are_removed_at_once_and_empty_ones_are_not_kept() {
    let map = MemoryMap::default();
    let store = nine_days(&calm(), &map);
    store.seal_through(day("2026-03-09")).unwrap();
    store.expire_before(day("2026-03-05")).unwrap();
    let left = keys(&map);
    drop(store);
    // Opening removes what nothing lists.
    let store = Store::in_memory(&map, &calm()).unwrap();
    assert_eq!(keys(&map), left);
    store.expire_before(day("2026-03-10")).unwrap();
    assert_eq!((store.snapshot().segments().len(), store.verify().unwrap().expired_events), (0, 900));
}

#[test]
fn viewers_without_any_row_are_forgotten() {
    let store = nine_days(&calm(), &MemoryMap::default());
    let once = |id: &str, hours: u32| {
        event(id, 5_000 + hours, Some("c"), Some("v1"), "once", START_MS + i64::from(hours) * HOUR_MS)
    };
    store
        .append(&[once("first", 1), event("stays", 4_000, Some("c"), None, "p1", START_MS)], AppendMode::Normal)
        .unwrap();
    let before = content(&store.snapshot()).1;
    store.seal_through(day("2026-03-04")).unwrap();
    assert_eq!(store.expire_before(day("2026-03-02")).unwrap().rows, 102);
    assert_eq!((store.verify().unwrap().viewers, store.pending_erasures()), (40, 1));
    store.append(&[once("again", 200)], AppendMode::Normal).unwrap();
    let after = content(&store.snapshot()).1;
    assert_ne!(after[&5_200], before[&5_001], "nothing tells that it is the same viewer");
    let compacted = store.compact(day("2026-03-20")).unwrap();
    assert_eq!((compacted.viewers, compacted.rows, compacted.epoch), (1, 0, None), "no insight changed");
    assert_eq!((store.verify().unwrap().viewers, store.pending_erasures()), (41, 0));
}

#[test]
fn rows_of_erased_viewers_expire_uncounted() {
    let store = nine_days(&calm(), &MemoryMap::default());
    store.erase(&[ViewerId::parse("p1").unwrap()]).unwrap();
    store.seal_through(day("2026-03-04")).unwrap();
    let (_, viewers) = content(&store.snapshot());
    let ninth = |marks: &mut dyn Iterator<Item = u32>| marks.filter(|mark| mark % 9 == 0).count() as u64;
    let erased = ninth(&mut viewers.keys().copied().filter(|mark| mark % 40 == 1));
    assert!(erased > 0);
    assert_eq!(store.expire_before(day("2026-03-02")).unwrap().rows, 100);
    assert_eq!(store.verify().unwrap().expired_events, 100 - erased);
    store.compact(day("2026-03-20")).unwrap();
    store.verify().unwrap();
}

#[test]
fn summaries_of_many_expiries_stay_few() {
    let map = MemoryMap::default();
    let store = Store::in_memory(&map, &calm()).unwrap();
    let mut expected = Sums::new();
    for n in 0..60_u32 {
        let ts = START_MS + i64::from(n) * 24 * HOUR_MS;
        let events: Vec<_> = (0..=n % 3)
            .map(|it| event(&format!("{n} {it}"), n * 3 + it, Some("c"), Some(&format!("v{it}")), "p", ts))
            .collect();
        store.append(&events, AppendMode::Normal).unwrap();
        store.seal_through(day("2026-03-01").saturating_add(n.into())).unwrap();
        expire(&store, day("2026-03-02").saturating_add(n.into()), &mut expected);
        assert!(store.snapshot().summaries().len() <= 8);
    }
    assert_eq!(expected.len(), 60 + 20 + 40 + 60);
}

/// History comes into sealed days while they expire: each row is counted once, and each day is in one place.
#[test]
fn rows_that_come_while_days_expire_are_counted_once() {
    let (busy, map) = (Options { checkpoint_rows: 200, ..calm() }, MemoryMap::default());
    let store = nine_days(&busy, &map);
    store.seal_through(day("2026-03-20")).unwrap();
    let accepted = std::thread::scope(|scope| {
        let history = scope.spawn(|| {
            let mut accepted = 0;
            for n in 1_000..1_400_u32 {
                let ts = START_MS + i64::from(n % 9) * 24 * HOUR_MS;
                let events = [event(&format!("e{n}"), n, Some("c"), Some("v1"), "p1", ts)];
                accepted += store
                    .append(&events, AppendMode::Reopen)
                    .unwrap()
                    .iter()
                    .filter(|outcome| matches!(outcome, Outcome::Accepted { .. }))
                    .count() as u64;
            }
            accepted
        });
        for n in 1..=9 {
            match store.expire_before(day("2026-03-01").saturating_add(n)) {
                Ok(_) | Err(throng_store::WriteError::Busy) => {}
                Err(error) => panic!("{error}"),
            }
        }
        history.join().unwrap()
    });
    store.expire_before(day("2026-03-10")).unwrap();
    let report = store.verify().unwrap();
    assert_eq!((report.events, report.expired_events), (0, 900 + accepted));
    let views: u64 =
        summed(&store.snapshot()).iter().filter(|(key, _)| key.1.is_none()).map(|it| it.1.0[Metric::Views]).sum();
    assert_eq!(views, 900 + accepted);
    store.seal_through(day("2026-03-21")).unwrap();
    drop(store);
    let left = keys(&map);
    drop(Store::in_memory(&map, &busy).unwrap());
    assert_eq!(keys(&map), left, "what was written in vain is removed");
}

const CHILD: &str = "THRONG_EXPIRE_CHILD";

/// The child: writes, seals and expires until it is killed. Does nothing in an ordinary test run.
#[test]
fn child_expires_until_killed() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let store = Store::open(Path::new(&dir), &Options { checkpoint_rows: 300, ..options() }).unwrap();
    let report = store.verify().unwrap();
    let mut next = (report.events + report.expired_events) as u32;
    let mut out = std::io::stdout();
    writeln!(out, "open").unwrap();
    loop {
        // Forty events a day: late ones of expired days come along.
        let events: Vec<_> = (next..next + 80)
            .map(|n| {
                let (creator, video, viewer) = (format!("c{}", n % 3), format!("v{}", n % 9), format!("p{}", n % 77));
                let ts = START_MS + i64::from(n / 40 - n % 7 * (n / 400)) * 24 * HOUR_MS;
                event(&format!("e{n}"), n, Some(&creator), Some(&video), &viewer, ts)
            })
            .collect();
        writeln!(out, "sent {}", next + 80).unwrap();
        store.append(&events, AppendMode::Normal).unwrap();
        next += 80;
        writeln!(out, "acknowledged {next}").unwrap();
        store.seal_through(day("2026-02-26").saturating_add((next / 40).into())).unwrap();
        store.expire_before(day("2026-02-20").saturating_add((next / 40).into())).unwrap();
    }
}

#[test]
fn a_kill_while_rows_expire_loses_and_doubles_nothing() {
    if std::env::var(CHILD).is_ok() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let (mut acknowledged, mut sent) = (0, 0);
    for kill in 0..8_u64 {
        let mut child = start(&dir);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while lines.next().unwrap().unwrap() != "open" {}
        std::thread::sleep(Duration::from_millis(40 + kill * 37));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            match line.split_once(' ') {
                Some(("sent", count)) => sent = count.parse().unwrap_or(sent),
                Some(("acknowledged", count)) => acknowledged = count.parse().unwrap_or(acknowledged),
                _ => {}
            }
        }
        let report = Store::open(&dir, &options()).unwrap().verify().unwrap();
        let count = report.events + report.expired_events;
        assert!((acknowledged..=sent).contains(&count), "kill {kill}: {acknowledged} ≤ {count} ≤ {sent}");
        (acknowledged, sent) = (count, count);
    }
    assert!(Store::open(&dir, &options()).unwrap().verify().unwrap().expired_events > 0, "no day ever expired");
}

fn start(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "expire::child_expires_until_killed", "--nocapture"])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}
