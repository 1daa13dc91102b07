//! Answers of a small platform: the pasted dashboard, and what tells a number, a withheld one and a missing one apart.
#![allow(clippy::expect_used, clippy::panic, reason = "a surprise should stop the test")]

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value as Json, json};
use support::{Event, Platform, ask, ask_as, ask_under, day, platform, schema_within, view};
use throng_graphql::{Access, Limits, Request, execute_document, to_json};
use throng_model::Kind;
use throng_privacy::Protection;

/// As it stands in the outline of the API.
const DASHBOARD: &str = r#"
query Dashboard($id: ID!) {
  creator(id: $id) {
    handle
    counters(range: {last: 28}, compareTo: PREVIOUS_PERIOD) { views { value disclosure change } likes { value } watchTime { value } }
    series(range: {from: "2026-02-10", to: "2026-03-09"}, granularity: DAY) { date counters { views { value disclosure } } }
    audience(window: {kind: LAST_28_DAYS}) {
      reach { value disclosure marginOfError }
      breakdown(by: COUNTRY, first: 10) { rows { key share viewers: measure { value disclosure } } other { value } }
      retention { position share }
    }
    topVideos(range: {last: 28}, by: VIEWS, first: 5) { video { id title } value { value } }
  }
}"#;

#[tokio::test]
async fn fragments_aliases_and_repeated_fields_change_no_answer() {
    let ask = async |counters: &str, points: &str| {
        let query = format!(
            "{{ creator(id: \"ada\") {{ series(range: {{last: 3}}, granularity: DAY) {{ {counters} }}
                 audience(window: {{kind: LAST_28_DAYS}}) {{ retention {{ {points} }} }} }} }}"
        );
        let answer = ask_as(Arc::new(platform()), Access::Operator, &query, json!({})).await;
        assert_eq!(answer.get("errors"), None, "{query}: {answer}");
        answer["data"].clone()
    };
    let plain = ask(
        "__typename date counters { views { __typename value disclosure } }",
        "position reached: measure { value marginOfError }",
    );
    let (plain, expected) = (plain.await, json!({"__typename": "Measure", "value": null, "disclosure": "WITHHELD"}));
    assert_eq!(plain["creator"]["series"][0]["counters"]["views"], expected);
    assert!(plain["creator"]["audience"]["retention"][6]["reached"]["value"].is_number(), "{plain}");
    let otherwise = ask(
        "__typename ... { date } counters { views { __typename value } } counters { ... on Counters { views { disclosure } } }",
        "position reached: measure { value } position @include(if: true) reached: measure { marginOfError }",
    );
    assert_eq!(otherwise.await, plain);
}

#[tokio::test]
async fn audiences_are_those_of_each_window() {
    let reach = "window { kind from to sealed } reach { value disclosure }";
    let range = "range: {from: \"2026-02-19\", to: \"2026-03-09\"}";
    for (kind, dates) in [
        ("DAY", (0..19).map(|ahead| day("2026-02-19").saturating_add(ahead)).collect()),
        ("LAST_7_DAYS", vec![day("2026-02-22"), day("2026-03-01"), day("2026-03-08")]),
        ("MONTH", vec![day("2026-02-28")]),
        ("YEAR", vec![]),
    ] {
        for owner in ["creator(id: \"ada\")", "video(id: \"a1\")", "hashtag(name: \"dance\")", "platform"] {
            let one = |(n, date): (usize, &throng_model::Day)| {
                format!("w{n}: audience(window: {{kind: {kind}, date: \"{date}\"}}) {{ {reach} }}")
            };
            let each: Vec<String> = dates.iter().enumerate().map(one).collect();
            let each = ask(platform(), &format!("{{ it: {owner} {{ __typename {} }} }}", each.join(" "))).await;
            let query = format!("{{ it: {owner} {{ audiences(kind: {kind}, {range}) {{ {reach} }} }} }}");
            let all = ask(platform(), &query).await["it"]["audiences"].as_array().expect("a list").clone();
            assert_eq!(all.len(), dates.len(), "{owner} {kind}");
            for (n, found) in all.iter().enumerate() {
                assert_eq!(*found, each["it"][format!("w{n}")], "{owner} {kind}");
            }
            let shown = |found: &&Json| found["reach"]["value"].is_number();
            assert!(kind == "YEAR" || all.iter().any(|found| shown(&found)), "{owner} {kind}: {all:?}");
        }
    }
    for (kind, range) in [("FIRST_7_DAYS", "last: 3"), ("DAY", "last: 101"), ("DAY", "last: 0")] {
        let query = format!(
            "{{ creator(id: \"ada\") {{ audiences(kind: {kind}, range: {{{range}}}) {{ reach {{ value }} }} }} }}"
        );
        let refused = ask_as(Arc::new(platform()), Access::Operator, &query, Json::Null).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused}");
    }
}

