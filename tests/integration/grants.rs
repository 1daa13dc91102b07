//! What channels grant to partners: at once, no further than the scope, and no longer than until it ends.

use serde_json::{Value, json};
use throng_model::Timestamp;

use crate::issuer::{Issuer, TAKEN, publish};
use crate::platform::{day, small_channel, views};
use crate::server::{Data, Server};
use crate::stream_client::Events;

const SELDOM: (&str, &str) = ("THRONG_GRAPHQL_SUBSCRIPTION_INTERVAL_MS", "3600000");
const FACTS: &str = "handle videos(first: 9) { edges { node { id } } }";
const REACH: &str = "audience(window: {kind: DAY}) { reach { value disclosure } }";

fn counters() -> String {
    format!("counters(range: {{from: \"{0}\", to: \"{0}\"}}) {{ views {{ value disclosure }} }}", day())
}

fn two_channels(variables: &[(&str, &str)]) -> (Data, Server, Issuer) {
    let data = Data::new();
    let events = data.file("events.ndjson", small_channel() + &views("d", "b", 0..60));
    data.import(&[&events], &["--seal"]);
    let issuer = Issuer::new(1, "one");
    publish(&data, &[&issuer]);
    let server = Server::start_with(&data, &[&TAKEN[..], variables].concat());
    (data, server, issuer)
}

/// The public id of a key.
fn id_of(token: &str) -> &str {
    token.split('_').nth(1).expect("a key")
}

fn partner(issuer: &Issuer, subject: &str) -> String {
    issuer.token(&json!({"sub": subject, "role": "partner"}))
}

fn seen(server: &Server, token: &str, creator: &str, selected: &str) -> Value {
    let query = format!("{{ creator(id: \"{creator}\") {{ {selected} }} }}");
    server.query(Some(token), &query, &json!({}))["creator"].clone()
}

/// Which of facts, counters and insights are there.
fn sees(server: &Server, token: &str, creator: &str) -> [bool; 3] {
    [FACTS, &counters(), REACH].map(|selected| !seen(server, token, creator, selected).is_null())
}

fn table(server: &Server, token: &str, name: &str, query: &str) -> (u16, Vec<u8>) {
    let bearer = format!("Bearer {token}");
    let response = server.get(&format!("/v1/export/{name}.csv?{query}"), &[("Authorization", &bearer)]);
    (response.status, response.body)
}

#[test]
fn a_grant_works_at_once_as_far_as_it_goes_and_no_longer_than_until_it_is_revoked() {
    let (data, server, issuer) = two_channels(&[]);
    let key = data.key(&["partner", "--name", "agency"]);
    // The subject that is called like the key is another partner.
    let subjects = [partner(&issuer, "agency"), partner(&issuer, id_of(&key))];
    for (token, to) in [(&key, ["--key", id_of(&key)]), (&subjects[0], ["--subject", "agency"])] {
        let [facts, scope] = [["grant", "give"], ["--creator", "c"]];
        let give = |scopes: &[&str]| data.json(&[&facts[..], &to, &scope, scopes].concat());
        assert_eq!(sees(&server, token, "c"), [false; 3]);
        let given = give(&["--scope", "counters"])["given"][0].clone();
        assert_eq!(
            (&given["creator"], &given["scopes"], &given["state"]),
            (&json!("c"), &json!(["counters"]), &json!("active"))
        );
        assert_eq!(sees(&server, token, "c"), [true, true, false]);
        give(&["--scope", "insights"]);
        assert_eq!(sees(&server, token, "c"), [true, false, true]);
        give(&["--scope", "insights", "--scope", "counters"]);
        assert_eq!(sees(&server, token, "c"), [true; 3]);
        assert_eq!(sees(&server, token, "d"), [false; 3]);
        assert_eq!(sees(&server, &subjects[1], "c"), [false; 3]);
        data.json(&[&["grant", "revoke"][..], &to].concat());
        assert_eq!(sees(&server, token, "c"), [false; 3]);
    }
    assert_eq!(data.json(&["grant", "list"]), json!({"grants": []}));
}

