//! HTTP/1.1 heads: bytes in, a head with exactly one framing out, or the reason why not (RFC 9112 §2–6).

use smallvec::SmallVec;

use super::request::{Field, Version};

/// How many fields a head has without a heap allocation.
pub type Fields<'b> = SmallVec<[Field<'b>; 32]>;

/// How large a head may be.
#[derive(Debug, Clone, Copy)]
pub struct HeadLimits {
    /// From its first byte to the empty line.
    pub bytes_max: usize,
    /// Fields.
    pub fields_max: usize,
}

/// Why bytes are no head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadError {
    /// Not HTTP as the RFCs have it.
    Malformed(&'static str),
    /// It could be read two ways: two lengths, length and chunks, odd codings.
    Ambiguous(&'static str),
    /// Over a limit.
    TooLarge,
}

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
    /// The protocol of a sound `Upgrade` that `Connection` names, lower-case (RFC 9110 §7.8).
    pub upgrade: Option<&'b str>,
}

/// One answer head.
#[derive(Debug)]
pub struct Http1Response<'b> {
    /// 1.0 or 1.1.
    pub version: Version,
    /// 100 to 599.
    pub status: u16,
    /// The reason phrase.
    pub reason: &'b str,
    /// All fields in their order.
    pub fields: Fields<'b>,
    /// How its body ends.
    pub framing: Framing,
    /// Whether the connection may be used again.
    pub keep_alive: bool,
}

/// Reads a request head from the beginning of `bytes`; `None` when more is needed, else the head and its length.
///
/// # Errors
/// See [`HeadError`]; the connection cannot be used again.
pub fn parse_request(
    _bytes: &[u8],
    _limits: HeadLimits,
) -> Result<Option<(Http1Request<'_>, usize)>, HeadError> {
    unimplemented!()
}

/// Reads an answer head; `to_head` says whether the request was a HEAD (RFC 9112 §6.3).
///
/// # Errors
/// See [`HeadError`].
pub fn parse_response(
    _bytes: &[u8],
    _to_head: bool,
    _limits: HeadLimits,
) -> Result<Option<(Http1Response<'_>, usize)>, HeadError> {
    unimplemented!()
}
