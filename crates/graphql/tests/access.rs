//! Who may see what, errors and their codes, pages, and limits.
#![allow(clippy::expect_used, clippy::panic, reason = "a surprise should stop the test")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use support::{Platform, ask_as, code, creator, platform, schema_under, schema_within, view};
use throng_graphql::{
    Access, Document, Grant, Limits, OperationKind, Request, Scopes, Variables, execute, execute_document, to_json,
};
use throng_privacy::Protection;

async fn answer(access: Access, query: &str) -> Json {
    ask_as(Arc::new(platform()), access, query, Json::Null).await
}

/// A partner that these channels granted everything.
fn partner(creators: &[&str]) -> Access {
    let grant = |id: &&str| Grant { creator: creator(id), scopes: Scopes::ALL };
    Access::Partner(creators.iter().map(grant).collect())
}

#[tokio::test]
async fn what_may_not_be_seen_answers_as_if_it_did_not_exist() {
    let counters = "counters(range: {last: 28}) { views { value disclosure } }";
    let tokens = [Access::Creator(creator("ada")), partner(&["ada"]), Access::Ingest];
    for access in tokens {
        for (hidden, missing) in [("bob", "nobody"), ("bob", ""), ("bob", "a\\u0000b")] {
            let ask =
                async |id: &str| answer(access.clone(), &format!("{{ creator(id: \"{id}\") {{ {counters} }} }}")).await;
            assert_eq!(ask(hidden).await.to_string(), ask(missing).await.to_string());
        }
        let ask =
            async |id: &str| answer(access.clone(), &format!("{{ video(id: \"{id}\") {{ title {counters} }} }}")).await;
        assert_eq!(ask("b1").await.to_string(), ask("b9").await.to_string());
        assert_eq!(ask("b1").await["data"], json!({"video": null}));
    }
    let own = answer(
        Access::Creator(creator("bob")),
        "{ creator(id: \"bob\") { handle videos(first: 1) { edges { node { id creator { id } } } } } }",
    )
    .await;
    assert_eq!(own["data"]["creator"]["videos"]["edges"][0]["node"], json!({"id": "b1", "creator": {"id": "bob"}}));
    let granted = answer(partner(&["bob", "ada"]), "{ video(id: \"b1\") { title } }").await;
    assert_eq!(granted["data"]["video"]["title"], "Video b1");
}

#[tokio::test]
async fn without_a_token_there_are_policy_and_status_only() {
    for query in [
        "{ creator(id: \"ada\") { id } }",
        "{ creators(first: 1) { edges { cursor } } }",
        "{ video(id: \"a1\") { id } }",
        "{ hashtag(name: \"dance\") { name } }",
        "{ platform { sealedThrough } }",
        "{ overlap(creators: [\"ada\", \"bob\"], window: {kind: DAY}) { window { from } } }",
    ] {
        assert_eq!(code(Access::Anonymous, query).await, "UNAUTHENTICATED", "{query}");
    }
    let open = answer(Access::Anonymous, "{ privacy { audienceMin } status { version } }").await;
    assert_eq!(open["data"]["privacy"]["audienceMin"], 50);
}

#[tokio::test]
async fn the_platform_is_for_operators() {
    let query = "{ platform { sealedThrough counters(range: {last: 3}) { views { disclosure } } } }";
    for access in [Access::Creator(creator("ada")), partner(&["ada", "bob"]), Access::Ingest] {
        assert_eq!(answer(access, query).await["data"], json!({"platform": null}));
    }
    let seen = answer(Access::Operator, query).await;
    assert_eq!(seen["data"]["platform"]["sealedThrough"], "2026-03-08");
}

#[tokio::test]
async fn an_overlap_is_for_whoever_sees_one_of_the_two() {
    let ask = async |access: Access, ids: &str| {
        let query = format!(
            "{{ overlap(creators: [{ids}], window: {{kind: LAST_28_DAYS}}) {{
                 window {{ to }} reach {{ value disclosure }} shares {{ creator {{ id }} share }} }} }}"
        );
        let views = (0..300).map(|viewer| view(viewer, "a1", "2026-03-01"));
        let others = (100..500).map(|viewer| view(viewer, "b1", "2026-03-02"));
        ask_as(Arc::new(Platform::new(views.chain(others).collect())), access, &query, Json::Null).await
    };
    let (ada, bob) = ("\"ada\"", "\"bob\"");
    let share = |id: &str, share: f64| json!({"creator": {"id": id}, "share": share});
    let of = |shares: Json| json!({"overlap": {"window": {"to": "2026-03-08"}, "reach": {"value": 200.0, "disclosure": "EXACT"}, "shares": shares}});
    let both = format!("{bob}, {ada}");
    assert_eq!(ask(Access::Creator(creator("bob")), &both).await["data"], of(json!([share("bob", 0.5)])));
    assert_eq!(ask(Access::Operator, &both).await["data"], of(json!([share("ada", 200.0 / 300.0), share("bob", 0.5)])));
    let nothing = json!({"overlap": null});
    for access in [partner(&["cleo"]), Access::Ingest, scoped(Scopes::COUNTERS)] {
        assert_eq!(ask(access, &both).await["data"], nothing);
    }
    assert_eq!(ask(scoped(Scopes::INSIGHTS), &both).await["data"], of(json!([share("ada", 200.0 / 300.0)])));
    for missing in ["\"nobody\"", "\"\"", "\"a\\u0000b\""] {
        assert_eq!(
            ask(Access::Creator(creator("ada")), &format!("{ada}, {missing}")).await["data"],
            nothing,
            "{missing}"
        );
    }
    for wrong in [ada.to_owned(), format!("{ada}, {ada}"), format!("{ada}, {bob}, {ada}")] {
        let refused = ask(Access::Creator(creator("ada")), &wrong).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused}");
    }
}

