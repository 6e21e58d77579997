//! What no longer counts: what can be revoked, what a token or a session can be known by, and the set that is asked on every
//! request.

mod fingerprints;
mod known;
mod marks;
mod revocation;
#[cfg(test)]
mod tests;

pub use known::Revocations;
pub use revocation::{OWN_ISSUER, Revocation, Revoked, RevokedBy};
