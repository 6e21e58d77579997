//! Successful answers: tokens as RFC 6749 §5.1 has them, and plain JSON. None is to be kept by any cache.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::api::{SessionApi, SystemEntropy};
use super::cookie;
use crate::api::answer;
use crate::session::{Minted, Moment, Refreshed, Transport};
use crate::token::SigningKey;

impl SessionApi {
    /// The tokens of a session that was opened or refreshed. A cookie's refresh token is never in the body.
    pub(super) fn tokens_of(&self, refreshed: &Refreshed, key: &SigningKey) -> Response<Bytes> {
        let moment = Moment {
            committed_at: refreshed.at,
            // Not that of the call: the identity service may have thought for long.
            now: self.clock.now(),
        };
        let session = &refreshed.session;
        let minted = self
            .minter
            .mint(key, session, &refreshed.scope, moment, &SystemEntropy);
        let left = session.expires_at().since(refreshed.at).as_secs();
        let mut body = access(&minted, &refreshed.scope);
        match (session.transport, &self.sessions().cookie) {
            (Transport::Cookie, Some(cookie)) => {
                let mut response = json(StatusCode::OK, &body);
                cookie::set(&mut response, cookie, &refreshed.refresh_token, left);
                response
            }
            _ => {
                body["refresh_token"] = json!(refreshed.refresh_token);
                body["refresh_token_expires_in"] = json!(left);
                json(StatusCode::OK, &body)
            }
        }
    }
}

/// The members that every token answer has. The scope is always told: some clients take its absence for a change.
pub(super) fn access(minted: &Minted, scope: &str) -> Value {
    json!({
        "access_token": minted.token,
        "token_type": "Bearer",
        "expires_in": minted.expires_in,
        "scope": scope,
    })
}

/// JSON that no cache keeps.
pub(super) fn json(status: StatusCode, body: &Value) -> Response<Bytes> {
    no_store(answer::json(status, body))
}

/// For caches of HTTP/1.0 too (RFC 6749 §5.1).
pub(super) fn no_store(mut response: Response<Bytes>) -> Response<Bytes> {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
