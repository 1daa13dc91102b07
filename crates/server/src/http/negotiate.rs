//! Content negotiation: which of our two media types an `Accept` header wants, whether a body is JSON in UTF-8, what the
//! client unpacks and what it has already.
//!
//! RFC 9110 §12.5 and §13.1.2 for the rules, the GraphQL-over-HTTP specification for the two types and the default.

use actix_web::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, IF_NONE_MATCH};

/// A media type that GraphQL answers are sent in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/json`: a request error is still 200, for clients from before the specification.
    Json,
    /// `application/graphql-response+json`: the status says what happened.
    GraphqlResponse,
}

impl Media {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        }
    }

    fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Json => ("application", "json"),
            Self::GraphqlResponse => ("application", "graphql-response+json"),
        }
    }
}

/// How well a range fits: first its quality in thousandths, then how exact it is (2 exact, 1 `type/*`, 0 `*/*`).
type Fit = (u16, u8);

/// The media type to answer in; `None` where none of ours is wanted (406).
pub(super) fn answer_media(headers: &HeaderMap) -> Option<Media> {
    let ranges = joined(headers, &ACCEPT)?;
    if ranges.trim().is_empty() {
        return Some(Media::Json);
    }
    let json = fit(&ranges, Media::Json.name());
    let graphql = fit(&ranges, Media::GraphqlResponse.name());
    match (json, graphql) {
        (None, None) => None,
        // Named outright and wanted no less: the newer type. Under a wildcard: the one that every client reads.
        (json, Some(graphql)) if graphql.1 == 2 && json.is_none_or(|json| graphql.0 >= json.0) => {
            Some(Media::GraphqlResponse)
        }
        (Some(json), Some(graphql)) if graphql.0 > json.0 => Some(Media::GraphqlResponse),
        (None, Some(_)) => Some(Media::GraphqlResponse),
        (Some(_), _) => Some(Media::Json),
    }
}

/// Whether a stream of events is wanted: named outright, and more than any of our media types.
pub(super) fn wants_events(headers: &HeaderMap) -> bool {
    let Some(ranges) = joined(headers, &ACCEPT) else { return false };
    let events = fit(&ranges, ("text", "event-stream")).filter(|(_, exact)| *exact == 2);
    let others = [Media::Json, Media::GraphqlResponse].map(|media| fit(&ranges, media.name()));
    let others = others.into_iter().flatten().map(|(quality, _)| quality).max();
    events.is_some_and(|(quality, _)| others.is_none_or(|others| quality > others))
}

/// The most exact range that covers the type decides; quality 0 means "not this one".
fn fit(ranges: &str, (family, subtype): (&str, &str)) -> Option<Fit> {
    let mut best: Option<Fit> = None;
    for range in ranges.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let exactness = match name.split_once('/') {
            Some(("*", "*")) => 0,
            Some((named, "*")) if named == family => 1,
            Some(named) if named == (family, subtype) => 2,
            _ => continue,
        };
        let mut quality = 1_000;
        let mut readable = true;
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => quality = thousandths(value.trim()),
                "charset" => readable = is_utf8(value),
                _ => {}
            }
        }
        if readable && best.is_none_or(|(_, exact)| exactness > exact) {
            best = Some((quality, exactness));
        }
    }
    best.filter(|&(quality, _)| quality > 0)
}

/// `q=0.5` as 500. What is no such number counts as 0, so that nobody gets what they did not ask for.
fn thousandths(text: &str) -> u16 {
    let value: f32 = text.parse().unwrap_or(0.0);
    if (0.0..=1.0).contains(&value) { (value * 1_000.0) as u16 } else { 0 }
}

/// Whether the body says that it is JSON in UTF-8.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    is_type(headers, &["application/json"])
}

/// Whether the body says that it is newline-delimited JSON. The type has no registration, so all usual names do, and so
/// does saying that it is bytes.
pub(super) fn is_ndjson(headers: &HeaderMap) -> bool {
    const NAMES: [&str; 7] = [
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        "application/json",
        "application/octet-stream",
        "application/gzip",
    ];
    is_type(headers, &NAMES) || is_type(headers, &["application/zstd", "application/x-gzip"])
}

fn is_type(headers: &HeaderMap, names: &[&str]) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE);
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Ok(text) = value.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let mut charsets =
        parts.filter_map(|part| part.split_once('=')).filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    names.iter().any(|known| known.eq_ignore_ascii_case(name)) && charsets.all(|(_, value)| is_utf8(value))
}

fn is_utf8(charset: &str) -> bool {
    let charset = charset.trim().trim_matches('"');
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

/// Whether the client unpacks gzip.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    coding_quality(headers, "gzip") > 0
}

/// Whether the client unpacks brotli, and would have it no less than gzip.
pub(super) fn prefers_brotli(headers: &HeaderMap) -> bool {
    let quality = coding_quality(headers, "br");
    quality > 0 && quality >= coding_quality(headers, "gzip")
}

