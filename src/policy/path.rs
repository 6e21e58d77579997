//! The one canonical path: what is judged is what is forwarded (RFC 3986 §6.2.2). Escapes of characters that mean the
//! same without are decoded, once; whatever two parsers could read as two paths is refused.

use std::borrow::Cow;

/// Why a target is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathError {
    /// Not a request target at all.
    Malformed(&'static str),
    /// It could be read in two ways.
    Ambiguous(&'static str),
}

/// A path with exactly one meaning, and the query that nobody looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPath {
    /// Path and query as they go to the upstream.
    target: String,
    /// Where the path ends and, unless the target does, `?` stands.
    path_end: usize,
}

/// Bytes of a path, as it came.
const PATH_BYTES_MAX: usize = 8 << 10;
/// Segments of a path: what a router descends.
const SEGMENTS_MAX: usize = 256;

impl RequestPath {
    /// Reads the origin-form `path[?query]` (RFC 9112 §3.2.1), or `*`.
    ///
    /// # Errors
    /// [`PathError::Malformed`] for a path over 8 KiB or 256 segments. [`PathError::Ambiguous`] for one that does not
    /// begin with `/`, has an empty or a dot segment, an escaped slash, backslash or control character, a broken
    /// escape, escapes that are not UTF-8, a fragment, or a character that no URI has.
    pub fn parse(target: &str) -> Result<Self, PathError> {
        if target == "*" {
            return Ok(Self {
                target: target.to_owned(),
                path_end: 1,
            });
        }
        let path_end = target.find('?').unwrap_or(target.len());
        let (path, query) = target.split_at(path_end);
        check_characters(path, query)?;
        let mut canonical = String::with_capacity(target.len());
        decode_unreserved(path, &mut canonical)?;
        check_segments(&canonical)?;
        let path_end = canonical.len();
        canonical.push_str(query);
        Ok(Self {
            target: canonical,
            path_end,
        })
    }

    /// The canonical path: begins with `/`. These bytes are matched and these bytes are forwarded.
    pub fn as_str(&self) -> &str {
        &self.target[..self.path_end]
    }

    /// Path and query as a request target.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// As [`target`](Self::target), owned.
    pub fn to_target(&self) -> String {
        self.target.clone()
    }

    /// The query as it came, without `?`.
    pub fn query(&self) -> Option<&str> {
        self.target.get(self.path_end + 1..)
    }

    /// The canonical path with its remaining escapes decoded once: how an upstream that decodes would read it.
    /// Escaped slashes were refused, so the segments are the same.
    pub fn decoded(&self) -> Cow<'_, str> {
        decode(self.as_str())
    }

    /// The path as every other kind of server reads it: with its escapes decoded, without its `;` parameters, and with
    /// both, in either order. None where the path has neither, as most have.
    pub fn other_readings(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let path = self.as_str();
        let escaped = path.contains('%');
        let parameters = path.contains(';') || (escaped && self.decoded().contains(';'));
        let decoded = escaped.then(|| decode(path));
        let stripped = parameters.then(|| Cow::Owned(without_parameters(path)));
        let both = (escaped && parameters).then(|| {
            let strips_first = decode(&without_parameters(path)).into_owned();
            [without_parameters(&decode(path)), strips_first].map(Cow::Owned)
        });
        decoded
            .into_iter()
            .chain(stripped)
            .chain(both.into_iter().flatten())
    }

    /// The path as a pattern spells it: what cannot stand in a path without an escape is decoded, all else is as it came.
    pub(super) fn spelled(&self) -> Cow<'_, str> {
        decode_where(self.as_str(), |byte| !stands_in_path(byte))
    }

    /// The path without `prefix`, canonicalised again.
    ///
    /// # Errors
    /// [`PathError::Ambiguous`] when what is left could be read in another way than the whole.
    pub fn without_prefix(&self, prefix: &str) -> Result<Self, PathError> {
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let path = self.as_str();
        let mut borders = path.match_indices('/').map(|(at, _)| at);
        let border = borders
            .nth(prefix.matches('/').count())
            .unwrap_or(path.len());
        if decode(&path[..border]) != prefix {
            return Err(PathError::Ambiguous("the prefix to strip is not there"));
        }
        let root = if border == path.len() { "/" } else { "" };
        let left = [root, &self.target[border..]].concat();
        let again = Self::parse(&left)?;
        if again.target == left {
            Ok(again)
        } else {
            Err(PathError::Ambiguous(
                "without its prefix the path is another",
            ))
        }
    }
}

