//! Traces for a collector of OpenTelemetry, where the configuration names one.
//!
//! *Invariant:* a span says what [`Facts`] can say and nothing else: no id, variable, argument, token, header, address or value has a
//! place there. So spans are made of facts here, not of log lines or of the fields of `tracing`, which anybody may add to. What a client
//! calls its operation is passed on; that name is the client's word. Trace ids are drawn here: what a client sends of its own
//! (`traceparent`) could be any text, so it is not read.

#[cfg_attr(not(feature = "otlp"), path = "absent.rs")]
mod otlp;

use std::sync::Arc;

use throng_graphql::OperationKind;

use crate::config;

/// Longest name of an operation that is passed on, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Why no traces can be sent as configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TelemetryError {
    /// The exporter cannot be made.
    #[cfg(feature = "otlp")]
    #[error("telemetry.traces_endpoint cannot be used")]
    Exporter(#[source] opentelemetry_otlp::ExporterBuildError),
    /// The program was built without.
    #[cfg(not(feature = "otlp"))]
    #[error("telemetry.traces_endpoint is set, but this program was built without the feature `otlp`")]
    Absent,
}

/// All that a span can say.
#[derive(Debug)]
#[cfg_attr(not(feature = "otlp"), expect(dead_code, reason = "nobody is told then"))]
pub(crate) enum Facts {
    /// A request over HTTP, until the head of its answer.
    Request {
        method: &'static str,
        /// The pattern that matched.
        route: Option<String>,
        status: u16,
    },
    /// A question of GraphQL, or one look of a subscription.
    Operation {
        /// Unknown where the document was refused.
        operation: Option<Operation>,
        /// In points.
        cost: Option<u32>,
        /// Whether the answer was kept from before.
        kept: bool,
        /// The code of what went wrong, from the list in the code.
        code: Option<&'static str>,
    },
}

/// What an operation is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    kind: OperationKind,
    name: Option<Arc<str>>,
}

impl Operation {
    /// A name that is too long is left out.
    pub(crate) fn new(kind: OperationKind, name: Option<&str>) -> Self {
        Self { kind, name: name.filter(|name| name.len() <= NAME_BYTES_MAX).map(Arc::from) }
    }

    pub(crate) fn kind(&self) -> OperationKind {
        self.kind
    }

    #[cfg(feature = "otlp")]
    fn kind_name(&self) -> &'static str {
        match self.kind {
            OperationKind::Query => "query",
            OperationKind::Mutation => "mutation",
            OperationKind::Subscription => "subscription",
        }
    }
}

/// Where spans go.
pub(crate) struct Telemetry(Option<otlp::Tracer>);

impl Telemetry {
    /// By the configuration; nowhere unless it names a collector.
    pub(crate) fn start(config: &config::Telemetry) -> Result<Self, TelemetryError> {
        let endpoint = config.traces_endpoint.as_deref();
        endpoint.map(|endpoint| otlp::Tracer::start(endpoint, config)).transpose().map(Self)
    }

    /// Does some work within a span; what is done in it has spans below that one.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>, facts: impl FnOnce(&T) -> Facts) -> T {
        match &self.0 {
            None => work.await,
            Some(tracer) => tracer.during(work, facts).await,
        }
    }

    /// Sends what is left. Waits for the collector, but not for long.
    pub(crate) fn stop(&self) {
        if let Some(tracer) = &self.0 {
            tracer.stop();
        }
    }
}
