//! One operation that is answered as a stream: a query once, a subscription again whenever its answer has changed.
//!
//! *Invariant:* each value is what the same question would be answered at that moment, to what the caller's key may see at that
//! moment, within the same limits. Values come at fixed steps of time after the first, never when an event comes, so a
//! stream says nothing that asking again and again would not. A reader that does not read is not asked for: at most a few values
//! are computed ahead of it.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt;
use actix_web::web::{self, Bytes};
use throng_model::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::answer::Problem;
use super::answers::Question;
use super::asking::{Answered, Asker, Unanswered, Way, answer};
use super::callers::{Callers, Place};
use super::metrics::Reason;
use super::{Service, auth};
use crate::authn::Caller;

/// What comes next.
#[derive(Debug)]
pub(super) enum Event {
    /// A whole answer.
    Next(Bytes),
    /// A request error, as a whole answer without data; nothing follows.
    Failed(Bytes),
    /// It was refused; nothing follows.
    Refused(Problem),
    /// The token does not work any more; nothing follows.
    Revoked(Problem),
    /// Nothing follows, and all is well.
    Complete,
}

/// What a value can depend on besides the question: the last commit, and the quarter hour, since days begin with one in every
/// zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    generation: u64,
    quarter_hour: i64,
}

const QUARTER_HOUR_MS: i64 = 900_000;
/// Bounds of one wait for an instant, so that a clock that is set back makes no loop of it.
const WAKE_MIN: Duration = Duration::from_millis(1);
const WAKE_MAX: Duration = Duration::from_secs(3_600);

/// An operation under way.
pub(super) struct Stream {
    service: web::Data<Service>,
    question: Question,
    asker: Asker,
    stopping: watch::Receiver<bool>,
    phase: Phase,
    /// The data of the last value that was sent.
    last: Bytes,
    /// When it was computed.
    seen: Option<Moment>,
    _place: Place,
}

enum Phase {
    First,
    Waiting(Interval),
    Last,
    Over,
}

/// The streams of a server: how many each key has open, and when all must end.
pub(super) struct Streams {
    open: Arc<Callers>,
    connections: Arc<Callers>,
    stopping: watch::Sender<bool>,
    /// The time between two looks at a subscription.
    interval: Duration,
    /// Most of one connection.
    pub(super) per_connection_max: usize,
}

impl Streams {
    pub(super) fn new(interval: Duration, per_key_max: usize, per_connection_max: usize) -> Self {
        let places = || Arc::new(Callers::new(per_key_max));
        Self {
            open: places(),
            connections: places(),
            stopping: watch::Sender::new(false),
            interval,
            per_connection_max,
        }
    }

    /// A place for one more WebSocket of a caller: one that asks nothing costs little, but keeps others from connecting.
    pub(super) fn connect(&self, caller: Option<Caller>) -> Option<Place> {
        self.connections.enter(caller)
    }

    /// How many are open.
    pub(super) fn open(&self) -> usize {
        self.open.under_way()
    }

    /// Ends all streams, and those that would begin.
    pub(super) fn end(&self) {
        self.stopping.send_replace(true);
    }

    /// Says when to end.
    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }
}

/// The refusal of one stream more, which is counted.
pub(super) fn no_place(service: &Service) -> Problem {
    service.metrics.refused(Reason::Subscriptions);
    service.metrics.failed(Problem::TOO_MANY_STREAMS.code);
    Problem::TOO_MANY_STREAMS
}

/// Waits until all streams are to end.
pub(super) async fn ended(stopping: &mut watch::Receiver<bool>) {
    // Without a sender there is no server.
    _ = stopping.wait_for(|stopping| *stopping).await;
}

/// Waits until an instant has come; for ever where there is none.
pub(super) async fn reached(instant: Option<Timestamp>) {
    let Some(instant) = instant else { return std::future::pending().await };
    let left = instant.millis().saturating_sub(Timestamp::now().millis());
    // A timer's longest sleep is shorter than the longest life of a key; waking early does no harm.
    let left = Duration::from_millis(u64::try_from(left).unwrap_or(0)).clamp(WAKE_MIN, WAKE_MAX);
    tokio::time::sleep(left).await;
}

