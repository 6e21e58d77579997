//! The bounded memory of verified tokens. Knows what was verified, by which key and under which terms; whether that still
//! counts is asked again at every hit, by the verifier.

use std::fmt;
use std::sync::Arc;

use quick_cache::sync::Cache;

use super::bearer::BearerToken;
use super::verified::VerifiedToken;

/// The bounded cache of verified tokens, keyed by a keyed digest of the whole token: signature result and parsed claims,
/// never a decision.
///
/// # Security
/// The 256-bit digest (BLAKE3) is keyed with entropy of this process: nobody outside can search for two tokens that share
/// an entry, and no token is kept in memory. Only verified tokens enter, so a flood of bad ones displaces nothing.
pub struct VerifiedTokens {
    tokens: Cache<[u8; 32], Arc<VerifiedToken>>,
    key: [u8; 32],
}

impl VerifiedTokens {
    /// The cache for at most `tokens_max` tokens; `key` is fresh entropy of this process.
    pub fn new(tokens_max: usize, key: [u8; 32]) -> Self {
        Self {
            tokens: Cache::new(tokens_max),
            key,
        }
    }

    /// How many tokens it holds (`tollgate_verified_tokens`).
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    pub(super) fn digest(&self, token: BearerToken<'_>) -> [u8; 32] {
        *blake3::keyed_hash(&self.key, token.as_str().as_bytes()).as_bytes()
    }

    pub(super) fn find(&self, digest: &[u8; 32]) -> Option<Arc<VerifiedToken>> {
        self.tokens.get(digest)
    }

    pub(super) fn insert(&self, token: Arc<VerifiedToken>) {
        self.tokens.insert(token.digest, token);
    }

    pub(super) fn remove(&self, digest: &[u8; 32]) {
        self.tokens.remove(digest);
    }
}

/// The digests' key stays out of logs.
impl fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedTokens({})", self.len())
    }
}
