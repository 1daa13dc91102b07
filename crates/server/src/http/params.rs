//! The parameters of a GraphQL request, from the body of a POST or the query of a GET: types checked, nothing else.

use actix_web::web;
use serde_json::{Map, Value};

use super::documents::Hash;

/// A request as the client put it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Params {
    /// At least one of `query` and `document` is there.
    pub(super) query: Option<String>,
    /// The hash of the query, by `documentId` or as an automatic persisted query.
    pub(super) document: Option<Hash>,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Map<String, Value>,
}

/// Why a request is malformed. Messages quote nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(super) enum ParamError {
    #[error("the body must be a JSON object such as {{\"query\": \"{{ status {{ __typename }} }}\"}}")]
    NoObject,
    #[error("a list of requests in one body is not supported: send them one by one")]
    Batch,
    #[error("query must be given, as a string, or a persisted one named by its hash")]
    Query,
    #[error("documentId must be \"sha256:\" and 64 hexadecimal digits")]
    DocumentId,
    #[error("extensions.persistedQuery must be {{\"version\": 1, \"sha256Hash\": \"…\"}} with 64 hexadecimal digits")]
    PersistedQuery,
    #[error("operationName must be a string")]
    OperationName,
    #[error("variables must be an object")]
    Variables,
    #[error("extensions must be an object")]
    Extensions,
    #[error("a parameter is given twice")]
    Twice,
    #[error("the parameters must be URL-encoded UTF-8")]
    Encoding,
}

impl Params {
    /// Reads the body of a POST.
    pub(super) fn from_body(body: &[u8]) -> Result<Self, ParamError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Self::from_object(object),
            Ok(Value::Array(_)) => Err(ParamError::Batch),
            _ => Err(ParamError::NoObject),
        }
    }

    /// Reads the query of a GET; `variables` and `extensions` are JSON texts there.
    pub(super) fn from_url(query: &[u8]) -> Result<Self, ParamError> {
        let query = std::str::from_utf8(query).map_err(|_| ParamError::Encoding)?;
        let pairs = web::Query::<Vec<(String, String)>>::from_query(query).map_err(|_| ParamError::Encoding)?;
        let mut object = Map::new();
        for (name, text) in pairs.into_inner() {
            let value = match name.as_str() {
                "query" | "operationName" | "documentId" => Value::String(text),
                // An empty parameter is what a form sends for "none".
                "variables" | "extensions" if text.is_empty() => Value::Null,
                "variables" => serde_json::from_str(&text).map_err(|_| ParamError::Variables)?,
                "extensions" => serde_json::from_str(&text).map_err(|_| ParamError::Extensions)?,
                _ => continue,
            };
            if object.insert(name, value).is_some() {
                return Err(ParamError::Twice);
            }
        }
        Self::from_object(object)
    }

    fn from_object(mut object: Map<String, Value>) -> Result<Self, ParamError> {
        let mut take = |name: &str| object.remove(name).unwrap_or_default();
        let map = |value, error| match value {
            Value::Null => Ok(Map::new()),
            Value::Object(map) => Ok(map),
            _ => Err(error),
        };
        let query = match take("query") {
            Value::Null => None,
            Value::String(query) => Some(query).filter(|query| !query.trim().is_empty()),
            _ => return Err(ParamError::Query),
        };
        let document = match take("documentId") {
            Value::Null => None,
            Value::String(id) if id.is_empty() => None,
            Value::String(id) => Some(id.strip_prefix("sha256:").and_then(Hash::parse).ok_or(ParamError::DocumentId)?),
            _ => return Err(ParamError::DocumentId),
        };
        let operation_name = match take("operationName") {
            Value::Null => None,
            Value::String(name) => Some(name).filter(|name| !name.is_empty()),
            _ => return Err(ParamError::OperationName),
        };
        let variables = map(take("variables"), ParamError::Variables)?;
        let extensions = map(take("extensions"), ParamError::Extensions)?;
        let document = match extensions.get("persistedQuery") {
            None | Some(Value::Null) => document,
            Some(persisted) => Some(persisted_hash(persisted).ok_or(ParamError::PersistedQuery)?),
        };
        if query.is_none() && document.is_none() {
            return Err(ParamError::Query);
        }
        Ok(Self { query, document, operation_name, variables })
    }
}

