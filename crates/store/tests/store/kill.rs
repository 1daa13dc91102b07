//! `kill -9` at random moments: nothing acknowledged is lost or doubled, no erased row comes back, and `verify` is clean.
//!
//! The parent starts this very test binary again as a child that writes and says what was acknowledged, kills it, opens
//! the store and holds it against what the child said. `THRONG_KILLS` sets how often (default 25), `THRONG_KILL_SEED`
//! where the random numbers begin.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::num::NonZero;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use throng_model::{Timestamp, ViewerId};
use throng_store::{AppendMode, Options, Outcome, Store};

use crate::world::{HOUR_MS, START_MS, append_bulk, content, creator_row, day, event, options, video_row};

const CHILD: &str = "THRONG_KILL_CHILD";

const KILLS_PER_STORE: u64 = 25;

/// A small generator: the sequence must be the same in parent and child, and everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Events of viewers who may be erased have marks from here on, so that the others stay without gaps.
const ERASABLE: u32 = 1 << 24;

/// Such viewers.
const ERASABLE_VIEWERS: u64 = 5;

/// Small checkpoints, so that sealing and merging happen all the time, and the key-value files are opened again and again.
fn busy() -> Options {
    Options { checkpoint_rows: 300, written_bytes_max: 60_000, bulk_rows: 40, ..options() }
}

/// Every other child writes as an import does, and leaves segments without sums behind.
fn busy_child(seed: u64) -> Options {
    Options { merges_late: seed.is_multiple_of(2), ..busy() }
}

/// The child: writes until it is killed. Does nothing in an ordinary test run.
#[test]
fn child_writes_until_killed() {
    let Ok(argument) = std::env::var(CHILD) else { return };
    let [seed, erasable, dir] = argument.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("arguments") };
    let mut erasable: u32 = erasable.parse().unwrap();
    let seed = seed.parse().unwrap();
    let mut random = Random(seed);
    let store = Store::open(Path::new(dir), &busy_child(seed)).unwrap();
    let mut out = std::io::stdout();
    let mut next = content(&store.snapshot()).0.iter().filter(|fact| fact.mark < ERASABLE).count() as u32;
    writeln!(out, "open").unwrap();
    loop {
        match random.below(21) {
            0 => store.checkpoint().unwrap(),
            1 => store.seal_through(day("2026-02-20").saturating_add(random.below(12) as i64)).unwrap(),
            2 => {
                let hours = random.below(200) as i64;
                store.seal_ended_by(Timestamp::from_millis(START_MS + hours * HOUR_MS).unwrap()).unwrap();
            }
            3 => {
                let zone = ["UTC", "Asia/Kathmandu", "America/New_York"][random.below(3) as usize];
                let video = format!("v{}", random.below(9));
                store.put_catalogue(vec![video_row(&video, "c0", Some(50))], vec![creator_row("c1", zone)]).unwrap();
            }
            4 => {
                let viewer = random.below(ERASABLE_VIEWERS);
                writeln!(out, "erasing {viewer}").unwrap();
                store.erase(&[ViewerId::parse(format!("q{viewer}")).unwrap()]).unwrap();
                writeln!(out, "erased {viewer}").unwrap();
            }
            5 => {
                store.compact(day("2026-03-20")).unwrap();
                writeln!(out, "compacted 0").unwrap();
            }
            6 => drop(store.trim(NonZero::<u64>::MAX).unwrap()),
            7..10 => {
                let (id, viewer) = (format!("q{erasable}"), random.below(ERASABLE_VIEWERS));
                let new = event(&id, erasable, Some("c0"), Some("v0"), &format!("q{viewer}"), START_MS);
                writeln!(out, "sent-of {erasable} {viewer}").unwrap();
                store.append(&[new], AppendMode::Normal).unwrap();
                writeln!(out, "acknowledged-of {erasable} {viewer}").unwrap();
                erasable += 1;
            }
            _ => {
                let count = 1 + random.below(120) as u32;
                let events: Vec<_> = (next..next + count)
                    .map(|n| {
                        let (creator, video) = (format!("c{}", n % 3), format!("v{}", n % 9));
                        let ts = START_MS + random.below(400) as i64 * HOUR_MS;
                        event(&format!("e{n}"), n, Some(&creator), Some(&video), &format!("p{}", n % 77), ts)
                    })
                    .collect();
                writeln!(out, "sent {}", next + count).unwrap();
                let outcomes = if random.below(4) == 0 {
                    append_bulk(&store, &events, AppendMode::Normal)
                } else {
                    store.append(&events, AppendMode::Normal).unwrap()
                };
                assert!(outcomes.iter().all(|it| matches!(it, Outcome::Accepted { .. } | Outcome::Late { .. })));
                next += count;
                writeln!(out, "acknowledged {next}").unwrap();
            }
        }
    }
}

