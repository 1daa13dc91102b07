//! How much each key may ask: buckets of points, from which every request takes its published cost before it is answered.
//!
//! The cost of a request is known once it is validated, or since it was kept. It is taken once, however often the answer is
//! tried, also for a kept answer, and for each look at a subscription: a price that fell with the second asking would tell one caller what another has
//! asked, and nobody could plan with it. A document that is refused costs 1.

use std::num::NonZero;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use throng_graphql::{Budget, code};
use throng_model::Timestamp;

use super::answer::Problem;
use super::answers::Body;
use super::metrics::Reason;
use super::negotiate::Media;
use crate::authn::Caller;

/// Has a bucket; all callers without a token have one together.
type Owner = Option<Caller>;
type Limiter = RateLimiter<Owner, DefaultKeyedStateStore<Owner>, DefaultClock, StateInformationMiddleware>;

/// So often full buckets are forgotten, in requests: they are as good as new ones.
const FORGET_EVERY: u32 = 4_096;
/// `RateLimit-Policy` and `RateLimit`, after draft-ietf-httpapi-ratelimit-headers-10.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// The buckets of all callers.
pub(super) struct Rates {
    /// `None` where nothing is limited.
    limiter: Option<Limiter>,
    limit: NonZero<u32>,
    restored_per_second: NonZero<u32>,
    requests: AtomicU32,
    /// Points paid so far by all callers.
    paid: AtomicU64,
}

/// What one request was charged, and what its bucket holds then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charge {
    points: u32,
    /// `None` where nothing is limited.
    left: Option<Left>,
}

/// What a bucket holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    available: u32,
    limit: NonZero<u32>,
    restored_per_second: NonZero<u32>,
}

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broke {
    /// No bucket ever holds that much.
    Never { points: u32, limit: NonZero<u32> },
    /// Not yet.
    Yet { points: u32, left: Left, wait: Duration },
}

/// What one request pays: once, however often its answer is tried.
#[derive(Debug)]
pub(super) struct Bill {
    caller: Owner,
    paid: Option<Charge>,
}

impl Rates {
    /// Buckets of `limit` points each; 0 in either limits nothing.
    pub(super) fn new(limit: u32, restored_per_second: u32) -> Self {
        let sizes = NonZero::new(limit).zip(NonZero::new(restored_per_second));
        let limiter = |(limit, restored): (NonZero<u32>, NonZero<u32>)| {
            RateLimiter::keyed(Quota::per_second(restored).allow_burst(limit)).with_middleware()
        };
        let (limit, restored_per_second) = sizes.unwrap_or((NonZero::<u32>::MIN, NonZero::<u32>::MIN));
        Self {
            limiter: sizes.map(limiter),
            limit,
            restored_per_second,
            requests: AtomicU32::new(0),
            paid: AtomicU64::new(0),
        }
    }

    /// Points paid so far, by all callers.
    pub(super) fn paid(&self) -> u64 {
        self.paid.load(Ordering::Relaxed)
    }

    fn charge(&self, caller: &Owner, points: u32) -> Result<Charge, Broke> {
        let Some(limiter) = &self.limiter else { return Ok(Charge { points, left: None }) };
        if self.requests.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            limiter.retain_recent();
        }
        let left = |available| Left { available, limit: self.limit, restored_per_second: self.restored_per_second };
        let asked = NonZero::new(points).unwrap_or(NonZero::<u32>::MIN);
        match limiter.check_key_n(caller, asked) {
            Ok(Ok(state)) => Ok(Charge { points, left: Some(left(state.remaining_burst_capacity())) }),
            Ok(Err(until)) => {
                let wait = until.wait_time_from(limiter.clock().now());
                let lacking = (wait.as_secs_f64() * f64::from(self.restored_per_second.get())).ceil() as u32;
                Err(Broke::Yet { points, left: left(points.saturating_sub(lacking.max(1))), wait })
            }
            Err(_) => Err(Broke::Never { points, limit: self.limit }),
        }
    }
}

impl Bill {
    pub(super) fn of(caller: Owner) -> Self {
        Self { caller, paid: None }
    }

    /// Pays, unless that was done before.
    pub(super) fn pay(&mut self, rates: &Rates, points: u32) -> Result<Charge, Broke> {
        match self.paid {
            Some(charge) => Ok(charge),
            None => {
                let charge = rates.charge(&self.caller, points)?;
                rates.paid.fetch_add(points.into(), Ordering::Relaxed);
                self.paid = Some(charge);
                Ok(charge)
            }
        }
    }
}

impl Charge {
    /// For `Query.rateLimit`.
    pub(super) fn budget(self) -> Option<Budget> {
        let left = self.left?;
        let now = Timestamp::now();
        let full_at = now.millis().saturating_add(i64::from(left.full_in_ms()));
        Some(Budget {
            limit: left.limit.get(),
            available: left.available,
            restored_per_second: left.restored_per_second.get(),
            cost: self.points,
            full_at: Timestamp::from_millis(full_at).unwrap_or(now),
        })
    }

