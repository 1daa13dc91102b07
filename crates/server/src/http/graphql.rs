//! `/graphql` after the GraphQL-over-HTTP specification.
//!
//! This file is about HTTP alone: who asks, what shape the request has, which status the answer gets. What a query means
//! is the schema's business. Queries that read the disk or take long are computed on the blocking pool, not on the threads
//! that read sockets.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, VARY,
};
use actix_web::web::{self, Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse};
use throng_graphql::{Access, Answer, OperationKind, Request, Response, Value, Variables};
use tokio::runtime::Handle;

use super::answer::Problem;
use super::answers::Question;
use super::documents::Refusal;
use super::negotiate::{Media, answer_media, is_json};
use super::params::{ParamError, Params};
use super::{Service, at_once, auth, body};
use crate::keys::{Holder, Role};

/// Methods of `/graphql`.
pub(super) const METHODS: &str = "GET, POST";

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
        Ok(text) => answer(service, admitted, text, false).await,
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
    let text = Bytes::copy_from_slice(request.query_string().as_bytes());
    answer(service, admitted, text, true).await
}

/// A request that may go on.
struct Admitted {
    media: Media,
    access: Access,
    /// The id of the key, where there is one.
    key: Option<String>,
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
    let key = holder.as_ref().map(|holder| holder.key_id.clone());
    Ok(Admitted { media, access: access(holder), key })
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

/// Answers what was sent: as before where that still holds, otherwise by computing.
async fn answer(service: web::Data<Service>, admitted: Admitted, text: Bytes, by_get: bool) -> HttpResponse {
    let Admitted { media, access, key } = admitted;
    let question = Question { access, by_get, text };
    if let Some(body) = service.answers.get(&question, service.schema.standing()) {
        return respond(StatusCode::OK, body, media);
    }
    let Some(place) = service.callers.enter(key) else { return refuse(Problem::TOO_MANY, media) };
    if let Some(body) = at_once::answer(&service, &question) {
        return respond(StatusCode::OK, body, media);
    }
    // Never closed, so this never fails.
    let turn = service.computing.clone().acquire_owned().await;
    // Nothing in a query waits; the handle only drives it on the blocking pool.
    let (runtime, shared) = (Handle::current(), service.clone());
    let computing = web::block(move || {
        // Until it is computed, also where the client has gone.
        let _held = (place, turn);
        compute(&shared, question, media, &runtime)
    });
    match computing.await {
        Ok(Ok((status, body))) => respond(status, body, media),
        Ok(Err(problem)) => refuse(problem, media),
        Err(_) => Problem::INTERNAL.graphql(media),
    }
}

pub(super) fn params_of(question: &Question) -> Result<Params, ParamError> {
    if question.by_get { Params::from_url(&question.text) } else { Params::from_body(&question.text) }
}

pub(super) fn request_of(params: Params) -> Request {
    let mut request = Request::new("").variables(Variables::from_json(params.variables.into()));
    request.operation_name = params.operation_name;
    request
}

/// Status and body of the answer, which is kept if it may be.
pub(super) fn compute(
    service: &Service,
    question: Question,
    media: Media,
    runtime: &Handle,
) -> Result<(StatusCode, Bytes), Problem> {
    let params = params_of(&question).map_err(|error| Problem::malformed(error.to_string()))?;
    let (response, holds) = match service.documents.find(params.query.as_deref(), params.document, &service.schema) {
        Err(Refusal::Problem(problem)) => return Err(problem),
        Err(Refusal::Answer(refusal)) => (*refusal, None),
        Ok(document) => {
            let kind = document.kind(params.operation_name.as_deref());
            if question.by_get && kind.is_some_and(|kind| kind != OperationKind::Query) {
                return Err(Problem::NOT_BY_GET);
            }
            let access = question.access.clone();
            let executing = throng_graphql::execute_document(&service.schema, &document, request_of(params), access);
            let Answer { response, holds } = runtime.block_on(executing);
            (response, holds)
        }
    };
    let (status, body) = written(&response, media).map_err(|_| Problem::INTERNAL)?;
    if let Some(holds) = holds {
        service.answers.keep(question, holds, body.clone());
    }
    Ok((status, body))
}

/// Status and body of a response.
fn written(response: &Response, media: Media) -> serde_json::Result<(StatusCode, Bytes)> {
    // Without data and without a place in the data, an error is about the request itself.
    let request_error = response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty());
    let status = match media {
        Media::GraphqlResponse if request_error => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    Ok((status, body_of(response, request_error)?.into()))
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

fn respond(status: StatusCode, body: Bytes, media: Media) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, media.content_type()))
        .insert_header((CACHE_CONTROL, "no-store"))
        .append_header((VARY, "Accept, Authorization"))
        .body(body)
}

fn refuse(problem: Problem, media: Media) -> HttpResponse {
    let wrong_method = problem.status == StatusCode::METHOD_NOT_ALLOWED;
    let mut response = problem.graphql(media);
    if wrong_method {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}
