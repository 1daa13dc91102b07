//! A service that logs people in and signs JWTs for them, made by hand: nothing of it is the library that verifies them.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use crate::server::Data;

pub(crate) const ISSUER: &str = "https://login.example";
pub(crate) const AUDIENCE: &str = "throng";

/// Signs with one Ed25519 key.
pub(crate) struct Issuer {
    key: SigningKey,
    kid: &'static str,
}

impl Issuer {
    pub(crate) fn new(seed: u8, kid: &'static str) -> Self {
        Self { key: SigningKey::from_bytes(&[seed; 32]), kid }
    }

    /// The public key.
    pub(crate) fn jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": x})
    }

    /// A token with these claims, besides what all have; null takes one out.
    pub(crate) fn token(&self, claims: &Value) -> String {
        let now = now();
        let mut all = json!({"iss": ISSUER, "aud": AUDIENCE, "iat": now - 5, "exp": now + 600});
        all.as_object_mut().expect("an object").extend(claims.as_object().expect("an object").clone());
        let head = URL_SAFE_NO_PAD.encode(json!({"alg": "EdDSA", "kid": self.kid}).to_string());
        let message = format!("{head}.{}", URL_SAFE_NO_PAD.encode(all.to_string()));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(self.key.sign(message.as_bytes()).to_bytes()))
    }

    /// For the owner of a channel.
    pub(crate) fn creator(&self, channel: &str) -> String {
        self.token(&json!({"sub": channel, "role": "creator"}))
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// Writes the JWK Set of these issuers, whole at once.
pub(crate) fn publish(data: &Data, issuers: &[&Issuer]) -> PathBuf {
    let keys: Vec<_> = issuers.iter().map(|issuer| issuer.jwk()).collect();
    let path = data.file("jwks.json.new", json!({ "keys": keys }).to_string());
    let to = path.with_file_name("jwks.json");
    std::fs::rename(path, &to).expect("scratch space");
    to
}

/// What makes a server take these tokens, with a file that [`publish`] wrote.
pub(crate) const TAKEN: [(&str, &str); 4] = [
    ("THRONG_JWT_JWKS_FILE", "jwks.json"),
    ("THRONG_JWT_ISSUER", ISSUER),
    ("THRONG_JWT_AUDIENCE", AUDIENCE),
    ("THRONG_JWT_LEEWAY_MS", "0"),
];
