//! The loop of an HTTP/1.1 connection: wait, read a head under its deadline, serve it, and go on only where the next
//! byte is sure to begin a request (RFC 9112 §9.3).

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use pingora_core::server::ShutdownWatch;
use pingora_timeout::tokio_timeout as timeout;
use tokio::time::Instant as Moment;

use super::body::Http1Body;
use crate::gate::{Reason, Refusal};
use crate::proxy::alarm::Alarm;
use crate::proxy::answer::{Answer, Shape};
use crate::proxy::body::{Origin, Source};
use crate::proxy::client::{Client, Incoming, renew};
use crate::proxy::connection::{Reader, Writer, break_off, linger};
use crate::proxy::edge::{Edge, Serving};
use crate::proxy::stop::stopped;
use crate::proxy::turn::{self, DRAIN_BYTES_MAX};
use crate::traffic::Pace;
use crate::wire::head::{HeadLimits, HeadScanner, REQUEST_FIELDS_MAX, read_request};
use crate::wire::{RequestHead, Scheme, Version};

/// Requests that come within this time of one another share their room; a connection that is idle for longer holds none.
const CLOSE_TOGETHER: Duration = Duration::from_millis(100);
/// How long the rest of an unwanted body may take before the connection is closed instead of used again.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// What becomes of the connection.
enum Next {
    /// It waits for the next request.
    Request,
    /// It is closed once the client has the answer.
    Close,
    /// It is dropped: what was sent is no whole answer, as the client can see.
    Drop,
    /// It is broken off: the client would take its end for that of the answer.
    BreakOff,
}

/// Both halves of the connection, and the alarm for whoever waits on it.
struct Ends {
    reader: Reader,
    writer: Writer,
    alarm: Alarm,
}

/// Serves a connection until its end.
pub(in crate::proxy) async fn serve(
    edge: &Edge,
    client: &Arc<Client>,
    (reader, writer): (Reader, Writer),
    shutdown: ShutdownWatch,
) {
    let mut client = client.clone();
    let mut ends = Ends {
        reader,
        writer,
        alarm: Alarm::new(Moment::now() + client.listener.idle_timeout),
    };
    let mut leaving = shutdown.clone();
    // One wait for the stop for all requests: each wait has its place in a list that all connections share.
    let mut stops = pin!(stopped(&mut leaving));
    loop {
        if ends.reader.buffer.is_empty() {
            ends.reader.rest();
            ends.writer.rest();
            let _counted = waits(edge, &client);
            let came = tokio::select! {
                biased;
                came = ends.reader.fill() => matches!(came, Ok(1..)),
                () = ends.alarm.at(Moment::now() + client.listener.idle_timeout) => false,
                () = &mut stops => false,
            };
            if !came {
                // TLS has a word for it, by which the client knows that nothing was cut (RFC 8446 §6.1).
                return ends.writer.shut().await;
            }
        }
        let began = Instant::now();
        renew(&mut client, edge);
        let head = whole_head(&mut ends.reader, &client, began).await;
        // Boxed, so that a connection that waits does not hold the room that a request needs.
        let next = Box::pin(some(edge, &mut client, &mut ends, &shutdown, head, began)).await;
        match next {
            Next::Request => {}
            Next::Close => return linger(ends.reader, ends.writer).await,
            Next::Drop => return,
            Next::BreakOff => return break_off(ends.reader, ends.writer),
        }
    }
}

/// Serves the request of `head`, and others that follow closely.
async fn some(
    edge: &Edge,
    client: &mut Arc<Client>,
    ends: &mut Ends,
    shutdown: &ShutdownWatch,
    mut head: Result<BytesMut, Refusal>,
    mut began: Instant,
) -> Next {
    loop {
        let next = match head {
            Ok(bytes) => one(edge, client, ends, shutdown, bytes, began).await,
            Err(refusal) => {
                let shape = shape_unread(&ends.reader.buffer);
                let writer = &mut ends.writer;
                Box::pin(refused(edge, client, writer, shape, began, refusal)).await
            }
        };
        let goes_on = matches!(next, Next::Request) && follows(edge, client, ends, began).await;
        if !goes_on {
            return next;
        }
        began = Instant::now();
        renew(client, edge);
        head = whole_head(&mut ends.reader, client, began).await;
    }
}

/// Counts a connection that waits for a request, until the guard is dropped. In clear text there is no word for its end.
fn waits<'e>(edge: &'e Edge, client: &Client) -> Option<Serving<'e>> {
    match client.scheme {
        Scheme::Https => client.to_end(edge),
        Scheme::Http => None,
    }
}