#[tokio::test]
async fn the_dashboard_works_as_pasted() {
    let platform = Arc::new(platform());
    let answer = ask_as(platform.clone(), Access::Operator, DASHBOARD, json!({"id": "ada"})).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    let ada = &answer["data"]["creator"];
    assert_eq!(ada["handle"], "@ada");
    // 28 days to 2026-03-08: 400 + 300 views against 200 in the 28 days before.
    assert_eq!(ada["counters"]["views"], json!({"value": 700.0, "disclosure": "EXACT", "change": 2.5}));
    assert_eq!(ada["counters"]["likes"]["value"], 400.0);
    let series = ada["series"].as_array().expect("series");
    assert_eq!(series.len(), 28);
    assert_eq!(series[0]["date"], "2026-02-10");
    assert_eq!(series[0]["counters"]["views"], json!({"value": null, "disclosure": "WITHHELD"}));
    assert_eq!(series[10]["counters"]["views"], json!({"value": 400.0, "disclosure": "EXACT"}));
    let audience = &ada["audience"];
    assert_eq!(audience["reach"], json!({"value": 600.0, "disclosure": "EXACT", "marginOfError": null}));
    let rows = audience["breakdown"]["rows"].as_array().expect("rows");
    assert_eq!(rows[0], json!({"key": "DE", "share": 0.5, "viewers": {"value": 300.0, "disclosure": "EXACT"}}));
    assert_eq!(audience["breakdown"]["other"]["value"], 0.0);
    assert_eq!(audience["retention"].as_array().expect("curve").len(), 100);
    assert_eq!(audience["retention"][99]["position"], 100);
    assert_eq!(
        ada["topVideos"],
        json!([
            {"video": {"id": "a1", "title": "Video a1"}, "value": {"value": 400.0}},
            {"video": {"id": "a2", "title": "Video a2"}, "value": {"value": 300.0}},
        ])
    );
    assert_eq!(platform.audience_calls.load(Ordering::SeqCst), 1, "one question to the engine for all families");
    assert_eq!(answer["extensions"]["policyVersion"].as_str().map(str::len), Some(12));
}

const EVERYTHING: &str = r#"
{ video(id: "b1") {
    counters(range: {from: "2026-02-01", to: "2026-02-28"}, compareTo: SAME_WEEKDAYS) { ...Counters }
    series(range: {from: "2026-02-19", to: "2026-02-21"}, granularity: HOUR) { start counters { ...Counters } }
    creator { topVideos(range: {last: 28}, by: AVERAGE_WATCH_TIME, first: 100) { video { id } value { ...All } } }
    audience(window: {kind: MONTH}) {
      window { kind from to sealed } reach { ...All } newViewers { ...All } returningViewers { ...All }
      followers { ...All } nonFollowers { ...All } engagementPerReach { ...All }
      country: breakdown(by: COUNTRY) { ...Rows } region: breakdown(by: REGION) { ...Rows } age: breakdown(by: AGE) { ...Rows }
      gender: breakdown(by: GENDER) { ...Rows } device: breakdown(by: DEVICE) { ...Rows }
      source: breakdown(by: TRAFFIC_SOURCE) { ...Rows } status: breakdown(by: FOLLOWER_STATUS) { ...Rows }
      ageGender { age gender share measure { ...All } } activeHours { weekday hour share measure { ...All } }
      retention { position share measure { ...All } } funnel { stage share measure { ...All } }
    } } }
fragment Counters on Counters { range { from to } previousRange { from to } views { ...All } likes { ...All } completionRate { ...All } }
fragment Rows on Breakdown { total { ...All } rows { key country share measure { ...All } } other { ...All } }
fragment All on Measure { value disclosure marginOfError previous change }
"#;

