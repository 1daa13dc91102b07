//! In the place of the exporter, where the program is built without.

use super::{Facts, TelemetryError};
use crate::config;

/// There is none.
pub(super) enum Tracer {}

impl Tracer {
    pub(super) fn start(_: &str, _: &config::Telemetry) -> Result<Self, TelemetryError> {
        Err(TelemetryError::Absent)
    }

    #[expect(clippy::unused_async, reason = "as the exporter's")]
    pub(super) async fn during<T>(&self, _: impl Future<Output = T>, _: impl FnOnce(&T) -> Facts) -> T {
        match *self {}
    }

    pub(super) fn stop(&self) {
        match *self {}
    }
}
