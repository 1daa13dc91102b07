//! The life of a server: start, look after the store, stop in order.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{rt, web};
use throng_model::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Service, start};
use crate::config::Config;
use crate::failure::Failure;
use crate::maintenance::Maintenance;

/// How often the store is looked after.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(60);

/// Serves until a signal comes, then stops in order: readiness fails, requests under way finish, and the store is closed by
/// whoever holds it last. `announce` learns the addresses once they answer.
pub(crate) fn run(
    service: Service,
    config: &Config,
    announce: impl FnOnce(&[SocketAddr]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    rt::System::new().block_on(async {
        let service = web::Data::new(service);
        // Before anything is announced, so that no signal is missed.
        let mut stop = Stop::listen().map_err(Failure::Server)?;
        let address = config.http.listen;
        let maintenance = Maintenance::new(service.store.clone(), config);
        // Before anything is answered, so that the first answers say the same as those a moment later.
        maintenance.seal(Timestamp::now());
        let server = start(&service, config).map_err(|source| Failure::Listen { address, source })?;
        let running = rt::spawn(server.running);
        let maintaining = rt::spawn(maintain(maintenance));
        announce(&server.addresses)?;
        tokio::pin!(running);
        tokio::select! {
            ended = &mut running => return joined(ended),
            () = stop.signalled() => {}
        }
        service.stop_being_ready();
        maintaining.abort();
        tracing::info!("stopping");
        let drain = Duration::from_millis(config.http.drain_ms);
        stop_in_order(&service, &server.handle, &mut stop, drain).await;
        let ended = joined(running.await);
        let (answers_kept, answers_computed) = service.answers.hits_and_misses();
        // Nothing else is to do for this thread, and the last spans are made.
        service.telemetry.stop();
        tracing::info!(answers_kept, answers_computed, "stopped");
        ended
    })
}

fn joined(ended: Result<std::io::Result<()>, tokio::task::JoinError>) -> Result<(), Failure> {
    ended.map_err(std::io::Error::other).and_then(|ended| ended).map_err(Failure::Server)
}

/// Takes requests for a while longer, then ends streams and finishes requests under way. Another signal cuts both short.
async fn stop_in_order(service: &Service, server: &ServerHandle, stop: &mut Stop, drain: Duration) {
    let in_order = async {
        tokio::time::sleep(drain).await;
        service.streams.end();
        server.stop(true).await;
    };
    let cut_short = tokio::select! {
        () = in_order => false,
        () = stop.signalled() => true,
    };
    if cut_short {
        service.streams.end();
        server.stop(false).await;
    }
}

/// Does what is due: now, and again every minute.
async fn maintain(maintenance: Maintenance) {
    let maintenance = Arc::new(Mutex::new(maintenance));
    let mut ticks = tokio::time::interval(MAINTENANCE_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let maintenance = Arc::clone(&maintenance);
        let ran = web::block(move || {
            maintenance.lock().unwrap_or_else(PoisonError::into_inner).run(Timestamp::now());
        });
        if let Err(error) = ran.await {
            tracing::error!(%error, "the store could not be looked after");
        }
    }
}

/// SIGTERM and SIGINT.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn signalled(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
