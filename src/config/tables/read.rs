//! Readers of values that several tables have: hosts, URLs, header names, scopes, certificates.

use std::path::PathBuf;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::config::model::PlainHttp;
use crate::config::table::Table;
use crate::config::url::{self, Url};
use crate::config::value::Value;
use crate::principal::Entitlement;
use crate::token::ClaimPath;

const ORIGIN_HELP: &str = "write what the browser sends: \"https://app.example.com\", in lower case, \
                           without a path, a wildcard or the default port";

/// Reads `insecure_http`.
pub(super) fn plain_http(table: &Table<'_>) -> PlainHttp {
    match table.read_or("insecure_http", false, Value::flag) {
        true => PlainHttp::Everywhere,
        false => PlainHttp::Loopback,
    }
}

/// A host name or address, in lower case.
pub(super) fn host(value: &Value<'_>) -> Option<Box<str>> {
    let text = value.line()?;
    if url::is_host(text) {
        return Some(text.to_ascii_lowercase().into());
    }
    let message = format!("`{}` has an element that is no host", value.key);
    let help =
        "write a name or an address alone, without scheme, port or path: \"api.example.com\"";
    value.refuse("host_invalid", message, help)
}

/// An origin exactly as browsers send it.
pub(super) fn origin(value: &Value<'_>) -> Option<Box<str>> {
    let text = value.line()?;
    let sent = url::origin_of(text);
    if sent.as_deref() == Some(text) {
        return Some(text.into());
    }
    let message = format!("`{}` has an element that is no origin", value.key);
    let help = sent.map_or_else(
        || ORIGIN_HELP.into(),
        |sent| format!("write what the browser sends: \"{sent}\""),
    );
    value.refuse("origin_invalid", message, help)
}

/// An http or https URL.
pub(super) fn any_url(value: &Value<'_>) -> Option<Box<str>> {
    let text = value.line()?;
    if Url::parse(text).is_some() {
        return Some(text.into());
    }
    let message = format!("`{}` is no http or https URL", value.key);
    let help = "write it whole: \"https://host/path\", without user, password or fragment";
    value.refuse("url_invalid", message, help)
}

/// A URL that secrets or keys travel to: https, unless it stays on this machine.
pub(super) fn safe_url(value: &Value<'_>, plain: PlainHttp) -> Option<Box<str>> {
    let text = any_url(value)?;
    if let Err(why) = value.walk.files.check_url(&text) {
        let message = format!("`{}` cannot be called: {why}", value.key);
        let help = "write the host as the resolver knows it: \"https://identity.internal/login\"";
        return value.refuse("url_invalid", message, help);
    }
    if Url::parse(&text).is_some_and(|url| url.https || url.is_loopback()) {
        return Some(text);
    }
    let message = format!(
        "`{}` is plain http off loopback: whoever is on the way can forge it",
        value.key
    );
    if plain == PlainHttp::Everywhere {
        value.warn(
            "url_plain",
            message,
            "use https, and remove `insecure_http`",
        );
        return Some(text);
    }
    let help = "use https, or write `insecure_http = true` beside it";
    value.refuse("url_insecure", message, help)
}

/// A field name (RFC 9110 §5.1).
pub(super) fn header_name(value: &Value<'_>) -> Option<Box<str>> {
    let text = value.line()?;
    if is_token(text) {
        return Some(text.into());
    }
    let message = format!("`{}` has no header's name", value.key);
    value.refuse(
        "header_invalid",
        message,
        "write letters, digits and dashes: \"X-Request-Id\"",
    )
}

/// A field name in lower case, as a preflight may ask for it. The asterisk would be a name like any other, and nobody's.
pub(super) fn header_name_lower(value: &Value<'_>) -> Option<Box<str>> {
    let name = header_name(value)?;
    if *name != *"*" {
        return Some(name.to_ascii_lowercase().into());
    }
    let message = format!("`{}` has no wildcard", value.key);
    let help = "name each of them: [\"authorization\", \"content-type\"]";
    value.refuse("header_invalid", message, help)
}

/// A scope (RFC 6749 §3.3).
pub(super) fn scope(value: &Value<'_>) -> Option<Box<str>> {
    let text = value.line()?;
    let sound = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    if sound {
        return Some(text.into());
    }
    let message = format!("`{}` has an element that is no scope", value.key);
    value.refuse(
        "scope_invalid",
        message,
        "one scope an element, without spaces: [\"crm.read\", \"crm.write\"]",
    )
}

/// A method (RFC 9110 §9.1).
pub(super) fn method(value: &Value<'_>) -> Option<Box<str>> {
    const KNOWN: [&str; 8] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
    ];
    let text = value.line()?;
    if text == "*" {
        // It would be a method like any other (RFC 9110 §5.6.2), and nobody's.
        let message = format!("`{}` has no wildcard", value.key);
        let help = format!("name each method, or leave `{}` out", value.key);
        return value.refuse("method_invalid", message, help);
    }
    let upper = text.to_ascii_uppercase();
    if !is_token(text) || upper == "CONNECT" {
        let message = format!(
            "`{}` has an element that is no method of a route",
            value.key
        );
        return value.refuse(
            "method_invalid",
            message,
            "write \"GET\", \"POST\", …; CONNECT is always refused",
        );
    }
    if text != upper && KNOWN.contains(&&*upper) {
        let message = "methods are case-sensitive: this one never comes";
        return value.refuse("method_invalid", message, format!("write \"{upper}\""));
    }
    Some(text.into())
}

/// A product's name.
pub(super) fn entitlement(value: &Value<'_>) -> Option<Entitlement> {
    match Entitlement::parse(value.line()?) {
        Ok(entitlement) => Some(entitlement),
        Err(why) => value.refuse(
            "product_invalid",
            why.to_string(),
            "write one product's name, as tokens carry it",
        ),
    }
}

/// Where a claim is.
pub(super) fn claim_path(value: &Value<'_>) -> Option<ClaimPath> {
    ClaimPath::parse(value.line()?).or_else(|| {
        let message = format!("`{}` is no claim's path", value.key);
        let help =
            "write names from the outside in: \"app.products\"; a name with `://` counts as one";
        value.refuse("claim_path_invalid", message, help)
    })
}

/// A readable PEM file with at least one certificate.
pub(super) fn certificates(value: &Value<'_>) -> Option<PathBuf> {
    let pem = value.bytes()?;
    let mut found = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        if certificate.is_err() {
            found = 0;
            break;
        }
        found += 1;
    }
    if found > 0 {
        return value.path();
    }
    let message = format!(
        "the file of `{}` has no certificate that can be read",
        value.key
    );
    value.refuse(
        "file_invalid",
        message,
        "it must be PEM: -----BEGIN CERTIFICATE-----",
    )
}

/// A readable PEM file with certificates that may be trusted to sign others, all of them.
pub(super) fn authorities(value: &Value<'_>) -> Option<PathBuf> {
    certificates(value)?;
    let help = "it must hold certificates alone, each of them sound";
    value.judged(|files, path| files.check_authorities(path), help)
}

/// Whether `text` is a token (RFC 9110 §5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
