//! Is this token genuine, and whose is it? A Bearer token (RFC 6750) in, a [`Verified`] principal or one
//! [`TokenError`] out, by the rules of RFC 7515, 7518, 7519, 8725 and 9068. Knows nothing of routes, products'
//! meaning or HTTP; reads no clock and fetches no key: `now` and the [`KeyRing`] are arguments.

mod bearer;
mod keys;
mod mint;
mod terms;
mod verified;
mod verify;

pub use bearer::{BearerError, BearerToken};
pub use keys::{KeyRing, KeySet};
pub use mint::SigningKey;
pub use terms::{Algorithm, ClaimPath, IssuerTerms};
pub use verified::{Verified, VerifiedTokens};
pub use verify::{TokenError, Verifier};
