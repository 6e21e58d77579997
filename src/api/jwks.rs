//! The public keys that upstreams check the gate's assertions with.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};

use super::answer;
use crate::gate::Gate;

/// Answers `/.well-known/identity-jwks.json` (RFC 7517 §5).
pub fn identity(gate: &Gate) -> Response<Bytes> {
    let keys = gate.identity().jwks();
    let mut response = answer::body(StatusCode::OK, "application/jwk-set+json", keys);
    for (name, value) in [
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}
