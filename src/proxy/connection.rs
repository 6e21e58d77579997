//! One byte stream as two halves with their buffers, so that both directions can move at once. Knows no HTTP.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::BytesMut;
use pingora_core::protocols::Stream;
use pingora_timeout::tokio_timeout as timeout;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_rustls::client::TlsStream;

/// What an answer left of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reuse {
    /// It may carry another request.
    Yes,
    /// It may not.
    No,
}

/// Bytes read at once. The room is the thread's, so a connection that waits holds none.
const READ_BYTES: usize = 32 << 10;
/// A buffer that grew beyond this is given back after use.
const KEEP_BYTES: usize = 64 << 10;
/// How long a connection may take to be closed in order.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long what an unwanted body still has is read and dropped, so that the answer before it is not lost to a reset (RFC
/// 9112 §9.6). Time bounds it, not size: a client that sends on must see the answer first, however fast it sends.
const LINGER_TIMEOUT: Duration = Duration::from_secs(5);

thread_local! {
    static ROOM: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// The half that is read.
pub(super) struct Reader {
    half: ReadEnd,
    /// What came and was not taken.
    pub(super) buffer: BytesMut,
    ended: bool,
}

/// The half that is written.
pub(super) struct Writer {
    half: WriteEnd,
    /// What waits for [`Writer::flush`].
    pub(super) pending: Vec<u8>,
    /// How long the other end may take nothing.
    patience: Duration,
    /// How much of what is pending left already.
    left: usize,
    has_written: bool,
}

/// The end of a stream that is read: one of pingora's, TLS to a server, or plain TCP, which needs no lock and nobody who
/// counts its time.
enum ReadEnd {
    Any(ReadHalf<Stream>),
    Tls(ReadHalf<TlsStream<TcpStream>>),
    Plain(OwnedReadHalf),
}

/// The end that is written.
enum WriteEnd {
    Any(WriteHalf<Stream>),
    Tls(WriteHalf<TlsStream<TcpStream>>),
    Plain(OwnedWriteHalf),
}

/// Why nothing can be written any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteFault {
    /// The other end is gone.
    Gone,
    /// It takes nothing.
    Slow,
}

/// Splits a stream of pingora's.
pub(super) fn split(stream: Stream, patience: Duration) -> (Reader, Writer) {
    let (read, write) = tokio::io::split(stream);
    let reader = Reader::new(ReadEnd::Any(read));
    (reader, Writer::new(WriteEnd::Any(write), patience))
}

/// Splits a connection to a server that speaks TLS.
pub(super) fn split_tls(stream: TlsStream<TcpStream>, patience: Duration) -> (Reader, Writer) {
    let (read, write) = tokio::io::split(stream);
    let reader = Reader::new(ReadEnd::Tls(read));
    (reader, Writer::new(WriteEnd::Tls(write), patience))
}

/// Splits a plain connection.
pub(super) fn split_plain(stream: TcpStream, patience: Duration) -> (Reader, Writer) {
    let (read, write) = stream.into_split();
    let reader = Reader::new(ReadEnd::Plain(read));
    (reader, Writer::new(WriteEnd::Plain(write), patience))
}

impl Reader {
    fn new(half: ReadEnd) -> Self {
        Self {
            half,
            buffer: BytesMut::new(),
            ended: false,
        }
    }

    /// Waits for bytes and appends them to the buffer; 0 once the other end has sent all it had. Cancel-safe.
    pub(super) async fn fill(&mut self) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let came = poll_fn(|cx| {
            ROOM.with_borrow_mut(|room| {
                let mut room = ReadBuf::new(room);
                ready!(self.half.poll_read(cx, &mut room))?;
                self.buffer.extend_from_slice(room.filled());
                Poll::Ready(io::Result::Ok(room.filled().len()))
            })
        })
        .await?;
        self.ended = came == 0;
        Ok(came)
    }

    /// Takes the first `count` bytes of the buffer. All of it is taken as it is: sharing has its price.
    pub(super) fn take(&mut self, count: usize) -> BytesMut {
        if count == self.buffer.len() {
            std::mem::take(&mut self.buffer)
        } else {
            self.buffer.split_to(count)
        }
    }

    /// Whether the other end has sent all it had.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether an unused connection is open and silent, as it must be to be used again.
    pub(super) fn is_quiet(&mut self) -> bool {
        let mut byte = [0];
        let mut room = ReadBuf::new(&mut byte);
        let mut cx = Context::from_waker(Waker::noop());
        let read = self.half.poll_read(&mut cx, &mut room);
        self.buffer.is_empty() && read.is_pending()
    }

    /// Gives the buffer back if nothing is in it.
    pub(super) fn rest(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }
}

