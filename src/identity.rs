//! What the upstream hears of a verified caller: plain headers, and a signed assertion that lets it prove that the request
//! came through the gate. Knows no socket; the key and the time are arguments.

use std::sync::Arc;
use std::time::Duration;

use crate::time::Timestamp;
use crate::token::{SigningKey, Verified};

/// What the operator chose about identity headers.
#[derive(Debug, Clone)]
pub struct IdentityTerms {
    /// The header names that belong to the gateway.
    pub prefix: HeaderPrefix,
    /// The key that signs assertions; `None`: none is sent.
    pub signing_key: Option<Arc<SigningKey>>,
    /// `iss` of the assertion; present whenever there is a key.
    pub issuer: Option<Box<str>>,
    /// The longest life of an assertion.
    pub assertion_lifetime: Duration,
}

/// Writes identity headers.
#[derive(Debug)]
pub struct IdentitySigner {
    terms: IdentityTerms,
}

impl IdentitySigner {
    /// Takes the terms over.
    pub fn new(terms: &IdentityTerms) -> Self {
        Self {
            terms: terms.clone(),
        }
    }

    /// Hands the identity headers of a verified caller to `put`.
    pub fn put(
        &self,
        verified: &Verified,
        _upstream: &str,
        _now: Timestamp,
        put: &mut impl FnMut(&str, &[u8]),
    ) {
        let _ = (&self.terms, verified, put);
        unimplemented!()
    }

    /// The public key set at `/.well-known/identity-jwks.json` (RFC 7517 §5).
    pub fn jwks(&self) -> String {
        unimplemented!()
    }
}

/// The prefix of the gateway's own headers: `X-Identity-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderPrefix(Box<str>);

impl HeaderPrefix {
    /// Reads a prefix: letters, digits and dashes, with a dash at its end.
    pub fn parse(text: &str) -> Option<Self> {
        let sound = text.len() >= 2
            && text.ends_with('-')
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        sound.then(|| Self(text.into()))
    }

    /// As configured.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a field's name is under the prefix, in any case and with `_` for `-`.
    pub fn owns(&self, name: &str) -> bool {
        let prefix = self.0.as_bytes();
        name.len() >= prefix.len()
            && name.bytes().zip(prefix).all(|(byte, wanted)| {
                let byte = if byte == b'_' { b'-' } else { byte };
                byte.eq_ignore_ascii_case(wanted)
            })
    }
}
