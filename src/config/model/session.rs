//! `[sessions]`: the terms of the session side.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::principal::Entitlement;
use crate::secret::Secret;
use crate::session::SigningKeys;
pub use crate::session::Transport;
use crate::token::{Algorithm, ClaimPath, KeySet};

/// `[sessions]`.
#[derive(Debug, Clone)]
pub struct Sessions {
    /// `iss` of minted tokens.
    pub issuer: Arc<str>,
    /// `aud` of minted tokens.
    pub audience: Box<str>,
    /// Where the endpoints answer, lower-case; empty means any host.
    pub hosts: Vec<Box<str>>,
    /// What signs access tokens, and what verifies them.
    pub signing_keys: SigningKeys,
    /// 32 bytes each; the first derives, all are understood. Never empty.
    pub refresh_keys: Vec<Secret>,
    /// `access_token.lifetime`.
    pub access_lifetime: Duration,
    /// The longest that access tokens of this process live: it served with other configurations before.
    pub access_lifetime_max: Duration,
    /// `access_token.jitter`: the part of the lifetime, 0 to 0.5, by which it is shortened at random.
    pub access_jitter: f64,
    /// `refresh_token.grace`: how long the predecessor is answered after a rotation.
    pub grace: Duration,
    /// `refresh_token.lost_reply_window`: how long it is answered while nobody has shown the successor.
    pub lost_reply_window: Duration,
    /// `refresh_token.idle_lifetime`.
    pub idle_lifetime: Duration,
    /// `refresh_token.absolute_lifetime`.
    pub absolute_lifetime: Duration,
    /// `refresh_token.max_replays`: how many replays the tail behind the grace answers.
    pub max_replays: u32,
    /// `sessions_per_subject_max`: the oldest gives way.
    pub sessions_per_subject_max: u32,
    /// `claims.products`: where minted tokens carry entitlements.
    pub products: ClaimPath,
    /// `[sessions.store]`.
    pub store: SessionStoreKind,
    /// `[sessions.login_hook]`.
    pub login_hook: Option<Hook>,
    /// `[sessions.claims_hook]`.
    pub claims_hook: Option<Hook>,
    /// `claims_hook.stale_ok`.
    pub claims_stale_ok: Duration,
    /// `[sessions.cookie]`.
    pub cookie: Option<Cookie>,
    /// `[sessions.limits]`.
    pub limits: SessionLimits,
    /// `[sessions.clients.NAME]`, by name.
    pub clients: Vec<Arc<Client>>,
}

impl Sessions {
    /// The longest life that a token of the gate's own may show: `iat` and `exp` are whole seconds.
    pub fn token_lifetime_max(&self) -> Duration {
        self.access_lifetime_max + Duration::from_secs(1)
    }

    /// How long a session of whichever client may live.
    pub fn longest_session(&self) -> Duration {
        let of_clients = self.clients.iter().filter_map(|one| one.absolute_lifetime);
        of_clients.fold(self.absolute_lifetime, Duration::max)
    }
}

/// `[sessions.store]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionStoreKind {
    /// Gone with the process.
    Memory,
    /// One SQLite file.
    Sqlite(PathBuf),
}

/// `[sessions.login_hook]`, `[sessions.claims_hook]`.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Where it is called.
    pub url: Box<str>,
    /// For the whole call.
    pub timeout: Duration,
    /// Signs the calls.
    pub secret: Option<Secret>,
}

/// `[sessions.cookie]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// Origins of front ends, exact.
    pub origins: Vec<Box<str>>,
    /// The whole cookie name, its prefix included.
    pub name: Box<str>,
    /// `/auth`, or `/` on a host of its own.
    pub path: Box<str>,
    /// `SameSite`.
    pub same_site: SameSite,
    /// The header that every cookie call must have.
    pub csrf_header: Box<str>,
}

/// `SameSite` of the refresh cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// `Strict`.
    Strict,
    /// `Lax`.
    Lax,
    /// `None; Partitioned`.
    None,
}

/// `[sessions.limits]`: per address; the burst is five times the calls of the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Logins.
    pub login: Rate,
    /// Refreshes.
    pub refresh: Rate,
}

/// So many calls in a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub calls: u32,
    /// In which span.
    pub span: Duration,
}

/// `[sessions.clients.NAME]`.
#[derive(Debug, Clone)]
pub struct Client {
    /// The name: `client_id`.
    pub id: Arc<str>,
    /// Whether it can keep a secret.
    pub kind: ClientKind,
    /// How its refresh tokens travel.
    pub transport: Transport,
    /// Origins that a body client answers.
    pub origins: Vec<Box<str>>,
    /// What it may ask for at `/oauth/token`.
    pub grants: Vec<Grant>,
    /// Products of its own tokens (client credentials).
    pub products: Vec<Entitlement>,
    /// Scopes of its own tokens (client credentials).
    pub scopes: Vec<Box<str>>,
    /// Instead of the session's.
    pub lost_reply_window: Option<Duration>,
    /// Instead of the session's.
    pub idle_lifetime: Option<Duration>,
    /// Instead of the session's.
    pub absolute_lifetime: Option<Duration>,
}

/// Whether a client can keep a secret (RFC 6749 §2.1).
#[derive(Debug, Clone)]
pub enum ClientKind {
    /// It cannot.
    Public,
    /// It can, and proves it so.
    Confidential(ClientAuth),
}

/// How a confidential client proves itself.
#[derive(Debug, Clone)]
pub enum ClientAuth {
    /// A secret of at least 256 bits, kept as its SHA-256.
    Secret {
        /// The digest.
        sha256: [u8; 32],
    },
    /// A signed assertion (RFC 7523 §2.2), checked with these keys.
    PrivateKeyJwt {
        /// The JWKS document, which was found usable.
        jwks: Arc<KeySet>,
    },
}

impl ClientAuth {
    /// What a client may sign its assertions with.
    pub const ALGORITHMS: [Algorithm; 5] = [
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Ps256,
        Algorithm::Rs256,
        Algorithm::EdDsa,
    ];
}

/// A grant type (RFC 6749 §4.4, §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// `refresh_token`.
    RefreshToken,
    /// `client_credentials`.
    ClientCredentials,
}
