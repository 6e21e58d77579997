//! One finished request, as metrics and log see it.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use crate::gate::Reason;
use crate::policy::Route;
use crate::time::Timestamp;

/// One finished request. Borrowed from whoever served it; no token, no query, no claim value but the subject.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// Name of the listener.
    pub listener: &'a str,
    /// `X-Request-Id`.
    pub request_id: &'a str,
    /// The trace's id, 32 hex digits.
    pub trace_id: &'a str,
    /// The address of the other end of the connection.
    pub peer: &'a str,
    /// The client's address, where a trusted proxy tells another one.
    pub client: Option<IpAddr>,
    /// `HTTP/1.0`, `HTTP/1.1` or `HTTP/2`.
    pub protocol: &'static str,
    /// The method on the wire; empty when it could not be read.
    pub method: &'a str,
    /// The path without query; empty when it could not be read.
    pub path: &'a str,
    /// The host; empty when it could not be read.
    pub host: &'a str,
    /// The route, if one was found.
    pub route: Option<&'a Route>,
    /// The gate's own endpoint, if it answered (`Endpoint::as_str`).
    pub endpoint: Option<&'static str>,
    /// The status the client got; 0 when the connection ended before one was sent.
    pub status: u16,
    /// `forward`, `shadow`, `answer` or `refuse`.
    pub verdict: &'static str,
    /// Why not; on a shadow route why it would not; on a forwarded request what went wrong upstream.
    pub reason: Option<Reason>,
    /// Why a shadow route would have refused, where `reason` tells of something else that went wrong.
    pub shadowed: Option<Reason>,
    /// For the operator.
    pub detail: &'a str,
    /// The issuer's name in the configuration.
    pub issuer: Option<&'a str>,
    /// The subject as the token has it; the log decides how to show it.
    pub subject: Option<&'a str>,
    /// Where the subject's digest is remembered, as long as the token is.
    pub pseudonym: Option<&'a OnceLock<Box<str>>>,
    /// The upstream's name.
    pub upstream: Option<&'a str>,
    /// The server's address.
    pub server: Option<&'a str>,
    /// Content bytes that came from the client.
    pub bytes_in: u64,
    /// Content bytes that went to the client.
    pub bytes_out: u64,
    /// When it ended.
    pub at: Timestamp,
    /// From the head's first byte to the answer's last.
    pub duration: Duration,
    /// From the request's first byte to the upstream until the answer's first byte.
    pub upstream_duration: Option<Duration>,
}

impl<'a> Exchange<'a> {
    /// The label of route: the route's name, or that of our own endpoint.
    pub fn route_name(&self) -> Option<&'a str> {
        self.route.map(|route| &*route.name).or(self.endpoint)
    }

    /// The product that the route wants; of several the first.
    pub fn product(&self) -> Option<&'a str> {
        let product = self.route?.requirement.product()?;
        Some(product.as_str())
    }
}
