//! What every way of asking has in common: who asks, and how a question becomes the bytes of its answer.
//!
//! Whether it came by HTTP, as a stream of events or over a WebSocket, a question takes this way, so the same limits, documents
//! and places among those under way hold for all. What reads the disk or takes long is computed on the blocking pool, not on
//! the threads that read sockets.

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes};
use throng_graphql::{Access, Answer, OperationKind, Priced, Request, Response, Value, Variables};
use throng_model::Timestamp;
use tokio::runtime::Handle;

use super::answer::Problem;
use super::answers::{Body, Question};
use super::callers::Place;
use super::documents::Refusal;
use super::metrics::Reason;
use super::negotiate::Media;
use super::params::{ParamError, Params};
use super::rate::{Bill, Broke, Charge};
use super::{Service, at_once, metrics};
use crate::authn::{Caller, Credential, Holder};
use crate::telemetry::{Facts, Operation};

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    pub(super) access: Access,
    /// What was shown, where there is anything.
    pub(super) credential: Option<Credential>,
    /// The next instant at which that no longer works, or opens less, by itself.
    pub(super) until: Option<Timestamp>,
}

impl Asker {
    /// What a token lets its holder see.
    pub(super) fn of(holder: Option<Holder>) -> Self {
        let Some(Holder { credential, access, until, .. }) = holder else {
            return Self { access: Access::Anonymous, credential: None, until: None };
        };
        Self { access, credential: Some(credential), until }
    }

    /// Whom it is counted for.
    pub(super) fn caller(&self) -> Option<Caller> {
        self.credential.as_ref().map(Credential::caller)
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
    /// The same for whoever may see the same.
    pub(super) body: Body,
    /// What it cost this caller.
    pub(super) charge: Charge,
    /// The data of a subscription, where it has any: asking again may bring other ones. What else an answer carries, such as what
    /// it cost, is no news.
    pub(super) value: Option<Bytes>,
    /// Whether it was kept from before.
    pub(super) kept: bool,
    /// The code of its first error, if it has any.
    pub(super) code: Option<&'static str>,
}

impl Answered {
    /// All of it.
    pub(super) fn whole(&self) -> Bytes {
        self.charge.complete(&self.body)
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    Problem(Problem),
    Broke(Broke),
}

impl Unanswered {
    fn code(&self) -> &'static str {
        match self {
            Self::Problem(problem) => problem.code,
            Self::Broke(broke) => broke.problem().code,
        }
    }

    /// The refusal alone, where there is no place for what the bucket holds.
    pub(super) fn problem(self) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Broke(broke) => broke.problem(),
        }
    }
}

