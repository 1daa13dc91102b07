//! Noise: drawn once for ever, whoever asks, wherever the data are, and never with another key.

use serde_json::Value;

use crate::server::{Data, Server};
use crate::world::{difference, everything_of};

/// A small demo, and what it says of its best-known channel, one of its videos and a hashtag.
struct Demo {
    data: Data,
    token: String,
    ids: [String; 3],
    days: [String; 2],
}

impl Demo {
    fn make() -> Self {
        let data = Data::new();
        let made = data.json(&["demo", "--small", "--no-serve"]);
        let text = |key: &str| made[key].as_str().expect("text").to_owned();
        let (token, creator, end) = (text("operator_token"), text("creator"), text("end"));
        let server = Server::start(&data);
        let query = "query($id: ID!) { creator(id: $id) { topVideos(range: {last: 28}, by: VIEWS, first: 1) { video { id hashtags } } } }";
        let answer = server.query(Some(&token), query, &serde_json::json!({ "id": creator }));
        let top = &answer["creator"]["topVideos"][0]["video"];
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let ids = [creator, text(&top["id"]), text(&top["hashtags"][0])];
        let from = throng_model::Day::parse(&end).expect("a day").saturating_add(-27).to_string();
        Self { data, token, ids, days: [from, end] }
    }

    fn asked(&self, server: &Server) -> Value {
        let ([creator, video, tag], [from, end]) = (&self.ids, &self.days);
        everything_of(server, &self.token, [creator, video, tag], from, end)
    }
}

#[test]
fn restarts_threads_and_restored_backups_give_the_same_answers() {
    let demo = Demo::make();
    let server = Server::start(&demo.data);
    let first = demo.asked(&server);
    assert_eq!(first["creator"]["weeks"]["reach"]["disclosure"], "NOISY");
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..4).map(|_| scope.spawn(|| demo.asked(&server))).collect();
        asking.into_iter().for_each(|asked| assert_eq!(difference(&asked.join().unwrap(), &first), None));
    });
    server.stop();
    let restarted = Server::start(&demo.data);
    assert_eq!(difference(&demo.asked(&restarted), &first), None);
    restarted.stop();

    let backup = demo.data.path().with_file_name("backup");
    demo.data.json(&["backup", backup.to_str().unwrap(), "--with-keys"]);
    let replica = Data::new();
    replica.json(&["restore", backup.to_str().unwrap()]);
    let (original, replica) = (Server::start(&demo.data), Server::start(&replica));
    assert_eq!(difference(&demo.asked(&original), &first), None);
    assert_eq!(difference(&demo.asked(&replica), &first), None);
}

#[test]
fn aliases_and_tokens_give_the_same_numbers() {
    let demo = Demo::make();
    let creator = &demo.ids[0];
    let key = |role: &str| {
        let made = demo.data.json(&["key", "create", "--role", role, "--creator", creator, "--name", role]);
        made["token"].as_str().expect("a token").to_owned()
    };
    let tokens = [demo.token.clone(), key("creator"), key("partner"), key("partner")];
    let server = Server::start(&demo.data);
    let body = "audience(window: {kind: LAST_28_DAYS}) { reach { value marginOfError } newViewers { value }
        breakdown(by: COUNTRY) { total { value } rows { key measure { value } } other { value disclosure } } }";
    let aliases: String = (0..12).map(|n| format!("a{n}: {body}\n")).collect();
    let query = format!("query($id: ID!) {{ creator(id: $id) {{ {aliases} }} }}");
    let mut answers = Vec::new();
    for token in &tokens {
        let answer = server.query(Some(token), &query, &serde_json::json!({ "id": creator }));
        answers.extend((0..12).map(|n| answer["creator"][format!("a{n}")].clone()));
    }
    assert_eq!(answers.len(), 48);
    assert!(answers[0]["reach"]["value"].is_number(), "{}", answers[0]);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[test]
