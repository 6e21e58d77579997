//! The JSON of the admin API: what a moment's facts look like to a probe, a script and a person.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::answer;
use super::super::session::device;
use crate::config::Config;
use crate::control::{LedgerView, Reloaded, Status};
use crate::policy::Route;
use crate::session::{Revocation, Session};
use crate::telemetry::{Health, ServerHealth, Telemetry};

/// `/readyz`: 200 while the process takes new requests. Who may not see everything is not told what a rejected file or
/// a provider said.
pub(super) fn readiness(mut facts: Status, detail: Detail) -> Response<Bytes> {
    if detail == Detail::Bare {
        facts
            .last_reload
            .iter_mut()
            .for_each(|last| last.text.clear());
        facts
            .issuers
            .iter_mut()
            .for_each(|issuer| issuer.last_error = None);
    }
    let status = if facts.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    answer::json(status, &Readiness::of(&facts))
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Everything.
    Whole,
    /// Words of our own alone.
    Bare,
}

#[derive(Serialize)]
struct Readiness<'f> {
    status: &'static str,
    #[serde(flatten)]
    facts: &'f Status,
}

impl<'f> Readiness<'f> {
    fn of(facts: &'f Status) -> Self {
        Self {
            status: state(facts),
            facts,
        }
    }
}

/// The one word for what the process does.
pub(super) fn state(facts: &Status) -> &'static str {
    match facts {
        Status { draining: true, .. } => "draining",
        Status { generation: 0, .. } => "starting",
        Status { .. } => "ready",
    }
}

/// `/api/status`.
#[derive(Serialize)]
struct Overview<'f> {
    version: &'static str,
    #[serde(flatten)]
    readiness: Readiness<'f>,
    listeners: Vec<ListenerView<'f>>,
    upstreams: Map<String, Value>,
    routes: RoutesView,
    refusals: Map<String, Value>,
    #[serde(flatten)]
    ledger: &'f LedgerView,
}

#[derive(Serialize)]
struct ListenerView<'f> {
    name: &'f str,
    address: String,
    tls: bool,
}

/// How many routes ask for what.
#[derive(Debug, Default, Serialize)]
pub(super) struct RoutesView {
    pub(super) public: usize,
    pub(super) authenticated: usize,
    pub(super) entitled: usize,
    pub(super) shadow: usize,
}

impl RoutesView {
    pub(super) fn of<'r>(routes: impl IntoIterator<Item = &'r Route>) -> Self {
        let mut view = Self::default();
        for route in routes {
            match route.requirement.access() {
                "public" => view.public += 1,
                "authenticated" => view.authenticated += 1,
                _ => view.entitled += 1,
            }
            view.shadow += usize::from(route.mode == crate::policy::Mode::Shadow);
        }
        view
    }
}

/// `/api/status`: what serves, what was refused since the start, and what became of every key.
pub(super) fn overview(
    config: &Config,
    facts: &Status,
    ledger: &LedgerView,
    telemetry: &Telemetry,
) -> Response<Bytes> {
    let refusals = telemetry.metrics().refusals().into_iter();
    let listeners = config.listeners.iter().map(|listener| ListenerView {
        name: &listener.name,
        address: listener.address.to_string(),
        tls: listener.tls.is_some(),
    });
    let overview = Overview {
        version: env!("CARGO_PKG_VERSION"),
        readiness: Readiness::of(facts),
        listeners: listeners.collect(),
        upstreams: upstreams(telemetry),
        routes: RoutesView::of(config.routes.iter().map(AsRef::as_ref)),
        refusals: refusals
            .map(|(reason, count)| (reason.as_str().to_owned(), count.into()))
            .collect(),
        ledger,
    };
    answer::json(StatusCode::OK, &overview)
}

/// Every server by the name of its upstream, and whether it takes requests.
fn upstreams(telemetry: &Telemetry) -> Map<String, Value> {
    let servers = telemetry.metrics().servers();
    let of_upstream = servers.chunk_by(|one, next| one.upstream == next.upstream);
    let view = |servers: &[ServerHealth]| {
        let health = |server: &ServerHealth| (server.health == Health::Used).into();
        let servers: Map<String, Value> = servers
            .iter()
            .map(|server| (server.server.to_string(), health(server)))
            .collect();
        servers.into()
    };
    of_upstream
        .map(|servers| (servers[0].upstream.to_string(), view(servers)))
        .collect()
}

/// The answer to a reload: the generation that serves, and what `check` would print.
pub(super) fn reload(status: StatusCode, reloaded: &Reloaded) -> Response<Bytes> {
    let said = serde_json::json!({
        "outcome": reloaded.outcome,
        "generation": reloaded.generation,
        "diagnostics": reloaded.text,
    });
    answer::json(status, &said)
}

/// `GET /api/revocations`: newest first.
pub(super) fn revocations(newest: &[Revocation]) -> Response<Bytes> {
    let views: Vec<_> = newest.iter().map(RevocationView::from).collect();
    answer::json(StatusCode::OK, &serde_json::json!({ "revocations": views }))
}

/// The answer to a revocation: what counts from now on, and until when.
pub(super) fn revocation(revocation: &Revocation) -> Response<Bytes> {
    answer::json(StatusCode::OK, &RevocationView::from(revocation))
}

/// `GET /admin/sessions`: where a subject is logged in.
pub(super) fn sessions(sessions: &[Session]) -> Response<Bytes> {
    let views: Vec<Value> = sessions.iter().map(device).collect();
    answer::json(StatusCode::OK, &serde_json::json!({ "sessions": views }))
}

/// One revocation.
#[derive(Serialize)]
struct RevocationView<'r> {
    kind: &'static str,
    value: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'r str>,
    cutoff_ms: u64,
    expires_at_ms: u64,
}

impl<'r> From<&'r Revocation> for RevocationView<'r> {
    fn from(revocation: &'r Revocation) -> Self {
        Self {
            kind: revocation.what.kind(),
            value: revocation.what.value(),
            issuer: revocation.issuer.as_deref(),
            cutoff_ms: revocation.cutoff.as_millis(),
            expires_at_ms: revocation.expires_at.as_millis(),
        }
    }
}
