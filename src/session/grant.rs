//! What the identity service said of a subject: the part of an access token that is not the gate's own.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What the access tokens of a session say beside the gate's own claims.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Grant {
    /// The products.
    #[serde(default)]
    pub products: Vec<String>,
    /// Granted scopes, space-separated (RFC 6749 §3.3).
    #[serde(default)]
    pub scope: String,
    /// What was granted at first, where the identity service has said another scope since. Clients go on asking for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_at_first: Option<String>,
    /// The tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// When the user proved who they are: seconds since the epoch (RFC 9068 §2.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<u64>,
    /// How well (RFC 9068 §2.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// By which means (RFC 9068 §2.2.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The version of the claims, as the identity service counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims_version: Option<String>,
    /// Further claims. No reserved name is among them.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub claims: Map<String, Value>,
}

impl Grant {
    /// Names that the gate alone writes; an identity service that sends one of them is misunderstood.
    pub const RESERVED: [&str; 12] = [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "nbf",
        "jti",
        "sid",
        "client_id",
        "scope",
        "cnf",
        "rtg",
    ];

    /// Names under which tokens say what the identity service names apart from its further claims.
    pub const NAMED: [&str; 4] = ["tenant", "auth_time", "acr", "amr"];

    /// The tenant that tokens name, as the gate reads it there: it may have come among the further claims.
    pub fn said_tenant(&self) -> Option<Cow<'_, str>> {
        let among_claims = || match self.claims.get("tenant")? {
            Value::String(tenant) => Some(Cow::from(tenant)),
            other => other.as_u64().map(|number| number.to_string().into()),
        };
        let apart = self.tenant.as_deref().map(Cow::from);
        apart.or_else(among_claims)
    }

    /// The narrower scope that a client asks for (RFC 6749 §6), in the granted order, without what was taken away since.
    ///
    /// `None` when it asks for one that was not granted, or for none that is left.
    pub fn narrowed(&self, asked: &str) -> Option<String> {
        let held: Vec<&str> = scopes(&self.scope).collect();
        let wanted: Vec<&str> = scopes(asked).collect();
        if wanted.is_empty() {
            return Some(self.scope.clone());
        }
        let at_first: Vec<&str> = self
            .scope_at_first
            .iter()
            .flat_map(|all| scopes(all))
            .collect();
        let was_granted = |scope: &&str| held.contains(scope) || at_first.contains(scope);
        let kept: Vec<&str> = held
            .iter()
            .copied()
            .filter(|scope| wanted.contains(scope))
            .collect();
        (!kept.is_empty() && wanted.iter().all(was_granted)).then(|| kept.join(" "))
    }
}

fn scopes(list: &str) -> impl Iterator<Item = &str> {
    list.split(' ').filter(|scope| !scope.is_empty())
}