#[tokio::test]
async fn no_audience_and_one_below_the_floor_give_the_same_bytes() {
    let answer = async |viewers: u32| {
        let events = (0..viewers).map(|viewer| view(viewer, "b1", "2026-02-20")).collect();
        ask(Platform::new(events), EVERYTHING).await.to_string()
    };
    let nobody = answer(0).await;
    assert!(nobody.contains("WITHHELD") && !nobody.contains("EXACT"), "{nobody}");
    assert_eq!(nobody, answer(1).await);
    assert_eq!(nobody, answer(49).await);
    assert!(answer(50).await.contains("EXACT"));
}

#[tokio::test]
async fn zero_withheld_unsealed_and_missing_are_different() {
    const QUERY: &str = r#"
    { creator(id: "ada") {
        counters(range: {from: "2026-02-20", to: "2026-02-20"}) { shares { value disclosure } }
        none: counters(range: {from: "2026-02-21", to: "2026-02-21"}) { shares { value disclosure } }
        audience(window: {kind: DAY, date: "2026-03-09"}) { window { sealed } reach { value disclosure } } }
      video(id: "a3") { audience(window: {kind: DAY}) { newViewers { disclosure } retention { measure { disclosure } } } } }"#;
    let data = ask(platform(), QUERY).await;
    let ada = &data["creator"];
    assert_eq!(ada["counters"]["shares"], json!({"value": 0.0, "disclosure": "EXACT"}));
    assert_eq!(ada["none"]["shares"], json!({"value": null, "disclosure": "WITHHELD"}));
    assert_eq!(ada["audience"]["reach"], json!({"value": null, "disclosure": "NOT_SEALED"}));
    assert_eq!(ada["audience"]["window"]["sealed"], false);
    let video = &data["video"]["audience"];
    assert_eq!(video["newViewers"]["disclosure"], "NOT_APPLICABLE");
    assert_eq!(video["retention"][0]["measure"]["disclosure"], "NOT_APPLICABLE");
}

#[tokio::test]
async fn a_ratio_without_denominator_is_not_applicable() {
    let events = (0..60).map(|viewer| Event { kind: Kind::Impression, ..view(viewer, "a1", "2026-02-20") }).collect();
    let query = r#"{ video(id: "a1") { counters(range: {last: 28}) { views { value } engagementRate { value disclosure } } } }"#;
    let counters = &ask(Platform::new(events), query).await["video"]["counters"];
    assert_eq!(counters["views"]["value"], 0.0);
    assert_eq!(counters["engagementRate"], json!({"value": null, "disclosure": "NOT_APPLICABLE"}));
}

#[tokio::test]
async fn the_last_days_and_newest_windows_end_with_the_seal() {
    let query = r#"{ creator(id: "ada") { sealedThrough counters(range: {last: 7}) { range { from to } }
        audience(window: {kind: LAST_7_DAYS}) { window { kind from to sealed } } } }"#;
    let mut platform = platform();
    platform.sealed_through = Some(day("2026-03-04"));
    let ada = ask(platform, query).await["creator"].clone();
    assert_eq!(ada["sealedThrough"], "2026-03-04");
    assert_eq!(ada["counters"]["range"], json!({"from": "2026-02-26", "to": "2026-03-04"}));
    let window = json!({"kind": "LAST_7_DAYS", "from": "2026-02-23", "to": "2026-03-01", "sealed": true});
    assert_eq!(ada["audience"]["window"], window);
}

