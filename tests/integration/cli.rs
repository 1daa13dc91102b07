//! The command line: exit codes, configuration, help, and each command's result.

use serde_json::{Value, json};

use crate::platform::{day, small_channel, views};
use crate::server::{Data, Server};

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn exit_codes_tell_done_from_failed_from_misused() {
    let data = Data::new();
    let code = |arguments: &[&str]| data.run(arguments).status.code();
    assert_eq!(code(&["--version"]), Some(0));
    assert_eq!(code(&["schema"]), Some(0));
    assert_eq!(code(&["verify"]), Some(1));
    assert_eq!(code(&["import", "absent.ndjson"]), Some(1));
    for misuse in [&["bogus"][..], &["seal"], &["seal", "--through", "tomorrow"], &["import"], &["key", "create"]] {
        assert_eq!(code(misuse), Some(2), "{misuse:?}");
    }
}

#[test]
fn help_shows_examples() {
    let data = Data::new();
    for command in ["attack", "demo", "serve", "import", "seal", "schema", "config", "erase", "backup", "restore"] {
        let help = data.run(&[command, "--help"]);
        assert!(help.status.success());
        assert!(stdout(&help).contains(&format!("throng {command}")), "{command}");
    }
    assert!(stdout(&data.run(&["key", "create", "--help"])).contains("--role creator --creator c42"));
}

#[test]
fn a_failure_says_what_where_and_how_to_mend_it() {
    let data = Data::new();
    let failed = data.run(&["seal", "--through", "2026-03-09"]);
    assert_eq!(
        stderr(&failed),
        format!(
            "throng: there is no store in {}; `throng import` or `throng serve` makes one\n",
            data.path().display()
        )
    );
    assert!(!data.path().exists(), "looking for a store makes none");
}

#[test]
fn the_printed_configuration_is_one_that_can_be_used() {
    let data = Data::new();
    data.file("given.toml", "[privacy]\naudience_min = 77\n[log]\nformat = \"json\"");
    let print = |file: &str| {
        let output = data.run(&["config", "--config", file]);
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let first = print("given.toml");
    assert!(first.contains("audience_min = 77") && first.contains("set in given.toml"));
    data.file("printed.toml", &first);
    let values = |text: &str| text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(values(&print("printed.toml")), values(&first));
}

#[test]
fn environment_and_file_are_read_and_mistakes_in_them_refused() {
    let data = Data::new();
    data.file("throng.toml", "[http]\nlisten = \"127.0.0.1:9999\"");
    let set = |name: &str, value: &str| data.command(&["--json", "config"]).env(name, value).output().unwrap();
    let json: Value = serde_json::from_slice(&set("THRONG_PRIVACY_AUDIENCE_MIN", "60").stdout).unwrap();
    let expected =
        json!({"value": 60, "from": "set by THRONG_PRIVACY_AUDIENCE_MIN", "variable": "THRONG_PRIVACY_AUDIENCE_MIN"});
    assert_eq!(json["privacy.audience_min"], expected);
    assert_eq!(json["http.listen"]["value"], "127.0.0.1:9999");
    assert_eq!(json["http.listen"]["from"], "set in throng.toml");
    let refused = set("THRONG_PRIVACY_AUDIENCE_MIM", "60");
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("did you mean THRONG_PRIVACY_AUDIENCE_MIN?"));
    assert!(stderr(&set("THRONG_PRIVACY_AUDIENCE_MIN", "9")).contains("from 10 to"));
    data.file("throng.toml", "[htpp]\nlisten = \"127.0.0.1:9999\"");
    assert!(stderr(&data.run(&["serve"])).contains("did you mean http?"));
}

#[test]
fn the_schema_is_the_committed_one() {
    let printed = stdout(&Data::new().run(&["schema"]));
    let committed = include_str!("../../schema/schema.graphql");
    assert_eq!(printed.trim_end(), committed.trim_end());
    let subgraph = stdout(&Data::new().run(&["schema", "--federation"]));
    for line in ["type Creator implements Node & Measured @key(fields: \"id\") {", "type PageInfo @shareable {"] {
        assert!(subgraph.lines().any(|each| each == line), "{line}");
    }
}

#[test]
fn a_store_is_verified_and_a_damaged_one_fails() {
    let data = Data::new();
    let events = data.file("events.ndjson", small_channel());
    data.import(&[&events], &["--seal"]);
    let report = data.json(&["verify"]);
    assert_eq!((&report["whole"], &report["events"]), (&json!(true), &json!(60)));
    let generation = data.path().join("generation");
    let mut bytes = std::fs::read(&generation).unwrap();
    for byte in &mut bytes {
        *byte ^= 0xff;
    }
    std::fs::write(&generation, bytes).unwrap();
    for command in [&["verify"][..], &["serve"], &["import", "events.ndjson"]] {
        let failed = data.run(command);
        assert_eq!(failed.status.code(), Some(1), "{command:?}");
        assert!(stderr(&failed).contains("the data directory was not opened"), "{}", stderr(&failed));
    }
}

