//! The life of a session: how its refresh token is derived, when it rotates, what kills it, and which sessions,
//! subjects and tokens no longer count. Pure: the store is a port, time and entropy are arguments. Knows no HTTP.

mod commit;
mod fingerprints;
mod grant;
mod id;
mod lifecycle;
mod mint;
mod observer;
mod refresh;
mod refresh_token;
mod revocation;
mod revocations;
mod sealed;
mod service;
mod state;
mod store;
#[cfg(test)]
mod tests;

pub use commit::{Rows, apply};
pub use grant::Grant;
pub use id::TimedId;
pub use lifecycle::{Attempt, Rotation, Terms};
pub use mint::{AccessMinter, AccessTerms, Minted, Moment};
pub use observer::{Event, Observer, Occasion};
pub use refresh::{Ask, Claims, ClaimsAnswer, Refresh, RefreshError, Refreshed};
pub use refresh_token::{Forged, Genuine, KeyId, Presented, RefreshKeys, RefreshKeysError, Salt};
pub use revocation::{Revocation, Revoked, RevokedBy};
pub use revocations::Revocations;
pub use service::{NewSession, SessionService};
pub use state::{Context, Device, ForeignReplays, Session, State, Transport, Why};
pub use store::{
    Change, Command, Committed, Outcome, Presentation, Renewed, SessionStore, StoreError, Use,
};

/// The name of the gate's own issuer, where an issuer's name is a label. No configured issuer may have it.
pub const OWN_ISSUER: &str = "sessions";

/// Draws entropy. Implemented once, at the rim; tests hand in bytes they know.
///
/// # Security
/// Whoever can foretell the bytes can foretell names and salts; with a leaked master key, refresh tokens.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with entropy that nobody can foretell.
    fn fill(&self, bytes: &mut [u8]);
}
