//! Finds the one token of a request. One place counts; two are a fault of the request, not of the token.

use super::line::ambiguous;
use super::reason::Reason;
use super::refusal::Refusal;
use crate::policy::{RequestPath, Route};
use crate::session::REFRESH_TOKEN_PREFIX;
use crate::token::{BearerError, BearerToken};
use crate::wire::RequestHead;
use crate::wire::fields::{self, same_name};

/// What a browser's WebSocket writes before its token, since it cannot set `Authorization`.
pub(super) const WEBSOCKET_TOKEN_PREFIX: &[u8] = b"bearer.";

/// The parameter of a query that some take for a token (RFC 6750 §2.3); here it never is one.
const QUERY_TOKEN: &str = "access_token";

/// The one `Authorization` value, whatever the route: two of them, two in one, or a token in the query beside it could be
/// read two ways.
///
/// # Errors
/// [`Reason::RequestAmbiguous`].
pub(super) fn sole<'a>(
    head: &RequestHead<'a>,
    path: &RequestPath,
) -> Result<Option<&'a [u8]>, Refusal> {
    let value = fields::single(head.fields, "authorization")
        .map_err(|()| ambiguous("two Authorization fields"))?;
    if value.is_some_and(|value| memchr::memchr(b',', value).is_some()) {
        return Err(ambiguous("a comma in Authorization"));
    }
    if let Some(value) = value {
        check_query(|| is_shown(&BearerToken::parse(value)), path)?;
    }
    Ok(value)
}

/// The token of a request to a route that wants one.
///
/// # Errors
/// [`Reason::TokenMissing`], `TokenOversized`, or `RequestAmbiguous` for two tokens in two places.
pub(super) fn bearer<'a>(
    head: &RequestHead<'a>,
    authorization: Option<&'a [u8]>,
    route: &Route,
    path: &RequestPath,
) -> Result<BearerToken<'a>, Refusal> {
    let in_protocol = websocket_token(head, route)?;
    match (authorization, in_protocol) {
        (Some(_), Some(_)) => Err(ambiguous(
            "a token in Authorization and one in Sec-WebSocket-Protocol",
        )),
        (Some(value), None) => Ok(BearerToken::parse(value)?),
        (None, Some(token)) => {
            let token = BearerToken::from_compact(token);
            check_query(|| is_shown(&token), path)?;
            Ok(token?)
        }
        (None, None) => Err(Refusal::new(Reason::TokenMissing, "no Authorization")),
    }
}

/// Whether somebody meant to show a token, sound or not.
fn is_shown(token: &Result<BearerToken<'_>, BearerError>) -> bool {
    *token != Err(BearerError::Missing)
}

/// Few requests have a token in the query: only then is the header's looked at.
fn check_query(in_header: impl FnOnce() -> bool, path: &RequestPath) -> Result<(), Refusal> {
    if path.has_parameter(QUERY_TOKEN) && in_header() {
        return Err(ambiguous(
            "a token in the query beside the one in a header (RFC 6750 §2)",
        ));
    }
    Ok(())
}

/// Whether a head shows a token in any place where somebody takes one from, the cookie of a session included.
pub fn shows_token(head: &RequestHead<'_>, path: &RequestPath) -> bool {
    let mut fields = head.fields.iter();
    let mut protocols = head.values("sec-websocket-protocol").flat_map(fields::list);
    let cookies = head
        .values("cookie")
        .flat_map(|value| value.split(|byte| *byte == b';'));
    let mut values = cookies.filter_map(|pair| pair.splitn(2, |byte| *byte == b'=').nth(1));
    let refresh = REFRESH_TOKEN_PREFIX.as_bytes();
    fields.any(|field| same_name(field.name, "authorization"))
        || protocols.any(|protocol| protocol.starts_with(WEBSOCKET_TOKEN_PREFIX))
        || values.any(|value| value.trim_ascii_start().starts_with(refresh))
        || path.has_parameter(QUERY_TOKEN)
}

fn websocket_token<'a>(head: &RequestHead<'a>, route: &Route) -> Result<Option<&'a [u8]>, Refusal> {
    if !route.handling.websocket_token {
        return Ok(None);
    }
    let protocols = head.values("sec-websocket-protocol").flat_map(fields::list);
    let mut tokens = protocols.filter_map(|protocol| protocol.strip_prefix(WEBSOCKET_TOKEN_PREFIX));
    let first = tokens.next();
    if tokens.next().is_some() {
        return Err(ambiguous("two tokens in Sec-WebSocket-Protocol"));
    }
    Ok(first)
}
