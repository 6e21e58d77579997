//! How every answer of the gate's own looks: its type, its length, and the headers that keep browsers from guessing.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};

/// An answer with a body. It is not to be kept by any cache.
pub(super) fn body(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut response = empty(status);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    *response.body_mut() = body.into();
    response
}

/// An answer of JSON.
pub(super) fn json(status: StatusCode, value: &impl serde::Serialize) -> Response<Bytes> {
    let text = serde_json::to_vec(value).expect("our own types become JSON");
    body(status, "application/json", text)
}

/// A refusal of an endpoint of our own that no [`Reason`](crate::gate::Reason) is for: a problem document (RFC 9457)
/// whose title is the status phrase.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response<Bytes> {
    let document = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
    });
    body(status, "application/problem+json", document.to_string())
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in PROTECTION {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Sets a field whose value is visible ASCII; any other value is left out rather than sent.
pub(super) fn put(response: &mut Response<Bytes>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// On every answer of the gate's own: not kept, not sniffed, not framed, no script.
const PROTECTION: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
];
