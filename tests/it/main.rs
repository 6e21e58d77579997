//! The one integration binary: the real gateway as a process, real sockets, real clients.

#![expect(
    unreachable_pub,
    reason = "a test binary exports nothing; `pub` says what a module is for"
)]

mod architecture;
mod attacks;
mod explain;
mod headers;
mod lifecycle;
mod provider;
mod readme;
mod reasons;
mod support;
