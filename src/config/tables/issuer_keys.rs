//! The keys of `[issuers.NAME]`: exactly one source, and what it needs.

use std::sync::Arc;
use std::time::Duration;

use super::read::{authorities, is_token, plain_http, safe_url};
use crate::config::diagnostic::Diagnostic;
use crate::config::model::{KeySource, PlainHttp, RemoteKeys};
use crate::config::table::Table;
use crate::config::value::Value;
use crate::secret::Secret;
use crate::token::{Algorithm, KeySet};

const SOURCES: [&str; 4] = ["discovery", "jwks_url", "jwks_file", "secrets"];

const SOURCES_HELP: &str = "write exactly one of `discovery = true`, `jwks_url = \"https://…\"`, \
                            `jwks_file = \"jwks.json\"` and `secrets = [\"env:NAME\"]`";

/// Reads where the keys come from. `algorithms` is `None` when they are at fault themselves.
pub(super) fn keys(table: &Table<'_>, algorithms: Option<&[Algorithm]>) -> Option<KeySource> {
    let discovery = table.read_or("discovery", false, Value::flag);
    let plain = plain_http(table);
    let remote = remote(table, plain);
    let [_, jwks_url, jwks_file, secrets] = SOURCES.map(|key| table.take(key));
    let present: Vec<_> = SOURCES
        .into_iter()
        .filter(|key| table.has(key) && (*key != "discovery" || discovery))
        .collect();
    let source = one_of(table, &present);
    let fits = source.and_then(|source| agree(table, source, algorithms));
    let algorithms = fits.and(algorithms);
    if matches!(source, Some("jwks_file" | "secrets")) {
        warn_of_fetch(table);
    }
    let keys = match (source?, jwks_url, jwks_file, secrets) {
        ("jwks_file", _, Some(value), _) => fixed(&value, algorithms),
        ("secrets", _, _, Some(value)) => shared(&value, algorithms),
        ("jwks_url", Some(value), _, _) => {
            let jwks_url = Some(safe_url(&value, plain)?);
            Some(KeySource::Remote(RemoteKeys {
                jwks_url,
                ..remote?
            }))
        }
        // The issuer's own URL is where discovery begins, so it must be one (OpenID Connect Discovery §4).
        _ => {
            table.read("issuer", |value| safe_url(value, plain))?;
            remote.map(KeySource::Remote)
        }
    };
    fits.and(keys)
}

/// The one source that is named.
fn one_of(table: &Table<'_>, present: &[&'static str]) -> Option<&'static str> {
    match *present {
        [source] => Some(source),
        [] => match table
            .take("discovery")
            .filter(|value| value.flag() == Some(false))
        {
            Some(value) => value.refuse(
                "key_source_missing",
                "no source of keys is left without discovery",
                SOURCES_HELP,
            ),
            None => table.refuse(
                "key_source_missing",
                "there is no source of keys",
                SOURCES_HELP,
            ),
        },
        [first, second, ..] => {
            let message = format!("there are two sources of keys: `{first}` and `{second}`");
            let fault = Diagnostic::fault(
                "key_source_several",
                table.span_of(second),
                message,
                SOURCES_HELP,
            );
            table.walk.report(fault.and(table.span_of(first)));
            None
        }
    }
}

/// An issuer has shared secrets and HS* alone, or public keys and no HS*: the two never meet (RFC 8725 §2.1).
fn agree(table: &Table<'_>, source: &str, algorithms: Option<&[Algorithm]>) -> Option<()> {
    let algorithms = algorithms?;
    let symmetric = algorithms
        .iter()
        .filter(|algorithm| algorithm.is_symmetric())
        .count();
    let wanted = if source == "secrets" {
        algorithms.len()
    } else {
        0
    };
    if symmetric == wanted {
        return Some(());
    }
    let (message, help) = if source == "secrets" {
        (
            "an issuer with `secrets` signs with HS256, HS384 or HS512 alone",
            "write algorithms = [\"HS256\"]",
        )
    } else {
        (
            "HS256, HS384 and HS512 need `secrets`: with public keys anybody could sign",
            "write the algorithm of the public keys, such as \"ES256\"; or `secrets` in place of the key document",
        )
    };
    table
        .take("algorithms")?
        .refuse("algorithm_source_mismatch", message, help)
}

fn fixed(value: &Value<'_>, algorithms: Option<&[Algorithm]>) -> Option<KeySource> {
    match algorithms {
        Some(algorithms) => Some(KeySource::Fixed(Arc::new(key_set(value, algorithms)?))),
        None => value.bytes().and(None),
    }
}

