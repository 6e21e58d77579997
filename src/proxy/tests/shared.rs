//! Requests that share a connection to a server of HTTP/2, and what many small pieces cost them.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use h2::{RecvStream, SendStream};
use http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::house::{House, Upstream, status};

/// How long a server waits for room before it says that it has none.
const STALLED: Duration = Duration::from_millis(300);

/// A server that takes one connection. `/flood` is an answer in pieces of `piece` bytes, and it tells when no more are taken;
/// any other is short.
async fn server(piece: usize) -> (SocketAddr, UnboundedReceiver<()>) {
    let (stalled, told) = unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        drop(listener);
        let mut connection = h2::server::handshake(tcp).await.unwrap();
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            let send = respond.send_response(Response::new(()), false).unwrap();
            let stalled = stalled.clone();
            tokio::spawn(async move {
                match request.uri().path() {
                    "/flood" => flood(send, piece, &stalled).await,
                    _ => answer(send).await,
                }
            });
        }
    });
    (address, told)
}

/// Sends for as long as somebody takes it; then waits to be reset.
async fn flood(mut send: SendStream<Bytes>, piece: usize, stalled: &UnboundedSender<()>) {
    loop {
        send.reserve_capacity(piece);
        let room = timeout(STALLED, poll_fn(|cx| send.poll_capacity(cx))).await;
        let Ok(Some(Ok(_))) = room else { break };
        if send.capacity() >= piece {
            send.send_data(vec![b'x'; piece].into(), false).unwrap();
        }
    }
    stalled.send(()).unwrap();
    let _ = poll_fn(|cx| send.poll_reset(cx)).await;
}

async fn answer(mut send: SendStream<Bytes>) {
    send.reserve_capacity(2);
    let _ = poll_fn(|cx| send.poll_capacity(cx)).await;
    send.send_data(Bytes::from_static(b"ok"), true).unwrap();
}

/// A client that has room for so many bytes of each answer.
async fn client(house: &House, room: u32) -> SendRequest<Bytes> {
    let tcp = TcpStream::connect(house.address).await.unwrap();
    let builder = Builder::new().initial_window_size(room).clone();
    let (sender, connection) = builder.handshake(tcp).await.unwrap();
    tokio::spawn(connection);
    sender.ready().await.unwrap()
}

async fn get(sender: &mut SendRequest<Bytes>, path: &str) -> RecvStream {
    let get = Request::get(format!("http://a{path}")).body(()).unwrap();
    let (response, _) = sender.send_request(get, true).unwrap();
    response.await.unwrap().into_body()
}

/// Lets `stalled` clients take nothing of answers in pieces of `piece` bytes; whether another's is whole.
async fn check(stalled: usize, piece: usize) {
    let more = "protocol = \"h2\"\nresponse_timeout = \"5s\"";
    let (address, mut told) = server(piece).await;
    let house = House::before(address, "", more).await;
    let mut paused = client(&house, 0).await;
    let mut unread = Vec::new();
    for _ in 0..stalled {
        unread.push(get(&mut paused, "/flood").await);
    }
    for _ in 0..stalled {
        told.recv().await.unwrap();
    }
    let mut other = client(&house, 65_535).await;
    let mut body = get(&mut other, "/x").await;
    let content = timeout(Duration::from_secs(5), body.data()).await;
    let content = content.expect("it stands still").expect("it is cut");
    assert_eq!(content.unwrap(), "ok", "{stalled} with {piece}");
}

#[tokio::test]
async fn answers_that_nobody_takes_leave_room_for_others() {
    check(24, 16 << 10).await;
}

#[tokio::test]
async fn small_pieces_that_nobody_takes_end_no_other_answer() {
    check(2, 4).await;
}

#[tokio::test]
async fn thousands_of_small_messages_end_no_connection() {
    const MESSAGES: usize = 5000;
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut sender = client(&house, 65_535).await;
    let post = Request::post("http://a/x").body(()).unwrap();
    let (response, mut send) = sender.send_request(post, false).unwrap();
    for _ in 0..MESSAGES {
        send.send_data(Bytes::from_static(b"~~~~~~~~"), false)
            .unwrap();
    }
    send.send_data(Bytes::new(), true).unwrap();
    let mut server = upstream.accept().await;
    let request = server.until("0\r\n\r\n").await;
    assert_eq!(request.matches('~').count(), 8 * MESSAGES);
    server
        .say("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        .await;
    assert_eq!(response.await.unwrap().status(), 204);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_and_no_end_of_it() {
    let upstream = Upstream::start().await;
    let house = House::before(upstream.address, "", "").await;
    let mut sender = client(&house, 65_535).await;
    let asked = tokio::spawn(async move { get(&mut sender, "/x").await });
    let (server, _) = upstream
        .answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        .await;
    let mut body = asked.await.unwrap();
    assert_eq!(body.data().await.unwrap().unwrap(), "ab");
    drop(server);
    let error = body.data().await.unwrap().unwrap_err();
    // Some clients take CANCEL and NO_ERROR for an end in order.
    assert_eq!(error.reason(), Some(h2::Reason::INTERNAL_ERROR));
}

/// A server that answers once on its first connection, and each time on the others.
async fn falling_silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for answers in [1, usize::MAX] {
            let (tcp, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(tcp).await.unwrap();
                let (mut answered, mut held) = (0, Vec::new());
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    if answered < answers {
                        respond.send_response(Response::new(()), true).unwrap();
                        answered += 1;
                    } else {
                        held.push(respond);
                    }
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_connection_that_fell_silent_is_left_to_those_who_wait_on_it() {
    let more = "protocol = \"h2\"\nresponse_timeout = \"200ms\"";
    let house = House::before(falling_silent().await, "", more).await;
    let mut client = house.client().await;
    for expected in ["200", "504", "200", "200"] {
        client.say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let head = client.head().await;
        assert_eq!(status(&head), expected);
        if expected == "504" {
            client.until("\"upstream_timeout\"").await;
            client.until("}").await;
        }
    }
}

/// A server that takes one request at a time on each connection, and answers none before `together` have come.
async fn narrow(together: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let all = Arc::new(Barrier::new(together));
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let all = all.clone();
            tokio::spawn(async move {
                let builder = h2::server::Builder::new().max_concurrent_streams(1).clone();
                let mut connection = builder.handshake::<_, Bytes>(tcp).await.unwrap();
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    let all = all.clone();
                    tokio::spawn(async move {
                        all.wait().await;
                        respond.send_response(Response::new(()), true).unwrap();
                    });
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_server_is_never_asked_for_more_at_once_than_it_says() {
    const TOGETHER: usize = 4;
    let more = "protocol = \"h2\"\nresponse_timeout = \"5s\"";
    let house = House::before(narrow(TOGETHER).await, "", more).await;
    let mut sender = client(&house, 65_535).await;
    let asked: Vec<_> = (0..TOGETHER)
        .map(|_| {
            let get = Request::get("http://a/x").body(()).unwrap();
            sender.send_request(get, true).unwrap().0
        })
        .collect();
    for response in asked {
        assert_eq!(response.await.unwrap().status(), 200);
    }
}
