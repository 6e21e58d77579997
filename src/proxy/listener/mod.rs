//! From a listening socket to the first head: accepting, places, TLS under a deadline, and which protocol the client
//! speaks.

mod accept;
mod caps;
mod plane;
mod tls;

pub use accept::{Doorway, listen, take};
#[cfg(test)]
pub(super) use plane::FAREWELLS_MAX;
pub use plane::Plane;
