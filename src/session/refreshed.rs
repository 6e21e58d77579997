//! What becomes of a refresh: a session with its live token, or why there is none.

use super::lifecycle::Rotation;
use super::state::Session;
use super::store::StoreError;
use crate::time::Timestamp;

/// A session that was opened or refreshed.
#[derive(Debug)]
pub struct Refreshed {
    /// As it is now.
    pub session: Session,
    /// Its live refresh token.
    pub refresh_token: String,
    /// The scope of the access token to mint.
    pub scope: String,
    /// Whether a new generation began.
    pub rotation: Rotation,
    /// The store's time.
    pub at: Timestamp,
}

/// Why a refresh has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshError {
    /// No token of ours.
    Forged,
    /// A session that nobody knows any more.
    Unknown,
    /// The session is dead, or died of this; or it is another's.
    Refused(Rotation),
    /// A scope that was not granted. Nothing was consumed.
    ScopeRefused,
    /// The identity service no longer knows the subject; the session ended.
    Denied,
    /// The identity service does not answer, for longer than its last word holds. Nothing was consumed.
    ClaimsUnavailable,
    /// The store does not answer. Nothing was acknowledged.
    Store(StoreError),
    /// The master key of the session is gone: this process has another configuration than it had.
    KeyGone,
}

impl From<StoreError> for RefreshError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
