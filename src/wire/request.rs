//! A request head as every plane hands it to the gate: borrowed, undecoded, nothing trusted yet.

/// The protocol that a request came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0 (RFC 1945).
    Http10,
    /// HTTP/1.1 (RFC 9112).
    Http11,
    /// HTTP/2 (RFC 9113).
    Http2,
}

/// Whether the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Clear text.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// As in a URI.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// Reads the scheme of a URI, which has no case (RFC 3986 §3.1); `None` for one that is none of HTTP's.
    pub fn parse(text: &str) -> Option<Self> {
        let mut schemes = [Self::Http, Self::Https].into_iter();
        schemes.find(|scheme| scheme.as_str().eq_ignore_ascii_case(text))
    }
}

/// One header field as it came: the name in the client's spelling, the value without surrounding white space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// A token (RFC 9110 §5.1), any case.
    pub name: &'a str,
    /// Bytes without CR, LF and NUL (RFC 9110 §5.5).
    pub value: &'a [u8],
}

/// The head of one request.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The protocol it came by.
    pub version: Version,
    /// Of the connection it came by.
    pub scheme: Scheme,
    /// The method on the wire; no override header counts.
    pub method: &'a str,
    /// The request target as it came (RFC 9112 §3.2); for HTTP/2 the `:path`.
    pub target: &'a str,
    /// `:authority` of HTTP/2; for HTTP/1 the authority is in `Host`.
    pub authority: Option<&'a str>,
    /// The fields in their order, without pseudo fields.
    pub fields: &'a [Field<'a>],
}

impl<'a> RequestHead<'a> {
    /// The values of every field called `name`, in order, compared without case.
    pub fn values(&self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.fields
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
            .map(|field| field.value)
    }
}
