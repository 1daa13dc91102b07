//! `/graphql` against the GraphQL-over-HTTP specification, and the pages beside it.

use serde_json::{Value, json};

use crate::client::{self, Response};
use crate::server::{Data, Server};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const GRAPHQL: &str = "application/graphql-response+json";
const PRIVACY: &str = r#"{"query": "{ privacy { version } }"}"#;

fn server() -> (Data, Server) {
    let data = Data::new();
    let server = Server::start(&data);
    (data, server)
}

fn has_data(response: &Response) -> bool {
    response.json().get("data").is_some()
}

#[test]
fn the_answer_has_the_type_that_was_asked_for() {
    let (_data, server) = server();
    for (accept, content_type) in [
        (None, "application/json; charset=utf-8"),
        (Some("*/*"), "application/json; charset=utf-8"),
        (Some("application/json"), "application/json; charset=utf-8"),
        (Some(GRAPHQL), "application/graphql-response+json; charset=utf-8"),
        (
            Some("application/graphql-response+json, application/json;q=0.9"),
            "application/graphql-response+json; charset=utf-8",
        ),
    ] {
        let mut headers = vec![JSON];
        headers.extend(accept.map(|accept| ("Accept", accept)));
        let response = server.post("/graphql", &headers, PRIVACY);
        assert_eq!((response.status, response.header("content-type")), (200, Some(content_type)), "{accept:?}");
        assert!(response.json()["data"]["privacy"]["version"].is_string());
    }
    assert_eq!(server.post("/graphql", &[JSON, ("Accept", "text/html")], PRIVACY).status, 406);
}

#[test]
fn a_request_error_has_no_data_and_the_status_of_its_type() {
    let (_data, server) = server();
    for (query, code) in [("{", "GRAPHQL_PARSE_FAILED"), ("{ noSuchField }", "GRAPHQL_VALIDATION_FAILED")] {
        let body = json!({ "query": query }).to_string();
        let new = server.post("/graphql", &[JSON, ("Accept", GRAPHQL)], &body);
        let old = server.post("/graphql", &[JSON, ("Accept", "application/json")], &body);
        assert_eq!((new.status, old.status), (400, 200), "{query}");
        assert_eq!((new.code().as_str(), old.code().as_str()), (code, code));
        assert!(!has_data(&new) && !has_data(&old));
    }
    // A field's error is no request error: there is data, if only null.
    let body = json!({ "query": "{ creator(id: \"c\") { id } }" }).to_string();
    let field = server.post("/graphql", &[JSON, ("Accept", GRAPHQL)], body);
    assert_eq!((field.status, field.code().as_str(), has_data(&field)), (200, "UNAUTHENTICATED", true));
}

#[test]
fn malformed_requests_are_400_with_errors_and_types_are_checked() {
    let (_data, server) = server();
    for body in [
        "",
        "{",
        "null",
        "3",
        "\"text\"",
        "[]",
        "[{\"query\": \"{ privacy { version } }\"}]",
        "{}",
        r#"{"query": 3}"#,
        r#"{"query": {}}"#,
        r#"{"query": "{ privacy { version } }", "operationName": 3}"#,
        r#"{"query": "{ privacy { version } }", "variables": "x"}"#,
        r#"{"query": "{ privacy { version } }", "variables": [1]}"#,
        r#"{"query": "{ privacy { version } }", "extensions": 3}"#,
    ] {
        for accept in [GRAPHQL, "application/json"] {
            let response = server.post("/graphql", &[JSON, ("Accept", accept)], body);
            assert_eq!(
                (response.status, response.code().as_str(), has_data(&response)),
                (400, "BAD_USER_INPUT", false),
                "{body}"
            );
        }
    }
}

#[test]
fn a_post_must_be_json_so_that_no_form_can_send_it() {
    let (_data, server) = server();
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=latin1",
        "",
    ] {
        let response = server.post("/graphql", &[("Content-Type", content_type)], PRIVACY);
        assert_eq!((response.status, response.code().as_str()), (415, "UNSUPPORTED_MEDIA_TYPE"), "{content_type}");
    }
    assert_eq!(server.post("/graphql", &[], PRIVACY).status, 415);
    assert_eq!(server.post("/graphql", &[JSON, ("Content-Encoding", "gzip")], PRIVACY).status, 415);
    assert_eq!(server.post("/graphql", &[("Content-Type", "application/json;charset=utf-8")], PRIVACY).status, 200);
}

#[test]
fn a_body_over_the_limit_is_413_and_the_answer_arrives() {
    let (_data, server) = server();
    let padded = |length: usize| format!("{}{}", PRIVACY, " ".repeat(length - PRIVACY.len()));
    assert_eq!(server.post("/graphql", &[JSON], padded(256 << 10)).status, 200);
    for length in [(256 << 10) + 1, 8 << 20] {
        let response = server.post("/graphql", &[JSON], padded(length));
        assert_eq!((response.status, response.code().as_str()), (413, "BODY_TOO_LARGE"));
    }
}

