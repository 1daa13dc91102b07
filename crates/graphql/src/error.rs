//! Errors as callers see them: a message about the question, a code, and never data.

use async_graphql::{Error, ErrorExtensions, Response, ServerError};
use throng_privacy::GateError;

/// Values of `extensions.code`.
pub mod code {
    /// The document is no GraphQL.
    pub const PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
    /// The document does not fit the schema.
    pub const VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
    /// An argument is out of its bounds, or the question is not in the catalogue.
    pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
    /// There is no token.
    pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
    /// The server answers nothing of the kind.
    pub const FORBIDDEN: &str = "FORBIDDEN";
    /// The entity vanished while the query ran.
    pub const NOT_FOUND: &str = "NOT_FOUND";
    /// The document is too long, too deep or too costly.
    pub const QUERY_TOO_COMPLEX: &str = "QUERY_TOO_COMPLEX";
    /// Computing the answer took too long.
    pub const TIMEOUT: &str = "TIMEOUT";
    /// The server could not answer.
    pub const INTERNAL: &str = "INTERNAL";
}

fn coded(message: impl Into<String>, code: &'static str) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

pub(crate) fn unauthenticated() -> Error {
    coded("this field needs a token", code::UNAUTHENTICATED)
}

pub(crate) fn bad_input(message: impl Into<String>) -> Error {
    coded(message, code::BAD_USER_INPUT)
}

/// What the gate refused. Its reasons are made of the question and public facts, so they may be passed on.
#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` takes")]
pub(crate) fn of_gate(error: GateError) -> Error {
    let code = match &error {
        GateError::Unknown => code::NOT_FOUND,
        GateError::BadQuestion(_) => code::BAD_USER_INPUT,
        _ => code::INTERNAL,
    };
    coded(error.to_string(), code)
}

pub(crate) fn timeout() -> Error {
    coded("the answer takes too long to compute: ask for less at a time", code::TIMEOUT)
}

/// The request data lack what `schema` puts there: a bug.
pub(crate) fn internal() -> Error {
    coded("the server is not set up", code::INTERNAL)
}

/// An answer without data, before anything ran.
pub(crate) fn refusal(mut error: ServerError, code: &'static str) -> Response {
    set_code(&mut error, code);
    Response::from_errors(vec![error])
}

/// Most errors that an answer tells: a document can be wrong in every place.
const ERRORS_MAX: usize = 20;

/// Gives each error a code that has none yet: those that the GraphQL library made itself. Tells the first ones only.
pub(crate) fn complete(mut response: Response) -> Response {
    response.errors.truncate(ERRORS_MAX);
    for error in &mut response.errors {
        if error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some()) {
            continue;
        }
        let code = if !error.path.is_empty() || error.message.starts_with("Failed to parse") {
            // Resolvers set their own codes; what is left are arguments that do not parse.
            code::BAD_USER_INPUT
        } else if error.message.contains("too complex") || error.message.contains("recursion depth") {
            code::QUERY_TOO_COMPLEX
        } else {
            code::VALIDATION_FAILED
        };
        set_code(error, code);
    }
    response
}

fn set_code(error: &mut ServerError, code: &'static str) {
    error.extensions.get_or_insert_default().set("code", code);
}
