//! The messages of `graphql-transport-ws`, and the codes that a connection is closed with.
//!
//! The protocol is that of npm `graphql-ws` (PROTOCOL.md there). A message that it does not know closes the connection.

use actix_web::web::Bytes;
use actix_ws::{CloseCode, CloseReason};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::params::Params;

/// The name of the protocol in `Sec-WebSocket-Protocol`.
pub(super) const NAME: &str = "graphql-transport-ws";

/// Longest id of an operation, in bytes: it comes back with each answer.
const ID_BYTES_MAX: usize = 128;

/// Why a connection is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Closing {
    code: u16,
    reason: String,
}

impl Closing {
    pub(super) fn new(code: u16, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    pub(super) fn going_away() -> Self {
        Self::new(1001, "the server stops")
    }

    pub(super) fn too_large() -> Self {
        Self::new(1009, "the message is too large")
    }

    pub(super) fn too_many() -> Self {
        Self::new(1013, "this key has too many connections open")
    }

    pub(super) fn bad_request(reason: impl Into<String>) -> Self {
        Self::new(4400, reason)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(4401, "Unauthorized")
    }

    pub(super) fn forbidden() -> Self {
        Self::new(4403, "Forbidden")
    }

    pub(super) fn wrong_protocol() -> Self {
        Self::new(4406, "Subprotocol not acceptable")
    }

    pub(super) fn no_init() -> Self {
        Self::new(4408, "Connection initialisation timeout")
    }

    pub(super) fn subscriber_exists(id: &str) -> Self {
        Self::new(4409, format!("Subscriber for {id} already exists"))
    }

    pub(super) fn second_init() -> Self {
        Self::new(4429, "Too many initialisation requests")
    }

    pub(super) fn internal() -> Self {
        Self::new(4500, "Internal server error")
    }
}

impl From<Closing> for CloseReason {
    fn from(closing: Closing) -> Self {
        Self { code: CloseCode::from(closing.code), description: Some(closing.reason) }
    }
}

/// A message of the client.
#[derive(Debug)]
pub(super) enum Incoming {
    Init {
        /// `Authorization` of the payload.
        authorization: Option<String>,
    },
    Ping(Option<Box<RawValue>>),
    Pong,
    Subscribe {
        id: String,
        /// What would be the body of a POST.
        request: Bytes,
    },
    Complete {
        id: String,
    },
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    payload: Option<Box<RawValue>>,
}

impl Incoming {
    /// Reads a message; whatever is none closes the connection.
    pub(super) fn parse(text: &str) -> Result<Self, Closing> {
        let wrong = || Closing::bad_request("Invalid message received");
        let Message { kind, id, payload } = serde_json::from_str(text).map_err(|_| wrong())?;
        let id = || id.filter(|id| !id.is_empty() && id.len() <= ID_BYTES_MAX).ok_or_else(wrong);
        match kind.as_str() {
            "connection_init" => {
                let authorization = payload.map_or(Ok(None), |payload| authorization(&payload).ok_or_else(wrong))?;
                Ok(Self::Init { authorization })
            }
            "ping" => Ok(Self::Ping(payload)),
            "pong" => Ok(Self::Pong),
            "subscribe" => {
                let request = payload.map(|payload| Bytes::from(String::from(Box::<str>::from(payload))));
                let request = request.ok_or_else(wrong)?;
                Params::from_body(&request).map_err(|error| Closing::bad_request(error.to_string()))?;
                Ok(Self::Subscribe { id: id()?, request })
            }
            "complete" => Ok(Self::Complete { id: id()? }),
            _ => Err(wrong()),
        }
    }
}

/// What the payload has for the header of that name; `None` where it is no such payload.
fn authorization(payload: &RawValue) -> Option<Option<String>> {
    let Ok(Value::Object(payload)) = serde_json::from_str(payload.get()) else { return None };
    let mut values = payload.into_iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    match (values.next(), values.next()) {
        (None, _) | (Some((_, Value::Null)), None) => Some(None),
        (Some((_, Value::String(text))), None) => Some(Some(text)),
        _ => None,
    }
}

/// `connection_ack`.
pub(super) fn ack() -> String {
    json!({ "type": "connection_ack" }).to_string()
}

/// `pong`, with what came with the ping.
pub(super) fn pong(payload: Option<&RawValue>) -> String {
    match payload {
        None => "{\"type\":\"pong\"}".to_owned(),
        Some(payload) => format!("{{\"type\":\"pong\",\"payload\":{}}}", payload.get()),
    }
}

/// `next`, with a whole answer.
pub(super) fn next(id: &str, answer: &[u8]) -> String {
    format!("{{\"id\":{},\"type\":\"next\",\"payload\":{}}}", json!(id), String::from_utf8_lossy(answer))
}

/// `error`, with the errors of a whole answer.
pub(super) fn error(id: &str, answer: &[u8]) -> String {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    json!({ "id": id, "type": "error", "payload": answer["errors"] }).to_string()
}

/// `complete`.
pub(super) fn complete(id: &str) -> String {
    json!({ "id": id, "type": "complete" }).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn what_the_protocol_does_not_know_closes_the_connection() {
        for wrong in [
            "",
            "{",
            "[]",
            "3",
            "{}",
            r#"{"type": "connection_ack"}"#,
            r#"{"type": "start", "id": "1", "payload": {"query": "{x}"}}"#,
            r#"{"type": "connection_init", "payload": []}"#,
            r#"{"type": "connection_init", "payload": {"Authorization": 1}}"#,
            r#"{"type": "connection_init", "payload": {"Authorization": "a", "authorization": "b"}}"#,
            r#"{"type": "subscribe", "payload": {"query": "{x}"}}"#,
            r#"{"type": "subscribe", "id": "", "payload": {"query": "{x}"}}"#,
            r#"{"type": "subscribe", "id": 1, "payload": {"query": "{x}"}}"#,
            r#"{"type": "subscribe", "id": "1"}"#,
            r#"{"type": "subscribe", "id": "1", "payload": {"query": 1}}"#,
            r#"{"type": "complete"}"#,
        ] {
            assert_eq!(Incoming::parse(wrong).unwrap_err().code, 4400, "{wrong}");
        }
        let long = format!(r#"{{"type": "complete", "id": "{}"}}"#, "i".repeat(ID_BYTES_MAX + 1));
        assert_eq!(Incoming::parse(&long).unwrap_err().code, 4400);
    }

    #[test]
    fn a_token_comes_with_the_first_message() {
        let token = |payload: &str| {
            let text = format!("{{\"type\": \"connection_init\"{payload}}}");
            let Incoming::Init { authorization } = Incoming::parse(&text).unwrap() else { panic!("{text}") };
            authorization
        };
        assert_eq!(token(r#", "payload": {"authorization": "Bearer x", "more": 1}"#).as_deref(), Some("Bearer x"));
        for none in ["", ", \"payload\": null", ", \"payload\": {}", ", \"payload\": {\"Authorization\": null}"] {
            assert_eq!(token(none), None, "{none}");
        }
    }

    #[test]
    fn an_operation_is_what_a_body_would_be() {
        let text = r#"{"id": "1", "type": "subscribe", "payload": {"query": "{x}",  "variables": {}}}"#;
        let Incoming::Subscribe { id, request } = Incoming::parse(text).unwrap() else { panic!("{text}") };
        assert_eq!((id.as_str(), &request[..]), ("1", &br#"{"query": "{x}",  "variables": {}}"#[..]));
        assert_eq!(next("a\"b", b"{\"data\":{}}"), r#"{"id":"a\"b","type":"next","payload":{"data":{}}}"#);
    }
}
