//! The configuration: one `throng.toml`, every key also in the environment, the command line above both.
//!
//! [`Config`] holds checked values only. Names, comments and checks of the keys are in `fields`, the search for what was
//! given in `load`, the printed file in `render`.

mod amounts;
mod fields;
mod load;
mod render;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use throng_model::Timestamp;
use throng_privacy::{AUDIENCE_MIN_DEFAULT, Policy, PolicyError, Protection, RHO_DEFAULT, ROLLING_STEP_DAYS_DEFAULT};

use crate::ingest::Limits;
use crate::keys::Role;

pub(crate) use load::{ConfigError, Overrides};

/// Everything that can be configured, checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    /// The data directory.
    pub(crate) data: PathBuf,
    pub(crate) http: Http,
    pub(crate) graphql: Graphql,
    pub(crate) jwt: Jwt,
    pub(crate) rate: Rate,
    pub(crate) ingest: Ingest,
    pub(crate) store: Storage,
    pub(crate) privacy: Privacy,
    pub(crate) telemetry: Telemetry,
    pub(crate) log: Log,
}

/// Section `http`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Http {
    pub(crate) listen: SocketAddr,
    pub(crate) cors_origins: Vec<String>,
    pub(crate) metrics: MetricsAccess,
    pub(crate) query_body_bytes_max: usize,
    pub(crate) connections_max: usize,
    pub(crate) drain_ms: u64,
    pub(crate) shutdown_timeout_ms: u64,
}

/// Section `graphql`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Graphql {
    /// 0: no answer is kept.
    pub(crate) answers_cache_bytes_max: usize,
    pub(crate) playground: bool,
    /// The folder of the only documents that are answered.
    pub(crate) trusted_documents: Option<PathBuf>,
    pub(crate) limits: throng_graphql::Limits,
    /// Queries of one key at a time.
    pub(crate) concurrent_max: usize,
    pub(crate) subscription_interval_ms: u64,
    pub(crate) subscriptions_per_key_max: usize,
    pub(crate) subscriptions_per_connection_max: usize,
}

/// Section `jwt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Jwt {
    pub(crate) hs256_file: Option<PathBuf>,
    pub(crate) eddsa_file: Option<PathBuf>,
    pub(crate) jwks_file: Option<PathBuf>,
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
    /// Those that a token may claim.
    pub(crate) roles: Vec<Role>,
    pub(crate) life_ms_max: u64,
    pub(crate) leeway_ms: u64,
    pub(crate) token_bytes_max: usize,
}

/// Section `rate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rate {
    /// What the bucket of one caller holds; 0 limits nothing.
    pub(crate) points_max: u32,
    /// What comes back into it; 0 limits nothing.
    pub(crate) points_per_second: u32,
}

/// Section `ingest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ingest {
    pub(crate) line_bytes_max: usize,
    pub(crate) body_bytes_max: usize,
    pub(crate) decompressed_bytes_max: usize,
    pub(crate) batch_events_max: usize,
    pub(crate) bodies_max: usize,
    pub(crate) rejected_listed_max: usize,
    pub(crate) future_skew_ms_max: u64,
}

/// Section `store`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Storage {
    pub(crate) viewer_key_file: Option<PathBuf>,
    pub(crate) cache_bytes_max: usize,
    pub(crate) lateness_ms: u64,
    /// 0: for ever.
    pub(crate) rows_kept_days: u16,
    pub(crate) erasure_every_days: u16,
    pub(crate) disk_free_min_bytes: u64,
    pub(crate) flush_timeout_ms: u64,
}

/// Section `privacy`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Privacy {
    pub(crate) audience_min: u32,
    pub(crate) protection: Protection,
    pub(crate) rho: f64,
    pub(crate) noise_key_file: Option<PathBuf>,
    pub(crate) rolling_step_days: u16,
}

/// Section `telemetry`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Telemetry {
    pub(crate) traces_endpoint: Option<String>,
    pub(crate) service_name: String,
    pub(crate) sample_ratio: f64,
}

