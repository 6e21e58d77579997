//! The decision. One walk from the request line to the permit; every branch stands here.

use std::sync::Arc;

use serde_json::Value;

use super::compared;
use super::credential;
use super::endpoints::Endpoints;
use super::line::{self, RequestLine};
use super::method::{check_method, check_own_method, check_upgrade};
use super::reason::Reason;
use super::refusal::{Hint, Refusal};
use super::trace::Trace;
use super::verdict::{Admission, Endpoint, Verdict};
use crate::config::Config;
use crate::identity::IdentitySigner;
use crate::policy::{self, Caller, Found, Permit, Requirement, Route, RouteTable};
use crate::session::Revocations;
use crate::time::Timestamp;
use crate::token::{
    BearerToken, EventForm, IssuerEvent, KeyRing, TokenError, TokenFailure, Verified,
    VerifiedTokens, Verifier,
};
use crate::wire::RequestHead;

/// One whole configuration with one ring of keys: everything that a request is judged by. Immutable.
#[derive(Debug)]
pub struct Gate {
    config: Arc<Config>,
    routes: RouteTable,
    verifier: Verifier,
    endpoints: Endpoints,
    identity: IdentitySigner,
}

impl Gate {
    /// Puts a gate together. `verified` outlives gates: it holds what was verified, never what was decided.
    pub fn assemble(config: Arc<Config>, keys: &KeyRing, verified: Arc<VerifiedTokens>) -> Self {
        let issuers = config
            .issuers
            .iter()
            .map(|issuer| issuer.terms.clone())
            .collect();
        Self {
            routes: RouteTable::new(config.routes.iter().cloned())
                .expect("ties were found when the file was checked"),
            verifier: Verifier::new(issuers, keys, verified),
            endpoints: Endpoints::of(&config),
            identity: IdentitySigner::new(&config.identity),
            config,
        }
    }

    /// Publishes these identity keys beside its own: they signed before.
    pub fn publishing(self, leaving: Vec<Value>) -> Self {
        let identity = self.identity.publishing(leaving);
        Self { identity, ..self }
    }

    /// What it was made of.
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// The routes, to be searched.
    pub(super) fn routes(&self) -> &RouteTable {
        &self.routes
    }

    /// What the gate answers itself.
    pub(super) fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Who signs the identity that upstreams hear.
    pub fn identity(&self) -> &IdentitySigner {
        &self.identity
    }

    /// Verifies a bare token against every issuer, without a route to use it on.
    ///
    /// # Errors
    /// The refusal that a request with it would get.
    pub fn authenticate(&self, token: &str, now: Timestamp) -> Result<Verified, Refusal> {
        let bearer = BearerToken::from_compact(token)?;
        Ok(self.verifier.verify(bearer, None, now)?)
    }

    /// Verifies what an issuer tells of its sessions and subjects. Nobody may come in by it.
    ///
    /// # Errors
    /// The first check that failed; a revoked key's word is worth nothing.
    pub fn verify_event(
        &self,
        token: &str,
        form: EventForm,
        revocations: &Revocations,
        now: Timestamp,
    ) -> Result<IssuerEvent, TokenFailure> {
        let token = BearerToken::from_compact(token)
            .map_err(|_| TokenError::Malformed("no token, or one over 8 KiB"))?;
        let event = self.verifier.verify_event(token, form, now)?;
        let kid = event.kid.as_deref();
        let issuer = &event.issuer_name;
        if kid.is_some_and(|kid| revocations.is_key_revoked(issuer, kid, now)) {
            return Err(TokenFailure {
                issuer_name: Some(issuer.clone()),
                ..TokenError::KeyDistrusted.into()
            });
        }
        Ok(event)
    }

    /// Answers the one question, at `now`.
    pub fn admit(
        &self,
        head: &RequestHead<'_>,
        revocations: &Revocations,
        now: Timestamp,
        trace: &mut impl Trace,
    ) -> Verdict {
        self.judge(head, revocations, now, trace)
            .unwrap_or_else(Verdict::Refuse)
    }

    fn judge(
        &self,
        head: &RequestHead<'_>,
        revocations: &Revocations,
        now: Timestamp,
        trace: &mut impl Trace,
    ) -> Result<Verdict, Refusal> {
        let line = RequestLine::parse(head)?;
        line::check_nominations(head, |name| self.config.identity.prefix.owns(name))?;
        let authorization = credential::sole(head, &line.path)
            .map_err(|refusal| self.on_its_route(refusal, &line))?;
        trace.step("host", || line.authority.unwrap_or("none").to_owned());
        trace.step("path", || line.path.as_str().to_owned());
        if let Some(endpoint) = self.endpoints.find(line.host.as_ref(), &line.path) {
            trace.step("endpoint", || endpoint.as_str().to_owned());
            check_own_method(&line, &endpoint)?;
            return Ok(Verdict::Answer(endpoint));
        }
        if let Some(preflight) = self.preflight(head, &line) {
            trace.step("preflight", || "answered by the gate".to_owned());
            return Ok(Verdict::Answer(preflight));
        }
        let route = self.route(&line)?;
        trace.step("route", || {
            format!(
                "{} ({} {})",
                route.name,
                route.requirement.access(),
                route.path.as_str()
            )
        });
        check_method(&line, route)?;
        check_upgrade(head, route)?;
        let permitted = self.permit(head, authorization, &line, route, revocations, now, trace);
        let (permit, shadowed) = match permitted.map_err(|refusal| refusal.on(route)) {
            Ok(permit) => (permit, None),
            Err(refusal) if refusal.reason.is_shadowed() => match Permit::shadow(route) {
                Some(permit) => (permit, Some(refusal)),
                None => return Err(refusal),
            },
            Err(refusal) => return Err(refusal),
        };
        self.forward(permit, line, shadowed)
            .map(Verdict::Forward)
            .map_err(|refusal| refusal.on(route))
    }

