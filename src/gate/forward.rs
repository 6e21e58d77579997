//! The fields that the upstream gets: what the client may say, minus what is not its to say, plus what is verified.
//! One function for every protocol and for `explain`; running it twice gives the same fields twice.

use std::borrow::Cow;
use std::net::IpAddr;

use smallvec::SmallVec;

use super::admit::Gate;
use super::correlation::TraceContext;
use super::credential::WEBSOCKET_TOKEN_PREFIX;
use super::verdict::{Admission, Peer};
use crate::time::Timestamp;
use crate::wire::fields::{self, same_name};
use crate::wire::{Field, FieldSink, RequestHead};

/// What the hop to the upstream adds of its own.
#[derive(Debug, Clone, Copy)]
pub struct Hop<'a> {
    /// The connection the request came by.
    pub peer: Peer<'a>,
    /// Whose request it is, where a trusted proxy tells of somebody.
    pub client: Option<IpAddr>,
    /// `X-Request-Id`.
    pub request_id: &'a str,
    /// `traceparent`: the client's, or a new one.
    pub trace: &'a TraceContext,
    /// The present, for the assertion.
    pub now: Timestamp,
}

impl Gate {
    /// Hands every field of the upstream's request to `sink`, in order. `Host`, framing and the fields of one connection
    /// (`Connection`, `Upgrade`, `TE` …) are the plane's to write.
    pub fn upstream_fields(
        &self,
        admission: &Admission,
        head: &RequestHead<'_>,
        hop: &Hop<'_>,
        sink: &mut (impl FieldSink + ?Sized),
    ) {
        let put = &mut |name: &str, value: &[u8]| sink.field(name, value);
        let nominated: SmallVec<[&[u8]; 4]> = fields::connection_options(head.fields).collect();
        let is_nominated = |name: &str| {
            let mut options = nominated.iter();
            options
                .any(|option| std::str::from_utf8(option).is_ok_and(|other| same_name(other, name)))
        };
        for field in head.fields {
            if self.passes(field.name, admission) && !is_nominated(field.name) {
                put(field.name, field.value);
            }
        }
        self.cookies(head, put);
        websocket_protocols(head, admission, put);
        forwarding(head, admission, hop, put);
        put("X-Request-Id", hop.request_id.as_bytes());
        hop.trace.put(head, put);
        if let Some(verified) = admission.permit.verified() {
            self.identity()
                .put(verified, &admission.upstream.name, hop.now, sink);
        }
    }

    /// Whether a field of the upstream's answer is kept from the client: a name that is the gateway's own.
    pub fn keeps_back(&self, name: &str) -> bool {
        self.config().identity.prefix.owns(name) || same_name(name, "x-request-id")
    }

    /// Whether the client's field of this name may go on as it is.
    fn passes(&self, name: &str, admission: &Admission) -> bool {
        const REWRITTEN: [&str; 7] = [
            "host",
            "cookie",
            // The wait is between the client and us.
            "expect",
            "x-request-id",
            "traceparent",
            "tracestate",
            "sec-websocket-protocol",
        ];
        let token =
            same_name(name, "authorization") && !admission.permit.route().handling.forward_token;
        !(name.contains('_')
            || token
            || self.config().identity.prefix.owns(name)
            || fields::is_hop_by_hop(name)
            || fields::is_forwarding(name)
            || fields::is_method_override(name)
            || REWRITTEN.iter().any(|other| same_name(other, name)))
    }

    /// The client's cookies in one field (RFC 9113 §8.2.3), without the gateway's own.
    fn cookies(&self, head: &RequestHead<'_>, put: &mut impl FnMut(&str, &[u8])) {
        let own = self
            .config()
            .sessions
            .as_ref()
            .and_then(|sessions| sessions.cookie.as_ref())
            .map(|cookie| cookie.name.as_bytes());
        let is_own = |pair: &[u8]| {
            own.is_some_and(|own| {
                pair.split(|byte| *byte == b'=')
                    .next()
                    .map(<[u8]>::trim_ascii)
                    == Some(own)
            })
        };
        let mut fields = head.values("cookie");
        let (Some(first), second) = (fields.next(), fields.next()) else {
            return;
        };
        if second.is_none() && own.is_none() {
            return put("Cookie", first);
        }
        let pairs = head
            .values("cookie")
            .flat_map(|value| value.split(|byte| *byte == b';'))
            .map(<[u8]>::trim_ascii);
        let kept: Vec<&[u8]> = pairs
            .filter(|pair| !pair.is_empty() && !is_own(pair))
            .collect();
        if !kept.is_empty() {
            put("Cookie", &kept.join(&b"; "[..]));
        }
    }
}