/// What the children said of viewers who may be erased.
#[derive(Default)]
struct Erasable {
    sent: u32,
    /// Acknowledged marks and their viewers, of whom nobody began an erasure since.
    owed: BTreeMap<u32, u32>,
    /// Marks whose viewer is being erased, or is and waits for a compaction.
    may_go: BTreeMap<u32, u32>,
    erased: BTreeSet<u32>,
    gone: BTreeSet<u32>,
}

impl Erasable {
    fn hear(&mut self, what: &str, number: u32, viewer: u32) {
        match what {
            "sent-of" => self.sent = number + 1,
            "acknowledged-of" => drop(self.owed.insert(number, viewer)),
            "erasing" => {
                self.may_go.extend(self.owed.iter().filter(|(_, viewer)| **viewer == number));
                self.owed.retain(|_, viewer| *viewer != number);
            }
            "erased" => self.erased.extend(self.may_go.iter().filter(|(_, viewer)| **viewer == number).map(|it| it.0)),
            "compacted" => self.gone.append(&mut self.erased),
            _ => {}
        }
    }

    fn check(&self, marks: &BTreeSet<u32>) {
        assert!(self.owed.keys().all(|mark| marks.contains(mark)), "an acknowledged event is lost");
        assert!(self.gone.is_disjoint(marks), "an erased row is back");
        let known = |mark: &u32| self.owed.contains_key(mark) || self.may_go.contains_key(mark);
        assert!(marks.iter().all(|mark| known(mark) || mark + 1 == self.sent), "a row out of nowhere");
    }
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_by_a_kill() {
    if std::env::var(CHILD).is_ok() {
        return;
    }
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let kills = number("THRONG_KILLS", 25);
    let mut random = Random(number("THRONG_KILL_SEED", 1));
    let scratch = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut sent, mut total) = (0, 0, 0);
    let mut erasable = Erasable::default();
    for kill in 0..kills {
        // A new store now and then: checking all of a large one takes longer than writing it.
        let dir = scratch.path().join(format!("data-{}", kill / KILLS_PER_STORE));
        if kill % KILLS_PER_STORE == 0 {
            total += acknowledged;
            (acknowledged, sent) = (0, 0);
            erasable = Erasable { sent: ERASABLE, ..Erasable::default() };
        }
        let mut child = start(&dir, random.below(1 << 30), erasable.sent);
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut lines = out.lines();
        // Some die while they open, some at once, some after many commits; all in the middle of something.
        if random.below(3) == 0 {
            std::thread::sleep(Duration::from_micros(random.below(30_000)));
        } else {
            while lines.next().unwrap().unwrap() != "open" {}
            std::thread::sleep(Duration::from_micros(random.below(250_000)));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            match line.split_once(' ') {
                Some(("sent", count)) => sent = count.parse().unwrap_or(sent),
                Some(("acknowledged", count)) => acknowledged = count.parse().unwrap_or(acknowledged),
                Some((what, numbers)) => {
                    let mut numbers = numbers.split(' ').filter_map(|number| number.parse().ok());
                    erasable.hear(what, numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
                }
                None => {}
            }
        }
        let store = Store::open(&dir, &busy()).unwrap();
        // `content` fails on an event that is there twice.
        let mut marks: BTreeSet<u32> = content(&store.snapshot()).0.iter().map(|fact| fact.mark).collect();
        assert_eq!(store.verify().unwrap().events, marks.len() as u64, "kill {kill}");
        let of_erasable = marks.split_off(&ERASABLE);
        erasable.check(&of_erasable);
        // What was under way when the child died.
        if let Some(last) = of_erasable.last()
            && !erasable.owed.contains_key(last)
            && !erasable.may_go.contains_key(last)
        {
            erasable.may_go.insert(*last, u32::MAX);
        }
        let count = marks.len() as u32;
        assert!((acknowledged..=sent).contains(&count), "kill {kill}: {acknowledged} ≤ {count} ≤ {sent}");
        assert_eq!(marks.last().map_or(0, |last| last + 1), count, "kill {kill}: a gap");
        (acknowledged, sent) = (count, count);
    }
    assert!(total + acknowledged > kills as u32, "the children wrote hardly anything");
}

fn start(dir: &Path, seed: u64, erasable: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child_writes_until_killed", "--nocapture"])
        .env(CHILD, format!("{seed} {erasable} {}", dir.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}
