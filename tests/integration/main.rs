//! Tests of the whole program, from outside: the binary is run, and spoken to over its command line and over HTTP.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod attack;
mod backup;
mod browser;
mod cli;
mod client;
mod clients;
mod documents;
mod duckdb;
mod erase;
mod export;
mod floors;
mod grants;
mod graphql_http;
mod ingest;
mod issuer;
mod jwt;
mod keys;
mod logs;
mod metrics;
mod no_token;
mod noise;
mod overlap;
mod platform;
mod real_data;
mod retention;
mod server;
mod stream_client;
mod subscriptions;
#[cfg(feature = "otlp")]
mod telemetry;
mod tokens;
mod trending;
mod world;

/// Says something past the capture of a passing test's output.
fn say(what: &str) {
    use std::io::Write as _;
    writeln!(std::io::stderr(), "\n{what}").expect("stderr is open");
}

/// Says loudly that something was not checked.
fn skipped(what: &str) {
    say(&format!("!!! SKIPPED: {what}"));
}