    /// The most specific route, the same under every reading of the path.
    fn route(&self, line: &RequestLine<'_>) -> Result<&Arc<Route>, Refusal> {
        let found = self
            .routes
            .find_alike(line.host.as_ref(), &line.path, line.method)?;
        match found {
            Found::Route(route) => Ok(route),
            Found::MethodRefused { allowed, route } => Err(Refusal::new(
                Reason::MethodRefused,
                "the path has other methods",
            )
            .with_hint(Hint::Allow(allowed.into_iter().map(Into::into).collect()))
            .on(route)),
            Found::Unknown => Err(Refusal::new(
                Reason::RouteUnknown,
                "no route has this host and path",
            )),
        }
    }

    /// A refusal that is made before the route is asked, on the route that it is for: its pages may read it as any other.
    #[cold]
    fn on_its_route(&self, refusal: Refusal, line: &RequestLine<'_>) -> Refusal {
        let own = self.endpoints.find(line.host.as_ref(), &line.path);
        match self.route(line) {
            // What the gate answers itself is on no route, though one may cover its path.
            _ if own.is_some() => refusal,
            Ok(route) => refusal.on(route),
            Err(Refusal { route, .. }) => Refusal { route, ..refusal },
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the walk hands on what it has read; a bundle would hide it"
    )]
    fn permit(
        &self,
        head: &RequestHead<'_>,
        authorization: Option<&[u8]>,
        line: &RequestLine<'_>,
        route: &Arc<Route>,
        revocations: &Revocations,
        now: Timestamp,
        trace: &mut impl Trace,
    ) -> Result<Permit, Refusal> {
        let caller = if route.requirement == Requirement::Public {
            Caller::Anonymous
        } else {
            let bearer = credential::bearer(head, authorization, route, &line.path)?;
            trace.step("unverified", || bearer.says());
            let verified = self
                .verifier
                .verify(bearer, route.issuers.as_deref(), now)?;
            trace.step("token", || verified.summary());
            if let Some(by) = revocations.find(&verified, now) {
                return Err(Refusal::new(Reason::TokenRevoked, by.as_str()).of_verified(&verified));
            }
            trace.step("revocation", || {
                format!("none of the {} that are known here", revocations.len())
            });
            Caller::Known(verified)
        };
        let known = match &caller {
            Caller::Known(verified) => Some(verified.clone()),
            Caller::Anonymous => None,
        };
        let path = line.path.decoded();
        compared::tell(route, &path, known.as_ref(), trace);
        let decided = policy::decide(route, &path, caller);
        let permit = decided.map_err(|denial| match &known {
            Some(verified) => Refusal::from(denial).of_verified(verified),
            None => denial.into(),
        })?;
        if let Some(verified) = &known {
            check_products(verified)?;
        }
        Ok(permit)
    }

    fn forward(
        &self,
        permit: Permit,
        line: RequestLine<'_>,
        shadowed: Option<Refusal>,
    ) -> Result<Admission, Refusal> {
        let told = |refusal: Refusal| match permit.verified() {
            Some(verified) => refusal.of_verified(verified),
            None => refusal,
        };
        let route = permit.route();
        let upstream = self
            .config
            .upstreams
            .get(&route.upstream)
            .expect("the upstream was checked with the file")
            .clone();
        let path = match &route.handling.strip_prefix {
            Some(prefix) => line
                .path
                .without_prefix(prefix)
                .map_err(|error| told(error.into()))?,
            None => line.path,
        };
        Ok(Admission {
            permit,
            upstream,
            path,
            authority: line.authority.map(Into::into),
            shadowed,
        })
    }

    /// A CORS preflight (Fetch standard §3.2.2) of a route with a policy: answered before authentication.
    fn preflight(&self, head: &RequestHead<'_>, line: &RequestLine<'_>) -> Option<Endpoint> {
        let wanted = head.values("access-control-request-method").next()?;
        head.values("origin")
            .next()
            .filter(|_| line.method == "OPTIONS")?;
        let wanted = std::str::from_utf8(wanted).ok()?;
        let found = self
            .routes
            .find_alike(line.host.as_ref(), &line.path, wanted);
        let route = match found.ok()? {
            Found::Route(route) | Found::MethodRefused { route, .. } => route,
            Found::Unknown => return None,
        };
        let policy = route.handling.cors.clone()?;
        let methods = match &route.methods {
            policy::Methods::Any => Vec::new(),
            policy::Methods::Named(names) => names.clone(),
        };
        Some(Endpoint::Preflight { policy, methods })
    }
}

/// Refuses a caller whom policy lets pass, but of whose products no list could tell.
fn check_products(verified: &Verified) -> Result<(), Refusal> {
    if !verified.principal().products.has_unsound() {
        return Ok(());
    }
    let detail = "an element of the products would break a list";
    Err(Refusal::new(Reason::ClaimInvalid, detail).of_verified(verified))
}
