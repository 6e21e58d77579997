//! Opening a connection to a server: TCP, TLS with verification always on, the HTTP/2 handshake. Every name was resolved
//! before; nothing here asks the DNS.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use h2::client::SendRequest;
use pingora_core::connectors::{ConnectorOptions, TransportConnector};
use pingora_core::protocols::{ALPN, Stream};
use pingora_core::upstreams::peer::HttpPeer;
use pingora_timeout::tokio_timeout as timeout;
use tokio::net::TcpStream;

use crate::config::Files as _;
use crate::config::model::{Protocol, Upstream};
use crate::control::DiskFiles;

/// What a stream of an HTTP/2 upstream may send before we take it.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
/// What a connection to an HTTP/2 upstream may send before we take it.
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
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
}

/// A connection.
pub(super) enum Opened {
    /// Of ours, where there is nothing to do but TCP.
    Plain(TcpStream),
    /// Of pingora's.
    Any(Stream),
}

/// Opens connections to the servers of one upstream. The trust in it is loaded when it is needed first.
pub(super) struct Connector {
    transport: OnceLock<Result<TransportConnector, String>>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector(..)")
    }
}

impl Connector {
    pub(super) fn new(_upstream: &Upstream) -> Self {
        Self {
            transport: OnceLock::new(),
        }
    }

    /// Opens a connection to `address` within the upstream's deadline.
    pub(super) async fn open(
        &self,
        upstream: &Upstream,
        address: SocketAddr,
    ) -> Result<Opened, ConnectFault> {
        if upstream.tls.is_none() && upstream.protocol == Protocol::H1 {
            let opened = timeout(upstream.connect_timeout, plain(address)).await;
            return in_time(opened).map(Opened::Plain);
        }
        let transport = self.transport.get_or_init(|| transport(upstream));
        let transport = transport
            .as_ref()
            .map_err(|fault| ConnectFault::Refused(fault.clone()))?;
        let peer = peer(upstream, address);
        let opened = timeout(upstream.connect_timeout, transport.new_stream(&peer)).await;
        in_time(opened).map(Opened::Any)
    }
}

async fn plain(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn in_time<T, E: fmt::Display, L>(opened: Result<Result<T, E>, L>) -> Result<T, ConnectFault> {
    match opened {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(error)) => Err(ConnectFault::Refused(error.to_string())),
        Err(_) => Err(ConnectFault::Timeout),
    }
}

fn transport(upstream: &Upstream) -> Result<TransportConnector, String> {
    let ca = upstream.tls.as_ref().and_then(|tls| tls.ca.as_ref());
    let mut options = ConnectorOptions::new(0);
    if let Some(bundle) = ca {
        // It was sound when it was configured; on one that it cannot read by now pingora would panic.
        DiskFiles::beside(&bundle.path).check_authorities(&bundle.path)?;
        options.ca_file = Some(bundle.path.to_string_lossy().into_owned());
    }
    Ok(TransportConnector::new(Some(options)))
}

fn peer(upstream: &Upstream, address: SocketAddr) -> HttpPeer {
    let name = upstream.tls.as_ref().map(|tls| tls.name.to_string());
    // With an empty name pingora would not verify; the configuration has none, and it is a `Some` only with TLS.
    let mut peer = HttpPeer::new(address, name.is_some(), name.unwrap_or_default());
    peer.options.alpn = match upstream.protocol {
        Protocol::H1 => ALPN::H1,
        Protocol::H2 => ALPN::H2,
    };
    // The deadline is whoever's who opens the connection; pingora's own would start a thread that counts time.
    peer.options.total_connection_timeout = None;
    peer.options.connection_timeout = None;
    peer
}

/// Begins HTTP/2 on a new connection and drives it in a task of its own, until every sender is dropped.
pub(super) async fn http2(
    stream: Stream,
    upstream: &Upstream,
) -> Result<(SendRequest<Bytes>, Arc<AtomicBool>), ConnectFault> {
    if upstream.tls.is_some() && !matches!(stream.selected_alpn_proto(), Some(ALPN::H2)) {
        return Err(ConnectFault::Refused("it does not speak HTTP/2".into()));
    }
    let mut builder = h2::client::Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .max_send_buffer_size(SEND_BUFFER_BYTES);
    let begun = timeout(upstream.connect_timeout, builder.handshake(stream)).await;
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
