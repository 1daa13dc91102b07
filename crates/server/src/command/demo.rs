//! `throng demo`: a made-up platform in its own data directory, sealed and served, with a query to paste.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Instant;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use throng_model::{CreatorId, Day, Timestamp};
use throng_store::{AppendMode, Store};

use super::{key, serve};
use crate::config::{Config, Effective, Origin};
use crate::demo::{SEED, Scale, World};
use crate::failure::Failure;
use crate::keys::{self, Role, Token};
use crate::output::{Output, note};
use crate::{files, logging, platform};

/// Where the demo lives unless told otherwise; never where a platform's own data are.
const DATA: &str = "throng-demo";
/// The file in the data directory that says that it holds a demo.
const MARKER: &str = "demo.json";
/// The name of the keys that a demo makes; each start replaces them, since only hashes are kept.
const KEY_NAME: &str = "throng demo";

/// What `--small` makes: some tens of thousands of events.
pub(super) const SMALL: Scale = Scale { viewers: 4_000, creators: 40, views: 16_000, days: 28 };

/// How to run the demo.
#[derive(Debug, Args)]
pub(crate) struct DemoOptions {
    /// Address and port; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// The last day of the made-up platform, at most the default [default: the newest day that is over in every time zone]
    #[arg(long, value_name = "DATE", value_parser = Day::parse)]
    end: Option<Day>,
    /// A small platform: 40 creators over 28 days, made in a second or two
    #[arg(long)]
    small: bool,
    /// Only make the data
    #[arg(long)]
    no_serve: bool,
}

/// What the data directory holds.
#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    seed: u64,
    end: String,
    small: bool,
    finished: bool,
}

