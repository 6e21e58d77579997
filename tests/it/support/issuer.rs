//! An issuer of tokens: one key, its JWKS, and claims with anything wrong in them that a test wants.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tollgate::token::{Algorithm, SigningKey};

/// An issuer with one ES256 key.
pub struct Issuer {
    pub url: String,
    pub key: SigningKey,
}

impl Issuer {
    pub fn new(url: &str) -> Self {
        let pem = SigningKey::generate_pem(Algorithm::Es256).unwrap();
        Self {
            url: url.to_owned(),
            key: SigningKey::from_pem(&pem).unwrap(),
        }
    }

    pub fn jwks(&self) -> String {
        json!({ "keys": [self.key.public_jwk()] }).to_string()
    }

    /// Claims that the gateway of [`super::Gateway`] accepts, with the products `crm`.
    pub fn claims(&self) -> Value {
        let now = now();
        json!({
            "iss": self.url, "aud": "https://api.example.com", "sub": "u_1", "iat": now, "exp": now + 600,
            "products": ["crm"], "scope": "crm.read", "tenant": "acme", "sid": "s_1",
        })
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.key.sign("at+jwt", claims)
    }

    /// A good token with `changes` laid over its claims; `null` takes a claim away.
    pub fn token(&self, changes: Value) -> String {
        let mut claims = self.claims();
        for (name, value) in changes.as_object().expect("an object of changes") {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        self.sign(&claims)
    }

    /// A header line with a good token that holds `crm`.
    pub fn bearer(&self) -> String {
        format!("Authorization: Bearer {}", self.token(json!({})))
    }
}

/// Seconds since the Unix epoch, as the gateway's clock tells them.
pub fn now() -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "tokens of a test live in the time of the process that verifies them"
    )]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs()
}
