//! Unused connections to one server. A lane for each worker, since a connection is served best by the thread whose
//! reactor it is on; whoever puts the first one in a lane starts its sweeper, which ends with the last one.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;

use super::connect::{ConnectFault, HTTP2_STREAMS_MAX};
use crate::config::model::{ServerAddress, Upstream};
use crate::control::Names;
use crate::proxy::connection::{Reader, Writer};
use crate::telemetry::{Counted, UpstreamHandle};

/// Lanes; workers beyond share them.
const LANES: usize = 16;
/// How often a lane is swept.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// HTTP/2 connections to one server, per worker.
pub(in crate::proxy) const HTTP2_CONNECTIONS_MAX: usize = 8;

/// Unused connections to one server.
#[derive(Default)]
pub(super) struct Pool {
    lanes: [Mutex<Lane>; LANES],
    /// Who may open a shared connection, one at a time in a lane: those who come together share it, or why there is none.
    turns: [Turn; LANES],
}

/// The turn to open a shared connection, and what came of the last one if that was none.
pub(super) type Turn = tokio::sync::Mutex<Option<(Instant, ConnectFault)>>;

/// Who knows where a server is, and the server.
pub(super) type Home<'h> = (&'h Arc<Names>, &'h ServerAddress);

#[derive(Default)]
struct Lane {
    http1: VecDeque<Idle>,
    http2: Vec<Shared>,
    is_swept: bool,
}

/// An HTTP/1 connection that waits.
pub(super) struct Idle {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    /// Where it leads.
    pub(super) address: SocketAddr,
    until: Instant,
    _counted: Counted,
}

/// An HTTP/2 connection that many requests share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) sender: SendRequest<Bytes>,
    /// Cleared once the connection is over.
    pub(super) is_alive: Arc<AtomicBool>,
    /// Where it leads.
    address: SocketAddr,
    streams: Arc<AtomicUsize>,
    answers: Arc<AtomicUsize>,
    opened_at: Instant,
    idle_since: Instant,
    keep: Duration,
}

/// One stream of a shared connection, until it is dropped.
pub(super) struct Stream {
    streams: Arc<AtomicUsize>,
    /// Answers that came over the connection, and how many had come when the stream was opened.
    answers: Arc<AtomicUsize>,
    answers_before: usize,
}

