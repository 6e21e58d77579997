//! HTTP/1.1 on a client's connection: heads read under a deadline, one request after the other, and the tunnel that an
//! upgrade turns the connection into.

mod body;
mod serve;
mod tunnel;
mod websocket;

pub(super) use body::Http1Body;
pub(super) use serve::serve;
pub(super) use tunnel::{Tunnel, tunnel};
