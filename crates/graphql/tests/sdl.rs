//! The schema as a text: the committed copy, and what every field of it must promise (P0).
#![allow(clippy::expect_used, clippy::panic, reason = "a surprise should stop the test")]

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, ConstDirective, FieldDefinition, ServiceDocument, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
};

/// Numbers that count neither events nor viewers: facts of the catalogue, places in fixed lists, the policy
/// itself, and what the caller may still ask.
const CATALOGUE_NUMBERS: [&str; 21] = [
    "Video.duration",
    "Trend.creators",
    "ActiveHour.hour",
    "RetentionPoint.position",
    "PrivacyPolicy.audienceMin",
    "PrivacyPolicy.audienceMinFloor",
    "PrivacyPolicy.rollingStepDays",
    "PrivacyPolicy.rho",
    "PrivacyPolicy.epsilon",
    "PrivacyPolicy.delta",
    "PrivacyPolicy.generation",
    "Generation.number",
    "NoiseLevel.windowsPerDay",
    "NoiseLevel.sensitivitySquared",
    "NoiseLevel.rho",
    "NoiseLevel.sigma",
    "NoiseLevel.shownFrom",
    "RateLimit.limit",
    "RateLimit.remaining",
    "RateLimit.restoreRate",
    "RateLimit.cost",
];

/// Types whose every number or measure has passed the gate.
const AGGREGATES: [&str; 14] = [
    "Measure",
    "Counters",
    "SeriesPoint",
    "RankedVideo",
    "Audience",
    "Breakdown",
    "BreakdownRow",
    "AgeGenderCell",
    "ActiveHour",
    "RetentionPoint",
    "FunnelStage",
    "Overlap",
    "OverlapShare",
    "Trend",
];

#[test]
fn the_committed_schema_is_the_generated_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schema/schema.graphql");
    let sdl = throng_graphql::sdl();
    if std::env::var_os("THRONG_BLESS").is_some() {
        std::fs::write(path, &sdl).expect("writable");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == sdl,
        "schema/schema.graphql is not what the code generates. If the change is meant, write it anew with \
         `THRONG_BLESS=1 cargo test -p throng-graphql --test sdl` and commit it."
    );
}

fn document() -> ServiceDocument {
    parse_schema(throng_graphql::sdl()).expect("sdl")
}

fn types(document: &ServiceDocument) -> BTreeMap<&str, &TypeDefinition> {
    let named = document.definitions.iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(ty) => Some((ty.node.name.node.as_str(), &ty.node)),
        _ => None,
    });
    named.collect()
}

fn fields(ty: &TypeDefinition) -> &[Positioned<FieldDefinition>] {
    match &ty.kind {
        TypeKind::Object(object) => &object.fields,
        TypeKind::Interface(interface) => &interface.fields,
        _ => &[],
    }
}

fn name_of(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => name_of(inner),
    }
}

fn aggregate(field: &FieldDefinition) -> Option<(String, String)> {
    let directive: &ConstDirective =
        field.directives.iter().map(|each| &each.node).find(|each| each.name.node == "aggregate")?;
    let argument = |name: &str| directive.get_argument(name).map(|value| value.node.to_string());
    Some((argument("class")?, argument("minAudience")?))
}

/// Every type that a query or a subscription can reach, with its fields.
fn reachable<'a>(types: &BTreeMap<&'a str, &'a TypeDefinition>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut todo = vec!["Query", "Subscription", "Measured"];
    while let Some(name) = todo.pop() {
        let Some((&name, ty)) = types.get_key_value(name) else { continue };
        if seen.insert(name) {
            todo.extend(fields(ty).iter().map(|field| name_of(&field.node.ty.node)));
        }
    }
    seen
}

#[test]
fn every_number_is_a_fact_or_has_passed_the_gate() {
    let document = document();
    let types = types(&document);
    let mut checked = 0;
    let mut facts = BTreeSet::new();
    for owner in reachable(&types) {
        for field in fields(types[owner]) {
            let (field, path) = (&field.node, format!("{owner}.{}", field.node.name.node));
            let returned = name_of(&field.ty.node);
            if matches!(returned, "Int" | "Float") {
                checked += 1;
                if CATALOGUE_NUMBERS.contains(&path.as_str()) {
                    facts.insert(path.clone());
                } else if owner != "Measure" {
                    assert!(aggregate(field).is_some(), "{path} is a number without @aggregate");
                }
            }
            if AGGREGATES.contains(&returned) {
                checked += 1;
                let (class, min) =
                    aggregate(field).unwrap_or_else(|| panic!("{path} returns {returned} without @aggregate"));
                assert!(matches!(class.as_str(), "PUBLIC" | "INSIGHT"), "{path}: {class}");
                assert_eq!(min, "10", "{path}");
            }
        }
    }
    assert!(checked > 50, "the walk found only {checked} fields");
    assert_eq!(facts.len(), CATALOGUE_NUMBERS.len(), "the allow-list names fields that are not there");
}

#[test]
fn every_type_with_a_measure_is_an_aggregate() {
    // So that a new shape cannot be returned without @aggregate.
    let document = document();
    for (name, ty) in types(&document) {
        let holds = fields(ty).iter().any(|field| name_of(&field.node.ty.node) == "Measure");
        assert!(!holds || AGGREGATES.contains(&name), "{name} holds measures");
    }
}

#[test]
fn nothing_is_keyed_by_a_viewer() {
    let document = document();
    let numbers = ["newViewers", "returningViewers"];
    for (owner, ty) in types(&document) {
        let names_of_inputs = match &ty.kind {
            TypeKind::InputObject(input) => input.fields.iter().map(|field| field.node.name.node.to_string()).collect(),
            _ => Vec::new(),
        };
        let arguments = fields(ty)
            .iter()
            .flat_map(|field| &field.node.arguments)
            .map(|argument| argument.node.name.node.to_string());
        let own = fields(ty).iter().map(|field| field.node.name.node.to_string());
        for name in names_of_inputs.into_iter().chain(arguments).chain(own).chain([owner.to_owned()]) {
            let lower = name.to_lowercase();
            let suspicious = ["viewer", "user", "person", "email", "device_id", "ip"];
            let found = suspicious.iter().any(|word| if *word == "ip" { lower == "ip" } else { lower.contains(word) });
            assert!(!found || numbers.contains(&name.as_str()), "{owner}: {name}");
        }
    }
}

#[test]
fn everything_has_a_description() {
    let document = document();
    let missing = |path: String, description: &Option<Positioned<String>>| {
        let text = description.as_ref().map_or("", |text| text.node.as_str());
        assert!(text.len() > 3, "{path} has no description");
    };
    for (name, ty) in types(&document) {
        if matches!(name, "Int" | "Float" | "String" | "Boolean" | "ID") {
            continue;
        }
        missing(name.to_owned(), &ty.description);
        for field in fields(ty) {
            missing(format!("{name}.{}", field.node.name.node), &field.node.description);
            for argument in &field.node.arguments {
                let path = format!("{name}.{}({})", field.node.name.node, argument.node.name.node);
                missing(path, &argument.node.description);
            }
        }
        match &ty.kind {
            TypeKind::Enum(all) => {
                for value in &all.values {
                    missing(format!("{name}.{}", value.node.value.node), &value.node.description);
                }
            }
            TypeKind::InputObject(input) => {
                for field in &input.fields {
                    missing(format!("{name}.{}", field.node.name.node), &field.node.description);
                }
            }
            _ => {}
        }
    }
}
