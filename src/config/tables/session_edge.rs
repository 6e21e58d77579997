//! `[sessions.login_hook]`, `[sessions.claims_hook]`, `[sessions.cookie]`, `[sessions.limits]`: what the session side
//! calls, and how browsers and callers meet it.

use std::time::Duration;

use super::read::{header_name, is_token, origin, plain_http, safe_url};
use crate::config::model::{Cookie, Hook, Rate, SameSite, SessionLimits};
use crate::config::table::Table;
use crate::config::url::Url;
use crate::config::value::Value;

/// Reads `[sessions.login_hook]`.
pub(super) fn login_hook(table: &Table<'_>) -> Option<Hook> {
    hook(table, Duration::from_secs(3))
}

/// Reads `[sessions.claims_hook]` and its `stale_ok`.
pub(super) fn claims_hook(table: Option<&Table<'_>>) -> (Option<Hook>, Duration) {
    let stale_ok = Duration::from_secs(30 * 60);
    match table {
        Some(table) => {
            let stale_ok = table.read_or("stale_ok", stale_ok, Value::duration);
            (hook(table, Duration::from_millis(800)), stale_ok)
        }
        None => (None, stale_ok),
    }
}

fn hook(table: &Table<'_>, timeout: Duration) -> Option<Hook> {
    let plain = plain_http(table);
    let help = "say where it is called: url = \"https://identity.internal/login\"";
    let url = table.need("url", help, |value| safe_url(value, plain));
    let timeout = table.read_or("timeout", timeout, Value::span);
    let secret = table.read("secret", Value::secret);
    let url = url?;
    let off_loopback = Url::parse(&url).is_some_and(|url| !url.is_loopback());
    if off_loopback && !table.has("secret") {
        let message =
            "the calls to this hook are not signed: it cannot tell the gate from anybody else";
        table.warn(
            "url",
            "hook_unsigned",
            message,
            "write secret = \"env:HOOK_SECRET\"",
        );
    }
    Some(Hook {
        url,
        timeout,
        secret,
    })
}

/// Reads `[sessions.cookie]`.
pub(super) fn cookie(table: &Table<'_>) -> Option<Cookie> {
    const SAME_SITE: [(&str, SameSite); 3] = [
        ("strict", SameSite::Strict),
        ("lax", SameSite::Lax),
        ("none", SameSite::None),
    ];
    let help = "name the front ends: origins = [\"https://app.example.com\"]";
    let origins = table.need("origins", help, |value| value.some(origin));
    let name = table.read("name", cookie_name).unwrap_or("tollgate_rt");
    let path = table.read("path", cookie_path).unwrap_or("/auth");
    // A browser takes `__Host-` for the path `/` alone (RFC 6265bis §4.1.3).
    let prefix = if path == "/" { "__Host-" } else { "__Secure-" };
    Some(Cookie {
        name: format!("{prefix}{name}").into(),
        path: path.into(),
        same_site: table.read_or("same_site", SameSite::Strict, |value| {
            value.word(&SAME_SITE)
        }),
        csrf_header: table.read_or("csrf_header", "X-Tollgate-CSRF".into(), csrf_header),
        origins: origins?,
    })
}

fn cookie_name<'w>(value: &Value<'w>) -> Option<&'w str> {
    let name = value.line()?;
    if !is_token(name) {
        let help = "write letters, digits, `-` and `_`: \"tollgate_rt\"";
        return value.refuse("cookie_invalid", "`name` is no cookie's name", help);
    }
    if name.starts_with("__") {
        let help = "write the bare name: \"tollgate_rt\"";
        return value.refuse(
            "cookie_invalid",
            "the prefix of the cookie's name comes with its path",
            help,
        );
    }
    Some(name)
}

fn cookie_path<'w>(value: &Value<'w>) -> Option<&'w str> {
    let path = value.line()?;
    if path == "/" || path == "/auth" {
        return Some(path);
    }
    let help = "write \"/auth\", or \"/\" on a host of its own";
    value.refuse(
        "cookie_invalid",
        "with this path the endpoints would never see the cookie",
        help,
    )
}

/// A header that only a script with a preflight can set: none that any page may set (Fetch standard, CORS-safelisted
/// request-header), that no page may (forbidden request-header), that browsers or proxies set by themselves, or that says
/// something else here.
fn csrf_header(value: &Value<'_>) -> Option<Box<str>> {
    const TAKEN: &str = "accept accept-charset accept-encoding accept-language authorization cache-control connection \
        content-encoding content-language content-length content-type cookie cookie2 date dnt expect forwarded host \
        if-match if-modified-since if-none-match if-range if-unmodified-since keep-alive last-event-id origin pragma \
        priority range referer save-data set-cookie te traceparent tracestate trailer transfer-encoding upgrade \
        upgrade-insecure-requests user-agent via x-client-id x-device-label x-real-ip x-request-id";
    const TAKEN_BEGINNINGS: [&str; 4] = ["access-control-", "proxy-", "sec-", "x-forwarded-"];
    let name = header_name(value)?;
    let lower = name.to_ascii_lowercase();
    let begins = |beginning| lower.starts_with(beginning);
    if TAKEN.split_ascii_whitespace().any(|taken| taken == lower)
        || TAKEN_BEGINNINGS.into_iter().any(begins)
    {
        let message = "`csrf_header` is a header that requests have anyway, that any page may set, or that none may";
        return value.refuse(
            "header_invalid",
            message,
            "choose a name of your own: \"X-Tollgate-CSRF\"",
        );
    }
    Some(name)
}

/// Reads `[sessions.limits]`, or says what it is by default.
pub(super) fn limits(table: Option<&Table<'_>>) -> SessionLimits {
    let a_second = |calls| Rate {
        calls,
        span: Duration::from_secs(1),
    };
    let mut limits = SessionLimits {
        login: a_second(100),
        refresh: a_second(200),
    };
    if let Some(table) = table {
        limits.login = table.read_or("login", limits.login, Value::rate);
        limits.refresh = table.read_or("refresh", limits.refresh, Value::rate);
    }
    limits
}
