//! `/graphql` after the GraphQL-over-HTTP specification.
//!
//! This file is about HTTP alone: who asks, what shape the request has, which status the answer gets. What a query means
//! is the schema's business. Queries are computed on the blocking pool, never on the threads that read sockets.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, VARY,
};
use actix_web::web::{self, Payload};
use actix_web::{HttpRequest, HttpResponse};
use throng_graphql::{Access, Document, OperationKind, Request, Response, Value, Variables};
use tokio::runtime::Handle;

use super::answer::Problem;
use super::negotiate::{Media, answer_media, is_json};
use super::params::Params;
use super::{Service, auth, body};
use crate::keys::{Holder, Role};

/// Methods of `/graphql`.
pub(super) const METHODS: &str = "GET, POST";

/// Longest query whose parsed form is kept.
const DOCUMENT_BYTES_MAX: usize = 8 << 10;

/// `POST /graphql`.
pub(super) async fn post(request: HttpRequest, mut payload: Payload, service: web::Data<Service>) -> HttpResponse {
    let admitted = admit(&service, &request);
    let admitted = admitted.and_then(|admitted| match well_typed(request.headers()) {
        Ok(()) => Ok(admitted),
        Err(problem) => Err((problem, admitted.media)),
    });
    let admitted = match admitted {
        Ok(admitted) => admitted,
        Err((problem, media)) => {
            body::discard(&mut payload).await;
            return problem.graphql(media);
        }
    };
    let bytes_max = service.query_body_bytes_max;
    match body::read(&mut payload, bytes_max).await {
        Ok(bytes) => match Params::from_body(&bytes) {
            Ok(params) => run(service, admitted, params, false).await,
            Err(error) => Problem::malformed(error.to_string()).graphql(admitted.media),
        },
        Err(error) => error.problem(bytes_max).graphql(admitted.media),
    }
}

/// `GET /graphql`: queries only.
pub(super) async fn get(request: HttpRequest, service: web::Data<Service>) -> HttpResponse {
    let admitted = match admit(&service, &request) {
        Ok(admitted) => admitted,
        Err((problem, media)) => return problem.graphql(media),
    };
    if needs_preflight(request.headers()) {
        let problem = Problem {
            status: StatusCode::FORBIDDEN,
            code: "FORBIDDEN",
            message:
                "a page of another site may not ask by GET: send the header GraphQL-Require-Preflight: 1, or use POST"
                    .into(),
        };
        return problem.graphql(admitted.media);
    }
    match Params::from_url(request.query_string()) {
        Ok(params) => run(service, admitted, params, true).await,
        Err(error) => Problem::malformed(error.to_string()).graphql(admitted.media),
    }
}

/// A request that may go on.
struct Admitted {
    media: Media,
    access: Access,
}

/// Who asks, and how the answer is to look; a refusal says how it is to look itself.
fn admit(service: &Service, request: &HttpRequest) -> Result<Admitted, (Problem, Media)> {
    let media = answer_media(request.headers()).ok_or_else(|| {
        let problem = Problem {
            status: StatusCode::NOT_ACCEPTABLE,
            code: "NOT_ACCEPTABLE",
            message: "answers come as application/graphql-response+json or application/json".into(),
        };
        (problem, Media::Json)
    })?;
    let holder = auth::holder(service, request).map_err(|problem| (problem, media))?;
    Ok(Admitted { media, access: access(holder) })
}

/// What a key lets its holder see.
fn access(holder: Option<Holder>) -> Access {
    let Some(holder) = holder else { return Access::Anonymous };
    match (holder.role, holder.creators) {
        (Role::Operator, _) => Access::Operator,
        (Role::Ingest, _) => Access::Ingest,
        (Role::Creator, creators) => creators.into_iter().next().map_or(Access::Ingest, Access::Creator),
        (Role::Partner, creators) => Access::Partner(creators),
    }
}

fn well_typed(headers: &HeaderMap) -> Result<(), Problem> {
    if !is_json(headers) {
        return Err(Problem::wrong_type("send JSON in UTF-8: Content-Type: application/json"));
    }
    if headers.get(CONTENT_ENCODING).is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::wrong_type("send the query without compression"));
    }
    Ok(())
}

/// Whether a GET could have been sent by another site's page without that site being asked first.
fn needs_preflight(headers: &HeaderMap) -> bool {
    const PREFLIGHT: [&str; 3] = ["graphql-require-preflight", "apollo-require-preflight", "x-requested-with"];
    let cross_site =
        headers.get("sec-fetch-site").is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"));
    (cross_site || headers.contains_key(COOKIE)) && !PREFLIGHT.iter().any(|name| headers.contains_key(*name))
}

async fn run(service: web::Data<Service>, admitted: Admitted, params: Params, only_queries: bool) -> HttpResponse {
    let Admitted { media, access } = admitted;
    // Nothing in a query waits; the handle only drives it on the blocking pool.
    let runtime = Handle::current();
    let computing = web::block(move || {
        let document = match document(&service, &params.query) {
            Ok(document) => document,
            Err(refusal) => return Some(*refusal),
        };
        let kind = document.kind(params.operation_name.as_deref());
        if only_queries && kind.is_some_and(|kind| kind != OperationKind::Query) {
            return None;
        }
        let mut request = Request::new("").variables(Variables::from_json(params.variables.into()));
        if let Some(name) = params.operation_name {
            request = request.operation_name(name);
        }
        Some(runtime.block_on(throng_graphql::execute_document(&service.schema, &document, request, access)))
    });
    match computing.await {
        Ok(Some(response)) => respond(&response, media),
        Ok(None) => not_by_get(media),
        Err(_) => Problem::INTERNAL.graphql(media),
    }
}

/// The parsed document of a query; those that come often are parsed once.
fn document(service: &Service, query: &str) -> Result<Document, Box<Response>> {
    if let Some(document) = service.documents.get(query) {
        return Ok(document);
    }
    let document = Document::parse(query)?;
    if query.len() <= DOCUMENT_BYTES_MAX {
        service.documents.insert(query.to_owned(), document.clone());
    }
    Ok(document)
}

fn respond(response: &Response, media: Media) -> HttpResponse {
    // Without data and without a place in the data, an error is about the request itself.
    let request_error = response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty());
    let status = match media {
        Media::GraphqlResponse if request_error => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    match body_of(response, request_error) {
        Ok(body) => HttpResponse::build(status)
            .insert_header((CONTENT_TYPE, media.content_type()))
            .insert_header((CACHE_CONTROL, "no-store"))
            .append_header((VARY, "Accept, Authorization"))
            .body(body),
        Err(_) => Problem::INTERNAL.graphql(media),
    }
}

/// A request error has no `data` at all, not even null.
fn body_of(response: &Response, request_error: bool) -> serde_json::Result<Vec<u8>> {
    if !request_error {
        return serde_json::to_vec(response);
    }
    let mut body = serde_json::to_value(response)?;
    if let serde_json::Value::Object(body) = &mut body {
        body.remove("data");
    }
    serde_json::to_vec(&body)
}

fn not_by_get(media: Media) -> HttpResponse {
    let problem = Problem {
        status: StatusCode::METHOD_NOT_ALLOWED,
        code: "METHOD_NOT_ALLOWED",
        message: "only queries may be sent by GET".into(),
    };
    let mut response = problem.graphql(media);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    response
}
