//! The schema as a value, and the way that each request takes: limits, then parsing, then execution.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_graphql::futures_util::{FutureExt as _, StreamExt as _};
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{EmptyMutation, Request, Response, SDLExportOptions, ServerError, ValidationMode};
use throng_privacy::{Gate, Standing};
use throng_recommend::Trends;

use crate::access::Access;
use crate::cost::{Budget, Judge, judged};
use crate::erased::erased;
use crate::error::{code, complete, refusal};
use crate::federation::Root;
use crate::limits::{Deadline, LimitError, Limits, check_document, check_text};
use crate::measured::Measured;
use crate::merged::merged;
use crate::plain::{merges, unwritten};
use crate::proven::{Proven, Shape};
use crate::query::Query;
use crate::settled::{Measures, Watch};
use crate::subscription::{NoSingleRoot, Subscription, with_single_roots};

type Inner = async_graphql::Schema<Root, EmptyMutation, Subscription>;

/// The schema over a gate. Opaque, so that no request goes round the limits; cheap to clone.
#[derive(Clone)]
pub struct Schema {
    /// Walks each document by all rules of the specification, says what it costs, and executes nothing.
    judge: Inner,
    /// Says what a document costs that was found valid.
    count: Inner,
    /// For requests that were found valid: keeps to the limits only.
    fast: Inner,
    gate: Arc<Gate>,
    limits: Limits,
    measures: Arc<Measures>,
}

impl Schema {
    /// Checks the text of a document, parses it, and checks what it expands to. A refusal is the whole answer.
    pub fn parse(&self, query: &str) -> Result<Document, Box<Response>> {
        check_text(query, &self.limits).map_err(too_complex)?;
        let document = parse_query(query).map_err(|error| Box::new(refusal(error.into(), code::PARSE_FAILED)))?;
        check_document(&document, &self.limits).map_err(too_complex)?;
        let executed = with_single_roots(&document).map_err(|NoSingleRoot| {
            let error = "a subscription selects exactly one field, which no directive stands on";
            Box::new(refusal(ServerError::new(error, None), code::VALIDATION_FAILED))
        })?;
        let erased = erased(&document);
        let executed = merged(executed.as_ref().unwrap_or(&document)).or(executed);
        let may_write = !merges(executed.as_ref().unwrap_or(&document));
        Ok(Document(Arc::new(Parsed { document, executed, erased, may_write, proven: Proven::default() })))
    }

    /// Checks a document by all rules of the specification, without variables and without asking anything. The error is the
    /// whole answer that it would get.
    pub fn validate(&self, document: &Document) -> Result<(), Box<Response>> {
        // The rules look at all operations whichever is chosen.
        let name = document.0.document.operations.iter().next().and_then(|(name, _)| name);
        let mut request = Request::new("");
        request.operation_name = name.map(ToString::to_string);
        match self.judge(document, &request) {
            // What a series costs depends on its range, whose value comes with the request.
            Err(refused) if refused.errors.iter().all(|error| lacks_a_value(&document.0.document, error)) => Ok(()),
            judged => judged.map(|_| ()),
        }
    }

    /// Checks a request by all rules of the specification, and says what it costs by the weights in the schema. A refusal is
    /// the whole answer.
    pub fn price(&self, document: Document, request: Request) -> Result<Priced, Box<Response>> {
        let shape = document.shape(&request);
        if let Some(cost) = shape.as_ref().and_then(|shape| document.0.proven.cost(shape)) {
            return Ok(Priced { document, request, cost });
        }
        let cost = self.judge(&document, &request)?;
        if let Some(shape) = shape {
            document.0.proven.note(shape, cost);
        }
        Ok(Priced { document, request, cost })
    }

    fn judge(&self, document: &Document, request: &Request) -> Result<u32, Box<Response>> {
        let cost = |schema: &Inner, document: ExecutableDocument| {
            let mut asked = Request::new("").variables(request.variables.clone());
            asked.operation_name = request.operation_name.clone();
            asked.set_parsed_query(document);
            // Nothing in it waits.
            let response = schema.execute(asked).now_or_never();
            let response = response.unwrap_or_else(|| refusal(ServerError::new("", None), code::INTERNAL));
            judged(&response).ok_or_else(|| Box::new(self.under_policy(complete(response))))
        };
        let Parsed { document, erased, .. } = &*document.0;
        let counted = cost(&self.judge, document.clone())?;
        let counted = erased.as_ref().map_or(Ok(counted), |erased| cost(&self.count, erased.clone()))?;
        if counted as usize > self.limits.complexity_max {
            let error = LimitError::Complexity { requested: counted, limit: self.limits.complexity_max };
            return Err(Box::new(self.under_policy(*too_complex(error))));
        }
        Ok(counted)
    }

