//! Answers that are no data: errors in the two shapes that clients expect, and the headers that every API answer has.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::json;

use super::negotiate::Media;

/// A refusal: what happened, in words that carry no data.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    /// Stable name for programs.
    pub(super) code: &'static str,
    /// For people.
    pub(super) message: Cow<'static, str>,
}

impl Problem {
    pub(super) const INVALID_TOKEN: Self = Self {
        status: StatusCode::UNAUTHORIZED,
        code: "UNAUTHENTICATED",
        message: Cow::Borrowed("the token is not valid, has expired or was revoked"),
    };
    pub(super) const NO_TOKEN: Self = Self {
        status: StatusCode::UNAUTHORIZED,
        code: "UNAUTHENTICATED",
        message: Cow::Borrowed("send a key of the role ingest or operator: Authorization: Bearer thr_…"),
    };
    pub(super) const WRONG_ROLE: Self = Self {
        status: StatusCode::FORBIDDEN,
        code: "FORBIDDEN",
        message: Cow::Borrowed("this key may not send data: it takes one of the role ingest or operator"),
    };
    pub(super) const NO_OPERATOR_TOKEN: Self = Self {
        status: StatusCode::UNAUTHORIZED,
        code: "UNAUTHENTICATED",
        message: Cow::Borrowed("send a key of the role operator: Authorization: Bearer thr_…"),
    };
    pub(super) const NO_READER_TOKEN: Self = Self {
        status: StatusCode::UNAUTHORIZED,
        code: "UNAUTHENTICATED",
        message: Cow::Borrowed("send a key that reads: Authorization: Bearer thr_…"),
    };
    pub(super) const NO_OPERATOR: Self = Self {
        status: StatusCode::FORBIDDEN,
        code: "FORBIDDEN",
        message: Cow::Borrowed("this key may not do that: it takes one of the role operator"),
    };
    pub(super) const NOT_FOUND: Self =
        Self { status: StatusCode::NOT_FOUND, code: "NOT_FOUND", message: Cow::Borrowed("there is nothing here") };
    pub(super) const NOT_BY_GET: Self = Self {
        status: StatusCode::METHOD_NOT_ALLOWED,
        code: "METHOD_NOT_ALLOWED",
        message: Cow::Borrowed("only queries may be sent by GET"),
    };
    pub(super) const NO_QUERY: Self = Self {
        status: StatusCode::BAD_REQUEST,
        code: "BAD_USER_INPUT",
        message: Cow::Borrowed("query must be given, as a string, or a persisted one named by its hash"),
    };
    /// Clients of automatic persisted queries look for these very words, and send the text then.
    pub(super) const NOT_PERSISTED: Self = Self {
        status: StatusCode::OK,
        code: "PERSISTED_QUERY_NOT_FOUND",
        message: Cow::Borrowed("PersistedQueryNotFound"),
    };
    pub(super) const OTHER_HASH: Self = Self {
        status: StatusCode::BAD_REQUEST,
        code: "BAD_USER_INPUT",
        message: Cow::Borrowed("the hash is not the SHA-256 of the query"),
    };
    pub(super) const NOT_TRUSTED: Self = Self {
        status: StatusCode::FORBIDDEN,
        code: "FORBIDDEN",
        message: Cow::Borrowed("only documents that this server trusts are answered, and this is none of them"),
    };
    pub(super) const INTERNAL: Self = Self {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        code: "INTERNAL",
        message: Cow::Borrowed("the server failed; its log says why"),
    };
    pub(super) const UNAVAILABLE: Self = Self {
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: "UNAVAILABLE",
        message: Cow::Borrowed("the server cannot take this now; its log says why"),
    };
    pub(super) const BUSY: Self = Self {
        status: StatusCode::TOO_MANY_REQUESTS,
        code: "BUSY",
        message: Cow::Borrowed(
            "too much is being taken in at once: nothing of this body was taken, send all of it again",
        ),
    };
    pub(super) const TOO_MANY: Self = Self {
        status: StatusCode::TOO_MANY_REQUESTS,
        code: "RATE_LIMITED",
        message: Cow::Borrowed("this key has too many queries under way: wait for an answer before asking more"),
    };
    pub(super) const TOO_MANY_STREAMS: Self = Self {
        status: StatusCode::TOO_MANY_REQUESTS,
        code: "RATE_LIMITED",
        message: Cow::Borrowed(
            "this key, or this connection, has too many subscriptions open: end one before the next",
        ),
    };
    pub(super) const NOT_STREAMED: Self = Self {
        status: StatusCode::BAD_REQUEST,
        code: "BAD_USER_INPUT",
        message: Cow::Borrowed(
            "a subscription is answered by a stream: send Accept: text/event-stream, or use graphql-transport-ws",
        ),
    };
    pub(super) const OTHER_ORIGIN: Self = Self {
        status: StatusCode::FORBIDDEN,
        code: "FORBIDDEN",
        message: Cow::Borrowed(
            "pages of this origin may not open a connection here: http.cors_origins names those that may",
        ),
    };
    pub(super) const TOO_DEAR_NOW: Self = Self {
        status: StatusCode::TOO_MANY_REQUESTS,
        code: "RATE_LIMITED",
        message: Cow::Borrowed(
            "the bucket of this key does not hold what this costs: ask again after Retry-After seconds",
        ),
    };
    pub(super) const SLOW_BODY: Self = Self {
        status: StatusCode::REQUEST_TIMEOUT,
        code: "TIMEOUT",
        message: Cow::Borrowed("the body did not arrive in time: nothing of it was taken"),
    };
    pub(super) const BROKEN_BODY: Self = Self {
        status: StatusCode::BAD_REQUEST,
        code: "BAD_USER_INPUT",
        message: Cow::Borrowed("the body was cut off: nothing of it was taken"),
    };

