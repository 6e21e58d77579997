//! What an issuer tells of its own accord, and what follows: a back-channel logout (OpenID Connect Back-Channel Logout 1.0
//! §2.5–2.8) or a pushed security event (RFC 8935). Who sends is told apart by the admin token, who speaks by the signature.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header;
use http::{Request, Response, StatusCode};
use serde_json::json;

use super::super::answer;
use super::super::session::find_in_form;
use super::acts::Acts;
use super::door::is_of_type;
use super::fault::Fault;
use super::heard::Heard;
use crate::session::Revoked;
use crate::token::{EventForm, Named, TokenError, TokenFailure};

/// Why an event is not acted on.
enum Refused {
    /// The sender's fault.
    Token(TokenError),
    /// It was heard before.
    Again,
    /// Another content type, or a body without one token.
    Body,
    /// Ours: it may be told again.
    Later(String),
}

/// `POST /oidc/backchannel-logout`.
///
/// # Errors
/// 503 when the logout could not be kept, or the issuer's keys are not there.
pub(super) async fn logout(
    acts: &impl Acts,
    heard: &Heard,
    request: &Request<Bytes>,
) -> Result<Response<Bytes>, Fault> {
    let token = is_of_type(request.headers(), FORM)
        .then(|| find_in_form(request.body(), "logout_token"))
        .flatten();
    let done = match token {
        Some(token) => act(acts, heard, &token, EventForm::Logout).await,
        None => Err(Refused::Body),
    };
    match done {
        Ok(()) => Ok(answer::empty(StatusCode::OK)),
        Err(refused) => {
            let (_, description) = refused.told("logout token")?;
            let said = json!({ "error": "invalid_request", "error_description": description });
            Ok(answer::json(StatusCode::BAD_REQUEST, &said))
        }
    }
}

/// `POST /events/ssf`.
///
/// # Errors
/// 503 when what follows could not be kept, or the issuer's keys are not there: a transmitter tries again.
pub(super) async fn security(
    acts: &impl Acts,
    heard: &Heard,
    request: &Request<Bytes>,
) -> Result<Response<Bytes>, Fault> {
    let token = std::str::from_utf8(request.body()).ok();
    let done = match token.filter(|_| is_of_type(request.headers(), SECEVENT)) {
        Some(token) => act(acts, heard, token, EventForm::Security).await,
        None => Err(Refused::Body),
    };
    match done {
        // A transmitter may send an event again and is answered as if it had not (RFC 8935 §2); nothing follows twice.
        Ok(()) | Err(Refused::Again) => Ok(answer::empty(StatusCode::ACCEPTED)),
        Err(refused) => {
            let (err, description) = refused.told("security event token")?;
            let said = json!({ "err": err, "description": description });
            let mut response = answer::json(StatusCode::BAD_REQUEST, &said);
            answer::put(&mut response, header::CONTENT_LANGUAGE, "en");
            Ok(response)
        }
    }
}

/// Verifies, sees that it is new, and ends what it names. The name is remembered while the event can be told again, which
/// is for ever without `exp`, and while what it ended stays ended.
async fn act(acts: &impl Acts, heard: &Heard, token: &str, form: EventForm) -> Result<(), Refused> {
    let event = acts.verify_event(token, form).await?;
    let (issuer, id, now) = (&event.issuer_name, &event.id, acts.now());
    let expires_at = event.expires_at;
    let until = expires_at.map(|expires_at| expires_at.max(now.plus(ACTING_MAX)));
    if !heard.hear(issuer, id, now, until) {
        return Err(Refused::Again);
    }
    let mut kept = Ok(());
    for named in event.ends {
        let what = match named {
            Named::Session(session) => Revoked::Session(session),
            Named::Subject(subject) => Revoked::Subject(subject),
        };
        match acts.revoke(what, Some(Arc::clone(issuer))).await {
            Ok(revocation) => heard.keep(issuer, id, revocation.expires_at),
            // It counts here all the same, and so shall what else is named: nobody may tell it again.
            Err(text) => kept = Err(text),
        }
    }
    kept.map_err(|text| {
        heard.forget(issuer, id);
        Refused::Later(text)
    })
}

impl From<TokenFailure> for Refused {
    fn from(failure: TokenFailure) -> Self {
        // The answer says less.
        tracing::warn!(%failure, "an event token was refused");
        match failure.error {
            TokenError::IssuerUnavailable { .. } => Self::Later(failure.error.to_string()),
            error => Self::Token(error),
        }
    }
}

impl Refused {
    /// The code of RFC 8935 §2.4 and a text, neither of which tells what the token said or what is configured.
    ///
    /// # Errors
    /// A fault of the moment, which is no sender's.
    fn told(self, what: &str) -> Result<(&'static str, String), Fault> {
        let error = match self {
            Self::Later(text) => return Err(Fault::later(text)),
            Self::Body => return Ok((REQUEST, format!("the body is not one {what}"))),
            Self::Again => return Ok((REQUEST, format!("the {what} was heard before"))),
            Self::Token(error) => error,
        };
        Ok(match error {
            TokenError::IssuerUnknown => {
                ("invalid_issuer", format!("the {what}'s issuer is unknown"))
            }
            TokenError::AudienceMismatch => (
                "invalid_audience",
                format!("the {what} is for somebody else"),
            ),
            TokenError::AlgorithmRefused
            | TokenError::KeyUnknown { .. }
            | TokenError::SignatureInvalid
            | TokenError::KeyDistrusted => {
                ("invalid_key", format!("no accepted key signed the {what}"))
            }
            _ => (REQUEST, format!("the {what} is not acceptable")),
        })
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const SECEVENT: &str = "application/secevent+jwt";
const REQUEST: &str = "invalid_request";

/// For how long an event that is being acted on is not acted on again.
const ACTING_MAX: Duration = Duration::from_secs(60);
