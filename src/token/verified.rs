//! The proof that a token was verified.

use crate::principal::Principal;
use crate::time::Timestamp;

/// A principal whose token passed every check at one moment. Only `verify` makes one.
#[derive(Debug, Clone)]
pub struct Verified {
    principal: std::sync::Arc<Principal>,
    expires_at: Timestamp,
}

impl Verified {
    /// Whose token it is.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// `exp`.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// A digest of the whole token under this process's key: names the token without being it.
    pub fn digest(&self) -> &[u8; 32] {
        unimplemented!()
    }

    /// `kid` of the key that signed it.
    pub fn kid(&self) -> Option<&str> {
        unimplemented!()
    }

    /// `iat`.
    pub fn issued_at(&self) -> Option<Timestamp> {
        unimplemented!()
    }

    /// For `explain`: issuer, key, algorithm and times, no secret.
    pub fn summary(&self) -> String {
        unimplemented!()
    }
}

/// The bounded cache of verified tokens, keyed by a keyed digest of the whole token: signature result and parsed claims,
/// never a decision.
#[derive(Debug)]
pub struct VerifiedTokens {}

impl VerifiedTokens {
    /// The cache for at most `tokens_max` tokens; `key` is fresh entropy of this process.
    pub fn new(_tokens_max: usize, _key: [u8; 32]) -> Self {
        Self {}
    }
}