    /// P6: every answer says under which policy it was judged.
    fn under_policy(&self, response: Response) -> Response {
        response.extension("policyVersion", self.gate.policy_version().into())
    }

    /// How many measures were computed for answers so far, by their disclosure; those whose value was asked for.
    pub fn measures(&self) -> [(&'static str, u64); 5] {
        self.measures.counts()
    }

    /// What settled answers stand on now; see [`Answer::holds`].
    pub fn standing(&self) -> Option<Standing> {
        self.gate.standing()
    }
}

/// Whether all that is wrong is that a variable, which the document declares, has no value yet.
fn lacks_a_value(document: &ExecutableDocument, error: &ServerError) -> bool {
    let declared = document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
    declared
        .into_iter()
        .any(|variable| error.message == format!("Variable {} is not defined.", variable.node.name.node))
}

/// The schema over a gate.
pub fn schema(gate: Arc<Gate>, limits: Limits) -> Schema {
    // The library would refuse what is too complex without saying how complex it is.
    let judge = builder().extension(Judge).finish();
    let count = builder().extension(Judge).validation_mode(ValidationMode::Fast).finish();
    // Without an extension: with any the library calls it for every field.
    let trends = Arc::new(Trends::new(gate.clone()));
    let fast = builder().data(gate.clone()).data(trends).validation_mode(ValidationMode::Fast).finish();
    Schema { judge, count, fast, gate, limits, measures: Arc::default() }
}

/// The schema in the schema definition language; the same for every gate.
pub fn sdl() -> String {
    plain().sdl_with_options(SDLExportOptions::new().include_specified_by().use_space_ident())
}

/// The schema that callers see, without what a router asks.
pub(crate) fn plain() -> async_graphql::Schema<Query, EmptyMutation, Subscription> {
    let schema = async_graphql::Schema::build(Query, EmptyMutation, Subscription);
    schema.register_output_type::<Measured>().finish()
}

fn builder() -> async_graphql::SchemaBuilder<Root, EmptyMutation, Subscription> {
    // Suggestions compare every unknown name with all names there are.
    Inner::build(Root, EmptyMutation, Subscription).disable_suggestions().register_output_type::<Measured>()
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    /// Reads once.
    Query,
    /// Writes; the schema has none.
    Mutation,
    /// Reads again and again. Here it is answered once, with what there is now.
    Subscription,
}

/// A document within the limits, parsed. Cheap to clone, so that a server can keep those that come often.
#[derive(Debug, Clone)]
pub struct Document(Arc<Parsed>);

#[derive(Debug)]
struct Parsed {
    document: ExecutableDocument,
    /// As it is executed, where that is not the document itself.
    executed: Option<ExecutableDocument>,
    /// As its cost is counted, where that is not the document itself.
    erased: Option<ExecutableDocument>,
    /// Whether parts of its answers may be written at once.
    may_write: bool,
    proven: Proven,
}

impl Document {
    /// What the operation of this name does, or the only one; `None` where the name says none.
    pub fn kind(&self, operation_name: Option<&str>) -> Option<OperationKind> {
        Some(match self.operation(operation_name)?.ty {
            OperationType::Query => OperationKind::Query,
            OperationType::Mutation => OperationKind::Mutation,
            OperationType::Subscription => OperationKind::Subscription,
        })
    }

    /// The name of the operation of this name, or of the only one; `None` where that has none.
    pub fn name<'a>(&'a self, operation_name: Option<&'a str>) -> Option<&'a str> {
        let mut operations = self.0.document.operations.iter();
        operation_name.or_else(|| operations.next()?.0.map(|name| name.as_str()))
    }

    fn operation(&self, name: Option<&str>) -> Option<&OperationDefinition> {
        let mut operations = self.0.document.operations.iter();
        let operation = match name {
            Some(wanted) => operations.find(|(name, _)| name.is_some_and(|name| name == wanted))?.1,
            None => operations.next().filter(|_| operations.next().is_none())?.1,
        };
        Some(&operation.node)
    }

    /// The request with its cost, if this very request, or one that differs only in texts, was priced before.
    pub fn priced_before(self, request: Request) -> Option<Priced> {
        let cost = self.0.proven.cost(&self.shape(&request)?)?;
        Some(Priced { document: self, request, cost })
    }