#[tokio::test]
async fn readers_see_hashtags_and_ingest_does_not() {
    let query = "{ hashtag(name: \"dance\") { name } }";
    assert_eq!(answer(Access::Creator(creator("bob")), query).await["data"]["hashtag"]["name"], "dance");
    assert_eq!(answer(Access::Ingest, query).await["data"], json!({"hashtag": null}));
    assert_eq!(
        answer(Access::Operator, "{ hashtag(name: \"nothing\") { name } }").await["data"],
        json!({"hashtag": null})
    );
}

#[tokio::test]
async fn lists_hold_what_the_token_may_see() {
    let ids = async |access| {
        let page = answer(access, "{ creators(first: 10) { edges { node { id } } pageInfo { hasNextPage } } }").await;
        let edges = page["data"]["creators"]["edges"].as_array().expect("edges").clone();
        edges.iter().map(|edge| edge["node"]["id"].as_str().expect("id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(Access::Operator).await, ["ada", "bob"]);
    assert_eq!(ids(Access::Creator(creator("bob"))).await, ["bob"]);
    assert_eq!(ids(partner(&["nobody", "bob", "ada", "bob"])).await, ["ada", "bob"]);
    assert!(ids(Access::Ingest).await.is_empty());
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    for access in [Access::Operator, partner(&["ada"])] {
        let mut found = Vec::new();
        let mut after = Json::Null;
        for turn in 0.. {
            assert!(turn < 5, "pages do not end");
            let query = format!(
                "{{ creator(id: \"ada\") {{ videos(first: 2, after: {after}) {{ edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage hasPreviousPage endCursor startCursor }} }} }} }}"
            );
            let page = answer(access.clone(), &query).await["data"]["creator"]["videos"].clone();
            let edges = page["edges"].as_array().expect("edges");
            found.extend(edges.iter().map(|edge| edge["node"]["id"].as_str().expect("id").to_owned()));
            assert_eq!(page["pageInfo"]["hasPreviousPage"], turn > 0);
            assert_eq!(page["pageInfo"]["startCursor"], edges[0]["cursor"]);
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(found, ["a1", "a2", "a3", "bob"]);
    }
}

#[tokio::test]
async fn a_cursor_goes_on_in_its_own_order_and_in_no_other() {
    let page = async |order: &str, after: &str| {
        let query = format!(
            "{{ creator(id: \"ada\") {{ videos(first: 1, after: {after}, orderBy: {order}) {{ edges {{ cursor node {{ id }} }} }} }} }}"
        );
        answer(Access::Operator, &query).await
    };
    let mut cursors = Vec::new();
    for (order, expected) in [("NEWEST", ["a2", "a1", "bob", "a3"]), ("OLDEST", ["a1", "bob", "a2", "a3"])] {
        let mut after = "null".to_owned();
        for id in expected {
            let page = page(order, &after).await;
            let edge = &page["data"]["creator"]["videos"]["edges"][0];
            assert_eq!(edge["node"]["id"], id, "{order} after {after}: {page}");
            after = edge["cursor"].to_string();
        }
        assert_eq!(page(order, &after).await["data"]["creator"]["videos"]["edges"], json!([]));
        cursors.push((order, after));
    }
    for ((_, cursor), order) in cursors.iter().zip(["OLDEST", "ID"]) {
        assert_eq!(page(order, cursor).await["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{order}");
    }
}

#[tokio::test]
async fn a_node_is_what_the_token_sees_of_its_id() {
    let query = |id: &str| {
        format!("{{ node(id: \"{id}\") {{ __typename id ... on Creator {{ handle }} ... on Video {{ title }} }} }}")
    };
    let node = async |access: Access, id: &str| answer(access, &query(id)).await;
    let (ada, bob) = (Access::Creator(creator("ada")), Access::Creator(creator("bob")));
    let channel = json!({"__typename": "Creator", "id": "ada", "handle": "@ada"});
    assert_eq!(node(ada.clone(), "ada").await["data"]["node"], channel);
    let video = json!({"__typename": "Video", "id": "a1", "title": "Video a1"});
    assert_eq!(node(ada.clone(), "a1").await["data"]["node"], video);
    // The id of bob's channel is that of a video on ada's.
    assert_eq!(node(ada.clone(), "bob").await["data"]["node"]["__typename"], "Video");
    assert_eq!(node(bob.clone(), "bob").await["data"]["node"]["__typename"], "Creator");
    let both = [Access::Operator, partner(&["ada", "bob"])];
    for access in both {
        let answer = node(access, "bob").await;
        assert_eq!(answer["data"]["node"], Json::Null);
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT");
        assert!(error["message"].as_str().is_some_and(|text| text.contains("ask creator or video")), "{error}");
    }
    for (access, hidden) in [(ada, "b1"), (bob, "a1"), (Access::Ingest, "bob"), (partner(&[]), "bob")] {
        assert_eq!(node(access.clone(), hidden).await.to_string(), node(access, "nothing").await.to_string());
    }
    assert_eq!(code(Access::Anonymous, &query("ada")).await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_router_finds_what_its_token_sees_and_callers_do_not_see_the_router_s_fields() {
    let entities = async |access: Access, ids: &[(&str, &str)]| {
        let list: Vec<_> = ids.iter().map(|(ty, id)| json!({"__typename": ty, "id": id})).collect();
        let query = "query($list: [_Any!]!) { _entities(representations: $list) {
            __typename ... on Creator { handle } ... on Video { title } } }";
        ask_as(Arc::new(platform()), access, query, json!({ "list": list })).await
    };
    let ada = Access::Creator(creator("ada"));
    let found =
        entities(ada.clone(), &[("Video", "a1"), ("Creator", "bob"), ("Creator", "ada"), ("Video", "bob")]).await;
    let expected = json!([
        {"__typename": "Video", "title": "Video a1"}, null,
        {"__typename": "Creator", "handle": "@ada"}, {"__typename": "Video", "title": "Video bob"},
    ]);
    assert_eq!(found["data"]["_entities"], expected, "{found}");
    let hidden = entities(ada.clone(), &[("Video", "b1")]).await;
    assert_eq!(hidden.to_string(), entities(ada.clone(), &[("Video", "b9")]).await.to_string());
    for wrong in [("Hashtag", "dance"), ("", "")] {
        let refused = entities(ada.clone(), &[wrong]).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused}");
    }
    let many: Vec<_> = (0..30_000).map(|_| ("Creator", "ada")).collect();
    assert_eq!(entities(ada, &many).await["errors"][0]["extensions"]["code"], "QUERY_TOO_COMPLEX");
    let unknown = entities(Access::Anonymous, &[("Creator", "ada")]).await;
    assert_eq!(unknown["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");

    let told = answer(
        Access::Anonymous,
        "{ _service { sdl } __schema { queryType { fields { name } } types { name } } entity: __type(name: \"_Entity\") { name } }",
    )
    .await;
    assert!(told["data"]["_service"]["sdl"].as_str().is_some_and(|sdl| sdl.contains("@key(fields: \"id\")")));
    assert_eq!(told["data"]["entity"], Json::Null);
    let schema = told["data"]["__schema"].to_string();
    assert!(schema.contains("\"node\"") && !schema.contains("\"_e") && !schema.contains("\"_s"), "{schema}");
    assert!(!schema.contains("\"_E") && !schema.contains("\"_S") && !schema.contains("\"_A"), "{schema}");
}

#[tokio::test]
async fn bad_questions_have_codes_and_public_reasons() {
    let of_ada = |inner: &str| format!("{{ creator(id: \"ada\") {{ {inner} }} }}");
    for inner in [
        "counters(range: {last: 0}) { views { value } }",
        "counters(range: {last: 5000}) { views { value } }",
        "counters(range: {last: 1, from: \"2026-01-01\", to: \"2026-01-02\"}) { views { value } }",
        "counters(range: {from: \"2026-01-01\"}) { views { value } }",
        "counters(range: {from: \"2026-01-02\", to: \"2026-01-01\"}) { views { value } }",
        "counters(range: {from: \"2026-02-30\", to: \"2026-03-01\"}) { views { value } }",
        "series(range: {from: \"2020-01-01\", to: \"2025-01-01\"}, granularity: HOUR) { date }",
        "series(range: {from: \"2026-02-30\", to: \"2026-03-01\"}, granularity: DAY) { date }",
        "audience(window: {kind: LAST_7_DAYS, date: \"2026-03-04\"}) { reach { value } }",
        "audience(window: {kind: FIRST_7_DAYS}) { reach { value } }",
        "audience(window: {kind: DAY}) { breakdown(by: AGE, first: 0) { rows { key } } }",
        "videos(first: 101) { edges { cursor } }",
        "videos(first: 1, after: \"zz\") { edges { cursor } }",
        "topVideos(range: {last: 7}, by: VIEWS, first: -1) { video { id } }",
    ] {
        assert_eq!(code(Access::Operator, &of_ada(inner)).await, "BAD_USER_INPUT", "{inner}");
    }
    assert_eq!(code(Access::Operator, "{ creator(id: \"ada\") { ").await, "GRAPHQL_PARSE_FAILED");
    for invalid in [
        "{ nothing }",
        "{ creator { id } }",
        "{ creator(id: \"ada\") }",
        "mutation { x }",
        "query A { status { version } } query B { status { version } }",
    ] {
        assert_eq!(code(Access::Operator, invalid).await, "GRAPHQL_VALIDATION_FAILED", "{invalid}");
    }
    let off_step = answer(
        Access::Operator,
        &of_ada("audience(window: {kind: LAST_7_DAYS, date: \"2026-03-04\"}) { reach { value } }"),
    )
    .await;
    let message = off_step["errors"][0]["message"].as_str().expect("message");
    assert!(message.contains("2026-03-01 and 2026-03-08"), "{message}");
}

#[tokio::test]
async fn costly_documents_are_refused_at_once() {
    let mut bomb = "{ ...F0 }".to_owned();
    for n in 0..60 {
        bomb += &format!("fragment F{n} on Query {{ ...F{} ...F{} }}", n + 1, n + 1);
    }
    bomb += "fragment F60 on Query { __typename }";
    // 2^60 steps, should anything walk them.
    assert_eq!(code(Access::Anonymous, &bomb).await, "QUERY_TOO_COMPLEX");
    assert_eq!(code(Access::Anonymous, &"{".repeat(50_000)).await, "QUERY_TOO_COMPLEX");
    let wide = "{ creators(first: 100) { edges { node { videos(first: 100) { edges { node { counters(range: {last: 1}) { views { value } } } } } } } } }";
    let refused = &answer(Access::Operator, wide).await["errors"][0];
    let told = &refused["extensions"];
    assert_eq!((&told["code"], &told["limit"]), (&json!("QUERY_TOO_COMPLEX"), &json!(50_000)));
    assert!(told["requested"].as_u64().is_some_and(|points| points > 100 * 100 * 25), "{refused}");
    let words = format!("costs {} points, and one may cost 50000", told["requested"]);
    assert!(refused["message"].as_str().is_some_and(|text| text.contains(&words)), "{refused}");
    let long = "{ creator(id: \"ada\") { series(range: {last: 3660}, granularity: DAY) { counters { views { value disclosure previous change } likes { value disclosure previous change } shares { value disclosure previous change } } } } }";
    assert_eq!(code(Access::Operator, long).await, "QUERY_TOO_COMPLEX");
}

#[tokio::test]
async fn introspection_passes_the_limits() {
    // The shape of GraphiQL's own query: types nine levels deep.
    let of_type = "ofType { kind name ".repeat(9) + &"}".repeat(9);
    let query = format!(
        "query IntrospectionQuery {{ __schema {{ queryType {{ name }} types {{ ...FullType }} directives {{ name description locations args {{ ...InputValue }} }} }} }}
        fragment FullType on __Type {{ kind name description specifiedByURL
          fields(includeDeprecated: true) {{ name description args {{ ...InputValue }} type {{ ...TypeRef }} isDeprecated deprecationReason }}
          inputFields {{ ...InputValue }} interfaces {{ ...TypeRef }}
          enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }} possibleTypes {{ ...TypeRef }} }}
        fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue }}
        fragment TypeRef on __Type {{ kind name {of_type} }}"
    );
    let schema = answer(Access::Anonymous, &query).await;
    assert_eq!(schema.get("errors"), None, "{schema}");
    assert!(schema["data"]["__schema"]["types"].as_array().is_some_and(|types| types.len() > 30));
}

#[tokio::test]
async fn limits_can_be_lowered_and_each_says_which_it_is() {
    let refusal = async |limits: Limits, query: &str| {
        let schema = schema_within(limits, Protection::Threshold, Arc::new(platform()));
        let response = execute(&schema, Request::new(query), Access::Operator).await;
        let answer = serde_json::to_value(&response).expect("json");
        let error = &answer["errors"][0];
        [&error["extensions"]["code"], &error["message"]].map(|text| text.as_str().unwrap_or_default().to_owned())
    };
    let usual = Limits::default;
    let query = "{ a: status { version @skip(if: false) } privacy { version } }";
    for (limits, message) in [
        (Limits { bytes_max: 20, ..usual() }, "longer than 20 bytes"),
        (Limits { tokens_max: 9, ..usual() }, "more than 9 tokens"),
        (Limits { depth_max: 1, ..usual() }, "nested more than 1 deep"),
        (Limits { fields_max: 3, ..usual() }, "more than 3 fields"),
        (Limits { aliases_max: 0, ..usual() }, "more than 0 aliases"),
        (Limits { directives_max: 0, ..usual() }, "more than 0 directives"),
        (Limits { complexity_max: 3, ..usual() }, "costs 4 points, and one may cost 3"),
    ] {
        let [code, text] = refusal(limits, query).await;
        assert!(code == "QUERY_TOO_COMPLEX" && text.contains(message), "{code}: {text}");
    }
    let [code, _] = refusal(Limits { time_max: Duration::ZERO, ..usual() }, query).await;
    assert_eq!(code, "TIMEOUT");
    assert_eq!(refusal(usual(), query).await, ["", ""]);
}

/// Validation is skipped for what was found valid before; nobody may be able to tell.
#[tokio::test]
async fn a_document_that_was_asked_before_answers_as_a_new_one() {
    let schema = schema_under(Protection::Threshold, Arc::new(platform()));
    let ask = async |document: &Document, name: Option<&str>, variables: &Json| {
        let mut request = Request::new("").variables(Variables::from_json(variables.clone()));
        request.operation_name = name.map(str::to_owned);
        let mut answer = execute_document(&schema, document, request, Access::Operator).await;
        // The library walks operations in no order.
        answer.response.errors.sort_by_key(|error| error.locations.first().copied());
        serde_json::from_slice::<Json>(&to_json(&answer.response).expect("json")).expect("json")
    };
    let texts = [
        "query A($id: ID!, $last: Int, $with: Boolean = false) {
           creator(id: $id) { handle counters(range: {last: $last}) @include(if: $with) { views { value } } } }
         query B($id: ID!) { video(id: $id) { title } }",
        "query A($id: ID!, $range: DateRangeInput!) { creator(id: $id) { counters(range: $range) { views { value } } } }",
        "query A($id: ID!, $tag: String!) { video(id: $id) { title } hashtag(name: $tag) { name } }",
        "query A($id: ID!, $by: Granularity!) { creator(id: $id) { series(range: {last: 7}, granularity: $by) { start } } }",
        "query A($ids: [ID!]!) { creator(id: $ids) { handle } }",
    ];
    let usual = json!({"id": "ada", "last": 7, "with": true, "tag": "dance", "range": {"last": 7}, "ids": ["ada"], "by": "DAY"});
    let values = json!([null, 7, 7.5, "bob", "", true, ["ada"], {"last": 28}, {"last": "7"}, {"more": 7}]);
    // One at a time is another, so that all else is as it was when it was found valid.
    let mut variables = vec![usual.clone(), json!({})];
    for name in usual.as_object().into_iter().flat_map(|usual| usual.keys()) {
        for value in values.as_array().into_iter().flatten() {
            variables.push(usual.clone());
            variables.last_mut().expect("pushed")[name] = value.clone();
        }
    }
    let mut answered = 0;
    for text in texts {
        let known = schema.parse(text).expect("within the limits");
        for _ in 0..2 {
            for (variables, name) in variables
                .iter()
                .flat_map(|variables| [None, Some("A"), Some("B"), Some("C")].map(|name| (variables, name)))
            {
                let new = schema.parse(text).expect("within the limits");
                let answer = ask(&known, name, variables).await;
                assert_eq!(answer, ask(&new, name, variables).await, "{text} {name:?} {variables}");
                answered += usize::from(answer.get("errors").is_none());
            }
        }
    }
    // Else nothing would have been taken for valid.
    assert!(answered > 40, "{answered}");
}

