//! Prints a configuration: as a file with every key explained, which loads back to the same values, or as JSON.

use std::fmt::Write as _;

use serde_json::{Map, json};

use super::amounts::amounts;
use super::fields::{FIELDS, Field};
use super::{Config, Effective, Origin};

impl Effective {
    /// The whole configuration as a commented `throng.toml`.
    pub(crate) fn to_file(&self) -> String {
        let mut file = String::from("# Throng's configuration: every key, its value, and where the value came from.\n");
        let mut section = None;
        for field in FIELDS {
            if field.section() != section {
                self.end_section(section, &mut file);
                section = field.section();
                push(&mut file, format_args!("\n[{}]", section.unwrap_or_default()));
            }
            push(&mut file, format_args!(""));
            for line in field.doc {
                push(&mut file, format_args!("# {line}"));
            }
            push(
                &mut file,
                format_args!("# {}; {}; also {}", default_of(field), from(self.origin(field.path)), field.variable()),
            );
            match (field.get)(&self.config) {
                Some(value) => push(&mut file, format_args!("{} = {value}", field.key())),
                None => push(&mut file, format_args!("# {} = \"\"", field.key())),
            }
        }
        self.end_section(section, &mut file);
        file
    }

    /// Says below the privacy section what its keys amount to.
    fn end_section(&self, section: Option<&str>, file: &mut String) {
        if let (Some("privacy"), Ok(policy)) = (section, self.config.policy()) {
            push(file, format_args!(""));
            amounts(&policy).lines().for_each(|line| push(file, format_args!("{}", format!("# {line}").trim_end())));
        }
    }

    /// The same as one JSON object: `{"section.key": {"value": …, "from": …, "variable": …}}`.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let keys = FIELDS.iter().map(|field| {
            let value = (field.get)(&self.config);
            let entry = json!({ "value": value, "from": from(self.origin(field.path)), "variable": field.variable() });
            (field.path.to_owned(), entry)
        });
        serde_json::Value::Object(keys.collect::<Map<_, _>>())
    }
}

fn push(file: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    _ = writeln!(file, "{line}");
}

fn default_of(field: &Field) -> String {
    match (field.get)(&Config::default()) {
        Some(value) => format!("default {value}"),
        None if field.key().ends_with("_key_file") => {
            format!("default: the data directory's path with `.{}` after it", suffix(field))
        }
        None => "default: none".to_owned(),
    }
}

/// `viewer-key` of `store.viewer_key_file`.
fn suffix(field: &Field) -> String {
    field.key().trim_end_matches("_file").replace('_', "-")
}

fn from(origin: &Origin) -> String {
    match origin {
        Origin::Default => "set by nobody".to_owned(),
        Origin::File(path) => format!("set in {}", path.display()),
        Origin::Environment(name) => format!("set by {name}"),
        Origin::CommandLine(option) => format!("set by {option}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::path::Path;

    use super::super::Overrides;
    use super::*;

    fn loaded(file: &str) -> Effective {
        Effective::from_parts(Some((Path::new("t.toml"), file)), std::iter::empty(), &Overrides::default()).unwrap()
    }

    const EVERY_KEY: &str = r#"
        data = "some \"quoted\" place\\here"
        [http]
        listen = "[::1]:9000"
        cors_origins = ["https://a.example", "http://localhost:3000"]
        metrics = "off"
        query_body_bytes_max = 4096
        connections_max = 9
        drain_ms = 1
        shutdown_timeout_ms = 1
        [graphql]
        answers_cache_bytes_max = 0
        playground = false
        introspection = false
        trusted_documents = "/elsewhere/documents"
        query_bytes_max = 4096
        tokens_max = 100
        depth_max = 5
        fields_max = 100
        aliases_max = 0
        directives_max = 0
        complexity_max = 100
        time_ms_max = 1
        concurrent_max = 1
        subscription_interval_ms = 100
        subscriptions_per_key_max = 1
        subscriptions_per_connection_max = 1
        [jwt]
        hs256_file = "/elsewhere/secret"
        eddsa_file = "/elsewhere/public.pem"
        jwks_file = "/elsewhere/jwks.json"
        issuer = "https://login.example"
        audience = "throng"
        roles = ["operator"]
        life_ms_max = 60000
        leeway_ms = 0
        token_bytes_max = 256
        [rate]
        points_max = 0
        points_per_second = 1
        [ingest]
        line_bytes_max = 2048
        body_bytes_max = 4096
        decompressed_bytes_max = 8192
        batch_events_max = 3
        bodies_max = 5
        rejected_listed_max = 0
        future_skew_ms_max = 0
        [store]
        viewer_key_file = "/elsewhere/key"
        cache_bytes_max = 1048576
        lateness_ms = 0
        rows_kept_days = 400
        erasure_every_days = 1
        disk_free_min_bytes = 0
        flush_timeout_ms = 100
        [privacy]
        audience_min = 10
        protection = "threshold"
        noise_key_file = "/elsewhere/noise"
        rho = 1
        rolling_step_days = 1
        [telemetry]
        traces_endpoint = "http://collector:4318/v1/traces"
        service_name = "analytics"
        sample_ratio = 0.5
        [log]
        format = "json"
        level = "debug"
    "#;

    #[test]
    fn the_printed_file_loads_back_to_the_same_configuration() {
        for given in ["", EVERY_KEY] {
            let first = loaded(given);
            assert_eq!(loaded(&first.to_file()).config, first.config);
        }
    }

    #[test]
    fn the_test_above_changes_every_key() {
        let (default, changed) = (Config::default(), loaded(EVERY_KEY));
        for field in FIELDS {
            assert_ne!((field.get)(&default), (field.get)(&changed.config), "{}", field.path);
            assert_eq!(*changed.origin(field.path), Origin::File("t.toml".into()));
        }
    }

    #[test]
    fn every_key_is_explained_with_its_variable_and_origin() {
        let file = loaded("[log]\nlevel = \"warn\"").to_file();
        for field in FIELDS {
            assert!(!field.doc.is_empty());
            assert!(file.contains(&field.variable()), "{}", field.path);
        }
        assert!(file.contains("# default \"info\"; set in t.toml; also THRONG_LOG_LEVEL\nlevel = \"warn\""));
    }
}
