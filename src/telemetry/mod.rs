//! What happened, told in metrics, one log line a request, and diagnostics for the operator. Observes outcomes; nobody
//! below knows it. Labels come from the configuration and from closed lists; a token is in none of them, nor in a line.

mod access_log;
mod board;
mod exchange;
mod families;
mod family;
mod handles;
mod lines;
mod metrics;
mod observe;
mod subscriber;

pub use exchange::Exchange;
pub use handles::{Counted, UpstreamHandle};
pub use metrics::{Health, Metrics, RefreshOutcome, ServerHealth};
pub use observe::Telemetry;
pub use subscriber::Diagnostics;

#[cfg(test)]
mod tests;
