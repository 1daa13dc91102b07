//! The table of keys: name, comment, check, and how to read the value back. The only list of keys there is.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use throng_privacy::{AUDIENCE_MIN_FLOOR, AUDIENCE_MIN_MAX, Protection, RHO_MAX, RHO_MIN, ROLLING_STEP_DAYS_MAX};
use toml::Value;

use super::{Config, LogFormat, LogLevel, MetricsAccess};
use crate::keys::Role;

/// One key of the configuration.
pub(super) struct Field {
    /// `section.key`, or `key` alone at the top of the file.
    pub(super) path: &'static str,
    /// What it does, for the printed file; one comment line each.
    pub(super) doc: &'static [&'static str],
    /// Checks a value and sets it; the text says what would be right.
    pub(super) set: fn(&mut Config, &Given<'_>) -> Result<(), String>,
    /// The value; `None` where it was not given and has no fixed default.
    pub(super) get: fn(&Config) -> Option<Value>,
}

impl Field {
    pub(super) fn section(&self) -> Option<&'static str> {
        self.path.split_once('.').map(|(section, _)| section)
    }

    pub(super) fn key(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(_, key)| key)
    }

    /// Its variable in the environment.
    pub(super) fn variable(&self) -> String {
        format!("THRONG_{}", self.path.replace('.', "_").to_uppercase())
    }
}

/// A value as it was given: typed in a file, text in the environment.
pub(super) enum Given<'a> {
    /// From a file.
    Toml(&'a Value),
    /// From the environment.
    Text(&'a str),
}

impl Given<'_> {
    fn text(&self) -> Result<&str, String> {
        match self {
            Self::Toml(Value::String(text)) => Ok(text),
            Self::Toml(_) => Err("must be a text in quotes".to_owned()),
            Self::Text(text) => Ok(text),
        }
    }

    fn integer<T: TryFrom<i64> + Into<u64> + Copy + Display>(&self, range: RangeInclusive<T>) -> Result<T, String> {
        let number = match self {
            Self::Toml(Value::Integer(number)) => Some(*number),
            Self::Toml(_) => None,
            Self::Text(text) => text.replace('_', "").parse().ok(),
        };
        let number = number.and_then(|number| T::try_from(number).ok());
        let fits = |&number: &T| {
            (Into::<u64>::into(*range.start())..=Into::<u64>::into(*range.end())).contains(&number.into())
        };
        number.filter(fits).ok_or_else(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
    }

    fn number(&self, range: RangeInclusive<f64>) -> Result<f64, String> {
        let number = match self {
            Self::Toml(Value::Float(number)) => Some(*number),
            Self::Toml(Value::Integer(number)) => Some(*number as f64),
            Self::Toml(_) => None,
            Self::Text(text) => text.parse().ok(),
        };
        let number = number.filter(|number| range.contains(number));
        number.ok_or_else(|| format!("must be a number from {} to {}", range.start(), range.end()))
    }

    fn size(&self, range: RangeInclusive<u64>) -> Result<usize, String> {
        usize::try_from(self.integer(range)?).map_err(|_| "is more than this machine can address".to_owned())
    }

    fn path(&self) -> Result<PathBuf, String> {
        let text = self.text()?;
        if text.is_empty() { Err("must be a path".to_owned()) } else { Ok(PathBuf::from(text)) }
    }

    fn name(&self) -> Result<String, String> {
        let text = self.text()?;
        if text.trim().is_empty() { Err("must be a text that is not empty".to_owned()) } else { Ok(text.to_owned()) }
    }

    fn parsed<T: FromStr>(&self, expected: &str) -> Result<T, String> {
        self.text()?.parse().map_err(|_| format!("must be {expected}"))
    }

    fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, String> {
        let text = self.text()?;
        let names = || words.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(" or ");
        words
            .iter()
            .find_map(|(name, value)| (*name == text).then_some(*value))
            .ok_or_else(|| format!("must be {}", names()))
    }

    fn flag(&self) -> Result<bool, String> {
        match self {
            Self::Toml(Value::Boolean(flag)) => Some(*flag),
            Self::Toml(_) => None,
            Self::Text(text) => text.parse().ok(),
        }
        .ok_or_else(|| "must be true or false".to_owned())
    }

    fn list(&self) -> Result<Vec<String>, String> {
        match self {
            Self::Toml(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned).ok_or_else(|| "must be a list of texts".to_owned()))
                .collect(),
            Self::Toml(_) => Err("must be a list of texts".to_owned()),
            Self::Text(text) => {
                Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
            }
        }
    }
}

