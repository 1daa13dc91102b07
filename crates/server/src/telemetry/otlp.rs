//! Spans as OTLP over HTTP, gathered and sent by a thread of the SDK's own.
//!
//! The client speaks plain HTTP: collectors stand beside the server, and TLS is a matter of theirs, as it is of proxies on the other side.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue, context::FutureExt as _};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};

use super::{Facts, TelemetryError};
use crate::config;

/// How long the collector may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a stopping server waits for it.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// Most that is read of its answer, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// Makes spans and has them sent.
pub(super) struct Tracer {
    tracer: SdkTracer,
    provider: SdkTracerProvider,
}

impl Tracer {
    pub(super) fn start(endpoint: &str, config: &config::Telemetry) -> Result<Self, TelemetryError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new())
            .with_endpoint(endpoint)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(TIMEOUT);
        let exporter = exporter.build().map_err(TelemetryError::Exporter)?;
        // Nothing that the SDK finds in its surroundings, such as the machine's name.
        let resource = Resource::builder_empty().with_attributes([
            KeyValue::new("service.name", config.service_name.clone()),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ]);
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample_ratio))))
            .with_batch_exporter(exporter)
            .build();
        Ok(Self { tracer: provider.tracer("throng"), provider })
    }

    pub(super) async fn during<T>(&self, work: impl Future<Output = T>, facts: impl FnOnce(&T) -> Facts) -> T {
        // What it is about is known at its end; what it is below, only now. Requests are at the top.
        let is_top = !Context::current().span().span_context().is_valid();
        let kind = if is_top { SpanKind::Server } else { SpanKind::Internal };
        let span = self.tracer.span_builder("request").with_kind(kind).start(&self.tracer);
        let context = Context::current_with_span(span);
        let done = work.with_context(context.clone()).await;
        let span = context.span();
        if span.is_recording() {
            let (name, attributes, failed) = told(facts(&done));
            span.update_name(name);
            span.set_attributes(attributes);
            if failed {
                span.set_status(Status::error(""));
            }
        }
        span.end();
        done
    }

    pub(super) fn stop(&self) {
        if self.provider.shutdown_with_timeout(STOP_TIMEOUT).is_err() {
            tracing::warn!("the last traces were not sent");
        }
    }
}

/// A span's name and attributes, by the semantic conventions where they have a name for it, and whether it failed.
fn told(facts: Facts) -> (String, Vec<KeyValue>, bool) {
    match facts {
        Facts::Request { method, route, status } => {
            let name = route.as_deref().map_or(method.to_owned(), |route| format!("{method} {route}"));
            let mut attributes = vec![
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.response.status_code", i64::from(status)),
            ];
            attributes.extend(route.map(|route| KeyValue::new("http.route", route)));
            (name, attributes, status >= 500)
        }
        Facts::Operation { operation, cost, kept, code } => {
            let kind = operation.as_ref().map_or("graphql", super::Operation::kind_name);
            let called = operation.as_ref().and_then(|operation| operation.name.clone());
            let name = called.as_ref().map_or(kind.to_owned(), |called| format!("{kind} {called}"));
            let mut attributes = vec![KeyValue::new("throng.answer.kept", kept)];
            attributes
                .extend(operation.map(|operation| KeyValue::new("graphql.operation.type", operation.kind_name())));
            attributes.extend(called.map(|called| KeyValue::new("graphql.operation.name", called)));
            attributes.extend(cost.map(|points| KeyValue::new("throng.cost", i64::from(points))));
            attributes.extend(code.map(|code| KeyValue::new("error.type", code)));
            (name, attributes, code.is_some())
        }
    }
}

/// The way to the collector. It waits where it is called, which is on the thread of the SDK.
#[derive(Debug)]
struct Collector {
    agent: ureq::Agent,
    /// So that the log tells once when it stops working, and once when it works again.
    failing: AtomicBool,
}

impl Collector {
    fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        Self { agent: config.into(), failing: AtomicBool::new(false) }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let (head, body) = request.into_parts();
        let answer = self.agent.run(Request::from_parts(head, &body[..]))?;
        let (head, mut body) = answer.into_parts();
        let body = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
        Ok(Response::from_parts(head, body.into()))
    }

    fn note(&self, works: bool) {
        let failed = self.failing.swap(!works, Ordering::Relaxed);
        match (failed, works) {
            (false, false) => {
                tracing::warn!("the collector of traces does not take them; spans are lost until it does");
            }
            (true, true) => tracing::info!("the collector of traces takes them again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answered = self.send(request);
        self.note(answered.as_ref().is_ok_and(|answer| answer.status().is_success()));
        Ok(answered?)
    }
}
