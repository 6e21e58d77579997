//! The one integration binary: the real gateway as a process, real sockets, real clients.

mod architecture;
mod explain;
mod lifecycle;
mod provider;
mod reasons;
mod support;
