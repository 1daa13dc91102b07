//! The `throng` program: command line, configuration, keys, HTTP, and decoding of input.
//!
//! This is the top floor. It opens the store, builds the engine and the gate over it, and hands the gate to the schema;
//! from then on every answer comes through the gate. The one public function is the program itself.

mod assets;
mod authn;
mod backup;
mod cli;
mod command;
mod config;
mod dashboard;
mod demo;
mod erasure;
mod export;
mod failure;
mod files;
mod http;
mod import;
mod ingest;
mod jwt;
mod keys;
mod logging;
mod maintenance;
mod noise_key;
mod output;
mod platform;
mod receipt;
mod telemetry;
mod viewers;
mod watched;

pub use cli::run;
pub use failure::Error;
