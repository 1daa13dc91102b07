//! Finds what was given: defaults, then the file, then the environment, then the command line. Unknown keys are errors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::fields::{FIELDS, Field, Given};
use super::{Config, Effective, Origin};

/// The file that is read when none is named and it exists.
const FILE: &str = "throng.toml";

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ConfigError {
    /// A file could not be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no TOML.
    #[error("{} is not valid TOML", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A key that does not exist.
    #[error("{place}: unknown key {key}{}", hint(nearest))]
    Unknown {
        /// The file, or the environment.
        place: String,
        /// The key as given.
        key: String,
        /// The key that may have been meant.
        nearest: Option<String>,
    },
    /// A value that does not fit its key.
    #[error("{place}: {key} {expected}")]
    Invalid {
        /// The file, or the environment.
        place: String,
        /// The key as given.
        key: String,
        /// What it must be.
        expected: String,
    },
}

fn hint(nearest: &Option<String>) -> String {
    match nearest {
        Some(nearest) => format!(" (did you mean {nearest}?)"),
        None => "; `throng config` prints all keys".to_owned(),
    }
}

/// What the command line says; it wins over file and environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides {
    /// `--data DIR`.
    pub(crate) data: Option<PathBuf>,
    /// `--config FILE`.
    pub(crate) file: Option<PathBuf>,
    /// `--listen ADDRESS`.
    pub(crate) listen: Option<std::net::SocketAddr>,
}

impl Effective {
    /// The configuration of this process: its files, its environment, and the command line.
    pub(crate) fn load(overrides: &Overrides) -> Result<Self, ConfigError> {
        let file = match &overrides.file {
            Some(path) => Some(path.clone()),
            None => Some(PathBuf::from(FILE)).filter(|path| path.exists()),
        };
        let text = match &file {
            Some(path) => std::fs::read_to_string(path)
                .map(Some)
                .map_err(|source| ConfigError::Read { path: path.clone(), source })?,
            None => None,
        };
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
        Self::from_parts(file.as_deref().zip(text.as_deref()), variables, overrides)
    }

    /// The same from given texts, for tests and for `load`.
    pub(super) fn from_parts(
        file: Option<(&Path, &str)>,
        variables: impl Iterator<Item = (String, String)>,
        overrides: &Overrides,
    ) -> Result<Self, ConfigError> {
        let mut effective = Self { config: Config::default(), origins: BTreeMap::new() };
        if let Some((path, text)) = file {
            effective.read_file(path, text)?;
        }
        for (name, value) in variables {
            effective.read_variable(&name, &value)?;
        }
        if let Some(data) = &overrides.data {
            effective.config.data.clone_from(data);
            effective.origins.insert("data", Origin::CommandLine("--data"));
        }
        if let Some(listen) = overrides.listen {
            effective.config.http.listen = listen;
            effective.origins.insert("http.listen", Origin::CommandLine("--listen"));
        }
        Ok(effective)
    }

    fn read_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let table: Table =
            text.parse().map_err(|source| ConfigError::Syntax { path: path.to_owned(), source: Box::new(source) })?;
        for (name, value) in &table {
            let is_section = FIELDS.iter().any(|field| field.section() == Some(name));
            match value {
                Value::Table(section) if is_section => {
                    for (key, value) in section {
                        self.read_key(path, &format!("{name}.{key}"), value)?;
                    }
                }
                _ if is_section => {
                    let (place, key) = (path.display().to_string(), name.clone());
                    return Err(ConfigError::Invalid { place, key, expected: format!("must be a section: [{name}]") });
                }
                _ => self.read_key(path, name, value)?,
            }
        }
        Ok(())
    }

    fn read_key(&mut self, path: &Path, key: &str, value: &Value) -> Result<(), ConfigError> {
        let place = path.display().to_string();
        let Some(field) = FIELDS.iter().find(|field| field.path == key) else {
            let names = FIELDS.iter().flat_map(|field| [Some(field.path), field.section()]).flatten();
            return Err(ConfigError::Unknown {
                nearest: nearest(key, names.map(str::to_owned)),
                place,
                key: key.to_owned(),
            });
        };
        self.set(field, &Given::Toml(value), &place, key)?;
        self.origins.insert(field.path, Origin::File(path.to_owned()));
        Ok(())
    }

    fn read_variable(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        if !name.starts_with("THRONG_") || name == "THRONG_CONFIG" || set_by_kubernetes(name) {
            return Ok(());
        }
        let place = "environment".to_owned();
        if let Some(field) = FIELDS.iter().find(|field| field.variable() == name) {
            self.set(field, &Given::Text(value), &place, name)?;
            self.origins.insert(field.path, Origin::Environment(name.to_owned()));
            return Ok(());
        }
        // Other programs may use the prefix too, so only what is clearly meant for a section, or nearly a key, is an error.
        let in_section = FIELDS
            .iter()
            .filter_map(Field::section)
            .any(|section| name.starts_with(&format!("THRONG_{}_", section.to_uppercase())));
        let nearest = nearest(name, FIELDS.iter().map(Field::variable));
        if in_section || nearest.is_some() {
            return Err(ConfigError::Unknown { place, key: name.to_owned(), nearest });
        }
        Ok(())
    }

    fn set(&mut self, field: &Field, given: &Given<'_>, place: &str, key: &str) -> Result<(), ConfigError> {
        (field.set)(&mut self.config, given).map_err(|expected| ConfigError::Invalid {
            place: place.to_owned(),
            key: key.to_owned(),
            expected,
        })
    }
}

