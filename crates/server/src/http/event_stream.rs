//! GraphQL over server-sent events, "distinct connections mode": one operation, one response, whose body is a stream of the
//! events `next` and `complete`.
//!
//! The protocol is that of npm `graphql-sse` (PROTOCOL.md there). Errors of a document come as `next` too, since clients that
//! read events read nothing else; only what is refused before it is looked at has another status.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY};
use actix_web::web::{self, Bytes};
use futures_util::stream;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, interval_at};

use super::Service;
use super::answer::Problem;
use super::answers::Question;
use super::asking::Asker;
use super::graphql::refuse;
use super::negotiate::Media;
use super::stream::{Event, Running, Stream};

/// How often something is sent where there is nothing to say: less than what proxies wait. That nobody reads any more shows when
/// the second one cannot be sent; until then the stream keeps its place.
const KEEP_ALIVE: Duration = Duration::from_secs(6);
/// Events that wait for the reader.
const QUEUE_MAX: usize = 1;

/// Answers a question by a stream of events.
pub(super) async fn open(service: web::Data<Service>, question: Question, asker: Asker) -> HttpResponse {
    let stream = match Stream::open(service, question, asker) {
        Ok(stream) => stream,
        Err(problem) => return refuse(problem, Media::GraphqlResponse),
    };
    let (sender, mut events) = mpsc::channel(QUEUE_MAX);
    let running = stream.run(sender, |event| event);
    // The first one decides the status.
    let first = match events.recv().await {
        None => return Problem::INTERNAL.graphql(Media::GraphqlResponse),
        Some(Event::Refused(problem)) => return refuse(problem, Media::GraphqlResponse),
        Some(first) => first,
    };
    let keep_alive = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
    let body = Body { events, first: Some(first), keep_alive, _running: running };
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, "text/event-stream; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Some proxies gather a response before they pass it on.
        .insert_header(("X-Accel-Buffering", "no"))
        .append_header((VARY, "Accept, Authorization"))
        // Nothing else comes over this connection, and a stopping server need not wait for it.
        .force_close()
        .streaming(stream::unfold(body, |mut body| async {
            let text = body.next().await?;
            Some((Ok::<_, Infallible>(text), body))
        }))
}

/// What is sent, piece by piece.
struct Body {
    events: mpsc::Receiver<Event>,
    first: Option<Event>,
    keep_alive: Interval,
    _running: Running,
}

impl Body {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(written(&first));
        }
        tokio::select! {
            event = self.events.recv() => event.as_ref().map(written),
            _ = self.keep_alive.tick() => Some(Bytes::from_static(b":\n\n")),
        }
    }
}

/// An event with what follows it: after an error, the end.
fn written(event: &Event) -> Bytes {
    // Without data a browser would not show it to its page.
    const COMPLETE: &str = "event: complete\ndata:\n\n";
    let next = |body: &[u8]| [b"event: next\ndata: ", body, b"\n\n"].concat();
    match event {
        Event::Next(body) => next(body).into(),
        Event::Failed(body) => [&next(body)[..], COMPLETE.as_bytes()].concat().into(),
        Event::Refused(problem) | Event::Revoked(problem) => {
            let body = problem.errors();
            [&next(body.as_bytes())[..], COMPLETE.as_bytes()].concat().into()
        }
        Event::Complete => Bytes::from_static(COMPLETE.as_bytes()),
    }
}