#[test]
fn a_get_asks_queries_only_and_heeds_the_operation_name() {
    let (_data, server) = server();
    let get = |query: &str| server.get(&format!("/graphql?{query}"), &[("Accept", GRAPHQL)]);
    assert_eq!(get("query=%7Bprivacy%7Bversion%7D%7D").status, 200);
    let two = "query=query+A%7Bprivacy%7Bversion%7D%7D+query+B%7Bstatus%7Bversion%7D%7D";
    assert!(get(&format!("{two}&operationName=A")).json()["data"].get("privacy").is_some());
    assert!(get(&format!("{two}&operationName=B")).json()["data"].get("status").is_some());
    for (query, status) in [
        (two.to_owned(), 400),
        (format!("{two}&operationName=C"), 400),
        (String::new(), 400),
        ("query=%7Bx%7D&variables=x".to_owned(), 400),
    ] {
        assert_eq!(get(&query).status, status, "{query}");
    }
    for operation in ["mutation", "subscription"] {
        let response = get(&format!("query={operation}%7Bx%7D"));
        assert_eq!((response.status, response.header("allow")), (405, Some("POST")));
    }
    for method in ["HEAD", "PUT", "DELETE", "PATCH"] {
        let response = client::send(server.address, method, "/graphql", &[], None);
        assert_eq!((response.status, response.header("allow")), (405, Some("GET, POST")), "{method}");
    }
}

#[test]
fn variables_reach_the_query_by_post_and_by_get() {
    let (data, server) = server();
    let token = format!("Bearer {}", data.key(&["operator"]));
    let query = "query($id: ID!) { creator(id: $id) { id } }";
    let body = json!({ "query": query, "variables": { "id": "nobody" } }).to_string();
    let post = server.post("/graphql", &[JSON, ("Authorization", &token)], body);
    let target = "/graphql?query=query(%24id:ID!)%7Bcreator(id:%24id)%7Bid%7D%7D&variables=%7B%22id%22:%22nobody%22%7D";
    let get = server.get(target, &[("Authorization", &token)]);
    assert_eq!((&post.json()["data"], &get.json()["data"]), (&json!({"creator": null}), &json!({"creator": null})));
}

#[test]
fn a_page_of_another_site_cannot_ask_by_get() {
    let (_data, server) = server();
    let status = |headers: &[(&str, &str)]| server.get("/graphql?query={privacy{version}}", headers).status;
    assert_eq!(status(&[("Sec-Fetch-Site", "cross-site")]), 403);
    assert_eq!(status(&[("Sec-Fetch-Site", "same-site")]), 403);
    assert_eq!(status(&[("Cookie", "session=1")]), 403);
    assert_eq!(status(&[("Sec-Fetch-Site", "same-origin")]), 200);
    assert_eq!(status(&[("Sec-Fetch-Site", "cross-site"), ("GraphQL-Require-Preflight", "1")]), 200);
}

#[test]
fn only_configured_origins_may_read_answers() {
    let data = Data::new();
    let server = Server::start_with(&data, &[("THRONG_HTTP_CORS_ORIGINS", "https://studio.example")]);
    let allowed = |response: &Response| response.header("access-control-allow-origin").map(str::to_owned);
    let preflight = |origin: &str| {
        let headers = [("Origin", origin), ("Access-Control-Request-Method", "POST")];
        client::send(server.address, "OPTIONS", "/graphql", &headers, None)
    };
    let good = preflight("https://studio.example");
    assert_eq!((good.status, allowed(&good).as_deref()), (204, Some("https://studio.example")));
    assert!(good.header("access-control-allow-headers").is_some_and(|names| names.contains("Authorization")));
    assert_eq!(good.header("access-control-allow-credentials"), None);
    for origin in ["https://evil.example", "https://studio.example.evil.example", "null"] {
        assert_eq!(allowed(&preflight(origin)), None, "{origin}");
        assert_eq!(allowed(&server.post("/graphql", &[JSON, ("Origin", origin)], PRIVACY)), None, "{origin}");
    }
    let answer = server.post("/graphql", &[JSON, ("Origin", "https://studio.example")], PRIVACY);
    assert_eq!((answer.status, allowed(&answer).as_deref()), (200, Some("https://studio.example")));
}

#[test]
fn the_playground_can_introspect() {
    let (_data, server) = server();
    let query = "{ __schema { queryType { name } types { name kind fields { name type { name ofType { name ofType { name ofType { name } } } } } } } }";
    let schema = server.query(None, query, &Value::Null);
    assert_eq!(schema["__schema"]["queryType"]["name"], "Query");
}

