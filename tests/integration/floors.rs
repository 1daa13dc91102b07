//! The table of floors: each crate imports downward only, and three libraries are named in one place each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which of our crates each may import; `docs/ARCHITECTURE.md` says why.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("throng-model", &[]),
    ("throng-privacy", &["throng-model"]),
    ("throng-store", &["throng-model"]),
    ("throng-query", &["throng-store", "throng-privacy", "throng-model"]),
    ("throng-recommend", &["throng-privacy", "throng-model"]),
    ("throng-graphql", &["throng-recommend", "throng-privacy", "throng-model"]),
    ("throng-attack", &["throng-query", "throng-recommend", "throng-store", "throng-privacy", "throng-model"]),
    (
        "throng-server",
        &["throng-attack", "throng-graphql", "throng-query", "throng-store", "throng-privacy", "throng-model"],
    ),
    ("throng", &["throng-server"]),
    ("throng-noise-oracle", &[]), // tests only
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn packages() -> Vec<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline", "--locked"];
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn name(value: &Value) -> &str {
    value["name"].as_str().expect("a name")
}

/// Dependencies that end up in the product: neither those of tests nor those of build scripts.
fn imports(package: &Value) -> BTreeSet<&str> {
    let dependencies = package["dependencies"].as_array().expect("dependencies");
    dependencies.iter().filter(|dependency| dependency["kind"].is_null()).map(name).collect()
}

#[test]
fn each_crate_imports_only_what_its_floor_may() {
    let packages = packages();
    let allowed: BTreeMap<_, BTreeSet<_>> =
        MAY_IMPORT.iter().map(|(name, may)| (*name, may.iter().copied().collect())).collect();
    let known: BTreeSet<_> = packages.iter().map(name).collect();
    assert_eq!(known, allowed.keys().copied().collect(), "every crate has its line in the table");
    for package in &packages {
        let ours: BTreeSet<_> = imports(package).into_iter().filter(|import| known.contains(import)).collect();
        let forbidden: Vec<_> = ours.difference(&allowed[name(package)]).collect();
        assert!(forbidden.is_empty(), "{} may not import {forbidden:?}", name(package));
    }
}

#[test]
fn three_libraries_are_the_business_of_one_crate_each() {
    for package in &packages() {
        for (library, owner) in
            [("sled", "throng-store"), ("async-graphql", "throng-graphql"), ("actix-web", "throng-server")]
        {
            let imported = imports(package).contains(library);
            assert_eq!(imported, name(package) == owner, "{library} in {}", name(package));
        }
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        let skipped = ["node_modules", "target"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !skipped {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Files of `crates/` that use a library in code, relative to the root.
fn users(library: &str) -> BTreeSet<String> {
    let uses = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        code.match_indices(&format!("{library}::"))
            .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    let all = sources(&root().join("crates"));
    let using = all.iter().filter(|path| std::fs::read_to_string(path).expect("readable").lines().any(uses));
    using.map(|path| path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/")).collect()
}

#[test]
fn only_one_file_names_the_key_value_store() {
    assert_eq!(users("sled"), BTreeSet::from(["crates/store/src/kv.rs".to_owned()]));
}

#[test]
fn only_the_schema_names_its_library_and_only_http_names_its_own() {
    let graphql = users("async_graphql");
    assert!(!graphql.is_empty() && graphql.iter().all(|path| path.starts_with("crates/graphql/")), "{graphql:?}");
    let actix = users("actix_web");
    assert!(!actix.is_empty() && actix.iter().all(|path| path.starts_with("crates/server/src/http/")), "{actix:?}");
}