#[test]
fn a_document_knows_its_operations() {
    let schema = schema_under(Protection::Threshold, Arc::new(platform()));
    let kind = |query: &str, name| schema.parse(query).map(|document| document.kind(name)).ok().flatten();
    assert_eq!(kind("{ status { version } }", None), Some(OperationKind::Query));
    assert_eq!(kind("mutation { x }", None), Some(OperationKind::Mutation));
    let two = "query A { status { version } } subscription B { x }";
    assert_eq!((kind(two, None), kind(two, Some("C"))), (None, None));
    assert_eq!(kind(two, Some("B")), Some(OperationKind::Subscription));
}

/// What the schema publishes is what is charged.
#[test]
fn published_costs_are_the_ones_that_are_counted() {
    let schema = schema_under(Protection::Threshold, Arc::new(platform()));
    let price = |inner: &str| {
        let document = schema.parse(inner).expect("within the limits");
        schema.price(document, Request::new("")).expect("valid").cost()
    };
    let days = "range: {from: \"2026-03-01\", to: \"2026-03-10\"}";
    let of_ada = |inner: &str| format!("{{ creator(id: \"ada\") {{ {inner} }} }}");
    let of_video = |inner: &str| format!("{{ video(id: \"v\") {{ {inner} }} }}");
    let of_tag = |inner: &str| format!("{{ hashtag(name: \"v\") {{ {inner} }} }}");
    let of_day = |inner: &str| of_ada(&format!("audience(window: {{kind: DAY}}) {{ {inner} }}"));
    let cells = "cell: measure { value }";
    for (query, cost) in [
        ("{ __typename }".to_owned(), 1),
        ("{ creators(first: 7) { edges { node { id } } } }".to_owned(), 1 + 7 * 3),
        (of_ada("videos(first: 7) { edges { cursor } }"), 1 + 1 + 7 * 2),
        (of_ada(&format!("topVideos({days}, by: VIEWS, first: 7) {{ video {{ id }} }}")), 1 + 100 + 7 * 2),
        (of_ada(&format!("counters({days}) {{ views {{ value }} }}")), 1 + 25 + 2),
        (of_video(&format!("counters({days}) {{ views {{ value }} }}")), 1 + 25 + 2),
        (of_tag(&format!("counters({days}) {{ views {{ value }} }}")), 1 + 25 + 2),
        (of_ada(&format!("series({days}, granularity: DAY) {{ date start }}")), 1 + 50 + 10 * 2),
        (of_video(&format!("series({days}, granularity: DAY) {{ date start }}")), 1 + 50 + 10 * 2),
        (of_tag(&format!("series({days}, granularity: DAY) {{ date start }}")), 1 + 50 + 10 * 2),
        (of_ada(&format!("... on Measured {{ series({days}, granularity: DAY) {{ date start }} }}")), 1 + 50 + 10 * 2),
        (
            format!(
                "{{ creator(id: \"ada\") {{ ...A }} }} fragment A on Creator {{ ...B handle }}
                 fragment B on Measured {{ series({days}, granularity: DAY) {{ date start }} x: __typename }}"
            ),
            1 + 50 + 10 * 2 + 1,
        ),
        (
            format!(
                "{{ node(id: \"ada\") {{ ... on Measured {{ series({days}, granularity: DAY) {{ date start }} }} }} }}"
            ),
            1 + 50 + 10 * 2,
        ),
        (of_video("audience(window: {kind: DAY}) { reach { value } }"), 1 + 200 + 2),
        (of_tag("audience(window: {kind: DAY}) { reach { value } }"), 1 + 200 + 2),
        (of_ada(&format!("audiences(kind: DAY, {days}) {{ reach {{ value }} }}")), 1 + 200 + 10 * 2),
        (of_video(&format!("audiences(kind: DAY, {days}) {{ reach {{ value }} }}")), 1 + 200 + 10 * 2),
        (of_tag(&format!("audiences(kind: MONTH, {days}) {{ reach {{ value }} }}")), 1 + 200 + 2 * 2),
        (format!("{{ platform {{ audiences(kind: DAY, {days}) {{ reach {{ value }} }} }} }}"), 1 + 200 + 10 * 2),
        (format!("{{ platform {{ counters({days}) {{ views {{ value }} }} }} }}"), 1 + 25 + 2),
        (format!("{{ platform {{ series({days}, granularity: DAY) {{ date start }} }} }}"), 1 + 50 + 10 * 2),
        ("{ platform { audience(window: {kind: DAY}) { reach { value } } } }".to_owned(), 1 + 200 + 2),
        ("{ overlap(creators: [], window: {kind: DAY}) { reach { value } } }".to_owned(), 600 + 2),
        (of_day("breakdown(by: AGE, first: 7) { rows { key } }"), 201 + 1 + 7 * 2),
        (of_day("breakdown(by: AGE) { rows { key } }"), 201 + 1 + 100 * 2),
        (of_day(&format!("ageGender {{ {cells} }}")), 201 + 1 + 32 * 2),
        (of_day(&format!("activeHours {{ {cells} }}")), 201 + 1 + 168 * 2),
        (of_day("retention { share }"), 201 + 1 + 100),
        (of_day("funnel { stage }"), 201 + 1 + 4),
    ] {
        assert_eq!(price(&query), cost, "{query}");
    }
}

