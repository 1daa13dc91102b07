//! The program under test: run once for its result, or as a server of its own on a free port.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::client::{self, Response};

/// A data directory with room for a viewer key beside it.
pub(crate) struct Data {
    folder: tempfile::TempDir,
}

impl Data {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("scratch space") }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A file beside the data directory.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("scratch space");
        std::fs::write(&path, content).expect("scratch space");
        path
    }

    /// The program, in a folder of its own and with a clean environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_throng"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("THRONG_")) {
            command.env_remove(name);
        }
        command.current_dir(self.folder.path()).arg("--data").arg(self.path()).args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program runs")
    }

    /// The JSON of a run that must succeed.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("one JSON object")
    }

    /// A new key.
    pub(crate) fn key(&self, arguments: &[&str]) -> String {
        let made = self.json(&[&["key", "create", "--role"], arguments].concat());
        made["token"].as_str().expect("a token").to_owned()
    }

    pub(crate) fn import(&self, files: &[&Path], options: &[&str]) -> Value {
        let files: Vec<_> = files.iter().map(|path| path.to_str().expect("UTF-8")).collect();
        self.json(&[&["import"], &files[..], options].concat())
    }
}

/// A running server. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    log: Option<JoinHandle<String>>,
}

impl Server {
    pub(crate) fn start(data: &Data) -> Self {
        Self::start_with(data, &[])
    }

    /// Starts on a free port, with these variables set, and waits until it listens.
    pub(crate) fn start_with(data: &Data, variables: &[(&str, &str)]) -> Self {
        let mut command = data.command(&["--json", "serve", "--listen", "127.0.0.1:0"]);
        // Days stay open for a month, so that tests decide when they are sealed.
        command.env("THRONG_STORE_LATENESS_MS", "2592000000");
        command.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        // Read all the time, so that the server never waits for a full pipe.
        let mut stderr = child.stderr.take().expect("piped");
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).expect("the log is UTF-8");
            log
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("readable");
        let Ok(announced) = serde_json::from_str::<Value>(&line) else {
            child.wait().expect("it ends");
            panic!("no server: {}", log.join().expect("log"));
        };
        let url = announced["listening"][0].as_str().expect("an address");
        let address = url.strip_prefix("http://").expect("a URL").parse().expect("an address");
        Self { child, address, log: Some(log) }
    }

    pub(crate) fn get(&self, target: &str, headers: &[(&str, &str)]) -> Response {
        client::send(self.address, "GET", target, headers, None)
    }

    pub(crate) fn post(&self, target: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Response {
        client::send(self.address, "POST", target, headers, Some(body.as_ref()))
    }

    /// A GraphQL query that must be executed; its `data`.
    pub(crate) fn query(&self, token: Option<&str>, query: &str, variables: &Value) -> Value {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("Content-Type", "application/json"), ("Accept", "application/graphql-response+json")];
        headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        let body = json!({ "query": query, "variables": variables }).to_string();
        let response = self.post("/graphql", &headers, body);
        let answer = response.json();
        assert!(response.status == 200 && answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    }

    /// Events or catalogue rows, one JSON object a line.
    pub(crate) fn ingest(&self, target: &str, token: &str, lines: impl AsRef<[u8]>) -> Response {
        let bearer = format!("Bearer {token}");
        self.post(target, &[("Authorization", &bearer), ("Content-Type", "application/x-ndjson")], lines)
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for the end; the exit status and all that was logged.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().expect("it ends");
        let log = self.log.take().expect("not taken before").join().expect("log");
        (status, log)
    }

    /// Stops in order; all that was logged.
    pub(crate) fn stop(self) -> String {
        self.signal("TERM");
        let (status, log) = self.wait();
        assert!(status.success(), "{status}: {log}");
        log
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already where the test stopped it.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