/// Whether bytes come close behind the request that began at `began`.
async fn follows(edge: &Edge, client: &Client, ends: &mut Ends, began: Instant) -> bool {
    if !ends.reader.buffer.is_empty() {
        return true;
    }
    let _counted = waits(edge, client);
    tokio::select! {
        biased;
        came = ends.reader.fill() => matches!(came, Ok(1..)),
        () = ends.alarm.at(Moment::from_std(began) + CLOSE_TOGETHER) => false,
    }
}

/// Serves one request, whose head is `bytes`.
async fn one(
    edge: &Edge,
    client: &Client,
    ends: &mut Ends,
    shutdown: &ShutdownWatch,
    bytes: BytesMut,
    began: Instant,
) -> Next {
    let Ends {
        reader,
        writer,
        alarm,
    } = ends;
    let limits = HeadLimits {
        bytes_max: client.listener.header_bytes_max,
        fields_max: REQUEST_FIELDS_MAX,
    };
    let head = match read_request(&bytes, limits) {
        Ok(head) => head,
        Err(error) => {
            let shape = shape_unread(&bytes);
            return Box::pin(refused(edge, client, writer, shape, began, error.into())).await;
        }
    };
    let incoming = Incoming {
        head: RequestHead {
            version: head.version,
            scheme: client.scheme,
            method: head.method,
            target: head.target,
            authority: None,
            fields: &head.fields,
        },
        framing: head.framing,
        upgrade: head.upgrade,
        expects_continue: head.expects_continue,
        began,
    };
    let pace = Pace::new(client.listener.body_timeout, client.listener.body_rate_min);
    let body = Http1Body::new(reader, head.framing);
    let mut source = Source::new(Origin::Http1(body), Some(pace));
    let shape = Shape {
        version: head.version,
        to_head: head.method == "HEAD",
    };
    // Behind a request to switch, sound or not, the client may send what is no request.
    let may_stay = incoming.head.values("upgrade").next().is_none();
    let is_stopping = *shutdown.borrow() || edge.is_draining();
    let keep_alive = head.keep_alive && may_stay && !is_stopping;
    let mut answer = Answer::http1(writer, shape, keep_alive);
    turn::serve(edge, client, &incoming, &mut source, &mut answer, alarm).await;
    if !answer.is_finished() {
        return match answer.ends_by_close() {
            true => Next::BreakOff,
            false => Next::Drop,
        };
    }
    let goes_on = answer.keeps_alive()
        && (source.is_over() || Box::pin(source.drain(DRAIN_BYTES_MAX, DRAIN_TIMEOUT)).await);
    if goes_on { Next::Request } else { Next::Close }
}

/// Waits for the whole head.
async fn whole_head(
    reader: &mut Reader,
    client: &Client,
    began: Instant,
) -> Result<BytesMut, Refusal> {
    let deadline = client.listener.header_timeout;
    let bytes_max = client.listener.header_bytes_max;
    let mut scanner = HeadScanner::request();
    loop {
        if let Some(end) = scanner
            .find(&reader.buffer, bytes_max)
            .map_err(Refusal::from)?
        {
            return Ok(reader.take(end));
        }
        let left = deadline.saturating_sub(began.elapsed());
        match timeout(left, reader.fill()).await {
            Ok(Ok(1..)) => {}
            Ok(_) => {
                return Err(Refusal::new(
                    Reason::RequestMalformed,
                    "the connection ended within the head",
                ));
            }
            Err(_) => {
                return Err(Refusal::new(
                    Reason::RequestTimeout,
                    "the head came too slowly",
                ));
            }
        }
    }
}

/// What can be told of the answer to a head that cannot be read: one to HEAD has no content all the same.
fn shape_unread(head: &[u8]) -> Shape {
    Shape {
        version: Version::Http11,
        to_head: head.starts_with(b"HEAD "),
    }
}

async fn refused(
    edge: &Edge,
    client: &Client,
    writer: &mut Writer,
    shape: Shape,
    began: Instant,
    refusal: Refusal,
) -> Next {
    let incoming = Incoming::unread(client, began);
    let mut answer = Answer::http1(writer, shape, false);
    turn::refuse_unread(edge, client, &incoming, refusal, &mut answer).await;
    if answer.is_finished() {
        Next::Close
    } else {
        Next::Drop
    }
}
