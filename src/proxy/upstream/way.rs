//! The way to one server: a connection that was kept, one that is shared, or a new one; and what waiting for a new one in
//! vain says of the server.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use h2::SendStream;
use h2::client::ResponseFuture;

use super::connect::{self, ConnectFault, Opened};
use super::pool::{Freshness, Pool, Single};
use super::registry::State;
use super::server::{Change, Server};
use super::shared::{Shared, Stream};
use crate::config::model::{Protocol, Upstream};
use crate::proxy::connection;
use crate::proxy::edge::Edge;

/// A connection to one server: kept, shared or new.
pub(super) enum Way {
    Http1(Single),
    Http2 {
        shared: Shared,
        stream: Stream,
        sending: Option<SendStream<Bytes>>,
        response: Option<ResponseFuture>,
    },
}

impl Way {
    /// One that was kept.
    pub(super) fn kept(
        server: &Server,
        upstream: &Upstream,
        freshness: Freshness,
        now: Instant,
    ) -> Option<Way> {
        match upstream.protocol {
            Protocol::H1 if freshness == Freshness::New => None,
            Protocol::H1 => server.pool.take(now).map(Way::Http1),
            Protocol::H2 => Self::shared(&server.pool, freshness, now),
        }
    }

    fn shared(pool: &Pool, freshness: Freshness, now: Instant) -> Option<Way> {
        let (shared, stream) = pool.share(freshness, now)?;
        Some(Way::http2(shared, stream))
    }

    /// Opens a connection, or shares the one that somebody opened in the meantime; and whether it was used before.
    pub(super) async fn open(
        edge: &Edge,
        state: &State,
        server: &Arc<Server>,
        freshness: Freshness,
        now: Instant,
    ) -> Result<(Way, bool), ConnectFault> {
        if state.upstream.protocol == Protocol::H1 {
            return Ok((Self::fresh(edge, state, server).await?, false));
        }
        // As long as whoever has the turn, who has a deadline.
        let mut turn = server.pool.turn().lock().await;
        if let Some(way) = Self::shared(&server.pool, freshness, now) {
            return Ok((way, true));
        }
        match &*turn {
            Some((at, fault)) if *at >= now => return Err(fault.clone()),
            _ => {}
        }
        let opened = Self::fresh(edge, state, server).await;
        *turn = opened
            .as_ref()
            .err()
            .map(|fault| (Instant::now(), fault.clone()));
        Ok((opened?, false))
    }

    async fn fresh(edge: &Edge, state: &State, server: &Arc<Server>) -> Result<Way, ConnectFault> {
        let upstream = &state.upstream;
        let addresses = edge.names.addresses(&server.address);
        if addresses.is_empty() {
            return Err(ConnectFault::Refused("the name is not resolved".into()));
        }
        let began = Instant::now();
        server.try_alone(began, upstream.connect_timeout);
        let mut trial = Trial {
            edge,
            state,
            server,
            began,
            address: None,
        };
        let way = trial.way(&addresses).await;
        trial.end();
        let way = way?;
        tell_used(edge, state, server, server.welcome());
        Ok(way)
    }

    fn http2(shared: Shared, stream: Stream) -> Self {
        Self::Http2 {
            shared,
            stream,
            sending: None,
            response: None,
        }
    }
}

/// A server from which a connection is wanted. Whoever waits for one may give up long before the server's own deadline: the
/// next one shall not wait as long for the same.
struct Trial<'t> {
    edge: &'t Edge,
    state: &'t State,
    server: &'t Server,
    began: Instant,
    /// The one of its addresses that is waited for.
    address: Option<SocketAddr>,
}

/// The part of `connect_timeout` after which a server that was given up is passed over.
const GIVEN_UP_AFTER: u32 = 4;
/// Why such a server is passed over.
const GIVEN_UP: &str = "no connection until nobody waited for it";

impl Trial<'_> {
    /// A connection that requests can take.
    async fn way(&mut self, addresses: &[SocketAddr]) -> Result<Way, ConnectFault> {
        let (opened, address) = self.open(addresses).await?;
        let upstream = &self.state.upstream;
        if upstream.protocol == Protocol::H1 {
            let (reader, writer) = match opened {
                Opened::Plain(stream) => connection::split_plain(stream, upstream.idle_timeout),
                Opened::Tls(stream) => connection::split_tls(*stream, upstream.idle_timeout),
            };
            return Ok(Way::Http1(Single {
                reader,
                writer,
                address,
            }));
        }
        let (sender, is_alive) = connect::http2(opened, upstream).await?;
        let shared = Shared::new(sender, is_alive, address, upstream.keepalive_timeout);
        let stream = shared.open();
        self.server.pool.add(shared.clone());
        Ok(Way::http2(shared, stream))
    }

    /// A connection to the first of the addresses that takes one.
    async fn open(
        &mut self,
        addresses: &[SocketAddr],
    ) -> Result<(Opened, SocketAddr), ConnectFault> {
        let Self {
            edge,
            state,
            server,
            ..
        } = *self;
        let upstream = &state.upstream;
        let tried = server
            .shunned
            .order(addresses, self.began, upstream.connect_timeout);
        let mut opened = Err(ConnectFault::Timeout);
        for address in tried {
            self.address = Some(address);
            match state.connector.open(edge.shares, upstream, address).await {
                Ok(stream) => {
                    server.shunned.remove(address);
                    opened = Ok((stream, address));
                    break;
                }
                // The address is not at fault, and no other will do.
                Err(fault @ ConnectFault::Exhausted(_)) => {
                    opened = Err(fault);
                    break;
                }
                Err(fault) => {
                    self.shun(address);
                    opened = Err(fault);
                }
            }
        }
        self.address = None;
        opened
    }

    /// Notes that an address took no connection.
    fn shun(&self, address: SocketAddr) {
        let (shunned, span) = (&self.server.shunned, self.state.upstream.retry_after);
        shunned.add(address, Instant::now(), span);
    }

    /// It took the connection, or whoever asked hears why not.
    fn end(self) {
        std::mem::forget(self);
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if self.began.elapsed() >= self.state.upstream.connect_timeout / GIVEN_UP_AFTER {
            if let Some(address) = self.address {
                self.shun(address);
            }
            pass_over(self.edge, self.state, self.server, &GIVEN_UP);
        }
    }
}

/// Tells that a server is used again, where that is new.
pub(super) fn tell_used(edge: &Edge, state: &State, server: &Server, change: Change) {
    if change == Change::Changed {
        edge.tell_used(&state.upstream.name, &server.label);
    }
}

/// Notes that a server took no connection, and why.
pub(super) fn pass_over(edge: &Edge, state: &State, server: &Server, why: &dyn fmt::Display) {
    let upstream = &state.upstream;
    if server.pass_over(Instant::now(), upstream.retry_after) == Change::Changed {
        edge.tell_passed_over(&upstream.name, &server.label, why);
    }
}
