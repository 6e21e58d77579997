//! The CORS protocol (Fetch standard §3.2) for routes with a policy: answers preflights, and lets scripts of the listed
//! origins read answers. Credentials are never allowed here: a browser shows its token itself.

use bytes::Bytes;
use http::header;
use http::{Response, StatusCode};

use super::answer;
use crate::config::model::Cors;
use crate::wire::RequestHead;
use crate::wire::fields;

/// Answers a preflight. `methods` are the route's, empty for any. An origin that is not listed gets 403 and no CORS field;
/// a method or a header that is not listed gets an answer that does not name it, which the browser takes for a no.
pub fn preflight(policy: &Cors, methods: &[Box<str>], head: &RequestHead<'_>) -> Response<Bytes> {
    let origin = fields::single(head.fields, "origin").ok().flatten();
    let Some(origin) = allowed(policy, origin) else {
        return varying(answer::empty(StatusCode::FORBIDDEN));
    };
    let mut response = varying(answer::empty(StatusCode::NO_CONTENT));
    answer::put(&mut response, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    let methods = if policy.methods.is_empty() {
        methods
    } else {
        &policy.methods
    };
    if let Some(methods) = offered_methods(methods, head) {
        answer::put(
            &mut response,
            header::ACCESS_CONTROL_ALLOW_METHODS,
            &methods,
        );
    }
    if asked_headers(head).next().is_some() && asked_headers(head).all(|name| takes(policy, name)) {
        let names = policy.headers.join(", ");
        answer::put(&mut response, header::ACCESS_CONTROL_ALLOW_HEADERS, &names);
    }
    let max_age = policy.max_age.as_secs().to_string();
    answer::put(&mut response, header::ACCESS_CONTROL_MAX_AGE, &max_age);
    response
}

/// Hands `put` the fields that let scripts of `origin` read an answer. `Vary` adds to what the answer already has.
pub fn decorate(policy: &Cors, origin: Option<&[u8]>, put: &mut impl FnMut(&'static str, &str)) {
    put("vary", "Origin");
    let Some(origin) = allowed(policy, origin) else {
        return;
    };
    put("access-control-allow-origin", origin);
    if !policy.expose.is_empty() {
        put("access-control-expose-headers", &policy.expose.join(", "));
    }
}

/// Whether a field of an upstream's answer belongs to the CORS protocol: on a route with a policy the gate alone says it.
pub fn owns(name: &str) -> bool {
    fields::has_prefix(name, "access-control-")
}

/// The listed origin that is, byte for byte, the one that asks. `null` is never listed.
fn allowed<'p>(policy: &'p Cors, origin: Option<&[u8]>) -> Option<&'p str> {
    let origin = origin.filter(|origin| *origin != b"null")?;
    let listed = policy.origins.iter().map(AsRef::as_ref);
    listed
        .into_iter()
        .find(|listed: &&str| listed.as_bytes() == origin)
}

/// The methods for `Access-Control-Allow-Methods`, if the one that is asked for is among them.
fn offered_methods(methods: &[Box<str>], head: &RequestHead<'_>) -> Option<String> {
    let asked = head.values("access-control-request-method").next()?;
    let asked = std::str::from_utf8(asked).ok()?;
    if methods.is_empty() {
        return Some(asked.to_owned());
    }
    let offered = methods.iter().any(|method| **method == *asked);
    offered.then(|| methods.join(", "))
}

fn asked_headers<'a>(head: &RequestHead<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    head.values("access-control-request-headers")
        .flat_map(fields::list)
}

fn takes(policy: &Cors, asked: &[u8]) -> bool {
    let mut listed = policy.headers.iter();
    listed.any(|name| name.as_bytes().eq_ignore_ascii_case(asked))
}

fn varying(mut response: Response<Bytes>) -> Response<Bytes> {
    const ASKED: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
    answer::put(&mut response, header::VARY, ASKED);
    response
}