    /// What of a request the validation of this document depends on.
    fn shape(&self, request: &Request) -> Option<Shape> {
        let name = request.operation_name.as_deref();
        Shape::of(self.operation(name)?, name, &request.variables)
    }
}

/// A request that is valid, and what it costs.
#[derive(Debug)]
pub struct Priced {
    document: Document,
    request: Request,
    cost: u32,
}

impl Priced {
    /// What it costs, in points; at least 1.
    pub fn cost(&self) -> u32 {
        self.cost
    }

    /// Tells the request what its caller may still spend, for `Query.rateLimit`.
    #[must_use]
    pub fn told(mut self, budget: Option<Budget>) -> Self {
        if let Some(budget) = budget {
            self.request = self.request.data(budget);
        }
        self
    }
}

fn too_complex(error: LimitError) -> Box<Response> {
    let code = match error {
        LimitError::Cycle => code::VALIDATION_FAILED,
        LimitError::NoIntrospection => code::FORBIDDEN,
        _ => code::QUERY_TOO_COMPLEX,
    };
    let mut refused = refusal(ServerError::new(error.to_string(), None), code);
    if let (LimitError::Complexity { requested, limit }, Some(told)) = (error, refused.errors.first_mut()) {
        let extensions = told.extensions.get_or_insert_default();
        extensions.set("requested", requested);
        extensions.set("limit", limit);
    }
    Box::new(refused)
}

/// A response, and what it stands on.
#[derive(Debug)]
pub struct Answer {
    /// What the caller gets. Parts of its data may be written already: [`crate::to_json`] writes the whole.
    pub response: Response,
    /// While [`Schema::standing`] is this, the same request by a caller with the same access gets the same response.
    /// `None` where nothing says so: there were errors, or numbers over open days.
    pub holds: Option<Standing>,
}

/// Answers a request on behalf of a caller. Resolvers ask the gate synchronously and may read the disk, so run this where
/// blocking is allowed.
pub async fn execute(schema: &Schema, request: Request, access: Access) -> Response {
    match schema.parse(&request.query) {
        Ok(document) => {
            let response = execute_document(schema, &document, request, access).await.response;
            unwritten(response).unwrap_or_else(|_| refusal(ServerError::new("", None), code::INTERNAL))
        }
        Err(refusal) => *refusal,
    }
}

/// The same with a document parsed before; the text in the request is not read.
pub async fn execute_document(schema: &Schema, document: &Document, request: Request, access: Access) -> Answer {
    match schema.price(document.clone(), request) {
        Ok(priced) => execute_priced(schema, priced, access).await,
        Err(refusal) => Answer { response: *refusal, holds: None },
    }
}

/// The same with a request that was priced before.
pub async fn execute_priced(schema: &Schema, priced: Priced, access: Access) -> Answer {
    let (answer, watch) = execute_until(schema, priced, access, Instant::now() + schema.limits.time_max).await;
    schema.measures.add(&watch);
    answer
}

/// The same in a time of its own, or not at all: `None` where there was any error, which may be for want of time, or where
/// anything would have waited.
pub fn execute_at_once(schema: &Schema, priced: Priced, access: Access, time_max: Duration) -> Option<Answer> {
    let executing = execute_until(schema, priced, access, Instant::now() + time_max);
    let (answer, watch) = executing.now_or_never().filter(|(answer, _)| answer.response.is_ok())?;
    // What is not answered so is computed once more, and counted then.
    schema.measures.add(&watch);
    Some(answer)
}

async fn execute_until(schema: &Schema, priced: Priced, access: Access, deadline: Instant) -> (Answer, Arc<Watch>) {
    let standing = schema.standing();
    let Priced { document, mut request, .. } = priced;
    let Parsed { document: whole, executed, may_write, .. } = &*document.0;
    let watch = Arc::new(Watch::new(*may_write));
    request.set_parsed_query(executed.as_ref().unwrap_or(whole).clone());
    let is_subscription = document.kind(request.operation_name.as_deref()) == Some(OperationKind::Subscription);
    let request = request.data(access).data(watch.clone()).data(Deadline(deadline));
    let response = if is_subscription { now(&schema.fast, request).await } else { schema.fast.execute(request).await };
    let response = schema.under_policy(complete(response));
    let is_kept = !is_subscription && response.is_ok() && watch.is_settled() && schema.standing() == standing;
    (Answer { response, holds: standing.filter(|_| is_kept) }, watch)
}

/// The one value of a subscription; see [`Subscription`].
async fn now(inner: &Inner, request: Request) -> Response {
    inner.execute_stream(request).next().await.unwrap_or_default()
}
