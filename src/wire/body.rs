//! Bodies: bytes in, pieces out (RFC 9112 §7). Holds a position, never bytes.

use std::ops::Range;

use super::chunk::{ChunkHead, ChunkStep};
use super::head::{Fields, Framing, HeadError, HeadScanner, own};

pub use super::chunk::BodyError;

/// Where in a body its reader is.
#[derive(Debug, Clone)]
pub struct BodyReader {
    state: State,
    /// Bytes of chunk extensions so far.
    extensions: usize,
}

#[derive(Debug, Clone)]
enum State {
    /// So many bytes of content are left; at 0 the body is over.
    Length(u64),
    /// Whatever comes is content.
    UntilClose,
    /// In the line before a chunk.
    ChunkHead(ChunkHead),
    /// So many bytes of the chunk are left.
    ChunkData(u64),
    /// In the CRLF behind a chunk, so many of its bytes seen.
    ChunkEnd(usize),
    /// In the trailer section, which stands at the beginning of the input.
    Trailers(HeadScanner),
    /// Framing was broken: nothing that follows means anything.
    Broken(BodyError),
}

/// What the reader found at the beginning of its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Content: this part of the input. `consumed` bytes are done with.
    Data {
        /// Where the content is; never empty.
        content: Range<usize>,
        /// What to drop from the input, framing included.
        consumed: usize,
    },
    /// More input is needed; `consumed` bytes of framing are done with. What is left must stand at the beginning of
    /// the next input: a trailer section comes in one piece, of [`TRAILER_BYTES_MAX`] at most.
    More {
        /// What to drop from the input.
        consumed: usize,
    },
    /// The body is over; the input goes on with the next message.
    End {
        /// What to drop from the input, trailers included.
        consumed: usize,
        /// The trailer section with the empty line that ends it, checked, for [`trailer_fields`]; empty for none.
        trailers: Range<usize>,
    },
}

/// Bytes of a trailer section, from its first field to its empty line.
pub const TRAILER_BYTES_MAX: usize = 16 << 10;
/// Fields of a trailer section.
pub const TRAILER_FIELDS_MAX: usize = 64;
/// Bytes of chunk extensions in one body: they mean nothing here, and must not be a way to send without end.
pub const EXTENSION_BYTES_MAX: usize = 16 << 10;

impl BodyReader {
    /// A reader at the beginning of a body.
    pub fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::Empty => State::Length(0),
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::ChunkHead(ChunkHead::default()),
            Framing::UntilClose => State::UntilClose,
        };
        Self {
            state,
            extensions: 0,
        }
    }

    /// Reads on. Call again until `More` or `End`; after `End` it stays the end.
    ///
    /// # Errors
    /// Framing that is not exactly RFC 9112 §7.1: bad sizes, bare LF, chunk extensions over a limit. It stays broken.
    pub fn read(&mut self, input: &[u8]) -> Result<Piece, BodyError> {
        self.advance(input).inspect_err(|error| {
            self.state = State::Broken(*error);
        })
    }

    /// Whether the end of the connection here is the end of the body, or a body cut short.
    pub fn may_end_here(&self) -> bool {
        matches!(self.state, State::Length(0) | State::UntilClose)
    }

    /// Whether the body is over: no input is needed to know.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Length(0))
    }

    /// Content that is said to follow and has not been read: the rest of the length, or of the chunk.
    pub fn announced(&self) -> u64 {
        match self.state {
            State::Length(left) | State::ChunkData(left) => left,
            _ => 0,
        }
    }

    fn advance(&mut self, input: &[u8]) -> Result<Piece, BodyError> {
        let mut at = 0;
        loop {
            let rest = &input[at..];
            match &mut self.state {
                State::Broken(error) => return Err(*error),
                State::Length(0) => {
                    return Ok(Piece::End {
                        consumed: at,
                        trailers: at..at,
                    });
                }
                State::ChunkData(0) => self.state = State::ChunkEnd(0),
                State::Trailers(_) => return self.read_trailers(rest, at),
                _ if rest.is_empty() => return Ok(Piece::More { consumed: at }),
                State::UntilClose => return Ok(data(at, rest.len())),
                State::Length(left) | State::ChunkData(left) => {
                    let length = shorter(*left, rest.len());
                    *left -= length as u64;
                    return Ok(data(at, length));
                }
                State::ChunkEnd(seen) => {
                    at += 1;
                    if rest[0] != b"\r\n"[*seen] {
                        return Err(BodyError("no CRLF behind a chunk"));
                    }
                    self.state = match seen {
                        0 => State::ChunkEnd(1),
                        _ => State::ChunkHead(ChunkHead::default()),
                    };
                }
                State::ChunkHead(head) => {
                    at += 1;
                    match head.step(rest[0])? {
                        ChunkStep::More => {}
                        ChunkStep::Extension => self.extensions += 1,
                        ChunkStep::Size(0) => self.state = State::Trailers(HeadScanner::trailers()),
                        ChunkStep::Size(size) => self.state = State::ChunkData(size),
                    }
                    if self.extensions > EXTENSION_BYTES_MAX {
                        return Err(BodyError("too many chunk extensions"));
                    }
                }
            }
        }
    }

    /// Reads the trailer section that begins `rest`, which is the input from `at` on.
    fn read_trailers(&mut self, rest: &[u8], at: usize) -> Result<Piece, BodyError> {
        let State::Trailers(scanner) = &mut self.state else {
            return Err(BodyError("no trailer section here"));
        };
        let end = match scanner.find(rest, TRAILER_BYTES_MAX) {
            Ok(Some(end)) => end,
            Ok(None) => return Ok(Piece::More { consumed: at }),
            Err(HeadError::TooLarge) => return Err(BodyError("trailers over their limit")),
            Err(HeadError::Malformed(what) | HeadError::Ambiguous(what)) => {
                return Err(BodyError(what));
            }
        };
        trailer_fields(&rest[..end])?;
        self.state = State::Length(0);
        let is_bare = end == b"\r\n".len();
        let trailers = if is_bare { at..at } else { at..at + end };
        Ok(Piece::End {
            consumed: at + end,
            trailers,
        })
    }
}

/// Reads the fields of a trailer section, as [`Piece::End`] names it. Which of them may go on says
/// [`may_be_trailer`](super::fields::may_be_trailer).
///
/// # Errors
/// Lines that are no fields (RFC 9112 §5), or more than [`TRAILER_FIELDS_MAX`].
pub fn trailer_fields(section: &[u8]) -> Result<Fields<'_>, BodyError> {
    if section.is_empty() {
        return Ok(Fields::new());
    }
    let mut room = [httparse::EMPTY_HEADER; TRAILER_FIELDS_MAX];
    match httparse::parse_headers(section, &mut room) {
        Ok(httparse::Status::Complete((length, headers))) if length == section.len() => {
            Ok(own(headers))
        }
        Err(httparse::Error::TooManyHeaders) => Err(BodyError("too many trailers")),
        _ => Err(BodyError("a trailer section that is no list of fields")),
    }
}

fn data(at: usize, length: usize) -> Piece {
    Piece::Data {
        content: at..at + length,
        consumed: at + length,
    }
}

fn shorter(left: u64, came: usize) -> usize {
    usize::try_from(left).map_or(came, |left| left.min(came))
}
