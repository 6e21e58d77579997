//! Finds the end of a head while it arrives. Remembers how far it has looked, so that a head sent byte by byte costs no
//! more than one sent whole, and refuses early what no head has. Knows lines, not fields.

use memchr::memchr3;

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

/// Where in a head its finder is. One for each head; it holds positions, never bytes.
#[derive(Debug, Clone)]
pub struct HeadScanner {
    message: Message,
    /// Where the first line begins: behind the one empty line that may precede a request (RFC 9112 §2.2).
    start: usize,
    /// Where the present line begins.
    line: usize,
    /// Up to here everything was looked at.
    searched: usize,
}

/// What stands where a head is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Request,
    Response,
    Trailers,
}

impl HeadScanner {
    /// At the beginning of a request head.
    pub fn request() -> Self {
        Self::new(Message::Request)
    }

    /// At the beginning of an answer head.
    pub fn response() -> Self {
        Self::new(Message::Response)
    }

    /// At the beginning of a trailer section: lines up to an empty one, which may be the first.
    pub(super) fn trailers() -> Self {
        Self::new(Message::Trailers)
    }

    fn new(message: Message) -> Self {
        Self {
            message,
            start: 0,
            line: 0,
            searched: 0,
        }
    }

    /// Looks for the end of the head that begins `bytes`: its length with the empty line, or `None` when more is
    /// needed. `bytes` is all that came so far; from call to call it only grows.
    ///
    /// # Errors
    /// [`HeadError::Malformed`] at the first CR or LF that is not half of a CRLF, NUL, or beginning that no head has;
    /// [`HeadError::TooLarge`] once `bytes_max` bytes came without the end.
    pub fn find(&mut self, bytes: &[u8], bytes_max: usize) -> Result<Option<usize>, HeadError> {
        let window = &bytes[..bytes.len().min(bytes_max)];
        self.check_beginning(window)?;
        while let Some(found) = memchr3(b'\r', b'\n', 0, &window[self.searched..]) {
            let at = self.searched + found;
            match window[at..] {
                [b'\r', b'\n', ..] => {}
                [b'\r'] => {
                    self.searched = at;
                    return self.more(window.len(), bytes_max);
                }
                [b'\r', ..] => return Err(HeadError::Malformed("CR without LF")),
                [b'\n', ..] => return Err(HeadError::Malformed("LF without CR")),
                _ => return Err(HeadError::Malformed("NUL in the head")),
            }
            self.searched = at + 2;
            let line = std::mem::replace(&mut self.line, at + 2);
            if line == at {
                if self.ends_at(at)? {
                    return Ok(Some(at + 2));
                }
                self.check_beginning(window)?;
            }
        }
        self.searched = window.len();
        self.more(window.len(), bytes_max)
    }

    /// Whether the empty line at `at` ends the head; one may stand before a request.
    fn ends_at(&mut self, at: usize) -> Result<bool, HeadError> {
        match self.message {
            Message::Trailers => Ok(true),
            _ if at > self.start => Ok(true),
            Message::Request if at == 0 => {
                self.start = 2;
                Ok(false)
            }
            _ => Err(HeadError::Malformed("an empty line instead of a head")),
        }
    }

    /// Refuses what speaks another protocol without waiting for the end of a line.
    fn check_beginning(&self, window: &[u8]) -> Result<(), HeadError> {
        let Some(first) = window.get(self.start).copied() else {
            return Ok(());
        };
        let sound = match self.message {
            Message::Request => first == b'\r' || is_token_byte(first),
            Message::Response => first == b'H',
            Message::Trailers => first == b'\r' || is_token_byte(first),
        };
        if sound {
            Ok(())
        } else {
            Err(HeadError::Malformed("no head begins like this"))
        }
    }

    fn more(&self, came: usize, bytes_max: usize) -> Result<Option<usize>, HeadError> {
        if came < bytes_max {
            Ok(None)
        } else {
            Err(HeadError::TooLarge)
        }
    }
}

/// Whether a byte may stand in a token (RFC 9110 §5.6.2).
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
