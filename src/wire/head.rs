//! HTTP/1.1 heads: bytes in, a head with exactly one framing out, or the reason why not (RFC 9112 §2–6).

use std::mem::MaybeUninit;

use super::fields::{list, same_name};
use super::framing;
use super::request::{Field, Version};
use super::scan::is_token_byte;

pub use super::framing::Framing;
pub use super::scan::{HeadError, HeadScanner};

/// The fields of a head, on the heap: a head is handed on several times, and half a kilobyte moved each time costs more.
pub type Fields<'b> = Vec<Field<'b>>;

/// How large a head may be.
#[derive(Debug, Clone, Copy)]
pub struct HeadLimits {
    /// From its first byte to the empty line.
    pub bytes_max: usize,
    /// Fields; never more than [`FIELDS_MAX`].
    pub fields_max: usize,
}

/// One request head.
#[derive(Debug)]
pub struct Http1Request<'b> {
    /// The method.
    pub method: &'b str,
    /// The target as it came.
    pub target: &'b str,
    /// 1.0 or 1.1.
    pub version: Version,
    /// All fields in their order.
    pub fields: Fields<'b>,
    /// How its body ends.
    pub framing: Framing,
    /// Whether the connection may be used again.
    pub keep_alive: bool,
    /// `Expect: 100-continue` (RFC 9110 §10.1.1).
    pub expects_continue: bool,
    /// The protocol of a sound `Upgrade` that `Connection` names (RFC 9110 §7.8): `websocket` in lower case, any other
    /// as it came.
    pub upgrade: Option<&'b str>,
}

/// One answer head.
#[derive(Debug)]
pub struct Http1Response<'b> {
    /// 100 to 599.
    pub status: u16,
    /// All fields in their order.
    pub fields: Fields<'b>,
    /// How its body ends.
    pub framing: Framing,
    /// Whether the connection may be used again.
    pub keep_alive: bool,
}

/// Reads a request head from the beginning of `bytes`; `None` when more is needed, else the head and its length.
/// Looks at all of `bytes`: while a head arrives piece by piece, find its end with a [`HeadScanner`] and call
/// [`read_request`] once.
///
/// # Errors
/// See [`HeadError`]; the connection cannot be used again.
pub fn parse_request(
    bytes: &[u8],
    limits: HeadLimits,
) -> Result<Option<(Http1Request<'_>, usize)>, HeadError> {
    match HeadScanner::request().find(bytes, limits.bytes_max)? {
        Some(end) => Ok(Some((read_request(&bytes[..end], limits)?, end))),
        None => Ok(None),
    }
}

/// Reads a whole request head: what [`HeadScanner::find`] found, empty line included.
///
/// # Errors
/// See [`HeadError`].
pub fn read_request(head: &[u8], limits: HeadLimits) -> Result<Http1Request<'_>, HeadError> {
    let mut room = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut parsed = httparse::Request::new(&mut []);
    let parse = parsed.parse_with_uninit_headers(head, field_room(&mut room, limits));
    check_whole(parse, head).map_err(|error| blame_target(error, head))?;
    let version = version(parsed.version)?;
    let fields = own(parsed.headers);
    let method = parsed.method.expect("a whole head has a method");
    let framing = framing::of_request(version, &fields)?;
    Ok(Http1Request {
        method,
        target: parsed.path.expect("a whole head has a target"),
        version,
        framing,
        keep_alive: framing::persists(version, &fields),
        expects_continue: expects_continue(version, framing, &fields),
        upgrade: upgrade(version, method, framing, &fields)?,
        fields,
    })
}

/// Whether HTTP has such a status (RFC 9110 §15).
///
/// # Errors
/// [`HeadError::Malformed`] outside 100 to 599.
pub fn check_status(status: u16) -> Result<(), HeadError> {
    match status {
        100..=599 => Ok(()),
        _ => Err(HeadError::Malformed("a status outside 100 to 599")),
    }
}

/// Reads a whole answer head: what [`HeadScanner::find`] found, empty line included. `to_head` says whether the request was
/// a HEAD (RFC 9112 §6.3).
///
/// # Errors
/// See [`HeadError`].
pub fn read_response(
    head: &[u8],
    to_head: bool,
    limits: HeadLimits,
) -> Result<Http1Response<'_>, HeadError> {
    let mut room = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut parsed = httparse::Response::new(&mut []);
    let parse = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut parsed,
        head,
        field_room(&mut room, limits),
    );
    check_whole(parse, head)?;
    let version = version(parsed.version)?;
    let status = parsed.code.expect("a whole head has a status");
    check_status(status)?;
    let fields = own(parsed.headers);
    let (framing, keep_alive) = framing::of_response(version, status, to_head, &fields)?;
    Ok(Http1Response {
        status,
        fields,
        framing,
        keep_alive,
    })
}

/// The most fields that any head may have, whatever the limits say: they are parsed on the stack.
pub const FIELDS_MAX: usize = 256;

/// The most fields of a client's request, on either protocol.
pub const REQUEST_FIELDS_MAX: usize = 128;

