//! One revocation: what it names, of whom, and until when it counts.

use std::sync::Arc;
use std::time::Duration;

use crate::time::Timestamp;

/// The name of the gate's own issuer, where an issuer's name is a label. No configured issuer may have it.
pub const OWN_ISSUER: &str = "sessions";

/// What a revocation names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Revoked {
    /// A session (`sid`).
    Session(Box<str>),
    /// A subject: every session begun at the cutoff or before.
    Subject(Box<str>),
    /// A client: every session begun at the cutoff or before.
    Client(Box<str>),
    /// A tenant: every session begun at the cutoff or before whose tokens name it.
    Tenant(Box<str>),
    /// What a subject may use: every token issued at the cutoff or before. Its sessions go on, and get other tokens.
    Entitlements(Box<str>),
    /// A token (`jti`).
    Token(Box<str>),
    /// A signing key (`kid`).
    Key(Box<str>),
    /// Every session begun at the cutoff or before.
    All,
}

impl Revoked {
    /// What it names, as one word: for the list, the log and the store.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Session(_) => "session",
            Self::Subject(_) => "subject",
            Self::Client(_) => "client",
            Self::Tenant(_) => "tenant",
            Self::Entitlements(_) => "entitlements",
            Self::Token(_) => "token",
            Self::Key(_) => "key",
            Self::All => "all",
        }
    }

    /// The name; empty for everything.
    pub fn value(&self) -> &str {
        match self {
            Self::Session(value)
            | Self::Subject(value)
            | Self::Client(value)
            | Self::Tenant(value)
            | Self::Entitlements(value)
            | Self::Token(value)
            | Self::Key(value) => value,
            Self::All => "",
        }
    }

    /// Whether it is about whatever began until a moment.
    pub fn has_cutoff(&self) -> bool {
        matches!(self, Self::Subject(_) | Self::Entitlements(_)) || self.is_at_large()
    }

    /// Whether sessions of our own that it ends are looked for at their next refresh alone: there may be millions.
    pub fn is_at_large(&self) -> bool {
        matches!(self, Self::Client(_) | Self::Tenant(_) | Self::All)
    }

    /// Puts the two parts together again. `None` for a kind that nobody knows.
    pub fn from_parts(kind: &str, value: &str) -> Option<Self> {
        Some(match kind {
            "session" => Self::Session(value.into()),
            "subject" => Self::Subject(value.into()),
            "client" => Self::Client(value.into()),
            "tenant" => Self::Tenant(value.into()),
            "entitlements" => Self::Entitlements(value.into()),
            "token" => Self::Token(value.into()),
            "key" => Self::Key(value.into()),
            "all" => Self::All,
            _ => return None,
        })
    }
}

/// One revocation. Its moments come first: two of them are mostly told apart by those.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Revocation {
    /// Subjects, clients, tenants, entitlements and everything: what began at this moment or before.
    pub cutoff: Timestamp,
    /// From then on no token is left that it could hit: the cutoff, plus the longest life of a token, plus its leeway.
    pub expires_at: Timestamp,
    /// What it names.
    pub what: Revoked,
    /// The name, in the configuration, of the only issuer that it is about ([`OWN_ISSUER`] for the gate's own tokens);
    /// `None`: of any.
    pub issuer: Option<Arc<str>>,
}

impl Revocation {
    /// How long a revoked key stays revoked: whoever stole it can sign new tokens with it for as long as it is configured.
    pub const KEY_LIFE: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
}

/// What a revocation named: it finds whatever carries the same mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokedBy {
    /// The session (`sid`).
    Session,
    /// The subject, everything begun before a moment.
    Subject,
    /// The client, everything begun before a moment.
    Client,
    /// The tenant, everything begun before a moment.
    Tenant,
    /// What the subject may use, every token issued before a moment.
    Entitlements,
    /// The token (`jti`).
    Token,
    /// The signing key (`kid`).
    Key,
    /// Everything begun before a moment.
    All,
    /// There are more revocations than fit: something that shares its slot. A new token passes.
    Overflow,
}

impl RevokedBy {
    pub(super) fn of(what: &Revoked) -> Self {
        match what {
            Revoked::Session(_) => Self::Session,
            Revoked::Subject(_) => Self::Subject,
            Revoked::Client(_) => Self::Client,
            Revoked::Tenant(_) => Self::Tenant,
            Revoked::Entitlements(_) => Self::Entitlements,
            Revoked::Token(_) => Self::Token,
            Revoked::Key(_) => Self::Key,
            Revoked::All => Self::All,
        }
    }

    /// A number for what is named, apart for entries of one issuer and of any.
    pub(super) fn scoped(self, issuer: Option<&str>) -> u8 {
        self as u8 * 2 + u8::from(issuer.is_some())
    }

    /// Whether its entries go into slots when there is no room.
    pub(super) fn blurs(self) -> bool {
        matches!(
            self,
            Self::Session | Self::Token | Self::Subject | Self::Entitlements
        )
    }

    /// For the operator's log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "the session was revoked",
            Self::Subject => "the subject was revoked",
            Self::Client => "the client was revoked",
            Self::Tenant => "the tenant was revoked",
            Self::Entitlements => "what the subject may use has changed: a new token passes",
            Self::Token => "the token was revoked",
            Self::Key => "the key was revoked",
            Self::All => "everything before a moment was revoked",
            Self::Overflow => "too many revocations to tell: a new token passes",
        }
    }
}
