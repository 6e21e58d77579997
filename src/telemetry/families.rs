//! Every metric of the house, by name. Labels come from the configuration or from closed lists, never from a request.

use std::sync::Arc;

use prometheus::{Gauge, Histogram, IntCounter, IntGauge};

use super::board::{Board, Head};
use super::family::{Family, Series, Shelf};

/// A family that hangs on the board.
type Shown<M, const N: usize> = Arc<Family<M, N>>;

/// All metrics and the board that shows them.
#[derive(Debug)]
pub(super) struct Families {
    board: Board,
    pub(super) requests: Shown<IntCounter, 2>,
    pub(super) decisions: Shown<IntCounter, 4>,
    pub(super) request_duration: Shown<Histogram, 1>,
    pub(super) upstream_duration: Shown<Histogram, 1>,
    pub(super) upstream_connections: Shown<IntGauge, 2>,
    pub(super) upstream_healthy: Shown<IntGauge, 2>,
    pub(super) token_verifications: Shown<IntCounter, 3>,
    pub(super) verified_tokens: Shown<IntGauge, 0>,
    pub(super) issuer_keys: Shown<IntGauge, 1>,
    pub(super) issuer_refresh: Shown<IntCounter, 2>,
    pub(super) issuer_refresh_age: Shown<Gauge, 1>,
    pub(super) key_alarms: Shown<IntCounter, 2>,
    pub(super) sessions: Shown<IntCounter, 2>,
    pub(super) revocations: Shown<IntGauge, 0>,
    pub(super) revocation_lag: Shown<Gauge, 0>,
    pub(super) store_duration: Shown<Histogram, 1>,
    pub(super) config_generation: Shown<IntGauge, 0>,
    pub(super) config_reloads: Shown<IntCounter, 1>,
    pub(super) connections: Shown<IntGauge, 1>,
    pub(super) handshakes_failed: Shown<IntCounter, 1>,
    pub(super) certificate_expiry: Shown<Gauge, 1>,
    pub(super) access_log_dropped: Shown<IntCounter, 0>,
    pub(super) diagnostics_dropped: Shown<IntCounter, 0>,
    pub(super) build_info: Shown<IntGauge, 1>,
}

impl Families {
    pub(super) fn new() -> Self {
        let mut board = Board::default();
        let b = &mut board;
        Self {
            requests: show(
                b,
                "tollgate_requests_total",
                "Requests by route and the status that the client got.",
                ["route", "status"],
            ),
            decisions: show(
                b,
                "tollgate_decisions_total",
                "Decisions by route, the product it wants, verdict and reason.",
                ["route", "product", "verdict", "reason"],
            ),
            request_duration: show(
                b,
                "tollgate_request_duration_seconds",
                "From a request's first byte to its answer's last.",
                ["route"],
            ),
            upstream_duration: show(
                b,
                "tollgate_upstream_duration_seconds",
                "From the first byte to the upstream until the first byte of its answer.",
                ["upstream"],
            ),
            upstream_connections: show(
                b,
                "tollgate_upstream_connections",
                "Open connections to an upstream, active or idle.",
                ["upstream", "state"],
            ),
            upstream_healthy: show(
                b,
                "tollgate_upstream_healthy",
                "1 while a server is used, 0 while it is passed over.",
                ["upstream", "server"],
            ),
            token_verifications: show(
                b,
                "tollgate_token_verifications_total",
                "Verified and refused tokens, by cache or signature.",
                ["issuer", "outcome", "source"],
            ),
            verified_tokens: show(
                b,
                "tollgate_verified_tokens",
                "Entries in the cache of verified tokens.",
                [],
            ),
            issuer_keys: show(
                b,
                "tollgate_issuer_keys",
                "Usable keys of an issuer.",
                ["issuer"],
            ),
            issuer_refresh: show(
                b,
                "tollgate_issuer_refresh_total",
                "Fetches of an issuer's keys.",
                ["issuer", "outcome"],
            ),
            issuer_refresh_age: show(
                b,
                "tollgate_issuer_refresh_age_seconds",
                "Since an issuer's keys were last fetched; before the first fetch since it was configured.",
                ["issuer"],
            ),
            key_alarms: show(
                b,
                "tollgate_key_alarms_total",
                "Odd things about an issuer's keys.",
                ["issuer", "kind"],
            ),
            sessions: show(
                b,
                "tollgate_sessions_total",
                "What happened to sessions, by the transport of their refresh token.",
                ["event", "transport"],
            ),
            revocations: show(
                b,
                "tollgate_revocations",
                "Revocations that are in force.",
                [],
            ),
            revocation_lag: show(
                b,
                "tollgate_revocation_lag_seconds",
                "How long ago the shared list of revocations was read: so late another process's may be in force here.",
                [],
            ),
            store_duration: show(
                b,
                "tollgate_store_duration_seconds",
                "Operations of the session store.",
                ["operation"],
            ),
            config_generation: show(
                b,
                "tollgate_config_generation",
                "The number of the configuration that serves.",
                [],
            ),
            config_reloads: show(
                b,
                "tollgate_config_reloads_total",
                "Reloads of the configuration.",
                ["outcome"],
            ),
            connections: show(
                b,
                "tollgate_connections",
                "Open connections of a listener.",
                ["listener"],
            ),
            handshakes_failed: show(
                b,
                "tollgate_tls_handshakes_failed_total",
                "TLS handshakes that came to nothing, also with clients that only look whether the port is open.",
                ["listener"],
            ),
            certificate_expiry: show(
                b,
                "tollgate_certificate_expiry_seconds",
                "Until the first of a listener's certificates expires; negative when it has.",
                ["listener"],
            ),
            access_log_dropped: show(
                b,
                "tollgate_access_log_dropped_total",
                "Lines of the access log that nobody took in time.",
                [],
            ),
            diagnostics_dropped: show(
                b,
                "tollgate_diagnostics_dropped_total",
                "Lines on standard error that nobody took in time.",
                [],
            ),
            build_info: show(
                b,
                "tollgate_build_info",
                "1, labelled with the version.",
                ["version"],
            ),
            board,
        }
    }

    /// Everything in Prometheus' text format.
    pub(super) fn render(&self) -> String {
        self.board.render()
    }
}

fn show<M: Series + 'static, const N: usize>(
    board: &mut Board,
    name: &'static str,
    help: &'static str,
    labels: [&'static str; N],
) -> Shown<M, N> {
    let family = Arc::new(Family::new(name, help, labels));
    let kind = M::KIND;
    board.hang(Head { name, help, kind }, Shelf(family.clone()));
    family
}
