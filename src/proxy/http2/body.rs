//! HTTP/2 bodies: what one stream brings, what one stream takes, both under flow control (RFC 9113 §5.2).

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue};
use pingora_timeout::tokio_timeout as timeout;

use crate::proxy::connection::WriteFault;
use crate::proxy::part::{BodyFault, Part, Piece, Trailers};

/// A body as it comes by a stream. Room is given back to the sender once a piece went on.
pub(in crate::proxy) struct Http2Body {
    stream: RecvStream,
    piece: Bytes,
    /// What came while nobody took it; never more than the stream's window.
    ahead: BytesMut,
    /// What is wrong behind it.
    fault: Option<BodyFault>,
    trailers: Option<Trailers>,
    in_content: bool,
    is_fresh: bool,
}

impl Http2Body {
    pub(in crate::proxy) fn new(stream: RecvStream) -> Self {
        Self {
            stream,
            piece: Bytes::new(),
            ahead: BytesMut::new(),
            fault: None,
            trailers: None,
            in_content: true,
            is_fresh: false,
        }
    }

    /// Whether nothing is left to read.
    pub(in crate::proxy) fn is_over(&self) -> bool {
        self.stream.is_end_stream()
    }

    /// Waits for the next piece, which [`Http2Body::part`] hands out. Cancel-safe.
    pub(in crate::proxy) async fn wait(&mut self) -> Result<usize, BodyFault> {
        let room = self.piece.len();
        if room > 0 {
            self.piece = Bytes::new();
            // Fails only for a stream that is gone, which the next read tells.
            let _ = self.stream.flow_control().release_capacity(room);
        }
        if !self.ahead.is_empty() {
            self.piece = std::mem::take(&mut self.ahead).freeze();
            self.is_fresh = true;
            return Ok(self.piece.len());
        }
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if self.in_content {
            match self.stream.data().await {
                Some(Ok(piece)) => {
                    self.piece = piece;
                    self.is_fresh = !self.piece.is_empty();
                    return Ok(self.piece.len());
                }
                Some(Err(error)) => return Err(fault_of(&error)),
                None => self.in_content = false,
            }
        }
        let trailers = self.stream.trailers().await;
        let trailers = trailers.map_err(|error| fault_of(&error))?;
        self.trailers = Some(trailers.as_ref().map(own).unwrap_or_default());
        self.is_fresh = true;
        Ok(0)
    }

    /// Takes the frames that come, and gives no room for more: a receiver that pauses costs bytes, not frames, of which the
    /// library keeps few before it ends the connection and all streams on it. Cancel-safe.
    pub(in crate::proxy) async fn gather(&mut self) -> Infallible {
        while self.in_content && self.fault.is_none() {
            match self.stream.data().await {
                Some(Ok(piece)) => self.ahead.extend_from_slice(&piece),
                Some(Err(error)) => self.fault = Some(fault_of(&error)),
                None => self.in_content = false,
            }
        }
        pending().await
    }

    /// Whether the last wait found something that was not handed out.
    pub(in crate::proxy) fn has_part(&self) -> bool {
        self.is_fresh
    }

    /// What the last wait found.
    pub(in crate::proxy) fn part(&mut self) -> Part<'_> {
        self.is_fresh = false;
        match self.trailers.take() {
            Some(trailers) => Part::End(trailers),
            None => Part::Data(Piece::Shared(self.piece.clone())),
        }
    }
}

/// What the library itself finds wrong, it has answered with a reset (RFC 9113 §8.1.1).
fn fault_of(error: &h2::Error) -> BodyFault {
    if error.is_library() {
        BodyFault::Malformed("HTTP/2: the body is not the one that its head announced")
    } else {
        BodyFault::Cut
    }
}

/// A space at the edge is no part of a value (RFC 9110 §5.5), though gRPC's messages end in one at times; whoever gets it
/// may end the connection that others use too (RFC 9113 §8.2.1).
fn own(trailers: &HeaderMap) -> Trailers {
    trailers
        .iter()
        .map(|(name, value)| (name.as_str().into(), value.as_bytes().trim_ascii().into()))
        .collect()
}

/// Where a body leaves by a stream.
pub(in crate::proxy) struct Http2Outlet<'c> {
    /// The stream; `None` once it was ended with its head.
    pub(in crate::proxy) stream: Option<&'c mut SendStream<Bytes>>,
    /// How long the other end may give no room.
    pub(in crate::proxy) patience: Duration,
}

impl Http2Outlet<'_> {
    /// Sends content as the other end has room for it.
    pub(in crate::proxy) async fn data(&mut self, mut bytes: &[u8]) -> Result<(), WriteFault> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        while !bytes.is_empty() {
            stream.reserve_capacity(bytes.len());
            let room = timeout(self.patience, poll_fn(|cx| stream.poll_capacity(cx))).await;
            let room = match room {
                Ok(Some(Ok(room))) => room.min(bytes.len()),
                Ok(_) => return Err(WriteFault::Gone),
                Err(_) => return Err(WriteFault::Slow),
            };
            let (now, later) = bytes.split_at(room);
            if room > 0 {
                let piece = Bytes::copy_from_slice(now);
                stream
                    .send_data(piece, false)
                    .map_err(|_| WriteFault::Gone)?;
            }
            bytes = later;
        }
        Ok(())
    }

    /// Ends the stream.
    pub(in crate::proxy) fn finish(&mut self, trailers: &Trailers) -> Result<(), WriteFault> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        let ended = if trailers.is_empty() {
            stream.send_data(Bytes::new(), true)
        } else {
            stream.send_trailers(header_map(trailers))
        };
        ended.map_err(|_| WriteFault::Gone)
    }

    /// Waits until the other end resets the stream.
    pub(in crate::proxy) async fn refused(&mut self) {
        match &mut self.stream {
            Some(stream) => drop(poll_fn(|cx| stream.poll_reset(cx)).await),
            None => pending().await,
        }
    }
}

fn header_map(trailers: &Trailers) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(trailers.len());
    for (name, value) in trailers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            map.append(name, value);
        }
    }
    map
}
