//! The life of a session: how its refresh token is derived, when it rotates, what kills it, and which sessions,
//! subjects and tokens no longer count. Pure: the store is a port, the time is an argument. Knows no HTTP.

mod revocation;

pub use revocation::{Revocations, RevokedBy};