#[tokio::test]
async fn what_is_not_over_is_marked_and_compared_with_nothing() {
    // It is noon of Tuesday 2026-03-10.
    let query = r#"{ creator(id: "ada") {
        days: series(range: {from: "2026-03-08", to: "2026-03-12"}, granularity: DAY) { date partial }
        weeks: series(range: {from: "2026-02-18", to: "2026-03-10"}, granularity: WEEK) { date partial }
        months: series(range: {from: "2026-01-01", to: "2026-03-31"}, granularity: MONTH) { date partial }
        whole: counters(range: {from: "2026-02-17", to: "2026-03-09"}, compareTo: PREVIOUS_PERIOD) { ...Change }
        today: counters(range: {from: "2026-02-18", to: "2026-03-10"}, compareTo: PREVIOUS_PERIOD) { ...Change }
        weekdays: counters(range: {from: "2026-02-19", to: "2026-03-01"}, compareTo: SAME_WEEKDAYS) { ...Change } } }
      fragment Change on Counters { previousRange { from to } views { value previous change } }"#;
    let mut events = Vec::new();
    for (date, viewers) in [("2026-01-28", 60), ("2026-02-10", 80), ("2026-02-20", 120)] {
        events.extend((0..viewers).map(|viewer| view(viewer, "a1", date)));
    }
    let ada = ask(Platform::new(events), query).await["creator"].clone();
    let partial = |series: &str| -> Vec<bool> {
        let steps = ada[series].as_array().expect("a series").iter();
        steps.map(|step| step["partial"].as_bool().expect("said")).collect()
    };
    assert_eq!(partial("days"), [false, false, true, true, true]);
    // The first is cut by the range, the last two days are still to come.
    assert_eq!(partial("weeks"), [true, false, false, true]);
    assert_eq!(partial("months"), [false, false, true]);
    let previous = |from: &str, to: &str| json!({"from": from, "to": to});
    assert_eq!(ada["whole"]["previousRange"], previous("2026-01-27", "2026-02-16"));
    assert_eq!(ada["whole"]["views"], json!({"value": 120.0, "previous": 140.0, "change": -1.0 / 7.0}));
    assert_eq!(ada["today"]["previousRange"], previous("2026-01-28", "2026-02-17"));
    assert_eq!(ada["today"]["views"], json!({"value": 120.0, "previous": 140.0, "change": null}));
    // Eleven days, from Thursday to Sunday: two weeks earlier.
    assert_eq!(ada["weekdays"]["previousRange"], previous("2026-02-05", "2026-02-15"));
    assert_eq!(ada["weekdays"]["views"], json!({"value": 120.0, "previous": 80.0, "change": 0.5}));
}

#[tokio::test]
async fn windows_of_a_video_count_from_its_publication() {
    let query = r#"{ video(id: "a1") { publishedAt duration audience(window: {kind: FIRST_7_DAYS}) {
        window { from to } reach { value } funnel { stage measure { value } } engagementPerReach { value } } } }"#;
    let video = ask(platform(), query).await["video"].clone();
    assert_eq!(video["publishedAt"], "2026-02-20T09:00:00.000Z");
    assert_eq!(video["duration"], 10.0);
    assert_eq!(video["audience"]["window"], json!({"from": "2026-02-20", "to": "2026-02-26"}));
    assert_eq!(video["audience"]["reach"]["value"], 400.0);
    // Everyone who viewed also liked: between stages there is nobody, which is hidden like a few.
    assert_eq!(video["audience"]["funnel"][0], json!({"stage": "SAW", "measure": {"value": 400.0}}));
    assert_eq!(video["audience"]["funnel"][1]["measure"]["value"], Json::Null);
}

#[tokio::test]
async fn aliases_fragments_and_variables_reach_the_engine_once() {
    let query = r#"query($by: Trait!, $skip: Boolean!) { hashtag(name: "Dance") { name ...M } }
        fragment M on Measured { audience(window: {kind: LAST_28_DAYS}) {
          a: breakdown(by: $by, first: 1) { rows { key } other { value } }
          b: breakdown(by: FOLLOWER_STATUS) { rows { key } }
          ... on Audience { newViewers @skip(if: $skip) { disclosure } ageGender { age gender measure { value } } } } }"#;
    let platform = Arc::new(platform());
    let variables = json!({"by": "AGE", "skip": false});
    let answer = ask_as(platform.clone(), Access::Operator, query, variables).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    let audience = &answer["data"]["hashtag"]["audience"];
    assert_eq!(answer["data"]["hashtag"]["name"], "dance");
    assert_eq!(audience["a"]["other"]["value"], 600.0, "the first age band has nobody");
    assert_eq!(audience["b"]["rows"][0]["key"], "non_follower");
    assert_eq!(audience["newViewers"]["disclosure"], "NOT_APPLICABLE");
    assert_eq!(audience["ageGender"].as_array().map(Vec::len), Some(32));
    assert_eq!(platform.audience_calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_policy_says_what_is_asked_and_what_is_not_protected() {
    let query = "{ privacy { version protection audienceMin audienceMinFloor rollingStepDays statement invariants
        notProtected catalogue { family entity windows overlapping } } status { version policyVersion } }";
    let data = ask(platform(), query).await;
    let privacy = &data["privacy"];
    assert_eq!((&privacy["protection"], &privacy["audienceMin"]), (&json!("THRESHOLD"), &json!(50)));
    assert_eq!((&privacy["audienceMinFloor"], &privacy["rollingStepDays"]), (&json!(10), &json!(7)));
    assert_eq!(privacy["catalogue"].as_array().map(Vec::len), Some(39));
    assert!(privacy["notProtected"][0].as_str().is_some_and(|text| text.contains("difference")), "{privacy}");
    assert_eq!(data["status"]["policyVersion"], privacy["version"]);
}