fn origins(given: &Given<'_>) -> Result<Vec<String>, String> {
    let origins = given.list()?;
    let is_origin = |origin: &String| {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', ' ', '?', '#', '@']))
    };
    match origins.iter().find(|origin| !is_origin(origin)) {
        None => Ok(origins),
        Some(_) => {
            Err("must be a list of origins such as \"https://studio.example\", without path or wildcard".to_owned())
        }
    }
}

/// Plain HTTP, without a name and a password in it.
fn collector(given: &Given<'_>) -> Result<String, String> {
    let text = given.text()?;
    let host = text.strip_prefix("http://").and_then(|rest| rest.split('/').next());
    let fits = host.is_some_and(|host| !host.is_empty() && !host.contains('@')) && !text.contains(char::is_whitespace);
    fits.then(|| text.to_owned()).ok_or_else(|| {
        "must be an address such as \"http://127.0.0.1:4318/v1/traces\", of a collector that is reached without TLS"
            .to_owned()
    })
}

/// Roles that a JWT may claim. Programs that send events hold keys.
fn jwt_roles(given: &Given<'_>) -> Result<Vec<Role>, String> {
    const ROLES: [Role; 3] = [Role::Creator, Role::Partner, Role::Operator];
    let role = |name: &String| ROLES.into_iter().find(|role| role.name() == name);
    let mut roles: Vec<Role> = given.list()?.iter().map(role).collect::<Option<_>>().ok_or_else(|| {
        "must be a list of roles: \"creator\", \"partner\" and \"operator\" are those that a JWT can have".to_owned()
    })?;
    roles.dedup();
    if roles.is_empty() { Err("must name a role, such as [\"creator\"]".to_owned()) } else { Ok(roles) }
}

fn number<T: TryInto<i64>>(number: T) -> Option<Value> {
    Some(Value::Integer(number.try_into().unwrap_or(i64::MAX)))
}

fn text(text: impl Display) -> Option<Value> {
    Some(Value::String(text.to_string()))
}

const PROTECTIONS: &[(&str, Protection)] = &[("noise", Protection::Noise), ("threshold", Protection::Threshold)];
const GIB: u64 = 1 << 30;
const DAY_MS: u64 = 86_400_000;