#[test]
fn a_lost_viewer_key_is_refused() {
    let data = Data::new();
    let events = data.file("events.ndjson", small_channel());
    data.import(&[&events], &[]);
    let key = data.path().with_file_name("data.viewer-key");
    assert!(key.exists(), "the key lies beside the data, not among them");
    std::fs::remove_file(&key).unwrap();
    let failed = data.run(&["verify"]);
    assert!(stderr(&failed).contains("is missing: put back the one"), "{}", stderr(&failed));
    assert!(!key.exists(), "no new key is made for old data");
}

#[test]
fn sealing_by_hand_closes_days() {
    let data = Data::new();
    let events = data.file("events.ndjson", small_channel());
    data.import(&[&events], &[]);
    assert_eq!(data.json(&["seal", "--through", day()]), json!({ "sealed_through": day() }));
    let late = data.file("late.ndjson", views("c", "a", 60..61));
    assert_eq!(data.import(&[&late], &[])["late"], 1);
}

#[test]
fn the_summary_for_people_counts_and_shows_what_was_wrong() {
    let data = Data::new();
    let lines = small_channel() + "garbage\n{\"kind\":\"view\"}\n";
    let events = data.file("events.ndjson", lines);
    let output = data.run(&["import", events.to_str().unwrap()]);
    assert!(output.status.success(), "bad lines are no failure of the command");
    let text = stdout(&output);
    for part in [
        "accepted                            60",
        "malformed_json",
        "missing_field",
        "line 61: ",
        "line 62: event_id is required",
        "62 lines in",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn standard_input_is_imported() {
    use std::io::Write as _;
    let data = Data::new();
    let mut command = data.command(&["--json", "import", "-"]);
    let mut child = command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(small_channel().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let receipt: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(receipt, json!({"accepted": 60, "duplicates": 0, "late": 0, "rejected": []}));
}

#[test]
fn the_demo_is_made_once_and_keeps_to_its_own_directory() {
    let data = Data::new();
    let demo = ["demo", "--small", "--no-serve"];
    let first = data.json(&demo);
    let report = data.json(&["verify"]);
    let again = data.json(&demo);
    assert_eq!(data.json(&["verify"]), report, "a demo that is there is taken as it is");
    assert_ne!(first["creator_token"], again["creator_token"], "a token is shown once, so each start makes its own");
    let other = data.run(&["demo", "--no-serve", "--end", "2026-03-30"]);
    let end = first["end"].as_str().unwrap();
    assert!(stderr(&other).contains(&format!("holds another demo, through {end}")), "{}", stderr(&other));

    let creator = again["creator"].as_str().unwrap();
    let query = "query($id: ID!) { creator(id: $id) { sealedThrough counters(range: {last: 28}) { views { value } } \
                 week: counters(range: {last: 7}, compareTo: PREVIOUS_PERIOD) { views { change } } \
                 audience(window: {kind: LAST_7_DAYS}) { reach { value disclosure } } } }";
    let server = Server::start(&data);
    let answer = server.query(again["creator_token"].as_str(), query, &json!({ "id": creator }));
    assert_eq!(answer["creator"]["sealedThrough"], end);
    assert!(answer["creator"]["counters"]["views"]["value"].as_f64().unwrap() > 1_000.0, "{answer}");
    assert_eq!(answer["creator"]["audience"]["reach"]["disclosure"], "NOISY", "{answer}");
    assert!(answer["creator"]["week"]["views"]["change"].is_f64(), "a day is sealed that is not over: {answer}");
    let old = format!("Bearer {}", first["creator_token"].as_str().unwrap());
    assert_eq!(server.get("/graphql?query={privacy{version}}", &[("Authorization", &old)]).status, 401);

    let platform = Data::new();
    let events = platform.file("events.ndjson", small_channel());
    platform.import(&[&events], &[]);
    let refused = platform.run(&["demo", "--small", "--no-serve"]);
    assert!(stderr(&refused).contains("holds something else than a demo"), "{}", stderr(&refused));
}

#[test]
fn a_demo_that_would_end_in_the_future_is_refused_and_nothing_is_made() {
    let data = Data::new();
    let refused = data.run(&["demo", "--small", "--no-serve", "--end", "2099-01-01"]);
    assert_eq!(refused.status.code(), Some(1));
    let message = "throng: a demo cannot end on 2099-01-01, which is not over in every time zone: take ";
    assert!(stderr(&refused).starts_with(message), "{}", stderr(&refused));
    assert!(!data.path().exists());
}

#[test]
fn a_second_signal_ends_an_import_at_once() {
    let data = Data::new();
    let mut child = data.command(&["import", "-"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    // It stays open, so the import would wait for ever.
    let _input = child.stdin.take();
    // Signals are followed before the store is made.
    while std::fs::metadata(data.path().join("generation")).map_or(0, |file| file.len()) == 0 {
        std::thread::yield_now();
    }
    for signal in ["INT", "TERM"] {
        let sent = std::process::Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(data.json(&["verify"])["whole"], true);
}
