//! The only birthplace of [`Verified`].

use std::sync::Arc;

use super::bearer::BearerToken;
use super::keys::KeyRing;
use super::terms::IssuerTerms;
use super::verified::{Verified, VerifiedTokens};
use crate::time::Timestamp;

/// Why a token is not accepted. One variant, one cause, in the order in which they are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenError {
    /// Not three strict parts of JSON, or a header that asks for what this house does not do.
    Malformed(&'static str),
    /// `typ` is not one of the issuer's.
    TypeRefused,
    /// `iss` is not a configured issuer's, or this route's.
    IssuerUnknown,
    /// `alg` is not this issuer's, or not this key's.
    AlgorithmRefused,
    /// The issuer has keys, none of them is the one.
    KeyUnknown {
        /// The issuer's name in the configuration: fetching its keys again may help.
        issuer_name: Arc<str>,
    },
    /// The issuer has no usable key at all.
    IssuerUnavailable {
        /// The issuer's name in the configuration.
        issuer_name: Arc<str>,
    },
    /// The signature does not verify.
    SignatureInvalid,
    /// A claim is missing or has the wrong type or value.
    ClaimInvalid(&'static str),
    /// `exp` is over.
    Expired,
    /// `nbf` or `iat` lies ahead.
    NotYetValid,
    /// It would live longer than the operator allows.
    LifetimeExceeded,
    /// `aud` names somebody else.
    AudienceMismatch,
}

/// Verifies tokens of a fixed set of issuers with a fixed ring of keys.
#[derive(Debug)]
pub struct Verifier {}

impl Verifier {
    /// Binds every issuer's terms to its keys. An issuer without an entry in `keys` has none.
    pub fn new(
        _issuers: Vec<Arc<IssuerTerms>>,
        _keys: &KeyRing,
        _verified: Arc<VerifiedTokens>,
    ) -> Self {
        Self {}
    }

    /// Verifies one token at `now`. `accepted` names the issuers that count here; `None` means all.
    ///
    /// # Errors
    /// The first check that failed, see [`TokenError`].
    pub fn verify(
        &self,
        _token: BearerToken<'_>,
        _accepted: Option<&[Arc<str>]>,
        _now: Timestamp,
    ) -> Result<Verified, TokenError> {
        unimplemented!()
    }
}