    /// The body with `extensions.cost` in it.
    pub(super) fn complete(self, body: &Body) -> Bytes {
        let cost = cost(body.cost, self.points, self.left);
        let mut whole = Vec::with_capacity(body.open.len() + cost.len() + 2);
        whole.extend_from_slice(&body.open);
        whole.extend_from_slice(cost.as_bytes());
        whole.extend_from_slice(b"}}");
        whole.into()
    }

    /// Says in the head how much is left.
    pub(super) fn head(self, headers: &mut HeaderMap) {
        if let Some(left) = self.left {
            left.head(headers);
        }
    }
}

/// `"cost":{…}` of `extensions`.
fn cost(requested: u32, actual: u32, left: Option<Left>) -> String {
    match left {
        Some(Left { available, restored_per_second, .. }) => format!(
            "\"cost\":{{\"requested\":{requested},\"actual\":{actual},\"available\":{available},\"restoreRate\":{restored_per_second}}}"
        ),
        None => format!("\"cost\":{{\"requested\":{requested},\"actual\":{actual}}}"),
    }
}

impl Left {
    fn full_in_ms(self) -> u32 {
        let lacking = u64::from(self.limit.get() - self.available.min(self.limit.get()));
        u32::try_from((lacking * 1_000).div_ceil(u64::from(self.restored_per_second.get()))).unwrap_or(u32::MAX)
    }

    fn head(self, headers: &mut HeaderMap) {
        let (limit, window) = (self.limit, self.limit.get().div_ceil(self.restored_per_second.get()));
        let policy = format!("\"cost\";q={limit};w={window};qu=\"points\"");
        let left = format!("\"cost\";r={};t={}", self.available, self.full_in_ms().div_ceil(1_000));
        for (name, value) in [(POLICY, policy), (LEFT, left)] {
            // Digits and quotes: always a value.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

impl Broke {
    /// 429 with what the bucket holds, or what a document too complex gets.
    pub(super) fn refuse(self, media: Media) -> HttpResponse {
        let Self::Yet { points, left, .. } = self else { return self.problem().graphql(media) };
        let mut response = self.problem().graphql_with(media, &cost(points, 0, Some(left)));
        left.head(response.headers_mut());
        response
    }

    /// Which limit that is.
    pub(super) fn reason(self) -> Reason {
        match self {
            Self::Never { .. } => Reason::Complexity,
            Self::Yet { .. } => Reason::Points,
        }
    }

    /// The refusal alone.
    pub(super) fn problem(self) -> Problem {
        match self {
            Self::Never { points, limit } => {
                let message = format!("this costs {points} points, and a caller can have {limit} at all");
                let problem = Problem::of(StatusCode::OK, code::QUERY_TOO_COMPLEX, message);
                problem.with("requested", points.into()).with("limit", limit.get().into())
            }
            Self::Yet { points, wait, .. } => {
                Problem::TOO_DEAR_NOW.with("requested", points.into()).after(wait.as_secs() + 1)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn pay(rates: &Rates, caller: &str, points: u32) -> Result<Charge, Broke> {
        Bill::of(Some(Caller::Key(caller.to_owned()))).pay(rates, points)
    }

    #[test]
    fn a_bucket_gives_what_it_holds_and_no_more() {
        // So slow that nothing comes back within the test.
        let rates = Rates::new(1_000, 1);
        let available = |charge: Charge| charge.left.unwrap().available;
        assert_eq!(available(pay(&rates, "a", 400).unwrap()), 600);
        assert_eq!(pay(&rates, "a", 1_001), Err(Broke::Never { points: 1_001, limit: NonZero::new(1_000).unwrap() }));
        let Err(Broke::Yet { left, wait, .. }) = pay(&rates, "a", 700) else { panic!("it holds 600") };
        assert!((599..=601).contains(&left.available), "{left:?}");
        assert!(wait > Duration::from_secs(90) && wait <= Duration::from_secs(100), "{wait:?}");
        assert_eq!(available(pay(&rates, "a", 600).unwrap()), 0);
        // Others have buckets of their own.
        assert_eq!(available(pay(&rates, "b", 1).unwrap()), 999);
        assert_eq!(available(Bill::of(None).pay(&rates, 1).unwrap()), 999);
    }

    #[test]
    fn a_request_pays_once() {
        let rates = Rates::new(10, 1);
        let mut bill = Bill::of(None);
        let first = bill.pay(&rates, 7).unwrap();
        assert_eq!(bill.pay(&rates, 7), Ok(first));
    }

    #[test]
    fn nothing_is_limited_by_nought() {
        for rates in [Rates::new(0, 10), Rates::new(10, 0)] {
            assert_eq!(pay(&rates, "a", u32::MAX), Ok(Charge { points: u32::MAX, left: None }));
        }
    }

    #[test]
    fn full_buckets_are_forgotten() {
        let rates = Rates::new(1_000_000, 1_000_000_000);
        (0..3 * FORGET_EVERY).for_each(|caller| _ = pay(&rates, &caller.to_string(), 1).unwrap());
        assert!(rates.limiter.unwrap().len() <= FORGET_EVERY as usize + 1);
    }
}
