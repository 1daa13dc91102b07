//! Who is asking: `Authorization: Bearer …`, and nothing else. No cookie is ever read, so no other site can borrow one.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::{HttpMessage as _, HttpRequest};

use super::Service;
use super::answer::Problem;
use crate::authn::{Holder, Refusal};
use crate::keys::Role;

/// What a request came with, as its log line names it: the id of a key.
pub(super) struct KeyId(pub(super) String);

/// The holder of the token; `None` without one. A token that does not work is refused, not ignored.
pub(super) fn holder(service: &Service, request: &HttpRequest) -> Result<Option<Holder>, Problem> {
    let Some(token) = token(request.headers())? else { return Ok(None) };
    match service.authn.holder(token) {
        Ok(holder) => {
            request.extensions_mut().insert(KeyId(holder.credential.name_in_logs().to_owned()));
            Ok(Some(holder))
        }
        Err(refusal) => Err(problem(refusal)),
    }
}

/// The holder, who must be one that may send events.
pub(super) fn ingester(service: &Service, request: &HttpRequest) -> Result<Holder, Problem> {
    let holder = holder(service, request)?.ok_or(Problem::NO_TOKEN)?;
    if holder.role.may_ingest() { Ok(holder) } else { Err(Problem::WRONG_ROLE) }
}

/// The holder, who must run the platform.
pub(super) fn operator(service: &Service, request: &HttpRequest) -> Result<Holder, Problem> {
    let holder = holder(service, request)?.ok_or(Problem::NO_OPERATOR_TOKEN)?;
    if holder.role == Role::Operator { Ok(holder) } else { Err(Problem::NO_OPERATOR) }
}

fn token(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(AUTHORIZATION);
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|_| values.next().is_none()).ok_or(Problem::INVALID_TOKEN)?;
    bearer(text).map(Some).ok_or(Problem::INVALID_TOKEN)
}

/// What the bearer of a token that opens nothing learns.
pub(super) fn problem(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Invalid => Problem::INVALID_TOKEN,
        Refusal::Unreadable => Problem::UNAVAILABLE,
    }
}

/// The token of `Bearer …`.
pub(super) fn bearer(text: &str) -> Option<&str> {
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
