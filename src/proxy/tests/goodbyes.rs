//! How an HTTP/2 connection ends: nobody loses a request or the end of an answer by it.

use std::time::Duration;

use http::Request;
use tokio::io::AsyncReadExt;
use tokio::time::sleep;

use super::house::{House, Upstream, Wire};
use super::http2::client;

/// More than the system keeps for a client that reads nothing.
const LENGTH: usize = 16 << 20;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// HEADERS on stream 1: GET, http, `/`, and `a` as the authority.
const GET: [u8; 15] = [0, 0, 6, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x41, 1, b'a'];

/// A client that asked, and what it has read of an answer of [`LENGTH`] once the gate had all of that. It has all the room
/// that flow control can give, and says nothing more.
async fn held_up(house: &House, upstream: &Upstream) -> (Wire, Vec<u8>) {
    let mut client = Wire::to(house.address).await;
    let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff];
    let update = [0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0xff, 0, 0];
    let said = [PREFACE, &settings, &update, &GET].concat();
    client.say(said).await;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
    let (mut server, _) = upstream.answer(&head).await;
    tokio::spawn(async move { server.say("x".repeat(LENGTH)).await });
    let (mut read, mut room) = (Vec::new(), vec![0; 64 << 10]);
    while house.edge.in_flight() > 0 {
        let came = client.tcp.read(&mut room).await.unwrap();
        read.extend_from_slice(&room[..came]);
        tokio::task::yield_now().await;
    }
    (client, read)
}

/// How much content there is in frames, up to the end in order of a stream.
fn length(frames: &[u8]) -> Option<usize> {
    let (mut left, mut length) = (frames, 0);
    while let [a, b, c, kind, flags, _, _, _, _, rest @ ..] = left {
        let payload = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        if *kind == 0 {
            length += payload;
            if flags & 1 == 1 {
                return Some(length);
            }
        }
        left = rest.get(payload..)?;
    }
    None
}

#[tokio::test]
async fn a_request_that_crosses_a_goodbye_is_served() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "idle_timeout = \"200ms\"", "").await;
    let mut client = Wire::to(house.address).await;
    client.say(PREFACE).await;
    client.say([0, 0, 0, 4, 0, 0, 0, 0, 0]).await;
    // GOAWAY, with the last stream that there can be.
    client
        .until("\u{0}\u{0}\u{8}\u{7}\u{0}\u{0}\u{0}\u{0}\u{0}\u{7f}")
        .await;
    client.say(GET).await;
    let head = upstream.accept().await.head().await;
    assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{head}");
}

/// The two spans are idle time itself: each is within it, both together are not.
#[tokio::test]
async fn a_connection_is_idle_from_the_end_of_its_last_answer_on() {
    let idle = Duration::from_millis(800);
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "idle_timeout = \"800ms\"", "").await;
    let mut sender = client(&house).await;
    let mut ask = || {
        let get = Request::get("http://a/x").body(()).unwrap();
        sender.send_request(get, true).unwrap().0
    };
    let slow = ask();
    let mut server = upstream.accept().await;
    server.head().await;
    sleep(idle * 3 / 4).await;
    server
        .say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await;
    assert_eq!(slow.await.unwrap().status(), 200);
    sleep(idle * 3 / 4).await;
    let next = ask();
    server.head().await;
    server.say("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(next.await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_stop_waits_for_the_end_of_an_answer_that_nobody_serves_any_more() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let (mut client, mut read) = held_up(&house, &upstream).await;
    assert_eq!(house.edge.connections_to_end(), 1, "a stop waits for it");
    house.edge.drain();
    house.stop.send(true).unwrap();
    read.append(&mut client.bytes().await);
    assert_eq!(length(&read), Some(LENGTH));
    assert_eq!(house.edge.connections_to_end(), 0);
}
