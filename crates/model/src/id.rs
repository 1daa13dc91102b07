//! Identifiers that a platform hands in: opaque text with a length limit.
//!
//! They borrow from the input where they can (`Cow`), so that decoding a batch allocates nothing per line.

use std::borrow::Cow;
use std::fmt;

/// Why a text is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The text is empty.
    #[error("must not be empty")]
    Empty,
    /// The text is longer than the limit.
    #[error("must be at most {bytes_max} bytes, has {bytes}")]
    TooLong {
        /// Length of the text, in bytes.
        bytes: usize,
        /// The limit, in bytes.
        bytes_max: usize,
    },
    /// The text holds a control character, such as NUL or a line break.
    #[error("must not hold control characters")]
    Control,
}

fn check(text: &str, bytes_max: usize) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > bytes_max {
        return Err(IdError::TooLong { bytes: text.len(), bytes_max });
    }
    // Nearly all are plain ASCII, which is told faster byte by byte.
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if !is_plain && text.chars().any(char::is_control) {
        return Err(IdError::Control);
    }
    Ok(())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $bytes_max:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name<'a>(Cow<'a, str>);

        impl<'a> $name<'a> {
            /// The longest text accepted, in bytes of UTF-8.
            pub const BYTES_MAX: usize = $bytes_max;

            /// Checks the text: not empty, not too long, no control characters.
            pub fn parse(text: impl Into<Cow<'a, str>>) -> Result<Self, IdError> {
                let text = text.into();
                check(&text, Self::BYTES_MAX)?;
                Ok(Self(text))
            }

            /// The text as it was handed in.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The same identifier, borrowing nothing.
            pub fn into_owned(self) -> $name<'static> {
                $name(Cow::Owned(self.0.into_owned()))
            }
        }
    };
}

macro_rules! shown {
    ($name:ident) => {
        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), &self.0)
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// Names one event for ever: a second event with the same id is a duplicate and changes nothing.
    EventId, 64
);
id!(
    /// A person who watches. Opaque, and never printed: `Debug` hides it, and there is no `Display`.
    ViewerId, 128
);
id!(
    /// A channel whose owner publishes videos.
    CreatorId, 64
);
id!(
    /// A published short video.
    VideoId, 64
);
id!(
    /// A short free name: a sound, a handle, a language.
    Name, 128
);

shown!(EventId);
shown!(CreatorId);
shown!(VideoId);
shown!(Name);
shown!(Hashtag);

impl fmt::Debug for ViewerId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ViewerId(hidden)")
    }
}

/// A hashtag in its one spelling: without `#`, in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hashtag<'a>(Cow<'a, str>);

impl<'a> Hashtag<'a> {
    /// The longest hashtag accepted, in bytes of UTF-8, without `#`.
    pub const BYTES_MAX: usize = 100;

    /// Drops one leading `#`, folds to lower case, then checks as for any identifier.
    pub fn parse(text: &'a str) -> Result<Self, IdError> {
        let bare = text.strip_prefix('#').unwrap_or(text);
        let folded =
            if bare.chars().any(char::is_uppercase) { Cow::Owned(bare.to_lowercase()) } else { Cow::Borrowed(bare) };
        check(&folded, Self::BYTES_MAX)?;
        Ok(Self(folded))
    }

    /// The tag without `#`, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same hashtag, borrowing nothing.
    pub fn into_owned(self) -> Hashtag<'static> {
        Hashtag(Cow::Owned(self.0.into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_in_bytes_and_inclusive() {
        assert!(CreatorId::parse("é".repeat(32)).is_ok());
        assert_eq!(CreatorId::parse("é".repeat(33)), Err(IdError::TooLong { bytes: 66, bytes_max: 64 }));
        assert_eq!(CreatorId::parse(""), Err(IdError::Empty));
        assert_eq!(CreatorId::parse("a\0b"), Err(IdError::Control));
    }

    #[test]
    fn a_viewer_is_never_printed() {
        let viewer = ViewerId::parse("alice").expect("valid");
        assert!(!format!("{viewer:?}").contains("alice"));
    }

    #[test]
    fn a_hashtag_has_one_spelling() {
        assert_eq!(Hashtag::parse("#Dance").expect("valid").as_str(), "dance");
        assert_eq!(Hashtag::parse("#"), Err(IdError::Empty));
    }
}
