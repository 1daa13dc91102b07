//! `throng key create|list|revoke|audit`: the API keys of a data directory.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use throng_model::{CreatorId, Day, Timestamp, Zone};

use crate::config::Config;
use crate::failure::Failure;
use crate::keys::{self, Audit, Key, KeysError, Record, Role, Token};
use crate::output::{Output, note};

const CREATE_EXAMPLES: &str = "\
Examples:
  throng key create --role operator --name ops
  throng key create --role ingest --name pipeline
  throng key create --role creator --creator c42 --expires 2027-01-01
  throng key create --role partner --name agency";

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key and print it, once: only its hash is kept
    #[command(after_help = CREATE_EXAMPLES)]
    Create {
        /// What its holder may do: operator (all channels, and ingest), ingest (send only), creator (one channel), partner
        #[arg(long, value_enum)]
        role: Role,
        /// A channel that it may see: exactly one for a creator; for a partner any number that it sees all of, without a grant
        #[arg(long = "creator", value_name = "ID", value_parser = creator_id)]
        creators: Vec<CreatorId<'static>>,
        /// What you call it in lists
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// When it stops working: a date (its first instant, UTC) or an RFC 3339 time
        #[arg(long, value_name = "TIME", value_parser = instant)]
        expires: Option<Timestamp>,
    },
    /// List all keys, without their secrets
    List,
    /// Make a key useless, at once and for ever
    Revoke {
        /// The id that `throng key list` prints
        id: String,
    },
    /// Print what was done to keys and grants, by whom and when: the audit log beside the data directory
    Audit,
}

pub(super) fn creator_id(text: &str) -> Result<CreatorId<'static>, throng_model::IdError> {
    CreatorId::parse(text.to_owned())
}

pub(super) fn instant(text: &str) -> Result<Timestamp, throng_model::PeriodError> {
    match Day::parse(text) {
        // The first instant of a day can lie behind the last one that is written and read back.
        Ok(day) => Timestamp::from_millis(Zone::UTC.day_start(day).millis()),
        Err(_) => Timestamp::parse(text),
    }
}

/// Runs `throng key …`.
pub(crate) fn key(command: KeyCommand, config: &Config, output: Output) -> Result<ExitCode, Failure> {
    let path = config.data.join(keys::FILE);
    match command {
        KeyCommand::Create { role, creators, name, expires } => {
            if let Some(complaint) = misfit(role, creators.len()) {
                note(&format!("throng: {complaint}"));
                return Ok(ExitCode::from(2));
            }
            std::fs::create_dir_all(&config.data).map_err(|source| Failure::File {
                act: "create the data directory",
                path: config.data.clone(),
                source,
            })?;
            let sees_nothing = role == Role::Partner && creators.is_empty();
            let token = create(&path, role, creators, name, expires)?;
            let text = format!("{}\n", token.reveal());
            output.result(&text, &json!({ "id": token.id(), "role": role.name(), "token": token.reveal() }))?;
            if output == Output::Text {
                note("Keep it safe: it is shown only now.");
                if sees_nothing {
                    note(&format!(
                        "It sees nothing until channels are granted: throng grant give --key {}",
                        token.id()
                    ));
                }
            }
        }
        KeyCommand::List => list(&path, output)?,
        KeyCommand::Audit => audit(&path, output)?,
        KeyCommand::Revoke { id } => {
            revoke(&path, &id)?;
            output.result(&format!("revoked {id}"), &json!({ "revoked": id }))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn misfit(role: Role, creators: usize) -> Option<&'static str> {
    match (role, creators) {
        (Role::Operator | Role::Ingest, 1..) => Some("--creator fits only the roles creator and partner"),
        (Role::Creator, 0 | 2..) => Some("a creator's key needs exactly one --creator ID"),
        _ => None,
    }
}

/// Makes a key and keeps its hash.
pub(super) fn create(
    path: &Path,
    role: Role,
    creators: Vec<CreatorId<'static>>,
    name: Option<String>,
    expires: Option<Timestamp>,
) -> Result<Token, KeysError> {
    let token = Token::mint().map_err(KeysError::Random)?;
    let key = Key {
        id: token.id().to_owned(),
        role,
        creators,
        name,
        created: Timestamp::now(),
        expires,
        revoked: None,
        hash: token.hash(),
    };
    keys::change(path, |register| {
        register.keys.push(key);
        Ok(())
    })?;
    Ok(token)
}

fn revoke(path: &Path, id: &str) -> Result<(), KeysError> {
    keys::change(path, |register| {
        let key = register.keys.iter_mut().find(|key| key.id == id);
        let key = key.ok_or_else(|| KeysError::Unknown { id: id.to_owned() })?;
        // The first revocation is the one that counts.
        key.revoked.get_or_insert_with(Timestamp::now);
        Ok(())
    })
}

fn list(path: &Path, output: Output) -> Result<(), Failure> {
    let now = Timestamp::now();
    let keys = keys::load(path)?.keys;
    let mut text =
        format!("{:<12}  {:<8}  {:<7}  {:<24}  {:<24}  {}\n", "id", "role", "state", "created", "expires", "name");
    for key in &keys {
        let expires = key.expires.map_or("never".to_owned(), |expires| expires.to_string());
        let creators: Vec<_> = key.creators.iter().map(CreatorId::as_str).collect();
        let mut name = key.name.clone().unwrap_or_default();
        if !creators.is_empty() {
            name = format!("{name} [{}]", creators.join(", ")).trim().to_owned();
        }
        // Writing to a `String` cannot fail.
        _ = writeln!(
            text,
            "{:<12}  {:<8}  {:<7}  {:<24}  {expires:<24}  {name}",
            key.id,
            key.role.name(),
            key.state(now).name(),
            key.created.to_string(),
        );
    }
    let rows: Vec<_> = keys.iter().map(|key| row(key, now)).collect();
    output.result(&text, &json!({ "keys": rows }))
}

fn audit(path: &Path, output: Output) -> Result<(), Failure> {
    let records = Audit::of(path).read()?;
    let mut text = String::new();
    for record in &records {
        let Some(Record { at, by, action, key, subject, role, creators, scopes, .. }) = record else {
            text.push_str("a line that was cut short\n");
            continue;
        };
        let whose = key.clone().or_else(|| Some(format!("subject {:?}", subject.as_ref()?))).unwrap_or_default();
        let scopes: String = scopes.iter().map(|scope| format!(" {}", scope.name())).collect();
        let (action, creators) = (action.name(), creators.join(", "));
        // Writing to a `String` cannot fail.
        _ = writeln!(text, "{at:<24}  {by:<16}  {action:<13}  {whose}  {role} [{creators}]{scopes}");
    }
    output.result(&text, &json!({ "records": records }))
}

fn row(key: &Key, now: Timestamp) -> serde_json::Value {
    let text = |instant: Option<Timestamp>| instant.map(|instant| instant.to_string());
    json!({
        "id": key.id,
        "role": key.role.name(),
        "state": key.state(now).name(),
        "creators": key.creators.iter().map(CreatorId::as_str).collect::<Vec<_>>(),
        "name": key.name,
        "created": key.created.to_string(),
        "expires": text(key.expires),
        "revoked": text(key.revoked),
    })
}