#[test]
fn what_is_beyond_a_grant_answers_exactly_as_what_is_not_there() {
    let (data, server, issuer) = two_channels(&[]);
    let operator = data.key(&["operator"]);
    let agency = partner(&issuer, "agency");
    data.json(&["grant", "give", "--subject", "agency", "--creator", "c", "--scope", "counters"]);
    // Kept for one who sees more, and asked in the very same words.
    for _ in 0..2 {
        assert!(seen(&server, &operator, "c", REACH)["audience"].is_object());
        assert_eq!(seen(&server, &agency, "c", REACH), Value::Null);
    }
    let list = |selected: &str| {
        let query =
            format!("{{ creators(first: 9) {{ pageInfo {{ hasNextPage }} edges {{ node {{ {selected} }} }} }} }}");
        server.query(Some(&agency), &query, &json!({}))["creators"]["edges"].as_array().unwrap().len()
    };
    assert_eq!((list("id"), list(&counters()), list(REACH)), (1, 1, 0));
    assert_eq!(table(&server, &agency, "counters", "creator=c&last=7").0, 200);
    let beyond = table(&server, &agency, "audience", "creator=c&window=day&family=reach");
    assert_eq!(beyond, table(&server, &agency, "audience", "creator=nobody&window=day&family=reach"));
    assert_eq!(beyond.0, 404);
    data.json(&["grant", "give", "--subject", "agency", "--creator", "c", "--scope", "insights"]);
    let beyond = table(&server, &agency, "top-videos", "creator=c&last=7");
    assert_eq!(beyond, table(&server, &agency, "top-videos", "creator=nobody&last=7"));
    assert_eq!(table(&server, &agency, "audience", "creator=c&window=day&family=reach").0, 200);
    let ask = |video: &str| {
        let query = format!("subscription {{ counters(video: \"{video}\") {{ views {{ value }} }} }}");
        Events::open(server.address, Some(&agency), &json!({ "query": query })).unwrap().next()
    };
    assert_eq!(ask("a"), ask("nothing"));
}

