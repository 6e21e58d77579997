//! The one canonical path: what is judged is what is forwarded (RFC 3986 §6.2.2). Escapes of characters that mean the
//! same without are decoded, once; whatever two parsers could read as two paths is refused.

use std::borrow::Cow;

use super::escapes::{decode, decode_bytes, decode_where, escaped};

/// Why a target is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathError {
    /// Longer than any that is judged.
    TooLong(&'static str),
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
    /// [`PathError::TooLong`] for a path over 8 KiB or 256 segments. [`PathError::Ambiguous`] for one that does not
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
        check_query(query)?;
        if is_plain(path) {
            return Ok(Self {
                target: target.to_owned(),
                path_end,
            });
        }
        check_characters(path)?;
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

    /// Whether the query has a parameter of this name, however its letters are escaped.
    pub fn has_parameter(&self, name: &str) -> bool {
        let is_it = |pair: &str| {
            let held = pair.split('=').next().unwrap_or_default();
            held == name || (held.contains('%') && decode_bytes(held, |_| true) == name.as_bytes())
        };
        self.query()
            .is_some_and(|query| query.split('&').any(is_it))
    }

    /// The canonical path with its remaining escapes decoded once: how an upstream that decodes would read it.
    /// Escaped slashes were refused, so the segments are the same.
    pub fn decoded(&self) -> Cow<'_, str> {
        decode(self.as_str())
    }

    /// The path as every other kind of server reads it: with its escapes decoded, without its `;` parameters (else spelled as
    /// a pattern is), and with both, in either order. None where the path has neither, as most have.
    pub fn other_readings(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let path = self.as_str();
        let escaped = path.contains('%');
        let parameters = path.contains(';') || (escaped && self.decoded().contains(';'));
        let decoded = escaped.then(|| decode(path));
        let stripped = parameters.then(|| Cow::Owned(without_parameters(&self.spelled())));
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

/// The query is data, but nothing may stand in it that ends a line, a target or the query.
fn check_query(query: &str) -> Result<(), PathError> {
    if query
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'#')
    {
        Ok(())
    } else {
        Err(PathError::Ambiguous("a character that no query has"))
    }
}

/// Whether a path has nothing to judge: short, no escape, no parameter, no mark out of the ordinary, no segment that is
/// empty or begins with a dot. Most are, and one look is enough for them.
fn is_plain(path: &str) -> bool {
    let mut before = 0;
    let mut is_ordinary = |byte: u8| {
        let in_place = before != b'/' || (byte != b'/' && byte != b'.');
        before = byte;
        in_place
            && (byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~'))
    };
    path.starts_with('/') && path.len() <= SEGMENTS_MAX && path.bytes().all(&mut is_ordinary)
}

/// Only what a URI has may stand raw in a path (RFC 3986 §3.3); brackets pass, as browsers leave them as they are.
fn check_characters(path: &str) -> Result<(), PathError> {
    if !path.starts_with('/') {
        return Err(PathError::Ambiguous("the target is no path"));
    }
    if path.len() > PATH_BYTES_MAX {
        return Err(PathError::TooLong("a path over 8 KiB"));
    }
    if !path.bytes().all(stands_in_path) {
        return Err(PathError::Ambiguous("a character that no path has"));
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
        return Err(PathError::TooLong("a path over 256 segments"));
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
