//! `/graphql` after the GraphQL-over-HTTP specification.
//!
//! This file is about HTTP alone: who asks, what shape the request has, which status the answer gets. How it is computed is
//! in `asking`; what a query means is the schema's business.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, VARY,
};
use actix_web::web::{self, Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::answer::Problem;
use super::answers::Question;
use super::asking::{self, Answered, Asker, Unanswered, Way};
use super::negotiate::{Media, answer_media, is_json, wants_events};
use super::{Service, auth, body, event_stream, socket};

/// Methods of `/graphql`.
pub(super) const METHODS: &str = "GET, POST";

/// `POST /graphql`.
pub(super) async fn post(request: HttpRequest, mut payload: Payload, service: web::Data<Service>) -> HttpResponse {
    let admitted = admit(&service, &request);
    let admitted = admitted.and_then(|admitted| match well_typed(request.headers()) {
        Ok(()) => Ok(admitted),
        Err(problem) => Err((problem, admitted.way.media())),
    });
    let admitted = match admitted {
        Ok(admitted) => admitted,
        Err((problem, media)) => {
            body::discard(&mut payload).await;
            service.metrics.failed(problem.code);
            return problem.graphql(media);
        }
    };
    let bytes_max = service.query_body_bytes_max;
    match body::read(&mut payload, bytes_max).await {
        Ok(text) => answer(service, admitted, text, false).await,
        Err(error) => error.problem(bytes_max).graphql(admitted.way.media()),
    }
}

/// `GET /graphql`: queries, streams of events, and WebSockets.
pub(super) async fn get(request: HttpRequest, payload: Payload, service: web::Data<Service>) -> HttpResponse {
    if socket::is_asked_for(request.headers()) {
        return socket::open(&request, payload, service);
    }
    let admitted = match admit(&service, &request) {
        Ok(admitted) => admitted,
        Err((problem, media)) => {
            service.metrics.failed(problem.code);
            return problem.graphql(media);
        }
    };
    if needs_preflight(request.headers()) {
        let words =
            "a page of another site may not ask by GET: send the header GraphQL-Require-Preflight: 1, or use POST";
        let problem = Problem::of(StatusCode::FORBIDDEN, "FORBIDDEN", words);
        return problem.graphql(admitted.way.media());
    }
    let text = Bytes::copy_from_slice(request.query_string().as_bytes());
    answer(service, admitted, text, true).await
}

/// A request that may go on.
struct Admitted {
    asker: Asker,
    way: Way,
}

/// Who asks, and how the answer is to look; a refusal says how it is to look itself.
fn admit(service: &Service, request: &HttpRequest) -> Result<Admitted, (Problem, Media)> {
    let way = answer_way(request.headers()).ok_or_else(|| {
        let words = "answers come as application/graphql-response+json, application/json or text/event-stream";
        (Problem::of(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", words), Media::Json)
    })?;
    let holder = auth::holder(service, request).map_err(|problem| (problem, way.media()))?;
    Ok(Admitted { asker: Asker::of(holder), way })
}

fn answer_way(headers: &HeaderMap) -> Option<Way> {
    if wants_events(headers) { Some(Way::Stream) } else { answer_media(headers).map(Way::Once) }
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

/// Answers by one body, or by a stream of events.
async fn answer(service: web::Data<Service>, admitted: Admitted, text: Bytes, by_get: bool) -> HttpResponse {
    let Admitted { asker, way } = admitted;
    let question = Question { access: asker.access.clone(), by_get, text };
    let Way::Once(media) = way else { return event_stream::open(service, question, asker).await };
    match asking::answer(&service, question, asker.caller(), way).await {
        Ok(answered) => respond(&answered, media),
        Err(Unanswered::Problem(problem)) => refuse(problem, media),
        Err(Unanswered::Broke(broke)) => broke.refuse(media),
    }
}

fn respond(answered: &Answered, media: Media) -> HttpResponse {
    let mut response = HttpResponse::build(answered.status)
        .insert_header((CONTENT_TYPE, media.content_type()))
        .insert_header((CACHE_CONTROL, "no-store"))
        .append_header((VARY, "Accept, Authorization"))
        .body(answered.whole());
    answered.charge.head(response.headers_mut());
    response
}

pub(super) fn refuse(problem: Problem, media: Media) -> HttpResponse {
    let wrong_method = problem.status == StatusCode::METHOD_NOT_ALLOWED;
    let mut response = problem.graphql(media);
    if wrong_method {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}
