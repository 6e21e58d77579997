//! The gate's own signing keys at this moment: which one signs, which ones are published. What is revoked is not among
//! them.

use std::sync::Arc;
use std::time::Duration;

use super::failure::Failure;
use crate::config::model::Sessions;
use crate::session::{OWN_ISSUER, Revocations, SigningKeys};
use crate::time::Timestamp;
use crate::token::SigningKey;

/// The signing keys of one configuration.
#[derive(Debug, Clone)]
pub(super) struct OwnKeys {
    keys: SigningKeys,
    /// Of the tokens that they sign.
    lifetime: Duration,
    revocations: Arc<Revocations>,
}

impl OwnKeys {
    pub(super) fn new(sessions: &Sessions, revocations: Arc<Revocations>) -> Self {
        Self {
            keys: sessions.signing_keys.clone(),
            lifetime: sessions.access_lifetime_max,
            revocations,
        }
    }

    /// The key that signs. To be asked for before anything is consumed.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] when every key is distrusted.
    pub(super) fn signer(&self, now: Timestamp) -> Result<&SigningKey, Failure> {
        let signer = self.keys.signer(now, self.is_trusted(now));
        signer.map(AsRef::as_ref).ok_or_else(|| {
            tracing::error!("no signing key is left: make one with `tollgate key rotate`");
            Failure::Unavailable
        })
    }

    /// What the JWKS holds.
    pub(super) fn published(&self, now: Timestamp) -> Vec<&Arc<SigningKey>> {
        let trusted = self.is_trusted(now);
        self.keys.published(now, self.lifetime, trusted)
    }

    /// Whether a token with this `kid` may still be genuine.
    pub(super) fn verifies(&self, kid: Option<&str>, now: Timestamp) -> bool {
        let published = self.published(now);
        published.iter().any(|key| Some(key.kid()) == kid)
    }

    fn is_trusted(&self, now: Timestamp) -> impl Fn(&str) -> bool {
        move |kid| !self.revocations.is_key_revoked(OWN_ISSUER, kid, now)
    }
}
