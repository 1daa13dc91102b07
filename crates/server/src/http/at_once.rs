//! Answers that are computed on the very thread that serves the socket: handing a question to another thread and back takes
//! longer than computing most answers. What takes the disk or long is left to the blocking pool.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use quick_cache::sync::Cache;
use rustix::time::{ClockId, clock_gettime};
use throng_graphql::{Answer, Priced};
use throng_store::without_waiting;

use super::Service;
use super::answers::Question;
use super::asking::{Answered, Way, body_of, params_of, request_of, value};
use super::rate::{Bill, Broke};
use crate::telemetry::Operation;

/// How long computing may take before the next piece of an answer is begun.
const TIME_MAX: Duration = Duration::from_millis(3);
/// Longest request that is tried, in bytes.
const BYTES_MAX: usize = 16 << 10;
/// Questions that are remembered to take long.
const LONG_MAX: usize = 4096;
/// How long they are: what they read may be in memory by now.
const LONG_FOR: Duration = Duration::from_secs(5);

/// So often in a row: once may be the first look at something, or memory that the allocator gives back meanwhile.
const LONG_TIMES: u32 = 2;

/// Questions that took too long lately, by their hashes: trying them again would only compute them twice.
pub(super) struct Long {
    questions: Cache<u64, Noted>,
    hashes: RandomState,
}

/// That a question took too long: how often in a row, and when for the last time.
#[derive(Debug, Clone, Copy)]
struct Noted {
    times: u32,
    last: Instant,
}

impl Long {
    pub(super) fn new() -> Self {
        Self { questions: Cache::new(LONG_MAX), hashes: RandomState::new() }
    }

    fn holds(&self, question: u64, now: Instant) -> bool {
        let noted = self.questions.get(&question);
        noted.is_some_and(|noted| noted.times >= LONG_TIMES && now.duration_since(noted.last) < LONG_FOR)
    }

    fn note(&self, question: u64, took_long: bool, now: Instant) {
        let noted = self.questions.get(&question);
        if took_long {
            let times = noted.map_or(0, |noted| noted.times).saturating_add(1);
            self.questions.insert(question, Noted { times, last: now });
        } else if noted.is_some() {
            self.questions.remove(&question);
        }
    }
}

/// The answer without an error, where all of it is in memory and it takes no time to speak of. Paid for wherever it is tried.
pub(super) fn answer(
    service: &Service,
    question: &Question,
    bill: &mut Bill,
    way: Way,
) -> Result<Option<Answered>, Broke> {
    // Not before those who wait in line.
    let Ok(_turn) = service.computing.try_acquire() else { return Ok(None) };
    let hash = service.long.hashes.hash_one(question);
    if question.text.len() > BYTES_MAX || service.long.holds(hash, Instant::now()) {
        return Ok(None);
    }
    let Some((priced, operation)) = priced(service, question, way) else { return Ok(None) };
    let cost = priced.cost();
    let charge = bill.pay(&service.rates, cost)?;
    let (access, priced) = (question.access.clone(), priced.told(charge.budget()));
    let (began, computed_before) = (Instant::now(), computed());
    let answer = without_waiting(|| throng_graphql::execute_at_once(&service.schema, priced, access, TIME_MAX));
    let took_long = began.elapsed() > TIME_MAX && computed().saturating_sub(computed_before) > TIME_MAX;
    service.long.note(hash, took_long, Instant::now());
    Ok(answer.and_then(|Answer { response, holds }| {
        let value = value(&response, operation.as_ref().map(Operation::kind));
        let body = body_of(response, false, cost, operation).ok()?;
        if let Some(holds) = holds {
            service.answers.keep(question.clone(), holds, body.clone());
        }
        Some(Answered { status: StatusCode::OK, body, charge, value, kept: false, code: None })
    }))
}

/// How long this thread has computed. By the clock a question would take long where the machine is busy with others, and be sent
/// to a thread of the pool, which takes longer still.
fn computed() -> Duration {
    // Never before the epoch.
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// The request, if its document is in memory and it was priced before.
fn priced(service: &Service, question: &Question, way: Way) -> Option<(Priced, Option<Operation>)> {
    let params = params_of(question).ok()?;
    let document = service.documents.known(params.query.as_deref(), params.document)?;
    let kind = document.kind(params.operation_name.as_deref());
    way.takes(kind, question.by_get).ok()?;
    let operation = kind.map(|kind| Operation::new(kind, document.name(params.operation_name.as_deref())));
    Some((document.priced_before(request_of(params))?, operation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_took_long_is_tried_again_later() {
        let (long, now) = (Long::new(), Instant::now());
        long.note(1, true, now);
        assert!(!long.holds(1, now), "once is no habit");
        long.note(1, true, now);
        assert!(long.holds(1, now + LONG_FOR / 2));
        assert!(!long.holds(1, now + LONG_FOR));
        // Then it still takes long, or it does not any more.
        long.note(1, true, now + LONG_FOR);
        assert!(long.holds(1, now + LONG_FOR));
        long.note(1, false, now + LONG_FOR);
        long.note(1, true, now + LONG_FOR);
        assert!(!long.holds(1, now + LONG_FOR));
        assert!(!long.holds(2, now));
    }
}
