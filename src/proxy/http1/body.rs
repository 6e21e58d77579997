//! An HTTP/1 body as it is read from its connection.

use std::future::pending;
use std::io::ErrorKind;
use std::ops::Range;

use bytes::Buf;

use crate::proxy::connection::Reader;
use crate::proxy::part::{BodyFault, Leave, Part, Piece as Content, Trailers};
use crate::wire::body::{BodyError, BodyReader, Piece, trailer_fields};
use crate::wire::head::Framing;

/// Bytes of later requests that are kept while an answer is on its way; beyond them the client waits.
const AHEAD_BYTES_MAX: usize = 64 << 10;

/// A body and the connection it comes by.
pub(in crate::proxy) struct Http1Body<'c> {
    /// The connection.
    pub(in crate::proxy) reader: &'c mut Reader,
    body: BodyReader,
    /// The most content.
    bytes_max: u64,
    /// Content so far.
    came: u64,
    found: Found,
    /// What the last part took from the front of the buffer.
    taken: usize,
}

/// What the buffer's front holds.
enum Found {
    Data(Range<usize>),
    End(Trailers),
    Nothing,
}

impl<'c> Http1Body<'c> {
    pub(in crate::proxy) fn new(reader: &'c mut Reader, framing: Framing) -> Self {
        Self {
            reader,
            body: BodyReader::new(framing),
            bytes_max: u64::MAX,
            came: 0,
            found: Found::Nothing,
            taken: 0,
        }
    }

    /// Sets the most content that it may have, and may say that it has.
    pub(in crate::proxy) fn limit(&mut self, bytes_max: u64) {
        self.bytes_max = bytes_max;
    }

    /// Whether nothing is left to read.
    pub(in crate::proxy) fn is_over(&self) -> bool {
        self.body.is_over()
    }

    /// Looks for the next part in the buffer; whether it is there.
    pub(in crate::proxy) fn find(&mut self) -> Result<bool, BodyFault> {
        self.drop_taken();
        let piece = self.body.read(&self.reader.buffer);
        let piece = piece.map_err(|BodyError(what)| BodyFault::Malformed(what))?;
        if let Piece::Data { content, .. } = &piece {
            self.came += content.len() as u64;
        }
        // A chunk says its size first: one that is too large is not waited for.
        if self.came.saturating_add(self.body.announced()) > self.bytes_max {
            return Err(BodyFault::TooLarge);
        }
        self.found = match piece {
            Piece::Data { content, consumed } => {
                self.taken = consumed;
                Found::Data(content)
            }
            Piece::End { consumed, trailers } => {
                let trailers = own(&self.reader.buffer[trailers])?;
                self.reader.buffer.advance(consumed);
                Found::End(trailers)
            }
            Piece::More { consumed } => {
                self.reader.buffer.advance(consumed);
                match self.reader.has_ended() {
                    false => return Ok(false),
                    true if self.body.may_end_here() => Found::End(Trailers::new()),
                    true => return Err(BodyFault::Cut),
                }
            }
        };
        Ok(true)
    }

    /// The part that was found.
    pub(in crate::proxy) fn part(&mut self) -> Part<'_> {
        match std::mem::replace(&mut self.found, Found::Nothing) {
            Found::Data(content) => Part::Data(Content::Lent(&self.reader.buffer[content])),
            Found::End(trailers) => Part::End(trailers),
            Found::Nothing => Part::Data(Content::Lent(&[])),
        }
    }

    /// Waits for bytes; 0 once the sender has ended. Cancel-safe.
    pub(in crate::proxy) async fn wait(&mut self) -> Result<usize, BodyFault> {
        self.drop_taken();
        self.reader.fill().await.map_err(|_| BodyFault::Cut)
    }

    fn drop_taken(&mut self) {
        self.reader.buffer.advance(std::mem::take(&mut self.taken));
    }

    /// Waits until the connection breaks, or the client has sent all it had. What it sends ahead is kept, up to a bound.
    pub(in crate::proxy) async fn left(&mut self) -> Leave {
        self.drop_taken();
        while self.reader.buffer.len() < AHEAD_BYTES_MAX {
            match self.reader.fill().await {
                Ok(0) => return Leave::Hushed,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Leave::Hushed,
                Err(_) => return Leave::Broken,
            }
        }
        pending().await
    }
}

fn own(section: &[u8]) -> Result<Trailers, BodyFault> {
    let fields = trailer_fields(section).map_err(|BodyError(what)| BodyFault::Malformed(what))?;
    Ok(fields
        .iter()
        .map(|field| (field.name.into(), field.value.into()))
        .collect())
}
