//! An HTTP/2 connection of a client: one task for the connection, one for each stream. What a stream asks, `request` knows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use h2::server::Builder;
use pingora_core::protocols::Stream;
use pingora_core::server::ShutdownWatch;
use pingora_timeout::tokio_timeout as timeout;
use tokio::time::Instant as Moment;

use super::request::{self, Fate};
use super::storm::Storm;
use super::watched::{Fault, Streams, Watched};
use crate::gate::{Reason, Refusal};
use crate::proxy::alarm::Alarm;
use crate::proxy::client::{Client, Incoming, renew};
use crate::proxy::edge::Edge;
use crate::proxy::stop::stopped;
use crate::proxy::turn;
use crate::wire::Version;

/// What a client may send on one stream before we take it.
const STREAM_WINDOW_BYTES: u32 = 128 << 10;
/// What a client may send on one connection before we take it: streams that stand still stop no other until there are 32.
const CONNECTION_WINDOW_BYTES: u32 = 32 * STREAM_WINDOW_BYTES;
/// What may wait of small DATA frames, 256 bytes for each: a stream's window of messages of a few bytes.
const SMALL_FRAMES_BYTES: usize = 4 << 20;
/// Bytes kept for one stream whose client gives no room.
const SEND_BUFFER_BYTES: usize = 128 << 10;
/// Streams that a client reset and that we have not seen yet (CVE-2023-44487).
const PENDING_RESETS_MAX: usize = 20;
/// Streams that we reset and still remember.
const RESETS_REMEMBERED_MAX: usize = 20;
/// Streams of a client that are so broken that we reset them, before the connection ends (CVE-2025-8671).
const BROKEN_STREAMS_MAX: usize = 100;
/// A head over the listener's limit but below this many times it is answered; beyond, the library refuses it unseen.
const HEADER_LIST_FACTOR: usize = 4;
/// What is wrong with a connection that only makes work.
const FOR_NOTHING: &str = "HTTP/2: too much of what is for nothing";
/// How long a connection on which nothing moves may take to say goodbye when the process stops.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);

/// Serves a connection until its end.
pub(in crate::proxy) async fn serve(
    edge: &Arc<Edge>,
    client: &Arc<Client>,
    stream: Stream,
    mut shutdown: ShutdownWatch,
) {
    let mut client = client.clone();
    let streams = Arc::new(Streams::new());
    let handshake = builder(&client).handshake(watched(edge, &client, stream, &streams));
    let mut connection = match timeout(client.listener.handshake_timeout, handshake).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return broken(edge, &client, &error),
        Err(_) => return,
    };
    let [open, taken_back] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let mut storm = Storm::new();
    let _counted = client.to_end(edge);
    let (mut is_leaving, mut stops) = (false, false);
    let mut look_at = Moment::now() + client.listener.idle_timeout;
    let mut alarm = Alarm::new(look_at);
    loop {
        tokio::select! {
            biased;
            accepted = connection.accept() => match accepted {
                Some(Ok((_, respond))) if !streams.take(respond.stream_id().as_u32()) => {}
                Some(Ok(_)) if storm.grows(taken_back.load(Ordering::Relaxed)) => {
                    connection.abrupt_shutdown(h2::Reason::ENHANCE_YOUR_CALM);
                    tell(edge, &client, &Refusal::new(Reason::RequestMalformed, FOR_NOTHING), 0);
                }
                Some(Ok((request, respond))) => {
                    renew(&mut client, edge);
                    let (open, taken_back) = (Open::one(&open), taken_back.clone());
                    let (edge, client) = (edge.clone(), client.clone());
                    // In its own room before it is spawned: the runtime moves what it gets four times.
                    tokio::spawn(Box::pin(async move {
                        if request::serve(&edge, &client, request, respond).await == Fate::TakenBack {
                            taken_back.fetch_add(1, Ordering::Relaxed);
                        }
                        drop(open);
                    }));
                }
                Some(Err(error)) => return broken(edge, &client, &error),
                None => return,
            },
            () = stopped(&mut shutdown), if !stops => {
                (is_leaving, stops) = (true, true);
                connection.graceful_shutdown();
                look_at = Moment::now() + GOODBYE_TIMEOUT;
            }
            () = alarm.at(look_at) => {
                let span = match stops {
                    true => GOODBYE_TIMEOUT,
                    false => client.listener.idle_timeout,
                };
                look_at = match busy_until(&open, &streams, span) {
                    Some(until) => until,
                    None if is_leaving => return,
                    None => {
                        // What crosses it on its way is served yet (RFC 9113 §6.8).
                        is_leaving = true;
                        connection.graceful_shutdown();
                        Moment::now() + span
                    }
                };
            }
        }
    }
}

/// Until when a connection is not idle, at the least; `None` when it is: no stream is served, and nothing that was
/// answered left for `span`.
fn busy_until(open: &AtomicUsize, streams: &Streams, span: Duration) -> Option<Moment> {
    let now = Moment::now();
    let moved_until = streams.moved_at() + span;
    if moved_until > now {
        return Some(moved_until);
    }
    (open.load(Ordering::Relaxed) > 0).then(|| now + span)
}

fn builder(client: &Client) -> Builder {
    let listener = &client.listener;
    let header_list = listener.header_bytes_max * HEADER_LIST_FACTOR;
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(listener.http2_streams_max)
        .max_header_list_size(u32::try_from(header_list).unwrap_or(u32::MAX))
        .initial_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .data_frame_budget(SMALL_FRAMES_BYTES)
        .max_send_buffer_size(SEND_BUFFER_BYTES)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_concurrent_reset_streams(RESETS_REMEMBERED_MAX)
        .max_local_error_reset_streams(Some(BROKEN_STREAMS_MAX));
    builder
}

/// Tells of a connection that ends because its client broke the protocol: there is no stream to answer on.
fn broken(edge: &Edge, client: &Client, error: &h2::Error) {
    // Whoever hangs up, or ends the connection by a frame, breaks no rule.
    if !error.is_library() {
        return;
    }
    let detail = match error.reason() {
        Some(h2::Reason::ENHANCE_YOUR_CALM) => FOR_NOTHING,
        _ => "HTTP/2: the protocol was broken",
    };
    let refusal = Refusal::new(Reason::RequestMalformed, detail);
    tell(edge, client, &refusal, 0);
}

fn tell(edge: &Edge, client: &Client, refusal: &Refusal, status: u16) {
    let mut incoming = Incoming::unread(client, Instant::now());
    incoming.head.version = Version::Http2;
    turn::tell_unread(edge, client, &incoming, refusal, status);
}

/// The connection, with what the library refuses by itself told of.
fn watched(
    edge: &Arc<Edge>,
    client: &Arc<Client>,
    stream: Stream,
    streams: &Arc<Streams>,
) -> Watched<impl Fn(u32, Fault) + Unpin + use<>> {
    let (edge, client, handed) = (edge.clone(), client.clone(), streams.clone());
    Watched::new(stream, streams.clone(), move |id, fault| {
        if !handed.refuse(id) {
            return;
        }
        let (reason, detail, status) = match fault {
            Fault::Malformed => (Reason::RequestMalformed, "HTTP/2: a head that is none", 0),
            Fault::TooLarge => (
                Reason::HeadersTooLarge,
                "HTTP/2: the head is far over the listener's limit",
                431,
            ),
        };
        tell(&edge, &client, &Refusal::new(reason, detail), status);
    })
}

/// One open stream, until it is dropped.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn one(streams: &Arc<AtomicUsize>) -> Self {
        streams.fetch_add(1, Ordering::Relaxed);
        Self(streams.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
