//! What a body comes in: pieces of content, and its end; or why it does not go on.

use std::ops::Deref;

use bytes::Bytes;

/// The fields behind a body. Nearly always none.
pub(super) type Trailers = Vec<(Box<str>, Box<[u8]>)>;

/// The next of a body.
pub(super) enum Part<'b> {
    /// Content, never empty.
    Data(Piece<'b>),
    /// It is over.
    End(Trailers),
}

/// A piece of content.
pub(super) enum Piece<'b> {
    /// It stands in the source's buffer.
    Lent(&'b [u8]),
    /// It is its own: the source can go on taking what comes.
    Shared(Bytes),
}

impl Deref for Piece<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Lent(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

/// Why a body does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyFault {
    /// Its sender is gone before its end.
    Cut,
    /// Its framing is broken.
    Malformed(&'static str),
    /// It pauses too long or comes too slowly.
    Slow,
    /// It is over its limit.
    TooLarge,
}

/// How a client that has sent a request whole may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// Its connection broke.
    Broken,
    /// It sends nothing more; it may be listening still.
    Hushed,
}
