//! Why a command failed. Messages say what, where, and how to mend it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use throng_attack::AttackError;
use throng_model::Day;
use throng_privacy::PolicyError;
use throng_store::{OpenError, VerifyError, WriteError};

use crate::backup::BackupError;
use crate::config::ConfigError;
use crate::http::TrustError;
use crate::ingest::InputError;
use crate::jwt::JwtError;
use crate::keys::KeysError;
use crate::noise_key::NoiseKeyError;
use crate::telemetry::TelemetryError;
use crate::viewers::BadViewers;

/// Why `throng` failed; its sources say more.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Failure);

/// The same, with its kinds.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Failure {
    #[error("the configuration was refused")]
    Config(#[from] ConfigError),
    #[error("the configuration was refused")]
    Policy(#[from] PolicyError),
    #[error("traces cannot be sent")]
    Telemetry(#[from] TelemetryError),
    #[error("JSON Web Tokens cannot be taken")]
    Jwt(#[from] JwtError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error("the data directory was not opened")]
    Open(#[from] OpenError),
    #[error(transparent)]
    NoiseKey(#[from] NoiseKeyError),
    #[error("the attacks were not played to their end")]
    Attack(#[source] AttackError),
    #[error("no backup was made")]
    Backup(#[source] BackupError),
    #[error("nothing was restored")]
    Restore(#[source] BackupError),
    #[error(transparent)]
    Viewers(#[from] BadViewers),
    #[error("the viewers are erased, but their rows could not be removed yet: `throng erase --compact` tries again")]
    Compact(#[source] WriteError),
    #[error("there is no store in {}; `throng import` or `throng serve` makes one", path.display())]
    NoStore { path: PathBuf },
    #[error("{} holds something else than a demo: name another directory with --data", path.display())]
    NoDemo { path: PathBuf },
    #[error("{} holds another demo, through {end}: leave the options out to take it, or name another directory with --data", path.display())]
    OtherDemo { path: PathBuf, end: String },
    #[error("a demo cannot end on {end}, which is not over in every time zone: take {newest} or earlier")]
    FutureDemo { end: Day, newest: Day },
    #[error("the trusted documents were not read")]
    Trust(#[from] TrustError),
    #[error("the store was not read")]
    Verify(#[from] VerifyError),
    #[error("the store took no more")]
    Write(#[from] WriteError),
    #[error("{} was not read to its end", path.display())]
    Input { path: PathBuf, source: InputError },
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("signals cannot be followed")]
    Signals(#[source] io::Error),
    #[error("the server failed")]
    Server(#[source] io::Error),
    #[error("cannot write the result")]
    Output(#[source] io::Error),
    #[error("cannot {act} {}", path.display())]
    File { act: &'static str, path: PathBuf, source: io::Error },
}
