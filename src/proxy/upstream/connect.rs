//! Opening a connection to a server: TCP, TLS with verification always on, the HTTP/2 handshake. Every name was resolved
//! before; nothing here asks the DNS.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use bytes::Bytes;
use h2::client::SendRequest;
use pingora_timeout::tokio_timeout as timeout;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::model::{Protocol, Upstream, UpstreamTls};
use crate::control::client_tls;
use crate::proxy::exhausted::{Shares, is_exhausted};

/// Streams on one HTTP/2 connection before another is opened, if its server allows as many.
pub(super) const HTTP2_STREAMS_MAX: usize = 100;
/// Streams that a server takes until it has said how many.
const NOT_SAID: usize = 0;
/// What a stream of an HTTP/2 upstream may send before we take it.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
/// What a connection to an HTTP/2 upstream may send before we take it: room for all its streams, so that answers that their
/// clients do not take stop no other.
const CONNECTION_WINDOW_BYTES: u32 = HTTP2_STREAMS_MAX as u32 * STREAM_WINDOW_BYTES;
/// What may wait of small DATA frames, 256 bytes for each, on all streams of a connection: servers of the operator's own send
/// their messages as fast as they like.
const SMALL_FRAMES_BYTES: usize = 64 << 20;
/// The largest head of an HTTP/2 answer.
const HEADER_LIST_BYTES_MAX: u32 = 64 << 10;
/// Bytes kept for one stream that its server gives no room for.
const SEND_BUFFER_BYTES: usize = 256 << 10;

/// Why no connection was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ConnectFault {
    /// It took too long.
    Timeout,
    /// It was refused, or the certificate was.
    Refused(String),
    /// The process can have no more sockets: nobody was asked.
    Exhausted(String),
}

impl fmt::Display for ConnectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "no connection within `connect_timeout`",
            Self::Refused(detail) | Self::Exhausted(detail) => detail,
        })
    }
}

/// A connection.
pub(super) enum Opened {
    /// Plain TCP.
    Plain(TcpStream),
    /// TLS over it.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Opens connections to the servers of one upstream. The trust in it is loaded when it is needed first.
#[derive(Default)]
pub(super) struct Connector {
    tls: OnceLock<Result<TlsConnector, String>>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector(..)")
    }
}

impl Connector {
    /// Opens a connection to `address` within the upstream's deadline.
    pub(super) async fn open(
        &self,
        shares: Shares,
        upstream: &Upstream,
        address: SocketAddr,
    ) -> Result<Opened, ConnectFault> {
        let opened = plain(shares, address);
        let Some(tls) = &upstream.tls else {
            let opened = timeout(upstream.connect_timeout, opened).await;
            return within(opened).map(Opened::Plain);
        };
        let connector = self
            .tls
            .get_or_init(|| connector(tls, upstream.protocol))
            .as_ref()
            .map_err(|fault| ConnectFault::Refused(fault.clone()))?;
        let opened = encrypted(connector, tls, opened);
        let opened = timeout(upstream.connect_timeout, opened).await;
        within(opened).map(|stream| Opened::Tls(Box::new(stream)))
    }
}

async fn plain(shares: Shares, address: SocketAddr) -> io::Result<TcpStream> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    shares.for_server(&socket)?;
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn encrypted(
    connector: &TlsConnector,
    tls: &UpstreamTls,
    opened: impl Future<Output = io::Result<TcpStream>>,
) -> io::Result<TlsStream<TcpStream>> {
    connector
        .connect(server_name(&tls.name)?, opened.await?)
        .await
}

/// The name as certificates have it: an IPv6 address stands there without the brackets that it has in a URL.
fn server_name(name: &str) -> io::Result<ServerName<'static>> {
    let bare = name.trim_matches(['[', ']']).to_owned();
    ServerName::try_from(bare).map_err(io::Error::other)
}