    /// 413, naming what would fit.
    pub(super) fn too_large(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, code: "BODY_TOO_LARGE", message: message.into() }
    }

    /// 400 for a request that is malformed.
    pub(super) fn malformed(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "BAD_USER_INPUT", message: message.into() }
    }

    /// 415, naming what would be read.
    pub(super) fn wrong_type(message: &'static str) -> Self {
        Self { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, code: "UNSUPPORTED_MEDIA_TYPE", message: message.into() }
    }

    /// As `{"error": {"code", "message"}}`, for everything but GraphQL.
    pub(super) fn plain(self) -> HttpResponse {
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        self.with_headers(Media::Json.content_type(), body.to_string())
    }

    /// As `{"errors": [{"message", "extensions": {"code"}}]}`.
    pub(super) fn graphql(mut self, media: Media) -> HttpResponse {
        // As for every request error: 200 is for clients of before that media type.
        if self.status == StatusCode::OK && media == Media::GraphqlResponse {
            self.status = StatusCode::BAD_REQUEST;
        }
        let body = graphql_errors(self.code, &self.message);
        self.with_headers(media.content_type(), body)
    }

    /// The same with something in `extensions`, as it stands in JSON between the braces.
    pub(super) fn graphql_with(self, media: Media, extensions: &str) -> HttpResponse {
        let mut body = graphql_errors(self.code, &self.message);
        body.pop();
        body.push_str(&format!(",\"extensions\":{{{extensions}}}}}"));
        self.with_headers(media.content_type(), body)
    }

    fn with_headers(self, content_type: &'static str, body: String) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.insert_header((CONTENT_TYPE, content_type)).insert_header((CACHE_CONTROL, "no-store"));
        match self.status {
            StatusCode::UNAUTHORIZED => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"throng\""));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                response.insert_header((RETRY_AFTER, "1"));
            }
            _ => {}
        }
        response.body(body)
    }
}

/// The body of a request error.
pub(super) fn graphql_errors(code: &str, message: &str) -> String {
    json!({ "errors": [{ "message": message, "extensions": { "code": code } }] }).to_string()
}

/// 405, with the methods that would do.
pub(super) fn wrong_method(allow: &'static str) -> HttpResponse {
    let problem = Problem {
        status: StatusCode::METHOD_NOT_ALLOWED,
        code: "METHOD_NOT_ALLOWED",
        message: Cow::Borrowed("this method does not fit; the Allow header names those that do"),
    };
    let mut response = problem.plain();
    response.headers_mut().insert(ALLOW, actix_web::http::header::HeaderValue::from_static(allow));
    response
}
