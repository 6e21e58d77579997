//! From an accepted socket to a protocol: places, TLS under a deadline, and whether the client speaks HTTP/2. Everything
//! before the first head.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bytes::BytesMut;
use pingora_core::apps::ServerApp;
use pingora_core::listeners::tls::Acceptor;
use pingora_core::listeners::{L4BufferSettings, ListenerConfig};
use pingora_core::protocols::l4::stream::Stream as Socket;
use pingora_core::protocols::{ALPN, Stream};
use pingora_core::server::ShutdownWatch;
use pingora_core::services::listening::Service;
use pingora_timeout::tokio_timeout as timeout;

use super::answer::{Answer, Shape};
use super::caps::{Caps, Most};
use super::client::{Client, Incoming, Role, renew};
use super::connection;
use super::edge::Edge;
use super::tls::ServerTls;
use super::turn;
use super::{http1, http2};
use crate::config::model::Listener;
use crate::control::{Certificates, Live};
use crate::gate::{Reason, Refusal};
use crate::wire::preface::Preface;
use crate::wire::{Scheme, Version};

/// One listener of the plane.
pub struct Plane {
    listener: Arc<Listener>,
    role: Role,
    edge: Arc<Edge>,
    tls: Option<ServerTls>,
    caps: Arc<Caps>,
}

/// The service that serves `listener`.
pub fn service(
    listener: Arc<Listener>,
    role: Role,
    edge: Arc<Edge>,
    certificates: &Arc<Live<Certificates>>,
) -> Service<Plane> {
    let name = listener.name.to_string();
    // No buffers of pingora's: an idle connection would hold them.
    let endpoint =
        ListenerConfig::tcp(listener.address.to_string()).l4_buffer(L4BufferSettings::unbuffered());
    let mut service = Service::new(name, Plane::new(listener, role, edge, certificates));
    service.add_listener(endpoint);
    service
}

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
            tls: tls.then(|| ServerTls::new(&listener.name, certificates.clone())),
            listener,
            role,
            edge,
        }
    }

    /// Serves one connection to its end.
    async fn connection(&self, stream: Stream, shutdown: ShutdownWatch) {
        let Some(address) = peer_of(&stream) else {
            return;
        };
        let address = address.ip().to_canonical();
        let mut client = Arc::new(Client {
            listener: self.listener.clone(),
            role: self.role,
            address,
            address_text: address.to_string().into(),
            scheme: if self.tls.is_some() {
                Scheme::Https
            } else {
                Scheme::Http
            },
        });
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
        stream: Stream,
        client: &Arc<Client>,
        shutdown: ShutdownWatch,
    ) {
        let config = tls.config(&client.listener);
        let (Ok(socket), Some(config)) = (stream.into_any().downcast::<Socket>(), config) else {
            return;
        };
        let acceptor = Acceptor::from_server_config(config);
        let handshake = Box::pin(acceptor.tls_handshake(*socket));
        let stream: Stream = match timeout(client.listener.handshake_timeout, handshake).await {
            Ok(Ok(stream)) => Box::new(stream),
            Ok(Err(error)) => return tracing::debug!(%error, "no TLS handshake"),
            Err(_) => return tracing::debug!("no TLS handshake in time"),
        };
        if matches!(stream.selected_alpn_proto(), Some(ALPN::H2)) {
            return Box::pin(http2::serve(&self.edge, client, stream, shutdown)).await;
        }
        http1::serve(&self.edge, client, stream, BytesMut::new(), shutdown).await;
    }

    /// Clear text is HTTP/1 unless the client begins with the preface of HTTP/2.
    async fn clear(&self, stream: Stream, client: &Arc<Client>, shutdown: ShutdownWatch) {
        if !client.listener.http2 {
            return http1::serve(&self.edge, client, stream, BytesMut::new(), shutdown).await;
        }
        let Some((stream, first)) = first_bytes(&client.listener, stream, shutdown.clone()).await
        else {
            return;
        };
        if Preface::of(&first) != Preface::Http2 {
            return http1::serve(&self.edge, client, stream, first, shutdown).await;
        }
        let Ok(mut socket) = stream.into_any().downcast::<Socket>() else {
            return;
        };
        socket.rewind(&first);
        Box::pin(http2::serve(&self.edge, client, socket, shutdown)).await;
    }

    /// Says that there is no place: to the client where that costs nothing, without a handshake.
    async fn turn_away(&self, stream: Stream, client: &Client) {
        let incoming = Incoming::unread(client, Instant::now());
        let refusal = Refusal::new(Reason::Overloaded, "the listener has no place left");
        if self.tls.is_some() {
            return turn::tell_unread(&self.edge, client, &incoming, &refusal, 0);
        }
        let patience = client.listener.handshake_timeout;
        let (reader, mut writer) = connection::split(stream, BytesMut::new(), patience);
        let shape = Shape {
            version: Version::Http11,
            to_head: false,
        };
        let mut answer = Answer::http1(&mut writer, shape, false);
        turn::refuse_unread(&self.edge, client, &incoming, refusal, &mut answer).await;
        connection::linger(reader, writer).await;
    }
}

#[async_trait]
impl ServerApp for Plane {
    async fn process_new(
        self: &Arc<Self>,
        stream: Stream,
        shutdown: &ShutdownWatch,
    ) -> Option<Stream> {
        // In a task of its own: pingora's keeps the room of a TLS handshake for as long as it lasts, 9 KiB of nothing.
        let (plane, shutdown) = (self.clone(), shutdown.clone());
        tokio::spawn(async move { plane.connection(stream, shutdown).await });
        None
    }
}

/// Reads until it is plain whether the client speaks HTTP/2: its first bytes under the idle deadline, the rest of
/// a preface under that of a handshake.
async fn first_bytes(
    listener: &Listener,
    stream: Stream,
    mut shutdown: ShutdownWatch,
) -> Option<(Stream, BytesMut)> {
    let (mut reader, writer) = connection::split(stream, BytesMut::new(), listener.idle_timeout);
    let mut deadline = listener.idle_timeout;
    while Preface::of(&reader.buffer) == Preface::NeedMore {
        let began = Instant::now();
        let came = tokio::select! {
            biased;
            came = timeout(deadline, reader.fill()) => came.ok()?.ok()?,
            stops = shutdown.wait_for(|stops| *stops), if reader.buffer.is_empty() => {
                drop(stops);
                return None;
            }
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
    connection::join(reader, writer)
}

fn peer_of(stream: &Stream) -> Option<SocketAddr> {
    let digest = stream.get_socket_digest()?;
    digest.peer_addr()?.as_inet().copied()
}
