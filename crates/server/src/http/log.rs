//! One log line per request: method, route, status, duration, key id. Never more. Requests are counted here too.
//!
//! The route is the pattern that matched, not the path as sent: what a client writes into an address, even by mistake,
//! does not reach the log. Nor do query strings, headers and bodies.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, web};

use super::Service;
use super::auth::KeyId;
use crate::telemetry::Facts;

/// Logs a request once it is answered.
pub(super) async fn log<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let began = Instant::now();
    let method = method(request.method());
    let answer = match request.app_data::<web::Data<Service>>().cloned() {
        Some(service) => service.telemetry.during(next.call(request), |answer| facts(method, answer)).await,
        None => next.call(request).await,
    };
    let duration = began.elapsed();
    let duration_us = duration.as_micros() as u64;
    match &answer {
        Ok(response) => {
            let (request, status) = (response.request(), response.status().as_u16());
            let route = request.match_pattern();
            if let Some(service) = request.app_data::<web::Data<Service>>() {
                service.metrics.answered(route.as_deref(), status, duration);
            }
            let path = route.unwrap_or_else(|| "-".to_owned());
            let extensions = request.extensions();
            let key = extensions.get::<KeyId>().map_or("-", |key| key.0.as_str());
            tracing::info!(target: "throng::http", method, path, status, duration_us, key);
        }
        Err(error) => {
            let status = error.as_response_error().status_code().as_u16();
            tracing::info!(target: "throng::http", method, path = "-", status, duration_us, key = "-");
        }
    }
    answer
}

/// What a trace says of a request.
fn facts<B>(method: &'static str, answer: &Result<ServiceResponse<B>, Error>) -> Facts {
    let (route, status) = match answer {
        Ok(response) => (response.request().match_pattern(), response.status().as_u16()),
        Err(error) => (None, error.as_response_error().status_code().as_u16()),
    };
    Facts::Request { method, route, status }
}

/// A method can be any word, so only known ones are logged as they are.
fn method(method: &Method) -> &'static str {
    const KNOWN: [(Method, &str); 7] = [
        (Method::GET, "GET"),
        (Method::POST, "POST"),
        (Method::HEAD, "HEAD"),
        (Method::OPTIONS, "OPTIONS"),
        (Method::PUT, "PUT"),
        (Method::DELETE, "DELETE"),
        (Method::PATCH, "PATCH"),
    ];
    KNOWN.iter().find(|(known, _)| known == method).map_or("other", |(_, name)| name)
}