/// Only what a URI has may stand raw in a path (RFC 3986 §3.3); brackets pass, as browsers leave them as they are. The
/// query is data, but nothing may stand in it that ends a line, a target or the query.
fn check_characters(path: &str, query: &str) -> Result<(), PathError> {
    if !path.starts_with('/') {
        return Err(PathError::Ambiguous("the target is no path"));
    }
    if path.len() > PATH_BYTES_MAX {
        return Err(PathError::Malformed("a path over 8 KiB"));
    }
    if !path.bytes().all(stands_in_path) {
        return Err(PathError::Ambiguous("a character that no path has"));
    }
    if !query
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'#')
    {
        return Err(PathError::Ambiguous("a character that no query has"));
    }
    Ok(())
}

fn stands_in_path(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\\#\"<>^`{|}".contains(&byte)
}

/// Appends `path` with the escapes of unreserved characters decoded (RFC 3986 §2.3), all others as they came.
fn decode_unreserved(path: &str, out: &mut String) -> Result<(), PathError> {
    let mut pieces = path.split('%');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let byte = escaped(piece).ok_or(PathError::Ambiguous("`%` without two digits"))?;
        match byte {
            b'/' | b'\\' => return Err(PathError::Ambiguous("an escaped slash")),
            byte if byte.is_ascii_control() => {
                return Err(PathError::Ambiguous("an escaped control character"));
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
                out.push_str(&piece[2..]);
            }
            _ => {
                out.push('%');
                out.push_str(piece);
            }
        }
    }
    if out.contains('%') && String::from_utf8(decode_bytes(out, |_| true)).is_err() {
        return Err(PathError::Ambiguous("escapes that are not UTF-8"));
    }
    Ok(())
}

/// Refuses what one server keeps and another resolves: empty segments, dot segments, and either before parameters.
fn check_segments(path: &str) -> Result<(), PathError> {
    let mut segments = path[1..].split('/').peekable();
    let mut count = 0;
    while let Some(segment) = segments.next() {
        count += 1;
        let stem = &segment[..parameters_of(segment).unwrap_or(segment.len())];
        if stem == "." || stem == ".." {
            return Err(PathError::Ambiguous("a dot segment"));
        }
        if stem.is_empty() && segments.peek().is_some() {
            return Err(PathError::Ambiguous("an empty segment"));
        }
    }
    if count > SEGMENTS_MAX {
        return Err(PathError::Malformed("a path over 256 segments"));
    }
    Ok(())
}

/// Where in a segment its parameters begin: at the first `;`, raw or escaped.
fn parameters_of(segment: &str) -> Option<usize> {
    let mut ends = segment.bytes().enumerate();
    ends.find(|(at, byte)| {
        *byte == b';' || (*byte == b'%' && escaped(&segment[at + 1..]) == Some(b';'))
    })
    .map(|(at, _)| at)
}

/// The path as servers read it that take `;` and what follows off every segment.
fn without_parameters(path: &str) -> String {
    let stems = path
        .split('/')
        .map(|segment| segment.split(';').next().unwrap_or_default());
    stems.collect::<Vec<_>>().join("/")
}

/// Every escape of a parsed path decoded, once.
fn decode(path: &str) -> Cow<'_, str> {
    decode_where(path, |_| true)
}

fn decode_where(path: &str, decodes: impl Fn(u8) -> bool) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let decoded = String::from_utf8(decode_bytes(path, decodes));
    Cow::Owned(decoded.expect("the escapes of a parsed path are UTF-8"))
}

/// The escapes of which `decodes` says so are decoded, once.
fn decode_bytes(path: &str, decodes: impl Fn(u8) -> bool) -> Vec<u8> {
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
fn escaped(digits: &str) -> Option<u8> {
    let digit = |at| char::from(*digits.as_bytes().get(at)?).to_digit(16);
    u8::try_from(digit(0)? << 4 | digit(1)?).ok()
}