impl From<Problem> for Unanswered {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Broke> for Unanswered {
    fn from(broke: Broke) -> Self {
        Self::Broke(broke)
    }
}

/// What a subscription says now; `None` for other operations.
pub(super) fn value(response: &Response, kind: Option<OperationKind>) -> Option<Bytes> {
    let has_value = kind == Some(OperationKind::Subscription) && response.data != Value::Null;
    has_value.then(|| throng_graphql::to_json(&response.data).ok()).flatten().map(Bytes::from)
}

/// Answers what was sent, and counts what fails.
pub(super) async fn answer(
    service: &web::Data<Service>,
    question: Question,
    caller: Option<Caller>,
    way: Way,
) -> Result<Answered, Unanswered> {
    let answering = answer_or_refuse(service, question, caller, way);
    let answered = service.telemetry.during(answering, facts).await;
    answered.inspect_err(|error| {
        service.metrics.failed(error.code());
        if let Unanswered::Broke(broke) = error {
            service.metrics.refused(broke.reason());
        }
    })
}

/// What a trace says of a question.
fn facts(answered: &Result<Answered, Unanswered>) -> Facts {
    match answered {
        Ok(Answered { body, kept, code, .. }) => {
            let (operation, cost) = (body.operation.clone(), Some(body.cost));
            Facts::Operation { operation, cost, kept: *kept, code: *code }
        }
        Err(error) => Facts::Operation { operation: None, cost: None, kept: false, code: Some(error.code()) },
    }
}

/// Answers what was sent: as before where that still holds, otherwise by computing. It is paid for first.
async fn answer_or_refuse(
    service: &web::Data<Service>,
    question: Question,
    caller: Option<Caller>,
    way: Way,
) -> Result<Answered, Unanswered> {
    let mut bill = Bill::of(caller.clone());
    if let Some(body) = service.answers.get(&question, service.schema.standing()) {
        let charge = bill.pay(&service.rates, body.cost)?;
        return Ok(Answered { status: StatusCode::OK, body, charge, value: None, kept: true, code: None });
    }
    let place = enter(service, caller)?;
    if let Some(answered) = at_once::answer(service, &question, &mut bill, way)? {
        return Ok(answered);
    }
    let shared = service.clone();
    on_pool(service, place, move |runtime| compute(&shared, question, bill, way, runtime)).await
}

/// A place among the questions under way.
pub(super) fn enter(service: &Service, caller: Option<Caller>) -> Result<Place, Problem> {
    service.callers.enter(caller).ok_or_else(|| {
        service.metrics.refused(Reason::Queries);
        Problem::TOO_MANY
    })
}

/// Computes on the blocking pool, in turn. Nothing in a query waits; the handle only drives it there.
pub(super) async fn on_pool<T, E>(
    service: &Service,
    place: Place,
    compute: impl FnOnce(&Handle) -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Problem> + Send + 'static,
{
    // Never closed, so this never fails.
    let turn = service.computing.clone().acquire_owned().await;
    let runtime = Handle::current();
    let computing = web::block(move || {
        // Until it is computed, also where the client has gone.
        let _held = (place, turn);
        compute(&runtime)
    });
    computing.await.unwrap_or(Err(Problem::INTERNAL.into()))
}

pub(super) fn params_of(question: &Question) -> Result<Params, ParamError> {
    if question.by_get { Params::from_url(&question.text) } else { Params::from_body(&question.text) }
}

pub(super) fn request_of(params: Params) -> Request {
    let mut request = Request::new("").variables(Variables::from_json(params.variables.into()));
    request.operation_name = params.operation_name;
    request
}

/// What a document costs that is refused.
pub(super) const REFUSED_COST: u32 = 1;

/// The answer, which is kept if it may be.
pub(super) fn compute(
    service: &Service,
    question: Question,
    mut bill: Bill,
    way: Way,
    runtime: &Handle,
) -> Result<Answered, Unanswered> {
    let params = params_of(&question).map_err(|error| Problem::malformed(error.to_string()))?;
    let (operation, priced) = match service.documents.find(params.query.as_deref(), params.document, &service.schema) {
        Err(Refusal::Problem(problem)) => return Err(problem.into()),
        Err(Refusal::Answer(refusal)) => (None, Err(refusal)),
        Ok(document) => {
            let kind = document.kind(params.operation_name.as_deref());
            way.takes(kind, question.by_get)?;
            let operation = kind.map(|kind| Operation::new(kind, document.name(params.operation_name.as_deref())));
            (operation, service.schema.price(document, request_of(params)))
        }
    };
    let cost = priced.as_ref().map_or(REFUSED_COST, Priced::cost);
    let charge = bill.pay(&service.rates, cost)?;
    let answer = match priced {
        Err(refusal) => Answer { response: *refusal, holds: None },
        Ok(priced) => {
            let (priced, access) = (priced.told(charge.budget()), question.access.clone());
            runtime.block_on(throng_graphql::execute_priced(&service.schema, priced, access))
        }
    };
    let Answer { response, holds } = answer;
    note_errors(service, &response);
    let answered = written(response, way, operation, charge, cost)?;
    if let Some(holds) = holds {
        service.answers.keep(question, holds, answered.body.clone());
    }
    Ok(answered)
}

fn note_errors(service: &Service, response: &Response) {
    for error in &response.errors {
        let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
        let Some(Value::String(code)) = code else { continue };
        service.metrics.failed(code);
        if code == throng_graphql::code::QUERY_TOO_COMPLEX {
            service.metrics.refused(Reason::Complexity);
        }
    }
}

/// The code of the first error.
fn code_of(response: &Response) -> Option<&'static str> {
    let code = response.errors.first()?.extensions.as_ref()?.get("code")?;
    if let Value::String(code) = code { Some(metrics::known_code(code)) } else { None }
}

/// A response as it is sent.
fn written(
    response: Response,
    way: Way,
    operation: Option<Operation>,
    charge: Charge,
    cost: u32,
) -> Result<Answered, Problem> {
    let kind = operation.as_ref().map(Operation::kind);
    let is_subscription = kind == Some(OperationKind::Subscription);
    let no_data = response.data == Value::Null && !response.errors.is_empty();
    // Without data and without a place in the data, an error is about the request itself. A subscription that brings no value
    // is none.
    let request_error = no_data && (is_subscription || response.errors.iter().all(|error| error.path.is_empty()));
    let status = match way.media() {
        Media::GraphqlResponse if request_error => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    let value = value(&response, kind);
    let code = code_of(&response);
    let body = body_of(response, request_error, cost, operation).map_err(|_| Problem::INTERNAL)?;
    Ok(Answered { status, body, charge, value, kept: false, code })
}

/// A response as it is kept. A request error has no `data` at all, not even null.
pub(super) fn body_of(
    mut response: Response,
    request_error: bool,
    cost: u32,
    operation: Option<Operation>,
) -> serde_json::Result<Body> {
    let extensions = std::mem::take(&mut response.extensions);
    let mut open = if request_error {
        serde_json::to_vec(&serde_json::json!({ "errors": response.errors }))?
    } else {
        throng_graphql::to_json(&response)?
    };
    // The brace that closes it; there are data or errors before it.
    open.pop();
    open.extend_from_slice(b",\"extensions\":{");
    for (name, value) in &extensions {
        serde_json::to_writer(&mut open, name)?;
        open.push(b':');
        serde_json::to_writer(&mut open, value)?;
        open.push(b',');
    }
    Ok(Body { open: open.into(), cost, operation })
}
