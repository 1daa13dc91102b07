//! `throng attack`: plays every attack of the privacy specification, and fails where one comes past its bound.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use clap::Args;
use serde_json::json;
use throng_attack::{Attack, AttackError, Options, Platform};
use throng_model::Day;
use throng_store::{MemoryMap, Store};

use super::demo;
use crate::config::{Config, Effective, Origin};
use crate::demo::{SEED, World};
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::platform;

pub(crate) const ATTACK_HELP: &str = "\
Plays each attack over made worlds, and the ones that need no planted crowd also over a platform: copies of the store that
--data or THRONG_DATA names, which is only read, or a small demo. Stop the server first, or name a restored backup. Copies
go to the directory for temporary files, up to five at a time, and away again.

The platform is attacked under the policy in force, the made worlds under the default one. Each attack has controls, which
must break something known to be weak. Exit code 1: an attack came past its bound, or a control found nothing.

Examples:
  throng attack
  throng attack --quick --json
  throng attack --attack erasure --data /srv/throng";

/// The last day of the demo that is attacked: a Monday, so that the windows around it are there.
const DEMO_END: &str = "2026-03-09";

/// What to play.
#[derive(Debug, Args)]
pub(crate) struct AttackOptions {
    /// Play one attack alone
    #[arg(long, value_name = "NAME", value_parser = parse)]
    attack: Option<Attack>,
    /// Only say which attacks there are
    #[arg(long)]
    list: bool,
    /// Makes the same worlds and the same noise again
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Fewer worlds and trials, for continuous integration
    #[arg(long)]
    quick: bool,
}

fn parse(name: &str) -> Result<Attack, String> {
    Attack::from_name(name).ok_or_else(|| "no such attack: --list says which there are".to_owned())
}

/// Plays what was asked for and prints the scorecard.
pub(crate) fn attack(options: &AttackOptions, effective: &Effective, output: Output) -> Result<ExitCode, Failure> {
    if options.list {
        let attacks: BTreeMap<&str, &str> = Attack::ALL.iter().map(|attack| (attack.name(), attack.about())).collect();
        let text: String = Attack::ALL.iter().map(|each| format!("{:<22}{}\n", each.name(), each.about())).collect();
        output.result(&text, &json!(attacks))?;
        return Ok(ExitCode::SUCCESS);
    }
    let given = matches!(effective.origin("data"), Origin::CommandLine(_) | Origin::Environment(_));
    let (config, policy) = (&effective.config, effective.config.policy()?);
    let chosen = Options { seed: options.seed, quick: options.quick, only: options.attack };
    note("Playing …");
    let card = if given {
        let copies = Copies::of(config)?;
        let copy = || copies.open();
        throng_attack::run(chosen, &Platform { name: "the store", policy, copy: &copy })
    } else {
        let demo = small_demo()?;
        let copy = || Ok(Store::in_memory(&MemoryMap::from_entries(demo.entries()), &Default::default())?);
        throng_attack::run(chosen, &Platform { name: "small demo", policy, copy: &copy })
    };
    let card = card.map_err(Failure::Attack)?;
    output.result(&card.to_string(), &json!(card))?;
    Ok(if card.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A small demo in memory.
fn small_demo() -> Result<MemoryMap, Failure> {
    let end = Day::parse(DEMO_END).unwrap_or(Day::MIN);
    let map = MemoryMap::default();
    let store = Store::in_memory(&map, &throng_store::Options { merges: false, ..Default::default() })?;
    demo::build(&store, &World::new(SEED, end, demo::SMALL), end)?;
    Ok(map)
}

/// Copies of a store, each in a directory of its own, until this goes.
struct Copies<'c> {
    config: &'c Config,
    made: Mutex<Vec<PathBuf>>,
}

impl<'c> Copies<'c> {
    fn of(config: &'c Config) -> Result<Self, Failure> {
        if !platform::exists(config) {
            return Err(Failure::NoStore { path: config.data.clone() });
        }
        Ok(Self { config, made: Mutex::new(Vec::new()) })
    }

    fn open(&self) -> Result<Store, AttackError> {
        let path = {
            let mut made = self.made.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let name = format!("throng-attack-{}-{}", std::process::id(), made.len());
            made.push(std::env::temp_dir().join(name));
            made.last().cloned().unwrap_or_default()
        };
        let failed = |error: std::io::Error| AttackError::Platform(error.into());
        // Fails where something is there: nobody can have laid a link for these files.
        std::fs::create_dir(&path).map_err(failed)?;
        copy_files(&self.config.data, &path).map_err(failed)?;
        Ok(platform::open_to_check(&path, self.config)?)
    }
}

impl Drop for Copies<'_> {
    fn drop(&mut self) {
        for path in self.made.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner) {
            // What cannot be removed stays for the system to clear.
            _ = std::fs::remove_dir_all(path);
        }
    }
}

/// Copies a directory's files, and those of directories in it.
fn copy_files(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let (entry, kind) = entry.and_then(|entry| entry.file_type().map(|kind| (entry, kind)))?;
        let target = to.join(entry.file_name());
        if kind.is_dir() {
            std::fs::create_dir(&target)?;
            copy_files(&entry.path(), &target)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
