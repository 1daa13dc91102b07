//! `throng grant give|list|revoke`: which channels a partner may see, how much of them, and until when.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;
use throng_model::{CreatorId, Timestamp};

use super::key::{creator_id, instant};
use crate::authn::Caller;
use crate::config::Config;
use crate::failure::Failure;
use crate::keys::{self, Grant, KeysError, Register, Role, Scope, State};
use crate::output::Output;

const GIVE_EXAMPLES: &str = "\
A grant to the same partner for the same channel replaces the one before. Ids, handles, titles and lists of videos come with any
grant; a question that asks more than was granted is answered as if the channel did not exist.

Examples:
  throng grant give --key 0123456789ab --creator c42 --scope counters
  throng grant give --subject agency-7 --creator c42 --creator c43 --scope counters --scope insights --expires 2027-01-01";

/// What to do with grants.
#[derive(Debug, Subcommand)]
pub(crate) enum GrantCommand {
    /// Let a partner see channels
    #[command(after_help = GIVE_EXAMPLES)]
    Give {
        #[command(flatten)]
        to: Partner,
        /// A channel that granted it; give it again for several
        #[arg(long = "creator", value_name = "ID", value_parser = creator_id, required = true)]
        creators: Vec<CreatorId<'static>>,
        /// What of them: counters (public counters), insights (the audience), or both
        #[arg(long = "scope", value_name = "SCOPE", value_enum, required = true)]
        scopes: Vec<Scope>,
        /// When it ends: a date (its first instant, UTC) or an RFC 3339 time
        #[arg(long, value_name = "TIME", value_parser = instant)]
        expires: Option<Timestamp>,
    },
    /// List all grants
    List,
    /// Take grants back, at once
    Revoke {
        #[command(flatten)]
        to: Partner,
        /// A channel; without any all that the partner was granted
        #[arg(long = "creator", value_name = "ID", value_parser = creator_id)]
        creators: Vec<CreatorId<'static>>,
    },
}

/// To whom: exactly one of both.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Partner {
    /// The id of a key of the role partner
    #[arg(long, value_name = "ID")]
    key: Option<String>,
    /// The `sub` of JWTs of the role partner
    #[arg(long, value_name = "TEXT", value_parser = subject)]
    subject: Option<String>,
}

impl Partner {
    fn caller(self) -> Caller {
        match self.key {
            Some(id) => Caller::Key(id),
            None => Caller::Subject(self.subject.unwrap_or_default()),
        }
    }
}

fn subject(text: &str) -> Result<String, &'static str> {
    if crate::jwt::is_subject(text) { Ok(text.to_owned()) } else { Err("1 to 128 bytes without control characters") }
}

/// Runs `throng grant …`.
pub(crate) fn grant(command: GrantCommand, config: &Config, output: Output) -> Result<ExitCode, Failure> {
    let path = config.data.join(keys::FILE);
    match command {
        GrantCommand::Give { to, creators, scopes, expires } => {
            let given = give(&path, &to.caller(), creators, scopes, expires)?;
            let rows: Vec<_> = given.iter().map(|grant| row(grant, Timestamp::now())).collect();
            output.result(&table(&given), &json!({ "given": rows }))?;
        }
        GrantCommand::List => {
            let grants = keys::load(&path)?.grants;
            let rows: Vec<_> = grants.iter().map(|grant| row(grant, Timestamp::now())).collect();
            output.result(&table(&grants), &json!({ "grants": rows }))?;
        }
        GrantCommand::Revoke { to, mut creators } => {
            creators.sort();
            creators.dedup();
            let revoked = revoke(&path, &to.caller(), &creators)?;
            output.result(&format!("revoked {revoked}"), &json!({ "revoked": revoked }))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn give(
    path: &Path,
    to: &Caller,
    creators: Vec<CreatorId<'static>>,
    mut scopes: Vec<Scope>,
    expires: Option<Timestamp>,
) -> Result<Vec<Grant>, KeysError> {
    scopes.sort();
    scopes.dedup();
    let given = Timestamp::now();
    let grant = |creator| Grant { to: to.clone(), creator, scopes: scopes.clone(), given, expires };
    let grants: Vec<_> = creators.into_iter().map(grant).collect();
    keys::change(path, |register| {
        must_be_partner(to, register)?;
        for grant in &grants {
            match register.grants.iter_mut().find(|known| known.replaces(grant)) {
                Some(known) => known.clone_from(grant),
                None => register.grants.push(grant.clone()),
            }
        }
        Ok(())
    })?;
    Ok(grants)
}

/// A key must be there and be a partner's; whether a subject is one is said by its tokens.
fn must_be_partner(to: &Caller, register: &Register) -> Result<(), KeysError> {
    let Caller::Key(id) = to else { return Ok(()) };
    let key = register.keys.iter().find(|key| key.id == *id);
    let key = key.ok_or_else(|| KeysError::Unknown { id: id.clone() })?;
    let works = key.role == Role::Partner && key.state(Timestamp::now()) == State::Active;
    if works { Ok(()) } else { Err(KeysError::NoPartner { id: id.clone() }) }
}

/// How many were taken back.
fn revoke(path: &Path, to: &Caller, creators: &[CreatorId<'_>]) -> Result<usize, KeysError> {
    keys::change(path, |register| {
        let before = register.grants.len();
        let named = |grant: &Grant| creators.is_empty() || creators.contains(&grant.creator);
        register.grants.retain(|grant| !(grant.to == *to && named(grant)));
        // One channel that was never granted is a slip of the keyboard, so nothing is done then.
        match before - register.grants.len() {
            0 => Err(KeysError::NoGrant),
            revoked if revoked < creators.len() => Err(KeysError::NoGrant),
            revoked => Ok(revoked),
        }
    })
}

fn table(grants: &[Grant]) -> String {
    let now = Timestamp::now();
    let mut text = format!(
        "{:<24}  {:<7}  {:<24}  {:<24}  {:<18}  {}\n",
        "partner", "state", "given", "expires", "scopes", "creator"
    );
    for grant in grants {
        let partner = match &grant.to {
            Caller::Key(id) => format!("key {id}"),
            Caller::Subject(subject) => format!("subject {subject:?}"),
        };
        let expires = grant.expires.map_or("never".to_owned(), |expires| expires.to_string());
        let scopes: Vec<_> = grant.scopes.iter().map(|scope| scope.name()).collect();
        let (state, given) = (grant.state(now).name(), grant.given.to_string());
        let (scopes, creator) = (scopes.join(" "), grant.creator.as_str());
        // Writing to a `String` cannot fail.
        _ = writeln!(text, "{partner:<24}  {state:<7}  {given:<24}  {expires:<24}  {scopes:<18}  {creator}");
    }
    text
}

fn row(grant: &Grant, now: Timestamp) -> serde_json::Value {
    let (key, subject) = match &grant.to {
        Caller::Key(id) => (Some(id), None),
        Caller::Subject(subject) => (None, Some(subject)),
    };
    json!({
        "key": key,
        "subject": subject,
        "creator": grant.creator.as_str(),
        "scopes": grant.scopes,
        "state": grant.state(now).name(),
        "given": grant.given.to_string(),
        "expires": grant.expires.map(|expires| expires.to_string()),
    })
}
