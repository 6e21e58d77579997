//! The bounded memory of verified tokens. Knows what was verified, by which key and under which terms; whether that still
//! counts is asked again at every hit, by the verifier.

use std::fmt;
use std::sync::Arc;

use highway::{HighwayHash, HighwayHasher, Key};
use quick_cache::sync::Cache;

use super::bearer::BearerToken;
use super::verified::VerifiedToken;

/// The bounded cache of verified tokens, keyed by a keyed digest of the whole token: signature result and parsed claims,
/// never a decision.
///
/// # Security
/// The 256-bit digest (HighwayHash, a pseudorandom function) is keyed with entropy of this process and never leaves it, so
/// nobody outside can search for two tokens that share an entry; and no token is kept in memory. Only verified tokens enter,
/// so a flood of bad ones displaces nothing.
pub struct VerifiedTokens {
    tokens: Cache<[u8; 32], Arc<VerifiedToken>>,
    key: Key,
}

impl VerifiedTokens {
    /// The cache for at most `tokens_max` tokens; `key` is fresh entropy of this process.
    pub fn new(tokens_max: usize, key: [u8; 32]) -> Self {
        Self {
            tokens: Cache::new(tokens_max),
            key: Key(words(key)),
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
        let digest = HighwayHasher::new(self.key).hash256(token.as_bytes());
        let mut bytes = [0; 32];
        for (bytes, word) in bytes.chunks_exact_mut(8).zip(digest) {
            bytes.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
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

fn words(key: [u8; 32]) -> [u64; 4] {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(key.as_chunks::<8>().0) {
        *word = u64::from_ne_bytes(*bytes);
    }
    words
}

/// The digests' key stays out of logs.
impl fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedTokens({})", self.len())
    }
}
