//! Is this token genuine, and whose is it? A Bearer token (RFC 6750) in, a [`Verified`] principal or one
//! [`TokenError`] out, by the rules of RFC 7515, 7518, 7519, 8725 and 9068. Knows nothing of routes, products'
//! meaning or HTTP; reads no clock and fetches no key: `now` and the [`KeyRing`] are arguments.

mod bearer;
mod cache;
mod claims;
mod compact;
mod event;
mod event_subject;
mod failure;
mod grants;
mod header;
mod json;
mod keys;
mod notes;
mod source;
mod terms;
mod text;
mod times;
mod told;
mod verified;
mod verify;

pub use bearer::{BearerError, BearerToken};
pub use cache::VerifiedTokens;
pub use event::{EventForm, IssuerEvent};
pub use event_subject::Named;
pub use failure::{TokenError, TokenFailure, WantedKey};
pub use json::NESTED_MAX;
pub use keys::{KeyRing, KeySet, KeyUid, KeyUsage, SigningKey, VerificationKey};
pub use notes::{Note, Notes};
pub use source::Source;
pub use terms::{Algorithm, ClaimPath, IssuerTerms};
pub use text::is_carried_whole;
pub use verified::Verified;
pub use verify::Verifier;

#[cfg(test)]
mod tests;