/// A partner of ada, as far as these scopes go.
fn scoped(scopes: Scopes) -> Access {
    Access::Partner(vec![Grant { creator: creator("ada"), scopes }])
}

const VIEWS: &str = "counters(range: {last: 28}) { views { value disclosure } }";
const REACH: &str = "audience(window: {kind: LAST_28_DAYS}) { reach { value disclosure } }";

/// Selections on a channel, each with what it needs.
fn selections() -> Vec<(String, Scopes)> {
    let of_videos = |inner: &str| format!("videos(first: 3) {{ edges {{ cursor node {{ {inner} }} }} }}");
    let best = |inner: &str| {
        format!("topVideos(range: {{last: 28}}, by: VIEWS, first: 3) {{ value {{ value }} video {{ {inner} }} }}")
    };
    vec![
        ("id handle timeZone __typename".to_owned(), Scopes::FACTS),
        (of_videos("id title creator { handle }"), Scopes::FACTS),
        (VIEWS.to_owned(), Scopes::COUNTERS),
        (format!("renamed: {VIEWS}"), Scopes::COUNTERS),
        ("series(range: {last: 7}, granularity: DAY) { date }".to_owned(), Scopes::COUNTERS),
        (best("id"), Scopes::COUNTERS),
        (of_videos(VIEWS), Scopes::COUNTERS),
        (of_videos(&format!("creator {{ {VIEWS} }}")), Scopes::COUNTERS),
        (REACH.to_owned(), Scopes::INSIGHTS),
        (format!("... on Measured {{ {REACH} }}"), Scopes::INSIGHTS),
        (format!("... {{ ... on Creator {{ {REACH} }} }}"), Scopes::INSIGHTS),
        (of_videos(REACH), Scopes::INSIGHTS),
        ("audiences(kind: DAY, range: {last: 7}) { reach { value } }".to_owned(), Scopes::INSIGHTS),
        (format!("{VIEWS} {REACH}"), Scopes::ALL),
        (best(REACH), Scopes::ALL),
        (VIEWS.replace(") {", ") @skip(if: true) {") + " id", Scopes::FACTS),
        (REACH.replace(") {", ") @include(if: false) {") + VIEWS, Scopes::COUNTERS),
        (format!("... @include(if: false) {{ {REACH} }} id"), Scopes::FACTS),
    ]
}

