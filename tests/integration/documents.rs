//! Documents named by their hash: automatic persisted queries, and a server that trusts a folder of documents alone.

use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::client::Response;
use crate::server::{Data, Server};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const GRAPHQL: (&str, &str) = ("Accept", "application/graphql-response+json");
const STATUS: &str = "query Status { status { version } }";
const PRIVACY: &str = "query Privacy($skip: Boolean = false) { privacy { version @skip(if: $skip) audienceMin } }";

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn persisted(hash: &str) -> Value {
    json!({"persistedQuery": {"version": 1, "sha256Hash": hash}})
}

fn post(server: &Server, body: &Value) -> Response {
    server.post("/graphql", &[JSON], body.to_string())
}

#[test]
fn a_query_is_sent_once_and_then_named_by_its_hash() {
    let data = Data::new();
    let server = Server::start(&data);
    let named = json!({"extensions": persisted(&hash(PRIVACY))});
    let unknown = post(&server, &named);
    assert_eq!((unknown.status, unknown.code().as_str()), (200, "PERSISTED_QUERY_NOT_FOUND"));
    assert_eq!(unknown.json()["errors"][0]["message"], "PersistedQueryNotFound");
    let typed = server.post("/graphql", &[JSON, GRAPHQL], named.to_string());
    assert_eq!((typed.status, typed.code().as_str()), (400, "PERSISTED_QUERY_NOT_FOUND"));

    let whole = json!({"query": PRIVACY, "extensions": persisted(&hash(PRIVACY))});
    let first = post(&server, &whole).json();
    assert_eq!(first["data"]["privacy"]["audienceMin"], 50);
    assert_eq!(post(&server, &named).json()["data"], first["data"]);
    assert_eq!(
        post(&server, &json!({"documentId": format!("sha256:{}", hash(PRIVACY))})).json()["data"],
        first["data"]
    );
    // By GET, in capitals, and with variables.
    let target = format!(
        "/graphql?extensions=%7B%22persistedQuery%22:%7B%22version%22:1,%22sha256Hash%22:%22{}%22%7D%7D&variables=%7B%22skip%22:true%7D",
        hash(PRIVACY).to_uppercase()
    );
    assert_eq!(server.get(&target, &[]).json()["data"], json!({"privacy": {"audienceMin": 50}}));
}

#[test]
fn a_hash_that_is_not_the_text_s_persists_nothing() {
    let data = Data::new();
    let server = Server::start(&data);
    let wrong = post(&server, &json!({"query": STATUS, "extensions": persisted(&hash(PRIVACY))}));
    assert_eq!((wrong.status, wrong.code().as_str()), (400, "BAD_USER_INPUT"));
    for text in [PRIVACY, STATUS] {
        let named = post(&server, &json!({"extensions": persisted(&hash(text))}));
        assert_eq!(named.code(), "PERSISTED_QUERY_NOT_FOUND", "{text}");
    }
    let broken = "query {";
    let refused = post(&server, &json!({"query": broken, "extensions": persisted(&hash(broken))}));
    assert_eq!(refused.code(), "GRAPHQL_PARSE_FAILED");
    assert_eq!(post(&server, &json!({"extensions": persisted(&hash(broken))})).code(), "PERSISTED_QUERY_NOT_FOUND");
}

