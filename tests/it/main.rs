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
mod cli;
#[expect(
    dead_code,
    reason = "the fuzz targets' corpora are replayed in the library's tests"
)]
#[path = "../data/corpus.rs"]
mod corpus;
mod explain;
mod headers;
mod keys;
mod lifecycle;
mod peers;
mod provider;
mod readme;
mod reasons;
mod requests;
mod session_rules;
mod sessions;
mod support;
mod tls;
