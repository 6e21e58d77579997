//! A rehearsal: the same gate with one imagined signer behind every issuer, so that claims can be judged without their
//! provider's key, by the code that serves. The same signer stands in for the gate's own: nothing that a rehearsal signs,
//! the assertion that it shows included, is worth anything elsewhere.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::admit::Gate;
use crate::config::Config;
use crate::config::model::{Issuer, KeySource};
use crate::time::Timestamp;
use crate::token::{IssuerTerms, KeyRing, KeySet, SigningKey, VerifiedTokens};

/// A gate like the configured one, whose issuers all sign with `key`.
pub struct Rehearsal {
    /// The gate.
    pub gate: Gate,
    key: Arc<SigningKey>,
}

impl Rehearsal {
    /// Puts it together. `key` is fresh, of any algorithm.
    ///
    /// # Panics
    /// Never: the public half of a signing key is a usable key.
    pub fn of(config: &Config, key: Arc<SigningKey>, entropy: [u8; 32]) -> Self {
        let algorithms = vec![key.algorithm()];
        let document = json!({ "keys": [key.public_jwk()] }).to_string();
        let (keys, _) = KeySet::parse(document.as_bytes(), &algorithms)
            .expect("a signing key has a public half");
        let keys = Arc::new(keys);
        let mut ring = KeyRing::default();
        let mut config = config.clone();
        for issuer in &mut config.issuers {
            let terms = IssuerTerms {
                algorithms: algorithms.clone(),
                ..(*issuer.terms).clone()
            };
            ring.insert(terms.name.clone(), keys.clone());
            *issuer = Arc::new(Issuer {
                terms: Arc::new(terms),
                keys: KeySource::Fixed(keys.clone()),
            });
        }
        if let Some(own) = &mut config.identity.signing_key {
            // An upstream would believe the real one, whatever was imagined.
            *own = key.clone();
        }
        let verified = Arc::new(VerifiedTokens::new(1, entropy));
        Self {
            gate: Gate::assemble(Arc::new(config), &ring, verified),
            key,
        }
    }

    /// A token with these claims. What is missing is filled in as the issuer would: that of `iss`, or else the first.
    /// A claim of `null` stays absent.
    pub fn token(&self, claims: Map<String, Value>, now: Timestamp) -> String {
        let issuers = &self.gate.config().issuers;
        let named = issuers.iter().find(|issuer| {
            claims
                .get("iss")
                .is_some_and(|iss| *iss == *issuer.terms.issuer)
        });
        let terms = named.or(issuers.first()).map(|issuer| &issuer.terms);
        let mut filled = Map::new();
        if let Some(terms) = terms {
            let lifetime = terms.lifetime_max.min(USUAL_LIFETIME);
            filled.insert("iss".into(), (*terms.issuer).into());
            filled.insert(
                "aud".into(),
                terms
                    .audiences
                    .first()
                    .map_or(Value::Null, |audience| (**audience).into()),
            );
            filled.insert("exp".into(), now.plus(lifetime).as_secs().into());
        }
        filled.insert("sub".into(), "imagined".into());
        filled.insert("iat".into(), now.as_secs().into());
        filled.extend(claims);
        filled.retain(|_, value| !value.is_null());
        let typ = terms
            .and_then(|terms| terms.types.first())
            .map_or("JWT", |typ| typ);
        self.key.sign(typ, &Value::Object(filled))
    }
}

/// How long an imagined token lives, where the issuer allows it.
const USUAL_LIFETIME: std::time::Duration = std::time::Duration::from_secs(300);