/// The protocols that a WebSocket client offers, without the entry that carries its token.
fn websocket_protocols(
    head: &RequestHead<'_>,
    admission: &Admission,
    put: &mut impl FnMut(&str, &[u8]),
) {
    let takes_token = admission.permit.route().handling.websocket_token;
    let offered = head.values("sec-websocket-protocol").flat_map(fields::list);
    let kept: Vec<&[u8]> = offered
        .filter(|protocol| !(takes_token && protocol.starts_with(WEBSOCKET_TOKEN_PREFIX)))
        .collect();
    if !kept.is_empty() {
        put("Sec-WebSocket-Protocol", &kept.join(&b", "[..]));
    }
}

/// Rebuilds what tells where the request came from. A client's own words count only behind a trusted proxy.
fn forwarding(
    head: &RequestHead<'_>,
    admission: &Admission,
    hop: &Hop<'_>,
    put: &mut impl FnMut(&str, &[u8]),
) {
    let told = |name| {
        if hop.peer.trusted {
            // A field that says nothing is none.
            joined(head.fields, name).filter(|told| fields::list(told).next().is_some())
        } else {
            None
        }
    };
    let address = hop.peer.address.as_bytes();
    let for_ = told("x-forwarded-for").map_or(Cow::Borrowed(address), |chain| {
        Cow::Owned([&chain, &b", "[..], address].concat())
    });
    let proto = told("x-forwarded-proto").unwrap_or(Cow::Borrowed(head.scheme.as_str().as_bytes()));
    let host = told("x-forwarded-host").or(admission
        .authority
        .as_deref()
        .map(|host| Cow::Borrowed(host.as_bytes())));
    let mut forwarded = Vec::with_capacity(FORWARDED_BYTES);
    if let Some(before) = told("forwarded") {
        forwarded.extend_from_slice(&before);
        forwarded.extend_from_slice(b", ");
    }
    put_element(&mut forwarded, head, admission, hop.peer.address);
    put("X-Forwarded-For", &for_);
    put("X-Forwarded-Proto", &proto);
    if let Some(host) = host {
        put("X-Forwarded-Host", &host);
    }
    match hop.client {
        Some(client) => put("X-Real-IP", client.to_string().as_bytes()),
        None => put("X-Real-IP", address),
    }
    put("Forwarded", &forwarded);
}

/// Appends this hop's element of `Forwarded` (RFC 7239 §4); an IPv6 node is bracketed and quoted (§6).
fn put_element(out: &mut Vec<u8>, head: &RequestHead<'_>, admission: &Admission, address: &str) {
    let [opened, closed] = if address.contains(':') {
        ["for=\"[", "]\";proto="]
    } else {
        ["for=", ";proto="]
    };
    for piece in [opened, address, closed, head.scheme.as_str()] {
        out.extend_from_slice(piece.as_bytes());
    }
    if let Some(host) = &admission.authority {
        for piece in [";host=\"", host, "\""] {
            out.extend_from_slice(piece.as_bytes());
        }
    }
}

/// Room for the usual element.
const FORWARDED_BYTES: usize = 128;

/// All values of one field as one list.
fn joined<'a>(fields: &[Field<'a>], name: &str) -> Option<Cow<'a, [u8]>> {
    let mut values = fields
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case(name))
        .map(|field| field.value);
    let first = values.next()?;
    Some(values.fold(Cow::Borrowed(first), |all, value| {
        Cow::Owned([&all, &b", "[..], value].concat())
    }))
}