impl Stream {
    /// An operation of a caller, who may have too many already.
    pub(super) fn open(service: web::Data<Service>, question: Question, asker: Asker) -> Result<Self, Problem> {
        let place = service.streams.open.enter(asker.caller()).ok_or_else(|| no_place(&service))?;
        let stopping = service.streams.stopping();
        let phase = Phase::First;
        Ok(Self { service, question, asker, stopping, phase, last: Bytes::new(), seen: None, _place: place })
    }

    /// Sends what comes into a queue, until the end or until the handle is dropped.
    pub(super) fn run<T: 'static>(mut self, queue: mpsc::Sender<T>, wrap: impl Fn(Event) -> T + 'static) -> Running {
        Running(rt::spawn(async move {
            while let Some(event) = self.next().await {
                if queue.send(wrap(event)).await.is_err() {
                    return;
                }
            }
        }))
    }

    /// Waits for what comes next; `None` after the end.
    async fn next(&mut self) -> Option<Event> {
        let event = loop {
            match &mut self.phase {
                Phase::First => break self.begin().await,
                Phase::Last => break Event::Complete,
                Phase::Over => return None,
                Phase::Waiting(interval) => {
                    tokio::select! {
                        _ = interval.tick() => {}
                        // Looking then finds that the token has expired.
                        () = reached(self.asker.until) => {}
                        () = ended(&mut self.stopping) => break Event::Complete,
                    }
                }
            }
            if let Some(event) = self.look().await {
                break event;
            }
        };
        if !matches!(event, Event::Next(_)) {
            self.phase = Phase::Over;
        }
        Some(event)
    }

    async fn begin(&mut self) -> Event {
        let event = match self.ask().await {
            Err(problem) => return Event::Refused(problem),
            Ok(Answered { value: Some(value), body, charge, .. }) => {
                let step = self.service.streams.interval;
                let mut interval = interval_at(Instant::now() + step, step);
                interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
                self.phase = Phase::Waiting(interval);
                self.last = value;
                return Event::Next(charge.complete(&body));
            }
            Ok(answered) => ending(&answered),
        };
        self.phase = Phase::Last;
        event
    }

    /// Looks at a subscription again; `None` where there is nothing to say.
    async fn look(&mut self) -> Option<Event> {
        if let Some(credential) = &self.asker.credential {
            match self.service.authn.again(credential) {
                Ok(holder) => self.admit(Asker::of(Some(holder))),
                Err(refusal) => return Some(Event::Revoked(auth::problem(refusal))),
            }
        }
        if self.seen == Some(self.moment()) {
            return None;
        }
        match self.ask().await {
            // The key asks much elsewhere: the next look may find it less busy, or its bucket fuller.
            Err(problem) if problem.code == Problem::TOO_MANY.code => {
                self.seen = None;
                None
            }
            Err(problem) => Some(Event::Refused(problem)),
            Ok(Answered { value: Some(value), .. }) if value == self.last => None,
            Ok(Answered { value: Some(value), body, charge, .. }) => {
                self.last = value;
                Some(Event::Next(charge.complete(&body)))
            }
            Ok(answered) => Some(ending(&answered)),
        }
    }

    fn admit(&mut self, asker: Asker) {
        if asker.access != self.question.access {
            self.question.access = asker.access.clone();
            self.seen = None;
        }
        self.asker = asker;
    }

    async fn ask(&mut self) -> Result<Answered, Problem> {
        // Before the question is asked: what comes meanwhile is looked at again.
        self.seen = Some(self.moment());
        let (question, caller) = (self.question.clone(), self.asker.caller());
        answer(&self.service, question, caller, Way::Stream).await.map_err(Unanswered::problem)
    }

    fn moment(&self) -> Moment {
        let generation = self.service.store.snapshot().generation();
        Moment { generation, quarter_hour: Timestamp::now().millis().div_euclid(QUARTER_HOUR_MS) }
    }
}

/// A stream that is being sent; dropping it ends it.
pub(super) struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The event of an answer that nothing of its kind follows.
fn ending(answered: &Answered) -> Event {
    let whole = answered.whole();
    if answered.status.is_success() { Event::Next(whole) } else { Event::Failed(whole) }
}
