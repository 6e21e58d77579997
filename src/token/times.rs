//! The times of a token (RFC 7519 §4.1.4–4.1.6) and when they let it pass. Reads no clock: `now` is an argument.

use super::failure::TokenError;
use super::json::{Json, Object};
use super::terms::IssuerTerms;
use crate::time::Timestamp;

/// `exp`, `nbf` and `iat` of one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    /// `exp`, rounded down to the millisecond: a fraction never lengthens a life.
    pub(super) expires_at: Timestamp,
    /// `nbf`, rounded up to the millisecond.
    pub(super) not_before: Option<Timestamp>,
    /// `iat`, rounded down to the millisecond: the older reading is the one that a revocation still meets.
    pub(super) issued_at: Option<Timestamp>,
}

impl Times {
    /// Reads the three claims.
    ///
    /// # Errors
    /// [`TokenError::ClaimInvalid`] when `exp` is absent or one is not a number between the epoch and the year 9999.
    pub(super) fn read(claims: &Object<'_>) -> Result<Self, TokenError> {
        Ok(Self {
            expires_at: expiry(claims)?.ok_or(TokenError::ClaimInvalid("no `exp`"))?,
            not_before: start(claims)?,
            issued_at: issue(claims)?,
        })
    }

    /// Checks the three against `now`, allowing the issuer's leeway either way, and the whole life against its limit.
    ///
    /// # Errors
    /// [`TokenError::Expired`] from `now >= exp + leeway` on (RFC 7519 §4.1.4: "on or after"),
    /// [`TokenError::NotYetValid`] while `nbf` or `iat` lies more than the leeway ahead,
    /// [`TokenError::LifetimeExceeded`] when `exp` − `iat`, or `exp` − now without `iat`, is over `lifetime_max`.
    pub(super) fn check(&self, terms: &IssuerTerms, now: Timestamp) -> Result<(), TokenError> {
        if now >= self.expires_at.plus(terms.leeway) {
            return Err(TokenError::Expired);
        }
        let horizon = now.plus(terms.leeway);
        let is_ahead = |date: Option<Timestamp>| date.is_some_and(|date| date > horizon);
        if is_ahead(self.not_before) || is_ahead(self.issued_at) {
            return Err(TokenError::NotYetValid);
        }
        let begins = self.issued_at.unwrap_or(now);
        if self.expires_at.since(begins) > terms.lifetime_max {
            return Err(TokenError::LifetimeExceeded);
        }
        Ok(())
    }
}

/// `exp`, as [`Times::expires_at`] has it.
pub(super) fn expiry(claims: &Object<'_>) -> Result<Option<Timestamp>, TokenError> {
    date(claims, "exp", f64::floor)
        .map_err(|()| TokenError::ClaimInvalid("`exp` is not a sane date"))
}

/// `nbf`, as [`Times::not_before`] has it.
pub(super) fn start(claims: &Object<'_>) -> Result<Option<Timestamp>, TokenError> {
    date(claims, "nbf", f64::ceil)
        .map_err(|()| TokenError::ClaimInvalid("`nbf` is not a sane date"))
}

/// `iat`, as [`Times::issued_at`] has it.
pub(super) fn issue(claims: &Object<'_>) -> Result<Option<Timestamp>, TokenError> {
    date(claims, "iat", f64::floor)
        .map_err(|()| TokenError::ClaimInvalid("`iat` is not a sane date"))
}

/// One NumericDate (RFC 7519 §2: seconds, fractions allowed).
fn date(claims: &Object<'_>, name: &str, round: fn(f64) -> f64) -> Result<Option<Timestamp>, ()> {
    match claims.find(name) {
        None => Ok(None),
        Some(Json::Unsigned(secs)) if *secs <= SECS_MAX => Ok(Some(Timestamp::from_secs(*secs))),
        Some(Json::Float(secs)) if secs.is_sign_positive() && *secs <= SECS_MAX as f64 => {
            let millis = round(secs * 1000.0);
            Ok(Some(Timestamp::from_millis(millis as u64)))
        }
        Some(_) => Err(()),
    }
}

/// The last second of the year 9999: what lies beyond is an error in units, not a date.
const SECS_MAX: u64 = 253_402_300_799;
