//! Parameters of an export, from the query of its address.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Subject;
use super::ask::ALL;

/// Why the parameters are no question. Messages quote nothing of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ParamError {
    /// The query of the address cannot be read.
    #[error("the parameters must be URL-encoded UTF-8")]
    Encoding,
    /// One of them comes twice.
    #[error("a parameter is given twice")]
    Twice,
    /// There is one that this table does not take.
    #[error("this table takes {0}, and nothing else")]
    Unknown(&'static str),
    /// Not one entity.
    #[error("name one of {0}")]
    Subject(&'static str),
    /// No number.
    #[error("{0} must be a whole number")]
    Number(&'static str),
    /// None of a closed set.
    #[error("{0} must be one of {1}")]
    Word(&'static str, &'static str),
}

/// Those that no table has looked at yet.
#[derive(Debug)]
pub(crate) struct Params(BTreeMap<String, String>);

impl Params {
    /// Each once; an empty one is as good as none.
    pub(crate) fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, ParamError> {
        let mut all = BTreeMap::new();
        for (name, value) in pairs {
            if all.insert(name, value).is_some() {
                return Err(ParamError::Twice);
            }
        }
        all.retain(|_, value| !value.is_empty());
        Ok(Self(all))
    }

    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// The one entity that is named, of these kinds.
    pub(super) fn subject(&mut self, of: &[Subject], names: &'static str) -> Result<(Subject, String), ParamError> {
        let mut named = of.iter().filter_map(|&subject| Some((subject, self.take(subject.name())?)));
        match (named.next(), named.next()) {
            (Some((Subject::Platform, word)), None) if word != ALL => Err(ParamError::Word("platform", ALL)),
            (Some(found), None) => Ok(found),
            _ => Err(ParamError::Subject(names)),
        }
    }

    /// A `DateRangeInput`; whether it is one is for the schema to say.
    pub(super) fn range(&mut self) -> Result<Value, ParamError> {
        let mut range = Map::new();
        for name in ["from", "to"] {
            range.extend(self.take(name).map(|day| (name.to_owned(), Value::String(day))));
        }
        range.extend(self.number("last")?.map(|last| ("last".to_owned(), json!(last))));
        Ok(Value::Object(range))
    }

    pub(super) fn number(&mut self, name: &'static str) -> Result<Option<i32>, ParamError> {
        self.take(name).map(|text| text.parse().map_err(|_| ParamError::Number(name))).transpose()
    }

    /// A word of a closed set that `known` tells in lower case.
    pub(super) fn word<T>(
        &mut self,
        name: &'static str,
        words: &'static str,
        known: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ParamError> {
        let found = self.take(name).map(|text| known(&text.to_ascii_lowercase()));
        found.map(|found| found.ok_or(ParamError::Word(name, words))).transpose()
    }

    /// Nothing may be left: a misspelt parameter must not pass for one that is not given.
    pub(super) fn finish(self, taken: &'static str) -> Result<(), ParamError> {
        if self.0.is_empty() { Ok(()) } else { Err(ParamError::Unknown(taken)) }
    }
}
