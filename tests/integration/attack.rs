//! `throng attack`: every attack stays within its bound, every control bites, and a store that is attacked stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use throng_model::Day;

use crate::platform::day;
use crate::server::Data;
use crate::world::{CATALOGUE, VIEWERS, lines};

/// A quick run's scorecard, and whether the program ended well. With `data`, its store is attacked.
fn play(data: Option<&Data>, arguments: &[&str]) -> (Value, bool) {
    let arguments = [&["attack", "--quick", "--json"], arguments].concat();
    let output = match data {
        Some(data) => data.run(&arguments),
        None => without_store(&arguments),
    };
    let card = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (card, output.status.success())
}

/// The program where there is no store and no configuration.
fn without_store(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_throng"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("THRONG_")) {
        command.env_remove(name);
    }
    command.current_dir(folder.path()).args(arguments).output().expect("the program runs")
}

fn verdicts<'c>(card: &'c Value, attack: &str) -> Vec<&'c str> {
    let lines = card["lines"].as_array().expect("lines").iter().filter(|line| line["attack"] == attack);
    lines.map(|line| line["verdict"].as_str().expect("a verdict")).collect()
}

#[test]
fn no_attack_comes_past_its_bound_and_every_control_bites() {
    let names = Data::new().json(&["attack", "--list"]);
    let names: BTreeSet<&str> = names.as_object().expect("an object").keys().map(String::as_str).collect();
    let (card, ended_well) = play(None, &[]);
    assert!(card["passed"] == true && ended_well, "{card:#}");
    for name in names {
        let verdicts = verdicts(&card, name);
        assert!(!verdicts.is_empty(), "{name}");
        assert!(!verdicts.iter().any(|verdict| ["fail", "control-fails"].contains(verdict)), "{name}");
        if name != "feed" {
            assert!(verdicts.contains(&"pass") && verdicts.contains(&"control-bites"), "{name}: {verdicts:?}");
        }
    }
    assert_eq!(verdicts(&card, "feed"), ["not-present"]);
    assert!(verdicts(&card, "fake-viewers").contains(&"broken-as-stated"));
}

/// Every file below a directory, with its contents.
fn files(below: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(below).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).expect("readable"));
        }
    }
    found
}

#[test]
fn a_store_is_attacked_in_copies_and_stays_as_it_is() {
    let data = Data::new();
    // A target is planted nine days before the last sealed day.
    let earlier = Day::parse(day()).expect("a day").saturating_add(-9).to_string();
    let events = lines(&earlier, 0..VIEWERS) + &lines(day(), 0..VIEWERS);
    let (catalogue, events) = (data.file("videos.ndjson", CATALOGUE), data.file("events.ndjson", events));
    data.import(&[&catalogue, &events], &["--seal"]);
    let before = files(&data.path());
    for attack in ["small-cells", "polling", "erasure"] {
        let (card, ended_well) = play(Some(&data), &["--attack", attack]);
        assert!(card["passed"] == true && ended_well, "{card:#}");
        let of_store = |line: &&Value| line["scene"].as_str().is_some_and(|scene| scene.starts_with("the store"));
        assert!(card["lines"].as_array().expect("lines").iter().any(|line| of_store(&line)), "{card:#}");
    }
    assert_eq!(files(&data.path()), before);
}

#[test]
fn one_seed_gives_one_scorecard() {
    let run = |seed| play(None, &["--attack", "equivalent-questions", "--seed", seed]).0;
    let first = run("7");
    assert_eq!(first, run("7"));
    assert_ne!(first["lines"], run("8")["lines"]);
}

#[test]
fn an_attack_that_does_not_exist_is_misuse_and_a_store_that_does_not_is_a_failure() {
    assert_eq!(without_store(&["attack", "--attack", "telepathy"]).status.code(), Some(2));
    assert_eq!(without_store(&["attack", "--data", "nowhere"]).status.code(), Some(1));
}
