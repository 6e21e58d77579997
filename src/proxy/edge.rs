//! What every connection shares: the world as it is now, the upstreams, and the count of what is in flight.

use std::fmt;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::Notify;

use super::exhausted::Shares;
use super::upstream::Upstreams;
use crate::config::model::Listener;
use crate::control::{Keys, Live, Names};
use crate::gate::{Endpoint, Gate, RequestId};
use crate::session::Revocations;
use crate::telemetry::{Health, Telemetry};
use crate::time::Clock;
use crate::token::Verified;

/// The world as the composition root puts it together.
pub struct World {
    /// What requests are judged by.
    pub gate: Arc<Live<Gate>>,
    /// What no longer counts.
    pub revocations: Arc<Revocations>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who fetches keys that a request asks for.
    pub keys: Arc<Keys>,
    /// Where servers are.
    pub names: Arc<Names>,
    /// Who is told what happened.
    pub telemetry: Arc<Telemetry>,
    /// Who answers what the gate answers itself.
    pub endpoints: Arc<dyn Endpoints>,
}

/// The edge: the world, and what the plane keeps of its own.
pub struct Edge {
    world: World,
    pub(super) upstreams: Upstreams,
    /// Whose the process's files are.
    pub(super) shares: Shares,
    in_flight: AtomicUsize,
    to_end: AtomicUsize,
    /// When the drain is over, once it has begun.
    stops_at: OnceLock<Instant>,
    drains: Notify,
    cut: AtomicUsize,
}

/// Answers what the gate answers itself. The body was read whole, at most 64 KiB of it.
#[async_trait]
pub trait Endpoints: Send + Sync {
    /// A request to an endpoint on a public listener.
    async fn answer(
        &self,
        endpoint: Endpoint,
        request: Request<Bytes>,
        caller: EndpointCaller,
    ) -> Response<Bytes>;

    /// A token was accepted on a route. Called for every request: returns at once.
    fn seen(&self, _gate: &Gate, _verified: &Verified) {}

    /// A request to the admin listener, whatever it asks for.
    async fn admin(&self, request: Request<Bytes>) -> Response<Bytes>;
}

/// Who calls an endpoint, and what it is to be judged by.
#[derive(Debug, Clone)]
pub struct EndpointCaller {
    /// The client's address, behind whatever trusted proxies.
    pub address: IpAddr,
    /// `X-Request-Id`; the plane puts it into the answer.
    pub request_id: RequestId,
    /// The gate that this request lives under.
    pub gate: Arc<Gate>,
}

impl Edge {
    /// An edge that has served nothing yet. Made once the process may open as many files as it ever will: whose they are is
    /// settled here.
    pub fn new(world: World) -> Self {
        Self {
            world,
            upstreams: Upstreams::default(),
            shares: Shares::of_process(),
            in_flight: AtomicUsize::new(0),
            to_end: AtomicUsize::new(0),
            stops_at: OnceLock::new(),
            drains: Notify::new(),
            cut: AtomicUsize::new(0),
        }
    }

    /// Requests and tunnels that are being served. Whoever stops the process waits until there are none, and no
    /// [connections](Self::connections_to_end) on which an end has to be said.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Clients' connections that have a word for their end: those of HTTP/2, on which what was answered may be on its way
    /// yet, and those of TLS that wait for a request. They end soon after the drain has begun.
    pub fn connections_to_end(&self) -> usize {
        self.to_end.load(Ordering::Acquire)
    }

    /// From now on no connection outlives its request: answers say `Connection: close`, HTTP/2 says GOAWAY. What is still
    /// in flight when the drain is over is cut then, and told of; when that is, the configuration of this moment says.
    pub fn drain(&self) -> Instant {
        let drain = || self.gate.look(|gate| gate.config().server.drain);
        let stops_at = *self.stops_at.get_or_init(|| Instant::now() + drain());
        self.drains.notify_waiters();
        stops_at
    }

    /// Waits until the drain begins; for those who wait for little else.
    pub(super) async fn drains(&self) {
        let mut drains = pin!(self.drains.notified());
        drains.as_mut().enable();
        if !self.is_draining() {
            drains.await;
        }
    }

    /// Whether [`Edge::drain`] was called.
    pub fn is_draining(&self) -> bool {
        self.stops_at.get().is_some()
    }

    /// Whether the drain is over: what is in flight may not go on.
    pub(super) fn is_over(&self) -> bool {
        self.stops_at
            .get()
            .is_some_and(|stops_at| *stops_at <= Instant::now())
    }

    /// `span`, or what is left of the drain if that is less.
    pub(super) fn within_drain(&self, span: Duration) -> Duration {
        match self.stops_at.get() {
            Some(stops_at) => span.min(stops_at.saturating_duration_since(Instant::now())),
            None => span,
        }
    }

    /// Counts an exchange that the end of the drain cut.
    pub(super) fn count_cut(&self) {
        self.cut.fetch_add(1, Ordering::AcqRel);
    }

    /// Exchanges that the end of the drain cut.
    pub fn cut(&self) -> usize {
        self.cut.load(Ordering::Acquire)
    }

    /// The listener that `seen` has become by a reload; `None` while it is as it was.
    pub(super) fn renewed(&self, seen: &Arc<Listener>) -> Option<Arc<Listener>> {
        self.gate.look(|gate| {
            let mut listeners = gate.config().listeners.iter();
            let now = listeners.find(|listener| listener.name == seen.name)?;
            (!Arc::ptr_eq(now, seen)).then(|| now.clone())
        })
    }

    /// Counts a request, until the guard is dropped.
    pub(super) fn enter(&self) -> Serving<'_> {
        Serving::one_of(&self.in_flight)
    }

    /// Counts a client's connection that a stop shall wait for until the guard is dropped.
    pub(super) fn to_end(&self) -> Serving<'_> {
        Serving::one_of(&self.to_end)
    }

    /// Tells that a server is used again.
    pub(super) fn tell_used(&self, upstream: &str, server: &str) {
        let metrics = self.telemetry.metrics();
        metrics.upstream_healthy(upstream, server, Health::Used);
        tracing::info!(upstream, server, "the server takes connections again");
    }

    /// Tells that a server is passed over, and why: where another one answers, nothing else does.
    pub(super) fn tell_passed_over(&self, upstream: &str, server: &str, error: &dyn fmt::Display) {
        let metrics = self.telemetry.metrics();
        metrics.upstream_healthy(upstream, server, Health::PassedOver);
        tracing::warn!(upstream, server, %error, "the server takes no connection");
    }
}

impl std::ops::Deref for Edge {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edge")
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

/// One request being served, or one connection.
pub(super) struct Serving<'e>(&'e AtomicUsize);

impl<'e> Serving<'e> {
    fn one_of(count: &'e AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
