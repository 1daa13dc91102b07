//! What this crate offers, as a list: an item that hands a count out beside the gate cannot slip in unseen.

#![allow(clippy::expect_used, reason = "tests")]

use std::path::Path;

/// Every public item and every trait of a public type. Whoever adds one says in the commit why it gives no count away:
/// sums and sets leave only as `Raw`, which `throng-privacy` alone can open.
const PUBLIC: [&str; 7] = [
    "engine.rs: impl Source for Engine {",
    "engine.rs: pub fn new(store: Store) -> Self {",
    "engine.rs: pub fn with_plan(store: Store, plan: Plan) -> Self {",
    "engine.rs: pub struct Engine {",
    "lib.rs: pub use engine::Engine;",
    "lib.rs: pub use plan::Plan;",
    "plan.rs: pub enum Plan {",
];

#[test]
fn nothing_is_public_but_what_is_listed() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&source).expect("the crate's sources") {
        let path = entry.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("sources are files of text");
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        for line in text.lines().map(str::trim) {
            let of_public_type =
                line.starts_with("impl") && [" for Engine", " for Plan"].iter().any(|it| line.contains(it));
            if line.starts_with("pub ") || of_public_type || line.contains("#[macro_export]") {
                found.push(format!("{name}: {line}"));
            }
        }
    }
    found.sort();
    assert_eq!(found, PUBLIC);
}

#[test]
fn the_engine_derives_nothing() {
    // A derived `Debug` would not show counts today, but it would be a way round the list above.
    let engine = include_str!("../src/engine.rs");
    assert!(!engine.contains("derive"), "the engine is made, asked, and nothing else");
}
