//! A provider to test against: real keys, and tokens with one thing wrong.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::secret::Secret;
use crate::time::Timestamp;
use crate::token::{
    Algorithm, BearerToken, ClaimPath, IssuerTerms, KeyRing, KeySet, SigningKey, TokenError,
    Verified, VerifiedTokens, Verifier,
};

/// The moment at which tests verify, in seconds since the epoch.
pub(super) const NOW: u64 = 1_700_000_000;

/// `[issuers.main]` of the tests: a key and the terms that go with it.
pub(super) struct TestIssuer {
    pub(super) key: SigningKey,
    pub(super) terms: IssuerTerms,
}

impl TestIssuer {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        let pem = SigningKey::generate_pem(algorithm).unwrap();
        Self {
            key: SigningKey::from_pem(&pem).unwrap(),
            terms: terms("main", "https://auth.example.com", &[algorithm]),
        }
    }

    pub(super) fn verifier(&self) -> Verifier {
        verifier(self.terms.clone(), KeySet::from_signing_keys([&self.key]))
    }

    pub(super) fn verify(&self, token: &str) -> Result<Verified, TokenError> {
        verify(&self.verifier(), token, NOW)
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        self.key.sign("at+jwt", claims)
    }
}

pub(super) fn terms(name: &str, issuer: &str, algorithms: &[Algorithm]) -> IssuerTerms {
    IssuerTerms {
        name: name.into(),
        issuer: issuer.into(),
        audiences: vec!["https://api.example.com".into()],
        algorithms: algorithms.to_vec(),
        types: vec!["at+jwt".into(), "JWT".into()],
        leeway: Duration::from_secs(5),
        lifetime_max: Duration::from_secs(3600),
        products: ClaimPath::parse("products").unwrap(),
        scopes: ClaimPath::parse("scope").unwrap(),
        tenant: ClaimPath::parse("tenant").unwrap(),
    }
}

pub(super) fn verifier(terms: IssuerTerms, keys: KeySet) -> Verifier {
    let mut ring = KeyRing::default();
    ring.insert(terms.name.clone(), Arc::new(keys));
    Verifier::new(vec![Arc::new(terms)], &ring, cache())
}

pub(super) fn cache() -> Arc<VerifiedTokens> {
    Arc::new(VerifiedTokens::new(100, [7; 32]))
}

pub(super) fn verify(verifier: &Verifier, token: &str, now: u64) -> Result<Verified, TokenError> {
    let token = BearerToken::from_compact(token).expect("the alphabet of a token");
    verifier
        .verify(token, None, Timestamp::from_secs(now))
        .map_err(|failure| failure.error)
}

/// Claims that every check lets pass at [`NOW`].
pub(super) fn good_claims() -> Value {
    json!({
        "iss": "https://auth.example.com",
        "aud": "https://api.example.com",
        "sub": "alice",
        "iat": NOW,
        "exp": NOW + 600,
        "jti": "t-1",
        "sid": "s-1",
        "client_id": "web",
        "scope": "crm.read crm.write",
        "tenant": "acme",
        "products": ["crm", "wiki"],
    })
}

/// [`good_claims`] with `changes` merged in; a change to the text `"\0"` removes the member.
pub(super) fn claims_with(changes: &Value) -> Value {
    let mut claims = good_claims();
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value == "\0" {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    claims
}

/// Any header and any claims, as texts, under an HS256 signature that holds: what is refused is refused for its content.
pub(super) fn hs256(header: &str, claims: &str) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, HS_SECRET);
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let signing_input = format!("{}.{}", encode(header), encode(claims));
    let tag = aws_lc_rs::hmac::sign(&key, signing_input.as_bytes());
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// A verifier of what [`hs256`] signs.
pub(super) fn hs256_verifier() -> Verifier {
    let terms = terms("main", "https://auth.example.com", &[Algorithm::Hs256]);
    verifier(terms, hs256_keys())
}

/// The key set of what [`hs256`] signs.
pub(super) fn hs256_keys() -> KeySet {
    let secret = Secret::new(HS_SECRET.to_vec());
    KeySet::from_secrets(&[secret], &[Algorithm::Hs256]).unwrap()
}

pub(super) const HS_SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
