//! Requests that an HTTP/2 server did not look at are sent once more, whatever their method (RFC 9113 §8.7), and no others.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use h2::Reason;
use http::Response;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::house::{House, SILENT_TLS, Upstream, Wire, status};
use super::http2::echo;
use crate::proxy::upstream::HTTP2_CONNECTIONS_MAX;

/// More than the connections that there may be.
const MANY: usize = 60;
const GET: &str = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
const POST: &str = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";

/// A server and what came to it.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// A server that takes whole requests and resets as many of their streams as `resets` says; then it echoes.
async fn server(reason: Reason, resets: usize) -> Server {
    server_of_crowds(reason, resets, 0).await
}

/// The same, once so many have come.
async fn server_of_crowds(reason: Reason, resets: usize, crowd: usize) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server {
        address: listener.local_addr().unwrap(),
        connections: Arc::default(),
        requests: Arc::default(),
    };
    let (connections, requests) = (server.connections.clone(), server.requests.clone());
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            connections.fetch_add(1, Ordering::Relaxed);
            let count = requests.clone();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(tcp).await.unwrap();
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    let count = count.clone();
                    tokio::spawn(async move {
                        let mut body = request.into_body();
                        let mut content = Vec::new();
                        while let Some(Ok(piece)) = body.data().await {
                            body.flow_control().release_capacity(piece.len()).unwrap();
                            content.extend_from_slice(&piece);
                        }
                        let before = count.fetch_add(1, Ordering::Relaxed);
                        while count.load(Ordering::Relaxed) < crowd {
                            tokio::task::yield_now().await;
                        }
                        if before < resets {
                            return respond.send_reset(reason);
                        }
                        let mut send = respond.send_response(Response::new(()), false).unwrap();
                        send.send_data(Bytes::from(content), true).unwrap();
                    });
                }
            });
        }
    });
    server
}

async fn asked(house: &House, request: &str) -> (Wire, String) {
    let mut client = house.client().await;
    client.say(request).await;
    let head = client.head().await;
    (client, head)
}

#[tokio::test]
async fn a_refused_stream_is_repeated_once_with_all_of_its_body() {
    let server = server(Reason::REFUSED_STREAM, 1).await;
    // Room for the body once: it is counted anew.
    let listener = "body_bytes_max = \"8B\"";
    let house = House::before(server.address, listener, "protocol = \"h2\"").await;
    let (mut client, head) = asked(&house, POST).await;
    assert_eq!(status(&head), "200", "{head}");
    assert!(client.until("0\r\n\r\n").await.contains("5\r\nhello\r\n"));
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_second_refusal_is_final_and_another_reset_may_mean_that_it_was_done() {
    for (reason, most) in [(Reason::REFUSED_STREAM, 2), (Reason::CANCEL, 1)] {
        let server = server(reason, 9).await;
        let house = House::before(server.address, "", "protocol = \"h2\"").await;
        let (_client, head) = asked(&house, POST).await;
        assert_eq!(status(&head), "502", "{reason:?} {head}");
        assert_eq!(server.requests(), most, "{reason:?}");
    }
}

#[tokio::test]
async fn a_reset_on_a_kept_connection_says_that_the_server_saw_the_request() {
    for reason in [Reason::INTERNAL_ERROR, Reason::ENHANCE_YOUR_CALM] {
        let server = server(reason, 9).await;
        let house = House::before(server.address, "", "protocol = \"h2\"").await;
        for times in 1..4 {
            let (_client, head) = asked(&house, GET).await;
            assert_eq!(status(&head), "502", "{reason:?} {head}");
            assert_eq!((server.requests(), server.connections()), (times, 1));
        }
    }
}

#[tokio::test]
async fn a_server_that_refuses_every_stream_gets_few_connections() {
    let server = server(Reason::REFUSED_STREAM, usize::MAX).await;
    let house = House::before(server.address, "", "protocol = \"h2\"").await;
    for _ in 0..30 {
        let (_client, head) = asked(&house, GET).await;
        assert_eq!(status(&head), "502", "{head}");
    }
    assert_eq!(server.requests(), 60);
    assert_eq!(server.connections(), HTTP2_CONNECTIONS_MAX);
}

/// Requests at once; each is answered with `expected`.
fn many(house: &Arc<House>, expected: &'static str) -> Vec<JoinHandle<()>> {
    let one = |house: Arc<House>| async move {
        let (_client, head) = asked(&house, GET).await;
        assert_eq!(status(&head), expected, "{head}");
    };
    (0..MANY)
        .map(|_| tokio::spawn(one(house.clone())))
        .collect()
}

#[tokio::test]
async fn requests_that_come_together_share_a_connection() {
    // Those that are refused together share what they are repeated on, but for stragglers.
    for (refused, most) in [(0, 1), (MANY, 4)] {
        let server = server_of_crowds(Reason::REFUSED_STREAM, refused, MANY).await;
        let house = Arc::new(House::before(server.address, "", "protocol = \"h2\"").await);
        for served in many(&house, "200") {
            served.await.unwrap();
        }
        let connections = server.connections();
        assert!(connections <= most, "{connections}");
    }
}

#[tokio::test]
async fn requests_that_wait_together_hear_together_that_there_is_no_connection() {
    let upstream = Upstream::start().await;
    let more = format!("{SILENT_TLS}\nprotocol = \"h2\"");
    let house = Arc::new(House::before(upstream.address, "", &more).await);
    let waiting = many(&house, "502");
    let first = upstream.accept().await;
    while house.edge.in_flight() < MANY {
        tokio::task::yield_now().await;
    }
    drop(first);
    for served in waiting {
        served.await.unwrap();
    }
    upstream.is_left_alone().await;
}

#[tokio::test]
async fn a_body_over_what_is_kept_is_not_repeated() {
    let server = server(Reason::REFUSED_STREAM, 1).await;
    let house = House::before(server.address, "", "protocol = \"h2\"").await;
    let body = "x".repeat(17 << 10);
    let request = format!(
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (_client, head) = asked(&house, &request).await;
    assert_eq!(status(&head), "502", "{head}");
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_request_beyond_the_last_of_a_connection_that_goes_away_is_repeated_elsewhere() {
    let front = Upstream::start().await;
    let behind = echo().await;
    let house = House::before(front.address, "", "protocol = \"h2\"").await;
    let served = tokio::spawn(async move { asked(&house, POST).await });
    let mut first = front.accept().await;
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    first.tcp.write_all(&settings).await.unwrap();
    first.until("hello").await;
    // The last stream was 0, and nothing is wrong.
    let goaway = [&[0, 0, 8, 7][..], &[0; 13]].concat();
    first.tcp.write_all(&goaway).await.unwrap();
    let mut second = front.accept().await;
    let mut server = TcpStream::connect(behind).await.unwrap();
    tokio::spawn(async move { tokio::io::copy_bidirectional(&mut second.tcp, &mut server).await });
    let (mut client, head) = served.await.unwrap();
    assert_eq!(status(&head), "200", "{head}");
    let rest = client.until("grpc-status: 0\r\n\r\n").await;
    assert!(rest.contains("hello"), "{rest}");
}
