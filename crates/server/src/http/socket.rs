//! `graphql-transport-ws`: operations over one WebSocket.
//!
//! One task per connection reads and writes; each operation is a task of its own that puts its events into the connection's
//! queue, so a reader that does not read holds up its own operations, and what waits for it is bounded. The messages are in
//! `protocol`.

use std::collections::HashMap;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, UPGRADE};
use actix_web::web::{self, Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse, rt};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseReason, ProtocolError, Session};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, sleep_until, timeout};

use super::answer::Problem;
use super::answers::Question;
use super::asking::Asker;
use super::callers::Place;
use super::metrics::Reason;
use super::protocol::{self, Closing, Incoming};
use super::stream::{Event, Running, Stream, ended, no_place, reached};
use super::{Service, auth, cors};
use crate::authn::Refusal;

/// How long a client may take to introduce itself.
const INIT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a message may wait until the client has read some of those before.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a silent client is asked whether it is still there; one that has said nothing until the next time is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Events of all operations that wait for the connection.
const QUEUE_MAX: usize = 8;

/// Whether a request asks for a WebSocket.
pub(super) fn is_asked_for(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Opens a connection. Browsers let any page open one, so the page's origin is looked at first.
pub(super) fn open(request: &HttpRequest, payload: Payload, service: web::Data<Service>) -> HttpResponse {
    if !cors::may_connect(&service, request.headers()) {
        return Problem::OTHER_ORIGIN.plain();
    }
    let asker = match auth::holder(&service, request) {
        Ok(holder) => Asker::of(holder),
        Err(problem) => return problem.plain(),
    };
    let Ok((response, session, messages)) = actix_ws::handle_with_protocols(request, payload, &[protocol::NAME]) else {
        return Problem::malformed("this is no WebSocket handshake of version 13 (RFC 6455)").plain();
    };
    let is_ours = response.headers().contains_key("sec-websocket-protocol");
    let bytes_max = service.query_body_bytes_max;
    let messages = messages.max_frame_size(bytes_max).aggregate_continuations().max_continuation_size(bytes_max);
    rt::spawn(async move {
        let (queue, events) = mpsc::channel(QUEUE_MAX);
        let connection = Connection {
            service,
            asker,
            place: None,
            operations: HashMap::new(),
            operations_begun: 0,
            queue,
            session: session.clone(),
        };
        let ended =
            if is_ours { connection.serve(messages, events).await } else { Err(End::Close(Closing::wrong_protocol())) };
        if let Err(End::Close(closing)) = ended {
            _ = timeout(SEND_TIMEOUT, session.close(Some(CloseReason::from(closing)))).await;
        }
    });
    response
}

/// Why a connection ends.
enum End {
    /// The server closes it.
    Close(Closing),
    /// The client did, or does not read any more.
    Gone,
}

impl From<Closing> for End {
    fn from(closing: Closing) -> Self {
        Self::Close(closing)
    }
}

/// An open connection.
struct Connection {
    service: web::Data<Service>,
    /// By the header of the handshake, then by the first message.
    asker: Asker,
    /// Among the connections of its key, once the first message has come.
    place: Option<Place>,
    operations: HashMap<String, Operation>,
    /// Tells the events of an operation from those of an earlier one of the same id.
    operations_begun: u64,
    queue: mpsc::Sender<Tagged>,
    session: Session,
}

struct Operation {
    number: u64,
    _running: Running,
}

/// An event of an operation.
struct Tagged {
    id: String,
    number: u64,
    event: Event,
}

impl Connection {
    /// Until the end, which is always an error.
    async fn serve(
        mut self,
        mut messages: AggregatedMessageStream,
        mut events: mpsc::Receiver<Tagged>,
    ) -> Result<(), End> {
        let mut stopping = self.service.streams.stopping();
        let init_until = Instant::now() + INIT_TIMEOUT;
        let mut keep_alive = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        let mut was_heard = true;
        loop {
            tokio::select! {
                message = messages.recv() => {
                    was_heard = true;
                    self.hear(message).await?;
                }
                // Never closed, since this connection holds a sender.
                Some(tagged) = events.recv() => self.tell(tagged).await?,
                () = reached(self.asker.until) => self.check_token()?,
                () = ended(&mut stopping) => return Err(Closing::going_away().into()),
                () = sleep_until(init_until), if self.place.is_none() => return Err(Closing::no_init().into()),
                _ = keep_alive.tick() => {
                    if !was_heard {
                        return Err(End::Gone);
                    }
                    was_heard = false;
                    self.check_token()?;
                    within(self.session.ping(b"")).await?;
                }
            }
        }
    }

    async fn hear(&mut self, message: Option<Result<AggregatedMessage, ProtocolError>>) -> Result<(), End> {
        match message {
            Some(Ok(AggregatedMessage::Text(text))) => self.take(Incoming::parse(&text)?).await,
            Some(Ok(AggregatedMessage::Binary(_))) => Err(Closing::bad_request("Invalid message received").into()),
            Some(Ok(AggregatedMessage::Ping(bytes))) => within(self.session.pong(&bytes)).await,
            Some(Ok(AggregatedMessage::Pong(_))) => Ok(()),
            // Answered with the same code.
            Some(Ok(AggregatedMessage::Close(reason))) => {
                let code = reason.map_or(1000, |reason| reason.code.into());
                Err(Closing::new(code, "").into())
            }
            Some(Err(ProtocolError::Overflow)) => Err(Closing::too_large().into()),
            Some(Err(_)) | None => Err(End::Gone),
        }
    }

    async fn take(&mut self, message: Incoming) -> Result<(), End> {
        match message {
            Incoming::Init { .. } if self.place.is_some() => Err(Closing::second_init().into()),
            Incoming::Init { authorization } => {
                if let Some(authorization) = authorization {
                    self.asker = self.introduced(&authorization)?;
                }
                let place = self.service.streams.connect(self.asker.caller());
                self.place = Some(place.ok_or_else(|| {
                    self.service.metrics.refused(Reason::Connections);
                    Closing::too_many()
                })?);
                self.send(protocol::ack()).await
            }
            Incoming::Ping(payload) => self.send(protocol::pong(payload.as_deref())).await,
            Incoming::Pong => Ok(()),
            Incoming::Subscribe { .. } if self.place.is_none() => Err(Closing::unauthorized().into()),
            Incoming::Subscribe { id, request } => self.subscribe(id, request).await,
            Incoming::Complete { id } => {
                self.operations.remove(&id);
                Ok(())
            }
        }
    }

    fn introduced(&self, authorization: &str) -> Result<Asker, Closing> {
        let token = auth::bearer(authorization).ok_or_else(Closing::forbidden)?;
        self.service.authn.holder(token).map(|holder| Asker::of(Some(holder))).map_err(closing)
    }

    /// What the token says now; a connection whose token does not work any more is closed.
    fn check_token(&mut self) -> Result<(), Closing> {
        let Some(credential) = &self.asker.credential else { return Ok(()) };
        let holder = self.service.authn.again(credential).map_err(closing)?;
        self.asker = Asker::of(Some(holder));
        Ok(())
    }

    async fn subscribe(&mut self, id: String, request: Bytes) -> Result<(), End> {
        if self.operations.contains_key(&id) {
            return Err(Closing::subscriber_exists(&id).into());
        }
        self.check_token()?;
        let question = Question { access: self.asker.access.clone(), by_get: false, text: request };
        let stream = if self.operations.len() < self.service.streams.per_connection_max {
            Stream::open(self.service.clone(), question, self.asker.clone())
        } else {
            Err(no_place(&self.service))
        };
        let stream = match stream {
            Ok(stream) => stream,
            Err(problem) => return self.refuse(&id, &problem).await,
        };
        self.operations_begun += 1;
        let (number, tag) = (self.operations_begun, id.clone());
        let running = stream.run(self.queue.clone(), move |event| Tagged { id: tag.clone(), number, event });
        self.operations.insert(id, Operation { number, _running: running });
        Ok(())
    }

    /// Passes an event on, unless the client has ended its operation meanwhile.
    async fn tell(&mut self, Tagged { id, number, event }: Tagged) -> Result<(), End> {
        if self.operations.get(&id).is_none_or(|operation| operation.number != number) {
            return Ok(());
        }
        if !matches!(event, Event::Next(_)) {
            self.operations.remove(&id);
        }
        match event {
            Event::Next(answer) => self.send(protocol::next(&id, &answer)).await,
            Event::Failed(answer) => self.send(protocol::error(&id, &answer)).await,
            Event::Refused(problem) => self.refuse(&id, &problem).await,
            Event::Revoked(problem) if problem.status == StatusCode::UNAUTHORIZED => Err(Closing::forbidden().into()),
            Event::Revoked(_) => Err(Closing::internal().into()),
            // A server that stops closes the connection instead, so that the client comes again elsewhere.
            Event::Complete if *self.service.streams.stopping().borrow() => Ok(()),
            Event::Complete => self.send(protocol::complete(&id)).await,
        }
    }

    async fn refuse(&mut self, id: &str, problem: &Problem) -> Result<(), End> {
        self.send(protocol::error(id, problem.errors().as_bytes())).await
    }

    async fn send(&mut self, text: String) -> Result<(), End> {
        within(self.session.text(text)).await
    }
}

fn closing(refusal: Refusal) -> Closing {
    match refusal {
        Refusal::Invalid => Closing::forbidden(),
        Refusal::Unreadable => Closing::internal(),
    }
}

/// Waits for the client to read, but not for ever.
async fn within(sending: impl Future<Output = Result<(), actix_ws::Closed>>) -> Result<(), End> {
    match timeout(SEND_TIMEOUT, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(actix_ws::Closed)) | Err(_) => Err(End::Gone),
    }
}
