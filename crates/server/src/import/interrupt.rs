//! Ctrl-C as a flag, so that an import can finish its batch.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

/// Whether somebody asked to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Follows SIGINT and SIGTERM from now on. A second signal ends the process at once.
    pub(crate) fn listen() -> io::Result<Self> {
        let interrupt = Self::default();
        let flag = Arc::clone(&interrupt.0);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (mut interrupted, mut terminated) = {
            let _inside = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = interrupted.recv() => {}
                        _ = terminated.recv() => {}
                    }
                    if flag.swap(true, Ordering::AcqRel) {
                        // What the store acknowledged is durable, so nothing is lost by going now.
                        std::process::exit(130);
                    }
                }
            });
        })?;
        Ok(interrupt)
    }

    /// Whether to stop at the next batch.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// As a signal would.
    #[cfg(test)]
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}
