//! Which other origins' pages may call the API: those configured, by their full name; no wildcard, no credentials.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HOST, HeaderMap, HeaderValue,
    ORIGIN, VARY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};

use super::Service;

/// Answers preflights, and lets permitted origins read answers.
pub(super) async fn cors<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let origin = permitted(&request);
    let preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if preflight {
        request.into_response(HttpResponse::NoContent().finish()).map_into_right_body()
    } else {
        next.call(request).await?.map_into_left_body()
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        permit(headers, origin, preflight);
    }
    Ok(response)
}

/// Whether a page may open a connection that browsers open without asking first, such as a WebSocket: one of this server, or of a
/// permitted origin. What names no origin is no browser.
pub(super) fn may_connect(service: &Service, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    // Behind a proxy only the proxy knows the scheme.
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    let own = headers.get(HOST).and_then(|host| host.to_str().ok());
    is_permitted(service, origin) || (authority.is_some() && authority == own)
}

fn permitted(request: &ServiceRequest) -> Option<HeaderValue> {
    let origin = request.headers().get(ORIGIN)?;
    let service = request.app_data::<web::Data<Service>>()?;
    is_permitted(service, origin).then(|| origin.clone())
}

fn is_permitted(service: &Service, origin: &HeaderValue) -> bool {
    service.cors_origins.iter().any(|known| known.as_bytes() == origin.as_bytes())
}

fn permit(headers: &mut HeaderMap, origin: HeaderValue, preflight: bool) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After, RateLimit, RateLimit-Policy"));
    if preflight {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
        let names = "Authorization, Content-Type, GraphQL-Require-Preflight, X-Requested-With";
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(names));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
}
