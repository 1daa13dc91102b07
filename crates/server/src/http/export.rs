//! `GET /v1/export/….csv`: released tables as files.
//!
//! The question is put to the schema by the caller's own token, so it is judged, limited and counted among the caller's
//! queries as any other. Trusted documents do not stand in the way: these are the server's own.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;
use throng_graphql::{Access, Priced, Request, Variables, code};
use tokio::runtime::Handle;

use super::answer::Problem;
use super::asking::{Asker, REFUSED_COST, enter, on_pool};
use super::rate::{Bill, Broke};
use super::{Service, auth};
use crate::export::{Ask, ParamError, Params, Table};

/// Under which policy the numbers were judged: `extensions.policyVersion` of other answers.
const POLICY_VERSION: &str = "Throng-Policy-Version";

/// `GET /v1/export/counters.csv`.
pub(super) async fn counters(request: HttpRequest, service: web::Data<Service>) -> HttpResponse {
    answer(Table::Counters, &request, service).await
}

/// `GET /v1/export/top-videos.csv`.
pub(super) async fn top_videos(request: HttpRequest, service: web::Data<Service>) -> HttpResponse {
    answer(Table::TopVideos, &request, service).await
}

/// `GET /v1/export/audience.csv`.
pub(super) async fn audience(request: HttpRequest, service: web::Data<Service>) -> HttpResponse {
    answer(Table::Audience, &request, service).await
}

/// `GET /v1/export/trending.csv`.
pub(super) async fn trending(request: HttpRequest, service: web::Data<Service>) -> HttpResponse {
    answer(Table::Trending, &request, service).await
}

/// The file, or why there is none; what fails is counted.
async fn answer(table: Table, request: &HttpRequest, service: web::Data<Service>) -> HttpResponse {
    let exported = export(table, request, service.clone()).await;
    exported.inspect_err(|problem| service.metrics.failed(problem.code)).unwrap_or_else(Problem::plain)
}

async fn export(table: Table, request: &HttpRequest, service: web::Data<Service>) -> Result<HttpResponse, Problem> {
    let holder = auth::holder(&service, request)?.ok_or(Problem::NO_READER_TOKEN)?;
    let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    let params = pairs.map_err(|_| ParamError::Encoding).and_then(|pairs| Params::new(pairs.into_inner()));
    let ask = params.and_then(|params| table.ask(params))?;
    let asker = Asker::of(Some(holder));
    let (caller, access) = (asker.caller(), asker.access);
    let place = enter(&service, caller.clone())?;
    let shared = service.clone();
    let file =
        on_pool(&service, place, move |runtime| compute(&shared, ask, access, Bill::of(caller), runtime)).await?;
    Ok(respond(file))
}

/// A file on its way out.
struct File {
    name: String,
    policy_version: String,
    body: Vec<u8>,
}

fn compute(service: &Service, mut ask: Ask, access: Access, mut bill: Bill, runtime: &Handle) -> Result<File, Problem> {
    let refused = |response: throng_graphql::Response| {
        serde_json::to_value(&response).map_or(Problem::INTERNAL, |answer| problem(&answer))
    };
    let request = Request::new("").variables(Variables::from_json(ask.variables.take()));
    let priced = service.schema.parse(&ask.document).and_then(|document| service.schema.price(document, request));
    let cost = priced.as_ref().map_or(REFUSED_COST, Priced::cost);
    bill.pay(&service.rates, cost).inspect_err(|broke| service.metrics.refused(broke.reason())).map_err(unpaid)?;
    let priced = priced.map_err(|response| refused(*response))?;
    let answer = runtime.block_on(throng_graphql::execute_priced(&service.schema, priced, access));
    if !answer.response.is_ok() {
        return Err(refused(answer.response));
    }
    let answer = throng_graphql::to_json(&answer.response).and_then(|answer| serde_json::from_slice::<Value>(&answer));
    let answer = answer.map_err(|_| Problem::INTERNAL)?;
    let body = ask.write(&answer["data"]).map_err(|error| {
        tracing::error!(%error, "a table could not be written");
        Problem::INTERNAL
    })?;
    let policy_version = answer["extensions"]["policyVersion"].as_str().unwrap_or_default().to_owned();
    Ok(File { name: ask.file, policy_version, body: body.ok_or(Problem::NOT_FOUND)? })
}

/// A table that costs too much at once, or for now.
fn unpaid(broke: Broke) -> Problem {
    let mut problem = broke.problem();
    // GraphQL has a refusal of its own inside an answer of 200.
    if problem.status == StatusCode::OK {
        problem.status = StatusCode::BAD_REQUEST;
    }
    problem
}

fn respond(file: File) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8; header=present"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file.name)))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((POLICY_VERSION, file.policy_version))
        .append_header((VARY, "Authorization"))
        .body(file.body)
}

/// The first error of an answer, in the shape of the routes that are not GraphQL.
fn problem(answer: &Value) -> Problem {
    const CODES: [(&str, StatusCode); 6] = [
        (code::UNAUTHENTICATED, StatusCode::UNAUTHORIZED),
        (code::NOT_FOUND, StatusCode::NOT_FOUND),
        (code::BAD_USER_INPUT, StatusCode::BAD_REQUEST),
        (code::VALIDATION_FAILED, StatusCode::BAD_REQUEST),
        (code::QUERY_TOO_COMPLEX, StatusCode::BAD_REQUEST),
        (code::TIMEOUT, StatusCode::SERVICE_UNAVAILABLE),
    ];
    let error = &answer["errors"][0];
    let known = CODES.into_iter().find(|(code, _)| error["extensions"]["code"] == *code);
    let (Some((code, status)), Some(message)) = (known, error["message"].as_str()) else { return Problem::INTERNAL };
    let message = match code {
        code::QUERY_TOO_COMPLEX => {
            Cow::Borrowed("the table is too large: ask for fewer days, coarser steps, or fewer counters")
        }
        _ => Cow::Owned(message.to_owned()),
    };
    // To callers the document is none of theirs, so what does not fit it is their input.
    let code = if code == code::VALIDATION_FAILED { code::BAD_USER_INPUT } else { code };
    Problem::of(status, code, message)
}

impl From<ParamError> for Problem {
    fn from(error: ParamError) -> Self {
        Self::malformed(error.to_string())
    }
}
