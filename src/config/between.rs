//! What holds between tables: addresses, issuers and routes do not clash, and what the gate answers itself is nobody
//! else's.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::diagnostic::Diagnostic;
use super::endpoints::{IDENTITY_JWKS_PATH, SessionPaths, meets};
use super::model::{Cors, Issuer, KeySource, Listener, Sessions};
use super::table::Table;
use super::walk::Walk;
use crate::identity::IdentityTerms;
use crate::policy::{HostPattern, Requirement, Route, RouteTable, Tie};
use crate::session::OWN_ISSUER;
use crate::token::{ClaimPath, IssuerTerms, KeySet};

/// Something read, and where its key is.
pub(super) type Placed<T> = (Arc<T>, Range<usize>);

/// No two sockets on one address. Port 0 is any free one.
pub(super) fn addresses(
    walk: &Walk<'_>,
    listeners: &[Placed<Listener>],
    admin: Option<(SocketAddr, Range<usize>)>,
) {
    let places = listeners
        .iter()
        .map(|(listener, span)| (listener.address, span.clone()));
    let places: Vec<_> = places.chain(admin).collect();
    for (at, (address, span)) in places.iter().enumerate() {
        if let Some((_, first)) = places[..at]
            .iter()
            .find(|(other, _)| clash(*address, *other))
        {
            let message = format!("`{address}` is taken by another listener of this file");
            let fault = Diagnostic::fault(
                "address_taken",
                span.clone(),
                message,
                "choose another port; `[::]` is every IPv4 address too",
            );
            walk.report(fault.and(first.clone()));
        }
    }
}

/// Whether the system gives one of two addresses alone. A socket at `[::]` has every IPv4 address too (RFC 3493 §3.7).
fn clash(a: SocketAddr, b: SocketAddr) -> bool {
    let (a_ip, b_ip) = (a.ip().to_canonical(), b.ip().to_canonical());
    let covers =
        |one: IpAddr, other: IpAddr| one.is_unspecified() && (one.is_ipv6() || other.is_ipv4());
    let overlap = a_ip == b_ip || covers(a_ip, b_ip) || covers(b_ip, a_ip);
    a.port() == b.port() && a.port() != 0 && overlap
}

/// The operator's table for the `iss` that the session side has too.
pub(super) fn own_issuer_name<'w>(root: &Table<'w>) -> Option<&'w str> {
    let own = root.peek(&["sessions", "issuer"])?;
    let mut names = root.names("issuers").into_iter().map(|(name, _)| name);
    names.find(|name| root.peek(&["issuers", name, "issuer"]) == Some(own))
}

/// Every `iss` has one issuer. The session side joins them under its own name, and is the only one for its `iss`.
pub(super) fn issuers(
    root: &Table<'_>,
    configured: Vec<Placed<Issuer>>,
    routes: &[Placed<Route>],
    sessions: Option<&Sessions>,
) -> Vec<Arc<Issuer>> {
    let own = sessions.map(own_issuer);
    let mut issuers: Vec<Placed<Issuer>> = Vec::new();
    for (issuer, span) in configured {
        let same = |other: &Issuer| other.terms.issuer == issuer.terms.issuer;
        if own.as_deref().is_some_and(same) {
            let message = "this is the `iss` of [sessions]: its tokens are verified with the signing keys there, and the terms here do not count";
            let help = "remove this table; routes may name the issuer `sessions`";
            root.walk.warn("issuer_own", span, message, help);
            continue;
        }
        if let Some((_, first)) = issuers.iter().find(|(other, _)| same(other)) {
            let message = format!("two issuers have the `iss` `{}`", issuer.terms.issuer);
            let help = "an issuer is one table: list all its audiences and algorithms there";
            let fault = Diagnostic::fault("issuer_duplicate", span.clone(), message, help);
            root.walk.report(fault.and(first.clone()));
        }
        issuers.push((issuer, span));
    }
    if root.has("sessions")
        && let Some((_, span)) = root
            .names("issuers")
            .into_iter()
            .find(|(name, _)| *name == OWN_ISSUER)
    {
        let message = "the name `sessions` belongs to the gate's own tokens";
        let help = "choose another name";
        root.walk
            .refuse::<()>("issuer_reserved", span, message, help);
    }
    if !root.has("issuers") && !root.has("sessions") {
        warn_of_no_issuer(root.walk, routes);
    }
    let issuers = issuers.into_iter().map(|(issuer, _)| issuer);
    issuers.chain(own).collect()
}

fn warn_of_no_issuer(walk: &Walk<'_>, routes: &[Placed<Route>]) {
    let closed = routes
        .iter()
        .find(|(route, _)| route.requirement != Requirement::Public);
    if let Some((route, span)) = closed {
        let message = format!(
            "no token can open route `{}`: there is no issuer",
            route.name
        );
        let help = "add a table [issuers.main]";
        walk.warn("issuer_missing", span.clone(), message, help);
    }
}