/// How much a content coding is wanted, in thousandths; 0 where it is not taken.
fn coding_quality(headers: &HeaderMap, wanted: &str) -> u16 {
    let Some(codings) = joined(headers, &ACCEPT_ENCODING) else { return 0 };
    let quality = |wanted: &str| {
        codings.split(',').find_map(|coding| {
            let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
            let quality =
                parameters.split(';').find_map(|part| part.trim().strip_prefix("q=")).map_or(1_000, thousandths);
            name.trim().eq_ignore_ascii_case(wanted).then_some(quality)
        })
    };
    quality(wanted).or_else(|| quality("*")).unwrap_or(0)
}

/// Whether the client has the body with this tag, quotes included. Ours are strong, and are compared weakly: caches on
/// the way may have weakened them. A client's own tag with a comma in it falls apart here, but no part of it is ours.
pub(super) fn has_already(headers: &HeaderMap, tag: &str) -> bool {
    let Some(tags) = joined(headers, &IF_NONE_MATCH) else { return false };
    tags.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// All values of a header as one list; `None` where one is no text.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Result<Vec<_>, _> = headers.get_all(name).map(|value| value.to_str()).collect();
    values.ok().map(|values| values.join(","))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn media(values: &[&str]) -> Option<Media> {
        answer_media(&headers(&ACCEPT, values))
    }

    #[test]
    fn the_client_gets_the_type_that_it_prefers() {
        const JSON: Option<Media> = Some(Media::Json);
        const GRAPHQL: Option<Media> = Some(Media::GraphqlResponse);
        for (accept, expected) in [
            (&[][..], JSON),
            (&[""], JSON),
            (&["*/*"], JSON),
            (&["application/*"], JSON),
            (&["application/json"], JSON),
            (&["Application/JSON; Charset=UTF-8"], JSON),
            (&["application/graphql-response+json"], GRAPHQL),
            (&["application/graphql-response+json; charset=utf-8, application/json; charset=utf-8"], GRAPHQL),
            (&["application/json", "application/graphql-response+json;q=0.9"], JSON),
            (&["application/json;q=0.5", "application/graphql-response+json;q=0.9"], GRAPHQL),
            (&["application/json;q=0, */*"], GRAPHQL),
            (&["text/html, */*;q=0.1"], JSON),
            (&["text/html"], None),
            (&["application/json;q=0"], None),
            (&["application/json; charset=latin1"], None),
            (&["application/json;q=banana"], None),
        ] {
            assert_eq!(media(accept), expected, "{accept:?}");
        }
    }

    #[test]
    fn events_go_only_to_who_wants_nothing_else_as_much() {
        let events = |accept: &str| wants_events(&headers(&ACCEPT, &[accept]));
        assert!(events("text/event-stream") && events("application/json;q=0.5, text/event-stream;q=0.9"));
        // What urql sends with every request.
        let all = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed";
        for json in [all, "*/*", "text/*", "text/event-stream, */*", "text/event-stream;q=0", "application/json", ""] {
            assert!(!events(json), "{json}");
        }
    }

    #[test]
    fn only_json_in_utf8_is_json() {
        let json = |values: &[&str]| is_json(&headers(&CONTENT_TYPE, values));
        assert!(json(&["application/json"]) && json(&["application/json;charset=\"UTF-8\""]));
        for wrong in ["text/plain", "application/json; charset=latin1", "application/jsonp", "", "multipart/form-data"]
        {
            assert!(!json(&[wrong]), "{wrong}");
        }
        assert!(!json(&[]) && !json(&["application/json", "text/plain"]));
    }

    #[test]
    fn gzip_goes_only_to_who_takes_it() {
        let gzip = |value| takes_gzip(&headers(&ACCEPT_ENCODING, &[value]));
        assert!(gzip("gzip") && gzip("br;q=1.0, gzip;q=0.8") && gzip("*"));
        assert!(
            !gzip("br") && !gzip("gzip;q=0") && !gzip("gzip;q=0, *") && !gzip("") && !takes_gzip(&HeaderMap::new())
        );
    }

    #[test]
    fn brotli_goes_only_to_who_wants_it_no_less_than_gzip() {
        let brotli = |value| prefers_brotli(&headers(&ACCEPT_ENCODING, &[value]));
        for wanting in ["br", "gzip, deflate, br, zstd", "gzip;q=0.5, br;q=0.5", "BR", "*", "gzip;q=0, *;q=0.1"] {
            assert!(brotli(wanting), "{wanting}");
        }
        for other in ["gzip", "br;q=0", "br;q=0.5, gzip", "gzip, *;q=0.5", "identity", ""] {
            assert!(!brotli(other), "{other}");
        }
    }

    #[test]
    fn a_tag_is_known_by_its_whole_text() {
        let known = |values: &[&str]| has_already(&headers(&IF_NONE_MATCH, values), "\"ab\"");
        for having in [&["\"ab\""][..], &["W/\"ab\""], &["\"x,y\", \"ab\""], &["\"x\"", "\"ab\""], &["*"]] {
            assert!(known(having), "{having:?}");
        }
        for lacking in [&[][..], &[""], &["ab"], &["\"a\""], &["\"abc\""], &["\"AB\""], &["\"*\""], &["w/\"ab\""]] {
            assert!(!known(lacking), "{lacking:?}");
        }
    }
}
