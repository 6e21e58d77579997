//! What the identity service says: read strictly, and checked for what no token may say.

use std::num::NonZeroU64;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use crate::api::object;
use crate::session::Grant;
use crate::token::{NESTED_MAX, is_carried_whole};

/// A 200 of either hook.
#[derive(Debug, Deserialize)]
pub(super) struct Said {
    pub(super) subject: Option<String>,
    #[serde(default)]
    products: Vec<String>,
    scope: Option<String>,
    /// `Some(None)`: `null`, there is none.
    #[serde(default, deserialize_with = "present")]
    tenant: Option<Option<String>>,
    claims: Option<Map<String, Value>>,
    acr: Option<String>,
    amr: Option<Vec<String>>,
    auth_time: Option<u64>,
    claims_version: Option<String>,
    /// Seconds, as is the next one: a session that is over at its start would be a login that is none.
    idle_ttl: Option<NonZeroU64>,
    absolute_ttl: Option<NonZeroU64>,
    pub(super) refresh_handle: Option<String>,
}

/// Why an answer cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It is not the JSON that was agreed on.
    Malformed,
    /// It says what the gate alone may say, more than fits into a token, or what nobody would read in one.
    Overreaching,
}

impl Said {
    /// Reads an answer. What it says is not yet checked.
    ///
    /// # Errors
    /// [`Unusable::Malformed`].
    pub(super) fn parse(body: &[u8]) -> Result<Self, Unusable> {
        object::read(body).map_err(|_| Unusable::Malformed)
    }

    /// Checks that tokens can say it.
    ///
    /// # Errors
    /// [`Unusable::Overreaching`].
    pub(super) fn check(&self) -> Result<(), Unusable> {
        let reserved = |name: &str| self.claim(name).is_some();
        let overreaches = Grant::RESERVED.into_iter().any(reserved);
        match !overreaches && self.fits() && self.is_legible() {
            true => Ok(()),
            false => Err(Unusable::Overreaching),
        }
    }

    /// Of whom it speaks: a name that tokens can carry.
    pub(super) fn named(&self) -> Result<&str, Unusable> {
        let sound = |subject: &&str| {
            (1..=SUBJECT_BYTES_MAX).contains(&subject.len()) && is_carried_whole(subject)
        };
        let subject = self.subject.as_deref().filter(sound);
        subject.ok_or(Unusable::Malformed)
    }

    /// Whether a token that says it is short enough for the gate itself.
    fn fits(&self) -> bool {
        let size = |told: Value| told.to_string().len();
        let claims = size(json!([self.claims, self.products]));
        let rest = size(json!([self.scope, self.tenant, self.acr, self.amr]));
        claims <= CLAIMS_BYTES_MAX + PUNCTUATION && rest <= REST_BYTES_MAX + PUNCTUATION
    }

    /// Whether the gate would accept a token that says it. Products are policy's to judge.
    fn is_legible(&self) -> bool {
        let is_text = |claim: &Value| claim.as_str().is_some_and(is_carried_whole);
        let is_tenant = |claim: &Value| is_text(claim) || claim.is_u64();
        let scope = self.scope.as_deref().unwrap_or_default();
        let tenant = self.tenant.as_ref().and_then(Option::as_deref);
        let tenant = tenant.unwrap_or_default();
        let claims = self.claims.iter().flat_map(|claims| claims.values());
        claims.map(depth).all(|depth| depth < NESTED_MAX.into())
            && !scope.contains(char::is_control)
            && is_carried_whole(tenant)
            && self.claim("tenant").is_none_or(is_tenant)
            && self.claim("azp").is_none_or(is_text)
    }

    fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.as_ref()?.get(name)
    }

    /// The grant of a login.
    pub(super) fn grant(&self) -> Grant {
        self.renew(&Grant::default())
    }

    /// The grant of a refresh. What is not named stays, but products that are not named are gone: an empty list is often
    /// left out, and so is a tenant that is `null`: whoever left it shall not stay in.
    pub(super) fn renew(&self, before: &Grant) -> Grant {
        let mut before = before.clone();
        if self.tenant == Some(None) {
            // It may have come among the claims.
            before.claims.remove("tenant");
        }
        Grant {
            products: self.products.clone(),
            scope: self.scope.clone().unwrap_or(before.scope),
            tenant: self.tenant.clone().unwrap_or(before.tenant),
            auth_time: self.auth_time.or(before.auth_time),
            acr: self.acr.clone().or(before.acr),
            amr: self.amr.clone().unwrap_or(before.amr),
            claims_version: self.claims_version.clone().or(before.claims_version),
            claims: self.claims.clone().unwrap_or(before.claims),
        }
    }

    /// The lifetimes of a session, never longer than the operator's.
    pub(super) fn shorten(&self, idle: Duration, absolute: Duration) -> (Duration, Duration) {
        let shorter = |secs: Option<NonZeroU64>, terms: Duration| {
            secs.map_or(terms, |secs| terms.min(Duration::from_secs(secs.get())))
        };
        (
            shorter(self.idle_ttl, idle),
            shorter(self.absolute_ttl, absolute),
        )
    }
}

/// How deep lists and objects nest.
fn depth(value: &Value) -> usize {
    let deepest = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    1 + deepest.unwrap_or_default()
}

/// Reads what is there, so that `null` is told from nothing.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

const SUBJECT_BYTES_MAX: usize = 255;
/// Half of what a token may weigh.
const CLAIMS_BYTES_MAX: usize = 4 * 1024;
/// Scope, tenant and how the user logged in.
const REST_BYTES_MAX: usize = 1024;
/// Brackets and commas between what is measured.
const PUNCTUATION: usize = 5;
