//! The gate's own access tokens at its own endpoints: verified as on any route, and asked for revocation.

use std::sync::Arc;

use http::header;

use super::call::Call;
use super::own_keys::OwnKeys;
use crate::config::Config;
use crate::config::model::KeySource;
use crate::control;
use crate::gate::{Reason, Refusal};
use crate::session::{OWN_ISSUER, Revocations};
use crate::time::Timestamp;
use crate::token::{BearerToken, KeyRing, Verified, VerifiedTokens, Verifier};

/// Verifies tokens of the gate's own issuer, and of no other.
#[derive(Debug)]
pub(super) struct OwnTokens {
    verifier: Verifier,
    keys: OwnKeys,
    revocations: Arc<Revocations>,
}

impl OwnTokens {
    pub(super) fn new(config: &Config, keys: OwnKeys, revocations: Arc<Revocations>) -> Self {
        let own = config.issuer(OWN_ISSUER);
        let own = own.expect("the configuration makes [sessions] an issuer");
        let mut ring = KeyRing::default();
        if let KeySource::Fixed(set) = &own.keys {
            ring.insert(OWN_ISSUER.into(), set.clone());
        }
        let verified = VerifiedTokens::new(CACHED_MAX, control::fresh());
        Self {
            verifier: Verifier::new(vec![own.terms.clone()], &ring, Arc::new(verified)),
            keys,
            revocations,
        }
    }

    /// The holder of the one Bearer token of a call.
    ///
    /// # Errors
    /// The refusal that any route would give.
    pub(super) fn holder(&self, call: &Call<'_>) -> Result<Verified, Refusal> {
        let mut values = call.request.headers().get_all(header::AUTHORIZATION).iter();
        let value = values
            .next()
            .ok_or_else(|| Refusal::new(Reason::TokenMissing, "no Authorization"))?;
        if values.next().is_some() || value.as_bytes().contains(&b',') {
            let detail = "more than one Authorization";
            return Err(Refusal::new(Reason::RequestAmbiguous, detail));
        }
        self.verify(BearerToken::parse(value.as_bytes())?, call.now)
    }

    /// The holder of a token that came as a parameter; `None` whatever is wrong with it.
    pub(super) fn find(&self, token: &str, now: Timestamp) -> Option<Verified> {
        self.verify(BearerToken::from_compact(token).ok()?, now)
            .ok()
    }

    fn verify(&self, token: BearerToken<'_>, now: Timestamp) -> Result<Verified, Refusal> {
        let verified = self.verifier.verify(token, None, now)?;
        if let Some(by) = self.revocations.find(&verified, now) {
            return Err(Refusal::new(Reason::TokenRevoked, by.as_str()));
        }
        match self.keys.verifies(verified.kid(), now) {
            true => Ok(verified),
            false => Err(Refusal::new(Reason::KeyUnknown, "the key is retired")),
        }
    }
}

const CACHED_MAX: usize = 1000;