#[test]
fn pages_load_nothing_from_elsewhere() {
    let (_data, server) = server();
    for target in dashboard_files(&server) {
        let file = server.get(&target, &[]);
        assert_eq!((file.status, file.header("x-content-type-options")), (200, Some("nosniff")), "{target}");
        let policy = file.header("content-security-policy").expect("a policy");
        for part in ["default-src 'none'", "script-src 'self';", "connect-src 'self';", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{part} is not in {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
    }
    for target in ["/playground", "/playground/app.js"] {
        let page = server.get(target, &[("Accept-Encoding", "gzip")]);
        assert_eq!(page.status, 200, "{target}");
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    }
    assert!(server.get("/schema.graphql", &[]).text().contains("type Query"));
    for absent in [
        "/playground/",
        "/playground/absent.js",
        "/absent",
        "/v1/absent",
        "/playground/../Cargo.toml",
        "/assets",
        "/assets/",
        "/assets/absent.js",
        "/index.html",
    ] {
        assert_eq!(server.get(absent, &[]).status, 404, "{absent}");
    }
}

#[test]
fn packed_files_are_unpacked_for_clients_that_cannot() {
    let (_data, server) = server();
    let packed = server.get("/playground/app.js", &[("Accept-Encoding", "br, gzip")]);
    let plain = server.get("/playground/app.js", &[]);
    assert_eq!((packed.header("content-encoding"), plain.header("content-encoding")), (Some("gzip"), None));
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed.body[..]), &mut unpacked).unwrap();
    assert!(unpacked == plain.body && packed.body.len() < plain.body.len());
}

/// The page and what it names.
fn dashboard_files(server: &Server) -> Vec<String> {
    let page = server.get("/", &[]);
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let text = page.text();
    let named = text.split("\"./").skip(1).filter_map(|rest| rest.split('"').next()).map(|name| format!("/{name}"));
    let files: Vec<_> = ["/".to_owned()].into_iter().chain(named).collect();
    for kind in ["js", "css", "svg"] {
        assert!(files.iter().any(|file| file.ends_with(kind)), "no {kind} in {files:?}");
    }
    files
}

#[test]
fn the_dashboard_is_kept_by_browsers_and_packed_as_they_like() {
    let (_data, server) = server();
    let (fonts, packed): (Vec<_>, Vec<_>) =
        dashboard_files(&server).into_iter().partition(|file| file.ends_with(".woff2"));
    for target in packed {
        let as_asked = |codings: &'static str| server.get(&target, &[("Accept-Encoding", codings)]);
        let (brotli, gzip, plain) = (as_asked("gzip, deflate, br"), as_asked("gzip"), as_asked("identity"));
        let coding = |response: &Response| response.header("content-encoding").map(str::to_owned);
        assert_eq!(
            [coding(&brotli), coding(&gzip), coding(&plain)],
            [Some("br".to_owned()), Some("gzip".to_owned()), None]
        );
        let mut unpacked = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&gzip.body[..]), &mut unpacked).unwrap();
        assert!(unpacked == plain.body && brotli.body.len() < gzip.body.len(), "{target}");
        let kept = if target == "/" { "no-cache" } else { "public, max-age=31536000, immutable" };
        let mut tags = std::collections::BTreeSet::new();
        for (codings, whole) in [("gzip, deflate, br", &brotli), ("gzip", &gzip), ("identity", &plain)] {
            assert_eq!((whole.header("cache-control"), whole.header("vary")), (Some(kept), Some("Accept-Encoding")));
            let tag = whole.header("etag").expect("a tag");
            assert!(tags.insert(tag.to_owned()), "{target} shares its tag");
            let same = server.get(&target, &[("Accept-Encoding", codings), ("If-None-Match", tag)]);
            assert_eq!((same.status, same.body.len(), same.header("cache-control")), (304, 0, Some(kept)), "{target}");
        }
    }
    for target in fonts {
        let font = server.get(&target, &[("Accept-Encoding", "gzip, br")]);
        assert_eq!((font.header("content-type"), font.header("content-encoding")), (Some("font/woff2"), None));
    }
    let licences = server.get("/assets/LICENSES.txt", &[]);
    assert_eq!((licences.status, licences.header("cache-control")), (200, Some("no-cache")));
    assert!(licences.text().contains("react-dom"));
    // The address holds the state of the page, which is the same for all of them.
    assert_eq!(server.get("/?view=audience&channel=c42", &[]).body, server.get("/", &[]).body);
}

/// The files of the playground and the schema, as a browser and as a plain client asks for them.
const TAGGED: [(&str, &[(&str, &str)]); 6] = [
    ("/playground", &[]),
    ("/playground/app.js", &[]),
    ("/playground/app.js", &[("Accept-Encoding", "gzip")]),
    ("/playground/app.css", &[("Accept-Encoding", "gzip")]),
    ("/playground/LICENSES.txt", &[]),
    ("/schema.graphql", &[]),
];