#[tokio::test]
async fn what_was_not_granted_answers_as_if_the_channel_did_not_exist() {
    let schema = schema_under(Protection::Threshold, Arc::new(platform()));
    let answer = async |access: Access, query: &str| {
        serde_json::to_value(execute(&schema, Request::new(query), access).await).expect("json")
    };
    for (inner, needs) in selections() {
        for scopes in [Scopes::FACTS, Scopes::COUNTERS, Scopes::INSIGHTS, Scopes::ALL] {
            let sees = scopes.contains(needs);
            let ask = async |query: String| answer(scoped(scopes), &query).await;
            let of = |id: &str| format!("{{ creator(id: \"{id}\") {{ {inner} }} }}");
            let seen = ask(of("ada")).await;
            let expected = if sees { of("ada") } else { of("nobody") };
            let twin = answer(if sees { Access::Operator } else { scoped(scopes) }, &expected).await;
            assert_eq!(seen.to_string(), twin.to_string(), "{inner} under {scopes:?}");
            assert_eq!(!seen["data"]["creator"].is_null(), sees, "{inner} under {scopes:?}: {seen}");
            let node = |id: &str| format!("{{ node(id: \"{id}\") {{ ... on Creator {{ {inner} }} }} }}");
            assert_eq!(ask(node("ada")).await["data"]["node"].is_null(), !sees, "{inner} under {scopes:?}");
            // A fragment by name, and a connection.
            let spread =
                |id: &str| format!("{{ creator(id: \"{id}\") {{ ...F }} }} fragment F on Creator {{ {inner} }}");
            assert_eq!(ask(spread("ada")).await, seen, "{inner}");
            let list =
                format!("{{ creators(first: 9) {{ pageInfo {{ hasNextPage }} edges {{ node {{ {inner} }} }} }} }}");
            let list = ask(list).await;
            let count = list["data"]["creators"]["edges"].as_array().map(Vec::len);
            assert_eq!(
                (count, list.get("errors")),
                (Some(usize::from(sees)), None),
                "{inner} under {scopes:?}: {list}"
            );
        }
    }
}

