//! The host that a request names, with exactly one spelling (RFC 3986 §3.2.2). Knows no DNS.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::path::PathError;

/// A host, lower-case, without port and without the dot at the end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host(Box<str>);

impl Host {
    /// Reads `host[:port]` (RFC 3986 §3.2.2): a name, an IPv4 or a bracketed IPv6 address.
    ///
    /// # Errors
    /// [`PathError::Ambiguous`] for user info, an empty host, a bad port or any character that no host has.
    pub fn parse(authority: &str) -> Result<Self, PathError> {
        if let Some(rest) = authority.strip_prefix('[') {
            let (address, port) = rest
                .split_once(']')
                .ok_or(PathError::Ambiguous("an address without its bracket"))?;
            check_port(port)?;
            let address: Ipv6Addr = address
                .parse()
                .map_err(|_| PathError::Ambiguous("no IPv6 address in the brackets"))?;
            return Ok(Self(format!("[{address}]").into()));
        }
        let colon = memchr::memchr(b':', authority.as_bytes());
        let (name, port) = authority.split_at(colon.unwrap_or(authority.len()));
        check_port(port)?;
        let name = name.strip_suffix('.').unwrap_or(name);
        check_name(name)?;
        Ok(Self(name.to_ascii_lowercase().into()))
    }

    /// The host.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `""` or `:` and a number from 1 to 65535.
fn check_port(text: &str) -> Result<(), PathError> {
    let Some(port) = text.strip_prefix(':') else {
        return match text {
            "" => Ok(()),
            _ => Err(PathError::Ambiguous("something behind the host")),
        };
    };
    let sound = port.len() <= 5
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|port| port > 0);
    if sound {
        Ok(())
    } else {
        Err(PathError::Ambiguous("a port that is none"))
    }
}

fn check_name(name: &str) -> Result<(), PathError> {
    let is_of_names =
        |byte: u8| byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'_') | (byte == b'.');
    // Without an early end, so that the compiler looks at many bytes at once.
    let mut sound = name.len() <= NAME_BYTES_MAX
        && name.bytes().fold(true, |all, byte| all & is_of_names(byte));
    let mut label_at = 0;
    for dot in memchr::memchr_iter(b'.', name.as_bytes()) {
        sound &= is_label_length(dot - label_at);
        label_at = dot + 1;
    }
    if !(sound && is_label_length(name.len() - label_at)) {
        return Err(PathError::Ambiguous("a host that is no name"));
    }
    // `127.1` and `0x7f.0.0.1` are loopback to some and a name to others.
    let last = &name[label_at..];
    let ends_in_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last
            .get(..2)
            .is_some_and(|head| head.eq_ignore_ascii_case("0x"));
    if ends_in_number && name.parse::<Ipv4Addr>().is_err() {
        return Err(PathError::Ambiguous("an address in an odd spelling"));
    }
    Ok(())
}

fn is_label_length(bytes: usize) -> bool {
    (1..=LABEL_BYTES_MAX).contains(&bytes)
}

/// RFC 1035 §2.3.4.
const LABEL_BYTES_MAX: usize = 63;
/// RFC 1035 §2.3.4, without the length byte of the root.
const NAME_BYTES_MAX: usize = 253;
