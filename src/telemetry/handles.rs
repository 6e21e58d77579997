//! Series that every request touches, found once and kept: the request path does no look-up by label values but the
//! one for its route and the one for its upstream.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use foldhash::HashMap;
use prometheus::{Histogram, IntCounter, IntGauge};

use super::exchange::Exchange;
use super::families::Families;
use crate::gate::Reason;
use crate::token::Source;

/// Handles by name. Names come from the configuration, and those of an old one are dropped with it.
#[derive(Debug)]
pub(super) struct Handles<H>(RwLock<HashMap<Box<str>, Arc<H>>>);

impl<H> Default for Handles<H> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<H> Handles<H> {
    /// The handle of `name`, made if it is new or `is_current` says that it is not what it was.
    pub(super) fn find(
        &self,
        name: &str,
        is_current: impl Fn(&H) -> bool,
        make: impl FnOnce() -> H,
    ) -> Arc<H> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = known.get(name).filter(|handle| is_current(handle)) {
            return handle.clone();
        }
        drop(known);
        let handle = Arc::new(make());
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.into(), handle.clone());
        handle
    }

    /// Drops the handles that `keeps` does not like.
    pub(super) fn retain(&self, keeps: impl Fn(&str, &H) -> bool) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|name, handle| keeps(name, handle));
    }
}

/// The series of one route.
#[derive(Debug)]
pub(super) struct RouteHandle {
    route: Box<str>,
    product: Box<str>,
    by_status: Vec<OnceLock<IntCounter>>,
    by_decision: Vec<OnceLock<IntCounter>>,
    duration: Histogram,
}

impl RouteHandle {
    pub(super) fn new(families: &Families, route: &str, product: &str) -> Self {
        Self {
            route: route.into(),
            product: product.into(),
            by_status: empty(STATUSES.len() + 1),
            by_decision: empty(VERDICTS.len() * (Reason::ALL.len() + 1)),
            duration: families.request_duration.with([route]),
        }
    }

    /// Whether the route still wants the product it wanted when the handle was made.
    pub(super) fn wants(&self, product: &str) -> bool {
        *self.product == *product
    }

    pub(super) fn count(&self, families: &Families, exchange: &Exchange<'_>) {
        let at = STATUSES.binary_search(&exchange.status);
        let slot = &self.by_status[at.unwrap_or(STATUSES.len())];
        slot.get_or_init(|| {
            let text = exchange.status.to_string();
            let status = if at.is_ok() { &text } else { OTHER };
            families.requests.with([&self.route, status])
        })
        .inc();
        match exchange.shadowed {
            None => self.decision(families, exchange.verdict, exchange.reason),
            // What would have been refused is counted whatever became of the request behind it.
            Some(_) => {
                self.decision(families, "shadow", exchange.shadowed);
                let failed = match exchange.verdict {
                    "shadow" => "forward",
                    other => other,
                };
                self.decision(families, failed, exchange.reason);
            }
        }
        self.duration.observe(exchange.duration.as_secs_f64());
    }

    fn decision(&self, families: &Families, verdict: &str, reason: Option<Reason>) {
        let verdict = VERDICTS.iter().position(|word| *word == verdict);
        let verdict = verdict.unwrap_or(VERDICTS.len() - 1);
        let at = reason.map_or(0, |reason| reason as usize + 1);
        let slot = &self.by_decision[verdict * (Reason::ALL.len() + 1) + at];
        slot.get_or_init(|| {
            let reason = reason.map_or("", Reason::as_str);
            families
                .decisions
                .with([&self.route, &self.product, VERDICTS[verdict], reason])
        })
        .inc();
    }
}

/// The series of one issuer's tokens.
#[derive(Debug)]
pub(super) struct IssuerHandle {
    issuer: Box<str>,
    by_outcome: Vec<OnceLock<IntCounter>>,
}

impl IssuerHandle {
    pub(super) fn new(issuer: &str) -> Self {
        Self {
            issuer: issuer.into(),
            by_outcome: empty(2 * (Reason::ALL.len() + 1)),
        }
    }

    pub(super) fn count(&self, families: &Families, refused: Option<Reason>, source: Source) {
        let outcome = refused.map_or(0, |reason| reason as usize + 1);
        let slot = &self.by_outcome[2 * outcome + source as usize];
        slot.get_or_init(|| {
            let outcome = refused.map_or("accepted", Reason::as_str);
            let verifications = &families.token_verifications;
            verifications.with([&self.issuer, outcome, source.as_str()])
        })
        .inc();
    }
}

/// The series of one upstream, for whoever keeps connections to it.
#[derive(Debug)]
pub struct UpstreamHandle {
    active: IntGauge,
    idle: IntGauge,
    pub(super) duration: Histogram,
}

impl UpstreamHandle {
    pub(super) fn new(families: &Families, upstream: &str) -> Self {
        let connections = &families.upstream_connections;
        Self {
            active: connections.with([upstream, "active"]),
            idle: connections.with([upstream, "idle"]),
            duration: families.upstream_duration.with([upstream]),
        }
    }

    /// Counts a connection that carries a request, until the guard is dropped.
    pub fn active(&self) -> Counted {
        Counted::new(self.active.clone())
    }

    /// Counts a connection that waits in the pool, until the guard is dropped.
    pub fn idle(&self) -> Counted {
        Counted::new(self.idle.clone())
    }
}

/// One more of something, until it is dropped.
#[derive(Debug)]
#[must_use = "it counts until it is dropped"]
pub struct Counted(IntGauge);

impl Counted {
    pub(super) fn new(gauge: IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn empty(slots: usize) -> Vec<OnceLock<IntCounter>> {
    std::iter::repeat_with(OnceLock::new).take(slots).collect()
}

/// The label of a status that no registry knows: an upstream may invent nine hundred of them.
const OTHER: &str = "other";

/// The words of `Verdict::as_str`, and what a request is that was never judged.
const VERDICTS: [&str; 5] = ["answer", "forward", "refuse", "shadow", ""];

/// Status codes that are a label of their own: the registered ones (RFC 9110 §16.2.1) and 0, the answer never begun.
const STATUSES: [u16; 64] = [
    0, 100, 101, 102, 103, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303,
    304, 305, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414,
    415, 416, 417, 418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499, 500, 501, 502, 503,
    504, 505, 506, 507, 508, 510, 511,
];
