//! One server of an upstream: what is in flight to it, whether it refused a connection, and its unused connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::pool::Pool;
use crate::config::model::ServerAddress;
use crate::time::Timestamp;
use crate::traffic::{Candidate, Standing};

/// One server.
#[derive(Debug)]
pub(in crate::proxy) struct Server {
    pub(super) address: ServerAddress,
    /// The address as the configuration has it: the metric label.
    pub(in crate::proxy) label: Arc<str>,
    pub(super) pool: Arc<Pool>,
    in_flight: AtomicUsize,
    /// Milliseconds; 0 when it takes connections.
    passed_over_until: AtomicU64,
}

/// Whether a server's health changed just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It did.
    Changed,
    /// It is as it was.
    Same,
}

impl Server {
    pub(super) fn new(address: &ServerAddress) -> Arc<Self> {
        Arc::new(Self {
            address: address.clone(),
            label: address.to_string().into(),
            pool: Arc::default(),
            in_flight: AtomicUsize::new(0),
            passed_over_until: AtomicU64::new(0),
        })
    }

    pub(super) fn candidate(&self) -> Candidate {
        let until = self.passed_over_until.load(Ordering::Relaxed);
        let standing = match until {
            0 => Standing::Ready,
            until => Standing::PassedOver(Timestamp::from_millis(until)),
        };
        Candidate {
            in_flight: self.in_flight.load(Ordering::Relaxed),
            standing,
        }
    }

    /// Notes that it took no connection: others are asked for a while.
    pub(super) fn pass_over(&self, now: Timestamp, span: Duration) -> Change {
        let until = now.plus(span).as_millis().max(1);
        change(self.passed_over_until.swap(until, Ordering::Relaxed) == 0)
    }

    /// Notes that it took a connection.
    pub(super) fn welcome(&self) -> Change {
        if self.passed_over_until.load(Ordering::Relaxed) == 0 {
            return Change::Same;
        }
        change(self.passed_over_until.swap(0, Ordering::Relaxed) != 0)
    }
}

fn change(changed: bool) -> Change {
    if changed {
        Change::Changed
    } else {
        Change::Same
    }
}

/// One request in flight, until it is dropped.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Server>);

impl InFlight {
    pub(super) fn on(server: &Arc<Server>) -> Self {
        server.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(server.clone())
    }

    pub(super) fn server(&self) -> &Arc<Server> {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
