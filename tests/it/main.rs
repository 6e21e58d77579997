//! The one integration binary: the real gateway as a process, real sockets, real clients.

mod architecture;
mod attacks;
mod explain;
mod headers;
mod lifecycle;
mod provider;
mod readme;
mod reasons;
mod support;
