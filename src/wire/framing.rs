//! How long is the body, and does the connection outlive it (RFC 9112 §6.3, §9.3)? Exactly one reading, or an error.

use super::fields::{connection_options, same_name};
use super::request::{Field, Version};
use super::scan::HeadError;

/// How the end of a request's body is found (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    Empty,
    /// So many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
    /// Until the connection closes: answers alone.
    UntilClose,
}

impl Framing {
    /// Whether no byte of content can come.
    pub fn is_empty(self) -> bool {
        matches!(self, Self::Empty | Self::Length(0))
    }
}

/// The fields that frame a body, each there at most once.
struct FramingFields<'a> {
    length: Option<&'a [u8]>,
    coding: Option<&'a [u8]>,
}

impl<'a> FramingFields<'a> {
    /// # Errors
    /// What is wrong: a field twice, both together, or a spelling that some upstreams take for one of them.
    fn of(fields: &[Field<'a>]) -> Result<Self, &'static str> {
        let mut found = Self {
            length: None,
            coding: None,
        };
        for field in fields {
            let place = if same_name(field.name, "content-length") {
                &mut found.length
            } else if same_name(field.name, "transfer-encoding") {
                &mut found.coding
            } else {
                continue;
            };
            if field.name.contains('_') {
                return Err("a framing field spelt with `_`");
            }
            if place.replace(field.value).is_some() {
                return Err("a framing field stands twice");
            }
        }
        match found {
            Self {
                length: Some(_),
                coding: Some(_),
            } => Err("Content-Length beside Transfer-Encoding"),
            found => Ok(found),
        }
    }

    /// The framing that the fields name; `None` when there is no field.
    fn framing(&self, version: Version) -> Result<Option<Framing>, &'static str> {
        match (self.length, self.coding) {
            (_, Some(_)) if version == Version::Http10 => Err("Transfer-Encoding in HTTP/1.0"),
            (_, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => {
                Ok(Some(Framing::Chunked))
            }
            (_, Some(_)) => Err("Transfer-Encoding other than `chunked`"),
            (Some(length), None) => parse_length(length)
                .map(|length| Some(Framing::Length(length)))
                .ok_or("Content-Length is not digits alone"),
            (None, None) => Ok(None),
        }
    }
}

/// Reads `1*DIGIT` up to `u64::MAX` (RFC 9110 §8.6): no sign, no space, no list.
fn parse_length(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    text.iter().try_fold(0u64, |length, digit| {
        length.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

/// The framing of a request's body.
///
/// # Errors
/// [`HeadError::Ambiguous`] unless there is exactly one.
pub(super) fn of_request(version: Version, fields: &[Field<'_>]) -> Result<Framing, HeadError> {
    FramingFields::of(fields)
        .and_then(|found| found.framing(version))
        .map(|framing| framing.unwrap_or(Framing::Empty))
        .map_err(HeadError::Ambiguous)
}

/// The framing of the body of an HTTP/2 request, which its frames end: a length is all that a field may add
/// (RFC 9113 §8.1.1).
///
/// # Errors
/// [`HeadError::Ambiguous`] for two lengths, or a field that says the same in another spelling.
pub fn of_stream(fields: &[Field<'_>]) -> Result<Framing, HeadError> {
    of_request(Version::Http2, fields).map(|framing| match framing {
        Framing::Length(length) => Framing::Length(length),
        _ => Framing::Chunked,
    })
}

/// The framing of an answer's body, and whether the connection may be used again.
///
/// # Errors
/// [`HeadError::Malformed`] unless there is exactly one.
pub(super) fn of_response(
    version: Version,
    status: u16,
    to_head: bool,
    fields: &[Field<'_>],
) -> Result<(Framing, bool), HeadError> {
    let named = FramingFields::of(fields)
        .and_then(|found| found.framing(version))
        .map_err(HeadError::Malformed)?;
    let persists = persists(version, fields);
    let never_has_content = status < 200 || status == 204;
    if never_has_content {
        // A server that frames a body here will send one: what follows is no answer of ours.
        let clean = matches!(named, None | Some(Framing::Length(0)));
        return Ok((Framing::Empty, persists && clean && status != 101));
    }
    if to_head || status == 304 {
        return Ok((Framing::Empty, persists));
    }
    match named {
        Some(framing) => Ok((framing, persists)),
        None => Ok((Framing::UntilClose, false)),
    }
}

/// Whether version and `Connection` let the connection be used again; `close` wins.
pub(super) fn persists(version: Version, fields: &[Field<'_>]) -> bool {
    !names_option(fields, b"close")
        && (version == Version::Http11 || names_option(fields, b"keep-alive"))
}

/// Whether `Connection` names this option.
pub(super) fn names_option(fields: &[Field<'_>], option: &[u8]) -> bool {
    connection_options(fields).any(|named| named.eq_ignore_ascii_case(option))
}
