//! What is counted: one method for each thing that happens. A label that is not a name of the configuration is a
//! `&'static str` or an enum here: a text that came with a request does not fit. Does not know who calls it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus::IntCounter;

use super::exchange::Exchange;
use super::families::Families;
use super::handles::{Counted, Handles, IssuerHandle, RouteHandle, UpstreamHandle};
use crate::gate::Reason;
use crate::time::Timestamp;
use crate::token::{Source, VerifiedTokens};

mod configured;

/// Every metric of the process.
#[derive(Debug)]
pub struct Metrics {
    families: Families,
    routes: Handles<RouteHandle>,
    upstreams: Handles<UpstreamHandle>,
    issuers: Handles<IssuerHandle>,
    refusals: [AtomicU64; Reason::ALL.len()],
    /// When each issuer's keys were last fetched, or the issuer was configured.
    refreshed: Mutex<HashMap<Box<str>, Timestamp>>,
    /// When each listener's first certificate expires.
    certificates: Mutex<HashMap<Box<str>, Timestamp>>,
    /// The tokens that were verified already, to be counted.
    verified: Mutex<Option<Arc<VerifiedTokens>>>,
}

/// What came of fetching an issuer's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// A new document was read.
    Fetched,
    /// The document is the one we have (304).
    Unchanged,
    /// There is none, or none that can be used.
    Failed,
}

/// Whether a server takes requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Used,
    /// It refused a connection, and is passed over for a while.
    PassedOver,
}