#[tokio::test]
async fn with_noise_the_dashboard_shows_noisy_insights_and_exact_counters() {
    let noise = |key: &'static str| {
        ask_under(Protection::Noise, Arc::new(platform()), Access::Operator, key, json!({"id": "ada"}))
    };
    let answer = noise(DASHBOARD).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    let ada = &answer["data"]["creator"];
    assert_eq!(ada["counters"]["views"], json!({"value": 700.0, "disclosure": "EXACT", "change": 2.5}));
    let reach = &ada["audience"]["reach"];
    assert_eq!(reach["disclosure"], "NOISY");
    let margin = reach["marginOfError"].as_f64().expect("a margin");
    assert!((10.0..40.0).contains(&margin), "{reach}");
    let exact = ask_as(Arc::new(platform()), Access::Operator, DASHBOARD, json!({"id": "ada"})).await;
    let truth = exact["data"]["creator"]["audience"]["reach"]["value"].as_f64().expect("shown");
    assert!((reach["value"].as_f64().expect("shown") - truth).abs() < 3.0 * margin, "{reach} for {truth}");
    let row = &ada["audience"]["breakdown"]["rows"][0];
    assert_eq!(row["viewers"]["disclosure"], "NOISY", "{row}");
    assert!(row["share"].as_f64().is_some_and(|share| share <= 1.0), "{row}");
    let again = noise(DASHBOARD).await;
    assert_eq!(answer, again, "noise is drawn once for ever");
}

#[tokio::test]
async fn the_policy_with_noise_says_what_it_costs_and_how_much_it_blurs() {
    let query =
        "{ privacy { protection rho epsilon delta statement generation generations { number date } eventsKeptFrom
        catalogue { family entity noise { window windowsPerDay sensitivitySquared rho sigma shownFrom } } } }";
    let answer = ask_under(Protection::Noise, Arc::new(platform()), Access::Anonymous, query, json!({})).await;
    let privacy = &answer["data"]["privacy"];
    assert_eq!(
        (&privacy["protection"], &privacy["rho"], &privacy["delta"]),
        (&json!("NOISE"), &json!(0.5), &json!(1e-6))
    );
    assert_eq!((&privacy["generation"], &privacy["eventsKeptFrom"]), (&json!(0), &Json::Null));
    let lines = privacy["catalogue"].as_array().expect("a catalogue");
    let channel = lines
        .iter()
        .filter(|line| line["entity"] == "CREATOR")
        .flat_map(|line| line["noise"].as_array().expect("levels"));
    let spent: f64 = channel.map(|level| level["rho"].as_f64().expect("a number")).sum();
    assert!((0.49..=0.5).contains(&spent), "all lines of a channel cost {spent}");
}

#[tokio::test]
async fn what_is_selected_twice_is_asked_for_once() {
    let window = "window: {kind: LAST_28_DAYS}";
    let query = format!(
        r#"{{ creator(id: "ada") {{
            audience({window}) {{ reach {{ value }} }} audience({window}) {{ retention {{ position }} reach {{ disclosure }} }}
            other: audience({window}) {{ reach {{ value }} }}
            audience({window}) @include(if: true) {{ funnel {{ stage }} }} audience({window}) {{ reach {{ __typename }} }} }} }}"#
    );
    let platform = Arc::new(platform());
    let answer = ask_as(platform.clone(), Access::Operator, &query, Json::Null).await;
    let creator = &answer["data"]["creator"];
    let reach = json!({"value": 600.0, "disclosure": "EXACT", "__typename": "Measure"});
    assert_eq!(
        (&creator["audience"]["reach"], &creator["other"]["reach"]["value"]),
        (&reach, &json!(600.0)),
        "{answer}"
    );
    let lengths = ["retention", "funnel"].map(|list| creator["audience"][list].as_array().map(Vec::len));
    assert_eq!(lengths, [Some(100), Some(4)]);
    // The first two together, the one under another name, the one under a condition, and the one behind it.
    assert_eq!(platform.audience_calls.load(Ordering::SeqCst), 4);
}