#[tokio::test]
async fn a_page_is_cut_among_the_channels_of_which_all_that_is_asked_was_granted() {
    let grant = |id: &str, scopes| Grant { creator: creator(id), scopes };
    let partner = Access::Partner(vec![grant("ada", Scopes::COUNTERS), grant("bob", Scopes::ALL)]);
    let page = async |inner: &str| {
        let query =
            format!("{{ creators(first: 1) {{ pageInfo {{ hasNextPage }} edges {{ node {{ id {inner} }} }} }} }}");
        let page = answer(partner.clone(), &query).await["data"]["creators"].clone();
        (page["edges"][0]["node"]["id"].clone(), page["pageInfo"]["hasNextPage"].clone())
    };
    assert_eq!(page("").await, (json!("ada"), json!(true)));
    assert_eq!(page(VIEWS).await, (json!("ada"), json!(true)));
    assert_eq!(page(REACH).await, (json!("bob"), json!(false)));
}

#[tokio::test]
async fn videos_nodes_and_a_router_s_entities_keep_to_the_scopes_of_their_channel() {
    for (inner, needs) in [("title", Scopes::FACTS), (VIEWS, Scopes::COUNTERS), (REACH, Scopes::INSIGHTS)] {
        for scopes in [Scopes::FACTS, Scopes::COUNTERS, Scopes::INSIGHTS] {
            let sees = scopes.contains(needs);
            let ask = async |query: String| answer(scoped(scopes), &query).await["data"].clone();
            let video = |id: &str| format!("{{ video(id: \"{id}\") {{ {inner} }} }}");
            assert_eq!(ask(video("a1")).await["video"].is_null(), !sees, "{inner} under {scopes:?}");
            assert!(ask(video("b1")).await["video"].is_null() && ask(video("b9")).await["video"].is_null());
            let through = format!(
                "{{ video(id: \"a1\") {{ creator {{ id {} }} }} }}",
                if needs == Scopes::FACTS { "" } else { inner }
            );
            assert_eq!(ask(through).await["video"].is_null(), !sees, "{inner} under {scopes:?}");
            // What is asked of channels alone says nothing of a video.
            let node = format!("{{ node(id: \"a1\") {{ ... on Creator {{ {REACH} }} ... on Video {{ {inner} }} }} }}");
            assert_eq!(ask(node).await["node"].is_null(), !sees, "{inner} under {scopes:?}");
            let query = format!(
                "query($list: [_Any!]!) {{ _entities(representations: $list) {{ ... on Video {{ {inner} }} ... on Creator {{ id }} }} }}"
            );
            let list = json!({"list": [{"__typename": "Video", "id": "a1"}, {"__typename": "Creator", "id": "ada"}]});
            let found = ask_as(Arc::new(platform()), scoped(scopes), &query, list).await;
            assert_eq!(found["data"]["_entities"][0].is_null(), !sees, "{inner} under {scopes:?}");
            assert_eq!(found["data"]["_entities"][1], json!({"id": "ada"}));
        }
    }
}

