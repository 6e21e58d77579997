//! Access tokens as RFC 9068 has them: what a session's grant says, under the gate's own claims. Whatever the identity
//! service sends, the gate's claims are written last.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::entropy::Entropy;
use super::grant::Grant;
use super::id::TimedId;
use super::state::Session;
use crate::time::Timestamp;
use crate::token::{ClaimPath, SigningKey};

/// The operator's terms of access tokens.
#[derive(Debug, Clone)]
pub struct AccessTerms {
    /// `iss`.
    pub issuer: Arc<str>,
    /// `aud`.
    pub audience: Box<str>,
    /// From `iat` to `exp`, before jitter; less where the session ends before.
    pub lifetime: Duration,
    /// The part of the lifetime, 0 to 0.5, by which it is shortened at random: tokens of one moment end apart.
    pub jitter: f64,
    /// Where the products are.
    pub products: ClaimPath,
}

/// Mints access tokens.
#[derive(Debug)]
pub struct AccessMinter {
    terms: AccessTerms,
}

/// A token and how long it lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minted {
    /// The compact JWS.
    pub token: String,
    /// From now until `exp`, in seconds.
    pub expires_in: u64,
}

/// When a token is minted. After a clock was set back the two differ for a while.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The store's time of the change that the token speaks for: what revocations are compared with.
    pub committed_at: Timestamp,
    /// The present: what verifiers compare `iat` and `exp` with.
    pub now: Timestamp,
}

impl AccessMinter {
    /// A minter on these terms.
    pub fn new(terms: AccessTerms) -> Self {
        Self { terms }
    }

    /// Mints with `key` for a session, with a scope that may be narrower than what was granted. No token outlives the
    /// session's end.
    pub fn mint(
        &self,
        key: &SigningKey,
        session: &Session,
        scope: &str,
        moment: Moment,
        entropy: &dyn Entropy,
    ) -> Minted {
        let own = [
            ("sub", json!(session.subject)),
            ("client_id", json!(session.client)),
            ("scope", json!(scope)),
            ("sid", json!(session.id.to_string())),
            ("rtg", json!(session.generation)),
        ];
        let left = session.ends_at.since(moment.committed_at).as_secs();
        let expires_in = self.lifetime_secs(entropy).min(left.max(1));
        self.sign(key, &session.grant, own, expires_in, moment, entropy)
    }

    /// Mints with `key` for a client that speaks for itself (RFC 6749 §4.4).
    pub fn mint_for_client(
        &self,
        key: &SigningKey,
        client: &str,
        grant: &Grant,
        moment: Moment,
        entropy: &dyn Entropy,
    ) -> Minted {
        let own = [
            ("sub", json!(client)),
            ("client_id", json!(client)),
            ("scope", json!(grant.scope)),
        ];
        let expires_in = self.lifetime_secs(entropy);
        self.sign(key, grant, own, expires_in, moment, entropy)
    }

    fn sign<const N: usize>(
        &self,
        key: &SigningKey,
        grant: &Grant,
        own: [(&str, Value); N],
        expires_in: u64,
        moment: Moment,
        entropy: &dyn Entropy,
    ) -> Minted {
        let issued_at = moment.now.as_secs();
        let mut claims = granted(grant, &self.terms.products);
        let registered = [
            ("iss", json!(*self.terms.issuer)),
            ("aud", json!(self.terms.audience)),
            ("iat", json!(issued_at)),
            ("exp", json!(issued_at + expires_in)),
            (
                "jti",
                json!(TimedId::new(moment.committed_at, entropy).to_string()),
            ),
        ];
        let of_gate = own.into_iter().chain(registered);
        claims.extend(of_gate.map(|(name, value)| (name.to_owned(), value)));
        Minted {
            token: key.sign("at+jwt", &Value::Object(claims)),
            expires_in,
        }
    }

    fn lifetime_secs(&self, entropy: &dyn Entropy) -> u64 {
        let mut bytes = [0; 4];
        entropy.fill(&mut bytes);
        let share = f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX);
        let jitter = self.terms.jitter.clamp(0.0, 0.5) * share;
        (self.terms.lifetime.mul_f64(1.0 - jitter).as_secs()).max(1)
    }
}

/// What the identity service said, without a claim that is the gate's to write.
fn granted(grant: &Grant, products: &ClaimPath) -> Map<String, Value> {
    let mut claims = grant.claims.clone();
    claims.retain(|name, _| !Grant::RESERVED.contains(&name.as_str()));
    put(&mut claims, products.names(), json!(grant.products));
    let mut say = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            claims.insert(name.to_owned(), value);
        }
    };
    say("tenant", grant.tenant.as_ref().map(|tenant| json!(tenant)));
    say("auth_time", grant.auth_time.map(|at| json!(at)));
    say("acr", grant.acr.as_ref().map(|acr| json!(acr)));
    say("amr", (!grant.amr.is_empty()).then(|| json!(grant.amr)));
    claims
}

/// Puts a value where a path leads, making the objects on the way.
fn put(claims: &mut Map<String, Value>, path: &[Box<str>], value: Value) {
    match path {
        [] => {}
        [name] => {
            claims.insert(name.to_string(), value);
        }
        [name, rest @ ..] => {
            let inner = claims.entry(name.to_string()).or_insert(Value::Null);
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}
