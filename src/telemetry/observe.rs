//! The one thing that the rest of the house tells what happened. Joins metrics and access log; reads the time from the
//! clock it was given.

use std::fmt;
use std::sync::Arc;

use super::exchange::Exchange;
use super::metrics::Metrics;
use crate::config::Config;
use crate::time::Clock;

/// Metrics and access log of the process.
pub struct Telemetry {
    metrics: Metrics,
    clock: Arc<dyn Clock>,
}

impl Telemetry {
    /// Starts counting.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            metrics: Metrics::new(),
            clock,
        }
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Counts and logs one finished request.
    pub fn request(&self, exchange: &Exchange<'_>) {
        self.metrics.request(exchange);
    }

    /// Follows a new configuration. Called whenever one begins to serve.
    pub fn configure(&self, config: &Config) {
        self.metrics.configure(config, self.clock.now());
    }

    /// Everything in Prometheus' text format.
    pub fn scrape(&self) -> String {
        self.metrics.render(self.clock.now())
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}
