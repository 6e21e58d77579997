//! Calls the operator's identity service: one signed POST, a deadline, a cap on the answer, no redirect, no retry. Knows
//! nothing of what is asked or answered.

use std::time::Duration;

use aws_lc_rs::hmac;
use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use reqwest::{Client, Url, redirect};

use super::{causes, trust};
use crate::config::Config;
use crate::config::model::Hook;
use crate::time::Timestamp;

/// The hooks of one configuration. Replaced whole at each reload.
#[derive(Debug, Clone, Default)]
pub struct HookClients {
    /// `[sessions.login_hook]`.
    pub login: Option<HookClient>,
    /// `[sessions.claims_hook]`.
    pub claims: Option<HookClient>,
}

impl HookClients {
    /// The clients of whichever hooks `config` has. Reads the system's certificates, which takes its time.
    ///
    /// # Errors
    /// A text for the operator.
    pub fn new(config: &Config) -> Result<Self, String> {
        let Some(sessions) = &config.sessions else {
            return Ok(Self::default());
        };
        let client = |name, hook: &Option<Hook>| {
            let client = hook.as_ref().map(HookClient::new).transpose();
            client.map_err(|error| format!("sessions.{name}: {error}"))
        };
        Ok(Self {
            login: client("login_hook", &sessions.login_hook)?,
            claims: client("claims_hook", &sessions.claims_hook)?,
        })
    }
}

/// One hook.
#[derive(Debug, Clone)]
pub struct HookClient {
    client: Client,
    url: Url,
    timeout: Duration,
    key: Option<hmac::Key>,
}

/// What a call tells beside its body.
#[derive(Debug, Clone, Copy)]
pub struct HookCall<'a> {
    /// Fields to send; those that cannot stand in a head are left out.
    pub fields: &'a [(&'static str, &'a str)],
    /// The body's type.
    pub content_type: &'a str,
    /// The present: part of what is signed.
    pub now: Timestamp,
}

/// A hook did not answer: not in time, not at all, or without end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookError(pub String);

impl std::fmt::Display for HookError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the identity service did not answer: {}", self.0)
    }
}

impl std::error::Error for HookError {}

impl HookClient {
    /// A client for one hook.
    ///
    /// # Errors
    /// A text for the operator.
    fn new(hook: &Hook) -> Result<Self, String> {
        let url = Url::parse(&hook.url).map_err(|error| format!("{}: {error}", hook.url))?;
        let builder = || {
            Client::builder()
                .timeout(hook.timeout)
                .redirect(redirect::Policy::none())
                // The service is the operator's own: no proxy of the environment stands in between.
                .no_proxy()
                .pool_idle_timeout(IDLE_MAX)
                .user_agent(concat!("tollgate/", env!("CARGO_PKG_VERSION")))
        };
        let client = trust::of_system(builder, "the identity service")?;
        let secret = hook.secret.as_ref();
        Ok(Self {
            client,
            url,
            timeout: hook.timeout,
            key: secret.map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.expose())),
        })
    }

    /// Calls it once. Whatever it answers is an answer, of any status.
    ///
    /// # Errors
    /// [`HookError`] without one.
    pub async fn call(
        &self,
        body: Bytes,
        call: &HookCall<'_>,
    ) -> Result<Response<Bytes>, HookError> {
        let mut headers = HeaderMap::new();
        put(&mut headers, CONTENT_TYPE, call.content_type);
        // Where nothing is said a server may choose any coding (RFC 9110 §12.5.3).
        put(&mut headers, ACCEPT_ENCODING, "identity");
        for (name, value) in call.fields {
            put(&mut headers, HeaderName::from_static(name), value);
        }
        if let Some(key) = &self.key {
            let signature = sign(key, call.now, &body);
            put(&mut headers, HeaderName::from_static(SIGNATURE), &signature);
        }
        let request = self.client.post(self.url.clone()).headers(headers);
        let answered = tokio::time::timeout(self.timeout, read(request.body(body)));
        answered
            .await
            .unwrap_or_else(|_| Err(HookError("it took too long".to_owned())))
    }
}

/// `t=<seconds>,v1=<hex of HMAC-SHA256(secret, t "." body)>`.
fn sign(key: &hmac::Key, now: Timestamp, body: &[u8]) -> String {
    let seconds = now.as_secs().to_string();
    let mut context = hmac::Context::with_key(key);
    context.update(seconds.as_bytes());
    context.update(b".");
    context.update(body);
    let tag = context.sign();
    let hex: String = tag
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("t={seconds},v1={hex}")
}

async fn read(request: reqwest::RequestBuilder) -> Result<Response<Bytes>, HookError> {
    let told = |error| HookError(causes::told(error));
    let mut answer = request.send().await.map_err(told)?;
    let mut body = BytesMut::new();
    while let Some(piece) = answer.chunk().await.map_err(told)? {
        if body.len() + piece.len() > ANSWER_BYTES_MAX {
            return Err(HookError(format!(
                "it sent more than {ANSWER_BYTES_MAX} bytes"
            )));
        }
        body.extend_from_slice(&piece);
    }
    let mut response = Response::new(body.freeze());
    *response.status_mut() =
        StatusCode::from_u16(answer.status().as_u16()).expect("a status that was read is one");
    *response.headers_mut() = answer.headers().clone();
    Ok(response)
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

const SIGNATURE: &str = "x-tollgate-signature";
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Shorter than the five seconds after which many servers close an unused connection: a call that met that close had no
/// answer, and is not made again.
const IDLE_MAX: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use super::{hmac, sign};
    use crate::time::Timestamp;

    #[test]
    fn a_call_is_signed_with_its_time_and_its_body() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let now = Timestamp::from_secs(1_700_000_000);
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac secret
        let expected =
            "t=1700000000,v1=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163";
        assert_eq!(sign(&key, now, b"{}"), expected);
    }
}