/// Makes the demo, or takes the one that is there, and serves it.
pub(crate) fn demo(options: &DemoOptions, effective: Effective, output: Output) -> Result<ExitCode, Failure> {
    let given = matches!(effective.origin("data"), Origin::CommandLine(_) | Origin::Environment(_));
    let mut config = effective.config;
    if !given {
        config.data = PathBuf::from(DATA);
    }
    let policy = config.policy()?;
    let marker = marker(&config, options)?;
    let end = Day::parse(&marker.end).map_err(|_| Failure::NoDemo { path: config.data.clone() })?;
    let store = platform::open(&config)?;
    let world = World::new(marker.seed, end, if marker.small { SMALL } else { Scale::DEMO });
    if marker.finished {
        let data = config.data.display();
        note(&format!("The demo in {data} is taken as it is; its days end on {end}. Delete {data} for a fresh one."));
    } else {
        write_marker(&config.data, &marker)?;
        build(&store, &world, end)?;
        write_marker(&config.data, &Marker { finished: true, ..marker })?;
    }
    let tokens = Tokens::make(&config.data.join(keys::FILE), world.featured_creator(), end)?;
    if options.no_serve {
        drop(store);
        let data = config.data.display();
        let text = format!(
            "operator token  {}\ncreator token   {}\nserve it        throng serve --data {data}",
            tokens.operator.reveal(),
            tokens.creator.reveal()
        );
        output.result(&text, &tokens.json(&config.data, &[]))?;
        return Ok(ExitCode::SUCCESS);
    }
    logging::start(&config.log);
    serve::run(&config, store, policy, |addresses| {
        output.result(&tokens.text(addresses), &tokens.json(&config.data, addresses))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The demo that is there, or the one to make. A directory that holds anything else is refused.
fn marker(config: &Config, options: &DemoOptions) -> Result<Marker, Failure> {
    let path = config.data.join(MARKER);
    let found = match std::fs::read(&path) {
        Ok(text) => serde_json::from_slice::<Marker>(&text).ok(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !platform::exists(config) => {
            let end = end(options.end, Timestamp::now())?;
            return Ok(Marker { seed: SEED, end: end.to_string(), small: options.small, finished: false });
        }
        Err(_) => None,
    };
    let found = found.ok_or_else(|| Failure::NoDemo { path: config.data.clone() })?;
    let other = options.end.is_some_and(|end| end.to_string() != found.end) || (options.small && !found.small);
    if other { Err(Failure::OtherDemo { path: config.data.clone(), end: found.end }) } else { Ok(found) }
}

/// The last day of a demo that is made now.
fn end(given: Option<Day>, now: Timestamp) -> Result<Day, Failure> {
    let newest = World::newest_end(now);
    match given {
        Some(end) if end > newest => Err(Failure::FutureDemo { end, newest }),
        given => Ok(given.unwrap_or(newest)),
    }
}

fn write_marker(data: &Path, marker: &Marker) -> Result<(), Failure> {
    let path = data.join(MARKER);
    let text = json!(marker).to_string();
    files::replace(&path, text.as_bytes()).map_err(|source| Failure::File { act: "write", path, source })
}

/// Fills the store. Made again after an interruption, what is there already is a duplicate.
pub(super) fn build(store: &Store, world: &World, end: Day) -> Result<(), Failure> {
    let began = Instant::now();
    note(&format!("Making a platform of {} days through {end} …", world.days().days()));
    store.put_catalogue(world.videos(), world.creators())?;
    // One day is made while the one before is stored.
    let (sender, days) = sync_channel(1);
    let events = thread::scope(|scope| {
        scope.spawn(move || world.events().try_for_each(|day| sender.send(day)));
        let mut events = 0;
        for day in days {
            events += store.append(&day, AppendMode::Normal)?.len();
        }
        Ok::<usize, Failure>(events)
    })?;
    store.seal_through(end)?;
    store.checkpoint()?;
    note(&format!("{events} events, sealed, in {:.0} s.", began.elapsed().as_secs_f64()));
    Ok(())
}

struct Tokens {
    operator: Token,
    creator: Token,
    creator_id: String,
    end: Day,
}

impl Tokens {
    /// New keys; those of an earlier start are dropped.
    fn make(path: &Path, creator: &str, end: Day) -> Result<Self, Failure> {
        keys::change(path, |register| {
            register.keys.retain(|key| key.name.as_deref() != Some(KEY_NAME));
            Ok(())
        })?;
        let make = |role, creators| key::create(path, role, creators, Some(KEY_NAME.to_owned()), None);
        let ids = CreatorId::parse(creator.to_owned()).into_iter().collect();
        let (operator, of_creator) = (make(Role::Operator, Vec::new())?, make(Role::Creator, ids)?);
        Ok(Self { operator, creator: of_creator, creator_id: creator.to_owned(), end })
    }

    fn text(&self, addresses: &[SocketAddr]) -> String {
        let url = addresses.first().map(|address| format!("http://{address}")).unwrap_or_default();
        let (creator, token) = (&self.creator_id, self.creator.reveal());
        let query = format!(
            "{{ creator(id: \\\"{creator}\\\") {{ handle counters(range: {{last: 28}}) {{ views {{ value }} likes {{ value }} }} \
             audience(window: {{kind: LAST_28_DAYS}}) {{ reach {{ value disclosure }} }} }} }}"
        );
        format!(
            "\nDashboard        {url}/#token={token}&creator={creator}\n\
             Playground       {url}/playground#token={token}&creator={creator}\n\
             Creator {creator:<8} {token}\n\
             Operator         {}\n\n\
             curl -s {url}/graphql -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \\\n  \
             -d '{{\"query\": \"{query}\"}}'\n\n\
             Ctrl-C ends it; the data stay.",
            self.operator.reveal(),
        )
    }

    fn json(&self, data: &Path, addresses: &[SocketAddr]) -> Value {
        json!({
            "listening": addresses.iter().map(|address| format!("http://{address}")).collect::<Vec<_>>(),
            "data": data.display().to_string(),
            "end": self.end.to_string(),
            "creator": self.creator_id,
            "creator_token": self.creator.reveal(),
            "operator_token": self.operator.reveal(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_demo_ends_with_the_newest_day_that_is_over_everywhere_or_earlier() {
        let day = |text| Day::parse(text).unwrap();
        let now = |text| Timestamp::parse(text).unwrap();
        let (morning, noon) = (now("2026-03-10T11:59:59Z"), now("2026-03-10T12:00:00Z"));
        assert_eq!(end(None, morning).unwrap(), day("2026-03-08"));
        assert_eq!(end(None, noon).unwrap(), day("2026-03-09"));
        for earlier in ["2026-03-09", "2026-03-08", "2025-12-31"] {
            assert_eq!(end(Some(day(earlier)), noon).unwrap(), day(earlier));
        }
        for (given, now, newest) in [
            ("2026-03-09", morning, "2026-03-08"),
            ("2026-03-10", noon, "2026-03-09"),
            ("2099-01-01", noon, "2026-03-09"),
        ] {
            let refused = end(Some(day(given)), now).unwrap_err().to_string();
            let expected =
                format!("a demo cannot end on {given}, which is not over in every time zone: take {newest} or earlier");
            assert_eq!(refused, expected);
        }
    }
}