/// Section `log`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) level: LogLevel,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            const WORDS: &'static [(&'static str, Self)] = &[$(($text, Self::$variant)),+];

            fn word(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

words!(
    /// Who may read `/metrics`.
    MetricsAccess {
        /// Operators.
        Operator = "operator",
        /// Anybody, what is not about data; operators the rest too.
        Open = "open",
        /// Nobody.
        Off = "off",
    }
);

words!(
    /// How log lines look.
    LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
);

words!(
    /// The least severe lines that are logged.
    LogLevel {
        /// What failed.
        Error = "error",
        /// And what may soon.
        Warn = "warn",
        /// And each request.
        Info = "info",
        /// And each step.
        Debug = "debug",
    }
);

impl Config {
    /// Where the key is kept that turns viewers into pseudonyms: never inside the data directory, so that a copy of the
    /// data holds no key.
    pub(crate) fn viewer_key_file(&self) -> PathBuf {
        match &self.store.viewer_key_file {
            Some(path) => path.clone(),
            None => beside(&self.data, "viewer-key"),
        }
    }

    /// Where the key is kept that all noise is drawn from; never inside the data directory either.
    pub(crate) fn noise_key_file(&self) -> PathBuf {
        match &self.privacy.noise_key_file {
            Some(path) => path.clone(),
            None => beside(&self.data, "noise-key"),
        }
    }

    /// The privacy policy.
    pub(crate) fn policy(&self) -> Result<Policy, PolicyError> {
        let Privacy { audience_min, protection, rolling_step_days, rho, .. } = self.privacy;
        Policy::new(audience_min, protection, rolling_step_days)?.with_rho(rho)
    }

    /// What input may be.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            line_bytes_max: self.ingest.line_bytes_max,
            body_bytes_max: self.ingest.body_bytes_max,
            decompressed_bytes_max: self.ingest.decompressed_bytes_max,
            errors_max: self.ingest.rejected_listed_max,
            future_skew_ms: i64::try_from(self.ingest.future_skew_ms_max).unwrap_or(i64::MAX),
            ts_min: Timestamp::MIN,
        }
    }
}

/// `DIR.suffix` beside the directory `DIR`.
pub(crate) fn beside(data: &Path, suffix: &str) -> PathBuf {
    let mut name = data.file_name().unwrap_or("throng-data".as_ref()).to_os_string();
    name.push(".");
    name.push(suffix);
    data.with_file_name(name)
}

impl Default for Config {
    fn default() -> Self {
        const MIB: usize = 1 << 20;
        Self {
            data: PathBuf::from("throng-data"),
            http: Http {
                listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
                cors_origins: Vec::new(),
                metrics: MetricsAccess::Operator,
                query_body_bytes_max: 256 << 10,
                connections_max: 1_024,
                drain_ms: 0,
                shutdown_timeout_ms: 30_000,
            },
            graphql: Graphql {
                answers_cache_bytes_max: 64 * MIB,
                playground: true,
                trusted_documents: None,
                limits: throng_graphql::Limits::default(),
                concurrent_max: 64,
                subscription_interval_ms: 2_000,
                subscriptions_per_key_max: 256,
                subscriptions_per_connection_max: 64,
            },
            jwt: Jwt {
                hs256_file: None,
                eddsa_file: None,
                jwks_file: None,
                issuer: None,
                audience: None,
                roles: vec![Role::Creator, Role::Partner],
                life_ms_max: 3_600_000,
                leeway_ms: 10_000,
                token_bytes_max: 4_096,
            },
            // More than any machine answers: what a fair share is depends on how many share it.
            rate: Rate { points_max: 1_000_000_000, points_per_second: 1_000_000_000 },
            ingest: Ingest {
                line_bytes_max: 64 << 10,
                body_bytes_max: 8 * MIB,
                decompressed_bytes_max: 64 * MIB,
                batch_events_max: 1 << 20,
                bodies_max: 8,
                rejected_listed_max: 1_000,
                future_skew_ms_max: 600_000,
            },
            store: Storage {
                viewer_key_file: None,
                cache_bytes_max: 256 * MIB,
                lateness_ms: 86_400_000,
                rows_kept_days: 0,
                erasure_every_days: 7,
                disk_free_min_bytes: 32 << 20,
                flush_timeout_ms: 30_000,
            },
            privacy: Privacy {
                audience_min: AUDIENCE_MIN_DEFAULT,
                protection: Protection::Noise,
                rho: RHO_DEFAULT,
                noise_key_file: None,
                rolling_step_days: ROLLING_STEP_DAYS_DEFAULT,
            },
            telemetry: Telemetry { traces_endpoint: None, service_name: "throng".to_owned(), sample_ratio: 1.0 },
            log: Log { format: LogFormat::Text, level: LogLevel::Info },
        }
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody gave it.
    Default,
    /// A configuration file.
    File(PathBuf),
    /// A variable of the environment.
    Environment(String),
    /// An option of the command line.
    CommandLine(&'static str),
}

/// A configuration, and where each value came from.
#[derive(Debug, Clone)]
pub(crate) struct Effective {
    pub(crate) config: Config,
    origins: BTreeMap<&'static str, Origin>,
}

impl Effective {
    /// Where the value of a key came from.
    pub(crate) fn origin(&self, path: &str) -> &Origin {
        self.origins.get(path).unwrap_or(&Origin::Default)
    }
}
