//! The session side over HTTP: login by delegation, refresh, logout, devices, and the OAuth endpoints (RFC 6749, 7009,
//! 7662, 8414). Beside the endpoints each file is a rule that several of them share; what a session is stands in
//! [`crate::session`].

mod answers;
mod api;
mod assertion;
mod authenticate;
mod bearer;
mod call;
mod clients;
mod cookie;
mod endpoints;
mod failure;
mod form;
mod hooks;
mod kept;
mod limits;
mod observer;
mod origin;
mod own_keys;
mod said;
mod seen;
#[cfg(test)]
mod tests;

pub use api::{SessionApi, Surroundings};
pub use call::Caller;
pub(super) use endpoints::device;
pub(super) use form::find_in_form;
pub use kept::Kept;
