//! Without a token there are the policy, the status, what the caller may still spend, and the pages; nothing else, whatever comes to be added.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::platform::{day, small_channel};
use crate::server::{Data, Server};
use crate::stream_client::Events;

/// Root fields that anybody may ask. `_service` is the schema, which is public.
const OPEN: [&str; 4] = ["privacy", "status", "rateLimit", "_service"];

fn ask(server: &Server, query: &str) -> Value {
    let body = json!({ "query": query }).to_string();
    server.post("/graphql", &[("Content-Type", "application/json")], body).json()
}

/// A value of a type, as it stands in a document.
fn argument(ty: &Value) -> &'static str {
    match ty["name"].as_str().or_else(|| ty["ofType"]["name"].as_str()).unwrap_or("[]") {
        "ID" | "String" => "\"c\"",
        "Int" => "1",
        "TrendKind" => "SOUND",
        "WindowInput" => "{kind: DAY}",
        "[]" => "[]",
        other => panic!("a value of {other} is wanted here"),
    }
}

/// Every field of a root type, asked with the arguments that it needs.
fn questions(server: &Server, root: &str) -> Vec<(String, String)> {
    let fields = "{ __type(name: \"ROOT\") { fields { name type { kind ofType { kind } } args { name type { kind name ofType { name } } } } } }";
    let told = ask(server, &fields.replace("ROOT", root));
    let fields = told["data"]["__type"]["fields"].as_array().unwrap_or_else(|| panic!("{told}")).clone();
    let question = |field: &Value| {
        let needed = field["args"].as_array().unwrap().iter().filter(|argument| argument["type"]["kind"] == "NON_NULL");
        let given: Vec<_> = needed
            .map(|needed| format!("{}: {}", needed["name"].as_str().unwrap(), argument(&needed["type"])))
            .collect();
        let given = if given.is_empty() { String::new() } else { format!("({})", given.join(", ")) };
        let name = field["name"].as_str().unwrap();
        (name.to_owned(), format!("{} {{ {name}{given} {{ __typename }} }}", root.to_lowercase()))
    };
    fields.iter().map(question).collect()
}

#[test]
fn nothing_but_what_is_open_to_all_is_answered() {
    let data = Data::new();
    data.import(&[&data.file("events.ndjson", small_channel())], &["--seal"]);
    let server = Server::start_with(&data, &[("THRONG_RATE_POINTS_MAX", "100000")]);
    let mut open = BTreeSet::new();
    let mut questions = questions(&server, "Query");
    let entities = "query { _entities(representations: [{__typename: \"Creator\", id: \"c\"}]) { __typename } }";
    questions.push(("_entities".to_owned(), entities.to_owned()));
    questions.push(("_service".to_owned(), "query { _service { sdl } }".to_owned()));
    assert!(questions.len() > 7, "{questions:?}");
    for (name, question) in questions {
        let answer = ask(&server, &question);
        match answer["errors"][0]["extensions"]["code"].as_str() {
            None if answer["data"].get(&name).is_some_and(Value::is_object) => _ = open.insert(name),
            Some("UNAUTHENTICATED") => {
                let data = answer.get("data").cloned().unwrap_or_default();
                assert!(data.is_null() || data == json!({ name: null }), "{question}: {answer}");
            }
            _ => panic!("{question}: {answer}"),
        }
    }
    assert_eq!(open, OPEN.map(str::to_owned).into());
    for (_, question) in self::questions(&server, "Subscription") {
        let mut events = Events::open(server.address, None, &json!({ "query": question })).unwrap();
        assert_eq!(events.next()["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{question}");
    }
}

#[test]
fn nothing_but_pages_and_probes_is_open() {
    let data = Data::new();
    let server = Server::start(&data);
    let table = format!("creator=c&from={0}&to={0}", day());
    for closed in [
        "/metrics".to_owned(),
        format!("/v1/export/counters.csv?{table}"),
        format!("/v1/export/top-videos.csv?{table}"),
        "/v1/export/audience.csv?creator=c&window=day&family=reach".to_owned(),
        "/v1/export/trending.csv?kind=hashtag".to_owned(),
    ] {
        let refused = server.get(&closed, &[]);
        assert_eq!((refused.status, refused.code().as_str()), (401, "UNAUTHENTICATED"), "{closed}");
    }
    for closed in ["/v1/events", "/v1/catalog", "/v1/erase"] {
        assert_eq!(server.post(closed, &[("Content-Type", "application/x-ndjson")], "").status, 401, "{closed}");
    }
    for open in ["/", "/playground", "/schema.graphql", "/healthz", "/readyz"] {
        assert_eq!(server.get(open, &[]).status, 200, "{open}");
    }
}
