//! Percent escapes (RFC 3986 §2.1), decoded once and never twice. Knows no segments and no rules.

use std::borrow::Cow;

/// Every escape of a parsed path decoded, once.
pub(super) fn decode(path: &str) -> Cow<'_, str> {
    decode_where(path, |_| true)
}

pub(super) fn decode_where(path: &str, decodes: impl Fn(u8) -> bool) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let decoded = String::from_utf8(decode_bytes(path, decodes));
    Cow::Owned(decoded.expect("the escapes of a parsed path are UTF-8"))
}

/// The escapes of which `decodes` says so are decoded, once.
pub(super) fn decode_bytes(path: &str, decodes: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut pieces = path.split('%');
    let mut out = Vec::with_capacity(path.len());
    out.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
    for piece in pieces {
        match escaped(piece).filter(|byte| decodes(*byte)) {
            Some(byte) => {
                out.push(byte);
                out.extend_from_slice(&piece.as_bytes()[2..]);
            }
            None => {
                out.push(b'%');
                out.extend_from_slice(piece.as_bytes());
            }
        }
    }
    out
}

/// The byte that the first two characters of `digits` escape.
pub(super) fn escaped(digits: &str) -> Option<u8> {
    let digit = |at| char::from(*digits.as_bytes().get(at)?).to_digit(16);
    u8::try_from(digit(0)? << 4 | digit(1)?).ok()
}
