//! What a connection of HTTP/2 may not do: ended, reset or told of. It is spoken frame by frame where no library would say
//! it.

use std::time::{Duration, Instant};

use http::Request;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::yield_now;

use super::house::{House, Upstream, Wire};
use super::http2;
use crate::gate::Reason;
use crate::proxy::http2::STREAMS_TOGETHER;

/// Nothing here is to last as long as the defaults, which are 10 seconds and more.
const SOON: Duration = Duration::from_secs(5);

/// Types of frames (RFC 9113 §6).
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// What ends a connection or a stream (RFC 9113 §7).
const PROTOCOL_ERROR: u32 = 1;
const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;
/// `GET http://a/`, in HPACK (RFC 7541): three of the static table, and the authority as a literal.
const BLOCK: [u8; 6] = [0x82, 0x86, 0x84, 0x41, 1, b'a'];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [&head, &stream.to_be_bytes()[..], payload].concat()
}

/// A connection that has begun in order.
async fn begun(house: &House) -> Wire {
    let mut client = house.client().await;
    client.say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    client.say(frame(SETTINGS, 0, 0, &[])).await;
    client
}

/// The code that a frame of `kind` carries; of a GOAWAY the last four of its eight bytes.
fn code(frames: &[u8], kind: u8, stream: u32) -> Option<u32> {
    let mut rest = frames;
    while let Some((head, tail)) = rest.split_at_checked(9) {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let (payload, tail) = tail.split_at_checked(length as usize)?;
        let on = u32::from_be_bytes(head[5..9].try_into().unwrap());
        if (head[3], on) == (kind, stream) {
            let last = if kind == GOAWAY {
                &payload[4..8]
            } else {
                payload
            };
            return Some(u32::from_be_bytes(last.try_into().unwrap()));
        }
        rest = tail;
    }
    None
}

#[tokio::test]
async fn a_preface_that_does_not_end_is_closed() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "handshake_timeout = \"200ms\"", "").await;
    for said in ["PRI", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r"] {
        let began = Instant::now();
        let mut client = house.client().await;
        client.say(said).await;
        assert_eq!(client.rest().await, "", "{said}");
        assert!(began.elapsed() < SOON, "{said}");
    }
}

#[tokio::test]
async fn a_head_of_http2_that_does_not_end_is_closed() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "idle_timeout = \"200ms\"", "").await;
    let began = Instant::now();
    let mut client = begun(&house).await;
    client.say(frame(HEADERS, END_STREAM, 1, &BLOCK)).await;
    client.bytes().await;
    assert!(began.elapsed() < SOON);
}

#[tokio::test]
async fn streams_that_are_reset_at_once_end_the_connection() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = begun(&house).await;
    let mut flood = Vec::new();
    for stream in (1..2000).step_by(2) {
        flood.extend(frame(HEADERS, END_STREAM | END_HEADERS, stream, &BLOCK));
        flood.extend(frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
    }
    let _closed_already = client.tcp.write_all(&flood).await;
    let told = client.bytes().await;
    // What was told is lost where the end overtook it; what was counted is not.
    if let Some(code) = code(&told, GOAWAY, 0) {
        assert_eq!(code, ENHANCE_YOUR_CALM);
    }
    assert_eq!(house.refusals(Reason::RequestMalformed), 1);
}

#[tokio::test]
async fn a_head_without_end_in_many_frames_ends_the_connection() {
    const MEGABYTES_MAX: usize = 16;
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = begun(&house).await;
    client.say(frame(HEADERS, END_STREAM, 1, &BLOCK)).await;
    // A literal that is never indexed: `x: ` and 120 letters, again and again.
    let field = [&[0x10, 1, b'x', 120][..], &[b'y'; 120]].concat();
    let more = frame(CONTINUATION, 0, 1, &field.repeat(130));
    let mut sent = 0;
    while client.tcp.write_all(&more).await.is_ok() {
        sent += more.len();
        assert!(sent < MEGABYTES_MAX << 20, "{sent} bytes of one head");
        yield_now().await;
    }
    client.bytes().await;
    assert_eq!(house.refusals(Reason::RequestMalformed), 1);
}

