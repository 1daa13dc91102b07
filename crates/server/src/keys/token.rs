//! The text of a key and the hash of its secret.

use std::fmt;

use subtle::ConstantTimeEq as _;

/// Digits of a key's id.
const ID_DIGITS: usize = 12;
/// Digits of a key's secret: 256 bits.
const SECRET_DIGITS: usize = 64;
/// Keeps these hashes apart from every other use of BLAKE3.
const CONTEXT: &str = "throng 2026-03 API key secret";

/// A key as its holder shows it. Its secret is never printed, not even by `Debug`.
pub(crate) struct Token {
    id: String,
    secret: String,
}

/// What is kept of a secret. A plain hash is enough: nobody guesses 256 random bits.
#[derive(Clone, Copy)]
pub(crate) struct SecretHash([u8; 32]);

impl Token {
    /// A new random key.
    pub(crate) fn mint() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; (ID_DIGITS + SECRET_DIGITS) / 2];
        getrandom::fill(&mut bytes)?;
        let mut id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let secret = id.split_off(ID_DIGITS);
        Ok(Self { id, secret })
    }

    /// Reads `thr_<id>_<secret>`; `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix("thr_")?.split_once('_')?;
        let is_hex = |text: &str, digits: usize| {
            text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        (is_hex(id, ID_DIGITS) && is_hex(secret, SECRET_DIGITS))
            .then(|| Self { id: id.to_owned(), secret: secret.to_owned() })
    }

    /// The public id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The hash to keep, or to compare.
    pub(crate) fn hash(&self) -> SecretHash {
        SecretHash(blake3::derive_key(CONTEXT, self.secret.as_bytes()))
    }

    /// The whole text: shown once, when the key is made.
    pub(crate) fn reveal(&self) -> String {
        format!("thr_{}_{}", self.id, self.secret)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(thr_{}_…)", self.id)
    }
}

impl SecretHash {
    /// Reads 64 hexadecimal digits.
    pub(super) fn from_hex(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(|hash| Self(hash.into()))
    }

    pub(super) fn to_hex(self) -> String {
        blake3::Hash::from(self.0).to_hex().to_string()
    }

    /// A hash that never equals this one.
    pub(super) fn inverted(self) -> Self {
        Self(self.0.map(|byte| !byte))
    }

    /// Compares in constant time.
    pub(super) fn matches(self, other: Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        self.matches(*other)
    }
}

impl Eq for SecretHash {}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_minted_key_reads_back_and_hashes_alike() {
        let token = Token::mint().unwrap();
        let read = Token::parse(&token.reveal()).unwrap();
        assert_eq!(read.id(), token.id());
        assert_eq!(read.hash(), token.hash());
        assert_eq!(SecretHash::from_hex(&token.hash().to_hex()), Some(token.hash()));
        assert_ne!(Token::mint().unwrap().hash(), token.hash());
    }

    #[test]
    fn no_other_text_is_a_key() {
        let text = Token::mint().unwrap().reveal();
        for wrong in
            ["", "thr_", "thr__", &text[..text.len() - 1], &format!("{text}0"), &text.to_uppercase(), &text[4..]]
        {
            assert!(Token::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_never_printed() {
        let token = Token::mint().unwrap();
        let printed = format!("{token:?} {:?}", token.hash());
        assert!(!printed.contains(&token.secret) && !printed.contains(&token.hash().to_hex()));
    }
}
