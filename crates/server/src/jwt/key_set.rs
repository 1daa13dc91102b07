//! The files that verification keys are read from: a shared secret, a public key, or a JWK Set (RFC 7517).
//!
//! Each key is bound to one algorithm here. What the process does not need and should not have, such as a private key, is refused.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::{Value, json};

/// Least bytes of a shared secret: as many as the hash has (RFC 7518 §3.2).
const SECRET_BYTES_MIN: usize = 32;
/// Largest file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Most keys of a set.
const KEYS_MAX: usize = 64;

/// Why no keys could be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum KeyFileError {
    /// The file could not be read.
    #[error("cannot read the JWT keys in {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no such thing.
    #[error("{}: {flaw}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, without what is in the file.
        flaw: &'static str,
    },
    /// Others can read a secret.
    #[error("{} holds a secret that others than its owner and group can read: chmod 600 it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
}

/// A key, with the only algorithm that it is good for.
pub(super) struct VerificationKey {
    kid: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
    pub(super) print: KeyPrint,
}

/// Tells keys apart without holding them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyPrint([u8; 32]);

/// The keys of a file.
pub(super) struct KeySet {
    keys: Vec<VerificationKey>,
    /// Whether tokens must name their key.
    by_kid: bool,
}

impl KeySet {
    /// The key that a token names, or the only one.
    pub(super) fn find(&self, kid: Option<&str>) -> Option<&VerificationKey> {
        let fits = |key: &&VerificationKey| match (key.kid.as_deref(), kid) {
            (Some(own), Some(named)) => own == named,
            _ => !self.by_kid,
        };
        self.keys.iter().find(fits)
    }

    /// Whether a key is among them.
    pub(super) fn has(&self, print: KeyPrint) -> bool {
        self.keys.iter().any(|key| key.print == print)
    }
}

impl VerificationKey {
    fn new(kid: Option<String>, algorithm: Algorithm, key: DecodingKey) -> Result<Self, &'static str> {
        let bytes = key.try_get_as_bytes().map_err(|_| "a key is malformed")?;
        let is_ed25519 = || bytes.try_into().is_ok_and(|bytes| VerifyingKey::from_bytes(bytes).is_ok());
        let print = match algorithm {
            Algorithm::HS256 if bytes.len() < SECRET_BYTES_MIN => {
                return Err("a shared secret has at least 32 bytes, drawn at random");
            }
            Algorithm::HS256 => blake3::derive_key("throng 2026-11 JWT key HS256", bytes),
            _ if !is_ed25519() => return Err("a key is no point of Ed25519"),
            _ => blake3::derive_key("throng 2026-11 JWT key EdDSA", bytes),
        };
        Ok(Self { kid, algorithm, key, print: KeyPrint(print) })
    }
}

/// One JWK, as far as it is looked at.
#[derive(Deserialize)]
struct Entry {
    kty: String,
    kid: Option<String>,
    crv: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    x: Option<String>,
    k: Option<String>,
    /// The private part.
    d: Option<Value>,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Entry>,
}

/// A shared secret: the bytes of the file, without a line end behind them.
pub(super) fn hs256(path: &Path) -> Result<KeySet, KeyFileError> {
    let bytes = read(path)?;
    must_be_private(path)?;
    let secret = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
    let key = VerificationKey::new(None, Algorithm::HS256, DecodingKey::from_secret(secret));
    Ok(KeySet { keys: vec![key.map_err(malformed(path))?], by_kid: false })
}

/// A public key of Ed25519: PEM (`BEGIN PUBLIC KEY`) or one JWK.
pub(super) fn eddsa(path: &Path) -> Result<KeySet, KeyFileError> {
    const NEITHER: &str = "it is neither a public Ed25519 key in PEM (BEGIN PUBLIC KEY) nor one as a JWK";
    let bytes = read(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed(path)(NEITHER))?;
    let key = match serde_json::from_str::<Entry>(text) {
        Ok(entry) if entry.k.is_none() => entry.key().and_then(|key| key.ok_or(NEITHER)),
        Ok(_) => Err(NEITHER),
        Err(_) if text.contains("PRIVATE KEY") => Err(PRIVATE),
        Err(_) => VerifyingKey::from_public_key_pem(text.trim())
            .map_err(|_| NEITHER)
            .and_then(|key| VerificationKey::new(None, Algorithm::EdDSA, DecodingKey::from_ed_der(key.as_bytes()))),
    };
    Ok(KeySet { keys: vec![key.map_err(malformed(path))?], by_kid: false })
}

/// A JWK Set. Keys of other kinds and for other uses are left out, so that an issuer's whole set can be given.
pub(super) fn jwks(path: &Path) -> Result<KeySet, KeyFileError> {
    let set: Set = serde_json::from_slice(&read(path)?).map_err(|_| malformed(path)("it is no JWK Set"))?;
    if set.keys.iter().any(|entry| entry.k.is_some()) {
        must_be_private(path)?;
    }
    let keys = usable(set).map_err(malformed(path))?;
    Ok(KeySet { keys, by_kid: true })
}

fn usable(set: Set) -> Result<Vec<VerificationKey>, &'static str> {
    if set.keys.len() > KEYS_MAX {
        return Err("it has more than 64 keys");
    }
    let mut keys: Vec<VerificationKey> = Vec::new();
    for entry in set.keys {
        let Some(key) = entry.key()? else { continue };
        match &key.kid {
            None => return Err("each key of a set needs a kid"),
            Some(_) if keys.iter().any(|known| known.kid == key.kid) => return Err("two keys have the same kid"),
            Some(_) => keys.push(key),
        }
    }
    if keys.is_empty() { Err("none of its keys verifies EdDSA (Ed25519) or HS256") } else { Ok(keys) }
}

const PRIVATE: &str = "it holds a private key, which belongs to whoever signs: give the public one alone";

impl Entry {
    /// The key, if it verifies signatures by an algorithm that is taken.
    fn key(self) -> Result<Option<VerificationKey>, &'static str> {
        let (algorithm, names, jwk) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("oct", _) => (Algorithm::HS256, &["HS256"][..], json!({ "kty": "oct", "k": self.k })),
            ("OKP", Some("Ed25519")) => {
                let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": self.x });
                (Algorithm::EdDSA, &["EdDSA", "Ed25519"][..], jwk)
            }
            _ => return Ok(None),
        };
        let is_other_use = self.usage.is_some_and(|usage| usage != "sig");
        if is_other_use || self.alg.is_some_and(|alg| !names.contains(&alg.as_str())) {
            return Ok(None);
        }
        if self.d.is_some() {
            return Err(PRIVATE);
        }
        let jwk: Jwk = serde_json::from_value(jwk).map_err(|_| "a key is malformed")?;
        let key = DecodingKey::from_jwk(&jwk).map_err(|_| "a key is malformed")?;
        VerificationKey::new(self.kid, algorithm, key).map(Some)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(malformed(path)("it is larger than 1 MiB"));
    }
    fs::read(path).map_err(failed)
}

/// On Unix a secret is for its owner, and at most for its group to read, as container platforms mount them.
fn must_be_private(path: &Path) -> Result<(), KeyFileError> {
    #[cfg(unix)]
    {
        let metadata = fs::metadata(path).map_err(|source| KeyFileError::Io { path: path.to_owned(), source })?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        if mode & 0o037 != 0 {
            return Err(KeyFileError::Exposed { path: path.to_owned() });
        }
    }
    Ok(())
}

fn malformed(path: &Path) -> impl FnOnce(&'static str) -> KeyFileError {
    move |flaw| KeyFileError::Malformed { path: path.to_owned(), flaw }
}