/// The hash in the extension that Apollo's clients send.
fn persisted_hash(persisted: &Value) -> Option<Hash> {
    persisted.get("version").filter(|version| **version == 1)?;
    Hash::parse(persisted.get("sha256Hash")?.as_str()?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_body_and_a_url_say_the_same() {
        let body = br#"{"query": "query A { x }", "operationName": "A", "variables": {"id": 1}, "other": 1}"#;
        let params = Params::from_body(body).unwrap();
        let url = "query=query+A+%7B%20x%20%7D&operationName=A&variables=%7B%22id%22:1%7D&other=1";
        assert_eq!(Params::from_url(url.as_bytes()).unwrap(), params);
        assert_eq!((params.query.as_deref(), params.operation_name.as_deref()), (Some("query A { x }"), Some("A")));
        assert_eq!(params.variables["id"], 1);
    }

    #[test]
    fn null_and_empty_mean_absent() {
        let params = Params::from_body(br#"{"query": "{x}", "operationName": null, "variables": null}"#).unwrap();
        assert_eq!(params, Params { query: Some("{x}".to_owned()), ..Params::default() });
        assert_eq!(Params::from_url(b"query={x}&operationName=&variables=&extensions=").unwrap(), params);
    }

    #[test]
    fn a_hash_stands_for_a_query() {
        let hash = "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789";
        let by_id = Params::from_body(format!(r#"{{"documentId": "sha256:{hash}"}}"#).as_bytes()).unwrap();
        assert_eq!((by_id.query.as_ref(), by_id.document), (None, Hash::parse(hash)));
        let persisted = format!(r#"{{"persistedQuery": {{"version": 1, "sha256Hash": "{hash}"}}}}"#);
        let body = format!(r#"{{"extensions": {persisted}}}"#);
        assert_eq!(Params::from_body(body.as_bytes()).unwrap(), by_id);
        let url = format!("extensions={}", persisted.replace(' ', "+"));
        assert_eq!(Params::from_url(url.as_bytes()).unwrap(), by_id);
        assert_eq!(Params::from_url(format!("documentId=sha256:{hash}").as_bytes()).unwrap(), by_id);
    }

    #[test]
    fn wrong_types_are_told_apart() {
        let error = |body: &str| Params::from_body(body.as_bytes()).unwrap_err();
        assert_eq!(error("[]"), ParamError::Batch);
        for body in ["", "{", "null", "3", "\"x\"", "{\"query\": \"{x}\"} trailing"] {
            assert_eq!(error(body), ParamError::NoObject, "{body}");
        }
        for body in ["{}", r#"{"query": 1}"#, r#"{"query": ["{x}"]}"#, r#"{"query": " "}"#] {
            assert_eq!(error(body), ParamError::Query, "{body}");
        }
        assert_eq!(error(r#"{"query": "{x}", "operationName": {}}"#), ParamError::OperationName);
        assert_eq!(error(r#"{"query": "{x}", "variables": "{}"}"#), ParamError::Variables);
        assert_eq!(error(r#"{"query": "{x}", "extensions": [1]}"#), ParamError::Extensions);
        for id in ["1", "\"abc\"", "\"sha256:abc\"", "\"md5:x\""] {
            assert_eq!(error(&format!("{{\"documentId\": {id}}}")), ParamError::DocumentId);
        }
        for persisted in ["1", "{}", r#"{"version": 2, "sha256Hash": ""}"#, r#"{"version": 1, "sha256Hash": "é"}"#] {
            let body = format!("{{\"query\": \"{{x}}\", \"extensions\": {{\"persistedQuery\": {persisted}}}}}");
            assert_eq!(error(&body), ParamError::PersistedQuery, "{persisted}");
        }
        let url = |url: &str| Params::from_url(url.as_bytes()).unwrap_err();
        assert_eq!(url("query={x}&query={y}"), ParamError::Twice);
        assert_eq!(url("query={x}&variables={"), ParamError::Variables);
        assert_eq!(url("query={x}&variables=3"), ParamError::Variables);
        assert_eq!(url(""), ParamError::Query);
    }
}
