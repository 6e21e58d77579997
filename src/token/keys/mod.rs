//! Keys: what an issuer publishes in, keys that signatures are checked with out; and the gate's own, which sign. Weak ones
//! are no keys.

mod jwk;
mod key;
mod mint;
mod set;
mod thumbprint;
mod weak_edwards;
mod weak_rsa;

pub use key::{KeyUid, KeyUsage, VerificationKey};
pub use mint::SigningKey;
pub(super) use set::{KeyFault, Signer};
pub use set::{KeyRing, KeySet};
