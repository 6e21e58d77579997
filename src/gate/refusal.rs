//! A refusal: the one reason, the route it happened on, and what the operator alone may read.

use std::borrow::Cow;
use std::sync::Arc;

use super::reason::Reason;
use crate::policy::{Denial, PathError, Route};
use crate::principal::Entitlement;
use crate::token::{BearerError, Source, TokenError, TokenFailure, Verified, WantedKey};
use crate::wire::head::HeadError;

/// Why a request was refused, and what an answer may say of it.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The one reason.
    pub reason: Reason,
    /// The route, once it was found.
    pub route: Option<Arc<Route>>,
    /// What a client is told beside the reason.
    pub hint: Hint,
    /// For the operator: never in an answer, never a token.
    pub detail: Cow<'static, str>,
    /// The issuer's name in the configuration, once it was found.
    pub issuer_name: Option<Arc<str>>,
    /// The key that the issuer does not have: once it was fetched, the request may be judged otherwise.
    pub wanted: Option<WantedKey>,
    /// Where the knowledge of a token came from that was looked at before the refusal.
    pub source: Option<Source>,
    /// The token, where it was genuine all the same.
    pub verified: Option<Verified>,
}

/// What a client is told beside the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// Nothing.
    None,
    /// The methods that the path has (`Allow`).
    Allow(Vec<Box<str>>),
    /// The product that is missing.
    Product(Entitlement),
    /// The scopes that the route wants.
    Scopes(Vec<Box<str>>),
}

impl Refusal {
    /// A refusal without a route or a hint. Cold: the code of refusals lies apart from that of requests that pass.
    #[cold]
    pub fn new(reason: Reason, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason,
            route: None,
            hint: Hint::None,
            detail: detail.into(),
            issuer_name: None,
            wanted: None,
            source: None,
            verified: None,
        }
    }

    /// The same refusal, on `route`.
    #[must_use]
    pub fn on(mut self, route: &Arc<Route>) -> Self {
        self.route = Some(route.clone());
        self
    }

    pub(super) fn with_hint(mut self, hint: Hint) -> Self {
        self.hint = hint;
        self
    }

    pub(super) fn of_issuer(mut self, name: &Arc<str>) -> Self {
        self.issuer_name = Some(name.clone());
        self
    }

    /// The same refusal, of a token that was looked at.
    pub(super) fn of_token(self, issuer_name: Option<&Arc<str>>, source: Source) -> Self {
        Self {
            issuer_name: issuer_name.cloned().or(self.issuer_name),
            source: Some(source),
            ..self
        }
    }

    /// The same refusal, of a request with a verified token.
    pub(super) fn of_verified(self, verified: &Verified) -> Self {
        let issuer_name = &verified.principal().issuer_name;
        Self {
            verified: Some(verified.clone()),
            ..self.of_token(Some(issuer_name), verified.source())
        }
    }
}

impl From<HeadError> for Refusal {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::Malformed(detail) => Self::new(Reason::RequestMalformed, detail),
            HeadError::Ambiguous(detail) => Self::new(Reason::RequestAmbiguous, detail),
            HeadError::TooLarge => Self::new(
                Reason::HeadersTooLarge,
                "the head is over the listener's limit",
            ),
        }
    }
}

impl From<PathError> for Refusal {
    fn from(error: PathError) -> Self {
        match error {
            PathError::TooLong(detail) => Self::new(Reason::HeadersTooLarge, detail),
            PathError::Ambiguous(detail) => Self::new(Reason::RequestAmbiguous, detail),
        }
    }
}

impl From<BearerError> for Refusal {
    fn from(error: BearerError) -> Self {
        let (reason, detail) = match error {
            BearerError::Missing => return Self::new(Reason::TokenMissing, "no Bearer token"),
            BearerError::Oversized => (Reason::TokenOversized, "the token is over 8 KiB"),
        };
        Self::new(reason, detail).of_token(None, Source::Signature)
    }
}

impl From<TokenFailure> for Refusal {
    fn from(failure: TokenFailure) -> Self {
        Self::from(failure.error).of_token(failure.issuer_name.as_ref(), failure.source)
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        let detail = match &error {
            TokenError::IssuerUnknown => "`iss` is no issuer of this route",
            TokenError::KeyUnknown {
                wanted: WantedKey::Withdrawn,
                ..
            } => "the issuer has withdrawn the key",
            TokenError::KeyDistrusted => "the token's key is distrusted",
            other => other.detail(),
        };
        let refused = |reason| Self::new(reason, detail);
        match error {
            TokenError::Malformed(_) => refused(Reason::TokenMalformed),
            TokenError::TypeRefused => refused(Reason::TokenTypeRefused),
            TokenError::IssuerUnknown => refused(Reason::IssuerUnknown),
            TokenError::AlgorithmRefused => refused(Reason::AlgorithmRefused),
            TokenError::KeyUnknown {
                issuer_name,
                wanted,
            } => Self {
                wanted: Some(wanted),
                ..refused(Reason::KeyUnknown).of_issuer(&issuer_name)
            },
            TokenError::IssuerUnavailable { issuer_name } => {
                refused(Reason::IssuerUnavailable).of_issuer(&issuer_name)
            }
            TokenError::SignatureInvalid => refused(Reason::SignatureInvalid),
            TokenError::ClaimInvalid(_) => refused(Reason::ClaimInvalid),
            TokenError::Expired => refused(Reason::TokenExpired),
            TokenError::NotYetValid => refused(Reason::TokenNotYetValid),
            TokenError::LifetimeExceeded => refused(Reason::TokenLifetimeExceeded),
            TokenError::AudienceMismatch => refused(Reason::AudienceMismatch),
            TokenError::KeyDistrusted => refused(Reason::TokenRevoked),
        }
    }
}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::IssuerRefused => Self::new(
                Reason::IssuerUnknown,
                "the route takes no token of this issuer",
            ),
            Denial::ProductMissing(product) => Self::new(
                Reason::ProductMissing,
                format!("the token lacks the product `{}`", product.as_str()),
            )
            .with_hint(Hint::Product(product)),
            Denial::ScopeMissing(scopes) => Self::new(
                Reason::ScopeMissing,
                format!("the route wants {}", scopes.join(" ")),
            )
            .with_hint(Hint::Scopes(scopes)),
            Denial::TenantMismatch => Self::new(
                Reason::TenantMismatch,
                "the token's tenant is not the path's",
            ),
        }
    }
}
