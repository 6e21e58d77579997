//! Unused connections to one server. A lane for each worker, since a connection is served best by the thread whose
//! reactor it is on; whoever puts the first one in a lane starts its sweeper, which ends with the last one.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::connect::ConnectFault;
use super::shared::{Shared, Stream};
use crate::config::model::{ServerAddress, Upstream};
use crate::control::Names;
use crate::proxy::connection::{Reader, Writer};
use crate::telemetry::Counted;

/// Lanes; workers beyond share them.
const LANES: usize = 16;
/// How often a lane is swept.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// HTTP/2 connections to one server, per worker.
pub(in crate::proxy) const HTTP2_CONNECTIONS_MAX: usize = 8;

/// Unused connections to one server.
pub(super) struct Pool {
    server: ServerAddress,
    /// Who knows where it is.
    names: Arc<Names>,
    lanes: [Mutex<Lane>; LANES],
    /// Who may open a shared connection, one at a time in a lane: those who come together share it, or why there is none.
    turns: [Turn; LANES],
}

/// The turn to open a shared connection, and what came of the last one if that was none.
pub(super) type Turn = tokio::sync::Mutex<Option<(Instant, ConnectFault)>>;

#[derive(Default)]
struct Lane {
    http1: VecDeque<Idle>,
    http2: Vec<Shared>,
    is_swept: bool,
}

/// An HTTP/1 connection, which has one request at a time.
pub(super) struct Single {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    /// Where it leads.
    pub(super) address: SocketAddr,
}

/// One that waits.
struct Idle {
    single: Single,
    until: Instant,
    _counted: Counted,
}

/// Which connections may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::proxy) enum Freshness {
    /// Kept ones too.
    Any,
    /// Those alone that were opened since one was looked for.
    New,
}

impl Pool {
    /// That of a server; empty.
    pub(super) fn of(server: ServerAddress, names: Arc<Names>) -> Arc<Self> {
        Arc::new(Self {
            server,
            names,
            lanes: Default::default(),
            turns: Default::default(),
        })
    }

    fn lane(&self) -> &Mutex<Lane> {
        &self.lanes[lane_of_this_thread()]
    }

    /// The connection that was used last, if it is still good.
    pub(super) fn take(&self, now: Instant) -> Option<Single> {
        let mut lane = lock(self.lane());
        loop {
            let mut idle = lane.http1.pop_back()?;
            if now < idle.until && idle.single.reader.is_quiet() {
                return Some(idle.single);
            }
        }
    }

    /// Keeps a connection as long as the upstream's terms say, and as many.
    pub(super) fn put(
        self: &Arc<Self>,
        single: Single,
        now: Instant,
        terms: &Upstream,
        counted: Counted,
    ) {
        let mut lane = lock(self.lane());
        if terms.keepalive_max == 0 {
            return;
        }
        if lane.http1.len() >= terms.keepalive_max {
            lane.http1.pop_front();
        }
        lane.http1.push_back(Idle {
            single,
            until: now + terms.keepalive_timeout,
            _counted: counted,
        });
        self.sweep_from_now(&mut lane);
    }

    /// Who may open a shared connection here.
    pub(super) fn turn(&self) -> &Turn {
        &self.turns[lane_of_this_thread()]
    }

    /// A shared connection with room for one more stream, for whoever has looked for one since `since`; or any, when no more
    /// may be opened.
    pub(super) fn share(&self, freshness: Freshness, since: Instant) -> Option<(Shared, Stream)> {
        let lane = lock(self.lane());
        let alive = || lane.http2.iter().filter(|shared| shared.is_alive());
        let is_fresh = |shared: &Shared| freshness == Freshness::Any || shared.opened_at >= since;
        let will_do = |shared: &&Shared| is_fresh(shared) && shared.has_room();
        let shared = alive().find(will_do).or_else(|| {
            (alive().count() >= HTTP2_CONNECTIONS_MAX)
                .then(|| alive().min_by_key(|shared| shared.streams()))?
        })?;
        Some((shared.clone(), shared.open()))
    }

    /// Lets nobody share a connection any more that left `stream` without an answer, and everybody since: it may have died
    /// without a word, and a new one finds out. What is under way on it goes on. Servers that are only slow do not have it
    /// that there are more and more connections to them.
    pub(super) fn doubt(&self, shared: &Shared, stream: &Stream) {
        let lane = lock(self.lane());
        if stream.is_alone_with_silence() && lane.http2.len() < HTTP2_CONNECTIONS_MAX {
            shared.retire();
        }
    }

    /// Lets others share a new connection.
    pub(super) fn add(self: &Arc<Self>, shared: Shared) {
        let mut lane = lock(self.lane());
        lane.http2.push(shared);
        self.sweep_from_now(&mut lane);
    }

    fn sweep_from_now(self: &Arc<Self>, lane: &mut Lane) {
        if !std::mem::replace(&mut lane.is_swept, true) {
            tokio::spawn(sweep(Arc::downgrade(self), lane_of_this_thread()));
        }
    }
}

impl Lane {
    /// Drops what is too old, was closed, or leads to none of the addresses that the server has now, where any is known; and
    /// the buffers of the rest. Whether nothing is left.
    fn sweep(&mut self, addresses: &[SocketAddr]) -> bool {
        let now = Instant::now();
        let is_home = |address: &SocketAddr| addresses.is_empty() || addresses.contains(address);
        self.http1.retain_mut(|idle| {
            let single = &mut idle.single;
            single.reader.rest();
            single.writer.rest();
            now < idle.until && is_home(&single.address) && single.reader.is_quiet()
        });
        self.http2.retain_mut(|shared| {
            if !is_home(&shared.address) {
                shared.retire();
            }
            shared.lives(now)
        });
        self.is_swept = !(self.http1.is_empty() && self.http2.is_empty());
        !self.is_swept
    }
}

async fn sweep(pool: Weak<Pool>, lane: usize) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let Some(pool) = pool.upgrade() else {
            return;
        };
        let addresses = pool.names.addresses(&pool.server);
        if lock(&pool.lanes[lane]).sweep(&addresses) {
            return;
        }
    }
}

fn lane_of_this_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static LANE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % LANES;
    }
    LANE.with(|lane| *lane)
}

/// A lane stays sound when a thread panics while it holds it: every change is one call.
fn lock(lane: &Mutex<Lane>) -> std::sync::MutexGuard<'_, Lane> {
    lane.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use tokio::net::{TcpListener, TcpStream};

    use super::{Idle, Lane, Single};
    use crate::control::SystemClock;
    use crate::proxy::connection::split_plain;
    use crate::telemetry::Telemetry;

    #[tokio::test]
    async fn a_connection_to_where_a_name_was_before_is_let_go() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let elsewhere = SocketAddr::from(([192, 0, 2, 1], 1));
        let stream = TcpStream::connect(address).await.unwrap();
        let keep = Duration::from_secs(60);
        let (reader, writer) = split_plain(stream, keep);
        let telemetry = Telemetry::start(Arc::new(SystemClock::new()), [0; 32]).unwrap();
        let mut lane = Lane::default();
        lane.http1.push_back(Idle {
            single: Single {
                reader,
                writer,
                address,
            },
            until: Instant::now() + keep,
            _counted: telemetry.metrics().upstream("up").idle(),
        });
        let known: [&[SocketAddr]; 2] = [&[], &[elsewhere, address]];
        for addresses in known {
            assert!(!lane.sweep(addresses), "{addresses:?}");
        }
        assert!(lane.sweep(&[elsewhere]));
    }
}
