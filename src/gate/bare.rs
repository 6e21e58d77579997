//! A bare path that somebody asks about: the scheme and the host that a client would most likely have sent with it.

use std::borrow::Cow;
use std::cmp::Reverse;

use super::admit::Gate;
use crate::policy::{Found, Host, HostPattern, RequestPath};
use crate::wire::Scheme;

/// What clients speak to the listeners: TLS, if there is one that speaks it.
pub(super) fn scheme(gate: &Gate) -> Scheme {
    let mut listeners = gate.config().listeners.iter();
    if listeners.any(|listener| listener.tls.is_some()) {
        Scheme::Https
    } else {
        Scheme::Http
    }
}

/// The host that serves the path; of several the one whose route is the most specific, and of these the first. Where none
/// does, the first that a route names.
pub(super) fn host<'g>(gate: &'g Gate, method: &str, target: &str) -> Cow<'g, str> {
    let serving = RequestPath::parse(target).ok().and_then(|path| {
        let ranked = hosts(gate).filter_map(|name| {
            let host = Host::parse(&name).ok()?;
            Some((rank(gate, &host, &path, method)?, name))
        });
        ranked.min_by_key(|(rank, _)| Reverse(rank.clone()))
    });
    match serving {
        Some((_, name)) => name,
        None => Cow::Borrowed(first_named(gate)),
    }
}

/// How well a host serves the path, the best at the top: by an endpoint of the gate's own, by a route with this method, by
/// one whose path is literal for longer.
type Rank = (bool, bool, Vec<bool>, bool);

fn rank(gate: &Gate, host: &Host, path: &RequestPath, method: &str) -> Option<Rank> {
    if gate.endpoints().find(Some(host), path).is_some() {
        return Some((true, true, Vec::new(), true));
    }
    let found = gate.routes().find_alike(Some(host), path, method).ok()?;
    let (takes, route) = match found {
        Found::Route(route) => (true, route),
        Found::MethodRefused { route, .. } => (false, route),
        Found::Unknown => return None,
    };
    let (literal, exact) = route.path.specificity();
    Some((false, takes, literal, exact))
}

/// A host of each kind that the configuration tells apart: the exact names, one below each wildcard, and any other.
fn hosts(gate: &Gate) -> impl Iterator<Item = Cow<'_, str>> {
    let config = gate.config();
    let of_sessions = config.sessions.iter().flat_map(|sessions| &sessions.hosts);
    let wildcards = patterns(gate).filter_map(|pattern| match pattern {
        HostPattern::Exact(_) => None,
        HostPattern::Wildcard(suffix) => Some(Cow::Owned(format!("any.{suffix}"))),
    });
    exact(gate)
        .chain(of_sessions.map(|name| &**name))
        .map(Cow::Borrowed)
        .chain(wildcards)
        .chain([Cow::Borrowed(ANY)])
}

fn first_named(gate: &Gate) -> &str {
    exact(gate).next().unwrap_or(ANY)
}

fn exact(gate: &Gate) -> impl Iterator<Item = &str> {
    patterns(gate).filter_map(|pattern| match pattern {
        HostPattern::Exact(name) => Some(&**name),
        HostPattern::Wildcard(_) => None,
    })
}

fn patterns(gate: &Gate) -> impl Iterator<Item = &HostPattern> {
    gate.config().routes.iter().flat_map(|route| &route.hosts)
}

/// A host that nobody names.
const ANY: &str = "localhost";
