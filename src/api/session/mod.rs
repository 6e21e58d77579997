//! The session side over HTTP: login by delegation, refresh, logout, devices, and the OAuth endpoints (RFC 6749, 7009,
//! 7662, 8414). Each file is one endpoint or one rule that several share; what a session is stands in
//! [`crate::session`].

mod answers;
mod api;
mod assertion;
mod authenticate;
mod bearer;
mod call;
mod clients;
mod cookie;
mod devices;
mod dispatch;
mod failure;
mod form;
mod hooks;
mod introspect;
mod kept;
mod limits;
mod login;
mod logout;
mod metadata;
mod observer;
mod origin;
mod own_keys;
mod refresh;
mod revoke;
mod said;
mod seen;
#[cfg(test)]
mod tests;
mod token;

pub use api::{SessionApi, Surroundings};
pub use call::Caller;
pub(super) use devices::device;
pub(super) use form::find_in_form;
pub use kept::Kept;
