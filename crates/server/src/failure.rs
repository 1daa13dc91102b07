//! Why a command failed. Messages say what, where, and how to mend it.

use std::io;
use std::path::PathBuf;

use crate::config::ConfigError;
use crate::keys::KeysError;

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
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error("cannot write the result")]
    Output(#[source] io::Error),
    #[error("cannot {act} {}", path.display())]
    File { act: &'static str, path: PathBuf, source: io::Error },
}