/// Every key, in the order of the printed file.
pub(super) const FIELDS: &[Field] = &[
    Field {
        path: "data",
        doc: &["The data directory. `--data DIR` on the command line wins."],
        set: |config, given| given.path().map(|value| config.data = value),
        get: |config| text(config.data.display()),
    },
    Field {
        path: "http.listen",
        doc: &[
            "Address and port of `throng serve`. Only this machine can reach 127.0.0.1; put a TLS proxy in front of more.",
        ],
        set: |config, given| {
            given.parsed("an address and a port such as \"127.0.0.1:8080\"").map(|value| config.http.listen = value)
        },
        get: |config| text(config.http.listen),
    },
    Field {
        path: "http.cors_origins",
        doc: &[
            "Origins whose pages may call the API from a browser, such as [\"https://studio.example\"].",
            "In the environment: separated by commas. Empty: only pages of this server.",
        ],
        set: |config, given| origins(given).map(|value| config.http.cors_origins = value),
        get: |config| Some(Value::Array(config.http.cors_origins.iter().cloned().map(Value::String).collect())),
    },
    Field {
        path: "http.metrics",
        doc: &[
            "Who may read GET /metrics (Prometheus). \"operator\": keys of that role. \"open\": anybody who reaches this port reads how busy",
            "and how well the server is, and operators how much data there is. \"off\": nobody.",
        ],
        set: |config, given| given.word(MetricsAccess::WORDS).map(|value| config.http.metrics = value),
        get: |config| text(config.http.metrics.word()),
    },
    Field {
        path: "http.query_body_bytes_max",
        doc: &["Largest body of a GraphQL request, in bytes; more answers 413."],
        set: |config, given| given.size(1_024..=16 << 20).map(|value| config.http.query_body_bytes_max = value),
        get: |config| number(config.http.query_body_bytes_max),
    },
    Field {
        path: "http.connections_max",
        doc: &["Open connections per worker; further ones wait to be accepted."],
        set: |config, given| given.size(8..=1 << 20).map(|value| config.http.connections_max = value),
        get: |config| number(config.http.connections_max),
    },
    Field {
        path: "http.drain_ms",
        doc: &[
            "How long a stopping server still takes requests while /readyz fails, in milliseconds, for load balancers.",
        ],
        set: |config, given| given.integer(0..=3_600_000).map(|value| config.http.drain_ms = value),
        get: |config| number(config.http.drain_ms),
    },
    Field {
        path: "http.shutdown_timeout_ms",
        doc: &["How long a stopping server waits for requests under way, in milliseconds."],
        set: |config, given| given.integer(0..=3_600_000).map(|value| config.http.shutdown_timeout_ms = value),
        get: |config| number(config.http.shutdown_timeout_ms),
    },
    Field {
        path: "graphql.answers_cache_bytes_max",
        doc: &[
            "Memory for whole answers that can be given again, in bytes: those over sealed days, until anything but events of open",
            "days changes. Callers share one only where they may see the same. 0: every answer is computed.",
        ],
        set: |config, given| given.size(0..=1 << 40).map(|value| config.graphql.answers_cache_bytes_max = value),
        get: |config| number(config.graphql.answers_cache_bytes_max),
    },
    Field {
        path: "graphql.playground",
        doc: &["Whether /playground is there."],
        set: |config, given| given.flag().map(|value| config.graphql.playground = value),
        get: |config| Some(Value::Boolean(config.graphql.playground)),
    },
    Field {
        path: "graphql.introspection",
        doc: &["Whether queries may ask for the schema; the playground needs it. /schema.graphql tells it either way."],
        set: |config, given| given.flag().map(|value| config.graphql.limits.introspection = value),
        get: |config| Some(Value::Boolean(config.graphql.limits.introspection)),
    },
    Field {
        path: "graphql.trusted_documents",
        doc: &[
            "A folder of documents, each in a file that ends in .graphql, read at start. With it nothing else is answered: clients send",
            "a document's text, or the SHA-256 of its file as documentId or as an automatic persisted query. The playground, which",
            "writes its own documents, does not work then; the dashboard does where dashboard/documents are among them.",
        ],
        set: |config, given| given.path().map(|value| config.graphql.trusted_documents = Some(value)),
        get: |config| config.graphql.trusted_documents.as_ref().and_then(|path| text(path.display())),
    },
    Field {
        path: "graphql.query_bytes_max",
        doc: &["Longest document, in bytes."],
        set: |config, given| given.size(64..=16 << 20).map(|value| config.graphql.limits.bytes_max = value),
        get: |config| number(config.graphql.limits.bytes_max),
    },
    Field {
        path: "graphql.tokens_max",
        doc: &["Most tokens of a document."],
        set: |config, given| given.size(16..=1 << 20).map(|value| config.graphql.limits.tokens_max = value),
        get: |config| number(config.graphql.limits.tokens_max),
    },
    Field {
        path: "graphql.depth_max",
        doc: &["Deepest nesting of fields; introspection is exempt."],
        set: |config, given| given.integer(1..=32_u64).map(|value| config.graphql.limits.depth_max = value),
        get: |config| number(config.graphql.limits.depth_max),
    },
    Field {
        path: "graphql.fields_max",
        doc: &["Most fields and fragments of a document after its fragments are expanded."],
        set: |config, given| given.integer(1..=1_000_000_u64).map(|value| config.graphql.limits.fields_max = value),
        get: |config| number(config.graphql.limits.fields_max),
    },
    Field {
        path: "graphql.aliases_max",
        doc: &["Most fields with an alias, counted in the same way."],
        set: |config, given| given.integer(0..=1_000_000_u64).map(|value| config.graphql.limits.aliases_max = value),
        get: |config| number(config.graphql.limits.aliases_max),
    },
    Field {
        path: "graphql.directives_max",
        doc: &["Most directives, counted in the same way."],
        set: |config, given| given.integer(0..=1_000_000_u64).map(|value| config.graphql.limits.directives_max = value),
        get: |config| number(config.graphql.limits.directives_max),
    },
    Field {
        path: "graphql.complexity_max",
        doc: &[
            "Most complexity of a document: fields, times the elements that lists can have; audience insights count 25 to 200.",
        ],
        set: |config, given| given.size(1..=1 << 40).map(|value| config.graphql.limits.complexity_max = value),
        get: |config| number(config.graphql.limits.complexity_max),
    },
    Field {
        path: "graphql.time_ms_max",
        doc: &[
            "Longest computing of one answer, in milliseconds; what is missing then is an error with the code TIMEOUT.",
        ],
        set: |config, given| {
            let time = given.integer(1..=3_600_000).map(Duration::from_millis);
            time.map(|value| config.graphql.limits.time_max = value)
        },
        get: |config| number(config.graphql.limits.time_max.as_millis()),
    },
    Field {
        path: "graphql.concurrent_max",
        doc: &["Queries that one key may have under way, and all callers without one together; more answer 429."],
        set: |config, given| given.size(1..=1 << 20).map(|value| config.graphql.concurrent_max = value),
        get: |config| number(config.graphql.concurrent_max),
    },
    Field {
        path: "graphql.subscription_interval_ms",
        doc: &[
            "How often a subscription is looked at for a new value, in milliseconds, and the key that it came with.",
        ],
        set: |config, given| {
            given.integer(100..=3_600_000).map(|value| config.graphql.subscription_interval_ms = value)
        },
        get: |config| number(config.graphql.subscription_interval_ms),
    },
    Field {
        path: "graphql.subscriptions_per_key_max",
        doc: &[
            "Subscriptions that one key may have open, and all callers without one together; as many WebSockets, too. More are refused.",
        ],
        set: |config, given| given.size(1..=1 << 20).map(|value| config.graphql.subscriptions_per_key_max = value),
        get: |config| number(config.graphql.subscriptions_per_key_max),
    },
    Field {
        path: "graphql.subscriptions_per_connection_max",
        doc: &["Operations that one WebSocket may have open; more are refused."],
        set: |config, given| {
            given.size(1..=1 << 20).map(|value| config.graphql.subscriptions_per_connection_max = value)
        },
        get: |config| number(config.graphql.subscriptions_per_connection_max),
    },
    Field {
        path: "jwt.hs256_file",
        doc: &[
            "JSON Web Tokens for browsers, signed by a service of yours that knows who is logged in. One of three files has the keys that",
            "they are verified by, and is read again whenever it changes. This one: the secret of HS256, shared with that service; at",
            "least 32 bytes drawn at random, readable by nobody else (chmod 600). Who holds it can sign.",
        ],
        set: |config, given| given.path().map(|value| config.jwt.hs256_file = Some(value)),
        get: |config| config.jwt.hs256_file.as_ref().and_then(|path| text(path.display())),
    },
    Field {
        path: "jwt.eddsa_file",
        doc: &["Instead: the public key of EdDSA (Ed25519), in PEM (BEGIN PUBLIC KEY) or as a JWK."],
        set: |config, given| given.path().map(|value| config.jwt.eddsa_file = Some(value)),
        get: |config| config.jwt.eddsa_file.as_ref().and_then(|path| text(path.display())),
    },
    Field {
        path: "jwt.jwks_file",
        doc: &[
            "Instead: a JWK Set of Ed25519 and HS256 keys, each with its `kid`, which tokens name. To rotate keys put the new one beside",
            "the old one, sign with it, and take the old one out once its tokens have expired. Keys of other kinds are left out.",
        ],
        set: |config, given| given.path().map(|value| config.jwt.jwks_file = Some(value)),
        get: |config| config.jwt.jwks_file.as_ref().and_then(|path| text(path.display())),
    },
    Field {
        path: "jwt.issuer",
        doc: &["Who signs: `iss` of every token. Needed with a file of keys."],
        set: |config, given| given.name().map(|value| config.jwt.issuer = Some(value)),
        get: |config| config.jwt.issuer.as_ref().and_then(text),
    },
    Field {
        path: "jwt.audience",
        doc: &["This server's name in `aud` of every token. Needed with a file of keys."],
        set: |config, given| given.name().map(|value| config.jwt.audience = Some(value)),
        get: |config| config.jwt.audience.as_ref().and_then(text),
    },
    Field {
        path: "jwt.roles",
        doc: &[
            "Roles that a token may claim in `role`. \"creator\": the channel in `creator`, or else in `sub`. \"partner\": the channels that",
            "granted it to its `sub`. \"operator\": everything, so that whoever signs has the run of the platform.",
            "In the environment: separated by commas.",
        ],
        set: |config, given| jwt_roles(given).map(|value| config.jwt.roles = value),
        get: |config| {
            Some(Value::Array(config.jwt.roles.iter().map(|role| Value::String(role.name().to_owned())).collect()))
        },
    },
    Field {
        path: "jwt.life_ms_max",
        doc: &[
            "Longest life of a token, from `iat` to `exp`, both of which it must have, in milliseconds; one that lives longer is refused.",
            "A token cannot be taken back by itself before it expires, only together with its key.",
        ],
        set: |config, given| given.integer(60_000..=30 * DAY_MS).map(|value| config.jwt.life_ms_max = value),
        get: |config| number(config.jwt.life_ms_max),
    },
    Field {
        path: "jwt.leeway_ms",
        doc: &[
            "How far the clocks of whoever signs and of this server may differ, in milliseconds; expired tokens work that much longer.",
        ],
        set: |config, given| given.integer(0..=300_000).map(|value| config.jwt.leeway_ms = value),
        get: |config| number(config.jwt.leeway_ms),
    },
    Field {
        path: "jwt.token_bytes_max",
        doc: &["Longest token, in bytes; a longer one is refused unread."],
        set: |config, given| given.size(256..=16 << 10).map(|value| config.jwt.token_bytes_max = value),
        get: |config| number(config.jwt.token_bytes_max),
    },
    Field {
        path: "rate.points_max",
        doc: &[
            "Points that the bucket of each key holds, and one bucket of all callers without a key. A request takes its cost from it before",
            "it is answered (`@cost` in the schema; a dashboard takes some 1,000), or answers 429 with Retry-After. The default is more than",
            "any machine answers: lower both to share one out among keys. 0: nothing is limited.",
        ],
        set: |config, given| given.integer(0..=1 << 30).map(|value| config.rate.points_max = value),
        get: |config| number(config.rate.points_max),
    },
    Field {
        path: "rate.points_per_second",
        doc: &["Points that come back into each bucket in a second. 0: nothing is limited."],
        set: |config, given| given.integer(0..=1 << 30).map(|value| config.rate.points_per_second = value),
        get: |config| number(config.rate.points_per_second),
    },
    Field {
        path: "ingest.line_bytes_max",
        doc: &["Longest line (event or catalogue row), in bytes; a longer one is rejected, and the rest goes on."],
        set: |config, given| given.size(1_024..=16 << 20).map(|value| config.ingest.line_bytes_max = value),
        get: |config| number(config.ingest.line_bytes_max),
    },
    Field {
        path: "ingest.body_bytes_max",
        doc: &["Largest body of POST /v1/events and /v1/catalog as sent, in bytes; more answers 413."],
        set: |config, given| given.size(1_024..=GIB).map(|value| config.ingest.body_bytes_max = value),
        get: |config| number(config.ingest.body_bytes_max),
    },
    Field {
        path: "ingest.decompressed_bytes_max",
        doc: &["Largest such body once decompressed, in bytes; more answers 413."],
        set: |config, given| given.size(1_024..=4 * GIB).map(|value| config.ingest.decompressed_bytes_max = value),
        get: |config| number(config.ingest.decompressed_bytes_max),
    },
    Field {
        path: "ingest.batch_events_max",
        doc: &["Events that `throng import` gathers in memory, some 300 bytes each, and writes at once."],
        set: |config, given| given.size(1..=16 << 20).map(|value| config.ingest.batch_events_max = value),
        get: |config| number(config.ingest.batch_events_max),
    },
    Field {
        path: "ingest.bodies_max",
        doc: &["Bodies taken in at the same time over HTTP; further ones answer 429 with Retry-After."],
        set: |config, given| given.size(1..=1_024).map(|value| config.ingest.bodies_max = value),
        get: |config| number(config.ingest.bodies_max),
    },
    Field {
        path: "ingest.rejected_listed_max",
        doc: &["Rejected lines listed in one answer; all of them are counted."],
        set: |config, given| given.size(0..=1_000_000).map(|value| config.ingest.rejected_listed_max = value),
        get: |config| number(config.ingest.rejected_listed_max),
    },
    Field {
        path: "ingest.future_skew_ms_max",
        doc: &["How far in the future an event's `ts` may lie, in milliseconds, before the line is rejected."],
        set: |config, given| given.integer(0..=365 * DAY_MS).map(|value| config.ingest.future_skew_ms_max = value),
        get: |config| number(config.ingest.future_skew_ms_max),
    },
    Field {
        path: "store.viewer_key_file",
        doc: &[
            "The secret key that turns viewers into pseudonyms. Made at first start, outside the data directory, so that a",
            "copy of the data holds no key. Back it up apart from the data: without it the store does not open.",
        ],
        set: |config, given| given.path().map(|value| config.store.viewer_key_file = Some(value)),
        get: |config| config.store.viewer_key_file.as_ref().and_then(|path| text(path.display())),
    },
    Field {
        path: "store.cache_bytes_max",
        doc: &["Memory for decoded columns, in bytes."],
        set: |config, given| given.size(1 << 20..=1_024 * GIB).map(|value| config.store.cache_bytes_max = value),
        get: |config| number(config.store.cache_bytes_max),
    },
    Field {
        path: "store.lateness_ms",
        doc: &[
            "How long after its end a day stays open for late events, in milliseconds; then `throng serve` seals it.",
        ],
        set: |config, given| given.integer(0..=365 * DAY_MS).map(|value| config.store.lateness_ms = value),
        get: |config| number(config.store.lateness_ms),
    },
    Field {
        path: "store.rows_kept_days",
        doc: &[
            "How many days `throng serve` keeps events; older ones of sealed days go for good, only their sums stay for public",
            "counters. Audience insights need the events of all their days, new and returning viewers those of 365 days before",
            "as well: with fewer days kept, the long windows are not applicable. 0: kept for ever.",
        ],
        set: |config, given| given.integer(0..=36_500).map(|value| config.store.rows_kept_days = value),
        get: |config| number(config.store.rows_kept_days),
    },
    Field {
        path: "store.erasure_every_days",
        doc: &[
            "How often `throng serve` removes the rows of erased viewers, in days. Their names go at once; their rows go together,",
            "so that no single erasure stands out in the public counters. `throng erase --compact` does it now.",
        ],
        set: |config, given| given.integer(1..=30).map(|value| config.store.erasure_every_days = value),
        get: |config| number(config.store.erasure_every_days),
    },
    Field {
        path: "store.disk_free_min_bytes",
        doc: &["Disk space that writes leave free, in bytes; with less, ingest answers 507 and nothing is lost."],
        set: |config, given| given.integer(0..=1 << 50).map(|value| config.store.disk_free_min_bytes = value),
        get: |config| number(config.store.disk_free_min_bytes),
    },
    Field {
        path: "store.flush_timeout_ms",
        doc: &["How long one flush to disk may take, in milliseconds, before the store refuses further writes."],
        set: |config, given| given.integer(100..=3_600_000).map(|value| config.store.flush_timeout_ms = value),
        get: |config| number(config.store.flush_timeout_ms),
    },
    Field {
        path: "privacy.audience_min",
        doc: &["Least number of distinct viewers behind any number that is shown. Never below 10."],
        set: |config, given| {
            given.integer(AUDIENCE_MIN_FLOOR..=AUDIENCE_MIN_MAX).map(|value| config.privacy.audience_min = value)
        },
        get: |config| number(config.privacy.audience_min),
    },
    Field {
        path: "privacy.protection",
        doc: &[
            "\"noise\": audience insights above the minimum carry noise that is drawn once for ever, so that comparing answers, asking",
            "again or sending fake viewers isolates nobody. \"threshold\": exact insights above the minimum. As strong as the big",
            "platforms' own thresholds and no stronger: comparing answers can isolate people.",
        ],
        set: |config, given| given.word(PROTECTIONS).map(|value| config.privacy.protection = value),
        get: |config| text(config.privacy.protection),
    },
    Field {
        path: "privacy.rho",
        doc: &[
            "What one viewer's day with one channel, video or hashtag may cost, over all noisy answers about it: ρ of",
            "zero-concentrated differential privacy. Less means more noise. It matters with \"noise\" alone, and changing it draws",
            "all noise anew: answers from before and after can be averaged, so choose once.",
        ],
        set: |config, given| given.number(RHO_MIN..=RHO_MAX).map(|value| config.privacy.rho = value),
        get: |config| Some(Value::Float(config.privacy.rho)),
    },
    Field {
        path: "privacy.noise_key_file",
        doc: &[
            "The secret key that all noise is drawn from. Made at first start, outside the data directory. Back it up apart from",
            "the data: who holds both holds the true numbers, and without it the server does not start.",
        ],
        set: |config, given| given.path().map(|value| config.privacy.noise_key_file = Some(value)),
        get: |config| config.privacy.noise_key_file.as_ref().and_then(|path| text(path.display())),
    },
    Field {
        path: "privacy.rolling_step_days",
        doc: &[
            "Days between the ends of rolling windows (7 and 28 days). Fewer ends mean less noise. Changing it changes σ, and with",
            "it draws all noise anew, as rho does.",
        ],
        set: |config, given| {
            given.integer(1..=ROLLING_STEP_DAYS_MAX).map(|value| config.privacy.rolling_step_days = value)
        },
        get: |config| number(config.privacy.rolling_step_days),
    },
    Field {
        path: "telemetry.traces_endpoint",
        doc: &[
            "Where traces go: a collector of OpenTelemetry that takes OTLP over HTTP, such as \"http://127.0.0.1:4318/v1/traces\". Spans say",
            "method, route and status of requests, and of questions the operation's kind and name, its cost, its time and the code of",
            "what went wrong; never an id, a variable, a token or a value. So keep ids out of the names of operations. Unset: no traces.",
        ],
        set: |config, given| collector(given).map(|value| config.telemetry.traces_endpoint = Some(value)),
        get: |config| config.telemetry.traces_endpoint.as_ref().and_then(text),
    },
    Field {
        path: "telemetry.service_name",
        doc: &["What this server is called in traces."],
        set: |config, given| given.name().map(|value| config.telemetry.service_name = value),
        get: |config| text(&config.telemetry.service_name),
    },
    Field {
        path: "telemetry.sample_ratio",
        doc: &["The share of requests that are traced, from 0 to 1."],
        set: |config, given| given.number(0.0..=1.0).map(|value| config.telemetry.sample_ratio = value),
        get: |config| Some(Value::Float(config.telemetry.sample_ratio)),
    },
    Field {
        path: "log.format",
        doc: &[
            "Log lines on standard error: \"text\" or \"json\". They never hold a viewer, a token, a query or an answer.",
        ],
        set: |config, given| given.word(LogFormat::WORDS).map(|value| config.log.format = value),
        get: |config| text(config.log.format.word()),
    },
    Field {
        path: "log.level",
        doc: &["\"error\", \"warn\", \"info\" (each request) or \"debug\"."],
        set: |config, given| given.word(LogLevel::WORDS).map(|value| config.log.level = value),
        get: |config| text(config.log.level.word()),
    },
];

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn every_default_passes_its_own_check_from_file_and_environment() {
        let default = Config::default();
        for field in FIELDS {
            let Some(value) = (field.get)(&default) else { continue };
            let mut config = default.clone();
            (field.set)(&mut config, &Given::Toml(&value)).unwrap();
            let text = match &value {
                Value::String(text) => text.clone(),
                Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
                other => other.to_string(),
            };
            (field.set)(&mut config, &Given::Text(&text)).unwrap();
            assert_eq!(config, default, "{}", field.path);
        }
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let refused = |path: &str, text: &str| {
            let field = FIELDS.iter().find(|field| field.path == path).unwrap();
            (field.set)(&mut Config::default(), &Given::Text(text)).unwrap_err()
        };
        assert_eq!(refused("privacy.audience_min", "9"), "must be a whole number from 10 to 1000000");
        assert_eq!(refused("privacy.protection", "none"), "must be \"noise\" or \"threshold\"");
        for wrong in ["0", "11", "NaN", "inf", "much"] {
            assert_eq!(refused("privacy.rho", wrong), "must be a number from 0.001 to 10");
        }
        assert_eq!(refused("store.erasure_every_days", "0"), "must be a whole number from 1 to 30");
        assert!(refused("http.listen", "localhost").contains("127.0.0.1:8080"));
        assert!(refused("http.cors_origins", "*").contains("without path or wildcard"));
        assert!(refused("jwt.roles", "creator,ingest").contains("must be a list of roles"));
        assert!(refused("jwt.roles", "").contains("must name a role"));
        assert!(refused("jwt.issuer", " ").contains("not empty"));
        for wrong in ["https://collector:4318", "http://", "http://name:word@collector", "http://a b", "collector"] {
            assert!(refused("telemetry.traces_endpoint", wrong).contains("without TLS"), "{wrong}");
        }
        assert_eq!(refused("telemetry.sample_ratio", "1.1"), "must be a number from 0 to 1");
        assert!(refused("ingest.bodies_max", "-1").contains("from 1"));
        assert!(refused("data", "").contains("path"));
    }
}
