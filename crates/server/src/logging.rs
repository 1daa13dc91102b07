//! Log lines on standard error. They never hold a viewer, a token, a query or an answer.
//!
//! Only Throng's own lines are logged, and those of the part of the server that accepts connections: other libraries may
//! log what they parse, and what they parse are requests.

use std::io;
use std::panic;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogFormat, LogLevel};

/// Starts logging. Does nothing where a subscriber is set already.
pub(crate) fn start(log: &Log) {
    let level = match log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let targets = Targets::new().with_target("throng", level).with_target("actix_server", LevelFilter::WARN.min(level));
    let lines = fmt::layer().with_writer(io::stderr);
    let registry = tracing_subscriber::registry().with(targets);
    _ = match log.format {
        LogFormat::Text => registry.with(lines.with_ansi(io::IsTerminal::is_terminal(&io::stderr()))).try_init(),
        LogFormat::Json => registry.with(lines.json()).try_init(),
    };
    // A panic's message may quote the value that it choked on; where it happened is enough to find it.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
        tracing::error!(place, "a bug: this task was given up");
    }));
}
