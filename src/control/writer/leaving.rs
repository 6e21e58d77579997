//! Identity keys that a reload took away: what they signed may still be on its way to an upstream, or kept with a token by
//! one. Knows no private key.

use std::time::Duration;

use serde_json::Value;

use crate::identity::IdentityTerms;
use crate::time::Timestamp;

/// The public halves of keys that sign no more, the newest first, until nothing that they signed counts any longer.
#[derive(Debug, Default)]
pub(super) struct LeavingKeys {
    keys: Vec<(Value, Timestamp)>,
}

impl LeavingKeys {
    /// Follows a change of terms at `now`.
    pub(super) fn follow(&mut self, before: &IdentityTerms, after: &IdentityTerms, now: Timestamp) {
        self.retire(now);
        let [before_key, after_key] = [before, after].map(|terms| terms.signing_key.as_ref());
        if let Some(key) = before_key {
            let until = now.plus(before.assertion_lifetime).plus(CLOCKS_MAX);
            self.keys.insert(0, (key.public_jwk(), until));
        }
        if let Some(key) = after_key {
            let jwk = key.public_jwk();
            self.keys.retain(|(leaving, _)| *leaving != jwk);
        }
        self.keys.truncate(KEYS_MAX);
    }

    /// Lets go of what has served its time; whether there was any.
    pub(super) fn retire(&mut self, now: Timestamp) -> bool {
        let before = self.keys.len();
        self.keys.retain(|(_, until)| now < *until);
        self.keys.len() < before
    }

    /// As JWKs.
    pub(super) fn jwks(&self) -> Vec<Value> {
        self.keys.iter().map(|(jwk, _)| jwk.clone()).collect()
    }
}

/// How far an upstream's clock may be behind, and a request that began under the old gate.
const CLOCKS_MAX: Duration = Duration::from_secs(60);
/// Whoever changes keys more often than assertions end has a reason to be rid of them.
const KEYS_MAX: usize = 2;
