//! One file per command: what `throng NAME` does.

mod attack;
mod backup;
mod config;
mod demo;
mod erase;
mod grant;
mod import;
mod key;
mod restore;
mod schema;
mod seal;
mod serve;
mod verify;

pub(crate) use attack::{ATTACK_HELP, AttackOptions, attack};
pub(crate) use backup::{BACKUP_HELP, BackupOptions, backup};
pub(crate) use config::config;
pub(crate) use demo::{DemoOptions, demo};
pub(crate) use erase::{ERASE_HELP, EraseOptions, erase};
pub(crate) use grant::{GrantCommand, grant};
pub(crate) use import::{IMPORT_HELP, ImportOptions, import};
pub(crate) use key::{KeyCommand, key};
pub(crate) use restore::{RESTORE_HELP, restore};
pub(crate) use schema::{SchemaOptions, schema};
pub(crate) use seal::seal;
pub(crate) use serve::serve;
pub(crate) use verify::verify;
