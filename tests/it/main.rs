//! The one integration binary: the real gateway as a process, real sockets, real clients.

#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests read files, print what went wrong, and panic where an assumption does not hold"
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
