//! Bodies: bytes in, pieces out (RFC 9112 §7). Holds a position, never bytes.

use std::ops::Range;

use super::head::Framing;

/// Where in a body its reader is.
#[derive(Debug, Clone)]
pub struct BodyReader {
    _framing: Framing,
}

/// What the reader found at the beginning of its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Content: this part of the input. `consumed` bytes are done with.
    Data {
        /// Where the content is.
        content: Range<usize>,
        /// What to drop from the input, framing included.
        consumed: usize,
    },
    /// More input is needed; `consumed` bytes of framing are done with.
    More {
        /// What to drop from the input.
        consumed: usize,
    },
    /// The body is over; the input goes on with the next message.
    End {
        /// What to drop from the input, trailers included.
        consumed: usize,
        /// The trailer section, raw field lines without the empty line, checked; empty for none.
        trailers: Range<usize>,
    },
}

/// Why bytes are no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyError(pub &'static str);

impl BodyReader {
    /// A reader at the beginning of a body.
    pub fn new(framing: Framing) -> Self {
        Self { _framing: framing }
    }

    /// Reads on. Call again until `More` or `End`.
    ///
    /// # Errors
    /// Framing that is not exactly RFC 9112 §7.1: bad sizes, bare LF, chunk extensions over a limit.
    pub fn read(&mut self, _input: &[u8]) -> Result<Piece, BodyError> {
        unimplemented!()
    }

    /// Whether the end of the connection here is the end of the body, or a body cut short.
    pub fn may_end_here(&self) -> bool {
        unimplemented!()
    }
}
