//! The clients and tools that people use, against the real server: `tests/clients` and `tests/tools`, run by Node.

use std::path::Path;
use std::process::Command;

use crate::server::{Data, Server};

#[test]
fn the_clients_that_people_use_get_their_answers() {
    if is_installed("tests/clients") {
        let data = Data::new();
        let token = data.key(&["operator"]);
        run_by_node("tests/clients", &data, &[("THRONG_TOKEN", &token)]);
    }
}

#[test]
fn schema_tools_and_the_examples_work() {
    if is_installed("tests/tools") {
        let data = Data::new();
        let demo = data.json(&["demo", "--small", "--no-serve"]);
        let text = |name: &str| demo[name].as_str().expect("a text");
        let variables = [("THRONG_TOKEN", text("creator_token")), ("THRONG_CREATOR", text("creator"))];
        run_by_node("tests/tools", &data, &variables);
    }
}

fn is_installed(folder: &str) -> bool {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("node_modules").exists();
    if !installed {
        let why = "node_modules is absent (npm ci in that folder makes it)";
        crate::skipped(&format!("{folder}/{why}, so nothing there was tried"));
    }
    installed
}

/// Runs the tests of a folder against a server over the data.
fn run_by_node(folder: &str, data: &Data, variables: &[(&str, &str)]) {
    let server = Server::start_with(data, &[("THRONG_GRAPHQL_SUBSCRIPTION_INTERVAL_MS", "100")]);
    let output = Command::new("npm")
        .args(["test", "--silent"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .env("THRONG_URL", format!("http://{}/graphql", server.address))
        .envs(variables.iter().copied())
        .output()
        .expect("npm runs");
    let (told, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{wrong}");
    // The counts alone.
    told.lines().filter(|line| line.starts_with("# ")).filter(|line| !line.contains(':')).for_each(crate::say);
}
