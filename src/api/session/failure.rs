//! Why an endpoint has no answer, and what the client hears of it (RFC 6749 §5.2). The text never says why a grant is dead.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use serde_json::json;

use crate::api::answer;
use crate::gate::{Reason, Refusal};
use crate::session::StoreError;

/// Why an endpoint has no answer.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// A parameter stands twice, or contradicts another.
    InvalidRequest(&'static str),
    /// A parameter is missing; which.
    Incomplete(String),
    /// A body of a type that a page of another site could send without being asked, or none at all; what it must be.
    UnsupportedMedia(&'static str),
    /// A body over the limit.
    TooLarge,
    /// The call names no client.
    ClientUnnamed,
    /// The client could not prove itself.
    InvalidClient,
    /// The client may not do this.
    UnauthorizedClient,
    /// The token counts no longer, or not here.
    InvalidGrant(Chain),
    /// A grant type that is none of ours.
    UnsupportedGrantType,
    /// A scope that was not granted.
    InvalidScope,
    /// The checks against forgery across sites; what the call lacks.
    AccessDenied(Cow<'static, str>),
    /// The limit; whole seconds until it is worth trying again.
    TooMany(u64),
    /// Whoever should hear of it has: the identity service does not answer, no key is left, the time is not to be believed.
    Unavailable,
    /// The store does not answer.
    StoreUnavailable,
    /// The identity service said something that no token may say.
    HookBroken,
    /// Another method.
    MethodRefused(&'static str),
    /// Nothing is here.
    NotFound,
    /// The access token does not count: the answer is that of any route.
    Refused(Box<Refusal>),
}

/// Whether the chain of a refused token may still be alive: its cookie goes only with a dead one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chain {
    /// It is dead, or never was.
    Dead,
    /// It may live.
    Alive,
}

impl From<StoreError> for Failure {
    fn from(_: StoreError) -> Self {
        Self::StoreUnavailable
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl Failure {
    /// The answer of an endpoint of this room; [`Self::Refused`] is answered as on any route.
    pub(super) fn answer(&self) -> Response<Bytes> {
        let (status, error, description) = self.words();
        let body = json!({ "error": error, "error_description": description });
        let mut response = answer::json(status, &body);
        let headers = response.headers_mut();
        match self {
            Self::TooMany(seconds) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Self::Unavailable | Self::StoreUnavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECS));
            }
            Self::MethodRefused(allowed) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
            }
            _ => {}
        }
        response
    }

    /// What metric and log have a word for; the answer carries it along.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        let (reason, detail) = match self {
            Self::Refused(refusal) => return Some((**refusal).clone()),
            Self::TooMany(_) => (Reason::RateLimited, "a limit of the session side"),
            Self::MethodRefused(_) => (Reason::MethodRefused, "no method of this endpoint"),
            Self::TooLarge => (Reason::BodyTooLarge, "over what this endpoint reads"),
            _ => return None,
        };
        Some(Refusal::new(reason, detail))
    }

    fn words(&self) -> (StatusCode, &'static str, &str) {
        const BAD: StatusCode = StatusCode::BAD_REQUEST;
        match self {
            Self::InvalidRequest(what) => (BAD, "invalid_request", what),
            Self::Incomplete(what) => (BAD, "invalid_request", what),
            Self::UnsupportedMedia(wanted) => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "invalid_request",
                wanted,
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "invalid_request",
                "the body is too large",
            ),
            Self::ClientUnnamed => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "the call names no client: write client_id or X-Client-Id",
            ),
            Self::InvalidClient => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "client authentication failed",
            ),
            Self::UnauthorizedClient => (
                BAD,
                "unauthorized_client",
                "the client may not use this grant",
            ),
            Self::InvalidGrant(_) => (BAD, "invalid_grant", "the grant is not valid"),
            Self::UnsupportedGrantType => (
                BAD,
                "unsupported_grant_type",
                "the grant type is not supported",
            ),
            Self::InvalidScope => (BAD, "invalid_scope", "the scope was not granted"),
            Self::AccessDenied(lacks) => (StatusCode::FORBIDDEN, "access_denied", lacks),
            Self::TooMany(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "temporarily_unavailable",
                "too many requests",
            ),
            Self::Unavailable | Self::StoreUnavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "try again later",
            ),
            Self::HookBroken => (
                StatusCode::BAD_GATEWAY,
                "server_error",
                "the identity service gave an unusable answer",
            ),
            Self::MethodRefused(_) => (
                StatusCode::METHOD_NOT_ALLOWED,
                "invalid_request",
                "the method is not allowed here",
            ),
            Self::NotFound => (StatusCode::NOT_FOUND, "invalid_request", "not found"),
            Self::Refused(_) => (
                StatusCode::UNAUTHORIZED,
                "invalid_token",
                "the access token is not valid",
            ),
        }
    }
}

const RETRY_AFTER_SECS: u64 = 1;
