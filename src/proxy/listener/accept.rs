//! From a listening socket to a worker. One loop accepts for all of them, and a connection lives on the reactor of the
//! thread that serves it: its events wake nobody else.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pingora_core::server::{ListenFds, ShutdownWatch};
use pingora_core::services::Service;
use pingora_runtime::current_handle;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType};

use super::plane::Plane;
use crate::proxy::exhausted::is_exhausted;
use crate::proxy::stop::stopped;

/// Connections that may wait to be accepted; the system's own limit is often lower.
const BACKLOG: i32 = 65_535;
/// How long nothing is accepted while the process can have no more sockets.
const PAUSE: Duration = Duration::from_millis(100);
/// How often it is told at most.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// Takes an address, at which nobody is heard yet.
///
/// # Errors
/// The system's, above all when another process listens there.
pub fn take(address: SocketAddr) -> io::Result<TcpListener> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = net::socket_with(family, SocketType::STREAM, flags, None)?;
    // Connections of an earlier process that are still being closed do not keep the address from this one.
    net::sockopt::set_socket_reuseaddr(&socket, true)?;
    net::bind(&socket, &address)?;
    Ok(socket.into())
}

/// Listens; what comes from now on waits until it is accepted.
///
/// # Errors
/// The system's, above all when another process has come to listen at the address.
pub fn listen(socket: &TcpListener) -> io::Result<()> {
    Ok(net::listen(socket, BACKLOG)?)
}

/// Serves what comes by one socket.
pub struct Doorway {
    plane: Arc<Plane>,
    /// Taken when the service starts.
    socket: Option<TcpListener>,
}

impl Doorway {
    /// Lets `plane` serve what comes by `socket`.
    pub fn new(plane: Plane, socket: TcpListener) -> Self {
        Self {
            plane: Arc::new(plane),
            socket: Some(socket),
        }
    }
}

#[async_trait]
impl Service for Doorway {
    async fn start_service(&mut self, _: Option<ListenFds>, shutdown: ShutdownWatch, _: usize) {
        let socket = self.socket.take().map(tokio::net::TcpListener::from_std);
        match socket {
            Some(Ok(socket)) => accept_all(&self.plane, &socket, &shutdown).await,
            Some(Err(error)) => tracing::error!(%error, "nothing can be accepted"),
            None => {}
        }
    }

    fn name(&self) -> &str {
        self.plane.name()
    }
}

/// Accepts until the process is stopped.
async fn accept_all(
    plane: &Arc<Plane>,
    socket: &tokio::net::TcpListener,
    shutdown: &ShutdownWatch,
) {
    let mut leaving = shutdown.clone();
    let mut stops = pin!(stopped(&mut leaving));
    let mut told_at = None;
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stops => return,
            accepted = socket.accept() => accepted,
        };
        // Off this reactor, on to its worker's.
        match accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))) {
            Ok((stream, peer)) if plane.may_have(&stream) => {
                hand_over(plane, stream, peer, shutdown);
            }
            // Here and not on a worker, so that its socket is closed before there is another.
            Ok((stream, peer)) => {
                drop(stream);
                plane.had_none(peer);
                if is_due(&mut told_at) {
                    tracing::error!(
                        listener = plane.name(),
                        "too few files are left for a client"
                    );
                }
            }
            Err(error) if is_exhausted(&error) => {
                if is_due(&mut told_at) {
                    tracing::error!(%error, listener = plane.name(), "no connection can be accepted");
                }
                tokio::time::sleep(PAUSE).await;
            }
            // It is gone already.
            Err(error) => tracing::debug!(%error, "a connection ended before it was accepted"),
        }
    }
}

/// Whether it is time to tell the operator that there are no files: once, and again while that lasts.
fn is_due(told_at: &mut Option<Instant>) -> bool {
    let now = Instant::now();
    let is_due = told_at.is_none_or(|at| now.saturating_duration_since(at) >= TELL_AGAIN);
    if is_due {
        *told_at = Some(now);
    }
    is_due
}

/// Lets one of the workers serve a connection.
fn hand_over(plane: &Arc<Plane>, stream: TcpStream, peer: SocketAddr, shutdown: &ShutdownWatch) {
    let (plane, shutdown) = (plane.clone(), shutdown.clone());
    current_handle().spawn(async move {
        match registered(stream) {
            Ok(stream) => plane.connection(stream, peer, shutdown).await,
            Err(error) => tracing::debug!(%error, "a connection ended before it was served"),
        }
    });
}

/// The stream on the reactor of this thread.
fn registered(stream: TcpStream) -> io::Result<tokio::net::TcpStream> {
    stream.set_nodelay(true)?;
    tokio::net::TcpStream::from_std(stream)
}
