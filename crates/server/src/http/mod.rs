//! HTTP/1.1: routes, who may use them, and how the server starts and stops.
//!
//! Only this module names actix-web. Handlers refuse before they read, read within limits, and hand all work that waits
//! or computes to the blocking pool. Every answer is one that the client can read to its end, errors too.

mod answer;
mod answers;
#[cfg(test)]
mod answers_tests;
mod asking;
mod at_once;
mod auth;
mod body;
mod callers;
mod cors;
mod documents;
mod erase;
mod event_stream;
mod export;
mod graphql;
mod ingest;
mod log;
mod metrics;
mod negotiate;
mod pages;
mod params;
mod protocol;
mod rate;
mod run;
mod socket;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::{Server as Running, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::{App, FromRequest, Handler, HttpServer, Responder, web};
use throng_store::Store;
use tokio::sync::Semaphore;

use answers::Answers;
use callers::Callers;
use documents::Documents;
use metrics::Metrics;
use rate::Rates;
use stream::Streams;

use crate::authn::Authenticator;
use crate::config::{Config, MetricsAccess};
use crate::ingest::Limits;
use crate::telemetry::Telemetry;

pub(crate) use documents::TrustError;
pub(crate) use run::run;

/// What the handlers share.
pub(crate) struct Service {
    store: Store,
    schema: throng_graphql::Schema,
    sdl: String,
    documents: Documents,
    answers: Answers,
    long: at_once::Long,
    authn: Authenticator,
    telemetry: Telemetry,
    limits: Limits,
    callers: Arc<Callers>,
    streams: Streams,
    metrics: Metrics,
    metrics_access: MetricsAccess,
    rates: Rates,
    /// Queries that are computed at a time; the others wait in line, so that none is overtaken by many.
    computing: Arc<Semaphore>,
    body_slots: Arc<Semaphore>,
    query_body_bytes_max: usize,
    cors_origins: Vec<String>,
    playground: bool,
    ready: AtomicBool,
}

impl Service {
    /// Reads the trusted documents too, if the configuration names any.
    pub(crate) fn new(
        store: Store,
        schema: throng_graphql::Schema,
        authn: Authenticator,
        telemetry: Telemetry,
        config: &Config,
    ) -> Result<Self, TrustError> {
        let trusted = config.graphql.trusted_documents.as_deref();
        let trusted = trusted.map(|folder| documents::trusted(folder, &schema)).transpose()?;
        Ok(Self {
            store,
            schema,
            sdl: throng_graphql::sdl(),
            documents: Documents::new(trusted),
            answers: Answers::new(config.graphql.answers_cache_bytes_max),
            long: at_once::Long::new(),
            authn,
            telemetry,
            limits: config.limits(),
            callers: Arc::new(Callers::new(config.graphql.concurrent_max)),
            streams: Streams::new(
                Duration::from_millis(config.graphql.subscription_interval_ms),
                config.graphql.subscriptions_per_key_max,
                config.graphql.subscriptions_per_connection_max,
            ),
            metrics: Metrics::new(),
            metrics_access: config.http.metrics,
            rates: Rates::new(config.rate.points_max, config.rate.points_per_second),
            computing: Arc::new(Semaphore::new(cores() * QUERIES_PER_CORE)),
            body_slots: Arc::new(Semaphore::new(config.ingest.bodies_max)),
            query_body_bytes_max: config.http.query_body_bytes_max,
            cors_origins: config.http.cors_origins.clone(),
            playground: config.graphql.playground,
            ready: AtomicBool::new(true),
        })
    }

    /// From now on `/readyz` fails, so that a load balancer sends nobody here any more.
    fn stop_being_ready(&self) {
        self.ready.store(false, Ordering::Release);
    }

    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }
}

/// A server that listens.
struct Server {
    /// Where, with the port that the system chose if it was to choose.
    addresses: Vec<SocketAddr>,
    /// Stops it.
    handle: ServerHandle,
    /// Ends when it has stopped.
    running: Running,
}

/// Binds and starts. Must be called inside the runtime.
fn start(service: &web::Data<Service>, config: &Config) -> io::Result<Server> {
    let shared = service.clone();
    let server = HttpServer::new(move || {
        // The outermost runs first: what `cors` answers by itself is logged too.
        App::new().app_data(shared.clone()).wrap(from_fn(cors::cors)).wrap(from_fn(log::log)).configure(routes)
    })
    .workers(cores())
    .worker_max_blocking_threads(BLOCKING_THREADS_MAX)
    .max_connections(config.http.connections_max)
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(config.http.shutdown_timeout_ms.div_ceil(1_000))
    .disable_signals()
    .bind(config.http.listen)?;
    let addresses = server.addrs();
    let running = server.run();
    Ok(Server { addresses, handle: running.handle(), running })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Queries computed at a time on each core: a second one uses it while the first waits for the disk.
const QUERIES_PER_CORE: usize = 2;
/// Blocking threads of one worker: enough that queries go on while bodies wait for the disk.
const BLOCKING_THREADS_MAX: usize = 16;
/// How long the head of a request may take to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

fn routes(app: &mut web::ServiceConfig) {
    app.service(
        // No HEAD: GraphQL over HTTP names GET and POST, and a query is not computed for its headers.
        web::resource("/graphql")
            .route(web::get().to(graphql::get))
            .route(web::post().to(graphql::post))
            .default_service(web::to(|| async { answer::wrong_method(graphql::METHODS) })),
    )
    .service(only_post("/v1/events").route(web::post().to(ingest::events)))
    .service(only_post("/v1/erase").route(web::post().to(erase::erase)))
    .service(only_post("/v1/catalog").route(web::post().to(ingest::catalogue)))
    .service(only_get("/v1/export/counters.csv").route(web::get().to(export::counters)))
    .service(only_get("/v1/export/top-videos.csv").route(web::get().to(export::top_videos)))
    .service(only_get("/v1/export/audience.csv").route(web::get().to(export::audience)))
    .service(only_get("/v1/export/trending.csv").route(web::get().to(export::trending)))
    .service(page("/", pages::dashboard))
    .service(page("/assets/{file}", pages::dashboard_asset))
    .service(page("/playground", pages::playground))
    .service(page("/playground/{file:.*}", pages::playground))
    .service(page("/schema.graphql", pages::schema))
    .service(page("/healthz", pages::healthz))
    .service(page("/readyz", pages::readyz))
    .service(page("/metrics", metrics::metrics))
    .default_service(web::to(|| async { answer::Problem::NOT_FOUND.plain() }));
}

/// Something to read. HEAD is answered as GET is, and the connection leaves the body out (RFC 9110 §9.3.2).
fn page<F, Args>(path: &str, answer: F) -> actix_web::Resource
where
    F: Handler<Args>,
    F::Output: Responder + 'static,
    Args: FromRequest + 'static,
{
    web::resource(path)
        .route(web::get().to(answer.clone()))
        .route(web::head().to(answer))
        .default_service(web::to(|| async { answer::wrong_method("GET, HEAD") }))
}

/// No HEAD: a table is not computed for its headers.
fn only_get(path: &str) -> actix_web::Resource {
    web::resource(path).default_service(web::to(|| async { answer::wrong_method("GET") }))
}

fn only_post(path: &str) -> actix_web::Resource {
    web::resource(path).default_service(web::to(|| async { answer::wrong_method("POST") }))
}
