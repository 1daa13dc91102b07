//! A question with the way from its answer to rows.

use serde_json::Value;

use super::sheet::Sheet;

/// What a table is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Creator,
    Video,
    Hashtag,
    /// All channels together.
    Platform,
}

/// Every subject, for tables that all of them have.
pub(super) const EVERYTHING: [Subject; 4] = [Subject::Creator, Subject::Video, Subject::Hashtag, Subject::Platform];

/// What stands for the whole platform, where others have an id.
pub(super) const ALL: &str = "all";

impl Subject {
    /// The name of its parameter.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Creator => "creator",
            Self::Video => "video",
            Self::Hashtag => "hashtag",
            Self::Platform => "platform",
        }
    }

    /// A document that asks `selection` of it, with these variables beside its own.
    pub(super) fn document(self, variables: &str, selection: &str) -> String {
        let (own, field) = match self {
            Self::Creator => ("$id: ID!, ", "creator(id: $id)"),
            Self::Video => ("$id: ID!, ", "video(id: $id)"),
            Self::Hashtag => ("$id: String!, ", "hashtag(name: $id)"),
            Self::Platform => ("", "platform"),
        };
        format!("query Export({own}{variables}) {{ subject: {field} {{ {selection} }} }}")
    }
}

/// What writes the rows of an answer: one sheet's worth, header included.
pub(super) type Rows = Box<dyn Fn(&Value, &mut Sheet) -> csv::Result<()> + Send>;

/// A question for the schema, and what its answer is written as.
pub(crate) struct Ask {
    /// The GraphQL document.
    pub(crate) document: String,
    /// Its variables, an object.
    pub(crate) variables: Value,
    /// What the file is called; ASCII letters, hyphens and a dot.
    pub(crate) file: String,
    pub(super) rows: Rows,
}

impl Ask {
    /// The file, from the answer's `data`; `None` where the token sees no such entity.
    pub(crate) fn write(&self, data: &Value) -> csv::Result<Option<Vec<u8>>> {
        let subject = &data["subject"];
        if subject.is_null() {
            return Ok(None);
        }
        let mut sheet = Sheet::new();
        (self.rows)(subject, &mut sheet)?;
        sheet.finish().map(Some)
    }
}
