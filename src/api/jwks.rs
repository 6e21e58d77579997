//! The public keys that upstreams check the gate's assertions with.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Response, StatusCode};

use super::answer;
use crate::gate::Gate;

/// Answers `/.well-known/identity-jwks.json` (RFC 7517 §5).
pub fn identity(gate: &Gate, method: &Method) -> Response<Bytes> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut refused = answer::problem(
            StatusCode::METHOD_NOT_ALLOWED,
            "the method is not allowed here",
        );
        answer::put(&mut refused, header::ALLOW, "GET, HEAD");
        return refused;
    }
    let keys = gate.identity().jwks();
    let mut response = answer::body(StatusCode::OK, "application/jwk-set+json", keys);
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    response
}
