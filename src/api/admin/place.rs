//! The places of the admin listener, as one table: path, method, and what a request must show.

use http::{Method, StatusCode, header};

use super::door::Need;
use super::fault::Fault;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Page,
    Live,
    Ready,
    Metrics,
    Status,
    Revocations,
    Explain,
    Reload,
    Revoke,
    Distrust,
    GlobalRevocation,
    Sessions,
    Logout,
    SecurityEvent,
}

/// Every place. Whoever reads with GET may read with HEAD.
const PLACES: [(&str, Method, Place, Need); 14] = [
    ("/", Method::GET, Place::Page, Need::TokenOffLoopback),
    ("/livez", Method::GET, Place::Live, Need::Nothing),
    ("/readyz", Method::GET, Place::Ready, Need::Nothing),
    ("/metrics", Method::GET, Place::Metrics, Need::Nothing),
    (
        "/api/status",
        Method::GET,
        Place::Status,
        Need::TokenOffLoopback,
    ),
    (
        "/api/revocations",
        Method::GET,
        Place::Revocations,
        Need::Token,
    ),
    ("/api/explain", Method::POST, Place::Explain, Need::Token),
    ("/api/reload", Method::POST, Place::Reload, Need::Token),
    ("/api/revocations", Method::POST, Place::Revoke, Need::Token),
    (
        "/api/keys/distrust",
        Method::POST,
        Place::Distrust,
        Need::Token,
    ),
    (
        "/admin/global-token-revocation",
        Method::POST,
        Place::GlobalRevocation,
        Need::Token,
    ),
    ("/admin/sessions", Method::GET, Place::Sessions, Need::Token),
    (
        "/oidc/backchannel-logout",
        Method::POST,
        Place::Logout,
        Need::Token,
    ),
    (
        "/events/ssf",
        Method::POST,
        Place::SecurityEvent,
        Need::Token,
    ),
];

impl Place {
    /// Whether what is sent here is JSON, if anything is.
    pub(super) fn takes_json(self) -> bool {
        !matches!(self, Self::Logout | Self::SecurityEvent)
    }

    /// The place that a request is for, and what it must show there.
    ///
    /// # Errors
    /// 404; 405 with `Allow`.
    pub(super) fn find(method: &Method, path: &str) -> Result<(Self, Need), Fault> {
        let here = PLACES.iter().filter(|(known, ..)| *known == path);
        let reads = if *method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        if let Some((.., place, need)) = here.clone().find(|(_, known, ..)| known == reads) {
            return Ok((*place, *need));
        }
        let allowed = here.map(|(_, known, ..)| match *known {
            Method::GET => "GET, HEAD",
            _ => "POST",
        });
        let allowed = allowed.collect::<Vec<_>>().join(", ");
        if allowed.is_empty() {
            return Err(Fault::new(StatusCode::NOT_FOUND, "there is nothing here"));
        }
        let fault = Fault::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "the method is not allowed here",
        );
        Err(fault.with(header::ALLOW, allowed))
    }
}