impl ReadEnd {
    fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Any(half) => Pin::new(half).poll_read(cx, room),
            Self::Tls(half) => Pin::new(half).poll_read(cx, room),
            Self::Plain(half) => Pin::new(half).poll_read(cx, room),
        }
    }
}

impl WriteEnd {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Any(half) => half.write(bytes).await,
            Self::Tls(half) => half.write(bytes).await,
            Self::Plain(half) => half.write(bytes).await,
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Any(half) => half.flush().await,
            Self::Tls(half) => half.flush().await,
            // The system has it all.
            Self::Plain(_) => Ok(()),
        }
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Self::Any(half) => half.shutdown().await,
            Self::Tls(half) => half.shutdown().await,
            Self::Plain(half) => half.shutdown().await,
        }
    }
}

impl Writer {
    fn new(half: WriteEnd, patience: Duration) -> Self {
        Self {
            half,
            pending: Vec::new(),
            patience,
            left: 0,
            has_written: false,
        }
    }

    /// Writes all that is pending. Cancel-safe: what left is not sent again.
    pub(super) async fn flush(&mut self) -> Result<(), WriteFault> {
        while self.left < self.pending.len() {
            let write = self.half.write(&self.pending[self.left..]);
            match timeout(self.patience, write).await {
                Ok(Ok(count)) if count > 0 => self.left += count,
                Ok(_) => return Err(WriteFault::Gone),
                Err(_) => return Err(WriteFault::Slow),
            }
            self.has_written = true;
        }
        self.left = 0;
        self.pending.clear();
        if self.pending.capacity() > KEEP_BYTES {
            self.pending = Vec::new();
        }
        match timeout(self.patience, self.half.flush()).await {
            Ok(flushed) => flushed.map_err(|_| WriteFault::Gone),
            Err(_) => Err(WriteFault::Slow),
        }
    }

    /// Whether any byte left since [`Writer::begin`].
    pub(super) fn has_written(&self) -> bool {
        self.has_written
    }

    /// Begins a new exchange: nothing was written for it.
    pub(super) fn begin(&mut self) {
        self.has_written = false;
    }

    /// Gives the buffer back.
    pub(super) fn rest(&mut self) {
        self.pending = Vec::new();
    }

    /// Says that nothing more will come.
    pub(super) async fn shut(&mut self) {
        // Whoever does not take the end in time gets it with the socket's close.
        let _ = timeout(CLOSE_TIMEOUT, self.half.shutdown()).await;
    }
}

/// Closes a connection whose last answer must arrive although the other end may still be sending.
pub(super) async fn linger(mut reader: Reader, mut writer: Writer) {
    writer.shut().await;
    let drained = async {
        loop {
            reader.buffer.clear();
            if !matches!(reader.fill().await, Ok(1..)) {
                return;
            }
        }
    };
    let _ = timeout(LINGER_TIMEOUT, drained).await;
}

/// Ends a connection so that nobody takes it for an end in order: by a reset. TLS says as much by its end without a
/// close_notify.
pub(super) fn break_off(reader: Reader, writer: Writer) {
    if let WriteEnd::Plain(half) = writer.half {
        // Fails only for a socket that is gone.
        let _ = half.as_ref().set_zero_linger();
        // By itself it would say first that nothing more will come.
        half.forget();
    }
    drop(reader);
}

/// Puts the halves of a plain connection together again; what was read and not taken comes along.
pub(super) fn join(reader: Reader, writer: Writer) -> Option<(TcpStream, BytesMut)> {
    match (reader.half, writer.half) {
        (ReadEnd::Plain(read), WriteEnd::Plain(write)) => {
            Some((read.reunite(write).ok()?, reader.buffer))
        }
        _ => None,
    }
}
