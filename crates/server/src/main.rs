//! The `throng` binary: hands the command line to [`throng_server::run`] and turns its result into an exit code.

use std::io::Write as _;
use std::process::ExitCode;

/// Requests and imports make many small values on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match throng_server::run(std::env::args_os()) {
        Ok(code) => code,
        Err(error) => {
            let error = anyhow::Error::new(error);
            // Nothing is left to tell when stderr is closed.
            _ = writeln!(std::io::stderr(), "throng: {error:#}");
            ExitCode::FAILURE
        }
    }
}
