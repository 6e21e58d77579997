//! One file a table: which keys it has, what they are by default, what they may say. Each reads its own table alone;
//! what holds between tables is `between`'s.

pub(super) mod admin;
pub(super) mod cors;
pub(super) mod identity;
pub(super) mod issuer;
pub(super) mod issuer_keys;
pub(super) mod listener;
pub(super) mod product;
pub(super) mod read;
pub(super) mod route;
pub(super) mod route_access;
pub(super) mod server;
pub(super) mod session;
pub(super) mod session_client;
pub(super) mod session_edge;
pub(super) mod telemetry;
pub(super) mod upstream;