/// One server of an upstream, and whether it takes requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerHealth {
    /// The upstream's name.
    pub upstream: Box<str>,
    /// The server, as the configuration has it.
    pub server: Box<str>,
    /// Whether it takes requests.
    pub health: Health,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let families = Families::new();
        families.build_info.with([env!("CARGO_PKG_VERSION")]).set(1);
        for outcome in ["ok", "rejected"] {
            families.config_reloads.with([outcome]);
        }
        families.revocations.with([]);
        families.verified_tokens.with([]);
        Self {
            families,
            routes: Handles::default(),
            upstreams: Handles::default(),
            issuers: Handles::default(),
            refusals: [const { AtomicU64::new(0) }; Reason::ALL.len()],
            refreshed: Mutex::default(),
            certificates: Mutex::default(),
            verified: Mutex::default(),
        }
    }

    pub(super) fn request(&self, exchange: &Exchange<'_>) {
        let product = exchange.product().unwrap_or("");
        let route = exchange.route_name().unwrap_or(UNKNOWN);
        let families = &self.families;
        self.routes
            .find(
                route,
                |handle| handle.wants(product),
                || RouteHandle::new(families, route, product),
            )
            .count(families, exchange);
        if let (Some(upstream), Some(took)) = (exchange.upstream, exchange.upstream_duration) {
            self.upstream(upstream).duration.observe(took.as_secs_f64());
        }
        // On a shadow route the reason tells what would have been, unless something went wrong behind it.
        let would_have_been = exchange.verdict == "shadow" && exchange.shadowed.is_none();
        if let Some(reason) = exchange.reason.filter(|_| !would_have_been) {
            self.refusals[reason as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The series of one upstream; keep it as long as the upstream.
    pub fn upstream(&self, name: &str) -> Arc<UpstreamHandle> {
        self.upstreams
            .find(name, |_| true, || UpstreamHandle::new(&self.families, name))
    }

    /// Whether a server of an upstream takes requests. One that the configuration has no longer is not told of: a request
    /// under an earlier one may still find it dead, and nobody would find it alive.
    pub fn upstream_healthy(&self, upstream: &str, server: &str, health: Health) {
        if let Some(gauge) = self.families.upstream_healthy.find([upstream, server]) {
            gauge.set(i64::from(health == Health::Used));
        }
    }

    /// Every server of the configuration, by the name of its upstream.
    pub fn servers(&self) -> Vec<ServerHealth> {
        let servers = self.families.upstream_healthy.all().into_iter();
        servers
            .map(|([upstream, server], gauge)| ServerHealth {
                upstream,
                server,
                health: match gauge.get() {
                    0 => Health::PassedOver,
                    _ => Health::Used,
                },
            })
            .collect()
    }

    /// Counts a connection to a listener, until the guard is dropped.
    pub fn connection(&self, listener: &str) -> Counted {
        Counted::new(self.families.connections.with([listener]))
    }

    /// Counts a TLS handshake with a client of `listener` that came to nothing.
    pub fn handshake_failed(&self, listener: &str) {
        self.families.handshakes_failed.with([listener]).inc();
    }

    /// Counts a token that was looked at. `refused` is why it was not accepted.
    pub fn verification(&self, issuer: Option<&str>, refused: Option<Reason>, source: Source) {
        let issuer = issuer.unwrap_or(UNKNOWN);
        self.issuers
            .find(issuer, |_| true, || IssuerHandle::new(issuer))
            .count(&self.families, refused, source);
    }

    /// From now on the gauge of verified tokens tells how many these are.
    pub fn verified_tokens(&self, tokens: Arc<VerifiedTokens>) {
        *lock(&self.verified) = Some(tokens);
    }

    /// How many usable keys an issuer has.
    pub fn issuer_keys(&self, issuer: &str, keys: usize) {
        self.families.issuer_keys.with([issuer]).set(whole(keys));
    }

    /// Counts a fetch of an issuer's keys that ended at `now`.
    pub fn issuer_refresh(&self, issuer: &str, outcome: RefreshOutcome, now: Timestamp) {
        let refresh = &self.families.issuer_refresh;
        refresh.with([issuer, outcome.as_str()]).inc();
        if outcome != RefreshOutcome::Failed {
            self.issuer_refreshed(issuer, now);
        }
    }

    /// An issuer's provider confirmed its keys at `at`, maybe to an earlier process: their age is counted from there.
    pub fn issuer_refreshed(&self, issuer: &str, at: Timestamp) {
        lock(&self.refreshed).insert(issuer.into(), at);
    }

    /// Counts something odd about an issuer's keys.
    pub fn key_alarm(&self, issuer: &str, kind: &'static str) {
        self.families.key_alarms.with([issuer, kind]).inc();
    }

    /// Counts what happened to a session.
    pub fn session_event(&self, event: &'static str, transport: &'static str) {
        self.families.sessions.with([event, transport]).inc();
    }

    /// How long an operation of the store took.
    pub fn store_duration(&self, operation: &'static str, took: Duration) {
        let histogram = self.families.store_duration.with([operation]);
        histogram.observe(took.as_secs_f64());
    }

    /// How many revocations are in force.
    pub fn revocations(&self, entries: usize) {
        self.families.revocations.with([]).set(whole(entries));
    }

    /// How long ago the shared list of revocations was read.
    pub fn revocation_lag(&self, lag: Duration) {
        self.families.revocation_lag.with([]).set(lag.as_secs_f64());
    }

    /// The number of the configuration that serves.
    pub fn generation(&self, number: u64) {
        let gauge = self.families.config_generation.with([]);
        gauge.set(i64::try_from(number).unwrap_or(i64::MAX));
    }

    /// Counts a reload: `ok` or `rejected`.
    pub fn reload(&self, outcome: &'static str) {
        self.families.config_reloads.with([outcome]).inc();
    }

    /// When the first of a listener's certificates expires.
    pub fn certificate_expiry(&self, listener: &str, expires_at: Timestamp) {
        lock(&self.certificates).insert(listener.into(), expires_at);
    }

    /// Lines of the access log, and those of diagnostics, that nobody took in time.
    pub(super) fn lines_dropped(&self) -> (IntCounter, IntCounter) {
        let families = &self.families;
        let access = families.access_log_dropped.with([]);
        (access, families.diagnostics_dropped.with([]))
    }

    /// How often each reason refused since the start, the most frequent first; reasons that never did are left out.
    pub fn refusals(&self) -> Vec<(Reason, u64)> {
        let counts = Reason::ALL.into_iter().zip(&self.refusals);
        let mut counts: Vec<_> = counts
            .map(|(reason, count)| (reason, count.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }

    /// Everything in Prometheus' text format, as of `now`.
    pub fn render(&self, now: Timestamp) -> String {
        for (issuer, at) in &*lock(&self.refreshed) {
            let age = now.since(*at).as_secs_f64();
            self.families.issuer_refresh_age.with([issuer]).set(age);
        }
        for (listener, at) in &*lock(&self.certificates) {
            let left = at.since(now).as_secs_f64() - now.since(*at).as_secs_f64();
            self.families.certificate_expiry.with([listener]).set(left);
        }
        if let Some(verified) = &*lock(&self.verified) {
            let entries = whole(verified.len());
            self.families.verified_tokens.with([]).set(entries);
        }
        self.families.render()
    }
}

impl RefreshOutcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Fetched => "fetched",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
        }
    }
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The label of a route or an issuer that is none of the configuration's.
const UNKNOWN: &str = "-";
