//! The endpoints, a file for each, and the one entrance to them.

mod devices;
mod dispatch;
mod introspect;
mod login;
mod logout;
mod metadata;
mod refresh;
mod revoke;
mod token;

pub(in crate::api) use devices::device;