#[tokio::test]
async fn a_subscription_needs_the_counters() {
    let query = |id: &str| format!("subscription {{ counters(video: \"{id}\") {{ views {{ disclosure }} }} }}");
    let missing = answer(scoped(Scopes::ALL), &query("b9")).await;
    assert_eq!(missing["errors"][0]["extensions"]["code"], "NOT_FOUND");
    assert_eq!(answer(scoped(Scopes::INSIGHTS), &query("a1")).await, missing);
    assert!(answer(scoped(Scopes::COUNTERS), &query("a1")).await["data"]["counters"].is_object());
}

/// Three of ada's and bob's videos with a hundred viewers a day for a week, and one of them with many more on a day.
fn rising() -> Platform {
    let mut events = Vec::new();
    for day in 22..=28 {
        for video in ["a1", "a2", "b1"] {
            events.extend((0..100).map(|viewer| view(viewer, video, &format!("2026-02-{day}"))));
        }
    }
    for (video, viewers) in [("a1", 300), ("a2", 100), ("b1", 200)] {
        events.extend((0..viewers).map(|viewer| view(viewer, video, "2026-03-08")));
    }
    for day in 1..=7 {
        for video in ["a1", "a2", "b1"] {
            events.extend((0..100).map(|viewer| view(viewer, video, &format!("2026-03-0{day}"))));
        }
    }
    Platform::new(events)
}

const TRENDING: &str =
    "query($kind: TrendKind!, $date: Date, $first: Int! = 10) { trending(kind: $kind, date: $date, first: $first) {
    hashtag { name } sound video { id } peak views { value disclosure } expected score creators } }";

async fn trending(platform: Platform, access: Access, variables: Json) -> Json {
    let answer = ask_as(Arc::new(platform), access, TRENDING, variables).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    answer["data"]["trending"].clone()
}

