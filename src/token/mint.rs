//! Signs tokens: the gate's own access tokens, identity assertions, and test tokens of the command line.

use super::terms::Algorithm;
use crate::secret::Secret;

/// A private key that signs, with the algorithm that its type fixes.
#[derive(Debug)]
pub struct SigningKey {}

impl SigningKey {
    /// Reads PKCS#8 PEM: P-256 signs ES256, P-384 ES384, Ed25519 EdDSA, RSA (2048 bits and more) RS256.
    ///
    /// # Errors
    /// A text for the operator.
    pub fn from_pem(_pem: &Secret) -> Result<Self, String> {
        unimplemented!()
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        unimplemented!()
    }

    /// The key's id: its thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        unimplemented!()
    }

    /// The public half as a JWK (RFC 7517 §4), with `kid`, `use` and `alg`.
    pub fn public_jwk(&self) -> serde_json::Value {
        unimplemented!()
    }

    /// Signs `claims` (a JSON object) under a header of `alg`, `kid` and `typ`: a compact JWS (RFC 7515 §7.1).
    pub fn sign(&self, _typ: &str, _claims: &serde_json::Value) -> String {
        unimplemented!()
    }
}
