//! The bounded memory of verified tokens. Knows what was verified, by which key and under which terms; whether that still
//! counts is asked again at every hit, by the verifier.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use quick_cache::sync::Cache;

use super::bearer::BearerToken;
use super::verified::VerifiedToken;

/// The bounded cache of verified tokens, keyed by a keyed digest of the whole token: signature result and parsed claims,
/// never a decision.
///
/// # Security
/// The 256-bit digest is two GMACs (NIST SP 800-38D) under two keys that are entropy of this process. It never leaves the
/// process, so the one nonce of each key gives nothing away; and whoever does not know the keys finds two tokens of 8 KiB
/// that share an entry with a chance of 2^-238, whatever he computes. No token is kept in memory. Only verified tokens
/// enter, so a flood of bad ones displaces nothing.
pub struct VerifiedTokens {
    tokens: Cache<[u8; 32], Arc<VerifiedToken>>,
    keys: [LessSafeKey; 2],
}

impl VerifiedTokens {
    /// The cache for at most `tokens_max` tokens; `entropy` is fresh and this process's alone.
    pub fn new(tokens_max: usize, entropy: [u8; 32]) -> Self {
        let key = |half: u8| {
            let key = *blake3::keyed_hash(&entropy, &[half]).as_bytes();
            LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).expect("32 bytes are a key"))
        };
        Self {
            tokens: Cache::new(tokens_max),
            keys: [key(0), key(1)],
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
        let mut digest = [0; 32];
        for (half, key) in digest.chunks_exact_mut(16).zip(&self.keys) {
            let nonce = Nonce::assume_unique_for_key([0; 12]);
            let token = Aad::from(token.as_bytes());
            let tag = key.seal_in_place_separate_tag(nonce, token, &mut []);
            half.copy_from_slice(tag.expect("nothing is sealed but a short text").as_ref());
        }
        digest
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