#[tokio::test]
async fn trends_are_held_against_the_week_before() {
    let trend = |views: f64, expected: f64, score: f64, creators: i32| {
        json!({"hashtag": null, "sound": null, "video": null, "peak": "2026-03-08", "expected": expected, "score": score,
               "views": {"value": views, "disclosure": "EXACT"}, "creators": creators})
    };
    let of = |kind: &'static str| trending(rising(), Access::Operator, json!({"kind": kind}));
    // One channel alone makes no trend, so `ada` is none.
    let mut dance = trend(600.0, 300.0, 300.0, 2);
    dance["hashtag"] = json!({"name": "dance"});
    assert_eq!(of("HASHTAG").await, json!([dance]));
    let mut rain = trend(500.0, 200.0, 450.0, 2);
    rain["sound"] = json!("rain");
    assert_eq!(of("SOUND").await, json!([rain]));
    let mut videos = [trend(300.0, 100.0, 400.0, 1), trend(200.0, 100.0, 100.0, 1)];
    videos.iter_mut().zip(["a1", "b1"]).for_each(|(trend, id)| trend["video"] = json!({"id": id}));
    assert_eq!(of("VIDEO").await, json!(videos));
    let first = trending(rising(), Access::Operator, json!({"kind": "VIDEO", "first": 1})).await;
    assert_eq!(first, json!(videos[..1]));
}

#[tokio::test]
async fn trending_videos_are_those_that_the_token_may_see() {
    let ids = async |access: Access| {
        let found = trending(rising(), access, json!({"kind": "VIDEO"})).await;
        let trends = found.as_array().expect("a list").clone();
        trends.iter().map(|trend| trend["video"]["id"].as_str().expect("id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(Access::Operator).await, ["a1", "b1"]);
    assert_eq!(ids(Access::Creator(creator("bob"))).await, ["b1"]);
    assert_eq!(ids(partner(&["ada"])).await, ["a1"]);
    assert_eq!(ids(scoped(Scopes::COUNTERS)).await, ["a1"]);
    for blind in [partner(&["nobody"]), scoped(Scopes::FACTS), scoped(Scopes::INSIGHTS), Access::Ingest] {
        assert!(ids(blind).await.is_empty());
    }
    // What is selected below counts too.
    let query = "{ trending(kind: VIDEO, first: 5) { video { audience(window: {kind: DAY}) { reach { value } } } } }";
    let ask = async |scopes| ask_as(Arc::new(rising()), scoped(scopes), query, Json::Null).await["data"].clone();
    assert_eq!(ask(Scopes::COUNTERS).await, json!({"trending": []}));
    assert_eq!(ask(Scopes::ALL).await["trending"][0]["video"]["audience"]["reach"]["value"], 300.0);
}

#[tokio::test]
async fn every_reader_sees_the_same_hashtags_and_sounds_trend() {
    for kind in ["HASHTAG", "SOUND"] {
        let all = trending(rising(), Access::Operator, json!({"kind": kind})).await;
        assert_eq!(all.as_array().map(Vec::len), Some(1));
        for access in [Access::Creator(creator("bob")), partner(&["nobody"]), scoped(Scopes::FACTS)] {
            assert_eq!(trending(rising(), access, json!({"kind": kind})).await, all);
        }
        assert_eq!(trending(rising(), Access::Ingest, json!({"kind": kind})).await, json!([]));
    }
    let query = "{ trending(kind: SOUND, first: 1) { sound } }";
    assert_eq!(code(Access::Anonymous, query).await, "UNAUTHENTICATED");
    for first in ["0", "101", "-1"] {
        assert_eq!(code(Access::Operator, &query.replace('1', first)).await, "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn what_is_withheld_or_not_sealed_does_not_trend() {
    let kinds = ["HASHTAG", "SOUND", "VIDEO"];
    // All of it on one day, by one viewer less than the floor, often: as if it had not happened.
    let quiet = || Platform::new((0..200).map(|viewer| view(viewer, "a1", "2026-02-22")).collect());
    let loud = || {
        let mut platform = quiet();
        let again =
            (0..40).flat_map(|_| (0..49).flat_map(|viewer| ["a1", "b1"].map(|id| view(viewer, id, "2026-03-07"))));
        platform.events.extend(again);
        platform
    };
    for kind in kinds {
        let shown = trending(loud(), Access::Operator, json!({"kind": kind})).await;
        assert_eq!(shown, trending(quiet(), Access::Operator, json!({"kind": kind})).await, "{kind}");
        let mut seen_by_one_more = loud();
        seen_by_one_more.events.push(view(49, "a1", "2026-03-07"));
        assert_ne!(trending(seen_by_one_more, Access::Operator, json!({"kind": kind})).await, shown, "{kind}");
    }
    let on = |date: &'static str| trending(rising(), Access::Operator, json!({"kind": "SOUND", "date": date}));
    assert_eq!(on("2026-03-07").await, json!([]), "before the rise");
    assert_eq!(on("2026-03-08").await.as_array().map(Vec::len), Some(1));
    for unsealed in ["2026-03-09", "2030-01-01"] {
        let query = format!("{{ trending(kind: SOUND, date: \"{unsealed}\", first: 1) {{ sound }} }}");
        assert_eq!(code(Access::Operator, &query).await, "BAD_USER_INPUT");
    }
    // The rise is on the first open day.
    for kind in kinds {
        let mut open = rising();
        open.sealed_through = open.sealed_through.map(|day| day.previous());
        assert_eq!(trending(open, Access::Operator, json!({"kind": kind})).await, json!([]), "{kind}");
        let mut never = rising();
        never.sealed_through = None;
        assert_eq!(trending(never, Access::Operator, json!({"kind": kind})).await, json!([]), "{kind}");
    }
}
