//! Which tokens are taken, and that no other is. Tokens are made here by hand, not by the library that reads them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::EncodePublicKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::*;

const SECRET: &[u8] = b"a secret of more than thirty-two bytes";
const NOW_MS: i64 = 1_770_000_000_000;

fn now() -> Timestamp {
    Timestamp::from_millis(NOW_MS).unwrap()
}

/// Seconds before or after now.
fn at(seconds: i64) -> i64 {
    NOW_MS / 1_000 + seconds
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn signed(header: &str, claims: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", base64(header), base64(claims));
    let signature = base64(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn hs256(secret: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> {
    move |message| {
        Hmac::<Sha256>::new_from_slice(secret).unwrap().chain_update(message).finalize().into_bytes().to_vec()
    }
}

fn signer(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn eddsa(seed: u8) -> impl Fn(&[u8]) -> Vec<u8> {
    move |message| signer(seed).sign(message).to_bytes().to_vec()
}

fn pem(seed: u8) -> String {
    signer(seed).verifying_key().to_public_key_pem(LineEnding::LF).unwrap()
}

fn jwk(seed: u8, kid: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": base64(signer(seed).verifying_key().as_bytes())})
}

/// A token's claims, with some changed, and left out where they are null.
fn claims(changes: &Value) -> String {
    let mut claims = json!({
        "iss": "https://login.example", "aud": "throng", "sub": "c1", "role": "creator", "iat": at(-60), "exp": at(600),
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims.to_string()
}

const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
const EDDSA: &str = r#"{"alg":"EdDSA"}"#;

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        crate::files::replace(&path, content.as_ref()).unwrap();
        path
    }
}

fn config() -> config::Jwt {
    let config = config::Config::default().jwt;
    config::Jwt { issuer: Some("https://login.example".to_owned()), audience: Some("throng".to_owned()), ..config }
}

fn with_secret(files: &Files) -> Verifier {
    let config = config::Jwt { hs256_file: Some(files.put("secret", [SECRET, b"\n"].concat())), ..config() };
    Verifier::open(&config).unwrap().unwrap()
}

fn with_public_key(files: &Files, key: impl AsRef<[u8]>) -> Result<Option<Verifier>, JwtError> {
    Verifier::open(&config::Jwt { eddsa_file: Some(files.put("public", key)), ..config() })
}

fn with_set(files: &Files, keys: &[Value]) -> Result<Option<Verifier>, JwtError> {
    let set = json!({ "keys": keys }).to_string();
    Verifier::open(&config::Jwt { jwks_file: Some(files.put("jwks.json", set)), ..config() })
}

fn read(verifier: &Verifier, token: &str) -> Result<Passport, Flaw> {
    verifier.read(token, &verifier.keys.get().unwrap(), now())
}

#[test]
fn a_token_within_all_rules_is_taken_for_its_role() {
    let files = Files::new();
    let verifier = with_secret(&files);
    let own = read(&verifier, &signed(HS256, &claims(&json!({})), hs256(SECRET))).unwrap();
    assert_eq!((own.subject.as_str(), own.role), ("c1", Role::Creator));
    assert_eq!(own.creator, Some(CreatorId::parse("c1").unwrap()));
    assert_eq!(own.until.millis(), at(600) * 1_000 + 10_000, "leeway included");
    let named =
        json!({"sub": "a person", "creator": "c2", "aud": ["else", "throng"], "nbf": at(-1), "exp": 1_770_000_599.5});
    let named = read(&verifier, &signed(HS256, &claims(&named), hs256(SECRET))).unwrap();
    assert_eq!((named.subject.as_str(), named.creator), ("a person", Some(CreatorId::parse("c2").unwrap())));
    let partner = claims(&json!({"sub": "agency", "role": "partner"}));
    let partner = read(&verifier, &signed(HS256, &partner, hs256(SECRET))).unwrap();
    assert_eq!((partner.role, partner.creator), (Role::Partner, None));
}

#[test]
fn claims_that_are_not_as_they_must_be_are_refused() {
    let files = Files::new();
    let verifier = with_secret(&files);
    for (changes, flaw) in [
        (json!({"exp": null}), Flaw::Claims),
        (json!({"exp": "1770000600"}), Flaw::Claims),
        (json!({"exp": -1}), Flaw::Claims),
        (json!({"exp": 1e300}), Flaw::Claims),
        (json!({"iat": null}), Flaw::Claims),
        (json!({"sub": null}), Flaw::Claims),
        (json!({"sub": ""}), Flaw::Claims),
        (json!({"sub": 7}), Flaw::Claims),
        (json!({"sub": "s".repeat(129), "creator": "c1"}), Flaw::Claims),
        (json!({"sub": "a\nb", "creator": "c1"}), Flaw::Claims),
        (json!({"role": null}), Flaw::Claims),
        (json!({"iss": null}), Flaw::Claims),
        (json!({"aud": null}), Flaw::Claims),
        (json!({"aud": []}), Flaw::Audience),
        (json!({"nbf": "soon"}), Flaw::Claims),
        (json!({"creator": ""}), Flaw::Claims),
        (json!({"role": "partner", "creator": "c1"}), Flaw::Claims),
        (json!({"iss": "https://evil.example"}), Flaw::Issuer),
        (json!({"iss": "https://login.example/"}), Flaw::Issuer),
        (json!({"aud": "other"}), Flaw::Audience),
        (json!({"aud": ["other", "THRONG"]}), Flaw::Audience),
        (json!({"exp": at(-10)}), Flaw::Expired),
        (json!({"nbf": at(11)}), Flaw::Early),
        (json!({"iat": at(11), "exp": at(12)}), Flaw::Early),
        (json!({"iat": at(5), "exp": at(1)}), Flaw::Life),
        (json!({"exp": at(3_541)}), Flaw::Life),
        (json!({"exp": at(10_000_000)}), Flaw::Life),
        (json!({"role": "operator"}), Flaw::Role),
        (json!({"role": "ingest"}), Flaw::Role),
        (json!({"role": "Creator"}), Flaw::Role),
    ] {
        let token = signed(HS256, &claims(&changes), hs256(SECRET));
        assert_eq!(read(&verifier, &token).unwrap_err(), flaw, "{changes}");
    }
    for (changes, why) in [
        (json!({"exp": at(-9)}), "expired within the leeway"),
        (json!({"nbf": at(10)}), "begins within the leeway"),
        (json!({"exp": at(3_540)}), "lives exactly as long as it may"),
    ] {
        assert!(read(&verifier, &signed(HS256, &claims(&changes), hs256(SECRET))).is_ok(), "{why}");
    }
    // Which of two would count differs among readers, so neither does.
    let twice = claims(&json!({})).replacen('{', "{\"sub\":\"c2\",", 1);
    assert_eq!(read(&verifier, &signed(HS256, &twice, hs256(SECRET))).unwrap_err(), Flaw::Claims);
}

#[test]
fn only_the_algorithm_of_the_key_opens_anything() {
    let files = Files::new();
    let (secret, public) = (with_secret(&files), with_public_key(&files, pem(1)).unwrap().unwrap());
    let plain = claims(&json!({}));
    assert!(read(&public, &signed(EDDSA, &plain, eddsa(1))).is_ok());
    // The public key as a shared secret, in every form that it has.
    let raw = signer(1).verifying_key().to_bytes().to_vec();
    for form in [raw.clone(), pem(1).into_bytes(), base64(raw).into_bytes()] {
        for header in [HS256, EDDSA] {
            assert!(read(&public, &signed(header, &plain, hs256(&form))).is_err());
        }
    }
    assert_eq!(read(&public, &signed(HS256, &plain, eddsa(1))).unwrap_err(), Flaw::Algorithm);
    assert_eq!(read(&secret, &signed(EDDSA, &plain, hs256(SECRET))).unwrap_err(), Flaw::Algorithm);
    assert_eq!(read(&public, &signed(EDDSA, &plain, eddsa(2))).unwrap_err(), Flaw::Signature);
    assert_eq!(read(&secret, &signed(HS256, &plain, hs256(b"another"))).unwrap_err(), Flaw::Signature);
    for verifier in [&secret, &public] {
        for alg in ["none", "None", "NONE", "", "HS384", "HS512", "RS256", "ES256", "Ed448"] {
            let header = json!({ "alg": alg }).to_string();
            for sign in [&hs256(SECRET) as &dyn Fn(&[u8]) -> Vec<u8>, &eddsa(1), &|_| Vec::new()] {
                assert!(read(verifier, &signed(&header, &plain, sign)).is_err(), "{alg}");
            }
        }
    }
}

#[test]
fn headers_that_are_critical_or_of_another_type_are_refused() {
    let files = Files::new();
    let verifier = with_secret(&files);
    let with = |header: &str| read(&verifier, &signed(header, &claims(&json!({})), hs256(SECRET)));
    for header in [
        r#"{"alg":"HS256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","typ":"dpop+jwt"}"#,
        r#"{"alg":"HS256","typ":"JWE"}"#,
    ] {
        assert_eq!(with(header).unwrap_err(), Flaw::Header, "{header}");
    }
    for header in
        [r#"{"alg":"HS256","typ":"jwt"}"#, r#"{"alg":"HS256","typ":"at+jwt","kid":"any"}"#, r#"{"alg":"HS256"}"#]
    {
        assert!(with(header).is_ok(), "{header}");
    }
    // A key that comes with the token is none.
    let own = json!({"alg": "EdDSA", "jwk": jwk(1, "own"), "kid": "own"}).to_string();
    assert!(read(&verifier, &signed(&own, &claims(&json!({})), eddsa(1))).is_err());
}

#[test]
fn a_token_with_one_character_changed_is_refused() {
    let files = Files::new();
    let (secret, public) = (with_secret(&files), with_public_key(&files, pem(1)).unwrap().unwrap());
    let plain = claims(&json!({}));
    for (verifier, token) in
        [(&secret, signed(HS256, &plain, hs256(SECRET))), (&public, signed(EDDSA, &plain, eddsa(1)))]
    {
        assert!(read(verifier, &token).is_ok());
        for (at, old) in token.char_indices() {
            for new in "AQgw_-.=".chars().filter(|&new| new != old) {
                let mut changed = token.clone();
                changed.replace_range(at..at + old.len_utf8(), &new.to_string());
                assert!(read(verifier, &changed).is_err(), "{changed}");
            }
        }
        for cut in 0..token.len() {
            assert!(read(verifier, &token[..cut]).is_err());
        }
        assert!(read(verifier, &format!("{token}.{token}")).is_err());
    }
}

#[test]
fn a_token_that_is_too_long_is_not_looked_at() {
    let files = Files::new();
    let mut verifier = with_secret(&files);
    let issued = Timestamp::now().millis() / 1_000;
    let lively = claims(&json!({"iat": issued, "exp": issued + 600}));
    let token = signed(HS256, &lively, hs256(SECRET));
    assert!(verifier.verify(&token).is_ok());
    verifier.bytes_max = token.len() - 1;
    assert_eq!(verifier.verify(&token).unwrap_err(), Refusal::Invalid);
}

#[test]
fn keys_rotate_without_a_restart() {
    let files = Files::new();
    let verifier = with_set(&files, &[jwk(1, "old")]).unwrap().unwrap();
    let issued = Timestamp::now().millis() / 1_000;
    let lively = claims(&json!({"iat": issued, "exp": issued + 600}));
    let token = |seed, kid: &str| signed(&json!({"alg": "EdDSA", "kid": kid}).to_string(), &lively, eddsa(seed));
    let old = verifier.verify(&token(1, "old")).unwrap();
    assert!(verifier.verify(&token(2, "new")).is_err());
    let secret = json!({"kty": "oct", "kid": "shared", "alg": "HS256", "k": base64(SECRET)});
    let rewrite = |keys: &[Value]| _ = files.put("jwks.json", json!({ "keys": keys }).to_string());
    rewrite(&[jwk(1, "old"), jwk(2, "new"), secret]);
    for (seed, kid) in [(1, "old"), (2, "new")] {
        assert!(verifier.verify(&token(seed, kid)).is_ok(), "{kid}");
    }
    let shared = r#"{"alg":"HS256","kid":"shared"}"#;
    assert!(verifier.verify(&signed(shared, &lively, hs256(SECRET))).is_ok());
    // Each key under its own name, and for its own algorithm.
    for wrong in [
        token(1, "new"),
        token(1, "nobody"),
        signed(EDDSA, &lively, eddsa(1)),
        signed(r#"{"alg":"HS256","kid":"old"}"#, &lively, hs256(SECRET)),
        signed(r#"{"alg":"EdDSA","kid":"shared"}"#, &lively, eddsa(1)),
    ] {
        assert_eq!(verifier.verify(&wrong).unwrap_err(), Refusal::Invalid, "{wrong}");
    }
    assert!(verifier.still_holds(&old).is_ok());
    rewrite(&[jwk(2, "new")]);
    assert_eq!(verifier.verify(&token(1, "old")).unwrap_err(), Refusal::Invalid, "though it was verified before");
    assert_eq!(verifier.still_holds(&old), Err(Refusal::Invalid));
    // The name alone does not make it the same key.
    rewrite(&[jwk(3, "old")]);
    assert_eq!(verifier.still_holds(&old), Err(Refusal::Invalid));
    files.put("jwks.json", "{\"keys\":");
    assert_eq!(verifier.verify(&token(1, "old")).unwrap_err(), Refusal::Unreadable);
    rewrite(&[jwk(1, "old")]);
    assert!(verifier.verify(&token(1, "old")).is_ok());
}

#[test]
fn a_passport_ends_at_its_instant() {
    let files = Files::new();
    let verifier = with_secret(&files);
    let passport = read(&verifier, &signed(HS256, &claims(&json!({})), hs256(SECRET))).unwrap();
    let keys = verifier.keys.get().unwrap();
    assert!(holds(&passport, &keys, Timestamp::from_millis(passport.until.millis() - 1).unwrap()));
    assert!(!holds(&passport, &keys, passport.until));
}

#[test]
fn a_set_of_keys_is_read_with_care() {
    let files = Files::new();
    let rsa = json!({"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB", "alg": "RS256"});
    let with = |change: &dyn Fn(&mut Value)| {
        let mut key = jwk(1, "a");
        change(&mut key);
        key
    };
    for (keys, words) in [
        (vec![], "none of its keys"),
        (vec![rsa.clone()], "none of its keys"),
        (vec![with(&|key| key["use"] = json!("enc"))], "none of its keys"),
        (vec![with(&|key| key["alg"] = json!("HS256"))], "none of its keys"),
        (vec![with(&|key| key["crv"] = json!("X25519"))], "none of its keys"),
        (vec![with(&|key| key["d"] = json!("AAAA"))], "private key"),
        (vec![with(&|key| key["kid"] = Value::Null)], "needs a kid"),
        (vec![jwk(1, "a"), jwk(2, "a")], "same kid"),
        (vec![with(&|key| key["x"] = json!("AAAA"))], "no point"),
        (vec![with(&|key| key["x"] = json!("not base64!"))], "malformed"),
        (vec![json!({"kty": "oct", "kid": "s", "k": base64("short")})], "at least 32 bytes"),
        ((0..65).map(|seed| jwk(seed, &seed.to_string())).collect(), "more than 64"),
    ] {
        let error = with_set(&files, &keys).err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    }
    let both = with_set(&files, &[rsa, with(&|key| key["alg"] = json!("Ed25519"))]).unwrap().unwrap();
    assert_eq!(both.keys.get().unwrap().find(Some("r")).map(|key| key.algorithm), None);
    assert!(both.keys.get().unwrap().find(Some("a")).is_some());
}

#[test]
fn a_public_key_is_pem_or_a_jwk_and_never_a_private_one() {
    let files = Files::new();
    let token = signed(EDDSA, &claims(&json!({})), eddsa(1));
    let named = signed(r#"{"alg":"EdDSA","kid":"other"}"#, &claims(&json!({})), eddsa(1));
    let as_pem = with_public_key(&files, pem(1)).unwrap().unwrap();
    assert!(read(&as_pem, &token).is_ok() && read(&as_pem, &named).is_ok());
    let as_jwk = with_public_key(&files, jwk(1, "k").to_string()).unwrap().unwrap();
    assert!(read(&as_jwk, &token).is_ok());
    assert_eq!(read(&as_jwk, &named).unwrap_err(), Flaw::Key);
    let mut private = jwk(1, "k");
    private["d"] = json!(base64([1; 32]));
    let secret = json!({"kty": "oct", "k": base64(SECRET)}).to_string();
    let private_pem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (wrong, words) in [
        (private.to_string(), "private key"),
        (private_pem.to_owned(), "private key"),
        (secret, "neither"),
        ("hello".to_owned(), "neither"),
        (pem(1).replace("MCow", "MCox"), "neither"),
    ] {
        let error = with_public_key(&files, wrong).err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_configuration_that_would_take_too_much_is_refused() {
    let files = Files::new();
    let secret = files.put("secret", SECRET);
    let open = |config: config::Jwt| Verifier::open(&config).err().unwrap().to_string();
    let only = config::Jwt { hs256_file: Some(secret.clone()), ..config() };
    assert!(open(config::Jwt { jwks_file: Some(secret.clone()), ..only.clone() }).contains("only one"));
    assert!(open(config::Jwt { issuer: None, ..only.clone() }).contains("jwt.issuer"));
    assert!(open(config::Jwt { audience: None, ..only.clone() }).contains("jwt.audience"));
    assert!(open(config::Jwt { hs256_file: Some("/nowhere".into()), ..config() }).contains("/nowhere"));
    files.put("secret", "thirty-one bytes are too few...");
    assert!(open(only.clone()).contains("at least 32 bytes"));
    files.put("secret", SECRET);
    #[cfg(unix)]
    for mode in [0o644, 0o604, 0o660] {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&secret, fs::Permissions::from_mode(mode)).unwrap();
        assert!(open(only.clone()).contains("chmod 600"), "{mode:o}");
    }
    assert!(Verifier::open(&config()).unwrap().is_none());
}
