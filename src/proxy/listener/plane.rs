//! From an accepted connection to a protocol: places, TLS under a deadline, and whether the client speaks HTTP/2. Everything
//! before the first head.

use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Instant;

use pingora_core::listeners::tls::Acceptor;
use pingora_core::protocols::l4::stream::Stream as Socket;
use pingora_core::protocols::{ALPN, Stream};
use pingora_core::server::ShutdownWatch;
use pingora_timeout::tokio_timeout as timeout;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::caps::{Caps, Most};
use super::tls::ServerTls;
use crate::config::model::Listener;
use crate::control::{Certificates, Live};
use crate::gate::{Reason, Refusal};
use crate::proxy::answer::{Answer, Shape};
use crate::proxy::client::{Client, Incoming, Role, renew};
use crate::proxy::connection::{self, Reader};
use crate::proxy::edge::Edge;
use crate::proxy::stop::stopped;
use crate::proxy::turn;
use crate::proxy::{http1, http2};
use crate::wire::Version;
use crate::wire::preface::Preface;

/// One listener of the plane.
pub struct Plane {
    listener: Arc<Listener>,
    role: Role,
    edge: Arc<Edge>,
    tls: Option<ServerTls>,
    caps: Arc<Caps>,
    /// For those who are told that there is no place.
    farewells: Semaphore,
}

/// How many connections of one listener are told at once that there is no place for them: each holds a socket until its
/// client has heard it. Those beyond are closed without a word.
pub(in crate::proxy) const FAREWELLS_MAX: usize = 128;

impl Plane {
    /// The plane for one listener.
    pub fn new(
        listener: Arc<Listener>,
        role: Role,
        edge: Arc<Edge>,
        certificates: &Arc<Live<Certificates>>,
    ) -> Self {
        let tls = listener.tls.is_some();
        Self {
            caps: Arc::default(),
            farewells: Semaphore::new(FAREWELLS_MAX),
            tls: tls.then(|| ServerTls::new(&listener.name, certificates.clone())),
            listener,
            role,
            edge,
        }
    }

    /// The listener's name.
    pub fn name(&self) -> &str {
        &self.listener.name
    }

    /// Whether a connection may have this socket. Clients leave some to the process: who asks what is the matter has one.
    pub(super) fn may_have(&self, socket: &impl AsRawFd) -> bool {
        self.role == Role::Admin || self.edge.shares.is_for_client(socket)
    }

    /// Tells that a client was turned away for want of files; not the client, who would hold one meanwhile.
    pub(super) fn had_none(&self, peer: SocketAddr) {
        let client = self.client(peer);
        let incoming = Incoming::unread(&client, Instant::now());
        let refusal = Refusal::new(Reason::Overloaded, "too few files are left");
        turn::tell_unread(&self.edge, &client, &incoming, &refusal, 0);
    }

    fn client(&self, peer: SocketAddr) -> Arc<Client> {
        let address = peer.ip().to_canonical();
        Arc::new(Client {
            listener: self.listener.clone(),
            role: self.role,
            address,
            address_text: address.to_string().into(),
            scheme: self.listener.scheme(),
        })
    }