#[tokio::test]
async fn more_streams_than_are_allowed_are_refused() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "http2_streams_max = 2", "").await;
    let mut client = begun(&house).await;
    for stream in [1, 3, 5] {
        let open = frame(HEADERS, END_STREAM | END_HEADERS, stream, &BLOCK);
        client.say(open).await;
    }
    let _first = upstream.accept().await;
    let _second = upstream.accept().await;
    client.hush().await;
    let told = client.bytes().await;
    assert_eq!(code(&told, RST_STREAM, 5), Some(REFUSED_STREAM), "{told:?}");
}

#[tokio::test]
async fn a_connection_that_breaks_http2_is_told_of_as_malformed() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut client = begun(&house).await;
    // SETTINGS belong to no stream (RFC 9113 §6.5).
    client.say(frame(SETTINGS, 0, 1, &[])).await;
    let told = client.bytes().await;
    assert_eq!(code(&told, GOAWAY, 0), Some(PROTOCOL_ERROR));
    assert_eq!(house.refusals(Reason::RequestMalformed), 1);
    // Whoever hangs up breaks nothing.
    drop(begun(&house).await);
    let mut other = begun(&house).await;
    other.say(frame(GOAWAY, 0, 0, &[0; 8])).await;
    other.hush().await;
    other.bytes().await;
    assert_eq!(house.refusals(Reason::RequestMalformed), 1);
}

#[tokio::test]
async fn a_stream_that_the_library_refuses_is_told_of_once() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "header_bytes_max = \"256B\"", "").await;
    let mut client = begun(&house).await;
    // No `:path`; then a connection-specific field (RFC 9113 §8.2.2, §8.3.1).
    let pathless = [0x82, 0x86, 0x41, 1, b'a'];
    let upgrade = [&BLOCK[..], &[0x10, 7], b"upgrade", &[1, b'x']].concat();
    for (stream, block) in [(1, &pathless[..]), (3, &upgrade)] {
        client
            .say(frame(HEADERS, END_STREAM | END_HEADERS, stream, block))
            .await;
    }
    // Beyond what is decoded: `x: ` and 120 letters, again and again.
    let field = [&[0x10, 1, b'x', 120][..], &[b'y'; 120]].concat();
    let block = [&BLOCK[..], &field.repeat(20)].concat();
    client
        .say(frame(HEADERS, END_STREAM | END_HEADERS, 5, &block))
        .await;
    // The connection goes on.
    client
        .say(frame(HEADERS, END_STREAM | END_HEADERS, 7, &BLOCK))
        .await;
    let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let (_server, _) = upstream.answer(answer).await;
    client.hush().await;
    let told = client.bytes().await;
    for stream in [1, 3] {
        let reset = code(&told, RST_STREAM, stream);
        assert_eq!(reset, Some(PROTOCOL_ERROR), "{stream}");
    }
    assert_eq!(house.refusals(Reason::RequestMalformed), 2);
    assert_eq!(house.refusals(Reason::HeadersTooLarge), 1);
}

#[tokio::test]
async fn a_head_far_over_the_limit_is_refused_with_a_reason_too() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "header_bytes_max = \"4KiB\"", "").await;
    let tcp = TcpStream::connect(house.address).await.unwrap();
    let (sender, connection) = h2::client::handshake(tcp).await.unwrap();
    tokio::spawn(connection);
    let mut sender = sender.ready().await.unwrap();
    let mut get = Request::get("http://a/x").body(()).unwrap();
    get.headers_mut()
        .insert("x", "x".repeat(12_000).parse().unwrap());
    let (response, _) = sender.send_request(get, true).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.status(), 431);
    assert!(response.headers().contains_key("x-request-id"));
    assert_eq!(house.refusals(Reason::HeadersTooLarge), 1);
}

#[tokio::test]
async fn a_client_that_takes_back_all_that_it_asks_for_is_left() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut sender = http2::client(&house).await;
    let get = || Request::get("http://a/x").body(()).unwrap();
    for _ in 1..STREAMS_TOGETHER {
        sender = sender.ready().await.unwrap();
        let (_, mut stream) = sender.send_request(get(), true).unwrap();
        while house.edge.in_flight() == 0 {
            yield_now().await;
        }
        stream.send_reset(h2::Reason::CANCEL);
        while house.edge.in_flight() > 0 {
            yield_now().await;
        }
    }
    let (answer, _) = sender.send_request(get(), true).unwrap();
    assert!(answer.await.is_err(), "the connection is over");
    assert_eq!(house.refusals(Reason::RequestMalformed), 1);
}
