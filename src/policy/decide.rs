//! The decision itself, and the only birthplace of [`Permit`].

use std::sync::Arc;

use super::requirement::Requirement;
use super::route::{Mode, Route};
use crate::principal::Entitlement;
use crate::token::Verified;

/// Who asks.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Nobody was looked at, since the route is public.
    Anonymous,
    /// Somebody whose token was verified.
    Known(Verified),
}

/// Why a known caller may not use a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// The route takes no token of this issuer.
    IssuerRefused,
    /// The token lacks this product.
    ProductMissing(Entitlement),
    /// The token lacks scopes; all that the route wants, for the challenge (RFC 6750 §3).
    ScopeMissing(Vec<Box<str>>),
    /// The token's tenant is not the path's.
    TenantMismatch,
}

/// The proof that a request may pass. Private fields: [`decide`] and [`Permit::shadow`] are its only birthplaces.
#[derive(Debug, Clone)]
pub struct Permit {
    route: Arc<Route>,
    pass: Pass,
}

/// By what right a request passes.
#[derive(Debug, Clone)]
pub enum Pass {
    /// The route is public: no identity.
    Public,
    /// The caller is known and holds what the route wants.
    Identified(Verified),
    /// The route is in shadow mode and would have refused: no identity.
    Shadow,
}

impl Permit {
    /// The permit of a shadow route for a request that it would have refused. It carries no identity.
    ///
    /// # Errors
    /// Nothing is permitted on a route that enforces.
    pub fn shadow(route: &Arc<Route>) -> Option<Self> {
        (route.mode == Mode::Shadow).then(|| Self {
            route: route.clone(),
            pass: Pass::Shadow,
        })
    }

    /// The route that may be used.
    pub fn route(&self) -> &Arc<Route> {
        &self.route
    }

    /// By what right.
    pub fn pass(&self) -> &Pass {
        &self.pass
    }

    /// Whose token was verified, if the route looked at one.
    pub fn verified(&self) -> Option<&Verified> {
        match &self.pass {
            Pass::Identified(verified) => Some(verified),
            Pass::Public | Pass::Shadow => None,
        }
    }
}

/// Decides whether `caller` may use `route` for the canonical `path`, which the route matches.
///
/// # Errors
/// The first [`Denial`] in the order issuer, product, scope, tenant.
pub fn decide(route: &Arc<Route>, path: &str, caller: Caller) -> Result<Permit, Denial> {
    let verified = match (caller, &route.requirement) {
        (Caller::Anonymous | Caller::Known(_), Requirement::Public) => {
            return Ok(Permit {
                route: route.clone(),
                pass: Pass::Public,
            });
        }
        (Caller::Known(verified), _) => verified,
        (Caller::Anonymous, _) => return Err(Denial::IssuerRefused),
    };
    let principal = verified.principal();
    if route
        .issuers
        .as_ref()
        .is_some_and(|names| !names.contains(&principal.issuer_name))
    {
        return Err(Denial::IssuerRefused);
    }
    route
        .requirement
        .met_by(&principal.products)
        .map_err(|missing| Denial::ProductMissing(missing.clone()))?;
    let holds = |scope: &str| {
        principal
            .scopes
            .as_ref()
            .is_some_and(|scopes| scopes.contains(scope))
    };
    if !route.scopes.iter().all(|scope| holds(scope)) {
        return Err(Denial::ScopeMissing(route.scopes.clone()));
    }
    if route.tenant.is_some() {
        let wanted = route.tenant_of(path);
        if wanted.is_none() || wanted != principal.tenant.as_deref() {
            return Err(Denial::TenantMismatch);
        }
    }
    Ok(Permit {
        route: route.clone(),
        pass: Pass::Identified(verified),
    })
}
