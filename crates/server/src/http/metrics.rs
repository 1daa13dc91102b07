//! `GET /metrics`: what a server does, in the text format of Prometheus.
//!
//! *Invariant:* every label value comes from a list in the code: routes by their pattern, known status codes, codes of errors,
//! names of limits, outcomes and disclosures. No metric is about one channel, video, hashtag, key or viewer. Those that count data (events,
//! measures, bytes) are for operators, who hold all of it and whose senders were told as much in their receipts; whoever reads
//! without a token learns only how busy and how well the server is.
//!
//! Written by hand: a counter is an atomic and the format is lines of text, less than what a client library would have us wrap.

use std::fmt::{Display, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use throng_model::{Timestamp, Zone};

use super::answer::Problem;
use super::{Service, auth};
use crate::config::MetricsAccess;
use crate::receipt::Receipt;

/// Values of `route`: the patterns of `routes`. What matches none of them is `other`.
const ROUTES: [&str; 17] = [
    "/graphql",
    "/v1/events",
    "/v1/catalog",
    "/v1/erase",
    "/v1/export/counters.csv",
    "/v1/export/top-videos.csv",
    "/v1/export/audience.csv",
    "/v1/export/trending.csv",
    "/",
    "/assets/{file}",
    "/playground",
    "/playground/{file:.*}",
    "/schema.graphql",
    "/healthz",
    "/readyz",
    "/metrics",
    OTHER,
];
/// Values of `status`; anything else is `other`.
const STATUSES: [&str; 23] = [
    "101", "200", "204", "206", "304", "400", "401", "403", "404", "405", "406", "408", "409", "413", "415", "422",
    "429", "500", "501", "503", "504", "507", OTHER,
];
/// Values of `code`; anything else is `other`.
const CODES: [&str; 14] = [
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "BAD_USER_INPUT",
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "NOT_FOUND",
    "METHOD_NOT_ALLOWED",
    "RATE_LIMITED",
    "QUERY_TOO_COMPLEX",
    "PERSISTED_QUERY_NOT_FOUND",
    "TIMEOUT",
    "INTERNAL",
    "UNAVAILABLE",
    OTHER,
];
/// Values of `reason`, in the order of [`Reason`].
const REASONS: [&str; 5] = ["points", "complexity", "queries", "subscriptions", "connections"];
/// Values of `outcome`.
const OUTCOMES: [&str; 4] = ["accepted", "late", "duplicate", "rejected"];
const OTHER: &str = "other";
/// Upper bounds of the histogram's buckets, in microseconds.
const BOUNDS_US: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 10_000_000];

/// What was counted since the start.
pub(super) struct Metrics {
    requests: [[Counter; STATUSES.len()]; ROUTES.len()],
    durations: [Durations; ROUTES.len()],
    errors: [Counter; CODES.len()],
    refused: [Counter; REASONS.len()],
    events: [Counter; OUTCOMES.len()],
}

/// Which limit a question met.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reason {
    /// Its caller's bucket did not hold enough.
    Points,
    /// It asks too much at a time, whenever it comes.
    Complexity,
    /// Its caller has too many under way.
    Queries,
    /// Its caller, or its connection, has too many streams open.
    Subscriptions,
    /// Its caller has too many WebSockets open.
    Connections,
}

#[derive(Default)]
struct Counter(AtomicU64);

impl Counter {
    fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A histogram: how many took no longer than each bound but longer than the one before, and the sum.
#[derive(Default)]
struct Durations {
    buckets: [Counter; BOUNDS_US.len() + 1],
    sum_us: Counter,
}

impl Metrics {
    pub(super) fn new() -> Self {
        Self {
            requests: Default::default(),
            durations: Default::default(),
            errors: Default::default(),
            refused: Default::default(),
            events: Default::default(),
        }
    }

    /// A request was answered.
    pub(super) fn answered(&self, route: Option<&str>, status: u16, duration: Duration) {
        let route = place(&ROUTES, route.unwrap_or(OTHER));
        let status = place(&STATUSES, &status.to_string());
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.iter().position(|&bound| micros <= bound).unwrap_or(BOUNDS_US.len());
        let durations = self.durations.get(route);
        self.requests.get(route).and_then(|statuses| statuses.get(status)).inspect(|counter| counter.add(1));
        durations.and_then(|durations| durations.buckets.get(bucket)).inspect(|counter| counter.add(1));
        durations.inspect(|durations| durations.sum_us.add(micros));
    }

    /// A GraphQL answer has an error of this code.
    pub(super) fn failed(&self, code: &str) {
        self.errors.get(place(&CODES, code)).inspect(|counter| counter.add(1));
    }

    /// A question, or a connection, met a limit.
    pub(super) fn refused(&self, reason: Reason) {
        self.refused.get(reason as usize).inspect(|counter| counter.add(1));
    }

    /// A body of events was taken.
    pub(super) fn took(&self, receipt: &Receipt) {
        let counts = [receipt.accepted, receipt.late, receipt.duplicates, receipt.rejected_count()];
        self.events.iter().zip(counts).for_each(|(counter, count)| counter.add(count));
    }
}

/// A code as it stands in the list, so that nothing else goes on.
pub(super) fn known_code(code: &str) -> &'static str {
    CODES.get(place(&CODES, code)).copied().unwrap_or(OTHER)
}

