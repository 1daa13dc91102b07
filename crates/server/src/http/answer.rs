//! Answers that are no data: errors in the two shapes that clients expect, and the headers that every API answer has.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::{Map, json};

use super::negotiate::Media;

/// A refusal: what happened, in words that carry no data.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    /// Stable name for programs.
    pub(super) code: &'static str,
    /// For people.
    pub(super) message: Cow<'static, str>,
    /// More for programs: what stands beside the code.
    numbers: Vec<(&'static str, u64)>,
}

/// Seconds until asking again may help, beside the code and in the header `Retry-After`: a WebSocket has no headers.
const RETRY: &str = "retryAfter";

impl Problem {
    pub(super) const INVALID_TOKEN: Self =
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "the token is not valid, has expired or was revoked");
    pub(super) const NO_TOKEN: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "UNAUTHENTICATED",
        "send a key of the role ingest or operator: Authorization: Bearer thr_…",
    );
    pub(super) const WRONG_ROLE: Self = Self::new(
        StatusCode::FORBIDDEN,
        "FORBIDDEN",
        "this key may not send data: it takes one of the role ingest or operator",
    );
    pub(super) const NO_OPERATOR_TOKEN: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "UNAUTHENTICATED",
        "send a key of the role operator: Authorization: Bearer thr_…",
    );
    pub(super) const NO_READER_TOKEN: Self =
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "send a key that reads: Authorization: Bearer thr_…");
    pub(super) const NO_OPERATOR: Self =
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", "this key may not do that: it takes one of the role operator");
    pub(super) const NOT_FOUND: Self = Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "there is nothing here");
    pub(super) const NOT_BY_GET: Self =
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "only queries may be sent by GET");
    pub(super) const NO_QUERY: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "BAD_USER_INPUT",
        "query must be given, as a string, or a persisted one named by its hash",
    );
    /// Clients of automatic persisted queries look for these very words, and send the text then.
    pub(super) const NOT_PERSISTED: Self =
        Self::new(StatusCode::OK, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound");
    pub(super) const OTHER_HASH: Self =
        Self::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", "the hash is not the SHA-256 of the query");
    pub(super) const NOT_TRUSTED: Self = Self::new(
        StatusCode::FORBIDDEN,
        "FORBIDDEN",
        "only documents that this server trusts are answered, and this is none of them",
    );
    pub(super) const INTERNAL: Self =
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "the server failed; its log says why");
    pub(super) const UNAVAILABLE: Self =
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "the server cannot take this now; its log says why");
    pub(super) const BUSY: Self = Self::new(
        StatusCode::TOO_MANY_REQUESTS,
        "BUSY",
        "too much is being taken in at once: nothing of this body was taken, send all of it again",
    );
    pub(super) const TOO_MANY: Self = Self::new(
        StatusCode::TOO_MANY_REQUESTS,
        "RATE_LIMITED",
        "this key has too many queries under way: wait for an answer before asking more",
    );
    pub(super) const TOO_MANY_STREAMS: Self = Self::new(
        StatusCode::TOO_MANY_REQUESTS,
        "RATE_LIMITED",
        "this key, or this connection, has too many subscriptions open: end one before the next",
    );
    pub(super) const NOT_STREAMED: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "BAD_USER_INPUT",
        "a subscription is answered by a stream: send Accept: text/event-stream, or use graphql-transport-ws",
    );
    pub(super) const OTHER_ORIGIN: Self = Self::new(
        StatusCode::FORBIDDEN,
        "FORBIDDEN",
        "pages of this origin may not open a connection here: http.cors_origins names those that may",
    );
    pub(super) const TOO_DEAR_NOW: Self = Self::new(
        StatusCode::TOO_MANY_REQUESTS,
        "RATE_LIMITED",
        "the bucket of this key does not hold what this costs: ask again when so much has come back",
    );
    pub(super) const SLOW_BODY: Self =
        Self::new(StatusCode::REQUEST_TIMEOUT, "TIMEOUT", "the body did not arrive in time: nothing of it was taken");
    pub(super) const BROKEN_BODY: Self =
        Self::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", "the body was cut off: nothing of it was taken");

    /// 413, naming what would fit.
    pub(super) fn too_large(message: impl Into<Cow<'static, str>>) -> Self {
        Self::of(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", message)
    }

    /// 400 for a request that is malformed.
    pub(super) fn malformed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::of(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message)
    }

    /// 415, naming what would be read.
    pub(super) fn wrong_type(message: &'static str) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message)
    }

    const fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message: Cow::Borrowed(message), numbers: Vec::new() }
    }

    /// Any other.
    pub(super) fn of(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), numbers: Vec::new() }
    }

    /// The same with a number beside its code.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, number: u64) -> Self {
        self.numbers.push((name, number));
        self
    }

    /// The same, telling when to ask again.
    #[must_use]
    pub(super) fn after(self, seconds: u64) -> Self {
        self.with(RETRY, seconds)
    }

    /// Seconds until asking again may help, if that may help at all.
    fn retry_after(&self) -> Option<u64> {
        let told = self.numbers.iter().find(|(name, _)| *name == RETRY).map(|(_, seconds)| *seconds);
        let may_pass = matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        told.or(may_pass.then_some(1))
    }

    /// The body of a GraphQL answer that has nothing but this.
    pub(super) fn errors(&self) -> String {
        let mut extensions = Map::from_iter([("code".to_owned(), json!(self.code))]);
        extensions.extend(self.numbers.iter().map(|(name, number)| ((*name).to_owned(), json!(number))));
        extensions.extend(self.retry_after().map(|seconds| (RETRY.to_owned(), json!(seconds))));
        json!({ "errors": [{ "message": self.message, "extensions": extensions }] }).to_string()
    }

    /// As `{"error": {"code", "message"}}`, for everything but GraphQL.
    pub(super) fn plain(self) -> HttpResponse {
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        self.with_headers(Media::Json.content_type(), body.to_string())
    }

    /// As `{"errors": [{"message", "extensions": {"code", …}}]}`.
    pub(super) fn graphql(mut self, media: Media) -> HttpResponse {
        // As for every request error: 200 is for clients of before that media type.
        if self.status == StatusCode::OK && media == Media::GraphqlResponse {
            self.status = StatusCode::BAD_REQUEST;
        }
        let body = self.errors();
        self.with_headers(media.content_type(), body)
    }

    /// The same with something in `extensions`, as it stands in JSON between the braces.
    pub(super) fn graphql_with(self, media: Media, extensions: &str) -> HttpResponse {
        let mut body = self.errors();
        body.pop();
        body.push_str(&format!(",\"extensions\":{{{extensions}}}}}"));
        self.with_headers(media.content_type(), body)
    }

    fn with_headers(self, content_type: &'static str, body: String) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.insert_header((CONTENT_TYPE, content_type)).insert_header((CACHE_CONTROL, "no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"throng\""));
        }
        if let Some(seconds) = self.retry_after() {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        response.body(body)
    }
}

/// 405, with the methods that would do.
pub(super) fn wrong_method(allow: &'static str) -> HttpResponse {
    const WRONG: Problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        "this method does not fit; the Allow header names those that do",
    );
    let mut response = WRONG.plain();
    response.headers_mut().insert(ALLOW, actix_web::http::header::HeaderValue::from_static(allow));
    response
}
