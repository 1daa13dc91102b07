//! The pages in a real browser: `tests/browser`, run by Node with Chromium.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::issuer::{Issuer, TAKEN, publish};
use crate::server::{Data, Server};

const CHROMIUM: [&str; 2] = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];

#[test]
fn the_pages_work_in_a_browser_that_reaches_nobody_else() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    if !folder.join("node_modules").exists() || !CHROMIUM.iter().any(|path| Path::new(path).exists()) {
        crate::skipped(
            "Chromium or tests/browser/node_modules (npm ci in that folder) is absent, so no page was looked at",
        );
        return;
    }
    let data = Data::new();
    let demo = data.json(&["demo", "--small", "--no-serve"]);
    let text = |name: &str| demo[name].as_str().expect("a text").to_owned();
    let issuer = Issuer::new(1, "one");
    publish(&data, &[&issuer]);
    let server = Server::start_with(&data, &TAKEN);
    let jwt = issuer.token(&json!({"sub": "someone", "role": "creator", "creator": text("creator")}));
    // Partners to whom the channel opened one half each.
    let partner = |scope: &str| {
        data.json(&["grant", "give", "--subject", scope, "--creator", &text("creator"), "--scope", scope]);
        issuer.token(&json!({"sub": scope, "role": "partner"}))
    };
    let output = Command::new("npm")
        .args(["test", "--silent"])
        .current_dir(folder)
        .env("THRONG_URL", format!("http://{}", server.address))
        .env("THRONG_TOKEN", text("creator_token"))
        .env("THRONG_JWT", jwt)
        .env("THRONG_OPERATOR", text("operator_token"))
        .env("THRONG_PARTNER_COUNTERS", partner("counters"))
        .env("THRONG_PARTNER_INSIGHTS", partner("insights"))
        .env("THRONG_CREATOR", text("creator"))
        .output()
        .expect("npm runs");
    let (told, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{wrong}");
}
