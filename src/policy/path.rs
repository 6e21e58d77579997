//! The one canonical path: what is judged is what is forwarded (RFC 3986 §6.2.2).

/// A host, lower-case, without port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host(Box<str>);

impl Host {
    /// Reads `host[:port]` (RFC 3986 §3.2.2): a name, an IPv4 or a bracketed IPv6 address.
    ///
    /// # Errors
    /// [`PathError::Ambiguous`] for user info, an empty host, a bad port or any character that no host has.
    pub fn parse(_authority: &str) -> Result<Self, PathError> {
        unimplemented!()
    }

    /// The host.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

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
    path: String,
    query: Option<String>,
}

impl RequestPath {
    /// Reads the origin-form `path[?query]` (RFC 9112 §3.2.1), or `*`.
    ///
    /// # Errors
    /// See [`PathError`].
    pub fn parse(_target: &str) -> Result<Self, PathError> {
        unimplemented!()
    }

    /// The canonical path: begins with `/`. These bytes are matched and these bytes are forwarded.
    pub fn as_str(&self) -> &str {
        &self.path
    }

    /// Path and query as a request target.
    pub fn to_target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The query as it came, without `?`.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The canonical path with its remaining escapes decoded once: how an upstream that decodes would read it.
    /// Escaped slashes were refused, so the segments are the same.
    pub fn decoded(&self) -> std::borrow::Cow<'_, str> {
        unimplemented!()
    }

    /// The path without `prefix`, canonicalised again.
    ///
    /// # Errors
    /// [`PathError::Ambiguous`] when what is left could be read in another way than the whole.
    pub fn without_prefix(&self, _prefix: &str) -> Result<Self, PathError> {
        unimplemented!()
    }
}
