//! What fields cost: published in the schema, counted before anything is computed.
//!
//! `@cost` stands beside each `complexity` attribute and says the same; a test holds the two together. The library counts
//! while it validates, so a request is judged by a schema that validates and executes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextValidation};
use async_graphql::{Context, Response, ServerError, SimpleObject, TypeDirective, ValidationResult, Value};
use throng_model::Timestamp;

use crate::scalar::DateTime;

/// What this field costs: `weight`, and what is selected in it as many times as `times` says: a number, an argument of this
/// field, or the steps of its range. Other fields cost 1 and what is selected in them. A request costs at least 1; a document
/// with several operations costs all of them. Nothing is charged for what the answer does not hold, and nothing given back.
#[TypeDirective(location = "FieldDefinition")]
pub(crate) fn cost(weight: i32, times: String) {}

/// What the bucket of a caller holds, as the server says it: for `Query.rateLimit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Most points that the bucket holds.
    pub limit: u32,
    /// Points in it once this request was charged.
    pub available: u32,
    /// Points that come back in each second.
    pub restored_per_second: u32,
    /// What this request was charged.
    pub cost: u32,
    /// When the bucket is full again, if nothing more is asked.
    pub full_at: Timestamp,
}

/// The bucket of points that the calling key has, or all callers without one together. Each request is charged its cost
/// before it is answered; a bucket without that much answers 429.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct RateLimit {
    /// Most points that the bucket holds.
    limit: u32,
    /// Points that it holds now that this request was charged.
    remaining: u32,
    /// Points that come back in each second.
    restore_rate: u32,
    /// What this request was charged, in points: see `@cost`.
    cost: u32,
    /// When the bucket is full again if nothing more is asked.
    reset_at: DateTime,
}

impl RateLimit {
    /// Of this request; `None` where the server limits nothing.
    pub(crate) fn of(ctx: &Context<'_>) -> Option<Self> {
        let budget: &Budget = ctx.data_opt()?;
        Some(Self {
            limit: budget.limit,
            remaining: budget.available,
            restore_rate: budget.restored_per_second,
            cost: budget.cost,
            reset_at: DateTime::utc(budget.full_at),
        })
    }
}

/// Ends a request where it would be executed, and says what it costs.
pub(crate) struct Judge;

/// Where the answer of a judged request holds its cost.
const COST: &str = "cost";

#[derive(Default)]
struct Judging {
    complexity: AtomicUsize,
}

impl ExtensionFactory for Judge {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Judging::default())
    }
}

#[async_trait]
impl Extension for Judging {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(ctx).await?;
        self.complexity.store(result.complexity, Ordering::Relaxed);
        Ok(result)
    }

    async fn execute(&self, _: &ExtensionContext<'_>, _: Option<&str>, _: NextExecute<'_>) -> Response {
        Response::default().extension(COST, Value::from(self.complexity.load(Ordering::Relaxed)))
    }
}

/// The cost in the answer of a judged request.
pub(crate) fn judged(response: &Response) -> Option<u32> {
    match response.extensions.get(COST)? {
        Value::Number(number) => number.as_u64().map(|points| u32::try_from(points).unwrap_or(u32::MAX).max(1)),
        _ => None,
    }
}
