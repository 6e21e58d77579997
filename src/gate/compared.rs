//! What policy is about to compare, for `explain`: what the route wants beside what the token has. Decides nothing.

use super::trace::Trace;
use crate::policy::Route;
use crate::token::Verified;

/// Tells of each check that the route asks for, in the order in which they are made.
pub(super) fn tell(route: &Route, path: &str, caller: Option<&Verified>, trace: &mut impl Trace) {
    let Some(verified) = caller else {
        return trace.step("policy", || route.requirement.to_string());
    };
    let principal = verified.principal();
    trace.step("products", || {
        let held = principal.products.joined();
        beside(&route.requirement.to_string(), held)
    });
    if !route.scopes.is_empty() {
        trace.step("scopes", || {
            let held = principal.scopes.as_ref().map(|scopes| scopes.as_str());
            beside(&format!("all of {}", route.scopes.join(" ")), held)
        });
    }
    if route.tenant.is_some() {
        trace.step("tenant", || {
            let wanted = route.tenant_of(path).unwrap_or("none");
            beside(wanted, principal.tenant.as_deref())
        });
    }
}

fn beside(wanted: &str, held: Option<&str>) -> String {
    let held = held.unwrap_or("none");
    format!("wants {wanted}; the token has {held}")
}
