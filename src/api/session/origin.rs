//! Which pages may call: the checks against forgery across sites, and the CORS protocol of this room. Credentials are
//! allowed to the cookie's origins, under `/auth/` alone.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};

use super::call::Call;
use super::failure::Failure;
use crate::api::answer;
use crate::config::SessionEndpoint;
use crate::config::model::{Client, Cookie, SameSite, Sessions, Transport};

/// Checks a call that a cookie speaks for, or that will set one: a page of a listed origin must have made it, on purpose.
pub(super) fn check_cookie(cookie: &Cookie, call: &Call<'_>) -> Result<(), Failure> {
    let site = call.field(&SEC_FETCH_SITE).map_err(|_| other_origin())?;
    match call.field(&header::ORIGIN).map_err(|_| other_origin())? {
        Some(origin) if is_listed(&cookie.origins, origin) => {}
        None if site == Some("same-origin") => {}
        None if site.is_none() => return Err(Failure::AccessDenied(NO_PAGE.into())),
        _ => return Err(other_origin()),
    }
    // Nobody but a page of a listed origin comes this far and may read what is missing.
    if site == Some("cross-site") && cookie.same_site != SameSite::None {
        return Err(Failure::AccessDenied(OTHER_SITE.into()));
    }
    let csrf = &*cookie.csrf_header;
    match call.request.headers().contains_key(csrf) {
        true => Ok(()),
        false => Err(Failure::AccessDenied(
            format!("the header {csrf} is missing").into(),
        )),
    }
}

/// Checks a call of a client whose tokens travel in bodies: a browser may make it only from an origin that the client
/// lists.
pub(super) fn check_body(client: &Client, call: &Call<'_>) -> Result<(), Failure> {
    if !is_of_page(call) {
        return Ok(());
    }
    let origin = call.field(&header::ORIGIN).ok().flatten();
    match origin.is_some_and(|origin| is_listed(&client.origins, origin)) {
        true => Ok(()),
        false => Err(other_origin()),
    }
}

/// Whether a page made the call, by what its browser says of it.
pub(super) fn is_of_page(call: &Call<'_>) -> bool {
    let headers = call.request.headers();
    [header::ORIGIN, SEC_FETCH_SITE, SEC_FETCH_DEST]
        .iter()
        .any(|name| headers.contains_key(name))
}

/// Where the CORS protocol applies how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// `/auth/`: the cookie's origins with credentials, body clients' origins without.
    Auth,
    /// `/oauth/`: body clients' origins, without credentials.
    OAuth,
    /// `/.well-known/`: anybody.
    Public,
}

impl Zone {
    /// The zone of an endpoint.
    pub(super) fn of(endpoint: SessionEndpoint) -> Self {
        use SessionEndpoint as At;
        match endpoint {
            At::Login | At::Refresh | At::Logout | At::LogoutAll | At::Sessions => Self::Auth,
            At::Token | At::Revoke | At::Introspect => Self::OAuth,
            At::Metadata | At::Jwks => Self::Public,
        }
    }
}

/// Answers a preflight (Fetch standard §3.2.2).
pub(super) fn preflight(sessions: &Sessions, zone: Zone, call: &Call<'_>) -> Response<Bytes> {
    let mut response = answer::empty(StatusCode::NO_CONTENT);
    if decorate(sessions, zone, call, &mut response) == Readable::No {
        *response.status_mut() = StatusCode::FORBIDDEN;
        return response;
    }
    let csrf = sessions.cookie.as_ref().map(|cookie| &*cookie.csrf_header);
    let at_auth = ["X-Device-Label"].into_iter().chain(csrf);
    let headers = FOR_EVERYBODY
        .into_iter()
        .chain(at_auth.filter(|_| zone == Zone::Auth));
    let headers = headers.collect::<Vec<_>>().join(", ");
    let methods = match zone {
        Zone::Auth => "GET, POST, DELETE",
        Zone::OAuth => "POST",
        Zone::Public => "GET",
    };
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, headers.as_str()),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        answer::put(&mut response, name, value);
    }
    response
}

/// Whether scripts of the calling page may read an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readable {
    Yes,
    No,
}

/// Lets scripts of the calling page read an answer, if they may.
pub(super) fn decorate(
    sessions: &Sessions,
    zone: Zone,
    call: &Call<'_>,
    response: &mut Response<Bytes>,
) -> Readable {
    let headers = response.headers_mut();
    if zone == Zone::Public {
        let anybody = HeaderValue::from_static("*");
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
        return Readable::Yes;
    }
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    let Ok(Some(origin)) = call.field(&header::ORIGIN) else {
        return Readable::No;
    };
    let cookie = sessions.cookie.as_ref().filter(|_| zone == Zone::Auth);
    let with_credentials = cookie.is_some_and(|cookie| is_listed(&cookie.origins, origin));
    if !with_credentials && !is_body_origin(sessions, origin) {
        return Readable::No;
    }
    answer::put(response, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    answer::put(response, header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    if with_credentials {
        answer::put(response, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    Readable::Yes
}

/// Whether a request is a preflight.
pub(super) fn is_preflight(call: &Call<'_>) -> bool {
    call.request.method() == Method::OPTIONS
        && call
            .request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn is_body_origin(sessions: &Sessions, origin: &str) -> bool {
    let mut clients = sessions.clients.iter();
    clients.any(|client| client.transport == Transport::Body && is_listed(&client.origins, origin))
}

/// The failure of a page that may not call.
pub(super) fn other_origin() -> Failure {
    Failure::AccessDenied("this origin may not call here".into())
}

/// Exact, and never the origin of nothing.
fn is_listed(origins: &[Box<str>], origin: &str) -> bool {
    origin != "null" && origins.iter().any(|listed| **listed == *origin)
}

const NO_PAGE: &str =
    "there is no Origin: the cookie is for pages, and other clients refresh at /oauth/token";
const OTHER_SITE: &str = "the page is of another site: browsers send the cookie from there with the same_site none alone";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Browsers say it of every request; `Sec-Fetch-Mode` is also said by clients that are none.
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// The last three come with every request of a page that is traced.
const FOR_EVERYBODY: [&str; 6] = [
    "Authorization",
    "Content-Type",
    "X-Client-Id",
    "X-Request-Id",
    "traceparent",
    "tracestate",
];
const EXPOSED: &str = "X-Request-Id, Retry-After, WWW-Authenticate";
