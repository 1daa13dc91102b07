//! `POST /v1/erase`: takes viewers out of the store of a running server. `{"viewers": ["u7", …], "compact": false}`.
//!
//! For operators only. The answer says how many of the viewers were known, so asking for one viewer tells whether the store
//! has rows of that viewer. It costs the rows.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_ENCODING;
use actix_web::web::{self, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Map, Value};
use throng_store::WriteError;

use super::answer::Problem;
use super::ingest::{receipt, take};
use super::negotiate::is_json;
use super::{Service, auth};
use crate::erasure::Report;
use crate::viewers::Viewers;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default)]
    viewers: Vec<String>,
    /// Remove the rows before answering.
    #[serde(default)]
    compact: bool,
}

/// `POST /v1/erase`.
pub(super) async fn erase(request: HttpRequest, payload: Payload, service: web::Data<Service>) -> HttpResponse {
    receipt(take(&request, payload, &service, admit, take_viewers).await)
}

fn admit(service: &Service, request: &HttpRequest) -> Result<(), Problem> {
    auth::operator(service, request)?;
    if is_json(request.headers()) && !request.headers().contains_key(CONTENT_ENCODING) {
        return Ok(());
    }
    Err(Problem::wrong_type("send uncompressed JSON: Content-Type: application/json"))
}

fn take_viewers(service: &Service, bytes: &[u8]) -> Result<Value, Problem> {
    // An object first: serde also reads a list as the fields of a struct. What the parser says would quote the body.
    let request: Request = serde_json::from_slice(bytes)
        .and_then(|object: Map<String, Value>| serde_json::from_value(Value::Object(object)))
        .map_err(|_| {
            Problem::malformed("the body must be a JSON object such as {\"viewers\": [\"u7\"], \"compact\": false}")
        })?;
    let mut viewers = Viewers::default();
    for (index, viewer) in request.viewers.iter().enumerate() {
        viewers.push(viewer, || format!("viewers[{index}]"));
    }
    let viewers = viewers.all().map_err(|error| Problem::malformed(error.to_string()))?;
    let mut report = Report::erase(&service.store, &viewers)?;
    if request.compact {
        report.compact(&service.store).map_err(|error| not_compacted(&error))?;
    }
    Ok(report.to_json())
}

fn not_compacted(error: &WriteError) -> Problem {
    tracing::error!(%error, "the rows of erased viewers could not be removed");
    let message =
        "the viewers are erased, but their rows could not be removed yet; the server's log says why. Send it again";
    match error {
        WriteError::DiskFull { .. } => Problem::of(StatusCode::INSUFFICIENT_STORAGE, "DISK_FULL", message),
        _ => Problem::of(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message),
    }
}
