//! Who may come in. A page of another site must get nothing, even from a browser that stands next to the gateway: not by
//! a form, not by a script, not by a name that was rebound to 127.0.0.1.

use bytes::Bytes;
use http::header::{self, HeaderMap};
use http::{Request, StatusCode};

use super::fault::Fault;
use crate::config::model::Admin;

/// What a request must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing: health and metrics.
    Nothing,
    /// The token where the listener is not on loopback.
    TokenOffLoopback,
    /// The token, always; without a configured one nobody comes in.
    Token,
}

/// Holds the Host and the Origin of a request to the address that it came to.
///
/// # Errors
/// The fault to answer with.
pub(super) fn check_source(request: &Request<Bytes>, admin: &Admin) -> Result<(), Fault> {
    let Some(host) = host(request).filter(|host| is_ours(host, admin)) else {
        return Err(Fault::new(
            StatusCode::FORBIDDEN,
            "the Host must be an address, localhost or one of admin.hosts",
        ));
    };
    let mut origins = request.headers().get_all(header::ORIGIN).iter();
    let is_foreign = |origin: &[u8]| {
        let rest = origin
            .strip_prefix(b"http://")
            .or_else(|| origin.strip_prefix(b"https://"));
        !rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host.as_bytes()))
    };
    if origins.any(|origin| is_foreign(origin.as_bytes())) {
        return Err(Fault::new(
            StatusCode::FORBIDDEN,
            "pages of another origin get nothing here",
        ));
    }
    Ok(())
}

/// Holds a request to what it needs to show.
///
/// # Errors
/// 403 where no token is configured, 401 where it is missing or wrong.
pub(super) fn check_token(headers: &HeaderMap, admin: &Admin, need: Need) -> Result<(), Fault> {
    if need == Need::Nothing
        || need == Need::TokenOffLoopback && admin.address.ip().to_canonical().is_loopback()
    {
        return Ok(());
    }
    let Some(token) = &admin.token else {
        return Err(Fault::new(
            StatusCode::FORBIDDEN,
            "this needs admin.token, and none is configured",
        ));
    };
    if bearer(headers).is_some_and(|shown| !shown.is_empty() && token.matches(shown)) {
        return Ok(());
    }
    let fault = Fault::new(StatusCode::UNAUTHORIZED, "this needs the admin token");
    Err(fault.with(header::WWW_AUTHENTICATE, "Bearer realm=\"tollgate admin\""))
}

/// Holds the body of an act to JSON: a form of another site cannot send that unasked. No body at all is fine.
///
/// # Errors
/// The fault to answer with.
pub(super) fn check_json(request: &Request<Bytes>) -> Result<(), Fault> {
    let headers = request.headers();
    let is_fine = match headers.contains_key(header::CONTENT_TYPE) {
        true => is_of_type(headers, "application/json"),
        false => request.body().is_empty(),
    };
    if is_fine {
        return Ok(());
    }
    Err(Fault::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "the body must be application/json",
    ))
}

/// Whether the one Content-Type is this one.
pub(super) fn is_of_type(headers: &HeaderMap, wanted: &str) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else {
        return false;
    };
    let name = one.as_bytes().split(|byte| *byte == b';').next();
    name.is_some_and(|name| name.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()))
}

/// The one authority that the request names: its target's, else its one Host's.
fn host(request: &Request<Bytes>) -> Option<&str> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return None;
    }
    let field = first.map(|host| host.to_str().ok());
    match (request.uri().authority(), field) {
        (Some(target), None) => Some(target.as_str()),
        (None, Some(field)) => field,
        (Some(target), Some(field)) => field.filter(|field| *field == target.as_str()),
        (None, None) => None,
    }
}

/// Whether an authority is an address, `localhost` or a listed name, with any port.
fn is_ours(authority: &str, admin: &Admin) -> bool {
    if authority.parse::<std::net::SocketAddr>().is_ok() {
        return true;
    }
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, port),
        _ => (authority, "0"),
    };
    if port.parse::<u16>().is_err() {
        return false;
    }
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    bare.map_or(name.parse::<std::net::Ipv4Addr>().is_ok(), |inner| {
        inner.parse::<std::net::Ipv6Addr>().is_ok()
    }) || name.eq_ignore_ascii_case("localhost")
        || admin
            .hosts
            .iter()
            .any(|host| host.eq_ignore_ascii_case(name))
}

/// The one Bearer token (RFC 6750 §2.1).
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return None;
    };
    let (scheme, token) = field.as_bytes().split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}
