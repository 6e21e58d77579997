//! What happened, told in metrics and one log line a request. Observes outcomes; nobody below knows it.

mod exchange;

pub use exchange::Exchange;