#[test]
fn with_trusted_documents_nothing_else_is_answered() {
    let data = Data::new();
    let two = format!("{STATUS}\n# two in one file\n{PRIVACY}");
    let path = data.file("trusted/two.graphql", &two);
    data.file("trusted/privacy.graphql", PRIVACY);
    data.file("trusted/README.md", "not a document");
    let folder = path.parent().and_then(|folder| folder.to_str()).expect("a folder");
    let server = Server::start_with(&data, &[("THRONG_GRAPHQL_TRUSTED_DOCUMENTS", folder)]);
    let by_text = post(&server, &json!({"query": PRIVACY})).json();
    assert_eq!(by_text["data"]["privacy"]["audienceMin"], 50);
    assert_eq!(
        post(&server, &json!({"documentId": format!("sha256:{}", hash(PRIVACY))})).json()["data"],
        by_text["data"]
    );
    assert_eq!(post(&server, &json!({"extensions": persisted(&hash(PRIVACY))})).json()["data"], by_text["data"]);
    let status = json!({"extensions": persisted(&hash(&two)), "operationName": "Status"});
    assert!(post(&server, &status).json()["data"]["status"]["version"].is_string());

    for query in [STATUS, "{ __schema { queryType { name } } }", "not a document", &format!("{PRIVACY} ")] {
        for extensions in [json!({}), persisted(&hash(query))] {
            let refused = post(&server, &json!({"query": query, "extensions": extensions}));
            assert_eq!((refused.status, refused.code().as_str()), (403, "FORBIDDEN"), "{query}");
        }
        let named = post(&server, &json!({"extensions": persisted(&hash(query))}));
        assert_eq!(named.code(), "PERSISTED_QUERY_NOT_FOUND", "{query}");
    }
}

/// Their series take a range from a variable, which has no value at start, and the cost depends on it.
#[test]
fn the_dashboard_works_where_its_documents_are_trusted() {
    let data = Data::new();
    let demo = data.json(&["demo", "--small", "--no-serve"]);
    let text = |name: &str| demo[name].as_str().expect("a text");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboard/documents");
    let trusted = ("THRONG_GRAPHQL_TRUSTED_DOCUMENTS", folder.to_str().expect("a path"));
    let server = Server::start_with(&data, &[trusted]);
    let video = json!({"range": {"last": 28}, "steps": {"last": 56}, "granularity": "DAY", "window": {"kind": "MONTH"},
        "video": "absent", "shell": true});
    let overview = json!({"range": {"last": 28}, "steps": {"last": 56}, "granularity": "DAY",
        "window": {"kind": "LAST_28_DAYS"}, "shell": true, "known": true, "channel": text("creator")});
    for (name, variables) in [("Overview", overview), ("Video", video)] {
        let query = std::fs::read_to_string(folder.join(format!("{name}.graphql"))).expect("a document");
        let answer = server.query(Some(text("creator_token")), &query, &variables);
        assert_eq!(answer["channels"]["edges"].as_array().map(Vec::len), Some(1), "{name}");
        assert_eq!(answer["numbers"]["series"].as_array().map_or(0, Vec::len), if name == "Overview" { 56 } else { 0 });
    }
    // A variable that is not declared has no value either, and is refused all the same.
    let data = Data::new();
    let path = data
        .file("wrong/it.graphql", "query A { creator(id: $id) { series(range: $range, granularity: DAY) { date } } }");
    let wrong = path.parent().and_then(|folder| folder.to_str()).expect("a folder");
    let refused = data.command(&["serve"]).env("THRONG_GRAPHQL_TRUSTED_DOCUMENTS", wrong).output().expect("runs");
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && message.contains("it.graphql") && message.contains("not defined"),
        "{message}"
    );
}

#[test]
fn a_server_does_not_start_with_documents_that_it_could_not_answer() {
    let data = Data::new();
    for (name, text, reason) in [
        ("broken", "query {", "expected"),
        ("unknown", "query A { status { version } } query B { nobody }", "nobody"),
        ("costly", &format!("{{ {} }}", "a { ".repeat(40) + &"}".repeat(40)), "nested"),
    ] {
        let path = data.file(&format!("{name}/it.graphql"), text);
        let folder = path.parent().and_then(|folder| folder.to_str()).expect("a folder");
        let refused = data.command(&["serve"]).env("THRONG_GRAPHQL_TRUSTED_DOCUMENTS", folder).output().expect("runs");
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && message.contains("it.graphql") && message.contains(reason), "{message}");
    }
    let empty = data.file("empty/README.md", "");
    for folder in [empty.parent().expect("a folder"), &data.path().join("absent")] {
        let refused = data.command(&["serve"]).env("THRONG_GRAPHQL_TRUSTED_DOCUMENTS", folder).output().expect("runs");
        assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("trusted documents"));
    }
}
