//! Who somebody is, once it is proven: checked names and the claims that policy and upstreams read.
//! Knows nothing of tokens, routes or headers.

use std::fmt;
use std::sync::Arc;

/// The exact name of one product, as configured and as tokens carry it. Compared case-sensitively.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entitlement(Arc<str>);

/// Why a text is not a product's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntitlementError;

impl fmt::Display for EntitlementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a product's name is one or more visible characters without comma or space")
    }
}

impl std::error::Error for EntitlementError {}

impl Entitlement {
    /// The longest name, in bytes.
    pub const BYTES_MAX: usize = 256;

    /// Checks that `name` could be one product's name: not empty, no comma, white space or control character.
    ///
    /// # Errors
    /// [`EntitlementError`] when it could not; such an element of a token matches nothing.
    pub fn parse(name: &str) -> Result<Self, EntitlementError> {
        Self::is_sound(name)
            .then(|| Self(name.into()))
            .ok_or(EntitlementError)
    }

    fn is_sound(name: &str) -> bool {
        let breaks = |c: char| c == ',' || c.is_whitespace() || c.is_control();
        !name.is_empty() && name.len() <= Self::BYTES_MAX && !name.contains(breaks)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The products that a token says its holder may use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entitlements {
    /// The sound elements in the token's order, with a comma between them, which none of them has; absent when there is
    /// none. One text is what a cache of many tokens can afford.
    joined: Option<Box<str>>,
    unsound: bool,
}

impl Entitlements {
    /// Reads names element by element. Elements that could not be a product's name match nothing and are remembered
    /// only as "there was one".
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut joined = String::new();
        let mut unsound = false;
        for name in names {
            if !Entitlement::is_sound(name) {
                unsound = true;
                continue;
            }
            if !joined.is_empty() {
                joined.push(',');
            }
            joined.push_str(name);
        }
        Self {
            joined: (!joined.is_empty()).then(|| joined.into()),
            unsound,
        }
    }

    /// Whether `product` is among them: exact, case-sensitive, element by element.
    pub fn contains(&self, product: &Entitlement) -> bool {
        self.iter().any(|held| held == product.as_str())
    }

    /// Whether an element was read that would break a comma-joined list.
    pub fn has_unsound(&self) -> bool {
        self.unsound
    }

    /// The sound elements, comma-joined in the token's order; `None` when there is none.
    pub fn joined(&self) -> Option<&str> {
        self.joined.as_deref()
    }

    /// The sound elements in the token's order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.joined()
            .into_iter()
            .flat_map(|joined| joined.split(','))
    }
}

/// The scopes of a token: one text, space-separated (RFC 6749 §3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(Box<str>);

impl Scopes {
    /// Takes the list over.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether `scope` is among them: exact.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.split(' ').any(|held| held == scope)
    }

    /// The list, space-separated.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A holder of a token, as its verified claims describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The issuer's name in the configuration: the metric label.
    pub issuer_name: Arc<str>,
    /// `iss` (RFC 7519 §4.1.1).
    pub issuer: Arc<str>,
    /// `sub` (RFC 7519 §4.1.2).
    pub subject: Box<str>,
    /// The tenant claim, where the issuer names one and the token has it.
    pub tenant: Option<Box<str>>,
    /// `sid` (OpenID Connect Front-Channel Logout §3).
    pub session: Option<Box<str>>,
    /// `client_id` (RFC 9068 §2.2), or `azp`.
    pub client: Option<Box<str>>,
    /// `jti` (RFC 7519 §4.1.7).
    pub token_id: Option<Box<str>>,
    /// The scope claim (RFC 6749 §3.3).
    pub scopes: Option<Scopes>,
    /// The products.
    pub products: Entitlements,
}
