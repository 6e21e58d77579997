//! What this authorization server offers (RFC 8414; the same document serves OpenID clients), and the keys its tokens are
//! verified with (RFC 7517).

use std::sync::Arc;

use bytes::Bytes;
use http::header;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::api::answer;
use crate::config::model::{ClientAuth, Sessions};
use crate::session::JWKS_LIFETIME;
use crate::token::{Algorithm, SigningKey};

/// `/.well-known/oauth-authorization-server` and `/.well-known/openid-configuration`.
pub(super) fn metadata(sessions: &Sessions, keys: &[&Arc<SigningKey>]) -> Response<Bytes> {
    let base = sessions.issuer.trim_end_matches('/');
    let at = |path: &str| format!("{base}{path}");
    let mut signed_with: Vec<&str> = Vec::new();
    for key in keys {
        let algorithm = key.algorithm().as_str();
        if !signed_with.contains(&algorithm) {
            signed_with.push(algorithm);
        }
    }
    let assertion_algorithms = ClientAuth::ALGORITHMS.map(Algorithm::as_str);
    published(&json!({
        "issuer": *sessions.issuer,
        "token_endpoint": at("/oauth/token"),
        "revocation_endpoint": at("/oauth/revoke"),
        "introspection_endpoint": at("/oauth/introspect"),
        "jwks_uri": at("/.well-known/jwks.json"),
        "response_types_supported": [],
        "grant_types_supported": ["refresh_token", "client_credentials"],
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": assertion_algorithms,
        "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": assertion_algorithms,
        "introspection_endpoint_auth_methods_supported": &AUTH_METHODS[..3],
        "introspection_endpoint_auth_signing_alg_values_supported": assertion_algorithms,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": signed_with,
    }))
}

/// `/.well-known/jwks.json`.
pub(super) fn jwks(keys: &[&Arc<SigningKey>]) -> Response<Bytes> {
    let keys: Vec<Value> = keys.iter().map(|key| key.public_jwk()).collect();
    published(&json!({ "keys": keys }))
}

fn published(document: &Value) -> Response<Bytes> {
    let mut response = answer::json(StatusCode::OK, document);
    let kept = format!("public, max-age={}", JWKS_LIFETIME.as_secs());
    answer::put(&mut response, header::CACHE_CONTROL, &kept);
    response
}

const AUTH_METHODS: [&str; 4] = [
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "none",
];
