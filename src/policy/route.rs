//! One route: what it matches, what it demands, and how its requests are handled once they may pass.

use std::sync::Arc;
use std::time::Duration;

use super::requirement::Requirement;

/// A rule of the operator: these requests, this requirement, that upstream.
#[derive(Debug, Clone)]
pub struct Route {
    /// The name in the configuration: the metric label.
    pub name: Arc<str>,
    /// Which hosts; empty means any.
    pub hosts: Vec<HostPattern>,
    /// Which path.
    pub path: PathPattern,
    /// Which methods.
    pub methods: Methods,
    /// What the caller must hold.
    pub requirement: Requirement,
    /// Scopes that the token must carry, all of them.
    pub scopes: Vec<Box<str>>,
    /// The path parameter that must equal the token's tenant.
    pub tenant: Option<Box<str>>,
    /// Names of the issuers whose tokens count here; `None` means all.
    pub issuers: Option<Vec<Arc<str>>>,
    /// Whether a refusal is enforced.
    pub mode: Mode,
    /// Name of the upstream.
    pub upstream: Arc<str>,
    /// What happens to a request that may pass.
    pub handling: Handling,
}

impl Route {
    /// The tenant that the canonical `path`, which the route matches, names. None where a `;` ends the segment to some
    /// servers: they would see another tenant than the one that is compared here.
    pub fn tenant_of<'p>(&self, path: &'p str) -> Option<&'p str> {
        let parameter = self.tenant.as_ref()?;
        let named = self.path.parameter(parameter, path);
        named.filter(|tenant| !tenant.contains(';'))
    }
}

/// What happens on a route to a request that may pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handling {
    /// Path prefix taken away before the upstream sees the path.
    pub strip_prefix: Option<Box<str>>,
    /// Whether `Authorization` goes on to the upstream.
    pub forward_token: bool,
    /// Whether `Upgrade` is refused.
    pub refuse_upgrade: bool,
    /// Whether a browser may send its token in `Sec-WebSocket-Protocol`.
    pub websocket_token: bool,
    /// Whether a stream may outlive its token. A revocation ends it all the same.
    pub outlive: bool,
    /// Name of the CORS policy.
    pub cors: Option<Arc<str>>,
    /// Instead of the upstream's `response_timeout`.
    pub response_timeout: Option<Duration>,
    /// Instead of the listener's `body_bytes_max`.
    pub body_bytes_max: Option<u64>,
}

/// Whether a route's refusals are enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Refusals refuse.
    #[default]
    Enforce,
    /// Refusals for token or policy are counted and let pass, without any identity.
    Shadow,
}

/// Which hosts a route answers for. Lower-case, without port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// This host alone.
    Exact(Box<str>),
    /// One or more labels before this suffix; the suffix is kept without its `*.`.
    Wildcard(Box<str>),
}

/// Which methods a route answers for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Methods {
    /// Every method.
    Any,
    /// These alone, exact and case-sensitive (RFC 9110 §9.1). Never empty.
    Named(Vec<Box<str>>),
}

/// Which path a route answers for: `/x` exactly, `/x/*` for `/x` and all below it, `{name}` for one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    text: Box<str>,
    segments: Vec<Segment>,
    below: bool,
}

/// One segment of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// These bytes.
    Literal(Box<str>),
    /// Any one segment, not empty, remembered under this name.
    Parameter(Box<str>),
}

impl PathPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A text that says what is wrong, for the diagnostic.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err("a path begins with `/`".into());
        };
        let (rest, below) = match rest.strip_suffix('*') {
            Some("") => ("", true),
            Some(head) if head.ends_with('/') => (&head[..head.len() - 1], true),
            Some(_) => return Err("`*` stands for whole segments: write `/x/*`".into()),
            None => (rest, false),
        };
        let segments = if rest.is_empty() && (below || text == "/") {
            Vec::new()
        } else {
            let (folder, rest) = match rest.strip_suffix('/') {
                Some(rest) if !below => (Some(Segment::Literal("".into())), rest),
                _ => (None, rest),
            };
            rest.split('/')
                .map(Segment::parse)
                .chain(folder.map(Ok))
                .collect::<Result<Vec<_>, _>>()?
        };
        let parameters: Vec<_> = segments.iter().filter_map(Segment::parameter).collect();
        if let Some(twice) = parameters
            .iter()
            .enumerate()
            .find(|(at, name)| parameters[..*at].contains(name))
        {
            return Err(format!("the parameter `{{{}}}` stands twice", twice.1));
        }
        Ok(Self {
            text: text.into(),
            segments,
            below,
        })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the path has a parameter of this name.
    pub fn has_parameter(&self, name: &str) -> bool {
        self.segments
            .iter()
            .any(|segment| segment.parameter() == Some(name))
    }

    /// How specific it is beside other patterns of the same path: which segments are literal, read from the left, and
    /// whether it ends there. The greatest wins.
    pub fn specificity(&self) -> (Vec<bool>, bool) {
        let literal = self
            .segments
            .iter()
            .map(|segment| segment.parameter().is_none());
        (literal.collect(), !self.below)
    }

    /// The value that `path` has for the parameter `name`. `path` is one that this pattern matches.
    fn parameter<'p>(&self, name: &str, path: &'p str) -> Option<&'p str> {
        let at = self
            .segments
            .iter()
            .position(|segment| segment.parameter() == Some(name))?;
        path.strip_prefix('/')?.split('/').nth(at)
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub(super) fn below(&self) -> bool {
        self.below
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(name) = text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            let sound = !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            return if sound {
                Ok(Self::Parameter(name.into()))
            } else {
                Err(format!("`{text}` is no parameter name"))
            };
        }
        match text {
            "" => Err("a path has no empty segment".into()),
            "." | ".." => Err("a path has no dot segment".into()),
            _ if text.contains(['{', '}', '*']) => Err(format!(
                "`{text}`: a parameter is a whole segment, `{{name}}`"
            )),
            _ if text.contains('%') => Err(format!(
                "`{text}`: write the character itself, not its escape"
            )),
            _ if text.trim() != text => {
                Err(format!("`{text}`: a segment has no space at its edge"))
            }
            _ if !text.chars().all(stands_in_pattern) => Err(format!(
                "`{text}` has a character that no canonical path has"
            )),
            _ => Ok(Self::Literal(text.into())),
        }
    }

    fn parameter(&self) -> Option<&str> {
        match self {
            Self::Literal(_) => None,
            Self::Parameter(name) => Some(name),
        }
    }
}

/// Whether a pattern may have it: what a URI has to escape, a space among them, is written as it is.
fn stands_in_pattern(c: char) -> bool {
    c == ' ' || !(c.is_control() || c.is_whitespace() || "?#\\;".contains(c))
}