impl Stream {
    /// Its answer came.
    pub(super) fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the connection brought no answer to anybody since the stream was opened.
    fn is_alone_with_silence(&self) -> bool {
        self.answers.load(Ordering::Relaxed) == self.answers_before
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    pub(super) fn new(
        sender: SendRequest<Bytes>,
        is_alive: Arc<AtomicBool>,
        address: SocketAddr,
        keep: Duration,
    ) -> Self {
        let now = Instant::now();
        Self {
            sender,
            is_alive,
            address,
            streams: Arc::default(),
            answers: Arc::default(),
            opened_at: now,
            idle_since: now,
            keep,
        }
    }

    /// Takes one more stream, whether or not there is room for it.
    pub(super) fn open(&self) -> Stream {
        self.streams.fetch_add(1, Ordering::Relaxed);
        Stream {
            streams: self.streams.clone(),
            answers: self.answers.clone(),
            answers_before: self.answers.load(Ordering::Relaxed),
        }
    }

    fn has_room(&self) -> bool {
        let most = self
            .sender
            .current_max_send_streams()
            .min(HTTP2_STREAMS_MAX);
        self.streams.load(Ordering::Relaxed) < most
    }

    /// Whether it is worth keeping.
    fn lives(&mut self, now: Instant) -> bool {
        if self.streams.load(Ordering::Relaxed) > 0 {
            self.idle_since = now;
            // One that nobody shares any more counts for as long as it is used.
            return true;
        }
        self.is_alive.load(Ordering::Relaxed) && now < self.idle_since + self.keep
    }
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
    fn lane(&self) -> &Mutex<Lane> {
        &self.lanes[lane_of_this_thread()]
    }

    /// The connection that was used last, if it is still good.
    pub(super) fn take(&self, now: Instant) -> Option<Idle> {
        let mut lane = lock(self.lane());
        loop {
            let mut idle = lane.http1.pop_back()?;
            if now < idle.until && idle.reader.is_quiet() {
                return Some(idle);
            }
        }
    }

    /// Keeps a connection as long as the upstream's terms say, and as many.
    pub(super) fn put(
        self: &Arc<Self>,
        (reader, writer, address): (Reader, Writer, SocketAddr),
        now: Instant,
        (terms, counts): (&Upstream, &UpstreamHandle),
        home: Home<'_>,
    ) {
        let mut lane = lock(self.lane());
        if terms.keepalive_max == 0 {
            return;
        }
        if lane.http1.len() >= terms.keepalive_max {
            lane.http1.pop_front();
        }
        lane.http1.push_back(Idle {
            reader,
            writer,
            address,
            until: now + terms.keepalive_timeout,
            _counted: counts.idle(),
        });
        self.sweep_from_now(&mut lane, home);
    }

    /// Who may open a shared connection here.
    pub(super) fn turn(&self) -> &Turn {
        &self.turns[lane_of_this_thread()]
    }

    /// A shared connection with room for one more stream, for whoever has looked for one since `since`; or any, when no more
    /// may be opened.
    pub(super) fn share(&self, freshness: Freshness, since: Instant) -> Option<(Shared, Stream)> {
        let lane = lock(self.lane());
        let alive = || {
            lane.http2
                .iter()
                .filter(|shared| shared.is_alive.load(Ordering::Relaxed))
        };
        let is_fresh = |shared: &Shared| freshness == Freshness::Any || shared.opened_at >= since;
        let will_do = |shared: &&Shared| is_fresh(shared) && shared.has_room();
        let shared = alive().find(will_do).or_else(|| {
            (alive().count() >= HTTP2_CONNECTIONS_MAX)
                .then(|| alive().min_by_key(|shared| shared.streams.load(Ordering::Relaxed)))?
        })?;
        Some((shared.clone(), shared.open()))
    }

    /// Lets nobody share a connection any more that left `stream` without an answer, and everybody since: it may have died
    /// without a word, and a new one finds out. What is under way on it goes on. Servers that are only slow do not have it
    /// that there are more and more connections to them.
    pub(super) fn doubt(&self, shared: &Shared, stream: &Stream) {
        let lane = lock(self.lane());
        if stream.is_alone_with_silence() && lane.http2.len() < HTTP2_CONNECTIONS_MAX {
            shared.is_alive.store(false, Ordering::Relaxed);
        }
    }

    /// Lets others share a new connection.
    pub(super) fn add(self: &Arc<Self>, shared: Shared, home: Home<'_>) {
        let mut lane = lock(self.lane());
        lane.http2.push(shared);
        self.sweep_from_now(&mut lane, home);
    }

    fn sweep_from_now(self: &Arc<Self>, lane: &mut Lane, (names, server): Home<'_>) {
        if !std::mem::replace(&mut lane.is_swept, true) {
            let is_named = matches!(server, ServerAddress::Name { .. });
            let home = is_named.then(|| (names.clone(), server.clone()));
            tokio::spawn(sweep(Arc::downgrade(self), lane_of_this_thread(), home));
        }
    }
}

impl Lane {
    /// Drops what is too old, was closed, or leads to none of the addresses that the server's name has now, where it has
    /// one; and the buffers of the rest. Whether nothing is left.
    fn sweep(&mut self, addresses: Option<&[SocketAddr]>) -> bool {
        let now = Instant::now();
        let addresses = addresses.filter(|addresses| !addresses.is_empty());
        let is_home =
            |address: &SocketAddr| addresses.is_none_or(|addresses| addresses.contains(address));
        self.http1.retain_mut(|idle| {
            idle.reader.rest();
            idle.writer.rest();
            now < idle.until && is_home(&idle.address) && idle.reader.is_quiet()
        });
        self.http2.retain_mut(|shared| {
            if !is_home(&shared.address) {
                shared.is_alive.store(false, Ordering::Relaxed);
            }
            shared.lives(now)
        });
        self.is_swept = !(self.http1.is_empty() && self.http2.is_empty());
        !self.is_swept
    }
}

async fn sweep(pool: Weak<Pool>, lane: usize, home: Option<(Arc<Names>, ServerAddress)>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let Some(pool) = pool.upgrade() else {
            return;
        };
        let addresses = home.as_ref().map(|(names, server)| names.addresses(server));
        if lock(&pool.lanes[lane]).sweep(addresses.as_deref()) {
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

    use super::{Idle, Lane};
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
            reader,
            writer,
            address,
            until: Instant::now() + keep,
            _counted: telemetry.metrics().upstream("up").idle(),
        });
        let known: [Option<&[SocketAddr]>; 3] = [None, Some(&[]), Some(&[elsewhere, address])];
        for addresses in known {
            assert!(!lane.sweep(addresses), "{addresses:?}");
        }
        assert!(lane.sweep(Some(&[elsewhere])));
    }
}
