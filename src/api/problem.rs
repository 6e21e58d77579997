//! THE table: reason → status, title, challenge. What a client may learn of a refusal is decided here and nowhere else:
//! never a claim's value, never which of two secrets was wrong, never the operator's detail.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde::Serialize;

use super::{answer, cors};
use crate::config::Config;
use crate::gate::{Hint, Reason, Refusal, RequestId};

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The HTTP status.
    pub status: StatusCode,
    /// What the problem is called, for people. Plain ASCII without quotes: it is the challenge's `error_description` too.
    pub title: &'static str,
    /// What `WWW-Authenticate` says.
    pub challenge: Challenge,
    /// Seconds of `Retry-After` (RFC 9110 §10.2.3).
    pub retry_after_secs: Option<u32>,
}

/// What `WWW-Authenticate` says (RFC 6750 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// The field is not sent.
    None,
    /// The realm alone, since no token was shown (RFC 6750 §3.1).
    Bare,
    /// `error="invalid_token"`.
    InvalidToken,
    /// `error="insufficient_scope"`.
    InsufficientScope,
}

/// What an answer must know of the request that it refuses. Every part may be missing: the head may not have been read.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// `X-Request-Id`.
    pub request_id: &'a RequestId,
    /// The host: the realm of the challenge.
    pub host: Option<&'a str>,
    /// `Origin`, as it came.
    pub origin: Option<&'a [u8]>,
    /// What the client speaks.
    pub dialect: Dialect,
}

/// What a client speaks, as far as the form of a refusal depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// It gets a problem document (RFC 9457).
    Http,
    /// It gets trailers only: HTTP 200 with `grpc-status` (gRPC over HTTP/2, "Responses").
    Grpc,
}

impl Dialect {
    /// gRPC for `application/grpc`, alone or with a suffix like `+proto`; not for gRPC-Web, which is plain HTTP.
    pub fn of(content_type: Option<&[u8]>) -> Self {
        const GRPC: &[u8] = b"application/grpc";
        let Some((name, rest)) = content_type.and_then(|value| value.split_at_checked(GRPC.len()))
        else {
            return Self::Http;
        };
        match rest.first() {
            None | Some(b'+' | b';' | b' ') if name.eq_ignore_ascii_case(GRPC) => Self::Grpc,
            _ => Self::Http,
        }
    }
}

/// The answer to a refused request. The plane adds framing, leaves the body out for HEAD, and closes where [`closes`] says.
pub fn answer(refusal: &Refusal, config: &Config, asked: &Asked<'_>) -> Response<Bytes> {
    let row = row(refusal.reason);
    let mut response = match asked.dialect {
        Dialect::Http => answer::body(
            row.status,
            "application/problem+json",
            document(refusal, config, asked, &row),
        ),
        Dialect::Grpc => trailers_only(refusal.reason, row.status),
    };
    answer::put(
        &mut response,
        HeaderName::from_static("x-request-id"),
        asked.request_id.as_str(),
    );
    if let Some(challenge) = challenge(refusal, &row, asked.host) {
        answer::put(&mut response, header::WWW_AUTHENTICATE, &challenge);
    }
    if let Some(secs) = row.retry_after_secs {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
    if let Hint::Allow(methods) = &refusal.hint {
        answer::put(&mut response, header::ALLOW, &methods.join(", "));
    }
    let route = refusal.route.as_ref();
    let policy = route.and_then(|route| config.cors.get(route.handling.cors.as_ref()?));
    if let Some(policy) = policy {
        cors::decorate(policy, asked.origin, &mut |name, value| {
            answer::put(&mut response, HeaderName::from_static(name), value);
        });
    }
    response
}

/// Whether the connection closes behind the answer: what follows on it cannot be told from the request.
pub const fn closes(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::RequestMalformed
            | Reason::RequestAmbiguous
            | Reason::HeadersTooLarge
            | Reason::BodyTooLarge
            | Reason::RequestTimeout
    )
}