/// Says of each key that is for keys over HTTP that it has no effect on keys at hand.
fn warn_of_fetch(table: &Table<'_>) {
    const OF_FETCH: [&str; 5] = [
        "refresh",
        "keys_stale_max",
        "insecure_http",
        "ca",
        "headers",
    ];
    for key in OF_FETCH.into_iter().filter(|key| table.has(key)) {
        let message = format!("`{key}` is for keys that are fetched, and these are at hand");
        let help = "remove it, or write `discovery = true` or `jwks_url`";
        table.warn(key, "key_without_effect", message, help);
    }
}

/// A JWKS file with at least one usable key.
pub(super) fn key_set(value: &Value<'_>, algorithms: &[Algorithm]) -> Option<KeySet> {
    let document = value.bytes()?;
    let help = "it must be a JWKS: {\"keys\": [{\"kty\": …, \"kid\": …}]}, with a public key for one of the algorithms";
    let (keys, odd) = match KeySet::parse(&document, algorithms) {
        Ok(parsed) => parsed,
        Err(why) => {
            let message = format!("the file of `{}` is no key set: {why}", value.key);
            return value.refuse("keys_unusable", message, help);
        }
    };
    for why in &odd {
        let message = format!("in the file of `{}`, {why}", value.key);
        value.warn(
            "key_skipped",
            message,
            "the other keys serve; remove or repair this one",
        );
    }
    if keys.is_empty() {
        let message = format!("the file of `{}` has no usable key", value.key);
        return value.refuse("keys_unusable", message, help);
    }
    Some(keys)
}

fn shared(value: &Value<'_>, algorithms: Option<&[Algorithm]>) -> Option<KeySource> {
    let secrets = value.some(Value::secret)?;
    if let Some(index) = secrets.iter().position(is_pem) {
        // Whoever has a public key could sign with it, and many have (RFC 8725 §2.1).
        let message = format!(
            "secret {} of `secrets` is a key or certificate in PEM, which others may have",
            index + 1
        );
        let help = "draw one at random: `openssl rand -base64 48`; public keys go into `jwks_file`";
        return value.refuse("secret_is_key", message, help);
    }
    match KeySet::from_secrets(&secrets, algorithms?) {
        Ok(keys) => Some(KeySource::Fixed(Arc::new(keys))),
        Err(why) => {
            let help = "draw new ones at random: `openssl rand -base64 48`";
            value.refuse(
                "secret_short",
                format!("`secrets` cannot sign safely: {why}"),
                help,
            )
        }
    }
}

fn is_pem(secret: &Secret) -> bool {
    memchr::memmem::find(secret.expose(), b"-----BEGIN ").is_some()
}

/// What a JWKS over HTTP needs beside its address.
fn remote(table: &Table<'_>, plain_http: PlainHttp) -> Option<RemoteKeys> {
    let seconds = Duration::from_secs;
    let mut remote = RemoteKeys {
        jwks_url: None,
        refresh_min: seconds(30),
        refresh_max: seconds(15 * 60),
        cooldown: seconds(10),
        keys_stale_max: table.read_or("keys_stale_max", seconds(24 * 60 * 60), Value::duration),
        plain_http,
        ca: table.read("ca", authorities),
        headers: headers(table),
    };
    if let Some(refresh) = table.table("refresh", "issuers.NAME.refresh") {
        remote.refresh_min = refresh.read_or("min", remote.refresh_min, Value::span);
        remote.refresh_max = refresh.read_or("max", remote.refresh_max, Value::span);
        remote.cooldown = refresh.read_or("cooldown", remote.cooldown, Value::span);
        if remote.refresh_min > remote.refresh_max {
            let message = "`refresh.min` is longer than `refresh.max`";
            return refresh.refuse(
                "number_out_of_range",
                message,
                "write refresh = { min = \"30s\", max = \"15m\" }",
            );
        }
    }
    Some(remote)
}

/// Headers of the fetch, each value a secret.
fn headers(table: &Table<'_>) -> Vec<(Box<str>, Secret)> {
    let Some(headers) = table.table("headers", "issuers.NAME.headers") else {
        return Vec::new();
    };
    let read = headers.entries().into_iter().filter_map(|value| {
        if !is_token(value.key) {
            let help = "write letters, digits and dashes: headers.Authorization = \"env:NAME\"";
            return value.refuse("header_invalid", "this is no header's name", help);
        }
        let secret = value.secret()?;
        if secret.expose().iter().any(|byte| byte.is_ascii_control()) {
            let help = "a header's value is one line of text";
            return value.refuse(
                "header_invalid",
                "the secret cannot be a header's value",
                help,
            );
        }
        Some((value.key.into(), secret))
    });
    read.collect()
}
