//! The link of one exchange: a server that was chosen, a connection to it, and the request's head written.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::answers::Answers;
use super::connect::ConnectFault;
use super::order::Order;
use super::pool::{Freshness, Single};
use super::registry::State;
use super::server::{InFlight, Server};
use super::way::{Way, pass_over, tell_used};
use crate::config::model::Upstream;
use crate::proxy::connection::{Reader, Writer};
use crate::proxy::edge::Edge;
use crate::proxy::entropy;
use crate::proxy::http2::Http2Outlet;
use crate::proxy::relay::Outlet;
use crate::telemetry::Counted;
use crate::traffic::{self, Standing};
use crate::wire::head::Framing;

/// Servers that one request asks before it gives up.
const SERVERS_TRIED_MAX: usize = 3;

/// A connection to one server, for one exchange.
pub(in crate::proxy) struct Link {
    in_flight: InFlight,
    state: Arc<State>,
    way: Way,
    _counted: Counted,
    /// Whether the connection was used before: it may have died in the meantime.
    pub(in crate::proxy) is_reused: bool,
}

/// Why there is no link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::proxy) enum LinkFault {
    /// No server took a connection.
    Unavailable(String),
    /// The last server took too long.
    Timeout,
    /// The process can have no more connections: no server is to blame.
    Exhausted(String),
}

/// Why a request's head cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::proxy) enum StartFault {
    /// The protocol cannot say it.
    Unsayable,
    /// The connection takes no more requests.
    Gone,
}

impl Link {
    /// Chooses a server and connects to it; the next one where it refuses.
    pub(in crate::proxy) async fn find(
        edge: &Edge,
        upstream: &Arc<Upstream>,
        freshness: Freshness,
        now: Instant,
    ) -> Result<Self, LinkFault> {
        let state = edge.upstreams.state(upstream, edge);
        let mut tried: SmallVec<[usize; SERVERS_TRIED_MAX]> = SmallVec::new();
        let mut fault = None;
        while tried.len() < SERVERS_TRIED_MAX {
            let Some(at) = choose(&state, &tried, now) else {
                break;
            };
            let server = &state.servers[at];
            let refused = match Self::to(edge, &state, server, freshness, now).await {
                Ok(link) => return Ok(link),
                Err(ConnectFault::Exhausted(detail)) => return Err(LinkFault::Exhausted(detail)),
                Err(refused) => refused,
            };
            tried.push(at);
            pass_over(edge, &state, server, &refused);
            fault = Some(match refused {
                ConnectFault::Timeout => LinkFault::Timeout,
                refused => LinkFault::Unavailable(format!("{}: {refused}", server.label)),
            });
        }
        Err(fault.unwrap_or_else(|| LinkFault::Unavailable("no server is left".into())))
    }

    async fn to(
        edge: &Edge,
        state: &Arc<State>,
        server: &Arc<Server>,
        freshness: Freshness,
        now: Instant,
    ) -> Result<Self, ConnectFault> {
        let in_flight = InFlight::on(server);
        let upstream = &state.upstream;
        let (way, is_reused) = match Way::kept(server, upstream, freshness, now) {
            Some(way) => (way, true),
            // Boxed: handshakes need much room, and most requests need none.
            None => Box::pin(Way::open(edge, state, server, freshness, now)).await?,
        };
        Ok(Self {
            in_flight,
            _counted: state.counts.active(),
            state: state.clone(),
            way,
            is_reused,
        })
    }

    /// The server.
    pub(in crate::proxy) fn server(&self) -> &Arc<Server> {
        self.in_flight.server()
    }

    /// Writes the request's head and says where its body goes and where its answer comes from.
    pub(in crate::proxy) fn start(
        &mut self,
        order: &Order<'_>,
    ) -> Result<(Outlet<'_>, Answers<'_>), StartFault> {
        let authority = order
            .authority
            .map_or_else(|| self.own_authority().into(), Cow::Borrowed);
        let authority = &*authority;
        let to_head = order.method == "HEAD";
        match &mut self.way {
            Way::Http1(Single { reader, writer, .. }) => {
                writer.begin();
                order.write_head(&mut writer.pending, authority);
                let outlet = match order.framing {
                    Framing::Chunked => Outlet::Chunked(writer),
                    _ => Outlet::Plain(writer),
                };
                Ok((outlet, Answers::http1(reader, to_head)))
            }
            Way::Http2 {
                shared,
                stream: counted,
                sending,
                response,
            } => {
                let head = order.http2_head(authority, self.state.upstream.tls.is_some());
                let head = head.ok_or(StartFault::Unsayable)?;
                let is_empty = order.framing.is_empty();
                let sent = shared.sender.send_request(head, is_empty);
                let (future, stream) = sent.map_err(|error| {
                    // Streams on it go on; nobody else begins one.
                    if error.is_go_away() || error.is_io() {
                        shared.retire();
                    }
                    StartFault::Gone
                })?;
                let outlet = Outlet::Http2(Http2Outlet {
                    stream: if is_empty {
                        None
                    } else {
                        Some(sending.insert(stream))
                    },
                    patience: self.state.upstream.idle_timeout,
                });
                Ok((
                    outlet,
                    Answers::http2(response.insert(future), counted, to_head),
                ))
            }
        }
    }

    /// Whether a byte of the request left.
    pub(in crate::proxy) fn has_written(&self) -> bool {
        match &self.way {
            Way::Http1(single) => single.writer.has_written(),
            Way::Http2 { response, .. } => response.is_some(),
        }
    }

    /// The halves of an HTTP/1 connection, for a tunnel.
    pub(in crate::proxy) fn http1(&mut self) -> Option<(&mut Reader, &mut Writer)> {
        match &mut self.way {
            Way::Http1(single) => Some((&mut single.reader, &mut single.writer)),
            Way::Http2 { .. } => None,
        }
    }

    /// Tells that `waited` brought no answer. HTTP/1 connections are dropped anyway.
    pub(in crate::proxy) fn unanswered(&self, waited: Duration) {
        let upstream = &self.state.upstream;
        let long = upstream.connect_timeout.min(upstream.response_timeout);
        if let Way::Http2 { shared, stream, .. } = &self.way
            && waited >= long
        {
            self.server().pool.doubt(shared, stream);
        }
    }

    /// Keeps the connection of an exchange that ended in order. HTTP/2 connections are kept anyway.
    pub(in crate::proxy) fn keep(self, edge: &Edge, now: Instant) {
        let change = self.server().answered(now);
        tell_used(edge, &self.state, self.server(), change);
        // Bytes behind the answer belong to no request.
        if let Way::Http1(single) = self.way
            && single.reader.buffer.is_empty()
        {
            let (pool, state) = (&self.in_flight.server().pool, &self.state);
            pool.put(single, now, &state.upstream, state.counts.idle());
        }
    }

    fn own_authority(&self) -> String {
        match &self.state.upstream.tls {
            Some(tls) => tls.name.to_string(),
            None => self.server().address.to_string(),
        }
    }
}

fn choose(state: &State, tried: &[usize], now: Instant) -> Option<usize> {
    if state.servers.len() == 1 {
        return tried.is_empty().then_some(0);
    }
    let candidates: SmallVec<[traffic::Candidate; 16]> = state
        .servers
        .iter()
        .enumerate()
        .map(|(at, server)| {
            let mut candidate = server.candidate(now);
            if tried.contains(&at) {
                candidate.standing = Standing::Tried;
            }
            candidate
        })
        .collect();
    traffic::choose(&candidates, entropy::word())
}
