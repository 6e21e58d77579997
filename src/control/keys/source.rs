//! Which addresses keys may be fetched from: the configured ones and what those name, over https. Does no I/O.
//! No address is ever taken from a token.

use std::net::IpAddr;

use reqwest::Url;

use crate::config::model::PlainHttp;

/// Reads an address that keys or metadata are fetched from.
///
/// # Errors
/// A text for the operator unless it is https, or plain http where `plain` allows it.
pub(super) fn parse(text: &str, plain: PlainHttp) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{text:?} is no URL: {error}"))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if plain == PlainHttp::Everywhere || is_loopback(&url) => Ok(url),
        "http" => Err(format!(
            "{text:?} is plain http off loopback; only insecure_http = true allows that"
        )),
        _ => Err(format!("{text:?} is neither https nor http")),
    }
}

/// Whether `url` stays on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Whether both are the same scheme, host and port (RFC 6454 §5).
pub(super) fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && a.host_str() == b.host_str()
        && a.port_or_known_default() == b.port_or_known_default()
}

/// Where an issuer's metadata may be, in the order of asking: OpenID Connect Discovery §4.1, then RFC 8414 §3.1 with the
/// well-known part before the issuer's path, then, as many providers have it, behind it.
///
/// # Errors
/// A text for the operator when the issuer is no URL, has a query or a fragment, or is refused by [`parse`].
pub(super) fn metadata(issuer: &str, plain: PlainHttp) -> Result<Vec<Url>, String> {
    let base = parse(issuer, plain)?;
    if base.query().is_some() || base.fragment().is_some() {
        return Err(format!(
            "the issuer {issuer:?} has a query or a fragment: its keys cannot be discovered"
        ));
    }
    let path = base.path().trim_end_matches('/');
    let paths = [
        format!("{path}/.well-known/openid-configuration"),
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("{path}/.well-known/oauth-authorization-server"),
    ];
    let mut urls: Vec<Url> = Vec::with_capacity(paths.len());
    for path in paths {
        let mut url = base.clone();
        url.set_path(&path);
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    Ok(urls)
}

#[cfg(test)]
mod tests {
    use super::{PlainHttp, metadata, parse, same_origin};

    #[test]
    fn plain_http_stays_on_this_machine() {
        let rows = [
            ("https://auth.example.com/jwks", true),
            ("http://127.0.0.1:3000/jwks", true),
            ("http://[::1]/jwks", true),
            ("http://localhost/jwks", true),
            ("http://auth.example.com/jwks", false),
            ("http://127.0.0.1.example.com/jwks", false),
            ("http://localhost.example.com/jwks", false),
            ("http://169.254.169.254/latest", false),
            ("file:///etc/passwd", false),
            ("jwks.json", false),
        ];
        for (text, allowed) in rows {
            assert_eq!(parse(text, PlainHttp::Loopback).is_ok(), allowed, "{text}");
        }
    }

    #[test]
    fn insecure_http_opens_plain_http_alone() {
        assert!(parse("http://auth.internal/jwks", PlainHttp::Everywhere).is_ok());
        assert!(parse("ftp://auth.internal/jwks", PlainHttp::Everywhere).is_err());
    }

    #[test]
    fn metadata_is_asked_for_where_both_standards_put_it() {
        let urls = |issuer| {
            let urls = metadata(issuer, PlainHttp::Loopback).unwrap();
            urls.into_iter().map(String::from).collect::<Vec<_>>()
        };
        assert_eq!(
            urls("https://a.example/"),
            [
                "https://a.example/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server",
            ]
        );
        assert_eq!(
            urls("https://a.example/realms/x"),
            [
                "https://a.example/realms/x/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server/realms/x",
                "https://a.example/realms/x/.well-known/oauth-authorization-server",
            ]
        );
    }

    #[test]
    fn another_port_is_another_origin() {
        let url = |text| parse(text, PlainHttp::Everywhere).unwrap();
        assert!(same_origin(&url("https://a/x"), &url("https://a:443/y")));
        assert!(!same_origin(&url("https://a/x"), &url("https://a:444/x")));
        assert!(!same_origin(&url("https://a/x"), &url("http://a/x")));
        assert!(!same_origin(&url("https://a/x"), &url("https://b/x")));
    }
}
