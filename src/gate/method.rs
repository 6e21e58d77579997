//! Methods that a route, or an endpoint of the gate, does not answer: 405 with `Allow`, before any token is looked at.

use std::sync::Arc;

use super::line::{self, RequestLine};
use super::reason::Reason;
use super::refusal::{Hint, Refusal};
use super::verdict::Endpoint;
use crate::policy::{Methods, Route};
use crate::wire::RequestHead;

/// Methods that a route without a list of its own is asked with.
const USUAL_METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Refuses to do more with the identity keys than to read them. The endpoints of the session side refuse in words of their
/// own, those of OAuth.
pub(super) fn check_own_method(line: &RequestLine<'_>, endpoint: &Endpoint) -> Result<(), Refusal> {
    const READS: [&str; 2] = ["GET", "HEAD"];
    if *endpoint != Endpoint::IdentityJwks || READS.contains(&line.method) {
        return Ok(());
    }
    let refusal = Refusal::new(Reason::MethodRefused, "the identity keys are only read");
    Err(refusal.with_hint(Hint::Allow(READS.map(Into::into).to_vec())))
}

/// Refuses TRACE where the route does not name it: it would send the identity that its server hears back to the client
/// (RFC 9110 §9.3.8).
pub(super) fn check_method(line: &RequestLine<'_>, route: &Arc<Route>) -> Result<(), Refusal> {
    let is_named = route.methods != Methods::Any;
    if is_named || !line.method.eq_ignore_ascii_case("TRACE") {
        return Ok(());
    }
    Err(method_refused(route, "TRACE is for a route that names it"))
}

/// Refuses a wish for another protocol where the route has none.
pub(super) fn check_upgrade(head: &RequestHead<'_>, route: &Arc<Route>) -> Result<(), Refusal> {
    if !(route.handling.refuse_upgrade && line::asks_to_switch(head)) {
        return Ok(());
    }
    Err(method_refused(route, "the route refuses upgrades"))
}

fn method_refused(route: &Arc<Route>, detail: &'static str) -> Refusal {
    let allowed = match &route.methods {
        Methods::Any => USUAL_METHODS.map(Into::into).to_vec(),
        Methods::Named(names) => names.clone(),
    };
    Refusal::new(Reason::MethodRefused, detail)
        .with_hint(Hint::Allow(allowed))
        .on(route)
}
