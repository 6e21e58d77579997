//! `[issuers.NAME]`: whose tokens count, and where their keys come from.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::secret::Secret;
use crate::token::{IssuerTerms, KeySet};

/// `[issuers.NAME]`.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// What its tokens are held to.
    pub terms: Arc<IssuerTerms>,
    /// Where its keys come from.
    pub keys: KeySource,
}

impl Issuer {
    /// Whether its keys come from a provider, and not with the configuration.
    pub fn is_remote(&self) -> bool {
        matches!(self.keys, KeySource::Remote(_))
    }
}

/// Where an issuer's keys come from: exactly one source.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// A JWKS file or shared secrets, read with the configuration. The set is not empty.
    Fixed(Arc<KeySet>),
    /// A JWKS over HTTP.
    Remote(RemoteKeys),
}

/// A JWKS over HTTP, and how it is kept fresh.
#[derive(Debug, Clone)]
pub struct RemoteKeys {
    /// The JWKS; `None`: it is discovered from the issuer (OpenID Connect Discovery §4, RFC 8414 §3).
    pub jwks_url: Option<Box<str>>,
    /// The shortest time between two refreshes.
    pub refresh_min: Duration,
    /// The longest time between two refreshes.
    pub refresh_max: Duration,
    /// The shortest time between two fetches for unknown keys, failed ones included.
    pub cooldown: Duration,
    /// How long kept keys serve while the provider is down.
    pub keys_stale_max: Duration,
    /// Where it may be fetched over plain http.
    pub plain_http: PlainHttp,
    /// Certificate bundle to trust instead of the system's.
    pub ca: Option<PathBuf>,
    /// Headers of the fetch.
    pub headers: Vec<(Box<str>, Secret)>,
}

/// Where plain http may be spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainHttp {
    /// To loopback alone.
    Loopback,
    /// To every host: `insecure_http = true`.
    Everywhere,
}