#[test]
fn a_file_that_the_client_has_is_not_sent_again() {
    let (_data, server) = server();
    let mut tags = std::collections::BTreeSet::new();
    for (target, headers) in TAGGED {
        let whole = server.get(target, headers);
        assert_eq!((whole.status, whole.header("cache-control")), (200, Some("no-cache")), "{target}");
        let tag = whole.header("etag").expect("a tag");
        let digits = tag.trim_matches('"');
        assert!(digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()), "{target}: {tag}");
        assert!(tags.insert(tag.to_owned()), "{target} {headers:?} shares its tag");
        for known in [tag.to_owned(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            for method in ["GET", "HEAD"] {
                let asked = [headers, &[("If-None-Match", &known)]].concat();
                let same = client::send(server.address, method, target, &asked, None);
                assert_eq!((same.status, same.body.len()), (304, 0), "{method} {target}");
                for name in ["etag", "cache-control", "vary", "content-security-policy"] {
                    assert_eq!(same.header(name), whole.header(name), "{name} of {target}");
                }
                assert_eq!((same.header("content-type"), same.header("content-encoding")), (None, None), "{target}");
            }
        }
        let changed = server.get(target, &[headers, &[("If-None-Match", "\"other\"")]].concat());
        assert!(changed.status == 200 && changed.body == whole.body, "{target}");
    }
    // The tag of the packed file is not that of the same file unpacked.
    let packed = server.get("/playground/app.js", &[("Accept-Encoding", "gzip")]);
    let plain = server.get("/playground/app.js", &[("If-None-Match", packed.header("etag").expect("a tag"))]);
    assert_eq!(plain.status, 200);
}

#[test]
fn head_is_answered_as_get_without_the_body() {
    let (_data, server) = server();
    let others = ["/", "/healthz", "/readyz", "/assets/LICENSES.txt", "/playground/absent.js", "/absent"]
        .map(|target| (target, &[][..]));
    for (target, headers) in TAGGED.into_iter().chain(others) {
        let get = server.get(target, headers);
        let head = client::send(server.address, "HEAD", target, headers, None);
        let without_date = |response: &Response| {
            let mut headers = response.headers.clone();
            headers.retain(|(name, _)| name != "date");
            headers.sort();
            headers
        };
        assert_eq!((head.status, without_date(&head)), (get.status, without_date(&get)), "{target}");
        assert_eq!(head.header("content-length"), Some(get.body.len().to_string().as_str()), "{target}");
        assert!(head.body.is_empty() && !get.body.is_empty(), "{target}");
    }
    for target in
        ["/", "/assets/LICENSES.txt", "/playground", "/playground/app.js", "/schema.graphql", "/healthz", "/readyz"]
    {
        let wrong = server.post(target, &[], "");
        assert_eq!((wrong.status, wrong.header("allow")), (405, Some("GET, HEAD")), "{target}");
    }
    for target in ["/v1/events", "/v1/catalog"] {
        let wrong = client::send(server.address, "HEAD", target, &[], None);
        assert_eq!((wrong.status, wrong.header("allow"), wrong.body.len()), (405, Some("POST"), 0), "{target}");
    }
}

#[test]
fn what_is_switched_off_is_not_answered() {
    let data = Data::new();
    let off = [("THRONG_GRAPHQL_INTROSPECTION", "false"), ("THRONG_GRAPHQL_PLAYGROUND", "false")];
    let server = Server::start_with(&data, &off);
    for query in
        ["{ __schema { queryType { name } } }", "{ ...F } fragment F on Query { x: __type(name: \"Query\") { name } }"]
    {
        let refused = server.post("/graphql", &[JSON], json!({ "query": query }).to_string());
        assert_eq!((refused.code().as_str(), has_data(&refused)), ("FORBIDDEN", false), "{query}");
    }
    let query = json!({ "query": "{ __typename privacy { __typename } }" }).to_string();
    assert_eq!(server.post("/graphql", &[JSON], query).json()["data"]["privacy"]["__typename"], "PrivacyPolicy");
    assert_eq!([server.get("/playground", &[]).status, server.get("/playground/app.js", &[]).status], [404, 404]);
    assert_eq!(server.get("/schema.graphql", &[]).status, 200);
}

#[test]
fn a_document_that_is_wrong_everywhere_gets_a_short_answer() {
    let (_data, server) = server();
    let unknown: String = (0..1_000).map(|n| format!(" x{n}")).collect();
    let refused = server.post("/graphql", &[JSON], json!({ "query": format!("{{{unknown} }}") }).to_string());
    assert_eq!(refused.json()["errors"].as_array().map(Vec::len), Some(20));
}
