//! What an operator demands of one issuer's tokens: the terms that verification holds them to.

use std::sync::Arc;
use std::time::Duration;

/// A signature algorithm that this house accepts (RFC 7518 §3.1, RFC 8037 §3.1). `none` has no variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// Every algorithm, in the order of RFC 7518's table.
    pub const ALL: [Self; 12] = [
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Es256,
        Self::Es384,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::EdDsa,
    ];

    /// The registered name, as in a JWS header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Finds an algorithm by its registered name: exact, case-sensitive (RFC 7515 §4.1.1).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }

    /// Whether the key is a shared secret.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }
}

/// Where in the claims a value is: member names from the outside in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(Vec<Box<str>>);

impl ClaimPath {
    /// Reads a dotted path; a text with `://` is one literal name, since namespaced claims are URLs.
    pub fn parse(text: &str) -> Option<Self> {
        let names: Vec<Box<str>> = if text.contains("://") {
            vec![text.into()]
        } else {
            text.split('.').map(Into::into).collect()
        };
        names
            .iter()
            .all(|name| !name.is_empty())
            .then_some(Self(names))
    }

    /// A claim that stands among the outermost, by its name.
    pub fn of(name: &str) -> Self {
        Self(vec![name.into()])
    }

    /// The member names from the outside in; never empty.
    pub fn names(&self) -> &[Box<str>] {
        &self.0
    }
}

/// The terms of one issuer, as the configuration states them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerTerms {
    /// The issuer's name in the configuration: the metric label.
    pub name: Arc<str>,
    /// Must equal `iss` exactly (RFC 8725 §3.8).
    pub issuer: Arc<str>,
    /// One of them must be in `aud` (RFC 8725 §3.9). Never empty.
    pub audiences: Vec<Box<str>>,
    /// The only ones accepted (RFC 8725 §3.1). Never empty.
    pub algorithms: Vec<Algorithm>,
    /// Accepted `typ` without the `application/` prefix, compared without case; an absent one counts as `JWT`.
    pub types: Vec<Box<str>>,
    /// Allowed clock difference for `exp`, `nbf` and `iat`.
    pub leeway: Duration,
    /// The longest accepted `exp` − `iat`, or `exp` − now where `iat` is absent.
    pub lifetime_max: Duration,
    /// Where the products are.
    pub products: ClaimPath,
    /// Where the scopes are.
    pub scopes: ClaimPath,
    /// Where the tenant is.
    pub tenant: ClaimPath,
}
