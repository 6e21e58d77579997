//! What an issuer tells of itself: a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4) or a security event token
//! (RFC 8417). Found by the same keys and terms as any token; opens no route. Reads no clock and remembers nothing: that a
//! name comes once is for whoever hears it.

use std::sync::Arc;

use super::claims::{self, Audience};
use super::event_subject::{self, Named};
use super::failure::TokenError;
use super::json::{Json, Object};
use super::terms::IssuerTerms;
use super::text::text;
use super::times;
use crate::time::Timestamp;

/// Which kind of event token is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventForm {
    /// A logout token.
    Logout,
    /// A security event token, of which the CAEP events that end tokens count.
    Security,
}

/// What a genuine event token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerEvent {
    /// The name in the configuration of the issuer that says it: it speaks of its own sessions and subjects alone.
    pub issuer_name: Arc<str>,
    /// `jti`.
    pub id: Box<str>,
    /// The key that signed it, as its key set has it.
    pub kid: Option<Box<str>>,
    /// From then on it verifies no more, the leeway included; `None`: it has no `exp`.
    pub expires_at: Option<Timestamp>,
    /// Whose tokens end. Empty where nothing happened that ends any.
    pub ends: Vec<Named>,
}

impl EventForm {
    /// `typ` without the `application/` prefix.
    pub(super) const fn typ(self) -> &'static str {
        match self {
            Self::Logout => "logout+jwt",
            Self::Security => "secevent+jwt",
        }
    }
}

/// Reads the claims of an event token of `terms`' issuer, whose signature holds.
///
/// # Errors
/// The first check that failed: claims, times, audience.
pub(super) fn read(
    form: EventForm,
    claims: &Object<'_>,
    terms: &IssuerTerms,
    kid: Option<&str>,
    now: Timestamp,
) -> Result<IssuerEvent, TokenError> {
    let id = text(claims, "jti", "`jti` is not a sound text")?;
    let id = id.ok_or(TokenError::ClaimInvalid("no `jti`"))?.into();
    let audience = claims::audience(claims, terms)?;
    if form == EventForm::Logout && claims.find("nonce").is_some() {
        return Err(TokenError::ClaimInvalid("a logout token has no `nonce`"));
    }
    let ends = ends(form, claims, terms)?;
    let expires_at = check_times(form, claims, terms, now)?;
    if audience == Audience::Others {
        return Err(TokenError::AudienceMismatch);
    }
    Ok(IssuerEvent {
        issuer_name: terms.name.clone(),
        id,
        kid: kid.map(Into::into),
        expires_at,
        ends,
    })
}

/// Whose tokens the events end.
fn ends(
    form: EventForm,
    claims: &Object<'_>,
    terms: &IssuerTerms,
) -> Result<Vec<Named>, TokenError> {
    let Some(Json::Object(events)) = claims.find("events") else {
        return Err(TokenError::ClaimInvalid("`events` is not an object"));
    };
    let mut payloads = events.iter();
    if !payloads.all(|(_, payload)| matches!(payload, Json::Object(_))) {
        return Err(TokenError::ClaimInvalid("an event is not an object"));
    }
    let payload = |name: &str| match events.find(name) {
        Some(Json::Object(payload)) => Some(payload),
        _ => None,
    };
    match form {
        EventForm::Logout if payload(LOGOUT).is_none() => {
            Err(TokenError::ClaimInvalid("no logout event"))
        }
        EventForm::Logout => Ok(vec![event_subject::plain(claims)?.session_first()]),
        EventForm::Security if events.iter().next().is_none() => {
            Err(TokenError::ClaimInvalid("`events` is empty"))
        }
        // Events that nothing follows from, a stream's verification among them, are heard and left alone (RFC 8417 §2.2).
        EventForm::Security => {
            let mut ends: Vec<Named> = Vec::new();
            if let Some(revoked) = payload(SESSION_REVOKED) {
                ends.push(event_subject::find(claims, revoked, terms)?.session_first());
            }
            for changed in CHANGES.into_iter().filter_map(payload) {
                ends.push(event_subject::find(claims, changed, terms)?.subject_first());
            }
            ends.dedup();
            Ok(ends)
        }
    }
}

/// Holds `exp`, `nbf` and `iat` to `now`. A logout token needs `exp` and lives no longer than the issuer's tokens.
fn check_times(
    form: EventForm,
    claims: &Object<'_>,
    terms: &IssuerTerms,
    now: Timestamp,
) -> Result<Option<Timestamp>, TokenError> {
    let expires_at = times::expiry(claims)?;
    let not_before = times::start(claims)?;
    let issued_at = times::issue(claims)?.ok_or(TokenError::ClaimInvalid("no `iat`"))?;
    let ends = expires_at.map(|expires_at| expires_at.plus(terms.leeway));
    if ends.is_some_and(|ends| now >= ends) {
        return Err(TokenError::Expired);
    }
    let horizon = now.plus(terms.leeway);
    if issued_at > horizon || not_before.is_some_and(|date| date > horizon) {
        return Err(TokenError::NotYetValid);
    }
    if form == EventForm::Logout {
        let expires_at = expires_at.ok_or(TokenError::ClaimInvalid("no `exp`"))?;
        if expires_at.since(issued_at) > terms.lifetime_max {
            return Err(TokenError::LifetimeExceeded);
        }
    }
    Ok(ends)
}

/// OpenID Connect Back-Channel Logout 1.0 §2.4.
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// OpenID CAEP 1.0 §3.1.
const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";

/// OpenID CAEP 1.0 §3.2 and §3.3: what was issued before says what is no longer so; what is issued anew counts.
const CHANGES: [&str; 2] = [
    "https://schemas.openid.net/secevent/caep/event-type/token-claims-change",
    "https://schemas.openid.net/secevent/caep/event-type/credential-change",
];
