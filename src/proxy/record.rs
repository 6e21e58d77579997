//! What one request leaves behind: gathered while it is served, told once at its end.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::client::{Client, Incoming, Role};
use super::edge::Edge;
use super::entropy;
use crate::gate::{Admission, Reason, Refusal, RequestId, TraceContext};
use crate::policy::Route;
use crate::telemetry::Exchange;
use crate::token::Verified;
use crate::wire::Version;

/// What one request leaves behind.
pub(super) struct Record {
    pub(super) request_id: RequestId,
    pub(super) trace: TraceContext,
    /// Whose request a trusted proxy has passed on; `None` where the peer is the client.
    pub(super) client: Option<IpAddr>,
    pub(super) verdict: &'static str,
    pub(super) endpoint: Option<&'static str>,
    pub(super) upstream: Option<Arc<str>>,
    pub(super) server: Option<Arc<str>>,
    pub(super) meter: Meter,
    /// When the exchange ended, where somebody has looked already.
    pub(super) over_at: Option<Instant>,
    route: Option<Arc<Route>>,
    reason: Option<Reason>,
    /// Why the route would have refused, were it not in shadow mode.
    shadowed: Option<Reason>,
    detail: Cow<'static, str>,
    issuer: Option<Arc<str>>,
    verified: Option<Verified>,
}

/// What passed, and how long the upstream took.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    pub(super) upstream_duration: Option<Duration>,
}

impl Record {
    pub(super) fn begin(client: &Client, asked: &Incoming<'_>) -> Self {
        Self {
            request_id: RequestId::of(&asked.head, entropy::pair()),
            trace: TraceContext::of(&asked.head, [entropy::pair(), entropy::pair()]),
            client: client.behind(&asked.head),
            verdict: "",
            endpoint: None,
            upstream: None,
            server: None,
            meter: Meter::default(),
            over_at: None,
            route: None,
            reason: None,
            shadowed: None,
            detail: Cow::Borrowed(""),
            issuer: None,
            verified: None,
        }
    }

    pub(super) fn admitted(&mut self, admission: &Admission) {
        self.route = Some(admission.permit.route().clone());
        self.upstream = Some(admission.upstream.name.clone());
        self.verified = admission.permit.verified().cloned();
        let issuer = |verified: &Verified| verified.principal().issuer_name.clone();
        self.issuer = self.verified.as_ref().map(issuer);
    }

    /// Notes why a route in shadow mode would have refused.
    pub(super) fn let_pass(&mut self, refusal: &Refusal) {
        self.note(refusal);
        self.shadowed = Some(refusal.reason);
    }

    pub(super) fn refused(&mut self, refusal: &Refusal) {
        self.verdict = "refuse";
        self.note(refusal);
    }

    /// Notes what went wrong, whatever the verdict was.
    pub(super) fn note(&mut self, refusal: &Refusal) {
        self.reason = Some(refusal.reason);
        self.detail = match self.shadowed {
            Some(passed) => format!("{} passed; {}", passed.as_str(), refusal.detail).into(),
            None => refusal.detail.clone(),
        };
        if refusal.route.is_some() {
            self.route.clone_from(&refusal.route);
        }
        if refusal.issuer_name.is_some() {
            self.issuer.clone_from(&refusal.issuer_name);
        }
        if refusal.verified.is_some() {
            self.verified.clone_from(&refusal.verified);
        }
    }

    /// Notes something that is no reason of the table.
    pub(super) fn remark(&mut self, detail: &'static str) {
        self.detail = Cow::Borrowed(detail);
    }

    /// Tells it. `status` is the one that was sent; 0 where none was.
    pub(super) fn tell(&self, edge: &Edge, client: &Client, asked: &Incoming<'_>, status: u16) {
        if client.role == Role::Admin {
            return tracing::debug!(
                method = asked.head.method,
                path = asked.path(),
                status,
                "admin"
            );
        }
        let over_at = self.over_at.unwrap_or_else(Instant::now);
        edge.telemetry.request(&Exchange {
            listener: &client.listener.name,
            request_id: self.request_id.as_str(),
            trace_id: self.trace.trace_id(),
            peer: &client.address_text,
            client: self.client,
            protocol: protocol(asked.head.version),
            method: asked.head.method,
            path: asked.path(),
            host: asked.host().unwrap_or_default(),
            route: self.route.as_deref(),
            endpoint: self.endpoint,
            status,
            verdict: self.verdict,
            reason: self.reason,
            shadowed: self.shadowed.filter(|_| self.shadowed != self.reason),
            detail: &self.detail,
            issuer: self.issuer.as_deref(),
            subject: self
                .verified
                .as_ref()
                .map(|verified| &*verified.principal().subject),
            pseudonym: self
                .verified
                .as_ref()
                .map(|verified| verified.notes().pseudonym()),
            upstream: self.upstream.as_deref(),
            server: self.server.as_deref(),
            bytes_in: self.meter.bytes_in,
            bytes_out: self.meter.bytes_out,
            at: edge.clock.now(),
            duration: over_at.saturating_duration_since(asked.began),
            upstream_duration: self.meter.upstream_duration,
        });
    }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::Http10 => "HTTP/1.0",
        Version::Http11 => "HTTP/1.1",
        Version::Http2 => "HTTP/2",
    }
}