/// The session side as an issuer whose keys are at hand.
fn own_issuer(sessions: &Sessions) -> Arc<Issuer> {
    let mut algorithms: Vec<_> = sessions
        .signing_keys
        .all()
        .map(|key| key.algorithm())
        .collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    let keys = KeySet::from_signing_keys(sessions.signing_keys.all().map(AsRef::as_ref));
    let terms = IssuerTerms {
        name: OWN_ISSUER.into(),
        issuer: sessions.issuer.clone(),
        audiences: vec![sessions.audience.clone()],
        algorithms,
        types: vec!["at+jwt".into()],
        leeway: Duration::from_secs(5),
        lifetime_max: sessions.token_lifetime_max(),
        products: sessions.products.clone(),
        scopes: ClaimPath::of("scope"),
        tenant: ClaimPath::of("tenant"),
    };
    Arc::new(Issuer {
        terms: Arc::new(terms),
        keys: KeySource::Fixed(Arc::new(keys)),
    })
}

/// No two routes tie, and none takes what the gate answers itself.
pub(super) fn routes(
    root: &Table<'_>,
    routes: &[Placed<Route>],
    identity: &IdentityTerms,
    sessions: Option<&Sessions>,
) {
    if let Err(ties) = RouteTable::new(routes.iter().map(|(route, _)| route.clone())) {
        report_ties(root.walk, routes, ties);
    }
    let endpoints = sessions.map(|sessions| SessionPaths::of(&sessions.issuer));
    for (route, span) in routes {
        let path = route.path.as_str();
        if identity.signing_key.is_some() && path != CATCH_ALL && meets(path, IDENTITY_JWKS_PATH) {
            let help = "choose another path: the gate's identity keys are there, whatever the host";
            taken(root.walk, route, span, IDENTITY_JWKS_PATH, help);
        }
        if !sessions.is_some_and(|sessions| share_a_host(&route.hosts, &sessions.hosts)) {
            continue;
        }
        let mut endpoints = endpoints.iter().flat_map(SessionPaths::iter);
        if let Some(endpoint) = endpoints.find(|endpoint| meets(path, endpoint)) {
            match path {
                CATCH_ALL => covered(root.walk, route, span),
                _ => {
                    let help = format!("choose another path, or {APART}");
                    taken(root.walk, route, span, endpoint, &help);
                }
            }
        }
    }
}

/// The route for whatever is left. The gate's own endpoints are more specific, as any route with a name would be.
const CATCH_ALL: &str = "/*";

fn taken(walk: &Walk<'_>, route: &Route, span: &Range<usize>, endpoint: &str, help: &str) {
    let message = format!(
        "route `{}` overlaps `{endpoint}`, which the gate answers itself",
        route.name
    );
    walk.refuse::<()>("endpoint_overlap", span.clone(), message, help);
}

fn covered(walk: &Walk<'_>, route: &Route, span: &Range<usize>) {
    let message = format!(
        "route `{}` takes every path but the gate's own session endpoints",
        route.name
    );
    let help = format!("if its upstream has paths below /auth, {APART}");
    walk.warn("endpoint_covered", span.clone(), message, help);
}

/// How a route and the session endpoints have every path to themselves.
const APART: &str = "give the endpoints a host of their own, [sessions] hosts = [\"auth.example.com\"], \
                     and name the route's in `hosts`";

fn report_ties(walk: &Walk<'_>, routes: &[Placed<Route>], mut ties: Vec<Tie>) {
    let spans: HashMap<&str, &Range<usize>> = routes
        .iter()
        .map(|(route, span)| (&*route.name, span))
        .collect();
    ties.sort_by(|a, b| (&a.first, &a.second).cmp(&(&b.first, &b.second)));
    ties.dedup();
    for Tie { first, second } in ties {
        let message = format!(
            "routes `{first}` and `{second}` match the same requests, neither more specifically"
        );
        let help =
            "tell them apart by host, path or methods; their order in the file never matters";
        let fault = Diagnostic::fault("route_tie", spans[&*second].clone(), message, help);
        walk.report(fault.and(spans[&*first].clone()));
    }
}

/// Pages send their token in `Authorization` alone, and no page may where its policy does not list it.
pub(super) fn cors(
    root: &Table<'_>,
    routes: &[Placed<Route>],
    policies: &BTreeMap<Arc<str>, Arc<Cors>>,
) {
    for (name, span) in root.names("cors") {
        let Some(policy) = policies.get(name) else {
            continue;
        };
        let wants_token = |route: &Route| {
            route.requirement != Requirement::Public && route.handling.cors.as_deref() == Some(name)
        };
        let mut routes = routes.iter().map(|(route, _)| route);
        if let Some(route) = routes.find(|route| wants_token(route))
            && !policy.headers.iter().any(|held| **held == *"authorization")
        {
            let message = format!(
                "no page can send a token to route `{}`: `headers` does not list \"authorization\"",
                route.name
            );
            let help = "write headers = [\"authorization\"], and whatever else its pages send";
            root.walk.warn("cors_tokenless", span, message, help);
        }
    }
}

fn share_a_host(patterns: &[HostPattern], hosts: &[Box<str>]) -> bool {
    let matches = |pattern: &HostPattern, host: &str| match pattern {
        HostPattern::Exact(name) => **name == *host,
        HostPattern::Wildcard(suffix) => host
            .strip_suffix(&**suffix)
            .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
    };
    patterns.is_empty()
        || hosts.is_empty()
        || hosts
            .iter()
            .any(|host| patterns.iter().any(|pattern| matches(pattern, host)))
}
