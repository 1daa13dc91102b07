//! The clients that people use, against the real server: `tests/clients`, run by Node.

use std::path::Path;
use std::process::Command;

use crate::server::{Data, Server};

#[test]
fn the_clients_that_people_use_get_their_answers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    if !folder.join("node_modules").exists() {
        crate::skipped("tests/clients/node_modules is absent (npm ci in that folder makes it), so no client was tried");
        return;
    }
    let data = Data::new();
    let token = data.key(&["operator"]);
    let server = Server::start_with(&data, &[("THRONG_GRAPHQL_SUBSCRIPTION_INTERVAL_MS", "100")]);
    let output = Command::new("npm")
        .args(["test", "--silent"])
        .current_dir(folder)
        .env("THRONG_URL", format!("http://{}/graphql", server.address))
        .env("THRONG_TOKEN", token)
        .output()
        .expect("npm runs");
    let (told, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{wrong}");
    // The counts alone.
    told.lines().filter(|line| line.starts_with("# ")).filter(|line| !line.contains(':')).for_each(crate::say);
}