fn connector(tls: &UpstreamTls, protocol: Protocol) -> Result<TlsConnector, String> {
    let alpn: &[u8] = match protocol {
        Protocol::H1 => b"http/1.1",
        Protocol::H2 => b"h2",
    };
    let bundle = tls.ca.as_ref().map(|bundle| &*bundle.pem);
    let config = client_tls(bundle, &[alpn])?;
    Ok(Arc::new(config).into())
}

/// What came of a socket.
fn within<T, L>(opened: Result<io::Result<T>, L>) -> Result<T, ConnectFault> {
    match opened {
        Ok(Err(error)) if is_exhausted(&error) => Err(ConnectFault::Exhausted(error.to_string())),
        opened => in_time(opened),
    }
}

fn in_time<T, E: fmt::Display, L>(opened: Result<Result<T, E>, L>) -> Result<T, ConnectFault> {
    match opened {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(error)) => Err(ConnectFault::Refused(error.to_string())),
        Err(_) => Err(ConnectFault::Timeout),
    }
}

/// Begins HTTP/2 on a new connection and drives it in a task of its own, until every sender is dropped.
pub(super) async fn http2(
    opened: Opened,
    upstream: &Upstream,
) -> Result<(SendRequest<Bytes>, Arc<AtomicBool>), ConnectFault> {
    match opened {
        Opened::Plain(stream) => handshake(stream, upstream).await,
        Opened::Tls(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
            handshake(stream, upstream).await
        }
        Opened::Tls(_) => Err(ConnectFault::Refused("it does not speak HTTP/2".into())),
    }
}

async fn handshake(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    upstream: &Upstream,
) -> Result<(SendRequest<Bytes>, Arc<AtomicBool>), ConnectFault> {
    let mut builder = h2::client::Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .data_frame_budget(SMALL_FRAMES_BYTES)
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .max_send_buffer_size(SEND_BUFFER_BYTES)
        .initial_max_send_streams(NOT_SAID);
    let begun = timeout(upstream.connect_timeout, settled(&builder, stream)).await;
    let (sender, connection) = in_time(begun)?;
    let is_alive = Arc::new(AtomicBool::new(true));
    let flag = is_alive.clone();
    tokio::spawn(async move {
        // How it ended is told to every stream on it.
        let _ = connection.await;
        flag.store(false, Ordering::Relaxed);
    });
    Ok((sender, is_alive))
}

/// A connection whose server has said how many streams it takes at once (RFC 9113 §5.1.2): requests that come together would
/// all go over a new one, and those beyond its room be refused.
async fn settled<S: AsyncRead + AsyncWrite + Unpin>(
    builder: &h2::client::Builder,
    stream: S,
) -> Result<(SendRequest<Bytes>, h2::client::Connection<S>), h2::Error> {
    let (sender, mut connection) = builder.handshake(stream).await?;
    poll_fn(|cx| match Pin::new(&mut connection).poll(cx) {
        _ if sender.current_max_send_streams() != NOT_SAID => Poll::Ready(Ok(())),
        Poll::Ready(ended) => Poll::Ready(ended.and(Err(h2::Reason::PROTOCOL_ERROR.into()))),
        Poll::Pending => Poll::Pending,
    })
    .await?;
    Ok((sender, connection))
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustix::io::Errno;

    use super::{ConnectFault, server_name, within};

    #[test]
    fn every_name_that_the_configuration_takes_is_one_that_a_certificate_can_have() {
        for name in ["crm.internal", "crm_1", "localhost", "10.0.0.5", "[::1]"] {
            assert!(server_name(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_process_without_sockets_blames_no_server() {
        let fault = |errno: Errno| within::<(), ()>(Ok(Err(io::Error::from(errno)))).unwrap_err();
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM] {
            assert!(matches!(fault(errno), ConnectFault::Exhausted(_)));
        }
        for errno in [Errno::CONNREFUSED, Errno::HOSTUNREACH, Errno::CONNRESET] {
            assert!(matches!(fault(errno), ConnectFault::Refused(_)));
        }
    }
}