/// Kubernetes hands every pod such variables for a service called `throng` or `throng-http`.
fn set_by_kubernetes(name: &str) -> bool {
    name.ends_with("_PORT")
        || name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.contains("_PORT_")
}

/// The candidate with the fewest edits, if it is near enough to have been meant.
fn nearest(given: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    candidates
        .map(|candidate| (edits(given, &candidate), candidate))
        .min()
        .filter(|(edits, candidate)| *edits <= candidate.len() / 4 + 1)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance, in bytes.
fn edits(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        for (b, cell) in right.bytes().zip(row.iter_mut().skip(1)) {
            let best = (diagonal + usize::from(a != b)).min(before + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, best);
            before = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(left.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn load(file: &str, variables: &[(&str, &str)]) -> Result<Effective, ConfigError> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Effective::from_parts(Some((Path::new("t.toml"), file)), variables, &Overrides::default())
    }

    #[test]
    fn environment_wins_over_file_and_command_line_over_both() {
        let file = "data = \"a\"\n[privacy]\naudience_min = 60\nprotection = \"threshold\"";
        let loaded = load(file, &[("THRONG_PRIVACY_AUDIENCE_MIN", "70"), ("THRONG_DATA", "b")]).unwrap();
        assert_eq!(loaded.config.privacy.audience_min, 70);
        assert_eq!(loaded.config.data, Path::new("b"));
        assert_eq!(
            *loaded.origin("privacy.audience_min"),
            Origin::Environment("THRONG_PRIVACY_AUDIENCE_MIN".to_owned())
        );
        assert_eq!(*loaded.origin("privacy.protection"), Origin::File("t.toml".into()));
        assert_eq!(*loaded.origin("log.level"), Origin::Default);
        let overrides = Overrides { data: Some("c".into()), ..Overrides::default() };
        let loaded = Effective::from_parts(None, [("THRONG_DATA".to_owned(), "b".to_owned())].into_iter(), &overrides);
        let loaded = loaded.unwrap();
        assert_eq!(loaded.config.data, Path::new("c"));
        assert_eq!(*loaded.origin("data"), Origin::CommandLine("--data"));
    }

    #[test]
    fn unknown_keys_are_errors_that_name_the_nearest() {
        let message = |file, variables: &[_]| load(file, variables).unwrap_err().to_string();
        assert_eq!(
            message("[privacy]\naudience_mim = 60", &[]),
            "t.toml: unknown key privacy.audience_mim (did you mean privacy.audience_min?)"
        );
        assert_eq!(message("[privcy]\naudience_min = 60", &[]), "t.toml: unknown key privcy (did you mean privacy?)");
        assert_eq!(message("listen = 1", &[]), "t.toml: unknown key listen; `throng config` prints all keys");
        assert_eq!(
            message("", &[("THRONG_PRIVCY_AUDIENCE_MIN", "60")]),
            "environment: unknown key THRONG_PRIVCY_AUDIENCE_MIN (did you mean THRONG_PRIVACY_AUDIENCE_MIN?)"
        );
        assert!(message("", &[("THRONG_LOG_SOMETHING_ELSE_ENTIRELY", "1")]).starts_with("environment: unknown key"));
    }

    #[test]
    fn variables_of_others_are_left_alone() {
        let others =
            [("THRONG_TEST_PYTHON", "x"), ("THRONG_PORT", "tcp://10.0.0.1:80"), ("THRONG_HTTP_SERVICE_HOST", "h")];
        assert_eq!(load("", &others).unwrap().config, Config::default());
    }

    #[test]
    fn wrong_values_say_what_would_be_right() {
        let message = |file| load(file, &[]).unwrap_err().to_string();
        assert_eq!(message("[log]\nformat = \"xml\""), "t.toml: log.format must be \"text\" or \"json\"");
        assert_eq!(message("[log]\nformat = 3"), "t.toml: log.format must be a text in quotes");
        assert_eq!(message("[[privacy]]\naudience_min = 60"), "t.toml: privacy must be a section: [privacy]");
        assert!(message("data = ").contains("not valid TOML"));
    }
}
