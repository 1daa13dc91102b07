//! What every way of asking has in common: who asks, and how a question becomes the bytes of its answer.
//!
//! Whether it came by HTTP, as a stream of events or over a WebSocket, a question takes this way, so the same limits, documents
//! and places among those under way hold for all. What reads the disk or takes long is computed on the blocking pool, not on
//! the threads that read sockets.

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes};
use throng_graphql::{Access, Answer, Document, OperationKind, Request, Response, Value, Variables};
use tokio::runtime::Handle;

use super::answer::Problem;
use super::answers::Question;
use super::documents::Refusal;
use super::negotiate::Media;
use super::params::{ParamError, Params};
use super::{Service, at_once};
use crate::keys::{Holder, Role};

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    pub(super) access: Access,
    /// The id of the key, where there is one.
    pub(super) key: Option<String>,
}

impl Asker {
    /// What a key lets its holder see.
    pub(super) fn of(holder: Option<Holder>) -> Self {
        let Some(Holder { key_id, role, creators }) = holder else {
            return Self { access: Access::Anonymous, key: None };
        };
        let access = match role {
            Role::Operator => Access::Operator,
            Role::Ingest => Access::Ingest,
            Role::Creator => creators.into_iter().next().map_or(Access::Ingest, Access::Creator),
            Role::Partner => Access::Partner(creators),
        };
        Self { access, key: Some(key_id) }
    }
}

/// How an answer goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// As the one body of a response.
    Once(Media),
    /// As an event among others, so that more may follow.
    Stream,
}

impl Way {
    /// What a refusal looks like.
    pub(super) fn media(self) -> Media {
        match self {
            Self::Once(media) => media,
            Self::Stream => Media::GraphqlResponse,
        }
    }

    /// Whether operations of this kind can be answered so.
    pub(super) fn takes(self, kind: Option<OperationKind>, by_get: bool) -> Result<(), Problem> {
        match (self, kind) {
            (Self::Stream, Some(OperationKind::Subscription)) => Ok(()),
            (_, Some(OperationKind::Mutation | OperationKind::Subscription)) if by_get => Err(Problem::NOT_BY_GET),
            (Self::Once(_), Some(OperationKind::Subscription)) => Err(Problem::NOT_STREAMED),
            _ => Ok(()),
        }
    }
}

/// An answer as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    /// The data of a subscription, where it has any: asking again may bring other ones. What else an answer carries, such as what
    /// it cost, is no news.
    pub(super) value: Option<Bytes>,
}

/// What a subscription says now; `None` for other operations.
pub(super) fn value(response: &Response, kind: Option<OperationKind>) -> Option<Bytes> {
    let has_value = kind == Some(OperationKind::Subscription) && response.data != Value::Null;
    has_value.then(|| serde_json::to_vec(&response.data).ok()).flatten().map(Bytes::from)
}

/// Answers what was sent, and counts what fails.
pub(super) async fn answer(
    service: &web::Data<Service>,
    question: Question,
    key: Option<String>,
    way: Way,
) -> Result<Answered, Problem> {
    answer_or_refuse(service, question, key, way).await.inspect_err(|problem| service.metrics.failed(problem.code))
}

/// Answers what was sent: as before where that still holds, otherwise by computing.
async fn answer_or_refuse(
    service: &web::Data<Service>,
    question: Question,
    key: Option<String>,
    way: Way,
) -> Result<Answered, Problem> {
    if let Some(body) = service.answers.get(&question, service.schema.standing()) {
        return Ok(Answered { status: StatusCode::OK, body, value: None });
    }
    let place = service.callers.enter(key).ok_or(Problem::TOO_MANY)?;
    if let Some(answered) = at_once::answer(service, &question, way) {
        return Ok(answered);
    }
    // Never closed, so this never fails.
    let turn = service.computing.clone().acquire_owned().await;
    // Nothing in a query waits; the handle only drives it on the blocking pool.
    let (runtime, shared) = (Handle::current(), service.clone());
    let computing = web::block(move || {
        // Until it is computed, also where the client has gone.
        let _held = (place, turn);
        compute(&shared, question, way, &runtime)
    });
    computing.await.unwrap_or(Err(Problem::INTERNAL))
}

pub(super) fn params_of(question: &Question) -> Result<Params, ParamError> {
    if question.by_get { Params::from_url(&question.text) } else { Params::from_body(&question.text) }
}

pub(super) fn request_of(params: Params) -> Request {
    let mut request = Request::new("").variables(Variables::from_json(params.variables.into()));
    request.operation_name = params.operation_name;
    request
}

/// The answer, which is kept if it may be.
pub(super) fn compute(service: &Service, question: Question, way: Way, runtime: &Handle) -> Result<Answered, Problem> {
    let params = params_of(&question).map_err(|error| Problem::malformed(error.to_string()))?;
    let document = match service.documents.find(params.query.as_deref(), params.document, &service.schema) {
        Err(Refusal::Problem(problem)) => return Err(problem),
        Err(Refusal::Answer(refusal)) => {
            note_errors(service, &refusal);
            return written(&refusal, way, None);
        }
        Ok(document) => document,
    };
    let kind = document.kind(params.operation_name.as_deref());
    way.takes(kind, question.by_get)?;
    let answer = runtime.block_on(execute(service, &document, params, &question.access));
    note_errors(service, &answer.response);
    let answered = written(&answer.response, way, kind)?;
    if let Some(holds) = answer.holds {
        service.answers.keep(question, holds, answered.body.clone());
    }
    Ok(answered)
}

async fn execute(service: &Service, document: &Document, params: Params, access: &Access) -> Answer {
    throng_graphql::execute_document(&service.schema, document, request_of(params), access.clone()).await
}

fn note_errors(service: &Service, response: &Response) {
    for error in &response.errors {
        let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
        let Some(Value::String(code)) = code else { continue };
        service.metrics.failed(code);
    }
}

/// A response as it is sent.
fn written(response: &Response, way: Way, kind: Option<OperationKind>) -> Result<Answered, Problem> {
    let is_subscription = kind == Some(OperationKind::Subscription);
    let no_data = response.data == Value::Null && !response.errors.is_empty();
    // Without data and without a place in the data, an error is about the request itself. A subscription that brings no value
    // is none.
    let request_error = no_data && (is_subscription || response.errors.iter().all(|error| error.path.is_empty()));
    let status = match way.media() {
        Media::GraphqlResponse if request_error => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    let body = body_of(response, request_error).map_err(|_| Problem::INTERNAL)?;
    Ok(Answered { status, body: body.into(), value: value(response, kind) })
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
