//! A client's connection as the library writes it, watched for what it says on streams that it never handed over: their
//! heads were none (RFC 9113 §8.1.1) or far too large, and without this nobody would hear that they were refused. Reads
//! the heads of frames, never their content.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use pingora_core::protocols::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::proxy::moved::Moved;

/// The connection.
pub(super) struct Watched<T> {
    stream: Stream,
    streams: Arc<Streams>,
    frames: Frames,
    tell: T,
}

/// What the library found wrong with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It reset it: what came is not HTTP.
    Malformed,
    /// It answered 431: the head is beyond what it decodes.
    TooLarge,
}

/// Refused streams that are remembered; one that is forgotten may be told of twice.
const REFUSED_REMEMBERED_MAX: usize = 128;

/// Which streams were handed over, which were refused before, and when anything left on one of them.
#[derive(Debug)]
pub(super) struct Streams {
    moved: Moved,
    /// The last that was handed over; ids only grow.
    last: AtomicU32,
    /// The last ones of the others.
    refused: Mutex<VecDeque<u32>>,
}

impl Streams {
    pub(super) fn new() -> Self {
        Self {
            moved: Moved::new(),
            last: AtomicU32::new(0),
            refused: Mutex::default(),
        }
    }

    /// When a head or content left last; at first, when the connection began.
    pub(super) fn moved_at(&self) -> Instant {
        self.moved.at()
    }

    /// Notes that the library hands a stream over; whether it still is one.
    pub(super) fn take(&self, id: u32) -> bool {
        self.last.store(id, Ordering::Relaxed);
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        !refused.contains(&id)
    }

    /// Notes that the library refuses a stream; whether it was never handed over, and nobody told of it.
    pub(super) fn refuse(&self, id: u32) -> bool {
        if id <= self.last.load(Ordering::Relaxed) {
            return false;
        }
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = !refused.contains(&id);
        if is_first {
            refused.push_back(id);
            if refused.len() > REFUSED_REMEMBERED_MAX {
                refused.pop_front();
            }
        }
        is_first
    }
}

impl<T: Fn(u32, Fault)> Watched<T> {
    /// `tell` hears the id of every stream that is answered, or reset because what came on it is malformed, with the fault
    /// that this means where it was never handed over.
    pub(super) fn new(stream: Stream, streams: Arc<Streams>, tell: T) -> Self {
        Self {
            stream,
            streams,
            frames: Frames::default(),
            tell,
        }
    }
}

impl<T: Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, room)
    }
}

impl<T: Fn(u32, Fault) + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let stream = Pin::new(&mut this.stream);
        let count = match slices {
            [bytes] => ready!(stream.poll_write(cx, bytes))?,
            _ => ready!(stream.poll_write_vectored(cx, slices))?,
        };
        let (mut left, mut moves) = (count, false);
        for slice in slices {
            let (written, _) = slice.split_at(left.min(slice.len()));
            moves |= this.frames.follow(written, &this.tell);
            left -= written.len();
        }
        if moves {
            this.streams.moved.moves();
        }
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// Where in a stream of frames its follower is (RFC 9113 §4.1).
#[derive(Debug, Default)]
struct Frames {
    /// A frame's head and, of a reset, its code.
    known: [u8; HEAD_BYTES + CODE_BYTES],
    length: usize,
    /// What is left of the present frame's payload.
    payload: usize,
}

const HEAD_BYTES: usize = 9;
const CODE_BYTES: usize = 4;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const PROTOCOL_ERROR: u32 = 1;

impl Frames {
    /// Follows `bytes`; hands `tell` the streams of heads and of resets with `PROTOCOL_ERROR`. Whether heads or content are
    /// among them.
    fn follow(&mut self, mut bytes: &[u8], tell: &impl Fn(u32, Fault)) -> bool {
        let mut moves = false;
        while !bytes.is_empty() {
            let skipped = self.payload.min(bytes.len());
            moves |= skipped > 0 && self.is_of_a_message();
            self.payload -= skipped;
            bytes = &bytes[skipped..];
            let taken = (self.wanted() - self.length).min(bytes.len());
            self.known[self.length..][..taken].copy_from_slice(&bytes[..taken]);
            self.length += taken;
            bytes = &bytes[taken..];
            if self.length == self.wanted() {
                moves |= self.is_of_a_message();
                self.whole(tell);
            }
        }
        moves
    }

    fn is_of_a_message(&self) -> bool {
        matches!(self.known[3], DATA | HEADERS)
    }

    fn wanted(&self) -> usize {
        if self.length >= HEAD_BYTES && self.known[3] == RST_STREAM {
            HEAD_BYTES + CODE_BYTES
        } else {
            HEAD_BYTES
        }
    }

    fn whole(&mut self, tell: &impl Fn(u32, Fault)) {
        let number = |at: usize| {
            let bytes = self.known[at..]
                .first_chunk()
                .expect("four bytes are there");
            u32::from_be_bytes(*bytes)
        };
        let payload = (number(0) >> 8) as usize;
        match self.known[3] {
            HEADERS => tell(number(5), Fault::TooLarge),
            RST_STREAM if number(HEAD_BYTES) == PROTOCOL_ERROR => {
                tell(number(5), Fault::Malformed);
            }
            _ => {}
        }
        self.payload = payload - (self.length - HEAD_BYTES);
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::{Fault, Frames, Streams};

    fn frame(kind: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, 0, 0, 0, 0, stream], payload].concat()
    }

    #[test]
    fn heads_and_resets_are_found_wherever_the_bytes_are_cut() {
        let bytes = [
            frame(4, 0, &[]),
            frame(1, 11, b"head"),
            frame(3, 1, &[0, 0, 0, 1]),
            // What looks like a reset in content is none.
            frame(0, 3, &frame(3, 9, &[0, 0, 0, 1])),
            frame(3, 5, &[0, 0, 0, 8]),
            frame(3, 7, &[0, 0, 0, 1]),
            frame(6, 0, &[0; 8]),
        ]
        .concat();
        for step in 1..=bytes.len() {
            let (mut frames, told) = (Frames::default(), RefCell::new(Vec::new()));
            let mut moved = Vec::new();
            for piece in bytes.chunks(step) {
                moved.push(frames.follow(piece, &|id, fault| told.borrow_mut().push((id, fault))));
            }
            assert!(moved.contains(&true), "step {step}");
            let control = [frame(4, 0, &[]), frame(6, 0, &[0; 8])].concat();
            assert!(
                !frames.follow(&control, &|_, _| {}),
                "nobody is answered by it"
            );
            let expected = [
                (11, Fault::TooLarge),
                (1, Fault::Malformed),
                (7, Fault::Malformed),
            ];
            assert_eq!(*told.borrow(), expected, "step {step}");
        }
    }

    #[test]
    fn a_stream_is_refused_or_handed_over_and_never_both() {
        let streams = Streams::new();
        assert!(streams.refuse(1));
        assert!(!streams.refuse(1), "once");
        assert!(streams.take(3));
        assert!(!streams.refuse(3), "whoever serves it tells");
        assert!(streams.refuse(5));
        assert!(!streams.take(5), "it is over already");
        assert!(streams.take(7));
    }
}
