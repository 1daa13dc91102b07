//! `POST /v1/events` and `POST /v1/catalog`: newline-delimited JSON, answered once it is durable.
//!
//! One body is one batch of the store: either all of its good lines are taken, or none of the body is and the answer says
//! so. A slot is taken before the body is read, so that memory is bounded by slots, not by clients.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use actix_web::web::{self, Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use throng_model::Timestamp;
use throng_store::{AppendMode, WriteError};

use super::answer::Problem;
use super::negotiate::{Media, is_ndjson};
use super::{Service, auth, body};
use crate::ingest::{Body, BodyTooLarge};
use crate::receipt::Receipt;

/// `POST /v1/events`.
pub(super) async fn events(request: HttpRequest, payload: Payload, service: web::Data<Service>) -> HttpResponse {
    receipt(take(&request, payload, &service, admit, take_events).await)
}

/// `POST /v1/catalog`.
pub(super) async fn catalogue(request: HttpRequest, payload: Payload, service: web::Data<Service>) -> HttpResponse {
    receipt(take(&request, payload, &service, admit, take_catalogue).await)
}

/// The answer of everything that takes a body in.
pub(super) fn receipt(result: Result<Value, Problem>) -> HttpResponse {
    match result {
        Ok(receipt) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, Media::Json.content_type()))
            .insert_header((CACHE_CONTROL, "no-store"))
            .body(receipt.to_string()),
        Err(problem) => problem.plain(),
    }
}

/// What a request's head must be like.
type Admission = fn(&Service, &HttpRequest) -> Result<(), Problem>;
/// Takes a whole body, on a thread that may wait.
type Taker = fn(&Service, &[u8]) -> Result<Value, Problem>;

/// Admits a request, reads its body within limits, and has it taken.
pub(super) async fn take(
    request: &HttpRequest,
    mut payload: Payload,
    service: &web::Data<Service>,
    admit: Admission,
    taker: Taker,
) -> Result<Value, Problem> {
    let admitted = admit(service, request).and_then(|()| {
        // A body is never queued unread: its sender would wait without knowing why.
        Arc::clone(&service.body_slots).try_acquire_owned().map_err(|_| Problem::BUSY)
    });
    let slot = match admitted {
        Ok(slot) => slot,
        Err(problem) => {
            body::discard(&mut payload).await;
            return Err(problem);
        }
    };
    let bytes_max = service.limits.body_bytes_max;
    let bytes: Bytes = body::read(&mut payload, bytes_max).await.map_err(|error| error.problem(bytes_max))?;
    let service = service.clone();
    // Decoding and waiting for the disk would both hold up every other request of this thread.
    let taking = web::block(move || {
        // Held until the work is done, even where the client has gone.
        let _slot = slot;
        taker(&service, &bytes)
    });
    taking.await.unwrap_or(Err(Problem::INTERNAL))
}

fn admit(service: &Service, request: &HttpRequest) -> Result<(), Problem> {
    auth::ingester(service, request)?;
    readable(request.headers())
}

fn readable(headers: &HeaderMap) -> Result<(), Problem> {
    const TYPE: &str = "send newline-delimited JSON: Content-Type: application/x-ndjson";
    const ENCODING: &str = "send the body plain, or compressed by gzip or zstd alone";
    if !is_ndjson(headers) {
        return Err(Problem::wrong_type(TYPE));
    }
    let known =
        |value: &str| ["gzip", "x-gzip", "zstd", "identity"].iter().any(|known| known.eq_ignore_ascii_case(value));
    let mut encodings = headers.get_all(CONTENT_ENCODING);
    // What the bytes are is told by the bytes; the header only must not name what cannot be read.
    match (encodings.next(), encodings.next()) {
        (None, _) => Ok(()),
        (Some(value), None) if value.to_str().is_ok_and(|value| known(value.trim())) => Ok(()),
        _ => Err(Problem::wrong_type(ENCODING)),
    }
}

fn take_events(service: &Service, bytes: &[u8]) -> Result<Value, Problem> {
    let body = Body::open(bytes, &service.limits)?;
    let mut decoded = body.events(&service.limits.rules(Timestamp::now()));
    let mut receipt = Receipt::of(&decoded);
    if !decoded.rows.is_empty() {
        let outcomes = service.store.try_append(&decoded.rows, AppendMode::Normal)?;
        receipt.record(&outcomes, &mut decoded);
    }
    receipt.reject(&decoded.errors, None, service.limits.errors_max);
    service.metrics.took(&receipt);
    Ok(receipt.to_json())
}

fn take_catalogue(service: &Service, bytes: &[u8]) -> Result<Value, Problem> {
    let body = Body::open(bytes, &service.limits)?;
    let mut decoded = body.catalogue(&service.limits.rules(Timestamp::now()));
    let mut receipt = Receipt::of(&decoded);
    receipt.accepted = decoded.rows.len() as u64;
    let (videos, creators) = decoded.take_rows();
    if receipt.accepted > 0 {
        service.store.put_catalogue(videos, creators)?;
    }
    receipt.reject(&decoded.errors, None, service.limits.errors_max);
    Ok(receipt.to_catalogue_json())
}

impl From<BodyTooLarge> for Problem {
    fn from(error: BodyTooLarge) -> Self {
        Self::too_large(error.to_string())
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Busy => return Self::BUSY,
            WriteError::DiskFull { .. } => {
                tracing::error!(%error, "a body was refused");
                let words = "the disk is full: nothing of this body was taken, send it again once there is room";
                return Self::of(StatusCode::INSUFFICIENT_STORAGE, "DISK_FULL", words);
            }
            _ => {}
        }
        tracing::error!(%error, "a body was refused");
        Self::UNAVAILABLE
    }
}
