//! The life of a session: how its refresh token is derived, when it rotates, what kills it, and which sessions,
//! subjects and tokens no longer count. Pure: the store is a port, time and entropy are arguments. Knows no HTTP.

mod commit;
mod entropy;
mod grant;
mod id;
mod key_file;
mod lifecycle;
mod mint;
mod observer;
mod refresh;
mod refresh_token;
mod refreshed;
mod revocations;
mod sealed;
mod service;
mod signing;
mod state;
mod store;
#[cfg(test)]
mod tests;
mod unkept;

pub use commit::{Rows, apply};
pub use entropy::Entropy;
pub use grant::Grant;
pub use id::TimedId;
pub use key_file::{KeyFile, Rotate, Waiting};
pub use lifecycle::{Attempt, Rotation, Terms, Vouched};
pub use mint::{AccessMinter, AccessTerms, Minted, Moment};
pub use observer::{Event, Observer, Occasion, Weight};
pub use refresh::{Ask, Claims, ClaimsAnswer, Refresh};
pub use refresh_token::{
    Forged, Genuine, KeyId, Presented, REFRESH_TOKEN_PREFIX, RefreshKeys, RefreshKeysError, Salt,
    SessionKey,
};
pub use refreshed::{RefreshError, Refreshed};
pub use revocations::{OWN_ISSUER, Revocation, Revocations, Revoked, RevokedBy};
pub use service::{Found, NewSession, SessionService};
pub use signing::{JWKS_LIFETIME, ScheduledKey, SigningKeys, Stage};
pub use state::{Context, Device, ForeignReplays, Session, State, Transport, Why};
pub use store::{Change, Command, Committed, Outcome, Presentation, SessionStore, StoreError, Use};
pub use unkept::Unkept;
