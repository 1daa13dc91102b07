//! The body of `POST /v1/events` and `POST /v1/catalog`: NDJSON, plain or compressed, whole in memory.

use std::borrow::Cow;

use throng_model::Event;

use super::catalogue::{self, CatalogueRow};
use super::compression::{Compression, unpack_body};
use super::event;
use super::limits::{Limits, Rules};
use super::line::{Decoded, LineError};
use super::ndjson::{self, Finish};

/// The body is larger than the limits allow: answer 413.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum BodyTooLarge {
    /// As it came over the wire.
    #[error("the body is larger than {bytes_max} bytes: send it in parts")]
    Packed {
        /// The limit.
        bytes_max: usize,
    },
    /// Once decompressed.
    #[error("the body decompresses to more than {bytes_max} bytes: send it in parts")]
    Unpacked {
        /// The limit.
        bytes_max: usize,
    },
}

/// The text of a body. Decoded rows borrow from it.
#[derive(Debug)]
pub(crate) struct Body<'b> {
    text: Cow<'b, [u8]>,
    damaged: bool,
}

impl<'b> Body<'b> {
    /// Unpacks a body, by what it is and not by what its headers say.
    pub(crate) fn open(bytes: &'b [u8], limits: &Limits) -> Result<Self, BodyTooLarge> {
        if bytes.len() > limits.body_bytes_max {
            return Err(BodyTooLarge::Packed { bytes_max: limits.body_bytes_max });
        }
        let compression = Compression::of(bytes);
        if compression == Compression::Plain {
            return Ok(Self { text: Cow::Borrowed(bytes), damaged: false });
        }
        let bytes_max = limits.decompressed_bytes_max;
        let body = unpack_body(bytes, compression, bytes_max).ok_or(BodyTooLarge::Unpacked { bytes_max })?;
        let mut text = body.text;
        if body.damaged {
            // The line that the damage cut is not to be trusted, even where it happens to parse.
            text.truncate(memchr::memrchr(b'\n', &text).map_or(0, |at| at + 1));
        }
        Ok(Self { text: Cow::Owned(text), damaged: body.damaged })
    }

    /// Decodes every line as an event.
    pub(crate) fn events(&self, rules: &Rules) -> Decoded<Event<'_>> {
        self.decode(rules, event::FIELDS, event::decode)
    }

    /// Decodes every line as a row of the catalogue.
    pub(crate) fn catalogue(&self, rules: &Rules) -> Decoded<CatalogueRow> {
        self.decode(rules, catalogue::FIELDS, catalogue::decode)
    }

    fn decode<'a, T>(&'a self, rules: &Rules, known: u32, finish: Finish<'a, T>) -> Decoded<T> {
        let mut decoded = ndjson::decode(&self.text, 1, rules, known, finish);
        if self.damaged {
            let lines = memchr::memchr_iter(b'\n', &self.text).count() as u64;
            decoded.reject(LineError::damaged(lines + 1));
        }
        decoded
    }
}
