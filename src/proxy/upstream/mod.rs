//! The way to an upstream: its servers and how they fare, connections kept for reuse, and one exchange's link to one of
//! them. Knows nothing of clients and tokens.

mod addresses;
mod answers;
mod connect;
mod link;
mod order;
mod pool;
mod registry;
mod server;
mod shared;
mod way;

pub(super) use answers::{AnswerFault, AnswerHead, Answers, Head};
pub(super) use link::{Link, LinkFault, StartFault};
pub(super) use order::Order;
pub(super) use pool::Freshness;
#[cfg(test)]
pub(super) use pool::HTTP2_CONNECTIONS_MAX;
pub(super) use registry::Upstreams;