/// What is written as JSON at once must be what the library makes of the same fields.
#[tokio::test]
async fn every_field_is_written_as_it_is_resolved() {
    let types = types().await;
    let range = "range: {from: \"2026-02-10\", to: \"2026-03-09\"}";
    let (of, fields) = ("creator(id: \"ada\")", |ty| every_field(&types, ty));
    let (counters, video) = (fields("Counters"), fields("Video"));
    let audience = format!("{} breakdown(by: COUNTRY, first: 3) {{ {} }}", fields("Audience"), fields("Breakdown"));
    let selections = [
        format!("counters({range}) {{ {counters} views {{ ...M }} }}"),
        format!("counters({range}, compareTo: PREVIOUS_PERIOD) {{ {counters} }}"),
        format!("series({range}, granularity: WEEK) {{ {} }}", fields("SeriesPoint")),
        format!("audience(window: {{kind: LAST_28_DAYS}}) {{ {audience} }}"),
        format!("audiences(kind: DAY, {range}) {{ {} }}", fields("Audience")),
        format!("audiences(kind: LAST_7_DAYS, {range}) {{ {audience} }}"),
        format!("topVideos({range}, by: VIEWS, first: 5) {{ {} }}", fields("RankedVideo")),
        format!(
            "topVideos({range}, by: VIEWS, first: 5) {{ ... on RankedVideo {{ video {{ {video} }} }} value {{ ...M }} value {{ value }} }}"
        ),
    ];
    for protection in [Protection::Threshold, Protection::Noise] {
        for selection in &selections {
            let fragment = if selection.contains("...M") { "fragment M on Measure { disclosure }" } else { "" };
            let written = text(protection, &format!("{{ {of} {{ {selection} }} }} {fragment}")).await;
            assert!(!written.contains("\"errors\""), "{selection}: {written}");
            // Where a field is selected in a fragment too the library merges what it makes of both.
            let resolved = format!("{{ ... {{ {of} {{ {selection} }} }} {of} {{ {selection} }} }} {fragment}");
            assert_eq!(written, text(protection, &resolved).await, "{selection}");
        }
    }
}

/// An answer as it is sent.
async fn text(protection: Protection, query: &str) -> String {
    let limits = Limits { complexity_max: usize::MAX, ..Limits::default() };
    let schema = schema_within(limits, protection, Arc::new(platform()));
    let document = schema.parse(query).expect("document");
    let answer = execute_document(&schema, &document, Request::new(""), Access::Operator).await;
    String::from_utf8(to_json(&answer.response).expect("json")).expect("text")
}

/// The types of the schema, as it says them itself.
async fn types() -> Vec<Json> {
    let query = "{ __schema { types { name fields { name args { name } type { ...T } } } } }
        fragment T on __Type { name ofType { name ofType { name ofType { name } } } }";
    let answer = ask(platform(), query).await;
    answer["__schema"]["types"].as_array().expect("types").clone()
}

/// Selects all fields of a type that take no arguments, and all of theirs.
fn every_field(types: &[Json], name: &str) -> String {
    let fields_of = |name: &str| types.iter().find(|ty| ty["name"] == name).and_then(|ty| ty["fields"].as_array());
    let mut selection = "__typename".to_owned();
    for field in fields_of(name).expect("an object").iter().filter(|field| field["args"] == json!([])) {
        let mut ty = &field["type"];
        while ty["name"].is_null() {
            ty = &ty["ofType"];
        }
        let inner = ty["name"].as_str().expect("name");
        let inner = fields_of(inner).map_or_else(String::new, |_| format!("{{ {} }}", every_field(types, inner)));
        selection += &format!(" {} {inner}", field["name"].as_str().expect("name"));
    }
    selection
}