fn a_server_without_the_noise_key_it_answered_with_does_not_start() {
    let data = Data::new();
    let key = data.path().with_extension("noise-key");
    assert!(!key.exists());
    Server::start(&data).stop();
    let kept = std::fs::read(&key).expect("made at the first start");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let refused = || {
        let ended = data.run(&["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(ended.status.code(), Some(1));
        String::from_utf8(ended.stderr).unwrap()
    };
    std::fs::remove_file(&key).unwrap();
    let lost = refused();
    for part in ["noise-key is missing", "put the file back", "would draw all noise anew", "none is made"] {
        assert!(lost.contains(part), "{part}: {lost}");
    }
    assert!(!key.exists(), "no key is made anew");
    let other = Data::new();
    Server::start(&other).stop();
    std::fs::copy(other.path().with_extension("noise-key"), &key).unwrap();
    assert!(refused().contains("holds another noise key"), "{}", refused());
    std::fs::write(&key, &kept[..kept.len() / 2]).unwrap();
    assert!(refused().contains("is no noise key file"), "{}", refused());
    std::fs::write(&key, kept).unwrap();
    let log = Server::start(&data).stop();
    assert!(log.contains("protection is \"noise\"") && log.contains("rho=0.5"), "{log}");
}

#[test]
fn a_key_that_a_crash_left_unbound_is_taken_up() {
    let (data, other) = (Data::new(), Data::new());
    Server::start(&other).stop();
    let key = |data: &Data| data.path().with_extension("noise-key");
    let kept = std::fs::read(key(&other)).unwrap();
    std::fs::write(key(&data), &kept).unwrap();
    Server::start(&data).stop();
    assert_eq!(std::fs::read(key(&data)).unwrap(), kept);
}

#[test]
fn without_noise_the_log_warns() {
    let data = Data::new();
    let log = Server::start_with(&data, &[("THRONG_PRIVACY_PROTECTION", "threshold")]).stop();
    assert!(log.contains("WARN") && log.contains("can isolate people"), "{log}");
}

#[test]
fn the_printed_configuration_says_how_much_noise_there_is() {
    let data = Data::new();
    let printed = |rho: &str| {
        let output = data.command(&["config"]).env("THRONG_PRIVACY_RHO", rho).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    // σ of the reach of a channel's day.
    let sigma = |text: &str| {
        let table = text.split("# channels").nth(1).expect("a table of channels");
        let line = table.lines().find(|line| line.trim_start_matches('#').trim().starts_with("reach")).expect("a line");
        line.split_whitespace().nth(2).and_then(|sigma| sigma.parse::<f64>().ok()).expect("a number")
    };
    let (usual, less) = (printed("0.5"), printed("0.125"));
    assert!(usual.contains("ρ = 0.5") && usual.contains("# videos") && usual.contains("# hashtags"), "{usual}");
    // A quarter of ρ is twice the noise.
    assert!((sigma(&less) / sigma(&usual) - 2.0).abs() < 0.05, "{usual}\n{less}");
    let file = data.file("printed.toml", &less);
    let again = data.json(&["config", "--config", file.to_str().unwrap()]);
    assert_eq!(again["privacy.rho"]["value"], 0.125);
}

#[test]
fn an_erasure_adds_a_draw_to_every_number_published_before() {
    let demo = Demo::make();
    let ask = || {
        let server = Server::start(&demo.data);
        demo.asked(&server)
    };
    let before = ask();
    assert_eq!(demo.data.json(&["erase", "u00000000", "u9e3779b1", "--compact"])["compacted"]["epoch"]["number"], 1);
    let after = ask();
    let margin = |answer: &Value| answer["creator"]["weeks"]["reach"]["marginOfError"].as_f64().expect("a margin");
    // Two independent draws have √2 times the spread of one.
    assert!((margin(&after) - margin(&before) * 2_f64.sqrt()).abs() < 0.01, "{} {}", margin(&before), margin(&after));
    assert_ne!(after["creator"]["weeks"]["reach"]["value"], before["creator"]["weeks"]["reach"]["value"]);
    assert_eq!(difference(&ask(), &after), None, "drawn once for ever");
}
