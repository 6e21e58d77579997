//! Hosts, URLs and origins as a configuration writes them (RFC 3986, RFC 6454 §6.2). Strict where a URL parser would be
//! forgiving: what is written is what is compared and called.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An absolute http or https URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Url<'t> {
    pub(super) https: bool,
    pub(super) host: &'t str,
}

impl<'t> Url<'t> {
    /// Reads `http[s]://host[:port][/path][?query]`; no user info, no fragment, no white space.
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let (https, rest) = match text.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix("http://")?),
        };
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let visible = text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&byte));
        let host = host_of(authority)?;
        visible.then_some(Self { https, host })
    }

    /// Whether it cannot leave this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
            || host.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// The host of `host[:port]`, if both are sound. A port is 1 to 65535.
fn host_of(authority: &str) -> Option<&str> {
    let at = match authority.find(']') {
        Some(end) => end + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(at);
    let port_is_sound = match port.strip_prefix(':') {
        Some(digits) => port_of(digits).is_some(),
        None => port.is_empty(),
    };
    (port_is_sound && is_host(host)).then_some(host)
}

/// A port above zero, in plain digits.
pub(super) fn port_of(digits: &str) -> Option<u16> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| plain && *port > 0)
}

/// Whether `text` is a host name, an IPv4 address or a bracketed IPv6 address.
pub(super) fn is_host(text: &str) -> bool {
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return inner.parse::<Ipv6Addr>().is_ok();
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    // What ends in a number is an address or nothing (URL standard §3.5).
    let last = text.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    let is_address = || text.parse::<Ipv4Addr>().is_ok();
    text.len() <= 253 && text.split('.').all(label) && (!is_number || is_address())
}

/// The origin of the page at `text` as a browser sends it: `scheme://host[:port]` in lower case, without a path and without
/// the scheme's own port (RFC 6454 §6.2). `None` where there is none; `null` is none.
pub(super) fn origin_of(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let (scheme, rest) = text.split_once("://")?;
    let sound = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let authority = rest.split(['/', '?', '#']).next().filter(|_| sound)?;
    let host = host_of(authority)?;
    let port = authority[host.len()..].strip_prefix(':').and_then(port_of);
    let own = match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    let port = port.filter(|port| Some(*port) != own);
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{scheme}://{}{port}", host_text(host)))
}

/// A sound host in lower case as a browser writes it: an IPv6 address in its shortest form, without dots (URL standard §3.5).
fn host_text(host: &str) -> String {
    let address = host.trim_matches(['[', ']']).parse::<Ipv6Addr>();
    match address {
        Ok(ip) if ip.to_ipv4_mapped().is_some() => {
            let [.., a, b] = ip.segments();
            format!("[::ffff:{a:x}:{b:x}]")
        }
        Ok(ip) => format!("[{ip}]"),
        Err(_) => host.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Url, is_host, origin_of};

    #[test]
    fn urls_are_absolute_and_plain() {
        for text in [
            "https://auth.example.com",
            "https://auth.example.com:8443/a/b?c=d",
            "http://127.0.0.1:9200/login",
            "http://[::1]:9200/",
        ] {
            assert!(Url::parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            "auth.example.com",
            "//x",
            "ftp://x",
            "https://",
            "https://user@x/",
            "https://x:0/",
            "https://x:99999",
            "https://x/#y",
            "https://x y",
            "https://x/\n",
            "https://-x",
        ] {
            assert!(Url::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn loopback_is_known_by_address_and_by_name() {
        let check = |text, loopback| {
            assert_eq!(
                Url::parse(text).map(|url| url.is_loopback()),
                Some(loopback),
                "{text}"
            );
        };
        check("http://127.0.0.1/", true);
        check("http://127.9.9.9:1/", true);
        check("http://localhost:9200", true);
        check("http://[::1]", true);
        check("http://localhost.example.com", false);
        check("http://10.0.0.1", false);
        check("http://[2001:db8::1]:9200", false);
    }

    #[test]
    fn origins_are_what_browsers_send() {
        for text in [
            "https://app.example.com",
            "http://localhost:3000",
            "capacitor://localhost",
            "https://[2001:db8::1]:8443",
        ] {
            assert_eq!(origin_of(text).as_deref(), Some(text));
        }
        for text in [
            "null",
            "*",
            "app.example.com",
            "https://app.example.com/",
            "https://App.example.com",
            "https://app.example.com:443",
            "http://app.example.com:80",
            "https://app.example.com:0443",
            "https://app.example.com:08443",
            "https://[2001:db8:0::1]",
            "https://*.example.com",
            "https://",
        ] {
            assert_ne!(origin_of(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        for text in ["localhost", "api.example.com", "10.0.0.1", "[::1]", "crm_1"] {
            assert!(is_host(text), "{text}");
        }
        for text in [
            "",
            ".",
            "a..b",
            "a b",
            "http://a",
            "a:80",
            "[::1",
            "*.a",
            "ä.de",
            "256.0.0.1",
            "1.2.3",
            "a.7",
        ] {
            assert!(!is_host(text), "{text}");
        }
    }
}
