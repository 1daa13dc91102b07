//! Documents that the server knows: parsed ones by their text, persisted ones by their hash, and the trusted ones of a folder.
//!
//! A *persisted* query is sent once with its hash and from then on as the hash alone; anybody may persist, and what is not
//! asked for is forgotten first. *Trusted* documents are read when the server starts; with them nothing else is answered.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};
use throng_graphql::{Document, Response, Schema};

use super::answer::Problem;

/// Text of documents that is kept parsed, in bytes, once by text and once by hash; the parsed form is some ten times as large.
const BYTES_MAX: u64 = 2 << 20;
/// The usual length of a document, in bytes.
const USUAL_BYTES: usize = 2 << 10;

/// SHA-256 of a document's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Hash([u8; 32]);

impl Hash {
    fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// Reads 64 hexadecimal digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut hash = [0; 32];
        if digits.len() != 2 * hash.len() {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |digit: &u8| char::from(*digit).to_digit(16);
            let [high, low] = pair else { return None };
            *byte = u8::try_from(16 * digit(high)? + digit(low)?).ok()?;
        }
        Some(Self(hash))
    }
}

/// Why no document is executed.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The request is about no document that may be asked.
    Problem(Problem),
    /// The text is no document within the limits.
    Answer(Box<Response>),
}

/// Why the folder of trusted documents was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TrustError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("there is no document in {}: put files there that end in .graphql", path.display())]
    Empty { path: PathBuf },
    #[error("{} is refused: {reason}", path.display())]
    Invalid { path: PathBuf, reason: String },
}

/// The documents of a server.
pub(super) struct Documents {
    /// Which query was asked says nothing of the answer, so whoever asks next gets the same.
    parsed: Cache<String, Kept, Weight>,
    persisted: Cache<Hash, Kept, Weight>,
    trusted: Option<HashMap<Hash, Document>>,
}

#[derive(Clone)]
struct Kept {
    document: Document,
    bytes: usize,
}

#[derive(Clone)]
struct Weight;

impl<Key> Weighter<Key, Kept> for Weight {
    fn weight(&self, _: &Key, kept: &Kept) -> u64 {
        kept.bytes as u64
    }
}

impl Documents {
    /// Every document is answered, or the `trusted` ones alone.
    pub(super) fn new(trusted: Option<HashMap<Hash, Document>>) -> Self {
        let entries = usize::try_from(BYTES_MAX).unwrap_or(usize::MAX) / USUAL_BYTES;
        Self {
            parsed: Cache::with_weighter(entries, BYTES_MAX, Weight),
            persisted: Cache::with_weighter(entries, BYTES_MAX, Weight),
            trusted,
        }
    }

    /// The document, if it is in memory.
    pub(super) fn known(&self, text: Option<&str>, hash: Option<Hash>) -> Option<Document> {
        match (&self.trusted, text, hash) {
            (Some(trusted), None, Some(hash)) => trusted.get(&hash).cloned(),
            (None, None, Some(hash)) => self.persisted.get(&hash).map(|kept| kept.document),
            (None, Some(text), None) => self.parsed.get(text).map(|kept| kept.document),
            _ => None,
        }
    }

    /// The document of this text, this hash, or both.
    pub(super) fn find(&self, text: Option<&str>, hash: Option<Hash>, schema: &Schema) -> Result<Document, Refusal> {
        if let (Some(text), Some(hash)) = (text, hash)
            && Hash::of(text) != hash
        {
            return Err(Refusal::Problem(Problem::OTHER_HASH));
        }
        match (&self.trusted, text, hash) {
            (Some(trusted), None, Some(hash)) => {
                trusted.get(&hash).cloned().ok_or(Refusal::Problem(Problem::NOT_PERSISTED))
            }
            (Some(trusted), Some(text), _) => {
                trusted.get(&Hash::of(text)).cloned().ok_or(Refusal::Problem(Problem::NOT_TRUSTED))
            }
            (None, None, Some(hash)) => {
                self.persisted.get(&hash).map(|kept| kept.document).ok_or(Refusal::Problem(Problem::NOT_PERSISTED))
            }
            (None, Some(text), hash) => {
                let document = self.parse(text, schema)?;
                if let Some(hash) = hash {
                    self.persisted.insert(hash, Kept { document: document.clone(), bytes: text.len() });
                }
                Ok(document)
            }
            (_, None, None) => Err(Refusal::Problem(Problem::NO_QUERY)),
        }
    }

    fn parse(&self, text: &str, schema: &Schema) -> Result<Document, Refusal> {
        if let Some(kept) = self.parsed.get(text) {
            return Ok(kept.document);
        }
        let document = schema.parse(text).map_err(Refusal::Answer)?;
        self.parsed.insert(text.to_owned(), Kept { document: document.clone(), bytes: text.len() });
        Ok(document)
    }
}

/// Reads the folder of trusted documents: each file that ends in `.graphql` is one, known by the hash of its text.
pub(super) fn trusted(folder: &Path, schema: &Schema) -> Result<HashMap<Hash, Document>, TrustError> {
    let read = |source| TrustError::Read { path: folder.to_owned(), source };
    let mut documents = HashMap::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.extension().is_none_or(|extension| extension != "graphql") {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|source| TrustError::Read { path: path.clone(), source })?;
        let invalid = |response: Box<Response>| {
            let reason = response.errors.into_iter().next().map_or_else(String::new, |error| error.message);
            TrustError::Invalid { path: path.clone(), reason }
        };
        let document = schema.parse(&text).map_err(invalid)?;
        schema.validate(&document).map_err(invalid)?;
        documents.insert(Hash::of(&text), document);
    }
    if documents.is_empty() { Err(TrustError::Empty { path: folder.to_owned() }) } else { Ok(documents) }
}