/// Where a value stands in a list whose last value is [`OTHER`].
fn place(list: &[&str], value: &str) -> usize {
    list.iter().position(|&known| known == value).unwrap_or(list.len() - 1)
}

/// `GET /metrics`.
pub(super) async fn metrics(request: HttpRequest, service: web::Data<Service>) -> HttpResponse {
    let is_whole = match service.metrics_access {
        MetricsAccess::Off => return Problem::NOT_FOUND.plain(),
        MetricsAccess::Open => request.headers().contains_key(AUTHORIZATION),
        MetricsAccess::Operator => true,
    };
    if is_whole && let Err(problem) = auth::operator(&service, &request) {
        return problem.plain();
    }
    // The size of the store is asked of the disk.
    let text = web::block(move || {
        let mut text = Text::default();
        of_server(&service, &mut text);
        if is_whole {
            of_data(&service, &mut text);
        }
        text.written
    });
    match text.await {
        Ok(text) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
            .insert_header((CACHE_CONTROL, "no-store"))
            .body(text),
        Err(_) => Problem::INTERNAL.plain(),
    }
}

/// How busy and how well the server is.
fn of_server(service: &Service, text: &mut Text) {
    let metrics = &service.metrics;
    text.family("throng_http_requests_total", "counter", "Requests answered.");
    for (route, statuses) in ROUTES.iter().zip(&metrics.requests) {
        let seen = STATUSES.iter().zip(statuses).filter(|(_, counter)| counter.get() > 0);
        seen.for_each(|(status, counter)| text.line("", &[("route", route), ("status", status)], counter.get()));
    }
    text.family("throng_http_request_seconds", "histogram", "Time to the head of the answer.");
    for (route, durations) in ROUTES.iter().zip(&metrics.durations) {
        durations.write(text, route);
    }
    text.family("throng_graphql_errors_total", "counter", "Errors in GraphQL answers.");
    CODES.iter().zip(&metrics.errors).for_each(|(code, counter)| text.line("", &[("code", code)], counter.get()));
    text.family("throng_refused_total", "counter", "Questions and connections that met a limit, by which.");
    let refused = REASONS.iter().zip(&metrics.refused);
    refused.for_each(|(reason, counter)| text.line("", &[("reason", reason)], counter.get()));
    text.family("throng_cost_points_total", "counter", "Points that questions were charged.");
    text.line("", &[], service.rates.paid());
    let (hits, misses) = service.answers.hits_and_misses();
    text.family("throng_answers_cache_total", "counter", "Questions looked up among the kept answers.");
    [("hit", hits), ("miss", misses)].iter().for_each(|(found, count)| text.line("", &[("result", found)], count));
    text.family("throng_queries_under_way", "gauge", "GraphQL questions that are being answered.");
    text.line("", &[], service.callers.under_way());
    text.family("throng_subscriptions_open", "gauge", "Operations open as streams of events or over WebSockets.");
    text.line("", &[], service.streams.open());
}

/// How much data there is and what became of it.
fn of_data(service: &Service, text: &mut Text) {
    text.family("throng_events_total", "counter", "Events that came over HTTP.");
    let events = OUTCOMES.iter().zip(&service.metrics.events);
    events.for_each(|(outcome, counter)| text.line("", &[("outcome", outcome)], counter.get()));
    text.family("throng_measures_total", "counter", "Measures computed; kept answers are not computed again.");
    let measures = service.schema.measures();
    measures.iter().for_each(|(disclosure, count)| text.line("", &[("disclosure", disclosure)], count));
    let snapshot = service.store.snapshot();
    text.family("throng_store_segments", "gauge", "Segments of the store.");
    text.line("", &[], snapshot.segments().len());
    if let Ok(bytes) = service.store.file_bytes() {
        text.family("throng_store_bytes", "gauge", "Bytes of the files of the store.");
        text.line("", &[], bytes);
    }
    let sealed = snapshot.sealed_everywhere().zip(Zone::parse("Etc/GMT+12").ok());
    if let Some((day, last_zone)) = sealed {
        let lag_ms = Timestamp::now().millis() - last_zone.day_start(day.saturating_add(1)).millis();
        text.family("throng_seal_lag_seconds", "gauge", "Since the end of the last day that is sealed in every zone.");
        text.line("", &[], lag_ms.div_euclid(1_000));
    }
}

impl Durations {
    fn write(&self, text: &mut Text, route: &str) {
        let mut count = 0;
        for (bound, bucket) in BOUNDS_US.iter().zip(&self.buckets) {
            count += bucket.get();
            text.line("_bucket", &[("route", route), ("le", &seconds(*bound))], count);
        }
        count += self.buckets.last().map_or(0, Counter::get);
        text.line("_bucket", &[("route", route), ("le", "+Inf")], count);
        text.line("_sum", &[("route", route)], seconds(self.sum_us.get()));
        text.line("_count", &[("route", route)], count);
    }
}

fn seconds(micros: u64) -> String {
    (micros as f64 / 1e6).to_string()
}

/// The text as it grows.
#[derive(Default)]
struct Text {
    written: String,
    /// The family that lines belong to.
    family: &'static str,
}

impl Text {
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.family = name;
        // Writing to a `String` cannot fail.
        _ = writeln!(self.written, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A line of the family; the values of labels have nothing to escape.
    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        _ = writeln!(self.written, "{}{suffix}{labels} {value}", self.family);
    }
}