    /// Serves one connection to its end.
    pub(in crate::proxy) async fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        shutdown: ShutdownWatch,
    ) {
        let mut client = self.client(peer);
        renew(&mut client, &self.edge);
        let most = Most {
            all: client.listener.connections_max,
            per_address: client.listener.connections_per_address_max,
        };
        let Some(_place) = self.caps.enter(client.address, most) else {
            return Box::pin(self.turn_away(stream, &client)).await;
        };
        let metrics = self.edge.telemetry.metrics();
        let _counted = metrics.connection(&self.listener.name);
        match &self.tls {
            Some(tls) => self.encrypted(tls, stream, &client, shutdown).await,
            None => self.clear(stream, &client, shutdown).await,
        }
    }

    async fn encrypted(
        &self,
        tls: &ServerTls,
        stream: TcpStream,
        client: &Arc<Client>,
        shutdown: ShutdownWatch,
    ) {
        let Some(config) = tls.config(&client.listener) else {
            return;
        };
        let acceptor = Acceptor::from_server_config(config);
        let Some(stream) = self.handshake(acceptor, stream, client).await else {
            return;
        };
        if matches!(stream.selected_alpn_proto(), Some(ALPN::H2)) {
            return Box::pin(http2::serve(&self.edge, client, stream, shutdown)).await;
        }
        let ends = connection::split(stream, client.listener.idle_timeout);
        http1::serve(&self.edge, client, ends, shutdown).await;
    }

    /// What is encrypted from now on; `None` where there was no handshake, which is counted. Apart, so that what it takes is
    /// not kept for as long as the connection.
    async fn handshake(
        &self,
        acceptor: Acceptor,
        stream: TcpStream,
        client: &Client,
    ) -> Option<Stream> {
        let handshake = Box::pin(acceptor.tls_handshake(Socket::from(stream)));
        match timeout(client.listener.handshake_timeout, handshake).await {
            Ok(Ok(stream)) => return Some(Box::new(stream)),
            Ok(Err(error)) => tracing::debug!(%error, "no TLS handshake"),
            Err(_) => tracing::debug!("no TLS handshake in time"),
        }
        let metrics = self.edge.telemetry.metrics();
        metrics.handshake_failed(&client.listener.name);
        None
    }

    /// Clear text is HTTP/1 unless the client begins with the preface of HTTP/2.
    async fn clear(&self, stream: TcpStream, client: &Arc<Client>, mut shutdown: ShutdownWatch) {
        let (mut reader, writer) = connection::split_plain(stream, client.listener.idle_timeout);
        if !client.listener.http2 {
            return http1::serve(&self.edge, client, (reader, writer), shutdown).await;
        }
        match begins_with(&client.listener, &mut reader, &mut shutdown).await {
            Some(Preface::Http2) => {
                let Some((stream, first)) = connection::join(reader, writer) else {
                    return;
                };
                let mut socket = Box::new(Socket::from(stream));
                socket.rewind(&first);
                Box::pin(http2::serve(&self.edge, client, socket, shutdown)).await;
            }
            Some(_) => http1::serve(&self.edge, client, (reader, writer), shutdown).await,
            None => {}
        }
    }

    /// Says that there is no place: to the client where that costs nothing, without a handshake.
    async fn turn_away(&self, stream: TcpStream, client: &Client) {
        let incoming = Incoming::unread(client, Instant::now());
        let refusal = Refusal::new(Reason::Overloaded, "the listener has no place left");
        let farewell = self.farewells.try_acquire();
        if self.tls.is_some() || farewell.is_err() {
            return turn::tell_unread(&self.edge, client, &incoming, &refusal, 0);
        }
        let patience = client.listener.handshake_timeout;
        let (reader, mut writer) = connection::split_plain(stream, patience);
        let shape = Shape {
            version: Version::Http11,
            to_head: false,
        };
        let mut answer = Answer::http1(&mut writer, shape, false);
        turn::refuse_unread(&self.edge, client, &incoming, refusal, &mut answer).await;
        connection::linger(reader, writer).await;
    }
}

/// Reads until it is plain whether the client speaks HTTP/2: its first bytes under the idle deadline, the rest of
/// a preface under that of a handshake. `None` when nobody is to be served.
async fn begins_with(
    listener: &Listener,
    reader: &mut Reader,
    shutdown: &mut ShutdownWatch,
) -> Option<Preface> {
    let mut deadline = listener.idle_timeout;
    loop {
        let preface = Preface::of(&reader.buffer);
        if preface != Preface::NeedMore {
            return Some(preface);
        }
        let began = Instant::now();
        let came = tokio::select! {
            biased;
            came = timeout(deadline, reader.fill()) => came.ok()?.ok()?,
            () = stopped(shutdown), if reader.buffer.is_empty() => return None,
        };
        if came == 0 {
            return None;
        }
        let limit = listener.handshake_timeout;
        deadline = match deadline > limit {
            true => limit,
            false => deadline.saturating_sub(began.elapsed()),
        };
    }
}
