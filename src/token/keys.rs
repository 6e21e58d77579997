//! Keys that signatures are checked with: a JWKS document (RFC 7517) or shared secrets in, usable keys out.

use std::collections::HashMap;
use std::sync::Arc;

use super::terms::Algorithm;
use crate::secret::Secret;

/// The usable keys of one issuer. Immutable: a refresh makes a new one and replaces the old exactly.
#[derive(Debug, Default)]
pub struct KeySet {}

impl KeySet {
    /// Reads a JWKS document. Odd keys are skipped and named in the second part; the rest serve.
    ///
    /// # Errors
    /// A text for the operator when the document is no JWKS at all.
    pub fn parse(
        _document: &[u8],
        _algorithms: &[Algorithm],
    ) -> Result<(Self, Vec<String>), String> {
        unimplemented!()
    }

    /// Makes a set of shared secrets for the HMAC algorithms.
    ///
    /// # Errors
    /// A text for the operator when a secret is shorter than the algorithm's hash (RFC 7518 §3.2).
    pub fn from_secrets(_secrets: &[Secret], _algorithms: &[Algorithm]) -> Result<Self, String> {
        unimplemented!()
    }

    /// How many keys can be used.
    pub fn len(&self) -> usize {
        0
    }

    /// Whether no key can be used.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The key sets of all issuers, by the issuer's name in the configuration.
#[derive(Debug, Default, Clone)]
pub struct KeyRing(HashMap<Arc<str>, Arc<KeySet>>);

impl KeyRing {
    /// Replaces one issuer's set exactly.
    pub fn insert(&mut self, issuer_name: Arc<str>, keys: Arc<KeySet>) {
        self.0.insert(issuer_name, keys);
    }

    /// One issuer's set.
    pub fn find(&self, issuer_name: &str) -> Option<&Arc<KeySet>> {
        self.0.get(issuer_name)
    }
}