/// The row of `reason`.
pub const fn row(reason: Reason) -> Row {
    match reason {
        Reason::RequestMalformed => plain(400, "The request is malformed"),
        Reason::RequestAmbiguous => plain(400, "The request can be read in two ways"),
        Reason::HeadersTooLarge => plain(431, "The header fields are too large"),
        Reason::BodyTooLarge => plain(413, "The body is too large"),
        Reason::RequestTimeout => plain(408, "The request took too long"),
        Reason::RouteUnknown => plain(404, "There is nothing here"),
        Reason::MethodRefused => plain(405, "The method or upgrade is not allowed here"),
        Reason::TokenMissing => challenged(401, "A Bearer token is needed", Challenge::Bare),
        Reason::TokenOversized => invalid_token("The token is too long"),
        Reason::TokenMalformed => invalid_token("The token is malformed"),
        Reason::TokenTypeRefused => invalid_token("The type of the token is not accepted"),
        Reason::IssuerUnknown => invalid_token("The issuer of the token is not accepted"),
        Reason::AlgorithmRefused => invalid_token("The algorithm of the token is not accepted"),
        Reason::KeyUnknown => invalid_token("The key of the token is unknown"),
        Reason::IssuerUnavailable => later(503, "The token cannot be verified now", 10),
        Reason::SignatureInvalid => invalid_token("The signature of the token is invalid"),
        Reason::ClaimInvalid => invalid_token("A claim of the token is missing or invalid"),
        Reason::TokenExpired => invalid_token("The token has expired"),
        Reason::TokenNotYetValid => invalid_token("The token is not valid yet"),
        Reason::TokenLifetimeExceeded => invalid_token("The token lives too long"),
        Reason::AudienceMismatch => invalid_token("The token is for another audience"),
        Reason::TokenRevoked => invalid_token("The token was revoked"),
        Reason::ProductMissing => forbidden("The token does not include the product"),
        Reason::ScopeMissing => forbidden("The token lacks a scope"),
        Reason::TenantMismatch => forbidden("The token is for another tenant"),
        Reason::RateLimited => later(429, "There are too many requests", 1),
        Reason::Overloaded => later(503, "The gateway is overloaded", 1),
        Reason::UpstreamUnavailable => plain(502, "The service is unavailable"),
        Reason::UpstreamTimeout => plain(504, "The service took too long"),
    }
}

const fn plain(status: u16, title: &'static str) -> Row {
    challenged(status, title, Challenge::None)
}

const fn invalid_token(title: &'static str) -> Row {
    challenged(401, title, Challenge::InvalidToken)
}

const fn forbidden(title: &'static str) -> Row {
    challenged(403, title, Challenge::InsufficientScope)
}

const fn later(status: u16, title: &'static str, retry_after_secs: u32) -> Row {
    Row {
        retry_after_secs: Some(retry_after_secs),
        ..plain(status, title)
    }
}

const fn challenged(status: u16, title: &'static str, challenge: Challenge) -> Row {
    let Ok(status) = StatusCode::from_u16(status) else {
        panic!("the table has statuses alone");
    };
    Row {
        status,
        title,
        challenge,
        retry_after_secs: None,
    }
}

/// A problem document (RFC 9457 §3). Its type is a name, not an address: there is nothing to fetch.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    reason: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upgrade_url: Option<&'a str>,
}

fn document(refusal: &Refusal, config: &Config, asked: &Asked<'_>, row: &Row) -> Vec<u8> {
    let missing = match &refusal.hint {
        Hint::Product(product) => Some(product),
        _ => None,
    };
    let sold = missing.and_then(|product| config.products.get(product));
    let reason = refusal.reason.as_str();
    let problem = Problem {
        r#type: format!("urn:tollgate:reason:{reason}"),
        title: sold
            .and_then(|sold| sold.title.as_deref())
            .unwrap_or(row.title),
        status: row.status.as_u16(),
        reason,
        request_id: asked.request_id.as_str(),
        product: missing.map(|product| product.as_str()),
        upgrade_url: sold.and_then(|sold| sold.upgrade_url.as_deref()),
    };
    serde_json::to_vec(&problem).expect("texts and numbers become JSON")
}

fn challenge(refusal: &Refusal, row: &Row, host: Option<&str>) -> Option<String> {
    let error = match row.challenge {
        Challenge::None => return None,
        Challenge::Bare => None,
        Challenge::InvalidToken => Some("invalid_token"),
        Challenge::InsufficientScope => Some("insufficient_scope"),
    };
    let mut text = format!("Bearer realm=\"{}\"", quoted(host.unwrap_or("tollgate")));
    if let Some(error) = error {
        text += &format!(", error=\"{error}\", error_description=\"{}\"", row.title);
    }
    if let Hint::Scopes(scopes) = &refusal.hint {
        text += &format!(", scope=\"{}\"", quoted(&scopes.join(" ")));
    }
    Some(text)
}

/// The inside of a quoted-string (RFC 9110 §5.6.4): what cannot stand in one is left out.
fn quoted(text: &str) -> String {
    text.chars()
        .filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\'))
        .collect()
}

fn trailers_only(reason: Reason, status: StatusCode) -> Response<Bytes> {
    let mut response = answer::empty(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/grpc"),
    );
    headers.insert(
        HeaderName::from_static("grpc-status"),
        HeaderValue::from(grpc_status(status)),
    );
    headers.insert(
        HeaderName::from_static("grpc-message"),
        HeaderValue::from_static(reason.as_str()),
    );
    response
}

/// The gRPC status of `reason`, for a stream that had begun when it was cut.
pub const fn grpc_status_of(reason: Reason) -> u16 {
    grpc_status(row(reason).status)
}

/// gRPC's own mapping of HTTP statuses, and its words for what that mapping leaves open.
const fn grpc_status(status: StatusCode) -> u16 {
    match status.as_u16() {
        400 => 13,
        401 => 16,
        403 => 7,
        404 | 405 => 12,
        413 | 431 => 8,
        408 | 504 => 4,
        429 | 502 | 503 => 14,
        _ => 2,
    }
}
