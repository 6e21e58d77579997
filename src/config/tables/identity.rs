//! `[identity]`: what upstreams hear of a caller.

use std::sync::Arc;
use std::time::Duration;

use crate::config::table::Table;
use crate::config::value::Value;
use crate::identity::{HeaderPrefix, IdentityTerms};
use crate::token::SigningKey;

/// Headers that a prefix must not swallow: the gateway or the protocol has another use for them.
const FOREIGN: [&str; 21] = [
    "Accept-Encoding",
    "Access-Control-Allow-Origin",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Length",
    "Cookie",
    "Host",
    "If-None-Match",
    "Retry-After",
    "Sec-WebSocket-Protocol",
    "Set-Cookie",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "WWW-Authenticate",
    "X-Client-Id",
    "X-Forwarded-For",
    "X-Real-IP",
    "X-Request-Id",
    "X-Tollgate-CSRF",
];

/// Reads `[identity]`, or says what it is by default.
pub(in crate::config) fn identity(table: Option<&Table<'_>>) -> IdentityTerms {
    let mut terms = IdentityTerms {
        prefix: HeaderPrefix::parse("X-Identity-").expect("the default prefix is one"),
        signing_key: None,
        issuer: None,
        assertion_lifetime: Duration::from_secs(60),
    };
    if let Some(table) = table {
        terms.prefix = table.read_or("header_prefix", terms.prefix, prefix);
        terms.signing_key = table.read("signing_key", signing_key);
        terms.issuer = table.read("issuer", Value::line).map(Into::into);
        terms.assertion_lifetime =
            table.read_or("assertion_lifetime", terms.assertion_lifetime, Value::span);
        if table.has("signing_key") && !table.has("issuer") {
            let help = "name the gateway: issuer = \"https://gate.example.com\"";
            let message = "a signed assertion needs its issuer: `issuer` is missing";
            table.refuse::<()>("key_missing", message, help);
        }
    }
    terms
}

fn prefix(value: &Value<'_>) -> Option<HeaderPrefix> {
    let Some(prefix) = HeaderPrefix::parse(value.line()?) else {
        let help = "write letters, digits and dashes, with a dash at the end: \"X-Identity-\"";
        return value.refuse(
            "header_invalid",
            "`header_prefix` is no prefix of header names",
            help,
        );
    };
    if let Some(foreign) = FOREIGN.iter().find(|name| prefix.owns(name)) {
        let message = format!("the prefix would own `{foreign}`, which is not about identity");
        return value.refuse(
            "header_invalid",
            message,
            "choose a longer prefix: \"X-Identity-\"",
        );
    }
    Some(prefix)
}

/// A private key in PKCS#8 PEM.
fn signing_key(value: &Value<'_>) -> Option<Arc<SigningKey>> {
    let pem = value.secret()?;
    match SigningKey::from_pem(&pem) {
        Ok(key) => Some(Arc::new(key)),
        Err(why) => {
            let message = format!("`{}` has no usable signing key: {why}", value.key);
            value.refuse(
                "signing_key_invalid",
                message,
                "make one with `tollgate key generate`",
            )
        }
    }
}