fn field_room<'r, 'b>(
    room: &'r mut [MaybeUninit<httparse::Header<'b>>; FIELDS_MAX],
    limits: HeadLimits,
) -> &'r mut [MaybeUninit<httparse::Header<'b>>] {
    &mut room[..limits.fields_max.min(FIELDS_MAX)]
}

/// Two parsers looked for the end; they must agree.
fn check_whole(
    parsed: Result<httparse::Status<usize>, httparse::Error>,
    head: &[u8],
) -> Result<(), HeadError> {
    use httparse::Error;
    match parsed {
        Ok(httparse::Status::Complete(length)) if length == head.len() => Ok(()),
        Ok(_) => Err(HeadError::Malformed("the head ends elsewhere")),
        Err(Error::TooManyHeaders) => Err(HeadError::TooLarge),
        Err(Error::HeaderName) => Err(HeadError::Malformed("a field name that is no token")),
        Err(Error::HeaderValue) => Err(HeadError::Malformed("a control character in a field")),
        Err(Error::Version) => Err(HeadError::Malformed("neither HTTP/1.0 nor HTTP/1.1")),
        Err(Error::NewLine) => Err(HeadError::Malformed("a line that does not end in CRLF")),
        Err(Error::Status) => Err(HeadError::Malformed("no status line")),
        Err(Error::Token) => Err(HeadError::Malformed("no request line")),
    }
}

/// A target with control characters or invalid UTF-8 is one that others read otherwise, not a line without one.
fn blame_target(error: HeadError, head: &[u8]) -> HeadError {
    let line = head.trim_ascii_start();
    let line = &line[..memchr::memchr(b'\r', line).unwrap_or(line.len())];
    let target = line.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    if error == HeadError::Malformed("no request line")
        && target.iter().any(|byte| !byte.is_ascii_graphic())
    {
        return HeadError::Ambiguous("a byte in the target that no URI has");
    }
    error
}

fn version(minor: Option<u8>) -> Result<Version, HeadError> {
    match minor {
        Some(0) => Ok(Version::Http10),
        Some(1) => Ok(Version::Http11),
        _ => Err(HeadError::Malformed("neither HTTP/1.0 nor HTTP/1.1")),
    }
}

pub(super) fn own<'b>(headers: &[httparse::Header<'b>]) -> Fields<'b> {
    headers
        .iter()
        .map(|header| Field {
            name: header.name,
            value: header.value,
        })
        .collect()
}

/// Other expectations than `100-continue` are ignored, as is this one where there is nothing to wait for.
fn expects_continue(version: Version, framing: Framing, fields: &[Field<'_>]) -> bool {
    let waits = version == Version::Http11 && !framing.is_empty();
    waits
        && fields
            .iter()
            .filter(|field| field.name.eq_ignore_ascii_case("expect"))
            .flat_map(|field| list(field.value))
            .any(|value| value.eq_ignore_ascii_case(b"100-continue"))
}

/// The protocol to switch to. An `Upgrade` that is not sound is ignored (RFC 9110 §7.8), one to another HTTP or to TLS
/// (RFC 2817) is refused: whoever follows it reads the rest of the connection as requests that nobody judged.
fn upgrade<'b>(
    version: Version,
    method: &str,
    framing: Framing,
    fields: &[Field<'b>],
) -> Result<Option<&'b str>, HeadError> {
    let mut wanted = fields
        .iter()
        .filter(|field| same_name(field.name, "upgrade"));
    let Some(first) = wanted.next() else {
        return Ok(None);
    };
    if wanted.next().is_some() {
        return Err(HeadError::Ambiguous("two Upgrade fields"));
    }
    if list(first.value).any(carries_requests) {
        return Err(HeadError::Ambiguous("an upgrade to another HTTP"));
    }
    let sound = version == Version::Http11
        && method == "GET"
        && framing.is_empty()
        && framing::names_option(fields, b"upgrade");
    let protocol = std::str::from_utf8(first.value)
        .ok()
        .filter(|name| sound && is_protocol(name));
    Ok(protocol.map(|name| {
        if name.eq_ignore_ascii_case("websocket") {
            "websocket"
        } else {
            name
        }
    }))
}

/// Whether requests go on behind a switch to this protocol: `h2`, `h2c` and its drafts (`h2c-14`), `HTTP`, `TLS` and
/// `SPDY`, whatever their version.
fn carries_requests(protocol: &[u8]) -> bool {
    const NAMES: [&[u8]; 6] = [b"h2", b"h2c", b"h3", b"http", b"spdy", b"tls"];
    let end = protocol.iter().position(|byte| b"/-".contains(byte));
    let name = &protocol[..end.unwrap_or(protocol.len())];
    NAMES.iter().any(|other| name.eq_ignore_ascii_case(other))
}

/// One protocol with an optional version: `token ["/" token]` (RFC 9110 §7.8).
fn is_protocol(name: &str) -> bool {
    name.splitn(2, '/')
        .all(|part| !part.is_empty() && part.bytes().all(is_token_byte))
}
