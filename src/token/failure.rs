//! Why a token is not accepted. Knows every cause and its order; does not know what a client is told of it.

use std::fmt;
use std::sync::Arc;

use super::source::Source;

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
        /// What is known of the key that is wanted.
        wanted: WantedKey,
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
    /// All of it holds, and the operator trusts its key no more.
    KeyDistrusted,
}

/// What is known of a key that an issuer does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantedKey {
    /// Nothing: it may have been published a moment ago.
    Unseen,
    /// The issuer had it and has withdrawn it. Its tokens go on coming for a while; few providers take it back.
    Withdrawn,
}

/// A [`TokenError`] with the issuer it happened under: a metric label, never a text of the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFailure {
    /// The cause.
    pub error: TokenError,
    /// The issuer's name in the configuration, once `iss` named a configured one.
    pub issuer_name: Option<Arc<str>>,
    /// Whether the token was known from before.
    pub source: Source,
}

impl TokenError {
    /// What is wrong, without anything that the token says.
    pub const fn detail(&self) -> &'static str {
        match self {
            Self::Malformed(detail) | Self::ClaimInvalid(detail) => detail,
            Self::TypeRefused => "`typ` is not one of the issuer's",
            Self::IssuerUnknown => "`iss` is no accepted issuer",
            Self::AlgorithmRefused => "`alg` is not the issuer's or the key's",
            Self::KeyUnknown { .. } => "the issuer has no such key",
            Self::IssuerUnavailable { .. } => "no usable key of the issuer",
            Self::SignatureInvalid => "the signature does not verify",
            Self::Expired => "`exp` is over",
            Self::NotYetValid => "`nbf` or `iat` lies ahead",
            Self::LifetimeExceeded => "it lives longer than `lifetime_max`",
            Self::AudienceMismatch => "`aud` is none of the issuer's audiences",
            Self::KeyDistrusted => "its key is distrusted",
        }
    }

    /// This error under the issuer that is called `name` in the configuration.
    pub(super) fn of_issuer(self, name: &Arc<str>) -> TokenFailure {
        TokenFailure {
            error: self,
            issuer_name: Some(name.clone()),
            source: Source::Signature,
        }
    }
}

impl TokenFailure {
    /// The same failure, of a token that was verified before.
    pub(super) fn remembered(self) -> Self {
        Self {
            source: Source::Cache,
            ..self
        }
    }
}

impl From<TokenError> for TokenFailure {
    fn from(error: TokenError) -> Self {
        Self {
            error,
            issuer_name: None,
            source: Source::Signature,
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl std::error::Error for TokenError {}

impl fmt::Display for TokenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.issuer_name {
            Some(name) => write!(f, "issuer `{name}`: {}", self.error),
            None => self.error.fmt(f),
        }
    }
}

impl std::error::Error for TokenFailure {}