#[test]
fn a_key_that_names_channels_sees_them_whatever_else_is_granted() {
    let (data, server, _) = two_channels(&[]);
    let key = data.key(&["partner", "--creator", "c"]);
    assert_eq!((sees(&server, &key, "c"), sees(&server, &key, "d")), ([true; 3], [false; 3]));
    data.json(&["grant", "give", "--key", id_of(&key), "--creator", "c", "--creator", "d", "--scope", "counters"]);
    assert_eq!((sees(&server, &key, "c"), sees(&server, &key, "d")), ([true; 3], [true, true, false]));
    data.json(&["grant", "revoke", "--key", id_of(&key), "--creator", "d"]);
    data.json(&["key", "revoke", id_of(&key)]);
    let again = data.run(&["grant", "give", "--key", id_of(&key), "--creator", "d", "--scope", "counters"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("no key of the role partner that works"));
}

#[test]
fn a_grant_ends_at_its_instant_and_so_do_its_streams() {
    let (data, server, issuer) = two_channels(&[SELDOM]);
    let agency = partner(&issuer, "agency");
    let until = Timestamp::now().saturating_add_millis(3_000);
    let give = ["grant", "give", "--subject", "agency", "--scope", "counters"];
    data.json(&[&give[..], &["--creator", "c", "--expires", &until.to_string()]].concat());
    data.json(&[&give[..], &["--creator", "d"]].concat());
    let question = |video: &str| json!({"query": format!("subscription {{ counters(video: \"{video}\") {{ views {{ value }} }} }}")});
    let mut events = Events::open(server.address, Some(&agency), &question("a")).unwrap();
    assert!(events.next()["data"]["counters"].is_object());
    assert_eq!(events.next()["errors"][0]["extensions"]["code"], "NOT_FOUND");
    assert!(Timestamp::now() >= until);
    assert_eq!((sees(&server, &agency, "c"), sees(&server, &agency, "d")), ([false; 3], [true, true, false]));
    let listed = data.json(&["grant", "list"])["grants"].clone();
    assert_eq!((&listed[0]["state"], &listed[1]["state"]), (&json!("expired"), &json!("active")));
}

#[test]
fn what_is_granted_is_noted_and_comes_back_with_a_backup_which_is_noted_too() {
    let data = Data::new();
    data.import(&[&data.file("events.ndjson", small_channel())], &["--seal"]);
    let key = data.key(&["partner"]);
    data.json(&[
        "grant",
        "give",
        "--subject",
        "agency",
        "--creator",
        "c",
        "--scope",
        "counters",
        "--expires",
        "2099-01-01",
    ]);
    data.json(&["grant", "give", "--key", id_of(&key), "--creator", "c", "--scope", "insights"]);
    Server::start(&data).stop();
    let backup = data.path().with_file_name("backup");
    let backup = backup.to_str().unwrap();
    data.json(&["backup", backup, "--with-keys"]);
    let granted = data.json(&["grant", "list"]);
    data.json(&["grant", "revoke", "--subject", "agency"]);
    data.json(&["key", "revoke", id_of(&key)]);
    std::fs::remove_dir_all(data.path()).unwrap();
    data.json(&["restore", backup]);
    assert_eq!(data.json(&["grant", "list"]), granted);
    assert_eq!(data.json(&["key", "list"])["keys"][0]["state"], "active", "as it was in the backup");
    let records = data.json(&["key", "audit"])["records"].clone();
    let told: Vec<_> = records
        .as_array()
        .unwrap()
        .iter()
        .map(|record| {
            let text = |name: &str| record[name].as_str().unwrap_or("-").to_owned();
            let whose = if record["key"] == id_of(&key) { "key".to_owned() } else { text("subject") };
            (text("action"), whose, record.get("scopes").cloned().unwrap_or_default())
        })
        .collect();
    let line = |action: &str, whose: &str, scopes: Value| (action.to_owned(), whose.to_owned(), scopes);
    let expected = [
        line("key.create", "key", Value::Null),
        line("grant.give", "agency", json!(["counters"])),
        line("grant.give", "key", json!(["insights"])),
        line("grant.revoke", "agency", json!(["counters"])),
        line("key.revoke", "key", Value::Null),
        line("key.restore", "key", Value::Null),
        line("grant.restore", "agency", json!(["counters"])),
        line("grant.restore", "key", json!(["insights"])),
    ];
    assert_eq!(told, expected, "{records}");
    assert_eq!((&records[1]["creators"], &records[1]["role"]), (&json!(["c"]), &json!("partner")));
    assert!(records[1]["expires"].as_str().unwrap().starts_with("2099-01-01"));
    let text = data.run(&["key", "audit"]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("grant.give     subject \"agency\"  partner [c] counters"));
}

#[test]
fn grants_that_make_no_sense_are_refused() {
    let data = Data::new();
    let (operator, key) = (data.key(&["operator"]), data.key(&["partner"]));
    let (operator, key) = (id_of(&operator), id_of(&key));
    let fails = |arguments: &[&str], code: i32, words: &str| {
        let output = data.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && told.contains(words), "{arguments:?}: {told}");
    };
    let give = ["grant", "give", "--creator", "c", "--scope", "counters"];
    let with = |more: &[&'static str]| [&give[..], more].concat();
    fails(&with(&[]), 2, "--key <ID>|--subject <TEXT>");
    fails(&with(&["--key", "a", "--subject", "b"]), 2, "cannot be used with");
    fails(&with(&["--subject", "a\nb"]), 2, "control characters");
    fails(&["grant", "give", "--key", key, "--scope", "counters"], 2, "--creator");
    fails(&["grant", "give", "--key", key, "--creator", "c"], 2, "--scope");
    fails(&["grant", "give", "--key", key, "--creator", "c", "--scope", "all"], 2, "counters");
    fails(&with(&["--key", "000000000000"]), 1, "there is no key");
    fails(&[&give[..], &["--key", operator]].concat(), 1, "no key of the role partner");
    fails(&["grant", "revoke", "--key", key], 1, "no such grant");
    data.json(&[&give[..], &["--key", key]].concat());
    fails(&["grant", "revoke", "--key", key, "--creator", "c", "--creator", "d"], 1, "no such grant");
    assert_eq!(data.json(&["grant", "list"])["grants"].as_array().unwrap().len(), 1, "all or nothing");
}
